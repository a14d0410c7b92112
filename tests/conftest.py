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

from luciole.kit import logs, migrate, postgres
from luciole.kit.db import Database, Tx
from luciole.kit.postgres import Server
from luciole.kit.postgres_logins import Logins

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


Emptying = Callable[[Tx], Awaitable[None]]


def later(*values: Any) -> Any:
    """A variant of a test that only `./luciole test all` tries, because it takes long."""
    return pytest.param(*values, marks=pytest.mark.long)


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
def emptying(owner_url: str) -> Emptying:
    """Empties every table of the slices and the queue, in a transaction of the owner."""

    async def find() -> str:
        owner = await Database.open(owner_url, size=1)
        async with owner.read() as tx:
            rows = await tx.fetch(TABLES)
        await owner.close()
        names = [row["name"] for row in rows]
        each = (f"SELECT '{name}' AS name WHERE EXISTS (SELECT FROM {name})" for name in names)
        return " UNION ALL ".join(each)

    filled = asyncio.run(find())

    async def empty(tx: Tx) -> None:
        # Emptying all of them takes thirty times as long as looking which ones have to be.
        if rows := await tx.fetch(filled):
            await tx.execute(f"TRUNCATE {', '.join(row['name'] for row in rows)} CASCADE")

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
