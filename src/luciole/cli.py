"""The command line. Small: each command reads its settings, calls one function, returns a status.

Modules are imported inside the commands, so that `version` and a refused start are quick.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from luciole import (
    __version__,
    between,
    config,
    contacts_cli,
    entry_cli,
    host_cli,
    jobs_cli,
    lists_cli,
    orders_cli,
    processes_cli,
    sale_cli,
)
from luciole.kit.errors import Problem

# Where `demo` keeps its data, apart from your own cell's: its accounts have a known password.
DEMO_DATA = "var/demo"
# Where a witness keeps what it has seen, beside and apart from a cell of its owner.
WITNESS_DATA = "var/witness"
UNFENCED = "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status: 0, 1 for what went wrong, 2 for a wrong call."""
    # Python's TLS would write the keys of every session there, for whoever reads the wire.
    os.environ.pop("SSLKEYLOGFILE", None)
    chosen = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    if command not in (_demo, _serve, _witness):
        # Those listen to signals by themselves as soon as they start something.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return command(chosen)
    except config.SettingError as error:
        return _refused(str(error), "Correct this setting in the environment, then start again.")
    except Problem as problem:
        return _refused(problem.sentence, problem.next_step)
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """All commands and their options; the reference docs print it."""
    top = argparse.ArgumentParser(
        prog="luciole",
        description="Short videos, shared with your people. Your data stays home.",
        epilog="Settings are LUCIOLE_* environment variables: docs/reference/settings.md. "
        "`./luciole test` runs the tests (from a source checkout).",
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    one = _add(commands, "demo", _demo, "a cell with people and clips to look at")
    _port(one)
    one.add_argument(
        "--fresh", action="store_true", help="throw the demo's data away first, after asking"
    )
    one.add_argument("--yes", action="store_true", help="with --fresh: do not ask")
    one.add_argument(
        "--cells", default="", metavar="NAMES", help="several cells that exchange, such as us,sg"
    )

    one.add_argument(
        "--empty", action="store_true", help="with --cells: no people and clips of the demo"
    )

    one = _add(commands, "serve", _serve, "your own cell: database, API, worker, web client")
    _port(one)
    _add(commands, "films", _films, "encode films of a cell that is on another machine")
    _add(commands, "stop", _stop, "stop the cell that runs in the data folder")

    _add(commands, "migrate", _migrate, "bring the database to this version")
    one = _add(
        commands, "backup", _backup, "save the cell so that whoever is erased goes from it, too"
    )
    one.add_argument("folder", type=Path, help="where to; one that holds a backup is renewed")
    one = _add(commands, "restore", _restore, "put a backup into an empty cell that has its keys")
    one.add_argument("folder", type=Path, help="the folder of the backup")
    one.add_argument(
        "--halves",
        type=Path,
        help="file that the guardian of the keys has lent, where there is one",
    )
    sale_cli.add(commands)
    _add(
        commands,
        "upkeep",
        _upkeep,
        "remove what the database's own files remember of deleted rows",
    )
    one = _add(commands, "doctor", _doctor, "say what is wrong here, and what to do about it")
    one.add_argument("--demo", action="store_true", help="look at the demo's data instead")
    one = _add(commands, "witness", _witness, "watch the logs of a cell, and cosign what is right")
    one.add_argument("url", metavar="URL", help="address of the cell, such as https://cell.example")
    one.add_argument(
        "--data", default=WITNESS_DATA, metavar="DIR", help="what it keeps (default: %(default)s)"
    )
    one.add_argument(
        "--listen", default="", metavar="HOST:PORT", help="answer others there (default: nobody)"
    )
    one.add_argument("--name", default="", help="name of its keys (default: one made up)")
    _add(commands, "version", _version, "say which version this is")

    one = _add(
        commands, "restore-keys", _restore_keys, "put a short backup of the key store back in place"
    )
    one.add_argument("folder", help="the folder that LUCIOLE_KEYS_BACKUP_DIR named")
    one = _add(commands, "staff", _staff, "who may ask to read something of a person")
    one.add_argument("act", choices=["add", "remove", "list"])
    one.add_argument("handle", nargs="?", default="", help="whose account; not for list")
    one.add_argument(
        "--role",
        action="append",
        choices=["operator", "moderator", "auditor"],
        help="add: signs reads and notices (operator, the default), reviews what is reported "
        "(moderator), or reads what was done (auditor); give it again for more than one",
    )

    entry_cli.add_to(commands)
    host_cli.add_to(commands)
    orders_cli.add_to(commands)
    lists_cli.add_to(commands)
    jobs_cli.add_to(commands)
    contacts_cli.add_to(commands)
    between.add_to(commands, _add)

    one = _add(commands, "feed", _feed, "look into For You: a page again, its budget, its state")
    one.add_argument(
        "act",
        choices=["replay", "budget", "rebuild"],
        help="replay: compute a page of the last day anew, and compare; budget: what new clips "
        "are promised; rebuild: the state from its newest snapshot and the log, and its digest",
    )
    one.add_argument("page", nargs="?", type=UUID, help="replay: the id of a page")

    one = _add(commands, "me", _me, "what a cell holds about you: see, check, take along, leave")
    one.add_argument(
        "act", choices=["data", "journal", "verify", "export", "erase"], help="which of these"
    )
    one.add_argument("--cell", required=True, metavar="URL", help="address of the cell")
    one.add_argument("--handle", required=True, help="your handle there")
    one.add_argument(
        "--token-file", type=Path, help="file with a session token, mode 600 (default: ask)"
    )
    one.add_argument("--policy", type=Path, help="verify: whom to trust, kept from earlier")
    one.add_argument("--label-key", type=Path, help="verify: your label key, kept from earlier")
    one.add_argument(
        "--to", type=Path, default=Path("luciole-export.zip"), help="export: file to write"
    )
    one.add_argument("--now", action="store_true", help="erase: without the 30 days of thinking")

    one = _add(commands, "audit", _audit, "evidence for an auditor, or a search for leaks")
    one.add_argument(
        "what",
        choices=["pack", "canary"],
        help="pack: logs, catalogue, rights and digests of this cell in one ZIP; canary: persons "
        "with marked fields in a cell of its own, and a look for the marks everywhere",
    )
    one.add_argument("--out", help="where the pack, or the canary's report as JSON, is written")
    one.add_argument("--heads", action="store_true", help="pack: the heads of the logs only")
    one.add_argument("--keep", metavar="DIR", help="canary: keep its cell in this new folder")

    processes_cli.add_to(commands)
    return top


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], int],
    sentence: str,
) -> argparse.ArgumentParser:
    one = commands.add_parser(name, help=sentence, description=sentence[0].upper() + sentence[1:])
    one.set_defaults(command=command)
    return one


def _port(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--port", type=int, help="TCP port to listen on (default: LUCIOLE_WEB_PORT, or 8080)"
    )


def _environment(chosen: argparse.Namespace, *, demo: bool) -> dict[str, str]:
    environment = dict(os.environ)
    if demo:
        environment.setdefault("LUCIOLE_DATA_DIR", DEMO_DATA)
        environment["LUCIOLE_CELL_DEMO"] = "true"
    if getattr(chosen, "port", None) is not None:
        environment["LUCIOLE_WEB_PORT"] = str(chosen.port)
    return environment


def _demo(chosen: argparse.Namespace) -> int:
    from luciole import serve

    environment = _environment(chosen, demo=True)
    _do_without_fence(environment)
    settings = config.load(environment)
    if chosen.cells:
        from luciole import network

        names = network.names_of(chosen.cells)
        if chosen.fresh and not (chosen.yes or _agreed(settings)):
            return 1
        return asyncio.run(
            network.run(environment, names, is_fresh=chosen.fresh, is_empty=chosen.empty)
        )
    if chosen.fresh and not (chosen.yes or _agreed(settings)):
        return 1
    # A port that was asked for by name is kept; the usual one gives way.
    may_move = chosen.port is None and "LUCIOLE_WEB_PORT" not in os.environ
    return asyncio.run(
        serve.run(environment, is_demo=True, may_move=may_move, is_fresh=chosen.fresh)
    )


def _do_without_fence(environment: dict[str, str]) -> None:
    """Lets a demo decode without a fence where the machine has none, and says so. Elsewhere than
    on loopback, or where somebody has decided already, everything stays as it is."""
    from luciole.cell.media import fence

    found = fence.available()
    is_open = config.load(environment).web.host not in config.LOOPBACK
    if found.is_enough or is_open or UNFENCED in environment:
        return
    environment[UNFENCED] = "true"
    print(
        "This machine cannot fence the decoder off, so this demo decodes without: its own films "
        "are harmless, but whoever can open it can upload a file that harms this machine "
        f"({'; '.join(found.reasons) or 'no Landlock'}).",
        flush=True,
    )


def _agreed(settings: config.Settings) -> bool:
    print(f"This deletes the demo's people and clips in {settings.data}.")
    try:
        return input("Type fresh to go on: ").strip() == "fresh"
    except EOFError:
        print("\nNothing was deleted. Without a terminal, use --fresh --yes.")
        return False


def _serve(chosen: argparse.Namespace) -> int:
    from luciole import serve

    return asyncio.run(serve.run(_environment(chosen, demo=False)))


def _stop(chosen: argparse.Namespace) -> int:
    from luciole import serve

    settings = config.load(_environment(chosen, demo=False))
    print(f"Stopped what ran in {serve.stop(settings)}.")
    return 0


def _films(_chosen: argparse.Namespace) -> int:
    from luciole import films_process

    films_process.main()
    return 0


def _migrate(chosen: argparse.Namespace) -> int:
    from luciole import serve

    return asyncio.run(serve.migrate(_environment(chosen, demo=False)))


def _backup(chosen: argparse.Namespace) -> int:
    from luciole.copies import commands

    return asyncio.run(commands.backup(_environment(chosen, demo=False), chosen.folder))


def _restore(chosen: argparse.Namespace) -> int:
    from luciole.copies import commands

    environment = _environment(chosen, demo=False)
    return asyncio.run(commands.restore(environment, chosen.folder, chosen.halves))


def _upkeep(chosen: argparse.Namespace) -> int:
    from luciole import serve

    return asyncio.run(serve.remove_remains(_environment(chosen, demo=False)))


def _doctor(chosen: argparse.Namespace) -> int:
    from luciole import doctor

    return doctor.main(_environment(chosen, demo=chosen.demo))


def _witness(chosen: argparse.Namespace) -> int:
    from luciole import witness_process

    return witness_process.alone(chosen.url, Path(chosen.data), chosen.name, chosen.listen)


def _restore_keys(chosen: argparse.Namespace) -> int:
    from luciole import broker

    settings = config.load(_environment(chosen, demo=False))
    restored = broker.restore(settings, Path(chosen.folder))
    print(f"{restored.name} is in {settings.keys_dir} now. Start the cell: it looks for people who")
    print("were erased since then, destroys their keys again, and rotates.")
    return 0


def _staff(chosen: argparse.Namespace) -> int:
    from luciole import staffing
    from luciole.kit.clock import Clock

    settings = config.load(_environment(chosen, demo=False))
    handle = chosen.handle.removeprefix("@").lower()
    for line in asyncio.run(
        staffing.change(settings, chosen.act, handle, Clock(), chosen.role or ["operator"])
    ):
        print(line)
    return 0


def _feed(chosen: argparse.Namespace) -> int:
    from luciole import feed_console
    from luciole.kit.clock import Clock

    settings = config.load(_environment(chosen, demo=False))
    found = asyncio.run(feed_console.look(settings, chosen.act, chosen.page, Clock()))
    for line in found.lines:
        print(line)
    return 0 if found.is_well else 1


def _audit(chosen: argparse.Namespace) -> int:
    environment = _environment(chosen, demo=False)
    if chosen.what == "canary":
        from luciole.audit.canary import run

        keep = Path(chosen.keep) if chosen.keep else None
        return run.main(environment, keep=keep, out=Path(chosen.out) if chosen.out else None)
    from luciole.audit import pack

    out = Path(chosen.out or "luciole-audit.zip")
    return pack.main(config.load(environment), out, heads_only=chosen.heads)


def _version(_chosen: argparse.Namespace) -> int:
    print(f"luciole {__version__}")
    return 0


def _me(chosen: argparse.Namespace) -> int:
    from luciole.me import commands
    from luciole.me.client import Client

    client = Client(chosen.cell, chosen.handle, chosen.token_file)
    try:
        match chosen.act:
            case "data":
                return commands.data(client)
            case "journal":
                return commands.journal(client)
            case "verify":
                return commands.verify(client, chosen.policy, chosen.label_key)
            case "export":
                return commands.export(client, chosen.to)
            case _:
                return commands.erase(client, now=chosen.now)
    finally:
        client.close()


def _refused(sentence: str, next_step: str) -> int:
    print(f"{sentence}\nWhat to do: {next_step}", file=sys.stderr)
    return 1
