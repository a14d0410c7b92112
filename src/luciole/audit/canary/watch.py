"""Watches a canary's cell while it runs: every version of every row, announcements, statements,
titles of processes. The database is the canary's own, so it may hang triggers on its tables."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

from luciole.audit.canary import sockets
from luciole.kit import db
from luciole.kit.db import Database

POLL_S = 0.25

# Outside the schemas of the cell, so that no rule of its roles is changed.
INSTALL = """
CREATE SCHEMA canary;
CREATE UNLOGGED TABLE canary.seen (place text NOT NULL, held jsonb NOT NULL);
CREATE FUNCTION canary.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO canary.seen VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, to_jsonb(NEW));
    RETURN NULL;
END
$$;
"""
TABLES = """
SELECT n.nspname || '.' || c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT starts_with(n.nspname, 'pg_')
  AND n.nspname NOT IN ('information_schema', 'canary')
ORDER BY 1
"""
HANG = """
CREATE TRIGGER canary_sees AFTER INSERT OR UPDATE ON {}
FOR EACH ROW EXECUTE FUNCTION canary.see()
"""
SEEN = "SELECT place, e.key AS name, e.value AS held FROM canary.seen, jsonb_each_text(held) AS e"
# Its own files, and those of the long values in it: what the canary wrote is no leak.
OWN_FILES = """
SELECT pg_relation_filepath(c.oid) AS path, pg_relation_filepath(c.reltoastrelid) AS toast
FROM pg_class c WHERE c.oid = 'canary.seen'::regclass
"""
STATEMENTS = """
SELECT query, application_name, backend_type FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""
COLUMNS = """
SELECT a.attname::text AS name, a.atttypid = 'bytea'::regtype AS is_bytes
FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""
PERIODIC_NOW = "UPDATE queue.pgqueuer_schedules SET next_run = now() WHERE status = 'queued'"
# Jobs that wait for their hour, such as looking after what nobody used.
ALL_NOW = "UPDATE queue.pgqueuer SET execute_after = now() WHERE status = 'queued'"
# A film as it was before renditions were cut into segments: the worker cuts it now. Of larger
# renditions there is no file any more that is as it was.
UNCUT = """
UPDATE media.file SET index = NULL WHERE kind = 'rendition' AND name = '540' AND asset_id = (
    SELECT id FROM media.asset WHERE state = 'complete' ORDER BY id LIMIT 1)
"""
UNDONE = """
SELECT EXISTS (SELECT FROM queue.pgqueuer WHERE execute_after <= now())
    OR EXISTS (SELECT FROM queue.pgqueuer_schedules WHERE next_run <= now() OR status = 'picked')
"""
LARGE_OBJECTS = "SELECT data FROM pg_largeobject"


class Watch:
    """What was seen, as (name, bytes)."""

    def __init__(self) -> None:
        self.announced: list[tuple[str, bytes]] = []
        self.statements: set[bytes] = set()
        self.titles: set[bytes] = set()
        self.connections: set[str] = set()
        self.logs: list[tuple[str, bytes]] = []

    @contextlib.asynccontextmanager
    async def over(
        self, owner: Database, pid: int, logs: Path, channels: list[str]
    ) -> AsyncIterator[None]:
        """Watches until the block ends. `pid`: the cell's supervisor; `logs`: its logs' folder."""
        async with owner.tx() as tx:
            await tx.execute(INSTALL)
            for row in await tx.fetch(TABLES):
                await tx.execute(HANG.format(row["name"]))
        async with contextlib.AsyncExitStack() as stack:
            for channel in channels:
                await stack.enter_async_context(owner.listening(channel, self._hear_on(channel)))
            polling = [
                asyncio.create_task(self._poll_statements(owner)),
                asyncio.create_task(self._poll_processes(pid)),
                asyncio.create_task(self._poll_logs(logs)),
            ]
            try:
                yield
            finally:
                for task in polling:
                    task.cancel()
                await asyncio.gather(*polling, return_exceptions=True)

    def _hear_on(self, channel: str) -> Any:
        return lambda payload: self.announced.append((channel, payload.encode()))

    async def _poll_statements(self, owner: Database) -> None:
        while True:
            with contextlib.suppress(*db.LOST):
                async with owner.read() as tx:
                    for row in await tx.fetch(STATEMENTS):
                        said = f"{row['query']}\n{row['application_name']}"
                        self.statements.add(said.encode())
            await asyncio.sleep(POLL_S)

    async def _poll_processes(self, pid: int) -> None:
        while True:
            below = await asyncio.to_thread(processes, pid)
            self.titles.update(await asyncio.to_thread(titles, below))
            self.connections.update(await asyncio.to_thread(sockets.outside, below))
            await asyncio.sleep(POLL_S)

    async def _poll_logs(self, folder: Path) -> None:
        """Of a log that grows long a cell keeps the newest part; whoever read it before that has
        the rest."""
        read: dict[str, tuple[int, int]] = {}
        while True:
            self.logs += await asyncio.to_thread(cut_off, folder, read)
            await asyncio.sleep(POLL_S)


def cut_off(folder: Path, read: dict[str, tuple[int, int]]) -> list[tuple[str, bytes]]:
    """The older parts of logs that are not in `read` yet, by name; they are then."""
    found = []
    for path in folder.glob("*.1"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            version = (stat.st_mtime_ns, stat.st_size)
            if read.get(path.name) != version:
                found.append((path.name, path.read_bytes()))
                read[path.name] = version
    return found


def processes(pid: int) -> list[int]:
    """A process and all below it (Linux; elsewhere none)."""
    parents: dict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc") if Path("/proc").is_dir() else []:
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                parents[int(stat[1])].append(int(name))
    found, waiting = list[int](), [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += parents[found[-1]]
    return found


def titles(pids: Iterable[int]) -> list[bytes]:
    """Command lines, names and environments of processes."""
    found = []
    for pid in pids:
        for part in ("cmdline", "environ", "comm"):
            with contextlib.suppress(OSError):
                found.append(Path(f"/proc/{pid}/{part}").read_bytes())
    return found


async def columns(owner: Database, superuser: Database) -> AsyncIterator[tuple[str, bytes]]:
    """(`schema.table.column`, all that it holds and has held) for every column of every table;
    then large objects, which any login can make."""
    held: dict[str, list[bytes]] = defaultdict(list)
    async with owner.read() as tx:
        for row in await tx.fetch(SEEN):
            if row["held"] is not None:
                held[f"{row['place']}.{row['name']}"].append(_as_bytes(row["held"]))
    async for place, data in held_now(owner):
        held[place].append(data)
    for place, values in held.items():
        yield place, b"\n".join(values)
    async with superuser.read() as tx:
        objects = [bytes(row["data"]) for row in await tx.fetch(LARGE_OBJECTS)]
    if objects:
        yield "pg_largeobject.data", b"\n".join(objects)


def _as_bytes(held: str) -> bytes:
    """A value of a row as it was seen: bytes come written in hex."""
    if held.startswith("\\x"):
        with contextlib.suppress(ValueError):
            return bytes.fromhex(held[2:])
    return held.encode()


async def own_files(owner: Database) -> frozenset[str]:
    """Paths below the database's folder that hold what the canary itself wrote."""
    async with owner.read() as tx:
        row = await tx.fetchrow(OWN_FILES)
    return frozenset(str(path) for path in row) if row is not None else frozenset()


async def held_now(owner: Database) -> AsyncIterator[tuple[str, bytes]]:
    """(`schema.table.column`, all that it holds) for every column of every table."""
    async with owner.read() as tx:
        for table in await tx.fetch(TABLES):
            for column in await tx.fetch(COLUMNS, table["name"]):
                kind = "" if column["is_bytes"] else "::text"
                query = f'SELECT "{column["name"]}"{kind} AS held FROM {table["name"]}'  # noqa: S608
                values = [row["held"] for row in await tx.fetch(query)]
                yield (
                    f"{table['name']}.{column['name']}",
                    b"\n".join(
                        one if isinstance(one, bytes) else str(one).encode()
                        for one in values
                        if one is not None
                    ),
                )


async def run_all_jobs(owner: Database, seconds: float) -> None:
    """Makes every job due, also those of a schedule, and waits until none is left."""
    async with owner.tx() as tx:
        await tx.execute(UNCUT)
        await tx.execute(PERIODIC_NOW)
        await tx.execute(ALL_NOW)
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        async with owner.read() as tx:
            if not await tx.fetchval(UNDONE):
                return
        await asyncio.sleep(POLL_S)


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """(path below the folder, the file) for everything that was written there."""
    for place in sorted(folder.rglob("*")):
        if place.is_file() and not place.is_symlink():
            yield place.relative_to(folder).as_posix(), place
