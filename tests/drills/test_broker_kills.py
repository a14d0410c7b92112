"""`kill -9` of the key broker and of the log under people who sign in and read what is sealed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.drills.cell_process import free_port, serve, started, until_ready
from tests.drills.test_start_serve import children

from luciole.kit import postgres

KILLS = int(os.environ.get("LUCIOLE_KILLS", "20"))
PASSWORD = "seven turquoise herons"
READY = r"The cell answers after ([\d.]+) s: (\S+)"
# What may be answered while a part is away; nothing else may.
AWAY = (500, 502, 503)

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(600)]


async def join(origin: str, handle: str) -> None:
    async with httpx.AsyncClient(base_url=origin, timeout=30) as client:
        body = {"handle": handle, "display_name": "A", "age_band": "18+", "locale": "en"}
        answer = await client.post("/api/sign-up", json={**body, "password": PASSWORD})
        assert answer.status_code == 201, answer.text


async def live(origin: str, handle: str, stop: asyncio.Event) -> dict[str, Any]:
    """Somebody who signs in, keeps an address, reads it, and begins anew; what was acknowledged."""
    told: dict[str, Any] = {"sessions": 0, "mail": None, "refused": 0}
    async with httpx.AsyncClient(base_url=origin, timeout=30) as client:
        turn = 0
        while not stop.is_set():
            client.cookies.clear()
            turn += 1
            try:
                answer = await client.post(
                    "/api/sessions", json={"handle": handle, "password": PASSWORD}
                )
                if answer.status_code != 201:
                    assert answer.status_code in AWAY, answer.text
                    told["refused"] += 1
                    continue
                told["sessions"] += 1
                value = f"{handle}{turn}@example.org"
                answer = await client.put("/api/me/contacts/email", json={"value": value})
                if answer.status_code == 200:
                    told["mail"] = value
                answer = await client.get("/api/me/contacts")
                if answer.status_code == 200 and told["mail"]:
                    found = answer.json()["items"][0]["value"]
                    # One whose answer was lost may have been stored all the same.
                    assert found in (told["mail"], value)
                    told["mail"] = found
            except httpx.TransportError:
                told["refused"] += 1
            await asyncio.sleep(0.05)
    return told


async def drill(data: Path, port: int, seed: int) -> None:
    origin, chance = f"http://127.0.0.1:{port}", random.Random(seed)
    stop = asyncio.Event()
    handles = [f"person.{n}" for n in range(4)]
    # All have an account before the first kill.
    await asyncio.gather(*(join(origin, handle) for handle in handles))
    people = [asyncio.create_task(live(origin, handle, stop)) for handle in handles]
    await asyncio.sleep(2)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        victim = chance.choice(("custody", "custody", "ledger"))
        found = await asyncio.to_thread(children, data)
        if victim in found:
            found[victim].send(signal.SIGKILL)
    # The supervisor waits longer before each start of a part that dies again and again.
    await asyncio.sleep(20)
    stop.set()
    told = await asyncio.gather(*people)
    assert all(one["sessions"] for one in told), told
    server = postgres.Server(data / "postgres", data / "log" / "postgresql.log")
    database = await asyncpg.connect(server.url())
    try:
        await looked_through(database)
    finally:
        await database.close()


async def looked_through(database: asyncpg.Connection) -> None:
    """Numbers without holes, one grant for each session, every entry once in the log."""
    for _ in range(100):
        waiting = await database.fetchval("SELECT count(*) FROM ledger.inbox WHERE log = 'access'")
        if not waiting:
            break
        await asyncio.sleep(0.2)
    assert not waiting
    holes = await database.fetch(
        "SELECT person_id FROM custody.journal GROUP BY person_id "
        "HAVING max(n) + 1 <> count(*) OR min(n) <> 0"
    )
    assert not holes
    lacking = await database.fetchval(
        "SELECT count(*) FROM custody.permit p WHERE session_id IS NOT NULL AND NOT EXISTS "
        "(SELECT FROM custody.journal j WHERE j.person_id = p.person_id AND j.n > 0)"
    )
    assert lacking == 0
    unplaced = await database.fetchval(
        "SELECT count(*) FROM custody.journal j LEFT JOIN ledger.place l ON l.ref = j.ref "
        "WHERE l.idx IS NULL"
    )
    assert unplaced == 0
    twice = await database.fetch("SELECT idx FROM ledger.place GROUP BY idx HAVING count(*) > 1")
    assert not twice


def test_broker_and_log_that_are_killed_lose_nothing_and_grant_nothing_unlogged(
    tmp_path: Path,
) -> None:
    data, port, seed = tmp_path / "data", free_port(), random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    limits = {
        "LUCIOLE_PEOPLE_SIGN_INS_PER_MINUTE": "100000",
        "LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR": "1000",
    }
    with started(*serve(data, port, **limits)) as cell:
        cell.wait_for(READY, 120)
        until_ready(port)
        asyncio.run(drill(data, port, seed))
        assert cell.stop() == 0
