"""What all tests share: one PostgreSQL for each test process, with all tables, emptied between
tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from tests import long

from luciole.kit import logs, migrate, postgres
from luciole.kit.db import Database, Tx
from luciole.kit.postgres import Server
from luciole.kit.postgres_logins import SUPERUSER, Logins

# Programs that tests start find the package as `./luciole` lets them find it.
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1] / "src")
# Nothing here has to survive a crash, and flushing would cost most of the time.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
# Nor does anything live long enough to be vacuumed, which would make others wait.
NOT_DURABLE |= {"autovacuum": "off"}
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('house', 'pg_catalog', 'information_schema', 'public')
"""
# Deleting leaves dead rows behind. A table that has grown is made anew instead.
GROWN_BYTES = 500_000
# So that the owner may delete without the triggers that keep rows, and in any order.
WITHOUT_TRIGGERS = "GRANT SET ON PARAMETER session_replication_role TO {owner}"


Emptying = Callable[[Tx], Awaitable[None]]


def later(*values: Any) -> Any:
    """A variant of a test that only `./luciole test all` tries, because it takes long."""
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    long.mark(items)


# A value that is longer names its test by its beginning and its length: names of megabytes are slow
# to send between processes, and nobody reads them.
LONGEST_NAME = 80


def pytest_make_parametrize_id(val: object) -> str | None:
    """The name of a parameter; None where pytest's own will do."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_NAME:
        return f"{val[: LONGEST_NAME // 2]!r} and so on, {len(val)}"
    return None


logs.setup("test", level="error")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sets up logging for its process: on the console that `capsys` closes with the test,
    so that whatever logs in later tests would fail."""
    before = structlog.get_config()
    yield
    if structlog.get_config()["logger_factory"] is not before["logger_factory"]:
        structlog.configure(**before)


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with all tables, whose log may be copied."""
    home = tmp_path_factory.mktemp("postgres")
    with postgres.embedded(home, Logins(has_replication=True), settings=NOT_DURABLE) as server:
        asyncio.run(migrate.apply(server.url()))
        yield server


@pytest.fixture(scope="session")
def owner_url(database_server: Server) -> str:
    """The owner's URL of a server with all tables."""
    return database_server.url()


@pytest.fixture(scope="session")
def emptying(database_server: Server, owner_url: str) -> Emptying:
    """Empties every table of the slices and the queue, in a transaction of the owner."""

    async def find() -> str:
        server, logins = database_server, database_server.logins
        superuser = await Database.open(server.url(SUPERUSER, logins.database), size=1)
        async with superuser.tx() as tx:
            await tx.execute(WITHOUT_TRIGGERS.format(owner=logins.owner))
            rows = await tx.fetch(TABLES)
        await superuser.close()
        each = (
            f"SELECT '{name}' AS name, pg_relation_size('{name}') > {GROWN_BYTES} AS has_grown "
            f"WHERE EXISTS (SELECT FROM {name})"
            for name in (row["name"] for row in rows)
        )
        return " UNION ALL ".join(each)

    filled = asyncio.run(find())

    async def empty(tx: Tx) -> None:
        # Looking which ones have to be emptied takes a thirtieth of emptying all, and deleting
        # their few rows a thirtieth of TRUNCATE, which makes files for each index anew.
        rows = await tx.fetch(filled)
        if not rows:
            return
        await tx.execute(f"LOCK TABLE {', '.join(row['name'] for row in rows)}")
        if grown := [row["name"] for row in rows if row["has_grown"]]:
            await tx.execute(f"TRUNCATE {', '.join(grown)} CASCADE")
        await tx.execute("SET LOCAL session_replication_role = replica")
        for row in rows:
            if not row["has_grown"]:
                await tx.execute(f"DELETE FROM {row['name']}")
        await tx.execute("SET LOCAL session_replication_role = origin")

    return empty


@pytest.fixture
async def empty_url(owner_url: str, emptying: Emptying) -> str:
    """The owner's URL, with all tables empty."""
    owner = await Database.open(owner_url, size=1)
    async with owner.tx() as tx:
        await emptying(tx)
    await owner.close()
    return owner_url


@pytest.fixture
async def db(empty_url: str) -> AsyncIterator[Database]:
    """The empty database as the API process sees it."""
    database = await Database.open(empty_url, role="luciole_api", size=6)
    yield database
    await database.close()
