"""Objects in a backup: a file each, under a key of its own, kept from one backup to the next.

    length (4) ‖ sealed header    the owner's mark, the object's key sealed for the owner, its size
    length (4) ‖ sealed piece     up to 1 MiB each, bound to its number

A file is named by a mark of its object's key, and an object never changes under its key: so a file
that is there is right, and only new ones are written. A stop leaves `….new`, which the next run
replaces.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from luciole.copies.blocks import Layer, digest_of, framed, frames
from luciole.copies.model import Damaged, NotWritten
from luciole.copies.persons import KEY_BYTES, Owner, Persons
from luciole.keys import SealBroken, open_field, seal_field
from luciole.kit.blobs import Blobs

PIECE_BYTES = 1024 * 1024
FOLDER = "objects"
HEADER = "object-header"


class Header(msgspec.Struct, frozen=True, array_like=True):
    """Whose the object is (by mark), its key sealed under their data key, its size."""

    owner: bytes
    sealed_key: bytes
    size_bytes: int


def name_of(layer: Layer, object_key: str) -> str:
    """The name of an object's file."""
    return layer.mark(object_key.encode()).hex()


def path_of(folder: Path, layer: Layer, object_key: str) -> Path:
    """Where an object lies in a backup."""
    name = name_of(layer, object_key)
    return folder / FOLDER / name[:2] / name


async def write(
    path: Path, blobs: Blobs, source: str, owner: Owner, persons: Persons, layer: Layer
) -> int:
    """Copies an object of a person; gives its size. Raises Missing, NotWritten, KeyGone."""
    size_bytes = (await blobs.stat(source)).size_bytes
    key, mark = os.urandom(KEY_BYTES), layer.mark(owner.person_id.bytes)
    header = Header(mark, await persons.sealed_for(owner, key), size_bytes)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft, digest = path.with_suffix(".new"), hashlib.sha256()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        frame = framed(layer.seal(msgspec.msgpack.encode(header), HEADER, 0))
        number = 0
        file.write(frame)
        digest.update(frame)
        async for piece in _pieces(blobs, source, size_bytes):
            number += 1
            frame = framed(seal_field(key, piece, **_place(layer, mark, number)))
            file.write(frame)
            digest.update(frame)
        file.flush()
        os.fsync(file.fileno())
    if digest_of(draft) != digest.hexdigest():
        raise NotWritten
    draft.replace(path)
    return size_bytes


def header_of(path: Path, layer: Layer) -> Header:
    """Raises Damaged."""
    try:
        with path.open("rb") as file:
            sealed = next(frames(file), b"")
    except OSError as error:
        raise Damaged from error
    return msgspec.msgpack.decode(layer.open(sealed, HEADER, 0), type=Header)


def pieces(path: Path, layer: Layer, header: Header, key: bytes) -> Iterator[bytes]:
    """The bytes of an object whose key was opened. Raises Damaged."""
    left = header.size_bytes
    with path.open("rb") as file:
        for number, sealed in enumerate(frames(file)):
            if number == 0:
                continue
            try:
                piece = open_field(key, sealed, **_place(layer, header.owner, number))
            except SealBroken:
                raise Damaged from None
            left -= len(piece)
            yield piece
    if left:
        raise Damaged


def files(folder: Path) -> Iterator[Path]:
    """Every file of an object, and drafts."""
    for parent, _, names in os.walk(folder / FOLDER):
        for name in names:
            yield Path(parent, name)


async def _pieces(blobs: Blobs, source: str, size_bytes: int) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for chunk in blobs.stream(source, 0, size_bytes):
        gathered += chunk
        while len(gathered) >= PIECE_BYTES:
            yield bytes(gathered[:PIECE_BYTES])
            del gathered[:PIECE_BYTES]
    if gathered:
        yield bytes(gathered)


def _place(layer: Layer, owner: bytes, number: int) -> Any:
    return {
        "cell_id": layer.cell_id,
        "person_id": layer.about,
        "field_id": f"backup/piece/{owner.hex()}",
        "version": number,
    }
