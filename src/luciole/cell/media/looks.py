"""How a film looks, out of the plain pixels that the first encoding leaves beside its rendition:
the hint that is shown before the poster, and hashes of its stills.

The pixels come from the fence in files of one form and of a size that is known beforehand, so
that nothing has to be parsed here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from luciole.cell.media import pdq, thumbhash
from luciole.cell.media.filters import MOST_STILLS, STILL_SIDE, still_step_ms, tiny
from luciole.cell.media.rungs import Cut

TINY, STILLS = "tiny.rgb", "stills.gray"


class Still(msgspec.Struct, frozen=True):
    """A hashed still of a film, so long after its start."""

    at_ms: int
    pdq: bytes
    quality: int


class Looks(msgspec.Struct, frozen=True):
    """What one finds a film again by, and what stands for its poster."""

    thumbhash: bytes
    stills: tuple[Still, ...]


class NoLooks(Exception):
    """The encoding left other pixels than it was to leave."""


def outputs(out_dir: Path) -> list[str]:
    """The options of FFmpeg that write the pixels."""
    raw = ["-c:v", "rawvideo", "-fps_mode", "passthrough"]
    return [
        "-map", "[tiny]", *raw, "-f", "image2", "-update", "1", str(out_dir / TINY),
        "-map", "[stills]", *raw, "-f", "rawvideo", str(out_dir / STILLS),
    ]  # fmt: skip


def seen(out_dir: Path, width: int, height: int, cut: Cut) -> Looks:
    """The looks of a film of whose first rendition the size is given. Raises NoLooks."""
    across, down = (int(side) for side in tiny(width, height).split(":"))
    hint = _pixels(out_dir / TINY, across * down * 3).reshape(-1, down, across, 3)
    pictures = _pixels(out_dir / STILLS, STILL_SIDE * STILL_SIDE)
    pictures = pictures.reshape(-1, STILL_SIDE, STILL_SIDE)
    if len(hint) != 1 or not 1 <= len(pictures) <= MOST_STILLS + 2:
        raise NoLooks
    step_ms = still_step_ms(cut)
    stills = []
    for number, picture in enumerate(pictures):
        found = pdq.hashed(picture)
        stills.append(Still(round(number * step_ms), found.pdq, found.quality))
    return Looks(thumbhash.hashed(hint[0]), tuple(stills))


def _pixels(path: Path, size_bytes: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The content of a plain file of whole pictures of that size."""
    if path.is_symlink() or not path.is_file():
        raise NoLooks
    found = path.stat().st_size
    if found % size_bytes or not 0 < found <= size_bytes * (MOST_STILLS + 2):
        raise NoLooks
    return np.fromfile(path, dtype=np.uint8)
