"""Numbered SQL, applied once each, in order, under one lock.

Each file runs in a transaction of its own together with its line in `house.migration`, so that a
kill in the middle leaves either all of it or nothing. A file that was applied and has changed
since is refused: history is not edited, a new file is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import asyncpg
import msgspec

from luciole.kit import queue
from luciole.kit.logs import log

# Any constant; all starters of one database take the same lock.
LOCK_KEY = 0x6C75_6369_6F6C
OLDEST_SERVER = 150000

BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS house;
CREATE TABLE IF NOT EXISTS house.migration (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


class Migration(msgspec.Struct, frozen=True):
    """One file: its name, its SQL and the hash of it."""

    name: str
    sql: str
    sha256: str


class MigrationRefused(Exception):
    """The database cannot be brought to this version; the text says what to do."""


def load(package: str = "luciole.migrations") -> list[Migration]:
    """The migrations that this version knows, in order."""
    found = []
    for entry in sorted(resources.files(package).iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".sql") and entry.name[:4].isdigit():
            sql = entry.read_text(encoding="utf-8")
            found.append(Migration(entry.name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return found


async def apply(owner_url: str, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Brings the database to this version. Gives the names of what was applied just now.

    Raises MigrationRefused when the server is too old, the login may not create roles, or an
    applied file has changed.
    """
    wanted = load() if migrations is None else list(migrations)
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await _check_server(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        return await _apply_locked(connection, wanted)
    finally:
        await connection.close()


async def apply_within(connection: Any, migrations: Sequence[Migration]) -> list[str]:
    """The same in the transaction of an owner's connection: it is there with the rest or not at
    all."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
    # A table with checks that wait for the end of the transaction could not be changed.
    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return await _apply_locked(connection, migrations)


async def _check_server(connection: Any) -> None:
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < OLDEST_SERVER:
        raise MigrationRefused(
            f"This PostgreSQL is version {version // 10000}; Luciole needs 15 or newer. "
            "Upgrade the server, or unset DATABASE_URL to use the one that Luciole brings along."
        )
    may = await connection.fetchval(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    if not may:
        raise MigrationRefused(
            "The login in DATABASE_URL may not create roles, which Luciole needs to keep its "
            "slices apart. Run ALTER ROLE … CREATEROLE for it as an administrator."
        )


async def _apply_locked(connection: Any, wanted: Sequence[Migration]) -> list[str]:
    await connection.execute(BOOKKEEPING)
    await queue.install(connection)
    rows = await connection.fetch("SELECT name, sha256 FROM house.migration")
    done = {row["name"]: row["sha256"] for row in rows}
    unknown = sorted(set(done) - {m.name for m in wanted})
    if unknown:
        raise MigrationRefused(
            f"The database was used by a newer Luciole (it knows {unknown[-1]}). "
            "Start that version, or restore a backup from before the upgrade."
        )
    fresh = []
    for migration in wanted:
        if migration.name in done:
            if done[migration.name] != migration.sha256:
                raise MigrationRefused(
                    f"{migration.name} was changed after it was applied here. "
                    "Put the file back as it was and add a new one instead."
                )
            continue
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO house.migration (name, sha256) VALUES ($1, $2)",
                migration.name,
                migration.sha256,
            )
        log.info("migration applied", migration=migration.name)
        fresh.append(migration.name)
    return fresh
