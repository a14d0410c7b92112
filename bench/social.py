"""What do a profile, a follow, a comment, a thread, the notifications and a search cost beside
their bare queries, and do they grow with the network?

Expected: at most 2.5 times the CPU of the floor at 32 connections; with 1,000,000 people,
10,000,000 follows and as many likes at most 1.3 times the time of a tenth of it, because each of
them reads a range of an index; a person with 1,000,000 followers publishes in 100 ms, because
nobody's list is written then. The floor is each request's own SQL through asyncpg with the same
arguments, in the same run, on the same server. Rounds take turns, so that what else the machine
does hits both alike.

    PYTHONPATH=src .venv/bin/python -m bench.social --people 100000,1000000

With `--state FOLDER` the towns stay, and what was measured: `--fill` makes them only, and several
runs may each measure some entries (`--only profile,follow`). Another request is another entry in
`ENTRIES`. Results are written to bench/results/social.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from tests.drills.cell_process import free_port, serve, started

from bench import social_town, towns
from bench.feed import Measured, below, cpu_s, row, spread
from bench.social_results import CONNECTIONS, PUBLISHING, REQUESTS_A_ROUND, Kept, written
from luciole.cell.clips import store as clips
from luciole.cell.clips.comments import store as comments
from luciole.cell.graph import store as graph
from luciole.cell.notify.store import lines
from luciole.cell.people.store import accounts
from luciole.cell.search.service import WALKED_CLIPS
from luciole.cell.search.store import clips as search
from luciole.kit import postgres, postgres_logins
from luciole.kit.ids import LAST_ID, new_id
from luciole.kit.keeper import FolderLock

RESULTS = Path(__file__).with_name("results") / "social.md"
SEED = 20261127
POOL = 10
WARM = 100
PAGE = 20


Bare = Callable[[Any], Awaitable[None]]


def _bare(*queries: tuple[str, tuple[Any, ...]]) -> Bare:
    """Queries whose arguments are known beforehand, one after the other on a connection."""

    async def ask(connection: Any) -> None:
        for query, arguments in queries:
            await connection.fetch(query, *arguments)

    return ask


@dataclass(frozen=True)
class Call:
    """One request by one reader, and the queries behind it."""

    method: str
    path: str
    reader: social_town.Reader
    body: dict[str, Any] | None
    floor: Bare


@dataclass(frozen=True)
class Entry:
    """A kind of request; `call` draws one. What writes runs its floor in a transaction."""

    name: str
    call: Callable[[social_town.Town, random.Random], Call]
    writes: bool = False


def _profile(town: social_town.Town, dice: random.Random) -> Call:
    reader, number = dice.choice(town.readers), town.known(dice)
    other = towns.id_of(towns.PERSON, number)
    return Call("GET", f"/api/people/townsman{number}", reader, None, _bare(
        (accounts.CARD_BY_HANDLE, (f"townsman{number}",)),
        (graph.RELATIONS, (reader.id, [other])),
        (graph.TALLY, (other,)),
        (clips.TALLY, (other,)),
    ))  # fmt: skip


def _follow(town: social_town.Town, dice: random.Random) -> Call:
    reader, number = dice.choice(town.readers), dice.randrange(town.people)
    while (other := towns.id_of(towns.PERSON, number)) == reader.id:
        number = dice.randrange(town.people)
    return Call("PUT", f"/api/people/townsman{number}/follow", reader, None, _bare(
        (accounts.HOLD_BY_HANDLE, (f"townsman{number}",)),
        (graph.FOLLOW, (reader.id, other, "accepted", None)),
        (graph.TALLY_ADD, (reader.id, other, 1)),
    ))  # fmt: skip


def _comment(town: social_town.Town, dice: random.Random) -> Call:
    reader, clip = dice.choice(town.readers), towns.id_of(towns.CLIP, dice.randrange(town.clips))
    text = "What a lovely evening by the water"
    return Call("POST", f"/api/clips/{clip}/comments", reader, {"text": text}, _bare(
        (clips.CARD, (clip,)),
        (comments.ADD, (new_id(), clip, reader.id, None, None, text, [], None)),
    ))  # fmt: skip


def _thread(town: social_town.Town, dice: random.Random) -> Call:
    reader, clip = dice.choice(town.readers), dice.choice(town.talked)
    return Call("GET", f"/api/clips/{clip}/comments?limit={PAGE}", reader, None, _bare(
        (clips.CARD, (clip,)),
        (comments.FIRST_BEST, (reader.id, clip, PAGE + 1)),
    ))  # fmt: skip


def _notifications(town: social_town.Town, dice: random.Random) -> Call:
    reader = dice.choice(town.readers)
    return Call("GET", f"/api/notifications?limit={PAGE}", reader, None, _bare(
        (lines.PAGE, (reader.id, LAST_ID, PAGE + 1)),
    ))  # fmt: skip


def _search(town: social_town.Town, dice: random.Random) -> Call:
    reader, word = dice.choice(town.readers), dice.choice(town.words)
    query = f"('{word}' | '~{word}')"
    place = (1e15, LAST_ID)

    async def ask(connection: Any) -> None:
        await connection.fetch(search.STEMS, [word])
        rows = await connection.fetch(search.WALK_BEST, query, *place, PAGE + 1, WALKED_CLIPS)
        if len(rows) <= PAGE:
            rows = await connection.fetch(search.FIND_BEST, query, *place, PAGE + 1)
        await connection.fetch(search.CARDS, [row["id"] for row in rows], reader.id)

    return Call("POST", "/api/search/clips", reader, {"q": word, "limit": PAGE}, ask)


# An endpoint is an entry.
ENTRIES = (
    Entry("profile", _profile),
    Entry("follow", _follow, writes=True),
    Entry("comment", _comment, writes=True),
    Entry("a thread of 20", _thread),
    Entry("notifications", _notifications),
    Entry("search", _search),
)


class Front:
    """Requests to the cell's own process over connections that stay open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, call: Call) -> None:
        if self._open:
            reader, writer = self._open.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        body = json.dumps(call.body).encode() if call.body is not None else b""
        writer.write(
            f"{call.method} {call.path} HTTP/1.1\r\nhost: localhost:{self._port}\r\n"
            f"authorization: Bearer {call.reader.token}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        answer = await reader.readexactly(size)
        assert head.startswith(b"http/1.1 20"), (call, answer)
        self._open.append((reader, writer))

    def close(self) -> None:
        """Before each round too: the server hangs up on who is silent for a while."""
        for _, writer in self._open:
            writer.close()
        self._open.clear()


class Floor:
    """The bare queries, in this process."""

    def __init__(self, pool: asyncpg.Pool, entry: Entry) -> None:
        self._pool, self._entry = pool, entry

    async def ask(self, call: Call) -> None:
        async with self._pool.acquire() as connection:
            if not self._entry.writes:
                await call.floor(connection)
                return
            async with connection.transaction():
                await call.floor(connection)


async def round_of(
    ask: Callable[[Call], Awaitable[None]],
    calls: list[Call],
    own: list[int],
    database: int,
    into: Measured,
) -> None:
    """One round: times of each request, CPU of the process that answers and of PostgreSQL."""

    def piece(call: Call) -> Callable[[], Awaitable[None]]:
        async def timed() -> None:
            began = time.perf_counter()
            await ask(call)
            into.times_ms.append((time.perf_counter() - began) * 1000)

        return timed

    before = cpu_s(own), cpu_s(below(database))
    await spread([piece(call) for call in calls], CONNECTIONS)
    into.own_us.append((cpu_s(own) - before[0]) * 1e6 / len(calls))
    into.database_us.append((cpu_s(below(database)) - before[1]) * 1e6 / len(calls))


@dataclass
class Place:
    """A town whose cell answers, and what was measured there."""

    town: social_town.Town
    server: postgres.Server
    port: int
    metrics_port: int
    api: int
    database: int
    floor: Measured = field(default_factory=Measured)
    page: Measured = field(default_factory=Measured)


@contextlib.asynccontextmanager
async def answering(folder: Path, people: int) -> AsyncIterator[Place]:
    """A cell in front of the town of so many people in a folder."""
    home = folder / str(people) / "postgres"
    town = await social_town.made(home, people, SEED)
    async with postgres.embedded_async(home) as server:
        port, metrics_port = free_port(), free_port()
        data = folder / str(people) / "data"
        command, environment = serve(data, port)
        environment |= {
            "DATABASE_URL": server.url(),
            "DATABASE_URL_API": server.url("luciole_api"),
            "DATABASE_URL_WORKER": server.url("luciole_worker"),
            "LUCIOLE_SEARCH_SEARCHES_PER_MINUTE": "100000000",
            "LUCIOLE_WORKER_METRICS_PORT": str(metrics_port),
        }
        with started(command, environment) as cell:
            cell.wait_for("The cell answers after", 300)
            note = FolderLock(data / "run").read()
            assert note is not None
            database = int((server.data_dir / "postmaster.pid").read_text().split()[0])
            yield Place(town, server, port, metrics_port, note.children["api"].pid, database)
            cell.stop()


async def measure(entry: Entry, places: list[Place], rounds: int) -> None:
    """The floor and the request of an entry, in every place: rounds of all take turns."""
    async with contextlib.AsyncExitStack() as stack:
        asks = []
        for place in places:
            place.floor, place.page = Measured(), Measured()
            pool = await asyncpg.create_pool(
                place.server.url("luciole_api"), min_size=POOL, max_size=POOL,
                server_settings={"jit": "off", "timezone": "UTC"},
            )  # fmt: skip
            stack.push_async_callback(pool.close)
            front = Front(place.port)
            stack.callback(front.close)
            asks.append((place, Floor(pool, entry), front, random.Random(SEED)))
        for place, floor, front, dice in asks:  # Warm: plans, caches, connections.
            for ask in (floor.ask, front.ask):
                calls = [entry.call(place.town, dice) for _ in range(WARM)]
                await spread([lambda ask=ask, call=call: ask(call) for call in calls], CONNECTIONS)
        for _ in range(rounds):
            for place, floor, front, dice in asks:

                def drawn(place: Place = place, dice: random.Random = dice) -> list[Call]:
                    return [entry.call(place.town, dice) for _ in range(REQUESTS_A_ROUND)]

                own, database = [os.getpid()], place.database
                await round_of(floor.ask, drawn(), own, database, place.floor)
                front.close()
                await round_of(front.ask, drawn(), [place.api], database, place.page)


async def run(folder: Path, sizes: list[int], rounds: int, names: list[str], kept: Kept) -> None:
    async with contextlib.AsyncExitStack() as stack:
        places = [await stack.enter_async_context(answering(folder, size)) for size in sizes]
        for entry in ENTRIES:
            if entry.name not in names:
                continue
            await measure(entry, places, rounds)
            for place in places:
                kept.put(entry.name, place.town.people, [vars(place.floor), vars(place.page)])
                cells = row(entry.name, place.town.people, CONNECTIONS, place.floor, place.page)
                print(" | ".join(cells), flush=True)
        if PUBLISHING in names:
            for place in places:
                superuser = place.server.url(postgres_logins.SUPERUSER)
                people = place.town.people
                taken = await social_town.publishing(superuser, place.metrics_port, people)
                kept.put(PUBLISHING, people, taken)
                print(people, "publish", statistics.median(taken), max(taken), flush=True)


async def fill(folder: Path, sizes: list[int]) -> None:
    for size in sizes:
        await social_town.made(folder / str(size) / "postgres", size, SEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", default="100000,1000000", help="sizes, smallest first")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="names of entries, parted by commas")
    parser.add_argument("--fill", action="store_true", help="make the towns only")
    parser.add_argument("--state", type=Path, help="keep towns and what was measured here")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    random.seed(SEED)
    sizes = [int(size) for size in chosen.people.split(",")]
    names = [*(entry.name for entry in ENTRIES), PUBLISHING]
    if chosen.only:
        names = chosen.only.split(",")
    with contextlib.ExitStack() as stack:
        folder = chosen.state or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="luciole-bench-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        if chosen.fill:
            uvloop.run(fill(folder, sizes))
            return
        kept = Kept(folder / "measured.json")
        uvloop.run(run(folder, sizes, chosen.rounds, names, kept))
    text = written(kept)
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
