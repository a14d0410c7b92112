"""PostgreSQL through asyncpg: a pool, transactions at the edge, and nothing between SQL and code.

Stores receive a `Tx` and never see the driver. A transaction is opened by `api` or `jobs`
(`async with db.tx() as tx`) and commits when the block ends without an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any, Literal, Protocol, TypeAlias

import asyncpg

Row: TypeAlias = asyncpg.Record

# What callers may see when the server is away or restarting.
LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # What the driver makes of a server's farewell that comes in the middle of something else
    # ("got result for unknown protocol state"): seen when a backend is killed under load.
    asyncpg.InternalClientError,
)


class Unreachable(asyncpg.InterfaceError):  # type: ignore[misc]
    """Nobody listens where the server should be: it is stopped, or between two starts."""


UniqueViolation = asyncpg.UniqueViolationError
ForeignKeyViolation = asyncpg.ForeignKeyViolationError
# The server ended this one of several transactions that waited for each other.
Deadlock = asyncpg.DeadlockDetectedError

# The country on whose behalf is asked, as an ISO 3166 code; None: for nobody in particular, such as
# a job. What is withheld in a country is left out by what the database then reads of it.
asked_from: ContextVar[str | None] = ContextVar("asked_from", default=None)
SET_COUNTRY = "SELECT set_config('luciole.country', $1, false)"

COMMAND_TIMEOUT_S = 30
ACQUIRE_TIMEOUT_S = 10
# How long a cancelled query may take to end. The driver asks the server to end it, which does
# nothing where it comes a moment before the server begins: then the connection is closed.
LET_GO_S = 2


class Tx(Protocol):
    """A connection, usually inside a transaction. The part of asyncpg that stores use."""

    async def fetch(self, query: str, *args: Any) -> list[Row]: ...

    async def fetchrow(self, query: str, *args: Any) -> Row | None: ...

    async def fetchval(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...

    async def executemany(self, command: str, args: Any) -> None: ...

    def cursor(self, query: str, *args: Any) -> AsyncIterator[Row]:
        """The rows as they are asked for, inside a transaction: for lists that nobody wants to
        hold as a whole."""
        ...


# What a statement may do that lasts longer than its transaction. Too much found here costs a round
# trip, too little shows one person what another may see: `SET LOCAL` counts as well.
LASTING = re.compile(
    r"(?:^|;)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:SET|RESET|LISTEN|PREPARE|DECLARE|DISCARD|LOAD|DO|CALL)\b"
    r"|set_config\s*\(|advisory_lock",
    re.IGNORECASE | re.DOTALL,
)
# A query that begins so sets `luciole.adult` whatever it finds, and nothing else that lasts.
SAYS_WHO_ASKS = "/* says who asks */"
NOBODY_ASKS = "SELECT set_config('luciole.adult', '', false)"
BOUNDARY = re.compile(r"(?:BEGIN|COMMIT|SAVEPOINT|RELEASE)\b")
# It brings back what was set before.
BACK = re.compile(r"ROLLBACK\b")

Kind = Literal["plain", "lasting", "says-who-asks", "boundary", "back"]


@functools.lru_cache(maxsize=4096)
def kind_of(query: str) -> Kind:
    """What a query may do to its connection that lasts longer than its transaction: settings, locks
    of the session, channels that it listens to."""
    if query.startswith(SAYS_WHO_ASKS):
        return "says-who-asks"
    if LASTING.search(query) is not None:
        return "lasting"
    if BOUNDARY.match(query):
        return "boundary"
    return "back" if BACK.match(query) else "plain"


def _noted(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def noting(session: Session, query: str, *args: Any, **kwargs: Any) -> Any:
        kind = kind_of(query)
        if kind == "plain" and not session.is_of_another:
            return run(session, query, *args, **kwargs)
        return session.minding(kind, functools.partial(run, session, query, *args, **kwargs))

    return noting


class Session(asyncpg.Connection):  # type: ignore[misc]
    """A connection that knows whether it may be as it was made. It goes by what the queries say, so
    that no caller has to think of it.

    Nearly every request begins by saying who asks. That stays on a connection that is given back,
    since the next request says it anew; where its first query is another one, it is forgotten
    before that query runs.
    """

    is_changed = False
    # Whether it may be set who asks, and whether that may be somebody of before.
    says_who_asks = False
    is_of_another = False

    async def minding(self, kind: Kind, run: Callable[[], Any]) -> Any:
        """Runs a query with what its kind asks for."""
        if kind == "lasting":
            self.is_changed = True
        if kind == "says-who-asks":
            self.says_who_asks = True
            answer = await run()
            self.is_of_another = False
            return answer
        if kind == "back":
            self.is_of_another = self.says_who_asks
        elif self.is_of_another and kind != "boundary":
            await asyncpg.Connection.execute(self, NOBODY_ASKS)
            self.is_of_another = False
            if not self.is_in_transaction():  # Else it may be taken back.
                self.says_who_asks = False
        return await run()

    def cursor(self, query: str, *args: Any, **kwargs: Any) -> AsyncIterator[Row]:
        """The rows as they are asked for. Nothing else is to be done with what it gives."""
        if kind_of(query) != "plain":
            self.is_changed = True
        return self._rows(functools.partial(super().cursor, query, *args, **kwargs))

    async def prepare(self, query: str, *args: Any, **kwargs: Any) -> Any:
        """As the driver's. What is prepared may be run any time, so it counts as run."""
        if kind_of(query) != "plain":
            self.is_changed = True
        return await self.minding(
            "plain", functools.partial(super().prepare, query, *args, **kwargs)
        )

    async def _rows(self, opened: Callable[[], Any]) -> AsyncIterator[Row]:
        async for row in await self.minding("plain", _soon(opened)):
            yield row

    execute = _noted(asyncpg.Connection.execute)
    executemany = _noted(asyncpg.Connection.executemany)
    fetch = _noted(asyncpg.Connection.fetch)
    fetchmany = _noted(asyncpg.Connection.fetchmany)
    fetchrow = _noted(asyncpg.Connection.fetchrow)
    fetchval = _noted(asyncpg.Connection.fetchval)


def _soon(made: Callable[[], Any]) -> Callable[[], Any]:
    async def make() -> Any:
        return made()

    return make


async def _restore(session: Session) -> None:
    """Makes a released connection as it was made, which is a round trip that most need not take.
    If this fails, the pool closes the connection."""
    if session.is_changed:
        # Resetting all leaves the role out.
        await asyncpg.Connection.execute(session, f"{session.get_reset_query()}\nRESET ROLE;")
        session.is_changed = session.says_who_asks = False
    session.is_of_another = session.says_who_asks


@contextlib.asynccontextmanager
async def _transaction(connection: Any, **how: Any) -> AsyncIterator[None]:
    """A transaction of the driver's, whose end nobody waits for who was cancelled."""
    transaction = connection.transaction(**how)
    await transaction.start()
    try:
        yield
    except asyncio.CancelledError:
        try:
            async with asyncio.timeout(LET_GO_S):
                await transaction.rollback()
        except (TimeoutError, asyncpg.PostgresError, *LOST):
            connection.terminate()
        raise
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()


class Database:
    """A pool of connections under one role."""

    def __init__(
        self, url: str, *, role: str | None = None, size: int = 10, country: str | None = None
    ) -> None:
        """A pool that connects with `start`. With `role`, each session acts as that role from its
        first query: the soft separation for an outside server that gave us one login only. With
        `country`, it asks from there, where `asked_from` says nothing else."""
        settings = {"application_name": "luciole", "timezone": "UTC", "jit": "off"}
        if role is not None:
            settings["role"] = role
        if country is not None:
            settings["luciole.country"] = country
        self._country = country
        self._pool = asyncpg.create_pool(
            url,
            min_size=min(2, size),
            max_size=size,
            command_timeout=COMMAND_TIMEOUT_S,
            timeout=ACQUIRE_TIMEOUT_S,
            server_settings=settings,
            connection_class=Session,
            reset=_restore,
            # Idle connections are kept: reconnecting costs more than a socket.
            max_inactive_connection_lifetime=0,
            # So are the last hundred statements of each: forgotten after five minutes, as is the
            # driver's way, they would be planned anew five times over.
            max_cached_statement_lifetime=0,
        )

    @classmethod
    async def open(
        cls, url: str, *, role: str | None = None, size: int = 10, country: str | None = None
    ) -> Database:
        """A pool that is connected already."""
        made = cls(url, role=role, size=size, country=country)
        await made.start()
        return made

    async def start(self) -> None:
        """Connects. Raises one of LOST where no server answers."""
        await self._pool

    async def close(self) -> None:
        """Ends all connections; those still busy after five seconds are cut."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """One of the pool's. An OSError says nothing about the database to those above, whose
        disks raise it as well, so it gets a name of its own here."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            raise
        except OSError as error:
            raise Unreachable("nobody listens there") from error
        try:
            # Released connections are as they were made; who asks from elsewhere says so anew.
            country = asked_from.get()
            if country is not None and country != self._country:
                await connection.execute(SET_COUNTRY, country)
            yield connection
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError, asyncpg.PostgresError, *LOST):
                await self._pool.release(connection, timeout=LET_GO_S)
            raise
        finally:
            await self._pool.release(connection)

    @contextlib.asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """A transaction: commits at the end of the block, rolls back on any exception."""
        async with self._connection() as connection, _transaction(connection):
            yield connection

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """A transaction that only reads, and sees one state of everything however long it takes."""
        how = {"isolation": "repeatable_read", "readonly": True}
        async with self._connection() as connection, _transaction(connection, **how):
            yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A connection for single reads that need no common snapshot: saves BEGIN and COMMIT."""
        async with self._connection() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[Tx]:
        """A connection that calls `heard(payload)` for each NOTIFY on `channel`.

        The connection is lost when the server restarts; `Tx.execute` on it then raises one of
        `LOST`, so callers should touch it now and then and open it anew.
        """
        async with self._connection() as connection:

            def relay(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
                heard(str(payload))

            await connection.add_listener(channel, relay)
            try:
                yield connection
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(channel, relay)
