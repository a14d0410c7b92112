"""Removes what the database itself remembers of people who were erased.

The supervisor looks each hour and does it once an erasure is six days old, at night if it can wait
so long, in any case before the eighth day; `./luciole upkeep` does it at once. With an outside
PostgreSQL this reaches the tables; archives, replicas and backups of it are its operator's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from luciole import catalogue
from luciole.kit import upkeep
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.reach import Reached

LOOKS_EVERY_S = 3600.0
# Two days are left then for what may go wrong.
WAITS = timedelta(days=6)
WAITS_AT_MOST = timedelta(days=7)
# Hours of the day (UTC) in which a table may be busy for a moment.
QUIET = range(2, 5)

# The log is public and kept whole; the house holds nothing about anybody.
NOT_OURS = ("house.", "ledger.")
OLDEST = """
SELECT min(done_at) FROM rights.erasure
WHERE done_at > coalesce((SELECT max(began_at) FROM house.upkeep), '-infinity')
"""


def tables() -> list[str]:
    """Every table that may hold something about a person, if only the name of an object or the id
    in a job."""
    return sorted(one.table for one in catalogue.OWNED if not one.table.startswith(NOT_OURS))


async def run(
    place: Reached, clock: Clock, said: Callable[[str], None] = lambda line: None
) -> upkeep.Purged:
    """Does it now. Raises `upkeep.Held`, and one of `kit.db.LOST`."""
    began = clock.now()
    done = await upkeep.purge(place.upkeep_url, tables(), said)
    database = await Database.open(place.owner_url, size=1)
    try:
        async with database.tx() as tx:
            await upkeep.note(tx, began, clock.now())
    finally:
        await database.close()
    return done


async def is_due(place: Reached, now: datetime) -> bool:
    """Whether an erasure has waited long enough."""
    database = await Database.open(place.owner_url, size=1)
    try:
        async with database.read() as tx:
            oldest = await tx.fetchval(OLDEST)
    finally:
        await database.close()
    if oldest is None or now < oldest + WAITS:
        return False
    return now.hour in QUIET or now >= oldest + WAITS_AT_MOST


async def watch(place: Reached, clock: Clock) -> None:
    """Looks each hour, until it is cancelled. What goes wrong is tried again an hour later."""
    while True:
        try:
            if await is_due(place, clock.now()):
                done = await run(place, clock)
                log.warning("upkeep done", duration_ms=int(done.seconds * 1000), count=done.tables)
        except (Problem, *LOST, TimeoutError) as error:
            log.error("upkeep failed", error=type(error).__name__)
        await asyncio.sleep(LOOKS_EVERY_S)
