"""The part of the command line about finding people: `luciole contacts …`."""

from __future__ import annotations

import argparse
from typing import Any


def _command(chosen: argparse.Namespace) -> int:
    from luciole import contacts_console

    return contacts_console.command(chosen)


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    sentence = "the key of contact discovery: how it stands, and another one"
    one = commands.add_parser("contacts", help=sentence, description=f"T{sentence[1:]}.")
    one.set_defaults(command=_command)
    one.add_argument(
        "act",
        choices=["status", "rotate"],
        help="status: since when it is in use, and how far the next one is; rotate: change it in "
        "both cells, and bring everybody over who wants to be found",
    )
