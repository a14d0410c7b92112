"""The part of the command line about background jobs: `luciole jobs …`."""

from __future__ import annotations

import argparse
from typing import Any


def _command(chosen: argparse.Namespace) -> int:
    from luciole import jobs_console

    return jobs_console.command(chosen)


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    sentence = "background jobs and films that wait, run or are stuck"
    one = commands.add_parser("jobs", help=sentence, description=f"B{sentence[1:]}.")
    one.set_defaults(command=_command)
    one.add_argument(
        "act",
        choices=["list", "retry", "drop"],
        help="list: what is in the queue; retry: run a job now, with all its attempts; drop: take "
        "it out of the queue",
    )
    one.add_argument("id", nargs="?", type=int, help="retry, drop: the number of the job")
    one.add_argument("--stuck", action="store_true", help="list: only what is stuck")
