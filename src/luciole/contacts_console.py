"""What an operator sees of the key of contact discovery, and how they change it."""

from __future__ import annotations

import argparse
import asyncio
import os

from luciole import config, reach
from luciole.cell.contacts import model
from luciole.cell.contacts.rotating import new_salt
from luciole.cell.contacts.store import rounds
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Conflict

WHY = {"first": "the first one", "operator": "by an operator", "period": "since it was old"}


class ChangedToday(Conflict):
    code = "contacts-key-changed-today"
    sentence = "The key was changed today, or is being changed; once a day is the most."
    next_step = "See how far it is with `luciole contacts status`; do it again tomorrow."


def command(chosen: argparse.Namespace) -> int:
    """`luciole contacts …`. Raises NotOffered, ChangedToday."""
    settings = config.load(dict(os.environ))
    for line in asyncio.run(_reached(settings, chosen.act)):
        say(line)
    return 0


async def _reached(settings: Settings, act: str) -> list[str]:
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                return await done(settings, tx, act, Clock())
        finally:
            await database.close()


async def done(settings: Settings, tx: Tx, act: str, clock: Clock) -> list[str]:
    """Does it, and gives lines for the console. Raises NotOffered, ChangedToday."""
    if not settings.contacts.peer:
        raise model.NotOffered
    if act == "rotate":
        number = model.round_of(clock.now().date())
        if not await rounds.ask(tx, number, new_salt(), "operator"):
            raise ChangedToday
    now, coming = await rounds.current(tx), await rounds.coming(tx)
    days = settings.contacts.rotate_days
    since = f"since {now.since}" if now.since else "since before it was counted"
    lines = [
        f"key {now.number}, {WHY[now.why]}, in use {since}, with `{settings.contacts.peer}`",
        f"By itself it is changed after {days} days."
        if days
        else "It is changed only by `luciole contacts rotate`.",
    ]
    if coming is not None:
        lines.append(
            f"key {coming.number} comes, {WHY[coming.why]}: people are brought over. The worker "
            "goes on each minute, and takes it into use then."
            if coming.other_key
            else f"key {coming.number} comes, {WHY[coming.why]}: the worker asks "
            f"`{settings.contacts.peer}` for its half within a minute."
        )
    return lines
