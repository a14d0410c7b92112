"""Who may join this cell: decided by its operator, at the machine.

A change of how the cell takes people is an entry of the log `decisions`, and so is each invitation
and each answer to those who wait, here as at the console: that it was given, and not to whom.
"""

from __future__ import annotations

import argparse
import os
from uuid import UUID

from luciole import config, reach
from luciole.cell.people.joining import model, refusals
from luciole.cell.people.joining.service import Joining
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database, Tx

# Here nobody does work, so that no key is needed for it.
_NO_KEY = bytes(32)


async def command(chosen: argparse.Namespace) -> int:
    """`luciole registration`, `luciole invite` and `luciole people`. Raises what they are refused
    for."""
    settings = config.load(dict(os.environ))
    for line in await done(settings, chosen, Clock()):
        say(line)
    return 0


async def done(settings: Settings, chosen: argparse.Namespace, clock: Clock) -> list[str]:
    """Does it, and gives lines for the console."""
    joining = Joining(settings, _NO_KEY, clock)
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, size=1)
        try:
            async with database.tx() as tx:
                match chosen.what:
                    case "registration":
                        return await _registration(joining, tx, chosen.mode)
                    case "invite":
                        return await _invite(joining, tx, chosen, settings)
                    case _:
                        return await _people(joining, tx, chosen)
        finally:
            await database.close()


async def _registration(joining: Joining, tx: Tx, mode: str) -> list[str]:
    if mode:
        wanted = next((one for one in model.MODES if one == mode), None)
        now = await joining.set_mode(tx, wanted, by=None)
    else:
        now = await joining.mode(tx)
    says = {
        "open": "Everybody may make an account here.",
        "invitation": "Only who has an invitation may make an account here: `luciole invite`.",
        "approval": "Whoever asks for an account waits for you: `luciole people list`.",
        "closed": "Nobody may make an account here, invitations or not.",
    }
    return [f"{now}: {says[now]}"]


async def _invite(
    joining: Joining, tx: Tx, chosen: argparse.Namespace, settings: Settings
) -> list[str]:
    match chosen.act:
        case "list":
            return [
                f"{one.id}  for {one.uses_left} more, until {one.expires_at:%Y-%m-%d}  {one.note}"
                for one in await joining.invitations(tx)
            ] or ["There are no invitations."]
        case "withdraw":
            await joining.withdraw(tx, _id(chosen.id, refusals.NoSuchInvitation), by=None)
            return ["The invitation was taken back."]
        case _:
            made, code = await joining.invite(tx, chosen.uses, chosen.days, chosen.note, by=None)
            lines = [
                f"for {made.uses_left}, until {made.expires_at:%Y-%m-%d %H:%M} UTC",
                f"code:  {code}",
                f"link:  {model.link(settings.origin, code)}",
                "It is shown this once. Whoever has it may use it.",
            ]
            if await joining.mode(tx) == "closed":
                lines.append("The cell is closed at present, so nobody can use it yet.")
            return lines


async def _people(joining: Joining, tx: Tx, chosen: argparse.Namespace) -> list[str]:
    if chosen.act == "list":
        return [
            f"{one.id}  since {one.made_at:%Y-%m-%d}  {one.name}: {' '.join(one.words.split())}"
            for one in await joining.waiting(tx)
        ] or ["Nobody waits."]
    request_id = _id(chosen.id, refusals.NoSuchRequest)
    told = "They see it on the sign-up page, with their ticket."
    if chosen.act == "approve":
        await joining.approve(tx, request_id, by=None)
        return [f"Approved. {told}"]
    await joining.refuse(tx, request_id, chosen.why, by=None)
    return [f"Refused. {told}"]


def _id(text: str, missing: type[Exception]) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise missing from None
