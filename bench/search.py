"""How soon is somebody or something found among 1,000,000 clips, and what does indexing cost?

Expected: 95 % of searches for clips within 50 ms, in each order, with words as frequent as in the
captions, one in seven misspelt; 95 % of what is offered while somebody types within 25 ms. The
floor is the page of Latest in the same run: a page of clips that nobody had to look for.

    PYTHONPATH=src .venv/bin/python -m bench.search --clips 1000000 --people 100000

With `--town FOLDER` it is one that `bench.social --state` keeps (`STATE/1000000`), which saves the
fill.

The clips have captions in six languages (bench/captions.py), an author and likes, but no films: a
page of real ones reads three renditions of each besides, as in bench/results/feed.md. Results are
written to bench/results/search.md.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
from tests.drills.cell_process import free_port, serve, started

from bench import filling, machine, social, towns
from bench.captions import Captions
from luciole.cell.search.indexing import Indexing
from luciole.kit import migrate, postgres, postgres_logins
from luciole.kit.clock import Clock
from luciole.kit.db import Database

RESULTS = Path(__file__).with_name("results") / "search.md"
SEED = 20261126
LEAST_ROUND = 100
AT_ONCE = 2000
INDEXED_ANEW = 20_000
SETTLE = "VACUUM (ANALYZE) search.clip, search.word, search.hashtag, search.person, clips.clip"
SIZES = """
SELECT c.relname AS name, pg_total_relation_size(c.oid) / 1048576 AS mib
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'search' AND c.relkind = 'r' AND c.relname <> 'trend'
ORDER BY 2 DESC
"""
PEOPLE = "SELECT count(*) FROM people.person"
CLIPS = "SELECT count(*) FROM search.clip"
HASHTAGS = "SELECT tag FROM search.hashtag ORDER BY clips DESC LIMIT $1"


class Asked:
    """Requests of one kind, one after the other, and how long each took."""

    def __init__(self, name: str, requests: list[tuple[str, str, Any]]) -> None:
        self.name, self.requests = name, requests
        self.times: list[float] = []
        self.found = 0
        self.slowest: tuple[float, Any] = (0.0, None)

    async def run(self, client: httpx.AsyncClient) -> None:
        for method, path, body in self.requests:
            began = time.perf_counter()
            answer = await client.request(method, path, json=body)
            took = (time.perf_counter() - began) * 1000
            answer.raise_for_status()
            told = answer.json()
            self.times.append(took)
            self.found += bool(told.get("items") or told.get("people") or told.get("hashtags"))
            self.slowest = max(self.slowest, (took, body or path), key=lambda pair: pair[0])

    def row(self) -> list[str]:
        cuts = statistics.quantiles(self.times, n=1000)
        return [
            self.name, str(len(self.times)), f"{self.found / len(self.times):.0%}",
            *(f"{cuts[int(share * 1000) - 1]:.1f}" for share in (0.5, 0.95, 0.99)),
            f"{max(self.times):.1f}",
        ]  # fmt: skip


async def make_stale(server: postgres.Server, count: int) -> None:
    """Has the worker index so many clips anew."""
    connection = await asyncpg.connect(server.url(postgres_logins.SUPERUSER))
    ids = [towns.id_of(towns.CLIP, number) for number in range(count)]
    await connection.execute(filling.MAKE_STALE, "clip", ids)
    await connection.close()


async def index(server: postgres.Server) -> tuple[int, float]:
    """Indexes what is there as the worker does; how much, and in how many seconds."""
    database = await Database.open(server.url("luciole_worker"), size=2)
    try:
        began = time.perf_counter()
        done = await Indexing(database, Clock(), AT_ONCE).catch_up()
        return done, time.perf_counter() - began
    finally:
        await database.close()


def kinds(count: int, hashtags: list[str], seed: int) -> list[Asked]:
    """What is asked: words by the law of the captions, names as somebody types them. `seed` is that
    of the town."""
    drawn = Captions(seed + 1)  # The words of the clips.
    drawn.shuffle(SEED + 7)
    dice = random.Random(SEED + 8)
    queries = [drawn.query() for _ in range(count)]
    asked = [
        Asked(f"clips, {order}", [("POST", "/api/search/clips", {"q": q, "order": order})
                                  for q in queries])
        for order in ("best", "new", "liked")
    ]  # fmt: skip
    typed = []
    for _ in range(count):
        name = drawn.word(dice.choice(["fr", "es"]))
        typed.append(name[: dice.randint(1, len(name))])
    asked.append(Asked("people and hashtags while typing",
                       [("POST", "/api/search", {"q": text}) for text in typed]))  # fmt: skip
    asked.append(Asked("people", [("POST", "/api/search/people", {"q": drawn.word("fr")})
                                  for _ in range(count)]))  # fmt: skip
    pages = [
        ("GET", f"/api/hashtags/{dice.choice(hashtags)}/clips?order={order}", None)
        for order in ("new", "liked")
        for _ in range(count // 2)
    ]
    asked.append(Asked("a hashtag's page", pages))
    asked.append(Asked("Latest, the floor", [("GET", "/api/feeds/latest?limit=24", None)] * count))
    return asked


async def run(chosen: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as folder:
        home = (chosen.town or Path(folder)) / "postgres"
        async with postgres.embedded_async(home) as server:
            await asyncio.to_thread(lambda: asyncio.run(migrate.apply(server.url())))
            if chosen.town is None:
                await filling.fill(
                    server.url(postgres_logins.SUPERUSER), server.url("luciole_worker"),
                    seed=SEED, persons=chosen.people, films=chosen.clips, edges=0, say=say,
                )  # fmt: skip
            else:
                chosen.people, chosen.clips = await counted(server)
            await make_stale(server, min(chosen.clips, INDEXED_ANEW))
            done, seconds = await index(server)
            say(f"{done:,} things indexed in {seconds:.0f} s")
            connection = await asyncpg.connect(server.url(), command_timeout=3600)
            await connection.execute(SETTLE)
            sizes = {row["name"]: row["mib"] for row in await connection.fetch(SIZES)}
            rows = await connection.fetch(HASHTAGS, 3000)
            await connection.close()
            seed = SEED if chosen.town is None else social.SEED
            asked = kinds(chosen.queries, [row["tag"] for row in rows], seed)
            await over_http(server, (chosen.town or Path(folder)) / "data", asked)
    head = ["what", "of them", "found", "p50 ms", "p95 ms", "p99 ms", "most ms"]
    slowest = "; ".join(f"{one.name}: `{one.slowest[1]}`" for one in asked[:3])
    told = ", ".join(f"{name} {mib:,.0f} MiB" for name, mib in sizes.items())
    return (
        "# Search\n\n"
        f"{machine.described()} {chosen.clips:,} clips, {chosen.people:,} people, one API process, "
        f"one request at a time. `bench/search.py`\n\n"
        f"{machine.table(head, [one.row() for one in asked])}\n"
        f"Indexed anew as the worker does: {done:,} clips in {seconds:.0f} s, "
        f"{done / seconds:,.0f} a second. With their indexes: {told}.\n\n"
        f"The slowest queries: {slowest}.\n"
    )


async def counted(server: postgres.Server) -> tuple[int, int]:
    """People and clips that are there."""
    connection = await asyncpg.connect(server.url(), command_timeout=3600)
    try:
        return await connection.fetchval(PEOPLE), await connection.fetchval(CLIPS)
    finally:
        await connection.close()


async def over_http(server: postgres.Server, data: Path, asked: list[Asked]) -> None:
    port = free_port()
    command, environment = serve(data, port)
    environment |= {
        "DATABASE_URL": server.url(),
        "DATABASE_URL_API": server.url("luciole_api"),
        "DATABASE_URL_WORKER": server.url("luciole_worker"),
        "LUCIOLE_SEARCH_SEARCHES_PER_MINUTE": "100000000",
    }
    with started(command, environment) as cell:
        cell.wait_for("The cell answers after", 300)
        async with httpx.AsyncClient(base_url=f"http://localhost:{port}", timeout=60) as client:
            for one in asked:  # Warm: plans, caches, connections.
                await Asked(one.name, one.requests[:LEAST_ROUND]).run(client)
            for one in asked:
                await one.run(client)
                say(" ".join(one.row()))
        cell.stop()


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--town", type=Path, help="a town of bench.social, in place of a fill")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    text = uvloop.run(run(chosen))
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
