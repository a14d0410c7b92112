"""A file of our own encoder is recognised; one that differs in anything is not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import later
from tests.unit.media import films, sealer

from luciole.cell.media import encode, fence, probe, recognise, soundtrack
from luciole.cell.media.encode import Encoded
from luciole.cell.media.manifest import Told
from luciole.cell.media.model import NotOurs
from luciole.cell.media.rungs import FIRST, Cut

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


LONGEST_MS = 180_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Encoded]:
    return {}


@pytest.fixture
async def ours(made: dict[str, Encoded], tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    """A rendition of ours, and its still beside it."""
    if not made:
        folder = tmp_path_factory.mktemp("ours")
        source = films.make(folder / "a.mp4", size="180x320", seconds=0.7, rate=15)
        film = await probe.probe(source, folder)
        cut = Cut(0, film.duration_ms)
        made["first"], made["still"] = await encode.first_playable(source, film, cut, folder)
    return made["first"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("size", "rate", "sound"),
    [
        ("180x320", 15, True),
        later("1280x720", 60, False),
        later("1080x1920", 30, True),
        later("640x360", 50, True),
    ],
)
async def test_what_we_make_is_recognised(
    tmp_path: Path, out: Path, size: str, rate: int, sound: bool
) -> None:
    source = films.make(tmp_path / "a.mp4", size=size, seconds=1.3, rate=rate, sound=sound)
    film = await probe.probe(source, out)
    cut = Cut(100, film.duration_ms - 150)
    first, still = await encode.first_playable(source, film, cut, tmp_path)
    for each in (first, *await encode.ladder(source, film, cut, tmp_path)):
        assert await recognise.rendition(each.path, each.name, out, LONGEST_MS) == (each, sound)
    await recognise.still(still.path, first.width, first.height, out)
    await sealer.sealer().seal(first.path, Told())
    bare, has_sound = await recognise.rendition(first.path, first.name, out, LONGEST_MS)
    assert (bare.size_bytes, has_sound) == (first.size_bytes, sound)


def remuxed(*options: str) -> Callable[[Path, Path], None]:
    """The same tracks, muxed with other options."""

    def change(source: Path, target: Path) -> None:
        films.run("-i", str(source), "-c", "copy", *options, *encode.CLEAN, str(target))

    return change


def encoded(*options: str) -> Callable[[Path, Path], None]:
    """The same picture by other options of the encoder."""

    def change(source: Path, target: Path) -> None:
        films.run("-i", str(source), *encode.video(FIRST, 1), *soundtrack.ENCODED, *options,
                  *encode.CLEAN, str(target))  # fmt: skip

    return change


def spliced(where: Callable[[bytes], bytes]) -> Callable[[Path, Path], None]:
    def change(source: Path, target: Path) -> None:
        target.write_bytes(where(source.read_bytes()))

    return change


def hidden_in_a_box(data: bytes) -> bytes:
    """Text in the empty box that lies between the head and the samples."""
    at = data.index(b"free") - 4
    return data[:at] + struct.pack(">I4s", 24, b"free") + b"where we hid it." + data[at + 8 :]


def hidden_behind(data: bytes) -> bytes:
    at = data.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", data, at)
    return data[:at] + struct.pack(">I", size + 9) + data[at + 4 :] + b"in a gap."


FOREIGN: dict[str, Callable[[Path, Path], None]] = {
    "a title": remuxed("-metadata", "title=Ana at home", "-map_metadata", "0"),
    "a second track": remuxed("-map", "0", "-map", "0:a"),
    "without its sound's box order": remuxed("-map", "0:a", "-map", "0:v"),
    "a picture that lies": remuxed("-metadata:s:v", "rotate=90", "-movflags", "0"),
    "another muxer": spliced(lambda data: data.replace(b"isom\0\0\2\0", b"mp42\0\0\2\0", 1)),
    "text in a box": spliced(hidden_in_a_box),
    "bytes behind the samples": spliced(hidden_behind),
    "bytes behind the file": spliced(lambda data: data + b"\0\0\0\x08free"),
    "cut short": spliced(lambda data: data[: len(data) // 2]),
    "settings of the encoder in it": encoded("-bsf:v", "null"),
    "another profile": encoded("-profile:v", "baseline"),
    "mono": encoded("-ac", "1"),
    "another rate of the sound": encoded("-ar", "44100"),
    "another cap": encoded("-maxrate", "9000k"),
    "a larger picture": encoded("-vf", "scale=1280:-2"),
    "other colours": encoded("-colorspace", "bt470bg", "-color_primaries", "bt470bg"),
    "another codec": lambda source, target: films.run(
        "-i", str(source), "-c:v", "mpeg4", *soundtrack.ENCODED, *encode.CLEAN, str(target)
    ),
    "no film": spliced(lambda _: b"<script>alert(1)</script>" * 9),
    "nothing": spliced(lambda _: b""),
}
CHEAP = ("a title", "text in a box", "bytes behind the samples", "another profile", "no film")


@pytest.mark.parametrize("name", [n if n in CHEAP else later(n) for n in FOREIGN])
async def test_what_differs_is_not_ours(
    ours: Encoded, tmp_path: Path, out: Path, name: str
) -> None:
    target = tmp_path / "b.mp4"
    FOREIGN[name](ours.path, target)
    if target.read_bytes() == ours.path.read_bytes():
        pytest.fail("the case changes nothing")
    with pytest.raises(NotOurs):
        await recognise.rendition(target, "540", out, LONGEST_MS)


async def test_rendition_has_the_size_of_its_name(ours: Encoded, out: Path) -> None:
    for name in ("720", "1080", "2160", ""):
        with pytest.raises(NotOurs):
            await recognise.rendition(ours.path, name, out, LONGEST_MS)


async def test_rendition_is_no_longer_than_a_clip(ours: Encoded, out: Path) -> None:
    with pytest.raises(NotOurs):
        await recognise.rendition(ours.path, "540", out, -400)


STILLS: dict[str, Callable[[bytes], bytes]] = {
    "one bit of it": lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:-60] + bytes(60),
    "lossless": lambda data: data[:12] + b"VP8L" + data[16:],
    "another chunk": lambda data: (
        b"RIFF" + struct.pack("<I", len(data) + 4) + data[8:] + b"EXIF\4\0\0\0home"
    ),
    "bytes behind it": lambda data: data + b"\0\0",
    "no picture": lambda _: b"<svg onload='alert(1)'/>",
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("name", STILLS)
async def test_still_that_differs_is_not_ours(
    ours: Encoded, made: dict[str, Encoded], tmp_path: Path, out: Path, name: str
) -> None:
    still = made["still"]
    await recognise.still(still.path, ours.width, ours.height, out)
    target = tmp_path / "b.webp"
    target.write_bytes(STILLS[name](still.path.read_bytes()))
    with pytest.raises(NotOurs):
        await recognise.still(target, ours.width, ours.height, out)
    with pytest.raises(NotOurs):
        await recognise.still(still.path, ours.width, ours.height + 2, out)
