"""Parcels on their way: the shapes that go into some of them, and who sends them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from luciole.abroad import keeper
from luciole.abroad.keeper import Keeper
from luciole.abroad.parcels import Kind, Label, Names, Packer
from luciole.abroad.recovery import RecoveryPublic
from luciole.abroad.state import Base, State
from luciole.border.kept import SMALL_BYTES


class WalPart(msgspec.Struct, frozen=True, array_like=True):
    """Which bytes of the write-ahead log a parcel holds. A chain is the log without a gap."""

    chain: str
    segment: str
    start: int
    segment_bytes: int


class Head(msgspec.Struct, frozen=True):
    """How far the backup is: what is in it was there at `covered_at` (Unix seconds). `ledger` is
    what changes of the archive of the logs, as it was after that."""

    era: str
    covered_at: float
    chain: str
    wal_next: int
    objects_next: int
    bases: list[Base]
    keys: int | None
    ledger: dict[str, bytes]


class Sender:
    """Sends pieces, some parcels at once; each is written down before it leaves."""

    def __init__(self, keeper: Keeper, state: State, names: Names, public: RecoveryPublic) -> None:
        self._keeper, self._state, self._names, self._public = keeper, state, names, public
        self._waiting: list[tuple[bytes, bytes]] = []
        self._ended: list[tuple[Kind, int, Callable[[], None]]] = []
        # What has not arrived yet, and is not to be taken for cut off.
        self.under_way: set[tuple[Kind, int]] = set()

    async def send(
        self,
        kind: Kind,
        content: AsyncIterator[bytes],
        about: bytes,
        now: float,
        *,
        size_bytes: int = SMALL_BYTES,
        is_compressed: bool = True,
        number: int | None = None,
        begun: Callable[[int], None] = lambda number: None,
        arrived: Callable[[], None] = lambda: None,
    ) -> int:
        """Puts a parcel on its way and gives its number. `arrived` is called, in the state's
        transaction, once it is there: after `flush` at the latest."""
        number = self._state.begin(kind, now, number)
        self.under_way.add((kind, number))
        begun(number)
        label = Label(kind, number, is_compressed, about)
        packer = Packer(self._public.sealer, label, size_bytes)
        async for data in content:
            for piece in packer.add(data):
                await self._take(kind, number, piece)
        for piece in packer.end():
            await self._take(kind, number, piece)
        self._ended.append((kind, number, arrived))
        return number

    async def _take(self, kind: Kind, number: int, piece: bytes) -> None:
        sizes = [len(data) for _, data in self._waiting]
        if self._waiting and not keeper.fits([*sizes, len(piece)]):
            await self.flush()
        at = self._state.grow(kind, number, len(piece))
        self._waiting.append((self._names.of(kind, number, at), piece))

    async def flush(self) -> None:
        """Everything so far is on the other cell's disk. Raises PeerUnreachable, PeerRefused."""
        # If we stop here, the next start finds these parcels begun and drops them.
        self._state.commit()
        if self._waiting:
            await self._keeper.put(self._waiting)
            self._waiting = []
        for kind, number, arrived in self._ended:
            self._state.sent(kind, number)
            arrived()
            self.under_way.discard((kind, number))
        self._ended = []
        self._state.commit()


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Content that is at hand."""
    yield data


def tarred(generation: Path) -> bytes:
    """A generation with the small files beside it."""
    made = io.BytesIO()
    epoch = generation.name.split("-")[1]
    names = ("secret.wrapped", "share.wrapped", "cell.id", f"epoch-{epoch}.wrapped")
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in (*names, generation.name):
            path = generation.with_name(name)
            if path.exists():
                archive.add(path, name)
    return made.getvalue()
