"""Block lists at the machine: loaded, removed, listed. Each change is an entry of `decisions`."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from luciole import config, reach
from luciole.cell.safety import list_refusals as refusals
from luciole.cell.safety import lists, model
from luciole.cell.safety.lists import Lists
from luciole.cell.safety.store import suggestions
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.queue import Queue

MAX_FILE_BYTES = 64 * 2**20


def command(chosen: argparse.Namespace) -> int:
    """`luciole blocklist …`. Raises what it is refused for."""
    settings = config.load(dict(os.environ))
    for line in asyncio.run(done(settings, chosen, Clock())):
        say(line)
    return 0


async def done(settings: Settings, chosen: argparse.Namespace, clock: Clock) -> list[str]:
    """Does it, and gives lines for the console."""
    hashes = _hashes(chosen.file) if chosen.act == "load" else b""
    served = Lists(clock, Queue())
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, role="luciole_safety", size=1)
        try:
            async with database.tx() as tx:
                if chosen.act == "load":
                    return await _load(served, tx, chosen, hashes)
                if chosen.act == "remove":
                    gone = await served.remove(tx, chosen.name)
                    return [
                        f"{gone.name} {gone.version} is removed and points at nothing any more.",
                        "What it has pointed at stays in the queue.",
                    ]
                return await _listed(served, tx)
        finally:
            await database.close()


async def _load(served: Lists, tx: Tx, chosen: argparse.Namespace, hashes: bytes) -> list[str]:
    category = next((one for one in model.CATEGORIES if one == chosen.category), None)
    if category is None:
        raise refusals.BadListName(f"A list is about one of: {', '.join(model.CATEGORIES)}.")
    made = await served.load(
        tx,
        hashes,
        name=chosen.name,
        version=chosen.version,
        source=chosen.source,
        category=category,
        near_bits=chosen.near,
    )
    return [
        f"{made.name} {made.version} points from now on: {made.size:,} hashes, up to "
        f"{made.near_bits} of 256 bits away.",
        "Clips that are here already are compared in the background. It decides nothing: what it "
        "points at waits for moderators in /review, and is visible meanwhile.",
    ]


async def _listed(served: Lists, tx: Tx) -> list[str]:
    loaded = await served.loaded(tx)
    keys = [("list", one.name, one.version) for one in loaded]
    measured = {one.name: one for one in await suggestions.measured(tx, keys)}
    said = []
    for one in loaded:
        known = measured.get(one.name)
        counts = (known.confirmed, known.dismissed) if known else (0, 0)
        checked = "all clips compared" if one.checked_at else "still comparing older clips"
        said.append(
            f"{one.name}  {one.version}  {one.size:,} hashes, up to {one.near_bits} bits  "
            f"{one.category}  {checked}  {counts[0]} confirmed, {counts[1]} dismissed"
        )
    return said or ["No list is loaded."]


def _hashes(file: Path) -> bytes:
    """Raises BadList, ListTooLong."""
    try:
        if not file.is_file():
            raise refusals.BadList("This is no file.")
        if file.stat().st_size > MAX_FILE_BYTES:
            raise refusals.ListTooLong
        with file.open("rb") as opened:
            return lists.parsed(iter(lambda: opened.readline(lists.MAX_LINE + 1), b""))
    except OSError as error:
        raise refusals.BadList("This file cannot be read.") from error
