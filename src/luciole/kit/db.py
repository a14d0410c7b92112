"""PostgreSQL through asyncpg: a pool, transactions at the edge, and nothing between SQL and code.

Stores receive a `Tx` and never see the driver. A transaction is opened by `api` or `jobs`
(`async with db.tx() as tx`) and commits when the block ends without an exception.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeAlias

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

COMMAND_TIMEOUT_S = 30
ACQUIRE_TIMEOUT_S = 10


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


class Database:
    """A pool of connections under one role."""

    def __init__(self, url: str, *, role: str | None = None, size: int = 10) -> None:
        """A pool that connects with `start`. With `role`, each session acts as that role from its
        first query: the soft separation for an outside server that gave us one login only."""
        settings = {"application_name": "luciole", "timezone": "UTC", "jit": "off"}
        if role is not None:
            settings["role"] = role
        self._pool = asyncpg.create_pool(
            url,
            min_size=min(2, size),
            max_size=size,
            command_timeout=COMMAND_TIMEOUT_S,
            timeout=ACQUIRE_TIMEOUT_S,
            server_settings=settings,
            # Idle connections are kept: reconnecting costs more than a socket.
            max_inactive_connection_lifetime=0,
        )

    @classmethod
    async def open(cls, url: str, *, role: str | None = None, size: int = 10) -> Database:
        """A pool that is connected already."""
        made = cls(url, role=role, size=size)
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
            yield connection
        finally:
            await self._pool.release(connection)

    @contextlib.asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """A transaction: commits at the end of the block, rolls back on any exception."""
        async with self._connection() as connection:
            async with connection.transaction():
                yield connection

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """A transaction that only reads, and sees one state of everything however long it takes."""
        async with self._connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
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
