"""The hourly round of the rules against spam and rings: each points, and people decide."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from luciole.cell.safety import rings, store, suggesting
from luciole.cell.safety.model import Found
from luciole.cell.safety.store import rings as read
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx

LOOKS_BACK = timedelta(days=7)
MOST_ACTS = 300_000
#: A ring of thousands does not fill the queue in an hour.
MOST_AT_ONCE = 100
#: A rule that was answered is silent about the same account for so long.
SILENT = timedelta(days=30)


class Rules:
    """Looks at what was done together, and points."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, db: Database) -> int:
        """One round; gives at how many things it has pointed. Safe to repeat."""
        now = self._clock.now()
        since = now - LOOKS_BACK
        after = UUID(int=int(since.timestamp() * 1000) << 80)
        async with db.read() as tx:
            comments = await read.comments(tx, after, MOST_ACTS)
            likes = await read.likes(tx, since, MOST_ACTS)
            follows = await read.follows(tx, since, MOST_ACTS)
            persons = {one.person_id for one in [*likes, *follows]}
            persons |= {one.person_id for one in comments}
            new = (since - timedelta(days=rings.NEW_DAYS)).date()
            opened = await read.opened(tx, sorted(persons), new)
            busy = rings.busy(likes) | rings.busy(follows)
            friends = await read.friends(tx, sorted(busy), MOST_ACTS)
        found = await asyncio.to_thread(rings.pointed, comments, likes, follows, opened, friends)
        made = 0
        for one in found:
            async with db.tx() as tx:
                made += await self._suggest(tx, one)
            if made == MOST_AT_ONCE:
                break
        return made

    async def _suggest(self, tx: Tx, one: rings.Pointed) -> bool:
        if one.comment_id is None:
            found = Found("person", one.person_id)
        else:
            found = Found("comment", one.person_id, comment_id=one.comment_id)
            if await store.comment(tx, one.comment_id) is None:
                return False
        said = await suggesting.suggest(
            tx,
            found,
            method="rule",
            name=one.rule,
            version=rings.VERSION,
            facts={**one.facts, "wrong_per_10000": rings.WRONG_PER_10000[one.rule]},
            category="other-violation-tc",
            since=self._clock.now() - SILENT,
            now=self._clock.now(),
        )
        return said is not None
