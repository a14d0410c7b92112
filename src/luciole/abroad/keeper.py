"""The other cell, as who ships or restores sees it: pieces by name, whole parcels by number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from luciole.abroad.parcels import Kind, Label, Names, ParcelBroken, Unpacker
from luciole.border import kept
from luciole.border.kept import MOST_BYTES, MOST_NAMES, Got, Kept, Listed
from luciole.keys.hpke import Receiver

T = TypeVar("T")

# One exchange of the kind `backup`. Raises PeerUnreachable, PeerRefused.
Ask = Callable[[bytes], Awaitable[bytes]]
# Of the wire.
KIND = "backup"

# Of small pieces; the answer ends where a question is full.
PIECES_AT_ONCE = 48


class Keeper:
    """A cell that keeps our pieces."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def put(self, pieces: Sequence[tuple[bytes, bytes]]) -> None:
        """As many as fit into one question. They are on the other cell's disk then."""
        await self._do(kept.Put(list(pieces)), Kept)

    async def get(self, names: Sequence[bytes]) -> list[bytes | None]:
        """In order; it may be fewer than were asked for."""
        return (await self._do(kept.Get(list(names[:MOST_NAMES])), Got)).pieces

    async def names(self) -> AsyncIterator[list[bytes]]:
        """All names, some at a time."""
        after = b""
        while True:
            found = await self._do(kept.List(after), Listed)
            yield found.names
            if found.is_all or not found.names:
                return
            after = found.names[-1]

    async def drop(self, names: Iterable[bytes], *, at_once: bool = False) -> None:
        names = list(names)
        for start in range(0, len(names), MOST_NAMES):
            await self._do(kept.Drop(names[start : start + MOST_NAMES], at_once), Kept)

    async def drop_all(self) -> int:
        """Destroys everything of ours there; gives how many pieces."""
        return (await self._do(kept.DropAll(), Kept)).destroyed

    async def how_much(self) -> Kept:
        return await self._do(kept.HowMuch(), Kept)

    async def _do(self, asked: kept.Asked, expected: type[T]) -> T:
        body = await self._ask(msgspec.msgpack.encode(asked))
        try:
            return msgspec.msgpack.decode(body, type=expected)
        except msgspec.MsgspecError:
            raise ParcelBroken from None


async def fetched(
    keeper: Keeper, receiver: Receiver, names: Names, kind: Kind, number: int
) -> AsyncIterator[tuple[Label, bytes]]:
    """The content of a parcel, in order; its label comes with each part. Raises ParcelBroken, also
    where the end is missing."""
    unpacker, at = Unpacker(receiver), 0
    while True:
        wanted = [names.of(kind, number, at + each) for each in range(PIECES_AT_ONCE)]
        for piece in await keeper.get(wanted):
            if piece is None:
                raise ParcelBroken
            data = unpacker.take(piece)
            yield unpacker.labelled(kind, number), data
            at += 1
            if unpacker.is_whole:
                return


async def whole(
    keeper: Keeper, receiver: Receiver, names: Names, kind: Kind, number: int
) -> tuple[Label, bytes]:
    """A parcel that fits into memory. Raises ParcelBroken."""
    found: Label | None = None
    content = bytearray()
    async for label, data in fetched(keeper, receiver, names, kind, number):
        found = label
        content += data
    if found is None:
        raise ParcelBroken
    return found, bytes(content)


def fits(sizes: Iterable[int]) -> bool:
    """Whether pieces of these sizes go into one question."""
    return sum(sizes) <= MOST_BYTES
