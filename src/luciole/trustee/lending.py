"""All halves of a cell at once, for a restore or a sale: lent in a file by the guardian's operator.

A cell that is put back from a backup runs no log yet, so it can prove nothing. Its operator makes a
request (one line, with a public key), the guardian's compares it with them by another way and
lends: every half, put into the box of that key. Each counts as given, and the guardian's log says
so.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

import msgspec

from luciole.keys import SealBroken, shares
from luciole.kit.errors import Invalid
from luciole.trustee.book import Book

FORMAT = "luciole-lend-v1"
PURPOSE = "lent"
AT_ONCE = 1_000
MOST_BYTES = 1 << 20
_LENGTH = struct.Struct(">I")

Halves = dict[bytes, bytes]


class NotLent(Invalid):
    """The request or the file is not what it should be."""

    code = "halves-not-lent"
    sentence = "This is no request of a cell whose keys are guarded here, or no answer to ours."
    next_step = "Make the request anew (luciole guardian ask) and have the guardian lend on it."


def request(cell_id: UUID, secret: bytes) -> str:
    """What the operator of a cell sends to the guardian's. `secret` is derived for PURPOSE."""
    return f"{FORMAT} {cell_id} {shares.box_of(cell_id, secret).hex()}"


def read_request(text: str) -> tuple[UUID, bytes]:
    """The cell that asks, and its box. Raises NotLent."""
    with contextlib.suppress(ValueError):
        kind, cell_id, box = text.split()
        if kind == FORMAT and len(bytes.fromhex(box)) == shares.BOX_BYTES:
            return UUID(cell_id), bytes.fromhex(box)
    raise NotLent


def lend(book: Book, cell: UUID, box: bytes, now: int) -> Iterator[bytes]:
    """The pieces of the file. Each half is noted as given before its piece comes out."""
    after, number = b"", 0
    while some := book.every(cell, after, AT_ONCE):
        after = some[-1][0]
        book.lent(cell, [handle for handle, _ in some], now)
        sealed = shares.put_in_box(box, msgspec.msgpack.encode(some), _place(cell, number))
        yield _LENGTH.pack(len(sealed)) + sealed
        number += 1


def read(file: BinaryIO, cell_id: UUID, secret: bytes) -> Halves:
    """The halves in a file, by handle. Raises NotLent."""
    found, number = Halves(), 0
    while head := file.read(_LENGTH.size):
        try:
            (size,) = _LENGTH.unpack(head)
            sealed = file.read(min(size, MOST_BYTES))
            text = shares.open_box(cell_id, secret, sealed, _place(cell_id, number))
            found |= msgspec.msgpack.decode(text, type=list[tuple[bytes, bytes]])
        except (SealBroken, struct.error, msgspec.MsgspecError):
            raise NotLent from None
        number += 1
    return found


def _place(cell_id: UUID, number: int) -> bytes:
    return b"luciole/lent/v1\0" + cell_id.bytes + number.to_bytes(4)
