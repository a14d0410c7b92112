"""The part of the command line about who may join. As in `luciole.cli`, modules are imported inside
the commands."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any


def _command(chosen: argparse.Namespace) -> int:
    from luciole import admitting

    return asyncio.run(admitting.command(chosen))


def add_to(commands: Any) -> None:
    """Adds three commands to the command line."""
    sentence = "how people get an account: open, by invitation, by approval, or not at all"
    one = commands.add_parser("registration", help=sentence, description=f"H{sentence[1:]}.")
    one.set_defaults(command=_command, what="registration")
    one.add_argument(
        "mode",
        nargs="?",
        default="",
        choices=["", "open", "invitation", "approval", "closed", "as-set"],
        help="from now on; as-set: what LUCIOLE_PEOPLE_REGISTRATION says; none: say how it is",
    )

    sentence = "invitations: codes with a number of uses and an end"
    one = commands.add_parser("invite", help=sentence, description=f"I{sentence[1:]}.")
    one.set_defaults(command=_command, what="invite")
    one.add_argument("act", nargs="?", default="add", choices=["add", "list", "withdraw"])
    one.add_argument("id", nargs="?", default="", help="withdraw: the id of the invitation")
    one.add_argument("--uses", type=int, default=1, help="for how many (default: %(default)s)")
    one.add_argument("--days", type=int, default=14, help="for how long (default: %(default)s)")
    one.add_argument("--note", default="", help="a note for yourself")

    sentence = "who waits for an account, and the answer to them"
    one = commands.add_parser("people", help=sentence, description=f"W{sentence[1:]}.")
    one.set_defaults(command=_command, what="people")
    one.add_argument("act", choices=["list", "approve", "refuse"])
    one.add_argument("id", nargs="?", default="", help="approve, refuse: the id in the list")
    one.add_argument("--why", default="", help="refuse: the reason, as they may read it")
