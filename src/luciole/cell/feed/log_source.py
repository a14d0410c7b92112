"""The log in the database, as states of ranking are made from it: veiled."""

from __future__ import annotations

from collections.abc import AsyncIterator

from luciole.cell.feed import ranking_state
from luciole.cell.feed.model import Mark, Snapshot
from luciole.cell.feed.ranking.model import Clip
from luciole.cell.feed.ranking_state import Grown
from luciole.cell.feed.store import log as store
from luciole.cell.feed.veil import Veil
from luciole.kit.db import Database


class LogSource:
    """Reads with connections of its own; not to be called inside a transaction."""

    def __init__(self, database: Database, veil: Veil) -> None:
        self._db = database
        self._veil = veil

    async def snapshot(self) -> Snapshot | None:
        """The newest."""
        async with self._db.read() as tx:
            return await store.newest_snapshot(tx)

    async def clips(self) -> AsyncIterator[Clip]:
        """All that For You may show, as they are now."""
        async with self._db.snapshot() as tx:
            async for clip in store.all_clips(tx):
                yield self._veil.clip(clip)

    async def grown(self, since: Mark) -> Grown:
        """The rows after a mark that are below the horizon."""
        async with self._db.read() as tx:
            rows = await store.read(tx, since, ranking_state.ROWS_AT_ONCE)
            changed = {rows.clip(at) for at in rows.changes}
            clips = await store.clips(tx, list(changed)) if changed else {}
            missing = changed - set(clips)
            deleted = missing - await store.there(tx, list(missing)) if missing else missing
        return Grown(
            rows.packed, {each: self._veil.clip(clip) for each, clip in clips.items()}, deleted
        )
