"""Removes what deleted rows leave behind in the files of a PostgreSQL.

A deleted row is only marked so. VACUUM gives its space free without overwriting it; its words stay
in indexes and TOAST, in the planner's statistics (most common values, histograms), and in the
write-ahead log, whose old files are by default renamed and used again as they are. So:

1. Wait until no transaction can still see what was deleted before.
2. Write each table anew (VACUUM FULL): the old files are cut to nothing and unlinked.
3. Gather statistics anew, and write their table anew.
4. Begin another file of the write-ahead log, and a checkpoint: all former ones are removed. Needs
   `wal_recycle = off`, no archive, no replica and no slot, or their keeper does the same there.

What is left are blocks that the file system has not used again yet. While a table is written anew
nobody reads or writes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from luciole.kit.db import Tx
from luciole.kit.errors import Unavailable

WAITS_S = 600.0
LOOKS_EVERY_S = 0.5
# Longer, and everybody else would queue behind us, who wait for one long transaction.
LOCK_TIMEOUT = "5s"
LOCK_TRIES = 60
STATISTICS = "pg_catalog.pg_statistic"

# Before this number all transactions have ended, as soon as nobody holds an older snapshot.
MARK = "SELECT pg_current_xact_id()::xid::text"
# Of those of other roles one sees the snapshot only with the rights of pg_read_all_stats.
HOLDERS = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_xmin IS NOT NULL AND age(backend_xmin) >= age($1::text::xid)
UNION ALL
SELECT 1 FROM pg_prepared_xacts WHERE age(transaction) >= age($1::text::xid)
UNION ALL
SELECT 1 FROM pg_replication_slots WHERE age(xmin) >= age($1::text::xid)
"""
QUOTED = "SELECT format('%I.%I', split_part($1, '.', 1), split_part($1, '.', 2))"
NEXT_WAL_FILE = "SELECT pg_switch_wal()"
CHECKPOINT = "CHECKPOINT"
NOTE = "INSERT INTO house.upkeep (began_at, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
ENDED_AFTER = "SELECT min(ended_at) FROM house.upkeep WHERE began_at >= $1"


class Held(Unavailable):
    """A transaction or a replication slot still sees what was deleted."""

    code = "upkeep-held"
    sentence = "The remains of deleted rows could not be removed: a transaction is still open."
    next_step = "Look for it in pg_stat_activity, end it, and run ./luciole upkeep."


@dataclass(frozen=True)
class Purged:
    """What was done. `has_log`: the write-ahead log too; else its keeper has to."""

    tables: int
    seconds: float
    has_log: bool


async def purge(
    url: str, tables: Sequence[str], said: Callable[[str], None] = lambda line: None
) -> Purged:
    """Removes the remains from these tables (`schema.table`) and from the write-ahead log. The
    login owns the database; for the log it is a superuser, or may checkpoint and switch files.
    Raises Held."""
    began = time.monotonic()
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await _until_unseen(connection)
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        for table in tables:
            name = await connection.fetchval(QUOTED, table)
            taken_s = await _patiently(connection, f"VACUUM (FULL, ANALYZE) {name}")
            said(f"{table}: {taken_s:.1f} s")
        await _patiently(connection, f"VACUUM (FULL) {STATISTICS}")
        has_log = True
        try:
            await connection.execute(NEXT_WAL_FILE)
            await connection.execute(CHECKPOINT)
        except asyncpg.InsufficientPrivilegeError:
            has_log = False
    finally:
        await connection.close()
    return Purged(len(tables), time.monotonic() - began, has_log)


async def note(tx: Tx, began_at: datetime, ended_at: datetime) -> None:
    """Writes down, as the owner, that it was done."""
    await tx.execute(NOTE, began_at, ended_at)


async def ended_after(tx: Tx, moment: datetime) -> datetime | None:
    """When it was first done after a moment, for any process; None: not yet."""
    found: datetime | None = await tx.fetchval(ENDED_AFTER, moment)
    return found


async def _until_unseen(connection: asyncpg.Connection) -> None:
    mark = await connection.fetchval(MARK)
    until = time.monotonic() + WAITS_S
    while await connection.fetch(HOLDERS, mark):
        if time.monotonic() > until:
            raise Held
        await asyncio.sleep(LOOKS_EVERY_S)


async def _patiently(connection: asyncpg.Connection, statement: str) -> float:
    """How long the statement took, without the waits for its lock. Raises Held."""
    for _ in range(LOCK_TRIES):
        began = time.monotonic()
        try:
            await connection.execute(statement)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(1)
        else:
            return time.monotonic() - began
    raise Held
