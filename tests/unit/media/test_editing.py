"""What an author does to a film: frame by frame, on films that say which frame is which."""

from __future__ import annotations

import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from tests.unit.media import films

from luciole.cell.media import editing, encode, fence, probe
from luciole.cell.media.edit_list import BadLayer, BadPieces, check_pieces, plain_png
from luciole.cell.media.model import Edit, Layer, Piece
from luciole.cell.media.probe import Unreadable

RATE = 25
LONGEST_MS = 180_000
fenced = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


def numbered(path: Path, frames: int, *, sound: bool = True, size: str = "90x160") -> Path:
    """Frame n has the luminance 16 + 4n. The sound is a beep while frames 10 to 19 are shown."""
    seconds = frames / RATE
    picture = (
        f"color=gray:s={size}:r={RATE}:d={seconds},format=yuv420p,geq=lum=16+4*N:cb=128:cr=128"
    )
    beep = f"aevalsrc=if(between(t\\,0.4\\,0.8)\\,0.5*sin(2*PI*440*t)\\,0):d={seconds}:s=48000"
    inputs = ["-f", "lavfi", "-i", picture]
    if sound:
        inputs += ["-f", "lavfi", "-i", beep]
    films.run(*inputs, "-c:v", "libx264", "-crf", "1", "-g", "250", "-bf", "2", str(path))
    return path


def frames(path: Path) -> list[int]:
    """Which frame each frame is."""
    raw = subprocess.run(
        [encode.ffmpeg(), "-nostdin", "-v", "error", "-i", str(path), "-fps_mode", "passthrough",
         "-vf", "scale=1:1:flags=area", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    # Full range, as plain grey pictures are: 16..235 has become 0..255.
    return [round(level * 219 / 255 / 4) for level in raw]


def loud(path: Path) -> list[bool]:
    """Whether something is heard, for each frame's time (40 ms)."""
    raw = subprocess.run(
        [encode.ffmpeg(), "-nostdin", "-v", "error", "-i", str(path), "-ac", "1", "-ar", "8000",
         "-f", "s16le", "-"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    samples = struct.unpack(f"<{len(raw) // 2}h", raw)
    each = 8000 // RATE
    # The middle of each, for a resampler rings at its edges.
    return [
        max(map(abs, samples[at + each // 4 : at + 3 * each // 4]), default=0) > 2000
        for at in range(0, len(samples) - each // 2, each)
    ]


def png(width: int, height: int, rgba: tuple[int, int, int, int], top: int = 0) -> bytes:
    """A picture of one colour below its `top` lines, which are clear."""
    rows = b"".join(
        b"\0" + (bytes(4) if line < top else bytes(rgba)) * width for line in range(height)
    )
    return wrapped(struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0), zlib.compress(rows))


def wrapped(head: bytes, pixels: bytes, *more: tuple[bytes, bytes]) -> bytes:
    chunks = ((b"IHDR", head), *more, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


async def edit(source: Path, folder: Path, wish: Edit, *layers: Layer) -> Path:
    (folder / "out").mkdir(exist_ok=True)
    film = await probe.probe(source, folder / "out")
    if wish.is_muted:
        film = film.without_sound()
    kept = editing.cuts(film, wish, LONGEST_MS)
    return await editing.edited(source, film, kept, layers, folder)


@fenced
async def test_pieces_play_in_their_order_to_the_frame(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 50)
    wish = Edit(pieces=(Piece(1200, 1600), Piece(0, 400), Piece(400, 800)))
    made = await edit(source, tmp_path, wish)
    assert frames(made) == [*range(30, 40), *range(20)]
    # The sound goes with its picture.
    assert loud(made) == [False] * 20 + [True] * 10
    again = await probe.probe(made, tmp_path / "out")
    assert abs(again.duration_ms - 1200) <= 1


@fenced
async def test_piece_may_come_twice_and_end_with_the_film(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 25, sound=False)
    made = await edit(source, tmp_path, Edit(pieces=(Piece(800, 5000), Piece(800, 5000))))
    assert frames(made) == [*range(20, 25)] * 2
    assert not (await probe.probe(made, tmp_path / "out")).has_audio


@fenced
async def test_sound_that_ends_early_stays_with_its_piece(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 50)
    short = tmp_path / "short.mp4"
    films.run("-i", str(source), "-af", "atrim=end=0.6", "-c:v", "copy", str(short))
    made = await edit(short, tmp_path, Edit(pieces=(Piece(1200, 2000), Piece(400, 800))))
    assert frames(made) == [*range(30, 50), *range(10, 20)]
    assert loud(made)[:20] == [False] * 20
    assert loud(made)[20:25] == [True] * 5


@fenced
async def test_muted_film_has_no_sound(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 25)
    wish = Edit(pieces=(Piece(0, 400), Piece(600, 1000)), is_muted=True)
    made = await edit(source, tmp_path, wish)
    assert "Audio" not in films.described(made)
    assert frames(made) == [*range(10), *range(15, 25)]


@fenced
async def test_layer_is_drawn_where_and_when_it_is_to_be(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 20)
    layer = Layer(png(180, 320, (255, 255, 255, 255), top=160), 200, 600)
    made = await edit(source, tmp_path, Edit(), layer)

    def lower_is_white(number: int) -> bool:
        pixels = films.frame(made, max(0, number - 0.3) / RATE, size="1:8")
        assert abs(pixels[0] - number * 4 * 255 / 219) < 8  # above it is the film
        return pixels[-1] > 245

    white = [number for number in range(20) if lower_is_white(number)]
    assert white == [*range(5, 15)]


@fenced
async def test_piece_after_the_end_is_refused(tmp_path: Path) -> None:
    source = numbered(tmp_path / "film.mp4", 25)
    with pytest.raises(Unreadable, match="outside-the-film"):
        await edit(source, tmp_path, Edit(pieces=(Piece(0, 400), Piece(2000, 3000))))


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece(0, 200)] * 17,
        [Piece(0, 50)],
        [Piece(500, 400)],
        [Piece(0, 100_000), Piece(0, 100_000)],
    ],
)
def test_lists_of_pieces_have_bounds(pieces: list[Piece]) -> None:
    check_pieces([Piece(0, 200)] * 16, LONGEST_MS)
    with pytest.raises(BadPieces):
        check_pieces(pieces, LONGEST_MS)


def test_png_is_taken_apart_and_keeps_its_picture_only() -> None:
    plain = png(20, 30, (1, 2, 3, 255))
    head = struct.pack(">IIBBBBB", 20, 30, 8, 6, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes((1, 2, 3, 255)) * 20) * 30)
    told = wrapped(head, pixels, (b"tEXt", b"Author\0me"), (b"eXIf", b"where I live"))
    assert plain_png(told) == plain_png(plain) == wrapped(head, pixels)
    assert b"where" not in plain_png(told)


def _head(width: int = 20, height: int = 30, *form: int) -> bytes:
    return struct.pack(">IIBBBBB", width, height, *(form or (8, 6, 0, 0, 0)))


_PIXELS = (b"\0" + bytes(80)) * 30
BAD = {
    "empty": b"",
    "a jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
    "cut off": png(20, 30, (0, 0, 0, 0))[:-5],
    "a wrong sum": png(20, 30, (0, 0, 0, 0))[:-1] + b"!",
    "no alpha": wrapped(_head(20, 30, 8, 2, 0, 0, 0), zlib.compress((b"\0" + bytes(60)) * 30)),
    "interlaced": wrapped(_head(20, 30, 8, 6, 0, 0, 1), zlib.compress(_PIXELS)),
    "too wide": wrapped(_head(4000, 30), zlib.compress((b"\0" + bytes(16000)) * 30)),
    "too few pixels": wrapped(_head(), zlib.compress(_PIXELS[:-1])),
    "more pixels than it says": wrapped(_head(), zlib.compress(bytes(50_000_000))),
    "no deflate": wrapped(_head(), b"nonsense"),
    "something behind the pixels": wrapped(_head(), zlib.compress(_PIXELS) + b"more"),
    "animated": wrapped(_head(), zlib.compress(_PIXELS), (b"acTL", bytes(8))),
    "a length beyond the end": b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**31, b"IHDR"),
    "too large": png(20, 30, (0, 0, 0, 0)) + bytes(300_000),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_plain_picture_is_refused(name: str) -> None:
    with pytest.raises(BadLayer):
        plain_png(BAD[name])
