"""The log in the database, as states of ranking are made from it: veiled."""

from __future__ import annotations

from luciole.cell.feed import ranking_state
from luciole.cell.feed.gathering import Gathering
from luciole.cell.feed.model import Mark, Snapshot
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.ranking_state import Grown
from luciole.cell.feed.rows import Loaded
from luciole.cell.feed.store import log as store
from luciole.cell.feed.veil import Veil
from luciole.kit.db import Database

CLIPS_AT_ONCE = 10_000


class LogSource:
    """Reads with connections of its own; not to be called inside a transaction."""

    def __init__(self, database: Database, veil: Veil) -> None:
        self._db = database
        self._veil = veil

    async def snapshot(self) -> Snapshot | None:
        """The newest."""
        async with self._db.read() as tx:
            return await store.newest_snapshot(tx)

    async def clips(self) -> tuple[Clips, int]:
        """All that For You may show, as they are now; and the transaction below which all that
        changed is in them."""
        gathering = Gathering(self._veil)
        async with self._db.snapshot() as tx:
            horizon = await store.horizon(tx)
            async for packed, hashtags, captions in store.all_clips(tx, CLIPS_AT_ONCE):
                gathering.add(packed, hashtags, captions)
        return gathering.clips(), horizon

    async def grown(self, since: Mark, loaded: Loaded | None = None) -> Grown:
        """The rows after a mark that are below the horizon. Of the clips that a state has `loaded`
        those rows count for nothing that say what it knows."""
        async with self._db.read() as tx:
            rows = await store.read(tx, since, ranking_state.ROWS_AT_ONCE)
            if loaded is not None:
                rows = rows.without(loaded)
            changed = {rows.clip(at) for at in rows.changes}
            clips = await store.clips(tx, list(changed)) if changed else {}
            missing = changed - set(clips)
            deleted = missing - await store.there(tx, list(missing)) if missing else missing
        return Grown(
            rows.packed, {each: self._veil.clip(clip) for each, clip in clips.items()}, deleted
        )
