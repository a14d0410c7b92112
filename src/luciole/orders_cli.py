"""The part of the command line about orders: `luciole withhold …` and `luciole orders …`."""

from __future__ import annotations

import argparse
from typing import Any


def _command(chosen: argparse.Namespace) -> int:
    from luciole import withholding

    return withholding.command(chosen)


def add_to(commands: Any) -> None:
    """Adds the two commands to the command line."""
    sentence = "keep a clip, a person or a cell from a country, by an order"
    one = commands.add_parser("withhold", help=sentence, description=f"K{sentence[1:]}.")
    one.set_defaults(command=_command, what="withhold")
    one.add_argument("act", choices=["add", "lift", "list"])
    one.add_argument("id", nargs="?", default="", help="lift: the id of the notice")
    subject = one.add_mutually_exclusive_group()
    subject.add_argument("--clip", metavar="ID", help="the clip")
    subject.add_argument("--person", metavar="HANDLE", help="all that this person has published")
    subject.add_argument("--cell", metavar="NAME", help="all that comes from another cell")
    one.add_argument(
        "--in",
        dest="countries",
        default="",
        metavar="COUNTRIES",
        help="ISO 3166 codes with commas between, or everywhere",
    )
    one.add_argument(
        "--ground",
        choices=["court", "authority", "rules"],
        default="court",
        help="rules: nobody outside has ordered it, so two of the staff have to sign",
    )
    one.add_argument("--by", default="", help="who ordered it")
    one.add_argument("--law", default="", help="the law, and the number of the case")
    one.add_argument("--why", default="", help="the reason, as everybody may read it")
    one.add_argument("--appeal", default="", help="where and until when one may appeal")
    one.add_argument("--until", default="", metavar="DATE", help="the day on which it ends")
    one.add_argument("--order", default="", metavar="ID", help="of luciole orders; else a new one")
    one.add_argument("--country", default="", help="of who ordered it (default: the first)")
    one.add_argument(
        "--unnamed", action="store_true", help="where the law forbids to name whom it is about"
    )

    sentence = "orders and requests of governments, counted in public"
    one = commands.add_parser("orders", help=sentence, description=f"O{sentence[1:]}.")
    one.set_defaults(command=_command, what="orders")
    one.add_argument("act", choices=["add", "settle", "list"])
    one.add_argument("id", nargs="?", default="", help="settle: the id of the order")
    one.add_argument("--by", default="", help="the authority")
    one.add_argument("--country", default="", help="its country, an ISO 3166 code")
    one.add_argument("--law", default="", help="the law, and the number of the case")
    one.add_argument("--asks-for", choices=["data", "withhold", "other"], default="data")
    one.add_argument("--persons", type=int, default=0, help="how many persons it is about")
    one.add_argument("--received", default="", metavar="DATE", help="default: today")
    one.add_argument(
        "--gag-until",
        default="",
        metavar="DATE",
        help="until then the log has a commitment to it only",
    )
    one.add_argument(
        "--outcome", choices=["complied", "partly", "refused", "withdrawn"], default="complied"
    )
