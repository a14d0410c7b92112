"""How soon does a page of For You answer, how soon does it know what just happened, and how long
does a start take that has a long log to read?

Expected: with 100,000 clips, 32 connections and an offered rate that two cores carry, 95 % of the
pages within 50 ms, counted from when each was due and not from when a connection was free; 95 % of
"signal, then a page that knows of it" within 100 ms (checked by the impressions that the cell
counts; mostly that is the very next page, and how often it was not is said); with 1,000,000 clips,
at most twice that; 1,000,000 rows of the log read in 6 s. The floor is the same page asked of
Latest, in the same run, at the same rate. The sizes are those of one cell that grows.

    PYTHONPATH=src .venv/bin/python -m bench.for_you

Results are written to bench/results/for_you.md.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
from tests.drills.cell_process import Cell, free_port, serve, started

from bench import cells, machine
from luciole.cell.feed.follower import Follower
from luciole.cell.feed.veil import Veil
from luciole.kit import migrate, postgres
from luciole.kit.clock import Clock
from luciole.kit.db import Database

RESULTS = Path(__file__).with_name("results") / "for_you.md"
CONNECTIONS = 32
PAGES_OF_A_SESSION = 8
LIMIT = 10
COUNTED_WITHIN_S = 60
FOR_YOU = "For You"
HEAD = ["clips", "what", "of them", "p50 ms", "p95 ms", "p99 ms", "most ms"]
VEIL = Veil(bytes(32))
FEATURES = 18
# Events of the last hours, spread over clips and sessions as pages would spread them.
EVENTS = f"""
INSERT INTO feed.event (at, clip_id, session_id, signal, value, source, features, trust, propensity)
SELECT now() - (($1::bigint - i) * interval '10 ms'), c.id,
       ('00000000-0000-4000-8000-' || lpad(to_hex(i / 40), 12, '0'))::uuid,
       (i % 2)::smallint, CASE WHEN i % 2 = 1 THEN (random() * 12000)::int ELSE 0 END, 3,
       decode(repeat('003c', {FEATURES}), 'hex'), 0.25, 0.1
FROM generate_series(1, $1::bigint) i
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM clips.clip) c
  ON c.n = 1 + (i / 2 * 7919) % (SELECT count(*) FROM clips.clip)
ORDER BY i
"""


class Walks:
    """Visitors who walk through the feed, report what they see, and come again."""

    def __init__(self, path: str, *, reports: bool) -> None:
        self._path = path
        self._reports = reports
        self._open: list[tuple[str, int]] = []
        self.pages_ms: list[float] = []

    async def open(self, clients: list[httpx.AsyncClient], people: int) -> None:
        """Begins walks of so many people, who all go on from there."""

        async def begin(client: httpx.AsyncClient, many: int) -> None:
            for _ in range(many):
                answer = await client.get(self._path, params={"limit": LIMIT})
                answer.raise_for_status()
                self._open.append((answer.json()["next"], PAGES_OF_A_SESSION))

        each = -(-people // len(clients))
        await asyncio.gather(*(begin(client, each) for client in clients))

    async def page(self, client: httpx.AsyncClient, due: float) -> None:
        """The next page of a walk, or the first of a new one; timed from when it was due."""
        cursor, left = self._open.pop(0) if self._open else ("", PAGES_OF_A_SESSION)
        params: dict[str, Any] = {"limit": LIMIT, **({"cursor": cursor} if cursor else {})}
        answer = await client.get(self._path, params=params)
        self.pages_ms.append((time.perf_counter() - due) * 1000)
        answer.raise_for_status()
        body = answer.json()
        assert len(body["items"]) == LIMIT, "the cell has fewer clips than walks need"
        if left > 1 and body["next"]:
            self._open.append((body["next"], left - 1))
        if self._reports:
            await client.post(f"{self._path}/signals", json={"signals": seen(body)})


def seen(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client reports of a page that was looked through."""
    return [
        {"page": body["page"], "slot": slot, "kind": kind, "ms": random.randrange(1, 1500)}
        for slot in body["slots"]
        for kind in ("shown", "watched")
    ]


async def offered(
    clients: list[httpx.AsyncClient], walks: Walks, a_second: float, seconds: float
) -> None:
    """Asks for pages at a rate, whether or not the earlier ones have been answered."""
    free: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
    for client in clients:
        free.put_nowait(client)
    began = time.perf_counter()
    running: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        client = await free.get()
        try:
            await walks.page(client, due)
        finally:
            free.put_nowait(client)

    for number in range(int(a_second * seconds)):
        due = began + number / a_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.add(asyncio.create_task(one(due)))
    await asyncio.gather(*running)


async def changes(client: httpx.AsyncClient, rounds: int) -> tuple[list[float], int]:
    """Milliseconds from sending a signal to having a page that was drawn when it was counted, and
    how many of them were not the very next one: rows wait below older transactions."""
    path, taken, late, last = "/api/feeds/for-you", list[float](), 0, -1
    while (known := await impressions(client)) != last:  # What was offered before is counted.
        last = known
        await asyncio.sleep(1)
    for _ in range(rounds):
        body = (await client.get(path, params={"limit": LIMIT})).json()
        before = await impressions(client)
        told = [{"page": body["page"], "slot": body["slots"][0], "kind": "shown"}]
        began = time.perf_counter()
        (await client.post(f"{path}/signals", json={"signals": told})).raise_for_status()
        is_next = True
        while True:
            answer = await client.get(path, params={"limit": LIMIT, "cursor": body["next"]})
            ended = time.perf_counter()
            answer.raise_for_status()
            if await impressions(client) > before:
                break
            late, is_next = late + is_next, False
            if ended - began > COUNTED_WITHIN_S:
                raise AssertionError(f"a signal is not counted after {ended - began:.1f} s")
        taken.append((ended - began) * 1000)
    return taken, late


async def impressions(client: httpx.AsyncClient) -> int:
    how = (await client.get("/api/feeds/for-you/how")).json()
    return int(how["budget"]["impressions_a_day"])


async def replay(url: str, events: int) -> tuple[int, float, float]:
    """Events, and seconds to load the clips alone and with the log."""
    clock = Clock()
    database = await Database.open(url, role="luciole_api", size=2)
    try:
        began = time.perf_counter()
        await Follower(database, clock, VEIL).caught_up()
        alone = time.perf_counter() - began
        connection = await asyncpg.connect(url)
        await connection.execute(EVENTS, events, timeout=1800)
        await connection.close()
        began = time.perf_counter()
        fold = await Follower(database, clock, VEIL).caught_up()
        whole = time.perf_counter() - began
        assert fold.events >= events
        return fold.events, alone, whole
    finally:
        await database.close()


def row(name: str, times: list[float]) -> list[str]:
    found = cuts(times)
    return [name, str(len(times)), *(f"{found[at]:.1f}" for at in (499, 949, 989)),
            f"{max(times):.1f}"]  # fmt: skip


def cuts(times: list[float]) -> list[float]:
    """What a thousandth, two thousandths, … of the times do not exceed."""
    return statistics.quantiles(times, n=1000)


async def run(chosen: argparse.Namespace) -> str:
    rows, starts = [], []
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as folder:
        data = Path(folder) / "data"
        async with postgres.embedded_async(Path(folder) / "postgres") as server:
            await asyncio.to_thread(lambda: asyncio.run(migrate.apply(server.url())))
            # Keys are made for a cell without people only.
            with running(server, data, chosen.processes)[0] as cell:
                cell.wait_for("The cell answers after", 120)
                cell.stop()
            for clips in chosen.clips:
                await cells.fill(server.url(), clips)
                found = await over_http(server, data, chosen)
                rows += [[f"{clips:,}", *row(name, times)] for name, times in found.items()]
                print(machine.table(HEAD, rows), flush=True)
                starts.append(found)
            events, alone, whole = await replay(server.url(), chosen.events)
    return (
        "# For You\n\n"
        f"{machine.described()} {CONNECTIONS} connections, "
        f"{chosen.rate:g} pages a second offered for {chosen.seconds:g} s to {chosen.people:,} "
        f"people in the middle of their walks, {chosen.processes} API process(es); each "
        "page of For You is followed by a batch of 20 signals, which is not timed but "
        f"uses the same cores. `bench/for_you.py`\n\n{machine.table(HEAD, rows)}\n"
        f"{grown(chosen.clips, starts)}"
        f"A start with {events:,} events in the log, {chosen.clips[-1]:,} clips and no snapshot: "
        f"{whole:.1f} s; with the clips alone {alone:.1f} s.\n"
    )


def grown(sizes: list[int], found: list[dict[str, list[float]]]) -> str:
    """A sentence on what the largest size costs beside the smallest."""
    if len(sizes) < 2:
        return ""
    small, large = (cuts(one[FOR_YOU]) for one in (found[0], found[-1]))
    return (
        f"A page of For You with {sizes[-1]:,} clips beside {sizes[0]:,}: p50 "
        f"{large[499] / small[499]:.2f} times, p95 {large[949] / small[949]:.2f} times.\n\n"
    )


def running(
    server: postgres.Server, data: Path, processes: int
) -> tuple[AbstractContextManager[Cell], str]:
    """A cell on that database, and its address."""
    port = free_port()
    command, environment = serve(data, port)
    environment |= {
        "DATABASE_URL": server.url(),
        "DATABASE_URL_API": server.url("luciole_api"),
        "DATABASE_URL_WORKER": server.url("luciole_worker"),
        "LUCIOLE_WEB_PROCESSES": str(processes),
        # All of them come from one address.
        "LUCIOLE_FEED_PAGES_PER_HOUR": "1000000000",
        "LUCIOLE_FEED_VISITOR_PAGES_PER_DAY": "1000000000",
    }
    return started(command, environment), f"http://localhost:{port}"


async def over_http(
    server: postgres.Server, data: Path, chosen: argparse.Namespace
) -> dict[str, list[float]]:
    """Milliseconds of each page, by what it was."""
    process, base = running(server, data, chosen.processes)
    with process as cell:
        cell.wait_for("The cell answers after", 300)
        clients = [httpx.AsyncClient(base_url=base, timeout=600) for _ in range(CONNECTIONS)]
        for client in clients:  # Warm: plans, caches, connections, and the clips in memory.
            (await client.get("/api/feeds/for-you")).raise_for_status()
        found = {}
        for name, walks in (
            ("Latest, the floor", Walks("/api/feeds/latest", reports=False)),
            (FOR_YOU, Walks("/api/feeds/for-you", reports=True)),
        ):
            await walks.open(clients, chosen.people)
            await offered(clients, walks, chosen.rate, chosen.seconds)
            found[name] = walks.pages_ms
        taken, late = await changes(clients[0], chosen.rounds)
        found[f"signal, then a page that knows ({late} of them not the next one)"] = taken
        for client in clients:
            await client.aclose()
        cell.stop()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--people", type=int, default=10_000, help="whose walks have begun")
    parser.add_argument("--processes", type=int, default=1, help="API processes")
    parser.add_argument("--rounds", type=int, default=200, help="signals followed by a page")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    text = uvloop.run(run(chosen))
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
