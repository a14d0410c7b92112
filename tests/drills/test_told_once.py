"""What happens is told once: over lines that are cut anywhere, and killed API processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.drills.cell_process import free_port, serve, started, until_ready
from tests.drills.test_start_serve import children

KILLS = int(os.environ.get("LUCIOLE_KILLS", "5"))
FANS = 4
PASSWORD = "seven turquoise herons"
READY = r"The cell answers after ([\d.]+) s: (\S+)"
# What may be answered while a process is away or coming back.
AWAY = (500, 502, 503)

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("start"), pytest.mark.timeout(600)]


class Cutter:
    """A wire to the cell that breaks wherever it likes, also in the middle of an event."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port, self._chance = port, chance
        self._lines: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        self.cuts += bool(self._lines)
        for line in self._lines:
            line.transport.abort()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, there = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            back.close()
            return
        self._lines |= {back, there}
        # After so many bytes of an answer it breaks by itself.
        left = self._chance.choice((1, 90, 300, 700, 1500, 10**9))

        async def forth() -> None:
            while piece := await near.read(4096):
                there.write(piece)
                await there.drain()

        async def answer() -> None:
            nonlocal left
            while piece := await far.read(4096):
                back.write(piece[:left])
                await back.drain()
                left -= len(piece)
                if left <= 0:
                    self.cuts += 1
                    return

        tasks = {asyncio.create_task(forth()), asyncio.create_task(answer())}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in (back, there):
            self._lines.discard(line)
            line.transport.abort()


@dataclass
class Heard:
    """An open page as a browser keeps it: it comes back to where it was, and drops doubles."""

    last_id: str = ""
    events: dict[str, str] = field(default_factory=dict)
    doubles: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, origin: str, token: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            headers = {"authorization": f"Bearer {token}"}
            if self.last_id:
                headers["last-event-id"] = self.last_id
            with contextlib.suppress(httpx.HTTPError):
                async with httpx.AsyncClient(base_url=origin, timeout=20) as client:
                    async with client.stream("GET", "/api/live", headers=headers) as answer:
                        if answer.status_code == 200:
                            await self._read(answer)
            await asyncio.sleep(0.05)

    async def _read(self, answer: httpx.Response) -> None:
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            # As the standard has it: an id counts at the empty line, also without an event.
            if "id" in fields:
                self.last_id = fields["id"]
                self.is_open.set()
            if fields.get("event") == "notification":
                told = json.loads(fields["data"])
                if told["event_id"] in self.events:
                    self.doubles += 1
                self.events[told["event_id"]] = told["by"]["handle"]
            fields = {}


async def certainly(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Does it, again and again, until the cell has said yes."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            answer = await client.request(method, path)
            if answer.status_code in (200, 204):
                return
            assert answer.status_code in AWAY, answer.text
        await asyncio.sleep(0.05)


async def sign_up(origin: str, handle: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=origin, timeout=20)
    body = {"handle": handle, "display_name": handle, "age_band": "18+", "locale": "en"}
    answer = await client.post("/api/sign-up", json={**body, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    client.cookies.clear()
    client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return client


async def admire(client: httpx.AsyncClient, stop: asyncio.Event, chance: random.Random) -> int:
    """Follows ana and stops again, over and over, and follows at the end; how often it began."""
    times = 0
    while True:
        await certainly(client, "PUT", "/api/people/ana/follow")
        times += 1
        if stop.is_set():
            return times
        await asyncio.sleep(chance.uniform(0, 0.3))
        await certainly(client, "DELETE", "/api/people/ana/follow")


async def drill(data: Path, port: int, seed: int) -> None:
    origin, chance = f"http://127.0.0.1:{port}", random.Random(seed)
    ana = await sign_up(origin, "ana")
    fans = [await sign_up(origin, f"fan{number}") for number in range(FANS)]
    cutter, heard, stop, end = Cutter(port, chance), Heard(), asyncio.Event(), asyncio.Event()
    token = ana.headers["authorization"].removeprefix("Bearer ")
    async with cutter.listening() as near:
        listening = asyncio.create_task(heard.listen(f"http://127.0.0.1:{near}", token, end))
        await asyncio.wait_for(heard.is_open.wait(), 20)
        acting = [asyncio.create_task(admire(fan, stop, chance)) for fan in fans]
        for _ in range(KILLS):
            # Between two kills the line is cut, at any moment; then the cell is away for a while.
            for _ in range(12):
                await asyncio.sleep(chance.uniform(0, 0.6))
                cutter.cut()
            found = await asyncio.to_thread(children, data)
            if "api" in found:
                found["api"].send(signal.SIGKILL)
            await asyncio.sleep(chance.uniform(0, 0.5))
            await asyncio.to_thread(until_ready, port, 60)
        stop.set()
        times = dict(
            zip((f"fan{n}" for n in range(FANS)), await asyncio.gather(*acting), strict=True)
        )
        # The last of it has been told once nothing new comes for a while.
        known = -1
        while known != len(heard.events):
            known = len(heard.events)
            await asyncio.sleep(4)
        end.set()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    print(f"{sum(times.values())} acts, {cutter.cuts} cuts, {heard.doubles} doubles dropped")
    assert cutter.cuts > KILLS
    assert Counter(heard.events.values()) == times
    lines = (await ana.get("/api/notifications")).json()["items"]
    assert [(line["kind"], line["people"]) for line in lines] == [("follow", FANS)]
    for client in (ana, *fans):
        await client.aclose()


def test_nothing_is_lost_or_told_twice_over_cut_lines_and_killed_processes(tmp_path: Path) -> None:
    data, port, seed = tmp_path / "data", free_port(), random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with started(*serve(data, port, LUCIOLE_PEOPLE_SIGN_UPS_PER_HOUR="1000")) as cell:
        cell.wait_for(READY, 120)
        until_ready(port)
        asyncio.run(drill(data, port, seed))
        assert cell.stop() == 0
