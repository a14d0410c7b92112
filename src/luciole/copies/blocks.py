"""Files of sealed blocks: length (4 bytes, big-endian), then as many sealed bytes; and so on.

Each block is bound to its file and its number, so that none can be left out, moved or put into
another backup. How many there are is in the manifest, under the hash of the whole file.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import msgspec

from luciole.copies.model import Damaged, NotWritten, Part
from luciole.keys import SealBroken, open_field, seal_field

LENGTH = struct.Struct(">I")
BLOCK_BYTES = 1024 * 1024
READ_BYTES = 1024 * 1024


class Layer:
    """The cell's own layer around everything of one backup, or around the objects of all."""

    def __init__(self, secret: bytes, purpose: str, cell_id: UUID, about: UUID) -> None:
        """`secret` is the cell's for backups; `about` is a backup, or the cell."""
        self.cell_id, self.about = cell_id, about
        self._key, self._marks = (
            hmac.digest(secret, f"{use}\0{purpose}\0{about}".encode(), hashlib.sha256)
            for use in ("seal", "mark")
        )

    def seal(self, data: bytes, name: str, number: int) -> bytes:
        return seal_field(self._key, data, **self._place(name, number))

    def open(self, sealed: bytes, name: str, number: int) -> bytes:
        """Raises Damaged."""
        try:
            return open_field(self._key, sealed, **self._place(name, number))
        except SealBroken:
            raise Damaged from None

    def mark(self, text: bytes) -> bytes:
        """16 bytes that say nothing about the text to who has no key, and always the same."""
        return hmac.digest(self._marks, text, hashlib.sha256)[:16]

    def _place(self, name: str, number: int) -> Any:
        return {
            "cell_id": self.cell_id,
            "person_id": self.about,
            "field_id": f"backup/{name}",
            "version": number,
        }


class Writer:
    """Writes one file of records, gathered into blocks. Close it to get its part."""

    def __init__(self, path: Path, layer: Layer, name: str) -> None:
        self._path, self._layer, self._name = path, layer, name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.sha256()
        self._waiting: list[Any] = []
        self._waiting_bytes = self._size_bytes = self._blocks = self._records = 0

    def add(self, record: Any, size_bytes: int) -> None:
        """A record of what MessagePack can hold, about as large as said."""
        self._waiting.append(record)
        self._waiting_bytes += size_bytes
        self._records += 1
        if self._waiting_bytes >= BLOCK_BYTES:
            self._flush()

    def close(self) -> Part:
        """On the disk, and read again: what is there now has the hash of what was written. Raises
        NotWritten."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if digest_of(self._path) != self._digest.hexdigest():
            raise NotWritten
        return Part(self._path.name, self._size_bytes, self._digest.hexdigest(), self._records)

    def _flush(self) -> None:
        if not self._waiting:
            return
        block = msgspec.msgpack.encode(self._waiting)
        sealed = framed(self._layer.seal(block, self._name, self._blocks))
        self._file.write(sealed)
        self._digest.update(sealed)
        self._size_bytes += len(sealed)
        self._waiting, self._waiting_bytes = [], 0
        self._blocks += 1


def records(folder: Path, part: Part, layer: Layer, name: str) -> Iterator[Any]:
    """The records of a file whose hash is right. Raises Damaged."""
    path = folder / part.file
    try:
        if digest_of(path) != part.sha256:
            raise Damaged
        with path.open("rb") as file:
            for number, sealed in enumerate(frames(file)):
                yield from msgspec.msgpack.decode(layer.open(sealed, name, number))
    except OSError as error:
        raise Damaged from error


def framed(sealed: bytes) -> bytes:
    """A block with its length before it."""
    return LENGTH.pack(len(sealed)) + sealed


def frames(file: BinaryIO) -> Iterator[bytes]:
    """The blocks of a file. Raises Damaged for one that is cut off."""
    while head := file.read(LENGTH.size):
        (size,) = LENGTH.unpack(head.ljust(LENGTH.size))
        sealed = file.read(size)
        if len(head) < LENGTH.size or len(sealed) < size:
            raise Damaged
        yield sealed


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()
