"""The part of the command line about the machine of a cell: install, upgrade, another name. As in
`luciole.cli`, modules are imported inside the commands."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any


def add_to(commands: Any) -> None:
    """Adds three commands to the command line."""
    sentence = "put a cell in place on this machine: user, systemd units, settings, proxy"
    one = commands.add_parser("install", help=sentence, description=f"P{sentence[1:]}.")
    one.set_defaults(command=_install)
    one.add_argument("--host", required=True, help="name in the DNS, such as luciole.example")
    one.add_argument("--name", default="Luciole", help="name of the cell (default: %(default)s)")
    one.add_argument("--operator", required=True, help="who runs it, with the legal name")
    one.add_argument("--country", required=True, help="jurisdiction, an ISO 3166 code")
    one.add_argument("--port", type=int, default=8080, help="on loopback (default: %(default)s)")
    one.add_argument("--memory", default="80%", help="from where on it is held back, as 80%% or 4G")
    one.add_argument("--certificate", default="", help="your own, in PEM; else one by ACME")
    one.add_argument("--key", default="", help="its key, in PEM")
    one.add_argument(
        "--acme", default="", metavar="URL", help="ACME directory of your own authority"
    )
    one.add_argument("--acme-root", default="", metavar="FILE", help="its root, in PEM")
    one.add_argument("--backup", default="", metavar="DIR", help="folder for a daily backup")
    one.add_argument(
        "--border-host", default="", metavar="HOST", help="where other cells reach it, in the DNS"
    )
    one.add_argument("--short-name", default="", metavar="NAME", help="how other cells call it")
    one.add_argument(
        "--border-port", type=int, default=8090, help="on loopback, for them (default: %(default)s)"
    )
    one.add_argument("--root", default="/", help="write below this folder, and start nothing")
    one.add_argument("--dry-run", action="store_true", help="print every file, write none")

    sentence = "bring the data of an earlier version to this one, and back where it does not work"
    one = commands.add_parser("upgrade", help=sentence, description=f"B{sentence[1:]}.")
    one.set_defaults(command=_upgrade)
    one.add_argument("--saved", action="store_true", help="the outside database has been saved")

    sentence = "give the cell another host name: says what follows, and does it with --yes"
    one = commands.add_parser("domain", help=sentence, description=f"G{sentence[1:]}.")
    one.set_defaults(command=_domain)
    one.add_argument("origin", help="the new one, such as https://luciole.example")
    one.add_argument(
        "--settings", default="/etc/luciole/cell.env", help="file to change (default: %(default)s)"
    )
    one.add_argument("--yes", action="store_true", help="do it")


def _install(chosen: argparse.Namespace) -> int:
    from luciole import installing

    return installing.command(chosen)


def _upgrade(chosen: argparse.Namespace) -> int:
    from luciole import upgrading

    return asyncio.run(upgrading.run(dict(os.environ), is_saved=chosen.saved))


def _domain(chosen: argparse.Namespace) -> int:
    from luciole import rehoming

    return rehoming.command(chosen)
