"""A stranger's archive: what is let through, and the reason why the rest is not."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cell.rights.bad_zips import BAD, packed, unpacked
from tests.conftest import later

from luciole.cell.rights.export.archive import Archive
from luciole.cell.rights.export.signature import FORMAT
from luciole.cell.rights.imports import manifest, zipped
from luciole.cell.rights.imports.rows import Lists
from luciole.cell.rights.model import PIECE_BYTES, Unimportable

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")
SLOW = {"many files", "a bomb", "a row that is too long"}


async def written() -> bytes:
    """A small export, by the writer that makes real ones."""
    made = bytearray()

    async def put(data: bytes) -> None:
        made.extend(data)

    archive = Archive(put, datetime(2026, 11, 26, tzinfo=UTC))
    await archive.text("README.html", "<p>Hello")
    account = {"handle": "ana", "display_name": "Ana", "bio": "", "locale": "en",
               "is_private": False}  # fmt: skip
    await archive.text("data/people/account.json", f"[\n{json.dumps(account)}\n]\n")
    await archive.text("data/clips/clips.json", "[]\n")
    await archive.text("data/clips/liked.json", "[]\n")
    async with archive.file("media/one/540.mp4", is_packed=False) as entry:
        await entry.write(b"\0\0\0\x08mdat" + bytes(range(256)) * 8)
    listed = {
        "format": FORMAT,
        "cell_id": str(UUID(int=1)),
        "cell": {"name": "Far", "origin": "https://far.example"},
        "key": "",
        "person_id": str(UUID(int=2)),
        "files": msgspec.to_builtins(archive.files),
    }
    await archive.text("manifest.json", json.dumps(listed))
    await archive.text("manifest.sig", "")
    await archive.close()
    return bytes(made)


GOOD = asyncio.run(written())


async def taken(raw: bytes) -> manifest.Manifest:
    """All that is looked at before anything is put into an account."""
    archive = zipped.opened(io.BytesIO(raw), len(raw), 1 << 30)  # type: ignore[arg-type]
    found, _ = manifest.read(archive)
    manifest.compare(archive, found, lambda _: None)
    await Lists(archive).check()
    return found


async def test_export_is_taken() -> None:
    assert (await taken(GOOD)).cell.name == "Far"
    assert (await taken(packed(unpacked(GOOD)))).cell.name == "Far"


@pytest.mark.parametrize("name", [later(name) if name in SLOW else name for name in BAD])
async def test_other_archive_is_refused(name: str) -> None:
    spoil, code = BAD[name]
    with pytest.raises(Unimportable) as refusal:
        await taken(spoil(GOOD))
    assert refusal.value.code == code


async def test_archive_that_is_too_large_inside_is_refused() -> None:
    with pytest.raises(Unimportable) as refusal:
        zipped.opened(io.BytesIO(GOOD), len(GOOD), 100)  # type: ignore[arg-type]
    assert refusal.value.code == "import-too-much-inside"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_byte_changed_is_refused_or_changes_nothing(at: int, by: int) -> None:
    """Wherever it is: no such archive does anything but be refused, or be the same."""
    data = bytearray(GOOD)
    data[at] ^= by
    try:
        found = asyncio.run(taken(bytes(data)))
    except Unimportable:
        return
    assert found.cell.name == "Far"


async def test_large_archive_has_zip64_numbers_and_is_read() -> None:
    """Above 65,535 files, or 4 GiB, the numbers stand elsewhere; here they are put there."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        start, count = archive.start_dir, len(archive.infolist())
    end = GOOD.rindex(b"PK\5\6")
    end64 = zipped.END64.pack(
        b"PK\6\6", zipped.END64.size - 12, 45, 45, 0, 0, count, count, end - start, start
    )
    place = zipped.END64_PLACE.pack(b"PK\6\7", 0, end, 1)
    last = zipped.END.pack(b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert (await taken(GOOD[:end] + end64 + place + last)).cell.name == "Far"
    wrong = zipped.END64_PLACE.pack(b"PK\6\7", 0, end + 1, 1)
    with pytest.raises(Unimportable):
        await taken(GOOD[:end] + end64 + wrong + last)


async def test_file_in_pieces_reads_as_the_file() -> None:
    whole = bytes(range(256)) * (PIECE_BYTES // 100)
    fetched: list[int] = []

    async def get(number: int) -> bytes:
        fetched.append(number)
        return whole[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]

    file = zipped.PiecesFile(get, len(whole), asyncio.get_running_loop())

    def read() -> None:
        for start, size in ((0, 10), (PIECE_BYTES - 5, 10), (len(whole) - 3, 10), (7, 0)):
            file.seek(start)
            found = b""
            while len(found) < size and (part := file.read(size - len(found))):
                found += part
            assert found == whole[start : start + size]
        assert file.seek(-1, io.SEEK_END) == len(whole) - 1

    await asyncio.to_thread(read)
    assert len(fetched) == len(set(fetched)), "what was just read is not fetched again"
