"""Nothing that was set on a connection of a pool is there for whoever has it next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import asyncpg
import pytest

from luciole.cell.people.store.sessions import LIVE
from luciole.kit.db import LOST, SAYS_WHO_ASKS, Database, Tx, asked_from

HOME, AWAY = "SG", "FR"
STATE = """
SELECT coalesce(current_setting('luciole.country', true), '') AS country,
       coalesce(current_setting('luciole.adult', true), '') AS adult,
       current_setting('lock_timeout') AS lock_timeout,
       current_setting('default_transaction_read_only') AS read_only,
       current_user::text AS role,
       (SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
       (SELECT count(*) FROM pg_listening_channels()) AS channels
"""
ADULT = "SELECT set_config('luciole.adult', 'yes', false)"
ADULT_ASKS = f"{SAYS_WHO_ASKS} {ADULT}"
MINOR_ASKS = f"{SAYS_WHO_ASKS} SELECT set_config('luciole.adult', '', false)"
STUBBORN = """
DO $$ BEGIN
    PERFORM pg_sleep(40);
EXCEPTION WHEN query_canceled THEN
    PERFORM pg_sleep(40);
END $$
"""
Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture
async def pool(empty_url: str) -> AsyncIterator[Database]:
    """One connection only, which all of a test shares, of a cell that is in a country."""
    database = await Database.open(empty_url, role="luciole_api", size=1, country=HOME)
    yield database
    await database.close()


@contextlib.contextmanager
def asking_from(country: str | None) -> Iterator[None]:
    token = asked_from.set(country)
    try:
        yield
    finally:
        asked_from.reset(token)


async def state(pool: Database) -> dict[str, object]:
    async with pool.read() as tx:
        row = await tx.fetchrow(STATE)
    assert row is not None
    return dict(row)


async def as_adult(tx: Tx) -> None:
    """As the query of sessions does it: a row with a setting beside it, with an argument."""
    await tx.fetchrow("SELECT $1::int, set_config('luciole.adult', 'yes', false)", 1)


async def by_saying_who_asks(tx: Tx) -> None:
    assert await tx.fetchval(ADULT_ASKS) == "yes"


async def by_value(tx: Tx) -> None:
    assert await tx.fetchval(ADULT) == "yes"


async def by_cursor(tx: Tx) -> None:
    assert [row[0] async for row in tx.cursor(ADULT)] == ["yes"]


async def many_times(tx: Tx) -> None:
    await tx.executemany("SELECT set_config('luciole.adult', $1, false)", [("yes",)])


async def by_set(tx: Tx) -> None:
    await tx.execute("SET lock_timeout = '7s'")


async def by_a_later_statement(tx: Tx) -> None:
    await tx.execute("SELECT 1; -- why\n  set SESSION lock_timeout = '7s'")


async def by_set_local(tx: Tx) -> None:
    await tx.execute("SET LOCAL lock_timeout = '7s'")


async def by_read_only(tx: Tx) -> None:
    await tx.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")


async def by_role(tx: Tx) -> None:
    await tx.execute("/* as another */ SET ROLE luciole_people")


async def by_lock(tx: Tx) -> None:
    await tx.fetchval("SELECT pg_advisory_lock(4711)")


async def by_listening(tx: Tx) -> None:
    await tx.execute("LISTEN somewhere")


ACTS = (
    as_adult,
    by_saying_who_asks,
    by_value,
    by_set,
    by_a_later_statement,
    by_set_local,
    by_read_only,
    by_role,
    by_lock,
    by_listening,
)


@pytest.mark.parametrize("country", [None, HOME, AWAY])
@pytest.mark.parametrize("act", [*ACTS, by_cursor, many_times])
async def test_what_a_transaction_sets_ends_with_it(
    pool: Database, act: Act, country: str | None
) -> None:
    before = await state(pool)
    assert (before["country"], before["adult"]) == (HOME, "")
    with asking_from(country):
        async with pool.tx() as tx:
            await act(tx)
            assert await tx.fetchval("SELECT current_setting('luciole.country')") == (
                country or HOME
            )
    assert await state(pool) == before


@pytest.mark.parametrize("act", ACTS)
async def test_what_single_reads_set_ends_with_them(pool: Database, act: Act) -> None:
    before = await state(pool)
    async with pool.read() as tx:
        await act(tx)
    assert await state(pool) == before


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("way", ["tx", "read"])
async def test_block_that_fails_leaves_nothing(pool: Database, way: str, act: Act) -> None:
    before = await state(pool)

    async def fail(query: str) -> None:
        async with getattr(pool, way)() as tx:
            await act(tx)
            await tx.fetchval(query)
            raise ZeroDivisionError

    with asking_from(AWAY):
        with pytest.raises(ZeroDivisionError):
            await fail("SELECT 1")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await fail("SELECT 1 / 0")
    assert await state(pool) == before


@pytest.mark.parametrize("way", ["tx", "read", "snapshot"])
async def test_cancelled_in_a_query_leaves_nothing(pool: Database, way: str) -> None:
    before = await state(pool)

    async def slow() -> None:
        with asking_from(AWAY):
            async with getattr(pool, way)() as tx:
                await as_adult(tx)
                await tx.fetchval("SELECT pg_sleep(30)")

    for seconds in (0, 0.001, 0.005, 0.2):
        task = asyncio.create_task(slow())
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await state(pool) == before


@pytest.mark.parametrize("way", ["tx", "read", "snapshot"])
async def test_cancelled_in_a_query_that_does_not_end_waits_for_nothing(
    pool: Database, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request to end a query is lost where it comes before the server begins with it. This one
    goes on whenever it comes."""
    monkeypatch.setattr("luciole.kit.db.LET_GO_S", 0.3)
    before = await state(pool)

    async def stubborn() -> None:
        with asking_from(AWAY):
            async with getattr(pool, way)() as tx:
                await as_adult(tx)
                await tx.execute(STUBBORN)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await state(pool) == before


async def test_query_that_takes_too_long_leaves_nothing(pool: Database) -> None:
    before = await state(pool)

    async def slow(most: str) -> None:
        async with pool.read() as tx:
            await as_adult(tx)
            await tx.execute(f"SET statement_timeout = '{most}'")
            await tx.fetchval("SELECT pg_sleep(30)")

    with asking_from(AWAY), pytest.raises(TimeoutError):
        await asyncio.wait_for(slow("1min"), 0.2)
    assert await state(pool) == before
    with asking_from(AWAY), pytest.raises(asyncpg.QueryCanceledError):
        await slow("50ms")
    assert await state(pool) == before


async def test_snapshot_leaves_nothing(pool: Database) -> None:
    before = await state(pool)
    with asking_from(AWAY):
        async with pool.snapshot() as tx:
            await as_adult(tx)
    assert await state(pool) == before


async def test_lost_connection_leaves_nothing(pool: Database, empty_url: str) -> None:
    before = await state(pool)
    owner = await Database.open(empty_url, size=1)

    async def cut() -> None:
        async with pool.tx() as tx:
            await as_adult(tx)
            pid = await tx.fetchval("SELECT pg_backend_pid()")
            async with owner.read() as other:
                await other.execute("SELECT pg_terminate_backend($1)", pid)
            await tx.fetchval("SELECT pg_sleep(30)")

    with asking_from(AWAY), pytest.raises(LOST):
        await cut()
    await owner.close()
    assert await state(pool) == before


async def test_listener_is_gone_with_its_block(pool: Database) -> None:
    before = await state(pool)
    heard: list[str] = []
    with asking_from(AWAY):
        async with pool.listening("somewhere", heard.append) as tx:
            await as_adult(tx)
    assert await state(pool) == before
    with pytest.raises(ZeroDivisionError):
        async with pool.listening("somewhere", heard.append):
            raise ZeroDivisionError
    assert await state(pool) == before
    async with pool.tx() as tx:
        await tx.execute("NOTIFY somewhere, 'late'")
    assert heard == []


async def test_connection_that_nothing_was_set_on_is_not_reset(
    pool: Database, empty_url: str
) -> None:
    """That costs a round trip, which most transactions need not take."""
    owner = await Database.open(empty_url, size=1)

    async def last(pid: int) -> str:
        async with owner.read() as tx:
            return str(await tx.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid))

    async with pool.tx() as tx:
        pid = await tx.fetchval("SELECT pg_backend_pid()")
        await tx.fetchval("SELECT pg_advisory_xact_lock(4711)")
        await tx.execute("UPDATE people.person SET handle = handle WHERE id IS NULL")
    assert await last(pid) == "COMMIT;"
    async with pool.tx() as tx:
        await as_adult(tx)
    assert "RESET ALL" in await last(pid)
    async with pool.read() as tx:
        assert await tx.fetchval("SELECT pg_backend_pid()") == pid
    await owner.close()


async def adult(tx: Tx) -> str:
    return str(await tx.fetchval("SELECT coalesce(current_setting('luciole.adult', true), '')"))


async def by_rows(tx: Tx) -> str:
    query = "SELECT coalesce(current_setting('luciole.adult', true), '')"
    return "".join([row[0] async for row in tx.cursor(query)])


@pytest.mark.parametrize("look", [adult, by_rows])
async def test_nobody_asks_as_who_asked_before(
    pool: Database, look: Callable[[Tx], Awaitable[str]]
) -> None:
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
        assert await adult(tx) == "yes"
    async with pool.tx() as tx:
        assert await look(tx) == ""
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
    async with pool.tx() as tx:
        await tx.fetchval(MINOR_ASKS)
        assert await look(tx) == ""


async def fail(pool: Database, act: Act) -> None:
    async with pool.tx() as tx:
        await act(tx)
        raise ZeroDivisionError


async def test_asker_of_before_does_not_come_back_with_what_is_taken_back(pool: Database) -> None:
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
    # Who asks now is set in a transaction that fails, which sets the one of before again.
    with pytest.raises(ZeroDivisionError):
        await fail(pool, lambda tx: tx.fetchval(MINOR_ASKS))
    async with pool.read() as tx:
        assert await adult(tx) == ""
    # Forgotten in a transaction that fails: the same.
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
    with pytest.raises(ZeroDivisionError):
        await fail(pool, adult)
    async with pool.tx() as tx:
        assert await adult(tx) == ""
    # A part of a transaction.
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
    async with pool.tx() as tx:
        await tx.execute("SAVEPOINT part")
        await tx.fetchval(MINOR_ASKS)
        await tx.execute("ROLLBACK TO SAVEPOINT part")
        assert await adult(tx) == ""


def test_query_of_sessions_begins_as_it_has_to() -> None:
    assert LIVE.startswith(SAYS_WHO_ASKS)


async def test_asker_that_could_not_be_found_is_nobody(pool: Database) -> None:
    async with pool.read() as tx:
        await tx.fetchval(ADULT_ASKS)
    async with pool.read() as tx:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tx.fetchval(
                f"{SAYS_WHO_ASKS} SELECT 1 / 0, set_config('luciole.adult', '', false)"
            )
        assert await adult(tx) == ""


async def test_who_asks_costs_no_round_trip_of_its_own(pool: Database, empty_url: str) -> None:
    owner = await Database.open(empty_url, size=1)

    async def last(pid: int) -> str:
        async with owner.read() as tx:
            return str(await tx.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid))

    for _ in range(2):
        async with pool.read() as tx:
            await tx.fetchval(ADULT_ASKS)
            pid = await tx.fetchval("SELECT pg_backend_pid()")
        assert await last(pid) == "SELECT pg_backend_pid()"
        async with pool.tx() as tx:
            assert await last(pid) == "BEGIN;"
            await tx.fetchval(ADULT_ASKS)
        assert await last(pid) == "COMMIT;"
    await owner.close()
