"""Pictures of people: small, square, plain; hostile ones refused."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from luciole.cell.media import avatar, fence
from luciole.cell.media.avatar import maker
from luciole.cell.media.model import BadPicture, PicturesBusy

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


def png(width: int = 400, height: int = 200, mode: str = "RGB", kind: str = "PNG") -> bytes:
    """Red on the left, green on the right."""
    picture = Image.new("RGB", (width, height), (220, 30, 30))
    picture.paste((30, 200, 30), (width // 2, 0, width, height))
    file = io.BytesIO()
    picture.convert(mode).save(file, kind)
    return file.getvalue()


@pytest.fixture
def make(tmp_path: Path) -> Any:
    return maker(tmp_path / "work", allow_unfenced=False)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "GIF"), ("RGB", "JPEG"), ("RGB", "WEBP"), ("L", "PNG")],
)
async def test_picture_becomes_a_small_webp(
    make: Any, tmp_path: Path, mode: str, kind: str
) -> None:
    made = await make(png(mode=mode, kind=kind))
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.format == "WEBP"
        assert picture.size == (256, 256)
    assert os.listdir(tmp_path / "work") == []


async def test_metadata_is_gone_and_its_turn_is_done(make: Any) -> None:
    picture = Image.open(io.BytesIO(png()))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn a quarter clockwise
    exif[0x010F] = "secret-phone"
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif, comment=b"secret-comment")
    assert b"secret-phone" in file.getvalue()
    made = await make(file.getvalue())
    assert b"secret" not in made
    with Image.open(io.BytesIO(made)) as small:
        assert not small.getexif()
        top = small.convert("RGB").getpixel((128, 20))
        bottom = small.convert("RGB").getpixel((128, 235))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > top[1], "the left side is on top now"
    assert bottom[1] > bottom[0]


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels for it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def vast() -> bytes:
    """A whole PNG of few bytes and 41 million pixels, which the limit of memory would let pass."""
    file = io.BytesIO()
    Image.new("1", (6404, 6404)).save(file, "PNG")
    assert len(file.getvalue()) < 100_000
    return file.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png()[:100],
        bomb(60_000, 60_000),
        bomb(6000, 6000),
        vast(),
        b"\x00\x00\x00\x1cftypavif" + bytes(100),
        b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(100),
        png(kind="BMP"),
    ],
)
async def test_what_is_no_picture_is_refused(make: Any, tmp_path: Path, picture: bytes) -> None:
    with pytest.raises(BadPicture):
        await make(picture)
    assert os.listdir(tmp_path / "work") == []


async def test_many_pictures_wait_and_some_are_sent_away(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most = 0, 0

    async def run(*_: Any, **__: Any) -> fence.Outcome:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1
        return fence.Outcome(3, b"", b"", None)

    monkeypatch.setattr(fence, "run", run)
    ends = await asyncio.gather(*(make(png()) for _ in range(30)), return_exceptions=True)
    assert most == avatar.AT_ONCE
    kinds = [type(end) for end in ends]
    room = avatar.AT_ONCE + avatar.WAITING
    assert (kinds.count(BadPicture), kinds.count(PicturesBusy)) == (room, 30 - room)
    with pytest.raises(BadPicture):  # the places are free again
        await make(png())


async def test_picture_that_a_killed_process_left_is_gone_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    program = f"""
import asyncio, os, signal
from pathlib import Path
from luciole.cell.media import avatar, fence
async def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
fence.run = die
asyncio.run(avatar.maker(Path({str(work)!r}), allow_unfenced=False)(b"a private picture"))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    assert await child.wait() == -signal.SIGKILL
    assert any(path.name == "source" for path in work.rglob("*"))
    make = maker(work, allow_unfenced=False)
    assert list(work.iterdir()) == []

    async def run(*_: Any, **__: Any) -> fence.Outcome:
        # Another process that starts meanwhile leaves alone what is in use.
        maker(work, allow_unfenced=False)
        assert any(path.name == "source" for path in work.rglob("*"))
        return fence.Outcome(3, b"", b"", None)

    monkeypatch.setattr(fence, "run", run)
    with pytest.raises(BadPicture):
        await make(png())
