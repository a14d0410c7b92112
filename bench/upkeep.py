"""How long does it take to remove an erased person's remains from the database, and who waits?

Expected: 100,000 clips are some 400,000 rows of 150 bytes, 100 MB with their indexes. Writing
that anew at 50 MB a second takes 2 s, sorting the indexes as long again; statistics come on top.
While a table is written anew its readers wait, so the longest wait is the largest table: 1 to 2 s.
The floor is a plain VACUUM (ANALYZE) of the same tables, which leaves the remains. And: does
removing files of the write-ahead log, instead of using them again, make writing slower? It has to
make new ones of 16 MiB, full of zeros: 1 ms a MB.

    PYTHONPATH=src .venv/bin/python -m bench.upkeep --clips 100000

Results are written to bench/results/upkeep.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import asyncpg

from bench import cells, machine
from luciole import upkeep as cell_upkeep
from luciole.cell.feed import store as feed
from luciole.cell.feed.service import TOP
from luciole.kit import migrate, postgres, upkeep
from luciole.kit.postgres_logins import SUPERUSER

RESULTS = Path(__file__).with_name("results") / "upkeep.md"
SIZE = "SELECT pg_database_size(current_database())"
# Every hundredth author goes, with everything; likes of others make rows that refer to them.
ERASE = (
    "DELETE FROM clips.clip WHERE author_id IN (SELECT id FROM people.person WHERE handle ~ '00$')",
    "DELETE FROM people.person WHERE handle ~ '00$'",
)
WRITE = "INSERT INTO s.t SELECT n, repeat(md5(n::text), 30) FROM generate_series(1, 200000) n"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--clips", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--results", type=Path, default=RESULTS)
    said = words.parse_args()
    with tempfile.TemporaryDirectory(dir=machine.ROOT / ".cache") as place:
        home = Path(place) / "postgres"
        with postgres.embedded(home) as server:
            asyncio.run(migrate.apply(server.url()))
            rows, size = asyncio.run(measured(server, said.clips, said.rounds))
        wal = asyncio.run(writing(Path(place), said.rounds))
    said.results.write_text(page(said.clips, size, rows, wal), encoding="utf-8")
    print(said.results.read_text(encoding="utf-8"))


async def measured(server: postgres.Server, clips: int, rounds: int) -> tuple[list[list[str]], int]:
    """A row for each way: seconds of each round, and the longest wait of a reader."""
    await cells.fill(server.url(), clips)
    owner = await asyncpg.connect(server.url())
    for statement in ERASE:
        await owner.execute(statement)
    size = int(await owner.fetchval(SIZE))
    tables = cell_upkeep.tables()
    url = server.url(SUPERUSER, server.logins.database)
    took: dict[str, list[tuple[float, float]]] = {"plain VACUUM (floor)": [], "upkeep": []}
    for _ in range(rounds):
        async with watched(server) as waits:
            began = time.monotonic()
            await owner.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
            floor_s = time.monotonic() - began
        took["plain VACUUM (floor)"].append((floor_s, max(waits)))
        async with watched(server) as waits:
            done = await upkeep.purge(url, tables)
        took["upkeep"].append((done.seconds, max(waits)))
    await owner.close()
    return [
        [
            way,
            " / ".join(f"{seconds:.1f}" for seconds, _ in each),
            f"{statistics.median(seconds for seconds, _ in each):.1f}",
            f"{max(wait for _, wait in each) * 1000:.0f}",
        ]
        for way, each in took.items()
    ], size


@contextlib.asynccontextmanager
async def watched(server: postgres.Server) -> AsyncIterator[list[float]]:
    """Reads the newest clips all the while; gives how long each reading took."""
    waits, stop = [0.0], asyncio.Event()
    reader = await asyncpg.connect(server.url())

    async def read() -> None:
        while not stop.is_set():
            began = time.monotonic()
            found = await reader.fetch(feed.LATEST, TOP.published_at, TOP.id, 20)
            assert len(found) == 20
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.01)

    task = asyncio.create_task(read())
    try:
        yield waits
    finally:
        stop.set()
        await task
        await reader.close()


async def writing(place: Path, rounds: int) -> list[list[str]]:
    """Seconds for 200 MB of rows, with files of the log used again or removed, in turns."""
    took: dict[str, list[float]] = {"off": [], "on": []}
    for number in range(rounds):
        for recycle in took:
            settings: Mapping[str, str] = {"wal_recycle": recycle}
            with postgres.embedded(place / f"wal-{number}-{recycle}", settings=settings) as server:
                owner = await asyncpg.connect(server.url())
                await owner.execute("CREATE SCHEMA s; CREATE TABLE s.t (id int, word text)")
                for _ in range(3):
                    began = time.monotonic()
                    await owner.execute(WRITE)
                    seconds = time.monotonic() - began
                took[recycle].append(seconds)
                await owner.close()
    return [
        [f"wal_recycle = {recycle}", " / ".join(f"{one:.2f}" for one in each),
         f"{statistics.median(each):.2f}"]
        for recycle, each in took.items()
    ]  # fmt: skip


def page(clips: int, size: int, rows: list[list[str]], wal: list[list[str]]) -> str:
    heads = ("way", "rounds, s", "median, s", "longest wait of a reader, ms")
    return (
        f"# Removing remains\n\n{machine.described()} {clips:,} clips, a database of "
        f"{size / 2**20:.0f} MiB, an author in a hundred erased.\n\n"
        + machine.table(heads, rows)
        + "\n"
        + machine.table(("200 MB of rows, third time", "rounds, s", "median, s"), wal)
    )


if __name__ == "__main__":
    main()
