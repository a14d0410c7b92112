"""The commands of a sale: `sale`, `divest`, `adopt`, `prove-removal`; and of who leaves: `move`."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from luciole import config
from luciole.kit.errors import Invalid

Commands = argparse._SubParsersAction


class NoBuyer(Invalid):
    code = "sale-no-buyer"
    sentence = "A sale needs the buyer's public file."
    next_step = "Give it with --to buyer.pub."


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Their options, behind those that are there."""
    one = _add(commands, "sale", _sale, "what the buyer of a cell does before and after")
    one.add_argument(
        "act",
        choices=["key", "removal"],
        help="key: a key for the cell that you buy, and its public half for the seller; removal: "
        "put the seller's statement of removal into the log",
    )
    one.add_argument(
        "file", type=Path, help="key: where to (.key and .pub); removal: the statement"
    )
    one.add_argument("--cell", default="", help="key: address or id of the cell that you buy")
    one.add_argument("--operator", default="", help="key: your legal name")
    one.add_argument("--jurisdiction", default="", help="key: whose law is yours, as FR or US-CA")
    one = _add(commands, "divest", _divest, "hand the cell over to who has bought it")
    one.add_argument(
        "folder", nargs="?", type=Path, help="where the bundle goes; without: say how far it is"
    )
    one.add_argument("--to", type=Path, metavar="PUB", help="the buyer's public file")
    one.add_argument(
        "--announce", type=int, metavar="DAYS", help="tell everybody; they have so long to leave"
    )
    one.add_argument(
        "--halves",
        type=Path,
        help="file that the guardian of the keys has lent, where there is one",
    )
    one.add_argument("--cancel", action="store_true", help="take the announcement back")
    one = _add(commands, "adopt", _adopt, "go on with a cell that you bought, out of its bundle")
    one.add_argument("folder", type=Path, help="the folder of the bundle")
    one.add_argument("--key", type=Path, required=True, help="your key for this cell")
    one.add_argument("--policy", type=Path, help="whom to trust, from a witness of the cell")
    one = _add(commands, "move", _move, "move your account to another home cell")
    one.add_argument("--cell", required=True, metavar="URL", help="address of your cell")
    one.add_argument("--handle", required=True, help="your handle there")
    one.add_argument("--token-file", type=Path, help="file with a session token of it, mode 600")
    one.add_argument("--to", required=True, metavar="URL", help="address of the other cell")
    one.add_argument("--new-handle", default="", help="your handle there (default: the same)")
    one.add_argument("--new-token-file", type=Path, help="token of a new account that is there")
    one.add_argument("--export", type=Path, default=Path("luciole-move.zip"), help="file between")
    one.add_argument(
        "--hide-address", action="store_true", help="the old profile does not say where you went"
    )
    one = _add(
        commands, "prove-removal", _prove_removal, "destroy what is left of a cell that was sold"
    )
    one.add_argument("--receipt", type=Path, help="by which the buyer says to have opened it all")
    one.add_argument("--without-receipt", action="store_true", help="destroy all the same")
    one.add_argument("--canaries", type=Path, help="marks to look for, one a line")
    one.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder with backups or a bundle of the cell: is looked through as well",
    )
    one.add_argument("--out", type=Path, help="where the signed statement goes")
    one.add_argument("--yes", action="store_true", help="do not ask")


def _add(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], int],
    sentence: str,
) -> argparse.ArgumentParser:
    one = commands.add_parser(name, help=sentence, description=sentence[0].upper() + sentence[1:])
    one.set_defaults(command=command)
    return one


def _sale(chosen: argparse.Namespace) -> int:
    from luciole.sale import commands

    if chosen.act == "key":
        return asyncio.run(
            commands.key(chosen.file, chosen.cell, chosen.operator, chosen.jurisdiction)
        )
    return asyncio.run(commands.removal(dict(os.environ), chosen.file))


def _divest(chosen: argparse.Namespace) -> int:
    from luciole.sale import commands

    environment = dict(os.environ)
    if chosen.cancel:
        return asyncio.run(commands.cancel(environment))
    if chosen.to is None and (chosen.folder or chosen.announce is not None):
        raise NoBuyer
    if chosen.announce is not None:
        return asyncio.run(commands.announce(environment, chosen.announce, chosen.to))
    if chosen.folder is None:
        return asyncio.run(commands.show(environment))
    return asyncio.run(commands.divest(environment, chosen.folder, chosen.to, chosen.halves))


def _adopt(chosen: argparse.Namespace) -> int:
    from luciole.sale import commands

    environment = dict(os.environ)
    return asyncio.run(commands.adopt(environment, chosen.folder, chosen.key, chosen.policy))


def _move(chosen: argparse.Namespace) -> int:
    from luciole.me import moving
    from luciole.me.client import Client

    old = Client(chosen.cell, chosen.handle, chosen.token_file)
    new = Client(chosen.to, chosen.new_handle or chosen.handle, chosen.new_token_file)
    try:
        return moving.move(
            old,
            new,
            chosen.export,
            sign_up=chosen.new_token_file is None,
            is_shown=not chosen.hide_address,
        )
    finally:
        old.close()
        new.close()


def _prove_removal(chosen: argparse.Namespace) -> int:
    from luciole.audit import removal

    return removal.main(
        config.load(dict(os.environ)),
        receipt=chosen.receipt,
        may_miss_receipt=chosen.without_receipt,
        canaries=chosen.canaries,
        also=chosen.also,
        out=chosen.out,
        agreed=chosen.yes,
    )
