"""The demo around a running cell: the process that makes its people and clips, and what the
console says meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from luciole import config
from luciole.config import Settings
from luciole.kit import processes
from luciole.kit.console import say


async def run(settings: Settings, environment: Mapping[str, str], stop: asyncio.Event) -> None:
    """Lets the demo's people and clips be made in a process of its own, and says what to do."""
    seeding = await asyncio.create_subprocess_exec(
        *processes.launched(
            [sys.executable, "-m", "luciole", "seed-process", "--address", settings.origin]
        ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
    )
    assert seeding.stdout is not None
    lines = seeding.stdout
    while line := await _line(lines, stop):
        say(line.decode(errors="replace").rstrip())
    if not stop.is_set() and await seeding.wait() != 0:
        say("The demo's clips could not all be made; the cell itself runs. See the lines above.")


async def seed_process(address: str) -> int:
    """Makes the demo's people and clips through the API at `address`, telling on the way."""
    from luciole.demo import reel, seed

    settings = config.load(os.environ)
    state = settings.data / "demo" / "state.json"
    state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_told = False

    def report(done: int, total: int, sentence: str) -> None:
        nonlocal is_told
        if sentence:
            say(f"  {done:2}/{total}  {sentence}")
        guest = seed.account(state)
        if done >= min(reel.OPENING, total) and guest and not is_told:
            is_told = True
            say(_box(address, guest.handle, guest.password, done < total))

    # Where cells exchange, several of them are on this machine.
    exchanges = bool(settings.cell.short_name)
    await seed.fill(address, state, report, processes=1 if exchanges else 2, shares=exchanges)
    return 0


def _box(address: str, handle: str, password: str, is_growing: bool) -> str:
    lines = [
        f"Luciole is ready: open {address}",
        f"Sign in as {handle} with {password}, or sign up as yourself.",
        "More clips arrive while you watch." if is_growing else "All clips are there.",
        "Stop with Ctrl-C. Begin anew with ./luciole demo --fresh",
    ]
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join(["", edge, *(f"|  {line:{width}}  |" for line in lines), edge, ""])


async def _line(lines: asyncio.StreamReader, stop: asyncio.Event) -> bytes:
    """The next line; nothing at the end, or when we are asked to stop."""
    reading, waiting = asyncio.create_task(lines.readline()), asyncio.create_task(stop.wait())
    await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if reading.done():
        return reading.result()
    reading.cancel()
    return b""
