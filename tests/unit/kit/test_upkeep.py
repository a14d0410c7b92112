"""What PostgreSQL keeps of deleted rows, and that nothing of it is left after the upkeep."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from tests import canary

from luciole.kit import postgres, upkeep
from luciole.kit.postgres import Server

MARK = "kz9w-canary-of-somebody"
MARKS = {"word": MARK.encode()}
# In rows and their index, out of line, and in the planner's statistics.
MAKE = """
CREATE SCHEMA s;
CREATE TABLE s.t (id int PRIMARY KEY, word text, long text);
CREATE INDEX ON s.t (word);
ALTER TABLE s.t ALTER long SET STORAGE EXTERNAL;
INSERT INTO s.t SELECT n, 'of others ' || n, '' FROM generate_series(1, 500) n;
"""
ADD = """
INSERT INTO s.t SELECT n, $1 || n % 3, repeat($1, 500) FROM generate_series(1001, 1100) n
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster as a cell has it, durable."""
    home = tmp_path_factory.mktemp("postgres")
    with postgres.embedded(home) as running:
        yield running


@pytest.fixture
async def owner(server: Server) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.url())
    await connection.execute("DROP SCHEMA IF EXISTS s CASCADE")
    await connection.execute(MAKE)
    await connection.execute(ADD.replace("$1", f"'{MARK}'"))
    await connection.execute("ANALYZE s.t")
    yield connection
    await connection.close()


def remains(server: Server) -> list[str]:
    return canary.search(canary.files(server.data_dir), MARKS)


async def purge(server: Server) -> upkeep.Purged:
    url = server.url(postgres.SUPERUSER, server.logins.database)
    return await upkeep.purge(url, ["s.t"])


async def test_deleted_rows_stay_in_the_files_until_the_upkeep(
    server: Server, owner: asyncpg.Connection
) -> None:
    await owner.execute("DELETE FROM s.t WHERE id > 1000")
    await owner.execute("VACUUM s.t")
    superuser = await asyncpg.connect(server.url(postgres.SUPERUSER))
    await superuser.execute("CHECKPOINT")
    await superuser.close()
    places = {os.path.relpath(line.split(":")[0], server.data_dir) for line in remains(server)}
    assert any(place.startswith("base") for place in places), places
    assert any(place.startswith("pg_wal") for place in places), places
    done = await purge(server)
    assert (done.tables, done.has_log) == (1, True)
    assert remains(server) == []
    assert await owner.fetchval("SELECT count(*) FROM s.t") == 500


async def test_overwritten_value_goes_too(server: Server, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE s.t SET word = 'another', long = ''")
    await purge(server)
    assert remains(server) == []


async def test_upkeep_waits_for_those_who_still_see_the_rows(
    server: Server, owner: asyncpg.Connection
) -> None:
    other = await asyncpg.connect(server.url("luciole_api"))
    transaction = other.transaction(isolation="repeatable_read")
    await transaction.start()
    await other.fetchval("SELECT 1")
    await owner.execute("DELETE FROM s.t WHERE id > 1000")
    working = asyncio.create_task(purge(server))
    await asyncio.sleep(0.5)
    assert not working.done()
    await transaction.rollback()
    await working
    await other.close()
    assert remains(server) == []


async def test_upkeep_gives_up_where_a_transaction_does_not_end(
    server: Server, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "WAITS_S", 0.1)
    other = await asyncpg.connect(server.url())
    transaction = other.transaction(isolation="repeatable_read")
    await transaction.start()
    await other.fetchval("SELECT 1")
    with pytest.raises(upkeep.Held):
        await purge(server)
    await other.close()


async def test_table_in_use_is_tried_again(
    server: Server, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOCK_TIMEOUT", "100ms")
    await owner.execute("DELETE FROM s.t WHERE id > 1000")
    other = await asyncpg.connect(server.url())
    transaction = other.transaction()
    await transaction.start()
    # A lock without a snapshot.
    await other.execute("LOCK TABLE s.t IN ACCESS SHARE MODE")
    working = asyncio.create_task(purge(server))
    await asyncio.sleep(0.5)
    assert not working.done()
    await transaction.rollback()
    await working
    await other.close()
    assert remains(server) == []


async def test_owner_who_may_not_touch_the_log_is_told_so(
    server: Server, owner: asyncpg.Connection
) -> None:
    await owner.execute("DELETE FROM s.t WHERE id > 1000")
    done = await upkeep.purge(server.url(), ["s.t"])
    assert not done.has_log
    found = remains(server)
    assert found
    assert {Path(line.split(":")[0]).parent.name for line in found} == {"pg_wal"}
