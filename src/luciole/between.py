"""Commands about other cells. As in `luciole.cli`, modules are imported inside them."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from luciole import config
from luciole.kit.errors import Invalid

Command = Callable[[argparse.Namespace], int]
# Adds a command: the parsers, its name, what it does, its sentence.
Add = Callable[[Any, str, Command, str], argparse.ArgumentParser]


def add_to(commands: Any, add: Add) -> None:
    """Adds the commands of this module to the command line."""
    one = add(commands, "peer", _peer, "with which other cells this one exchanges")
    one.add_argument(
        "act",
        choices=["invite", "add", "list", "remove"],
        help="invite: what another operator needs of this cell; add: exchange with the cell at an "
        "address, once its fingerprint was compared; list: all, and how they are; remove: no more",
    )
    one.add_argument("whom", nargs="?", default="", help="add: the address; remove: the name")
    one.add_argument(
        "--fingerprint", default="", help="add: what the other operator read to you; else: ask"
    )

    one = add(commands, "guardian", _guardian, "the cell that holds the other half of keys")
    one.add_argument(
        "act",
        choices=["on", "off", "status", "told", "ask", "lend", "destroy"],
        help="on: move all keys under the peer that LUCIOLE_KEYS_GUARDIAN names; off: take them "
        "back; status: what both count, and whose keys this cell guards; told: which halves were "
        "given, since when; ask: a request for all halves, to put a backup back; lend: fulfil one "
        "as guardian; destroy: have the guardian destroy all of ours for good",
    )
    one.add_argument("request", nargs="?", default="", help="lend: the line of the other operator")
    one.add_argument("--to", type=Path, help="lend: the new file")
    one.add_argument("--yes", action="store_true", help="destroy: do not ask")

    one = add(commands, "abroad", _abroad, "the sealed backup that another cell keeps")
    one.add_argument(
        "act",
        choices=["key", "status", "now", "restore"],
        help="key: draw the recovery key into a file; status: how the backup is; now: send a base "
        "backup and wait for it; restore: put the cell back into an empty folder with its root",
    )
    one.add_argument("file", nargs="?", type=Path, help="key, restore: file of the recovery key")
    one.add_argument(
        "--from", dest="origin", default="", metavar="URL", help="restore: the other cell's border"
    )
    one.add_argument(
        "--until", default="", metavar="TIME", help="restore: as it was then (default: the newest)"
    )


def _guardian(chosen: argparse.Namespace) -> int:
    from luciole import guarding

    settings = config.load(os.environ)
    return guarding.command(settings, chosen.act, chosen.request, chosen.to, chosen.yes)


def _peer(chosen: argparse.Namespace) -> int:
    from luciole import peering

    settings = config.load(os.environ)
    match chosen.act:
        case "invite":
            work = peering.invite(settings)
        case "add":
            agreed = peering.asked_at_console
            work = peering.add(settings, chosen.whom, chosen.fingerprint, agreed)
        case "remove":
            work = peering.remove(settings, chosen.whom)
        case _:
            work = peering.listed(settings)
    for line in asyncio.run(work):
        print(line)
    return 0


def _abroad(chosen: argparse.Namespace) -> int:
    from luciole.abroad import commands

    environment = dict(os.environ)
    match chosen.act:
        case "status":
            return commands.status(environment)
        case "now":
            return asyncio.run(commands.now(environment))
    if chosen.file is None:
        raise Invalid("No file was named.", next_step=f"./luciole abroad {chosen.act} FILE")
    if chosen.act == "key":
        return commands.key(environment, chosen.file)
    if not chosen.origin:
        raise Invalid(
            "The other cell was not named.", next_step="Add --from https://… of its border."
        )
    return asyncio.run(commands.restore(environment, chosen.origin, chosen.file, chosen.until))
