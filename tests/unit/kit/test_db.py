"""What callers see of a database that goes away: always one of the errors with a name for it."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from pathlib import Path

from luciole.kit import postgres, processes
from luciole.kit.db import LOST, Database

KILLS = 12


async def test_killed_backends_give_no_other_errors_than_lost(tmp_path: Path) -> None:
    """A killed backend makes the server cut all others, whatever they are doing just then."""
    settings = {"fsync": "off", "full_page_writes": "off"}
    async with postgres.embedded_async(tmp_path / "pg", settings=settings) as server:
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
                        await tx.execute("SELECT pg_sleep(0.001)")
                        done += 1
                except (*LOST, TimeoutError):
                    await asyncio.sleep(0.005)
                except Exception as error:
                    odd.append(repr(error))

        workers = [asyncio.create_task(work()) for _ in range(12)]
        assert server._process is not None
        for _ in range(KILLS):
            before, until = done, time.monotonic() + 30
            while done < before + 20:
                assert time.monotonic() < until, "the database does not come back"
                await asyncio.sleep(0.01)
            family = processes.descendants(server._process.pid)
            random.choice(family).send(signal.SIGKILL)
        is_over = True
        await asyncio.gather(*workers)
        await database.close()
    assert odd == []
