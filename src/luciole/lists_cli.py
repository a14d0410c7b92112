"""The part of the command line about block lists: `luciole blocklist …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def _command(chosen: argparse.Namespace) -> int:
    from luciole import listing

    return listing.command(chosen)


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    sentence = "lists of hashes of pictures, which point at clips for moderators to look at"
    one = commands.add_parser("blocklist", help=sentence, description=f"L{sentence[1:]}.")
    one.set_defaults(command=_command)
    acts = one.add_subparsers(title="acts", required=True, metavar="ACT", dest="act")

    load = acts.add_parser("load", help="load a list, in the place of its version before")
    load.add_argument("file", type=Path, help="one PDQ hash of 64 hex digits in a line")
    load.add_argument("--name", required=True, help="small letters, digits and hyphens")
    load.add_argument("--version", required=True, help="what its keeper calls this version")
    load.add_argument(
        "--source", default="", help="who keeps it; this and the rest stand in the public log"
    )
    load.add_argument(
        "--category",
        default="other-violation-tc",
        help="what it is a list of, in the words of the EU's database (default: %(default)s)",
    )
    load.add_argument(
        "--near",
        type=int,
        default=31,
        metavar="BITS",
        help="in how many of 256 bits a still may differ from an entry (default: %(default)s)",
    )

    remove = acts.add_parser("remove", help="remove a list: it points at nothing from now on")
    remove.add_argument("name", help="the name of the list")
    acts.add_parser("list", help="which lists are loaded, and how often they were right")
