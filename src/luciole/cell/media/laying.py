"""How the renditions of a film are stored: each in segments, and the first also in one piece, for
players that take no segments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import encode, packaging
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.packaging import SUFFIX, Index, NotPacked, Packed
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

# Stills and previews: small beside a manifest, so that their film's speaks for them.
PICTURES = ("poster", AVIF_POSTER, PREVIEW)

# A row, and the file whose bytes it is of.
Laid = tuple[File, Path]
# Puts the cell's signed credentials into a file.
Seal = Callable[[Path], Awaitable[None]]


async def renditions(
    made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path, seal: Seal | None
) -> list[Laid]:
    """The rows and files of renditions that the encoder made, sealed. What cannot be packed is
    stored as it is: it plays, only less well."""
    if not made:
        return []
    try:
        packed = await packaging.pack(made, out_dir)
    except EncodingFailed:
        log.warning("a film could not be cut into segments", exc_info=True)
        whole = [await _sealed(one, seal) for one in made]
        return [(file("rendition", one, prefix, attempt), one.path) for one in whole]
    return await _all(packed, prefix, attempt, seal)


async def cut(
    made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path, seal: Seal | None
) -> list[Laid]:
    """The same, but raises EncodingFailed where one cannot be packed."""
    return await _all(await packaging.pack(made, out_dir), prefix, attempt, seal)


async def _all(
    packed: Sequence[Packed], prefix: str, attempt: int, seal: Seal | None
) -> list[Laid]:
    laid = []
    for one in packed:
        sealed = await _sealed_parts(one, seal)
        if one.of.name == FIRST.name:
            sealed = msgspec.structs.replace(sealed, of=await _sealed(one.of, seal))
        laid += _packed(sealed, prefix, attempt)
    return laid


async def _sealed(made: Encoded, seal: Seal | None) -> Encoded:
    if seal is None:
        return made
    await seal(made.path)
    seal_bytes = encode.size_bytes(made.path) - made.size_bytes
    return msgspec.structs.replace(made, seal_bytes=seal_bytes)


async def _sealed_parts(packed: Packed, seal: Seal | None) -> Packed:
    if seal is None:
        return packed
    await seal(packed.path)
    seal_bytes = encode.size_bytes(packed.path) - packed.size_bytes
    index = await read_index(packed.path)
    return msgspec.structs.replace(packed, seal_bytes=seal_bytes, index=index)


async def read_index(path: Path) -> Index:
    """The byte index of a sealed file. Raises EncodingFailed."""
    try:
        return await asyncio.to_thread(packaging.read_index, path)
    except NotPacked as error:
        raise EncodingFailed("a sealed file has no segments") from error


async def exchanged(old: File, path: Path, prefix: str, attempt: int) -> Laid:
    """The row and file in the place of a stored one, after `path` was sealed anew."""
    begin, _, rest = old.filename.rpartition("-")
    filename = f"{begin}-{attempt}.{rest.partition('.')[2]}"
    index = None
    if await asyncio.to_thread(packaging.is_fragmented, path):
        index = msgspec.json.encode(await read_index(path)).decode()
    size_bytes = encode.size_bytes(path)
    row = msgspec.structs.replace(
        old, filename=filename, object_key=prefix + filename, size_bytes=size_bytes, index=index
    )
    return row, path


def with_index(laid: Sequence[Laid]) -> list[Laid]:
    """The same, but that the index of segments stands with their rendition, where both have a
    file."""
    indexes = {file.name: file.index for file, _ in laid if file.kind == "segments"}
    found = []
    for file, path in laid:
        index = None if file.kind == "segments" else file.index or indexes.get(file.name)
        found.append((msgspec.structs.replace(file, index=index), path))
    return found


async def av1(
    made: Sequence[Encoded], prefix: str, attempt: int, out_dir: Path, seal: Seal | None
) -> list[Laid]:
    """The rows and files of renditions in AV1, sealed. Raises EncodingFailed."""
    laid = []
    for packed in await packaging.pack(made, out_dir):
        one = await _sealed_parts(packed, seal)
        name = f"{one.of.name}-av1-{attempt}{SUFFIX}"
        parts = _in_parts(one)
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
    parts = _in_parts(packed)
    if made.name != FIRST.name:
        return [(_row("rendition", parts, name, prefix, index), packed.path)]
    whole = msgspec.structs.replace(file("rendition", made, prefix, attempt), index=index)
    return [(whole, made.path), (_row("segments", parts, name, prefix), packed.path)]


def _in_parts(packed: Packed) -> Encoded:
    return msgspec.structs.replace(
        packed.of, size_bytes=packed.size_bytes, seal_bytes=packed.seal_bytes
    )


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
        made.size_bytes + made.seal_bytes,
        index,
    )
