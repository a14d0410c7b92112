"""What does a page of 20 clips cost beside its bare query, and does it grow with the cell?

Expected: at most 2.5 times the CPU of the floor, and with 1,000,000 clips at most 1.3 times the
time of 10,000, because every page is a range of one index. The floor is the page's own SQL through
asyncpg with the same arguments, in the same run, on the same server. Rounds take turns, so that
what else the machine does hits both alike.

    PYTHONPATH=src .venv/bin/python -m bench.feed

Results are written to bench/results/feed.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import httpx
import uvloop
from tests.drills.cell_process import free_port, serve, started

from bench import cells, machine
from luciole.cell.feed import store
from luciole.cell.feed.model import FeedPlace
from luciole.cell.feed.service import TOP
from luciole.kit import migrate, postgres
from luciole.kit.cursor import Cursors
from luciole.kit.keeper import FolderLock
from luciole.roots.choose import open_secret

RESULTS = Path(__file__).with_name("results") / "feed.md"
PAGE = 20
POOL = 10
PLACES = 200
FOLLOWED = 50
PAGES_A_ROUND = {1: 400, 32: 1600}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """What one kind of request took: milliseconds each, and CPU microseconds a page by round."""

    times_ms: list[float] = field(default_factory=list)
    own_us: list[float] = field(default_factory=list)
    database_us: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        return statistics.quantiles(self.times_ms, n=1000)[int(share * 1000) - 1]

    @property
    def cpu_us(self) -> float:
        return statistics.median(self.own_us) + statistics.median(self.database_us)


@dataclass
class Feed:
    """A feed: its path, the SQL behind its page, and who asks."""

    name: str
    path: str
    query: str
    before: tuple[Any, ...]
    scope: str
    headers: dict[str, str]


def cpu_s(pids: list[int]) -> float:
    """CPU time that processes have used so far, as far as they still live."""
    ticks = 0
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(words[11]) + int(words[12])
    return ticks / TICKS


def below(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


async def spread(work: list[Callable[[], Awaitable[None]]], connections: int) -> None:
    """Does pieces of work, as many at once as there are connections."""
    waiting = iter(work)

    async def line() -> None:
        for piece in waiting:
            await piece()

    await asyncio.gather(*(line() for _ in range(connections)))


class Floor:
    """The bare query, in this process."""

    def __init__(self, pool: asyncpg.Pool, feed: Feed) -> None:
        self._pool, self._feed = pool, feed

    async def page(self, place: FeedPlace) -> None:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(
                self._feed.query, *self._feed.before, place.published_at, place.id, PAGE + 1
            )
        assert len(rows) > PAGE


class Front:
    """The page over HTTP, from the cell's own process. Connections stay open."""

    def __init__(self, port: int, feed: Feed, cursors: Cursors) -> None:
        self._port, self._feed, self._cursors = port, feed, cursors
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._head = "".join(f"{name}: {value}\r\n" for name, value in feed.headers.items())

    async def page(self, place: FeedPlace) -> None:
        if self._open:
            reader, writer = self._open.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        cursor = (
            "" if place == TOP else f"&cursor={quote(self._cursors.make(self._feed.scope, place))}"
        )
        target = f"{self._feed.path}?limit={PAGE}{cursor}"
        writer.write(
            f"GET {target} HTTP/1.1\r\nhost: localhost:{self._port}\r\n{self._head}\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        self._open.append((reader, writer))

    def close(self) -> None:
        for _, writer in self._open:
            writer.close()


async def round_of(
    page: Callable[[FeedPlace], Awaitable[None]],
    places: list[FeedPlace],
    connections: int,
    own: list[int],
    database: int,
    into: Measured,
) -> None:
    """One round: times of each page, CPU of the process that makes it and of PostgreSQL."""

    def piece(place: FeedPlace) -> Callable[[], Awaitable[None]]:
        async def timed() -> None:
            began = time.perf_counter()
            await page(place)
            into.times_ms.append((time.perf_counter() - began) * 1000)

        return timed

    chosen = random.choices(places, k=PAGES_A_ROUND[connections])
    servers = below(database)
    before = cpu_s(own), cpu_s(servers)
    await spread([piece(place) for place in chosen], connections)
    into.own_us.append((cpu_s(own) - before[0]) * 1e6 / len(chosen))
    into.database_us.append((cpu_s(below(database)) - before[1]) * 1e6 / len(chosen))


async def measure(
    url: str, port: int, api: int, database: int, feed: Feed, cursors: Cursors, rounds: int
) -> dict[int, tuple[Measured, Measured]]:
    """By number of connections: the floor and the page."""
    pool = await asyncpg.create_pool(
        url, min_size=POOL, max_size=POOL, server_settings={"jit": "off", "timezone": "UTC"}
    )
    rows = await pool.fetch(cells.PLACES, PLACES)
    places = [FeedPlace(row["published_at"], row["id"]) for row in rows]
    # Half of all pages are the first: that is the one that everybody opens.
    places += [TOP] * len(places)
    floor, front = Floor(pool, feed), Front(port, feed, cursors)
    found: dict[int, tuple[Measured, Measured]] = {}
    for connections in PAGES_A_ROUND:
        for page in (floor.page, front.page):  # Warm: plans, caches, connections.
            await spread([lambda page=page, at=at: page(at) for at in places], connections)
        pair = found[connections] = Measured(), Measured()
        for _ in range(rounds):
            await round_of(floor.page, places, connections, [os.getpid()], database, pair[0])
            await round_of(front.page, places, connections, [api], database, pair[1])
    front.close()
    await pool.close()
    return found


def row(feed: str, clips: int, connections: int, floor: Measured, page: Measured) -> list[str]:
    own = statistics.median(page.own_us) / statistics.median(floor.own_us)
    return [
        feed, f"{clips:,}", str(connections),
        f"{floor.percentile(0.5):.2f} / {floor.percentile(0.99):.2f}",
        f"{page.percentile(0.5):.2f} / {page.percentile(0.99):.2f}",
        f"{statistics.median(floor.own_us):.0f} + {statistics.median(floor.database_us):.0f}",
        f"{statistics.median(page.own_us):.0f} + {statistics.median(page.database_us):.0f}",
        f"**{page.cpu_us / floor.cpu_us:.2f}**", f"{own:.2f}",
    ]  # fmt: skip


HEAD = ["feed", "clips", "connections", "floor p50 / p99 ms", "page p50 / p99 ms",
        "floor CPU µs (driver + database)", "page CPU µs (API + database)", "CPU, page : floor",
        "without the database's"]  # fmt: skip


async def signed_in(port: int, url: str) -> tuple[UUID, str]:
    """A person who follows FOLLOWED authors; id and session token."""
    async with httpx.AsyncClient(base_url=f"http://localhost:{port}") as client:
        handle = f"reader{random.randrange(10**9)}"
        body = {"handle": handle, "display_name": "Reader", "age_band": "18+", "locale": "en",
                "password": "seven turquoise herons"}  # fmt: skip
        answer = await client.post("/api/sign-up", json=body)
        answer.raise_for_status()
    token = answer.json()["token"]
    connection = await asyncpg.connect(url)
    person: UUID = await connection.fetchval(cells.PERSON, handle)
    await connection.execute(cells.FOLLOW, person, FOLLOWED)
    await connection.close()
    return person, token


async def one_size(
    server: postgres.Server, data: Path, clips: int, rounds: int
) -> list[tuple[str, int, dict[int, tuple[Measured, Measured]]]]:
    await cells.fill(server.url(), clips)
    port = free_port()
    command, environment = serve(data, port)
    environment |= {
        "DATABASE_URL": server.url(),
        "DATABASE_URL_API": server.url("luciole_api"),
        "DATABASE_URL_WORKER": server.url("luciole_worker"),
    }
    found = []
    with started(command, environment) as cell:
        cell.wait_for("The cell answers after", 60)
        note = FolderLock(data / "run").read()
        assert note is not None
        api = note.children["api"].pid
        database = int((server.data_dir / "postmaster.pid").read_text().split()[0])
        secret = open_secret("file:", data / "keys")
        assert secret is not None
        cursors = Cursors(secret.derived("cursors"))
        person, token = await signed_in(port, server.url())
        for feed in (
            Feed("Latest", "/api/feeds/latest", store.LATEST, (), "latest", {}),
            Feed("Following", "/api/feeds/following", store.FOLLOWING, (person,),
                 f"following:{person}", {"authorization": f"Bearer {token}"}),
        ):  # fmt: skip
            url = server.url("luciole_api")
            found.append(
                (feed.name, clips, await measure(url, port, api, database, feed, cursors, rounds))
            )
        cell.stop()
    return found


async def run(sizes: list[int], rounds: int) -> list[Any]:
    found = []
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as folder:
        async with postgres.embedded_async(Path(folder) / "postgres") as server:
            await asyncio.to_thread(lambda: asyncio.run(migrate.apply(server.url())))
            for clips in sizes:
                began = time.monotonic()
                found += await one_size(server, Path(folder) / "data", clips, rounds)
                print(f"{clips:,} clips: {time.monotonic() - began:.0f} s", flush=True)
    return found


def written(found: list[Any], sizes: list[int], rounds: int) -> str:
    rows = [
        row(name, clips, connections, *pair)
        for name, clips, by_connections in found
        for connections, pair in by_connections.items()
    ]
    growth = []
    for name, clips, by_connections in found:
        for connections, (_, page) in by_connections.items():
            if clips == sizes[-1] and len(sizes) > 1:
                small = next(each[2] for each in found if each[0] == name and each[1] == sizes[0])
                small_page = small[connections][1]
                growth.append([
                    name, str(connections),
                    f"{page.percentile(0.5) / small_page.percentile(0.5):.2f}",
                    f"{page.cpu_us / small_page.cpu_us:.2f}",
                ])  # fmt: skip
    return (
        "# A page of 20 clips\n\n"
        f"{machine.described()} {rounds} rounds of each, in turns; half of the pages are the first "
        f"page, the others begin at {PLACES} places all over the feed. Following: {FOLLOWED} "
        "followed authors, signed in. `bench/feed.py`\n\n"
        f"{machine.table(HEAD, rows)}\n"
        f"## {sizes[-1]:,} clips against {sizes[0]:,}\n\n"
        f"{machine.table(['feed', 'connections', 'p50', 'CPU'], growth)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", default="10000,1000000", help="sizes, smallest first")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    sizes = [int(size) for size in chosen.clips.split(",")]
    found = uvloop.run(run(sizes, chosen.rounds))
    text = written(found, sizes, chosen.rounds)
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
