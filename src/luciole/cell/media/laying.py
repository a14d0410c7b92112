"""How the renditions of a film are stored: each in segments, and the first also in one piece, for
players that take no segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import encode, packaging
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.packaging import SUFFIX, Packed
from luciole.cell.media.pictures import AVIF_POSTER, PREVIEW
from luciole.cell.media.rungs import FIRST
from luciole.cell.media.store import File
from luciole.kit.logs import log

MIME = {
    "rendition": "video/mp4",
    "segments": "video/mp4",
    "av1": "video/mp4",
    "poster": "image/webp",
    AVIF_POSTER: "image/avif",
    PREVIEW: "image/avif",
}

# A row, and the file whose bytes it is of.
Laid = tuple[File, Path]


async def renditions(
    made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path
) -> list[Laid]:
    """The rows and files of renditions that the encoder made. What cannot be packed is stored as it
    is: it plays, only less well."""
    if not made:
        return []
    try:
        return await cut(made, prefix, attempt, out_dir)
    except EncodingFailed:
        log.warning("a film could not be cut into segments", exc_info=True)
        return [(file("rendition", one, prefix, attempt), one.path) for one in made]


async def cut(made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path) -> list[Laid]:
    """The same, but raises EncodingFailed where one cannot be packed."""
    packed = await packaging.pack(made, out_dir)
    return [laid for one in packed for laid in _packed(one, prefix, attempt)]


async def av1(made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path) -> list[Laid]:
    """The rows and files of renditions in AV1. Raises EncodingFailed."""
    laid = []
    for one in await packaging.pack(made, out_dir):
        name = f"{one.of.name}-av1-{attempt}{SUFFIX}"
        parts = msgspec.structs.replace(one.of, size_bytes=one.size_bytes)
        index = msgspec.json.encode(one.index).decode()
        laid.append((_row("av1", parts, name, prefix, index), one.path))
    return laid


def stored(file: File, path: Path) -> Encoded:
    """A rendition that was fetched to `path`, as the encoder once made it."""
    size_bytes, duration_ms = encode.size_bytes(path), encode.duration_ms(path)
    return Encoded(file.name, path, file.width, file.height, size_bytes, duration_ms)


def picture(kind: str, made: Encoded, prefix: str, attempt: int) -> Laid:
    """The row and file of a still, or of a preview."""
    return file(kind, made, prefix, attempt), made.path


def file(kind: str, made: Encoded, prefix: str, attempt: int) -> File:
    """The row of a file as the encoder made it."""
    return _row(kind, made, f"{made.name}-{attempt}{made.path.suffix}", prefix)


def _packed(packed: Packed, prefix: str, attempt: int) -> list[Laid]:
    made = packed.of
    index = msgspec.json.encode(packed.index).decode()
    name = f"{made.name}-{attempt}{SUFFIX}"
    parts = msgspec.structs.replace(made, size_bytes=packed.size_bytes)
    if made.name != FIRST.name:
        return [(_row("rendition", parts, name, prefix, index), packed.path)]
    whole = msgspec.structs.replace(file("rendition", made, prefix, attempt), index=index)
    return [(whole, made.path), (_row("segments", parts, name, prefix), packed.path)]


def _row(kind: str, made: Encoded, filename: str, prefix: str, index: str | None = None) -> File:
    return File(
        kind,
        made.name,
        filename,
        prefix + filename,
        MIME[kind],
        made.width,
        made.height,
        made.bitrate_bps,
        made.size_bytes,
        index,
    )
