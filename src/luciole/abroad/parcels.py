"""Parcels: streams that are sealed to the recovery key, in pieces of one size each.

    piece 0     "lcb1" ‖ a key of 32 bytes, sealed to the recovery key (HPKE) ‖ sealed content
    piece n     sealed content
    content     flags (1) ‖ length (4, big-endian) ‖ as many bytes ‖ zeros up to the size

A piece's seal binds it to its parcel and its number; the last one says so in its flags. So pieces
can be neither left out, moved nor put into another parcel, and their number and size are all that
can be seen of a parcel. Its name among others is a MAC: nobody without the key of names can tell
which pieces belong together, or try whether a known film is among them.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from luciole.border.kept import NAME_BYTES, SMALL_BYTES
from luciole.keys import seal
from luciole.keys.hpke import Receiver, Sealer
from luciole.keys.seal import SealBroken
from luciole.kit.errors import Invalid

MAGIC = b"lcb1"
INFO = b"luciole/abroad/v1"
SEALED_KEY_BYTES = seal.KEY_BYTES + 1136
HEADER = struct.Struct(">BI")
IS_LAST = 1
COMPRESSION = 1

Kind = Literal["head", "wal", "base", "object", "keys"]


class ParcelBroken(Invalid):
    code = "abroad-damaged"
    sentence = "A piece of the backup abroad is missing or was changed, or this is another key."
    next_step = "Take the recovery key that was in use then; ask the other cell about its disk."


class Label(msgspec.Struct, frozen=True, array_like=True):
    """The first words of a parcel's content. `about` is the kind's own."""

    kind: Kind
    number: int
    is_compressed: bool
    about: bytes


class Names(NamedTuple):
    """Names of pieces. An era is drawn where what was sent before is not known any more."""

    key: bytes
    era: str

    def piece(self, kind: Kind, number: int, piece: int) -> bytes:
        return self._of(f"{self.era}/{kind}/{number}/{piece}")

    def head(self, second: int, piece: int) -> bytes:
        """Of a head, which is found by its time alone."""
        return self._of(f"head/{second}/{piece}")

    def of(self, kind: Kind, number: int, piece: int) -> bytes:
        return self.head(number, piece) if kind == "head" else self.piece(kind, number, piece)

    def _of(self, text: str) -> bytes:
        return hmac.digest(self.key, text.encode(), hashlib.sha256)[:NAME_BYTES]


class Packer:
    """Makes one parcel. `add` and `end` give pieces that are ready, in order."""

    def __init__(self, sealer: Sealer, label: Label, size_bytes: int) -> None:
        self._key, self._size, self._count = seal.new_key(), size_bytes, 0
        self._front = MAGIC + sealer.seal(self._key, INFO)
        self._deflate = zlib.compressobj(COMPRESSION) if label.is_compressed else None
        head = msgspec.msgpack.encode(label)
        self._waiting = bytearray(len(head).to_bytes(4) + head)

    def add(self, data: bytes) -> Iterator[bytes]:
        self._waiting += self._deflate.compress(data) if self._deflate else data
        while len(self._waiting) > self._room:
            yield self._piece(self._room, 0)

    def end(self) -> Iterator[bytes]:
        if self._deflate:
            self._waiting += self._deflate.flush()
        while len(self._waiting) > self._room:
            yield self._piece(self._room, 0)
        yield self._piece(len(self._waiting), IS_LAST)

    @property
    def _room(self) -> int:
        front = 0 if self._count else len(self._front)
        return self._size - front - seal.OVERHEAD_BYTES - HEADER.size

    def _piece(self, length: int, flags: int) -> bytes:
        room = self._room
        content = HEADER.pack(flags, length) + bytes(self._waiting[:length])
        content += bytes(room - length)
        del self._waiting[:length]
        sealed = seal.seal_at(self._key, content, _place(self._count))
        front, self._front = self._front, b""
        self._count += 1
        return front + sealed


class Unpacker:
    """Opens one parcel, piece by piece in order."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._count = receiver, 0
        self._key = b""
        self._head: bytearray | None = bytearray()
        self._inflate: Any = None
        self.label: Label | None = None
        self.is_whole = False

    def labelled(self, kind: Kind, number: int) -> Label:
        """What the parcel says of itself; to be called after the first piece. Raises
        ParcelBroken where it is another one."""
        if self.label is None or (self.label.kind, self.label.number) != (kind, number):
            raise ParcelBroken
        return self.label

    def take(self, piece: bytes) -> bytes:
        """What a piece adds to the content. Raises ParcelBroken."""
        try:
            return self._take(piece)
        except (SealBroken, zlib.error, msgspec.MsgspecError, struct.error) as error:
            raise ParcelBroken from error

    def _take(self, piece: bytes) -> bytes:
        if self.is_whole:
            raise ParcelBroken
        if self._count == 0:
            if not piece.startswith(MAGIC):
                raise ParcelBroken
            end = len(MAGIC) + SEALED_KEY_BYTES
            self._key = self._receiver.open(piece[len(MAGIC) : end], INFO)
            piece = piece[end:]
        content = seal.open_at(self._key, piece, _place(self._count))
        flags, length = HEADER.unpack_from(content)
        data = content[HEADER.size : HEADER.size + length]
        self._count += 1
        self.is_whole = bool(flags & IS_LAST)
        return self._content(data)

    def _content(self, data: bytes) -> bytes:
        if self._head is not None:
            self._head += data
            size = int.from_bytes(self._head[:4])
            if len(self._head) < 4 + size:
                raise ParcelBroken
            self.label = msgspec.msgpack.decode(bytes(self._head[4 : 4 + size]), type=Label)
            data, self._head = bytes(self._head[4 + size :]), None
            if self.label.is_compressed:
                self._inflate = zlib.decompressobj()
        if self._inflate is None:
            return data
        found: bytes = self._inflate.decompress(data)
        return found + self._inflate.flush() if self.is_whole else found


async def packed(
    sealer: Sealer, label: Label, content: AsyncIterator[bytes], size_bytes: int = SMALL_BYTES
) -> AsyncIterator[bytes]:
    """The pieces of a parcel."""
    packer = Packer(sealer, label, size_bytes)
    async for data in content:
        for piece in packer.add(data):
            yield piece
    for piece in packer.end():
        yield piece


def _place(number: int) -> bytes:
    return INFO + b"\0" + number.to_bytes(8)
