"""Puts the cell's signed content credentials into files of ours, and takes them out again.

The box lies behind the movie box: before the first picture, as the standard wants it, and within
what a player fetches to begin with. What comes behind it moves, so offsets in the movie box are
moved along (ISO/IEC 14496-12, 8.7.5); those of segments count from their own beginning. The files
are those of our own muxer and small in their number of boxes, so they are read here, without a
decoder; any other layout is refused. The hash is over what is written, never over what a child has
said, and the key is the broker's: it gets what is to be signed and no film.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import struct
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import msgspec

from luciole.ask.client import Custody
from luciole.cell.media import manifest
from luciole.cell.media.encode import EncodingFailed
from luciole.cell.media.manifest import Maker, Told

PURPOSE = "credentials"
LEFT_OUT = {b"ftyp", b"mfra"}
TABLES = {b"stco": 4, b"co64": 8}
INSIDE = {b"trak", b"mdia", b"minf", b"stbl"}
MOST_TOP_BOXES = 10_000
MOST_MOVIE_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 1 << 20


class Part(msgspec.Struct, frozen=True):
    """A box at the top level of a file."""

    name: bytes
    start: int
    size: int


class Sealer:
    """Signs files in the name of the cell."""

    def __init__(self, custody: Custody, version: str) -> None:
        self._custody = custody
        self._version = version
        self._maker: Maker | None = None

    async def seal(self, path: Path, told: Told) -> None:
        """The file with credentials of this cell in the place of those that it may have. Raises
        EncodingFailed for a file that is not laid out as ours are, and what the broker refuses."""
        maker = await self._of_the_cell()
        label, instance = f"urn:c2pa:{uuid4()}", f"xmp:iid:{uuid4()}"

        async def nothing(_: bytes) -> bytes:
            return bytes(manifest.SIGNATURE_BYTES)

        async def sign(message: bytes) -> bytes:
            return await self._custody.sign(PURPOSE, message)

        room = await manifest.box(label, instance, told, bytes(32), maker, nothing)
        target = path.with_name(f"{path.name}.sealed")
        digest = await asyncio.to_thread(_rewrite, path, target, room)
        box = await manifest.box(label, instance, told, digest, maker, sign)
        if len(box) != len(room):
            raise EncodingFailed("a manifest has another size than was left for it")
        await asyncio.to_thread(_fill, target, room, box)
        target.replace(path)

    async def _of_the_cell(self) -> Maker:
        if self._maker is None:
            found = await self._custody.certificates()
            self._maker = Maker(self._version, found.signer)
        return self._maker


def bare(source: Path, target: Path) -> bool:
    """Writes the file without its credentials, as our muxer made it; False where it has none.
    Raises EncodingFailed for another layout."""
    with source.open("rb") as file:
        if not any(_is_ours(file, part) for part in parts(file)):
            return False
    _rewrite(source, target, b"")
    return True


def digest(content: bytes) -> bytes:
    """SHA-256 of a file as our muxer made it, whatever is signed onto it: the same for the same
    film."""
    made = io.BytesIO()
    with contextlib.suppress(EncodingFailed):
        _write(io.BytesIO(content), made, b"")
        content = made.getvalue()
    return hashlib.sha256(content).digest()


def parts(file: BinaryIO) -> list[Part]:
    """The boxes of a file. Raises EncodingFailed where they do not fill it."""
    end, place = file.seek(0, 2), 0
    found: list[Part] = []
    while place < end:
        file.seek(place)
        head = file.read(8)
        size, name = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        if size < 8 or place + size > end or len(found) >= MOST_TOP_BOXES:
            raise EncodingFailed("a file is not laid out as ours are")
        found.append(Part(name, place, size))
        place += size
    return found


def _is_ours(file: BinaryIO, part: Part) -> bool:
    file.seek(part.start + 8)
    return part.name == b"uuid" and file.read(16) == manifest.USER


def _rewrite(source: Path, target: Path, room: bytes) -> bytes:
    """Writes the file with `room` behind its movie box and no other credentials; gives the hash
    that binds them (C2PA 2.2, 18.6: each box that counts, after its place in eight bytes)."""
    with source.open("rb") as file, target.open("wb") as into:
        return _write(file, into, room)


def _write(file: BinaryIO, into: BinaryIO, room: bytes) -> bytes:
    found = hashlib.sha256()
    kept = [part for part in parts(file) if not _is_ours(file, part)]
    if [part.name for part in kept[:2]] != [b"ftyp", b"moov"]:
        raise EncodingFailed("a file does not begin as ours do")
    head = kept[0].size + kept[1].size + len(room)
    # All that counts from the beginning of the file lies behind the movie box, and moves alike.
    moved = head - (kept[2].start if len(kept) > 2 else head)
    for part in kept:
        place = into.tell()
        if part.name not in LEFT_OUT:
            found.update(place.to_bytes(8))
        if part.name == b"moov":
            movie = _moved(_read(file, part), moved)
            found.update(movie)
            into.write(movie + room)
        else:
            _copy(file, part, into, None if part.name in LEFT_OUT else found)
    return found.digest()


def _read(file: BinaryIO, part: Part) -> bytes:
    if part.size > MOST_MOVIE_BYTES:
        raise EncodingFailed("a movie box is too large")
    file.seek(part.start)
    return file.read(part.size)


def _copy(file: BinaryIO, part: Part, into: BinaryIO, digest: hashlib._Hash | None) -> None:
    file.seek(part.start)
    left = part.size
    while left:
        piece = file.read(min(PIECE_BYTES, left))
        if not piece:
            raise EncodingFailed("a file ends early")
        if digest is not None:
            digest.update(piece)
        into.write(piece)
        left -= len(piece)


def _moved(movie: bytes, by: int) -> bytes:
    """The movie box with its offsets of samples moved."""
    made = bytearray(movie)
    if by:
        _move(made, 8, len(made), by)
    return bytes(made)


def _move(movie: bytearray, start: int, end: int, by: int) -> None:
    while start < end:
        size, name = struct.unpack_from(">I4s", movie, start) if start + 8 <= end else (0, b"")
        if size < 8 or start + size > end:
            raise EncodingFailed("a movie box is not as ours are")
        if name in INSIDE:
            _move(movie, start + 8, start + size, by)
        elif name in TABLES:
            _move_table(movie, start, size, TABLES[name], by)
        start += size


def _move_table(movie: bytearray, start: int, size: int, width: int, by: int) -> None:
    (count,) = struct.unpack_from(">I", movie, start + 12) if size >= 16 else (-1,)
    if size != 16 + count * width:
        raise EncodingFailed("a table of offsets is not as ours are")
    for at in range(start + 16, start + size, width):
        offset = int.from_bytes(movie[at : at + width]) + by
        if not 0 <= offset < 1 << 8 * width:
            raise EncodingFailed("an offset does not fit")
        movie[at : at + width] = offset.to_bytes(width)


def _fill(path: Path, room: bytes, box: bytes) -> None:
    """Puts the box into the room that was left for it."""
    with path.open("r+b") as file:
        movie = parts(file)[1]
        file.seek(movie.start + movie.size)
        if file.read(len(room)) != room:
            raise EncodingFailed("the room for a manifest is not where it was")
        file.seek(movie.start + movie.size)
        file.write(box)
