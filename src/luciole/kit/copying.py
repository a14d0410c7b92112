"""Whole tables out of a PostgreSQL and into one, by COPY in its text form: a row a line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from luciole.kit.db import Tx
from luciole.kit.migrate import Migration, apply_within

Lines = Callable[[list[bytes]], Awaitable[None]]

# Tables of the cell with their columns in order, those that are computed left out.
COLUMNS = """
SELECT n.nspname || '.' || c.relname AS table_, a.attname AS column_
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY 1, a.attnum
"""
# Which table refers to which.
REFERENCES = """
SELECT n.nspname || '.' || c.relname AS from_, m.nspname || '.' || d.relname AS to_
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class d ON d.oid = k.confrelid JOIN pg_namespace m ON m.oid = d.relnamespace
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
"""
SEQUENCES = """
SELECT n.nspname || '.' || c.relname AS table_, a.attname AS column_,
       pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) AS sequence_
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attidentity <> '' AND a.attnum > 0 AND NOT a.attisdropped
"""


class Connection:
    """One connection that copies. `copy_out` and `fetch` see what its transaction sees."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @property
    def tx(self) -> Tx:
        """The same, as stores take it."""
        tx: Tx = self._connection
        return tx

    async def columns(self) -> dict[str, list[str]]:
        """Every table of the cell with its columns, in order."""
        found: dict[str, list[str]] = {}
        for row in await self._connection.fetch(COLUMNS):
            found.setdefault(row["table_"], []).append(row["column_"])
        return found

    async def order(self, tables: Sequence[str]) -> list[str]:
        """The tables in an order in which each comes after those that it refers to."""
        needs: dict[str, set[str]] = {table: set() for table in tables}
        for row in await self._connection.fetch(REFERENCES):
            if row["from_"] in needs and row["to_"] in needs:
                needs[row["from_"]].add(row["to_"])
        done: list[str] = []
        while needs:
            free = sorted(table for table, others in needs.items() if not others - set(done))
            if not free:
                raise ValueError(f"these tables refer to each other in a ring: {sorted(needs)}")
            done += free
            for table in free:
                del needs[table]
        return done

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return list(await self._connection.fetch(query, *args))

    async def execute(self, statement: str, *args: Any) -> str:
        return str(await self._connection.execute(statement, *args))

    async def migrate(self, migrations: Sequence[Migration]) -> list[str]:
        """Applies what is missing, in this transaction; gives the names."""
        return await apply_within(self._connection, migrations)

    async def copy_out(self, query: str, lines: Lines) -> None:
        """Hands the rows of a query over, some lines at a time without their ends; the server
        waits meanwhile."""
        rest = b""

        async def take(data: bytes) -> None:
            nonlocal rest
            whole = (rest + data).split(b"\n")
            rest = whole.pop()
            if whole:
                await lines(whole)

        await self._connection.copy_from_query(query, output=take, format="text")
        if rest:
            raise ValueError("a copy ended in the middle of a row")

    async def copy_in(
        self, table: str, columns: Sequence[str], lines: AsyncIterator[list[bytes]]
    ) -> int:
        """Adds rows to a table; gives how many."""
        schema, _, name = table.partition(".")

        async def source() -> AsyncIterator[bytes]:
            async for some in lines:
                yield b"".join(line + b"\n" for line in some)

        done = await self._connection.copy_to_table(
            name, schema_name=schema, columns=list(columns), source=source(), format="text"
        )
        return int(done.rpartition(" ")[2])

    async def move_sequences_on(self) -> None:
        """After rows were copied in: what the database numbers goes on above them."""
        for row in await self._connection.fetch(SEQUENCES):
            if row["sequence_"]:
                await self._connection.execute(
                    f"SELECT setval('{row['sequence_']}', "  # noqa: S608 - names of our own
                    f"coalesce((SELECT max({row['column_']}) FROM {row['table_']}), 0) + 1, false)"
                )


@contextlib.asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Connection]:
    """A connection that sees one state of the database, however long the block takes."""
    async with _connected(url) as connection:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield Connection(connection)


@contextlib.asynccontextmanager
async def reader(url: str) -> AsyncIterator[Connection]:
    """A connection that sees the database as it is at each query."""
    async with _connected(url) as connection:
        yield Connection(connection)


@contextlib.asynccontextmanager
async def whole(url: str) -> AsyncIterator[Connection]:
    """A connection whose work is there, all of it or nothing, at the end of the block."""
    async with _connected(url) as connection:
        async with connection.transaction():
            yield Connection(connection)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    settings = {"idle_in_transaction_session_timeout": "0", "timezone": "UTC", "jit": "off"}
    connection = await asyncpg.connect(url, timeout=10, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()
