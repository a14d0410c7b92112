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
from luciole.kit.db import Database
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
RECYCLE = "SHOW wal_recycle"
ARCHIVE = "SHOW archive_mode"
SLOTS = "SELECT slot_name FROM pg_replication_slots"
MAY_CHECKPOINT = """
SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')
   AND has_function_privilege(current_user, 'pg_switch_wal()', 'EXECUTE')
"""
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


async def overdue(url: str, now: datetime) -> int:
    """For how many days, counted from the eighth, remains of somebody have been there too long."""
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            oldest: datetime | None = await tx.fetchval(OLDEST)
    finally:
        await database.close()
    return 0 if oldest is None else max(0, (now - oldest - WAITS_AT_MOST).days)


async def keepers(url: str) -> list[tuple[str, str]]:
    """What else of an outside server keeps deleted rows: a sentence, and what to do about it."""
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            recycle, archive = await tx.fetchval(RECYCLE), await tx.fetchval(ARCHIVE)
            may_checkpoint = await tx.fetchval(MAY_CHECKPOINT)
            slots = len(await tx.fetch(SLOTS))
    finally:
        await database.close()
    found = []
    if recycle == "on":
        found.append(
            (
                "the server uses files of its log again with deleted rows still in them",
                "Set wal_recycle = off there.",
            )
        )
    if archive != "off":
        found.append(
            (
                "the server archives its log, deleted rows included",
                "Let no archived file and no base backup live longer than 8 days.",
            )
        )
    if slots:
        found.append(
            (
                f"replicas may keep what is deleted ({slots} replication slots)",
                "Keep them up with the server, and remove slots that nobody uses.",
            )
        )
    if not may_checkpoint:
        found.append(
            (
                "upkeep may not begin another file of the server's log",
                "As an administrator: GRANT pg_checkpoint TO the owner, and GRANT EXECUTE ON "
                "FUNCTION pg_switch_wal() TO the owner. Or do both within 8 days of an erasure.",
            )
        )
    return found


async def watch(place: Reached, clock: Clock) -> None:
    """Looks each hour, until it is cancelled. What goes wrong is tried again an hour later."""
    while True:
        try:
            if await is_due(place, clock.now()):
                done = await run(place, clock)
                log.info("upkeep done", duration_ms=int(done.seconds * 1000), count=done.tables)
        except Exception as error:
            # Whatever it was: nobody else would ever begin again.
            log.error("upkeep failed", error=type(error).__name__)
        await asyncio.sleep(LOOKS_EVERY_S)
