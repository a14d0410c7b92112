"""The archives that are kept as files, good and bad: `python -m tests.tiktok.named` writes them.

The web client's own tests read them, so that what reads a ZIP there is tried with ZIPs that another
program has made.
"""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

from tests.tiktok import archive
from tests.tiktok.archive import GENERATIONS, TEXT_VARIANTS, zipped

HERE = Path(__file__).parent
# Unpacked; packed it is a thousandth of that.
BOMB_BYTES = 64 * 1024 * 1024
# Nested deeper than any reader goes.
DEEP = 5_000


def files() -> dict[str, bytes]:
    """All of them by name."""
    good = {
        f"{generation.lower()}.json": archive.text_of(archive.made(generation)).encode()
        for generation in GENERATIONS
    }
    g3 = good["g3.json"]
    data = archive.DATA_FILE["G3"]
    whole = zipped({data: g3})
    return {
        **good,
        "g3.zip": whole,
        "stored.zip": zipped({f"TikTok/{data}": g3}, method=zipfile.ZIP_STORED),
        "empty.json": b'{"Post": {"Posts": {"VideoList": null}}, "Direct Message": {}}\n',
        **{f"text-{language}.zip": archive.text_variant(language) for language in TEXT_VARIANTS},
        "bad/bomb.zip": zipped({data: b"[" + b" " * BOMB_BYTES}),
        "bad/cut.zip": whole[: len(whole) // 2],
        "bad/deep.json": b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n",
        "bad/encrypted.zip": _patched(whole, flag=1),
        "bad/lies-about-its-size.zip": _patched(whole, size_bytes=len(g3) - 7),
        "bad/lies-about-its-sum.zip": _patched(whole, crc32=0x01020304),
        "bad/not-tiktok.json": b'{"name": "a list of something", "items": [1, 2, 3]}\n',
        "bad/number.json": b"17\n",
        "bad/photos.zip": zipped({"a.jpg": b"\xff\xd8\xff", "b/c.jpg": b"\xff\xd8\xff"}),
        "bad/trailing.json": b'{"Post": {}} {"Post": {}}\n',
        "bad/two-data-files.zip": zipped({data: g3, "old/user_data.json": b"{}"}),
        "bad/without-end.json": g3[:-200],
    }


def _patched(
    whole: bytes, *, flag: int = 0, size_bytes: int | None = None, crc32: int | None = None
) -> bytes:
    """A ZIP of one entry whose directory says something else about it (APPNOTE 4.3.12)."""
    changed = bytearray(whole)
    at = whole.rindex(b"PK\x01\x02")
    changed[at + 8] |= flag
    if crc32 is not None:
        struct.pack_into("<I", changed, at + 16, crc32)
    if size_bytes is not None:
        struct.pack_into("<I", changed, at + 24, size_bytes)
    return bytes(changed)


def contents(content: bytes) -> dict[str, bytes] | bytes:
    """What can be compared: two versions of zlib pack the same bytes differently."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as folder:
            return {name: folder.read(name) for name in folder.namelist()}
    except (zipfile.BadZipFile, RuntimeError):
        return content


def main() -> None:
    for name, content in files().items():
        place = HERE / name
        if not place.exists() or contents(place.read_bytes()) != contents(content):
            place.write_bytes(content)


if __name__ == "__main__":
    main()
