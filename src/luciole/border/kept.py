"""What a cell asks of another that keeps its sealed backup, as the body of the kind `backup`.

Pieces of two sizes under names of 16 bytes that say nothing. Who keeps them learns how many there
are and when they come, and can neither open one nor tell two of the same size apart. A piece never
changes: the same name with other bytes is refused. What is dropped stays for a day more, so that
who has taken over a home cell cannot destroy its backup unseen; except what has to go at once.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

NAME_BYTES = 16
# A piece on the wire and on the disk is one of these, to the byte.
SMALL_BYTES = 64 * 1024
LARGE_BYTES = 1024 * 1024
PIECE_BYTES = (SMALL_BYTES, LARGE_BYTES)
# Of one question or answer; a name and some bytes more for each piece.
MOST_BYTES = 3 * LARGE_BYTES
MOST_NAMES = 10_000

Name = Annotated[bytes, msgspec.Meta(min_length=NAME_BYTES, max_length=NAME_BYTES)]


class Asking(msgspec.Struct, tag_field="do", frozen=True, forbid_unknown_fields=True):
    """One question about the pieces of the cell that asks."""


class Put(Asking, tag="put", frozen=True, forbid_unknown_fields=True):
    """Keep these pieces: name and bytes."""

    pieces: list[tuple[Name, bytes]]


class Get(Asking, tag="get", frozen=True, forbid_unknown_fields=True):
    """Their bytes, in this order, as many as fit: Got."""

    names: Annotated[list[Name], msgspec.Meta(max_length=MOST_NAMES)]


class List(Asking, tag="list", frozen=True, forbid_unknown_fields=True):
    """Names after that one, in order: Listed."""

    after: bytes = b""


class Drop(Asking, tag="drop", frozen=True, forbid_unknown_fields=True):
    """Destroy these: after a day, or `at_once`."""

    names: Annotated[list[Name], msgspec.Meta(max_length=MOST_NAMES)]
    at_once: bool = False


class DropAll(Asking, tag="drop-all", frozen=True, forbid_unknown_fields=True):
    """Destroy everything of the cell that asks, at once."""


class HowMuch(Asking, tag="how-much", frozen=True, forbid_unknown_fields=True):
    """How much is kept, and how much may be."""


Asked = Put | Get | List | Drop | DropAll | HowMuch


class Got(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of the first names; None for one that is not there."""

    pieces: list[bytes | None]


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """Some names in order; `is_all` where no more follow."""

    names: list[bytes]
    is_all: bool


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """The answer to the rest: pieces that are kept, their bytes, how many bytes may be kept, and
    how many pieces were destroyed just now."""

    pieces: int
    size_bytes: int
    most_bytes: int
    destroyed: int = 0


_asked: msgspec.msgpack.Decoder[Asked] = msgspec.msgpack.Decoder(Asked)


def read(body: bytes) -> Asked:
    """Raises msgspec.MsgspecError."""
    return _asked.decode(body)
