"""Where what ranking knows is kept: the few questions that others have for it, and the answer for
a cell on one machine, which is this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

import msgspec

from luciole.cell.feed.fold import START, Fold
from luciole.cell.feed.model import Mark, Snapshot
from luciole.cell.feed.ranker import Asked, Drawn, Viewer, Weights, published
from luciole.cell.feed.ranking.budget import Budget
from luciole.cell.feed.ranking.model import Clip
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.rows import Loaded, Rows
from luciole.kit.logs import log

ROWS_AT_ONCE = 20_000


class Grown(msgspec.Struct, frozen=True):
    """The next rows of the log, ROWS_AT_ONCE at most, packed. `clips` holds those of the changed
    ones that For You may show, as they are now, veiled; `deleted` those that are no more."""

    packed: bytes
    clips: dict[UUID, Clip]
    deleted: set[UUID]

    @property
    def rows(self) -> Rows:
        return Rows(self.packed)

    @property
    def is_all(self) -> bool:
        """Whether there were no more."""
        return len(self.rows) < ROWS_AT_ONCE


class Saved(msgspec.Struct, frozen=True):
    """What came of the log up to a row of it, as bytes, which do not name the clips that have
    `gone` since the state began."""

    mark: Mark
    events: int
    gone: list[UUID]
    digest: str
    data: bytes


class Source(Protocol):
    """The truth from which a state is made: the log, its newest snapshot, the clips."""

    async def snapshot(self) -> Snapshot | None: ...

    async def clips(self) -> tuple[Clips, int]: ...

    async def grown(self, since: Mark, loaded: Loaded | None = None) -> Grown: ...


class State(Protocol):
    """What came of the log. Two that have read up to the same row know the same, and answer the
    same. Wherever it is kept, a question is answered or refused in bounded time."""

    @property
    def weights(self) -> Weights: ...

    @property
    def clips(self) -> int: ...

    @property
    def events(self) -> int: ...

    @property
    def gone(self) -> int:
        """Grows when clips are deleted, from 0 where none was since the state began."""

    @property
    def loaded(self) -> Loaded | None:
        """The clips with which the state began, as long as rows come that tell of them anew; None
        where all rows are to be told."""

    async def mark(self) -> Mark:
        """The row after which to read on."""

    async def apply(self, since: Mark, grown: Grown) -> None:
        """Takes rows that were read after a mark; rows that it knows change nothing."""

    async def tidy(self, now: float) -> None:
        """Forgets what lives for a day only."""

    async def save(self) -> Saved:
        """All of it, for a new one."""

    async def digest(self) -> str: ...

    async def budget(self, now: float) -> Budget:
        """What new clips are promised, by the last 24 hours."""

    async def draw(self, asked: Asked, viewer: Viewer | None) -> Drawn:
        """The next clips; without a viewer the same for everybody. Empty where none is left."""

    async def close(self) -> None: ...


Opening = Callable[[Source], Awaitable[State]]


class Here:
    """A state in this process."""

    def __init__(self, fold: Fold, loaded: Loaded | None = None) -> None:
        self._fold = fold
        self._loaded = loaded

    @property
    def weights(self) -> Weights:
        return self._fold.weights

    @property
    def clips(self) -> int:
        return self._fold.clips

    @property
    def events(self) -> int:
        return self._fold.events

    @property
    def gone(self) -> int:
        return len(self._fold.gone)

    @property
    def loaded(self) -> Loaded | None:
        return self._loaded

    async def mark(self) -> Mark:
        return self._fold.mark

    async def apply(self, since: Mark, grown: Grown) -> None:
        assert since == self._fold.mark
        self._fold.apply(grown.rows, grown.clips, grown.deleted)
        if self._loaded is not None and self._fold.mark.xid >= self._loaded.horizon:
            self._loaded = None

    async def tidy(self, now: float) -> None:
        self._fold.tidy(now)

    async def save(self) -> Saved:
        return saved(self._fold)

    async def digest(self) -> str:
        return self._fold.digest()

    async def budget(self, now: float) -> Budget:
        return self._fold.budget(now)

    async def draw(self, asked: Asked, viewer: Viewer | None) -> Drawn:
        return self._fold.draw(asked, viewer)

    async def close(self) -> None:
        """Nothing to do."""


def saved(fold: Fold) -> Saved:
    """A fold as bytes."""
    return Saved(fold.mark, fold.events, sorted(fold.gone), fold.digest(), fold.save())


async def here(source: Source) -> State:
    """A state in this process, of the newest snapshot. Without one: all clips as they are now, and
    the log from its first row."""
    found = await source.snapshot()
    if found is not None:
        try:
            return Here(Fold(published(), found.mark, found.data))
        except (ValueError, msgspec.DecodeError) as error:
            # Made by another version. Totals begin again with what the log still has.
            log.warning("feed snapshot cannot be used", error=type(error).__name__)
    fold = Fold(published(), START)
    clips, horizon = await source.clips()
    fold.fill(clips)
    return Here(fold, Loaded(clips, horizon))


async def read_on(state: State, source: Source) -> int:
    """Has a state take all rows that the log has by now; gives how many were read."""
    read = 0
    while True:
        since = await state.mark()
        grown = await source.grown(since, state.loaded)
        await state.apply(since, grown)
        rows = grown.rows
        read += len(rows)
        upto = rows.last if len(rows) else since
        # Where a part of the state has begun anew, it may be further behind than before.
        if grown.is_all and await state.mark() >= upto:
            return read
        await asyncio.sleep(0)
