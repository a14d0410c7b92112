"""What callers see of a database that goes away: always one of the errors with a name for it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from luciole.kit import postgres, processes
from luciole.kit.db import LOST, Database
from luciole.kit.postgres_place import SOCKET_PORT

KILLS = 6
FAST = {"fsync": "off", "full_page_writes": "off"}


@contextlib.asynccontextmanager
async def slow_to_close(server: postgres.Server, folder: Path) -> AsyncIterator[str]:
    """A URL of the server behind a relay that passes its end on a little late, as a busy machine
    does: its farewell has arrived by then, and a query is under way."""
    own, real = folder / f".s.PGSQL.{SOCKET_PORT}", server.socket_dir
    pumps: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, late_s: float) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
        await asyncio.sleep(late_s)
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(real / own.name))
        pumps.add(asyncio.create_task(pump(reader, back, 0)))
        pumps.add(asyncio.create_task(pump(there, writer, 0.3)))

    async with await asyncio.start_unix_server(relay, str(own)):
        yield server.url().replace(quote(str(real), safe=""), quote(str(folder), safe=""))
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def test_query_after_the_farewell_of_the_server_is_a_lost_connection(tmp_path: Path) -> None:
    async with postgres.embedded_async(tmp_path / "pg", settings=FAST) as server:
        # A short folder, because the path of a socket may have no more than 107 bytes.
        with tempfile.TemporaryDirectory(dir="/tmp") as short:
            async with slow_to_close(server, Path(short)) as url:
                database = await Database.open(url, size=1)
                async with database.read() as tx:
                    number = await tx.fetchval("SELECT pg_backend_pid()")
                known = processes.Known.find(number)
                assert known is not None
                known.send(signal.SIGTERM)
                assert await asyncio.to_thread(known.wait, 10)
                with pytest.raises(LOST):
                    async with database.tx() as tx:
                        await tx.fetchval("SELECT 1")
                await database.close()


def is_clients(known: processes.Known) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{known.pid}/cmdline").read_bytes()
        return postgres.Logins().owner.encode() in words
    return False


@pytest.mark.long
async def test_killed_backends_give_no_other_errors_than_lost(tmp_path: Path) -> None:
    """A killed backend makes the server cut all others, whatever they are doing just then."""
    async with postgres.embedded_async(tmp_path / "pg", settings=FAST) as server:
        database = await Database.open(server.url(), size=6)
        odd: list[str] = []
        done = 0
        is_over = False

        async def work() -> None:
            nonlocal done
            while not is_over:
                try:
                    async with database.tx() as tx:
                        await tx.fetchval("SELECT count(*) FROM generate_series(1, $1)", 500)
                        done += 1
                except (*LOST, TimeoutError):
                    await asyncio.sleep(0.005)
                except Exception as error:
                    odd.append(repr(error))

        workers = [asyncio.create_task(work()) for _ in range(12)]
        assert server._process is not None
        for _ in range(KILLS):
            before, until = done, time.monotonic() + 30
            clients: list[processes.Known] = []
            # Just after the cut that a kill brings there may be none.
            while done < before + 20 or not clients:
                assert time.monotonic() < until, "the database does not come back"
                await asyncio.sleep(0.01)
                # Clients' only: without some of the others the whole server ends, for good.
                family = processes.descendants(server._process.pid)
                clients = [one for one in family if is_clients(one)]
            random.choice(clients).send(signal.SIGKILL)
        is_over = True
        await asyncio.gather(*workers)
        await database.close()
    assert odd == []


async def test_server_that_is_gone_is_no_error_of_the_disk(tmp_path: Path) -> None:
    """Its socket is gone with it; what the system then says would be taken for a lost file."""
    async with postgres.embedded_async(tmp_path / "pg", settings=FAST) as server:
        database = await Database.open(server.url(), size=1)
        await asyncio.to_thread(server.stop)
        for _ in range(2):
            with pytest.raises(LOST) as lost:
                async with database.read() as tx:
                    await tx.fetchval("SELECT 1")
            assert not isinstance(lost.value, OSError)
        await database.close()


async def test_connection_is_free_again_after_an_error_of_its_user(db: Database) -> None:
    for _ in range(20):
        with contextlib.suppress(ZeroDivisionError):
            async with db.tx() as tx:
                await tx.execute("SELECT 1")
                raise ZeroDivisionError
    async with db.read() as tx:
        assert await tx.fetchval("SELECT 1") == 1
