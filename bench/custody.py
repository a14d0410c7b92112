"""What does a grant cost, and what does a sealed field add to a request?

Expected: a grant is a transaction of four statements with one flush to disk, so a little more than
the same transaction through the same driver (the floor), and at most 3 ms in the middle. A sealed
field adds one question to the broker over a Unix socket, about 0.1 ms, to a request of the profile
that takes 1 ms: at most 20 %. The peer is the same request of the profile without a sealed field.

    PYTHONPATH=src .venv/bin/python -m bench.custody

Results are written to bench/results/custody.md.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvloop
from tests.drills.cell_process import free_port, serve, started

from bench import machine
from luciole.ask.client import Custody
from luciole.custody.model import Field
from luciole.kit import postgres
from luciole.kit.ids import new_id, new_token

RESULTS = Path(__file__).with_name("results") / "custody.md"
PASSWORD = "seven turquoise herons"  # noqa: S105 - of people who live for a minute
ADD_SESSION = """
INSERT INTO people.session
    (id, person_id, token_hash, label, created_at, proved_at, last_seen_on, expires_at)
VALUES ($1, $2, $3, 'bench', now(), now(), current_date, now() + interval '1 day')
"""
# What a grant writes, without a broker, its checks and its sealing.
FLOOR = (
    "INSERT INTO floor (id, person_id, what) VALUES ($1, $2, 'permit')",
    "UPDATE floor_number SET n = n + 1 WHERE person_id = $2 AND $1::uuid IS NOT NULL",
    "INSERT INTO floor (id, person_id, what) VALUES ($1, $2, 'journal')",
    "INSERT INTO floor (id, person_id, what) VALUES ($1, $2, 'inbox')",
)
FLOOR_TABLES = """
CREATE TABLE IF NOT EXISTS floor (id uuid, person_id uuid, what text, PRIMARY KEY (id, what));
CREATE TABLE IF NOT EXISTS floor_number (person_id uuid PRIMARY KEY, n bigint);
GRANT ALL ON floor, floor_number TO luciole_custody;
GRANT USAGE ON SCHEMA public TO luciole_custody;
"""


def spread(times_ms: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(times_ms), statistics.quantiles(times_ms, n=100)[98]


async def timed(act: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await act()
    return (time.perf_counter() - began) * 1000


async def grants(data: Path, rounds: int) -> list[list[str]]:
    """New grants of sessions and their floor, in turns, on the cell's own server."""
    server = postgres.Server(data / "postgres", data / "log" / "postgresql.log")
    owner = await asyncpg.connect(server.url())
    await owner.execute(FLOOR_TABLES)
    own = await asyncpg.connect(server.url("luciole_custody_process"))
    people = [row["id"] for row in await owner.fetch("SELECT id FROM people.person")]
    for person_id in people:
        await owner.execute("INSERT INTO floor_number VALUES ($1, 0)", person_id)
    custody = Custody.at(data / "run" / "custody" / "api.sock")
    granted, floor = list[float](), list[float]()
    before = await owner.fetchval("SELECT count(*) FROM custody.journal")
    for turn in range(rounds):
        person_id = people[turn % len(people)]
        token = new_token(32)
        hashed = hashlib.sha256(token.encode()).digest()
        await owner.execute(ADD_SESSION, new_id(), person_id, hashed)

        async def plainly(whose: UUID = person_id) -> None:
            async with own.transaction():
                for statement in FLOOR:
                    await own.execute(statement, new_id(), whose)

        granted.append(await timed(lambda token=token: custody.session_grant(token)))
        floor.append(await timed(plainly))
    # A benchmark that does not look at its result may have measured refusals.
    made = await owner.fetchval("SELECT count(*) FROM custody.journal") - before
    assert made == rounds, f"{made} entries for {rounds} grants"
    grant = await custody.session_grant(token)
    again = [await timed(lambda: custody.session_grant(token)) for _ in range(rounds)]
    (sealed,) = await custody.seal(grant, [Field("contact.email", 1, b"a@example.org")])
    opened = [
        await timed(lambda: custody.open(grant, [Field("contact.email", 1, sealed)]))
        for _ in range(rounds)
    ]
    await custody.close()
    await owner.close()
    await own.close()
    base = spread(floor)[0]
    return [
        row("a new grant: session checked, entry and journal in one transaction", granted, base),
        row("floor: four statements in one transaction, same server, same role", floor, base),
        row("the same grant again, from the broker's memory", again, base),
        row("a field opened", opened, base),
    ]


def row(name: str, times_ms: list[float], base: float) -> list[str]:
    median, tail = spread(times_ms)
    return [name, f"{median:.2f} ms", f"{tail:.2f} ms", f"{median / base:.2f}"]


async def requests(origin: str, rounds: int) -> list[list[str]]:
    """The account, with and without its sealed addresses, in turns on one connection."""
    async with httpx.AsyncClient(base_url=origin) as client:
        body = {"age_band": "18+", "locale": "en", "password": PASSWORD, "display_name": "Bench"}
        tokens = []
        for handle in ("bench_with", "bench_none", "bench_three"):
            answer = await client.post("/api/sign-up", json={**body, "handle": handle})
            answer.raise_for_status()
            tokens.append(answer.json()["token"])
        client.cookies.clear()
        bearer = [{"authorization": f"Bearer {token}"} for token in tokens]
        for kind, value in (("email", "bench@example.org"), ("phone", "+33612345678")):
            await client.put(f"/api/me/contacts/{kind}", headers=bearer[0], json={"value": value})
        sealed, none, me = list[float](), list[float](), list[float]()
        for _ in range(rounds):
            for headers, path, into in (
                (bearer[0], "/api/me/contacts", sealed),
                (bearer[1], "/api/me/contacts", none),
                (bearer[0], "/api/me", me),
            ):
                into.append(
                    await timed(
                        lambda path=path, headers=headers: client.get(path, headers=headers)
                    )
                )
        answer = await client.get("/api/me/contacts", headers=bearer[0])
        assert [item["value"] for item in answer.json()["items"]] == [
            "bench@example.org",
            "+33612345678",
        ]
    base = spread(none)[0]
    return [
        row("peer: the request, nothing sealed in it", none, base),
        row("the request with two sealed fields", sealed, base),
        row("beside it: the account (`GET /api/me`)", me, base),
    ]


async def measure(rounds: int) -> str:
    with tempfile.TemporaryDirectory(prefix="bench-custody-") as folder:
        data, port = Path(folder) / "data", free_port()
        with started(*serve(data, port)) as cell:
            cell.wait_for(r"The cell answers after", 120)
            for_requests = await requests(f"http://127.0.0.1:{port}", rounds)
            for_grants = await grants(data, rounds)
    head = ("what", "median", "p99", "ratio")
    return (
        "# The key broker\n\n"
        f"{machine.described()} {rounds} rounds in turns.\n\n"
        f"{machine.table(head, for_grants)}\n{machine.table(head, for_requests)}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=1000)
    told = uvloop.run(measure(arguments.parse_args().rounds))
    RESULTS.write_text(told, encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
