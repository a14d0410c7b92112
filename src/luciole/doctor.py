"""Says what is wrong on this machine and what to do about it. Changes nothing that is kept.

To compare the key file with the database, a stopped PostgreSQL of our own is started for as long
as that takes, with the folder's lock held. Each check gives one line: OK, WARN (works, but look at
it) or FAIL (Luciole will not work so).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from luciole import (
    __version__,
    code_reach,
    config,
    database_console,
    fit,
    guarding,
    jobs_console,
    mirroring,
    peering,
    rehoming,
    room,
    routes,
    signers,
    statements,
    upkeep,
)
from luciole.abroad import commands
from luciole.cell.media import fence
from luciole.config import Settings
from luciole.finding import Finding
from luciole.keys import CellSecret, KeyFileRefused, epochs
from luciole.kit import postgres
from luciole.kit.db import Database
from luciole.kit.errors import Problem
from luciole.kit.keeper import FolderLock
from luciole.roots.choose import open_secret
from luciole.sale import elsewhere

# A demo with its clips takes about a tenth of this.
LITTLE_SPACE_BYTES = 2 * 1024**3

Check = Callable[[Settings], Iterator[Finding]]


def main(environment: Mapping[str, str]) -> int:
    """Prints all findings; 1 when one of them is a FAIL."""
    print(f"Luciole {__version__} on Python {sys.version.split()[0]}, {sys.platform}")
    try:
        settings = config.load(environment)
    except config.SettingError as error:
        findings = [Finding("FAIL", "settings", str(error), "Correct it in the environment.")]
    else:
        findings = [Finding("OK", "settings", "can be read")]
        findings += [finding for check in CHECKS for finding in check(settings)]
    for one in findings:
        print(f"{one.verdict:4}  {one.subject}: {one.sentence}")
        if one.next_step:
            print(f"      → {one.next_step}")
    failed = sum(one.verdict == "FAIL" for one in findings)
    print("Nothing stands in the way." if not failed else f"To mend first: {failed}.")
    return 1 if failed else 0


def _python(_settings: Settings) -> Iterator[Finding]:
    if sys.version_info < (3, 11):  # noqa: UP036 - the doctor is for machines that are wrong
        yield Finding("FAIL", "python", "older than 3.11", "Install Python 3.11 or newer.")
    missing = [
        name
        for name in ("litestar", "asyncpg", "msgspec", "av", "imageio_ffmpeg", "cryptography")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        yield Finding(
            "FAIL",
            "packages",
            f"not installed: {', '.join(missing)}",
            "Start by the script ./luciole. If that does not help, delete .venv and try again.",
        )
    else:
        yield Finding("OK", "packages", "installed")


def _data(settings: Settings) -> Iterator[Finding]:
    data = settings.data
    if not data.exists():
        yield Finding("OK", "data", f"{data} will be made at the first start")
    elif not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "FAIL",
            "data",
            f"{data} cannot be written",
            "Give it to the user who runs Luciole: chown -R",
        )
    else:
        yield Finding("OK", "data", str(data))
        for private in (settings.keys_dir, data / "postgres", data / "postgres" / "passwords"):
            if private.is_dir() and private.stat().st_mode & 0o077:
                yield Finding(
                    "FAIL",
                    "data",
                    f"{private} is open to other users of this machine",
                    f"chmod 700 {private}",
                )
    place = next(one for one in (data, *data.parents) if one.exists())
    free = shutil.disk_usage(place).free
    gib = f"{free / 10**9:.1f} GB free"
    if free < settings.media.min_free_bytes:
        yield Finding("FAIL", "disk", f"{gib}; uploads are refused", "Make room.")
    elif free < LITTLE_SPACE_BYTES:
        yield Finding("WARN", "disk", gib, "Make room before people upload.")
    else:
        yield Finding("OK", "disk", gib)


def _running(settings: Settings) -> Iterator[Finding]:
    lock = FolderLock(settings.data / "run")
    note = lock.read()
    if note is None:
        yield Finding("OK", "running", "not running in this folder")
    elif note.owner.is_alive:
        dead = [name for name, child in note.children.items() if not child.is_alive]
        where = f"{note.address}, process {note.owner.pid}"
        if dead:
            yield Finding(
                "WARN",
                "running",
                f"{where}; being started again: {', '.join(dead)}",
                f"Look into {settings.data / 'log'}",
            )
        else:
            yield Finding("OK", "running", f"{where}, with {', '.join(note.children)}")
    else:
        yield Finding(
            "WARN",
            "running",
            "the last run was cut off",
            "Nothing to do: the next start cleans up.",
        )
    if note is None or not note.owner.is_alive:
        host, port = settings.web.host, settings.web.port
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                yield Finding("OK", "port", f"{port} is free")
            except OSError as error:
                yield Finding(
                    "FAIL", "port", f"{port} on {host}: {error.strerror}", "Choose one with --port."
                )


def _root_key(settings: Settings) -> Iterator[Finding]:
    subject = "root key"
    try:
        secret = open_secret(**settings.key_place)
        if not settings.database.url and not (settings.data / "postgres" / "data").exists():
            found = "will be made at the first start" if secret is None else "for this user only"
            yield Finding("OK", subject, found)
            return
        if not asyncio.run(_fits(settings, secret)):
            yield Finding("OK", subject, "will be made at the next start; nobody is here yet")
        else:
            yield Finding("OK", subject, "belongs to this database, and is for this user only")
    except fit.REFUSALS as problem:
        yield Finding("FAIL", subject, problem.sentence, problem.next_step)
    except Exception as error:
        why = error.sentence if isinstance(error, Problem) else type(error).__name__
        yield Finding(
            "WARN",
            subject,
            f"could not be compared with the database ({why})",
            "Start the cell; it compares them too.",
        )


def _key_store(settings: Settings) -> Iterator[Finding]:
    subject = "key store"
    try:
        current = epochs.current(settings.keys_dir)
    except KeyFileRefused as problem:
        yield Finding("FAIL", subject, problem.sentence, problem.next_step)
        return
    if current is None:
        yield Finding("OK", subject, "will be made at the first start")
        return
    days = (datetime.now(UTC) - current[1]).days
    if days > settings.keys.epoch_days:
        yield Finding(
            "WARN",
            subject,
            f"its epoch is {days} days old, and what was erased since may still be in copies of it",
            "Start the cell, which rotates each hour until it works; see log/custody.log.",
        )
    elif not settings.keys.backup_dir:
        yield Finding(
            "WARN",
            subject,
            "has no copy: if this disk breaks, what is sealed is lost",
            "Set LUCIOLE_KEYS_BACKUP_DIR (docs/howto/back-up-and-restore.md).",
        )
    else:
        yield Finding("OK", subject, f"epoch {current[0]}, {days} days old")
    yield from guarding.findings(settings)
    yield from elsewhere.findings(settings)


async def _fits(settings: Settings, secret: CellSecret | None) -> bool:
    """False where nothing was sealed yet. The database may have to be started for it. Raises
    `custody.fit.REFUSALS`."""
    if settings.database.url:
        return await _asked(settings.database.url, secret)
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        return await _asked(postgres.Server(home, log).url(), secret)
    try:
        lock.end_leftovers()
        async with postgres.embedded_async(home, log=log) as server:
            return await _asked(server.url(), secret)
    finally:
        lock.release()


async def _asked(url: str, secret: CellSecret | None) -> bool:
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            return await fit.check(tx, secret)
    finally:
        await database.close()


def _owner_url(settings: Settings) -> str:
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    return settings.database.url or postgres.Server(home, log).url()


def _border(settings: Settings) -> Iterator[Finding]:
    """Other cells. Only where the database runs."""
    with contextlib.suppress(Exception):
        yield from asyncio.run(peering.looked(settings, _owner_url(settings)))


def _remains(settings: Settings) -> Iterator[Finding]:
    """Of people who were erased, in the database's own files. Only of a database that runs."""
    subject = "remains"
    try:
        url = _owner_url(settings)
        days = asyncio.run(upkeep.overdue(url, datetime.now(UTC)))
        keepers = asyncio.run(upkeep.keepers(url)) if settings.database.url else []
    except Exception:  # it does not run, or other checks say what is wrong with it
        return
    for sentence, next_step in keepers:
        yield Finding("WARN", subject, sentence, next_step)
    if days:
        found = f"of erased people should have been removed {days} days ago"
        yield Finding("WARN", subject, found, "Run ./luciole upkeep.")
    else:
        yield Finding("OK", subject, "nothing of erased people is there for longer than 7 days")


def _web_client(settings: Settings) -> Iterator[Finding]:
    here = Path(__file__).resolve().parent
    places = [here / "web_dist", here.parent.parent / "web" / "dist"]
    if settings.web.dist:
        places = [Path(settings.web.dist)]
    if any((place / "index.html").exists() for place in places):
        yield Finding("OK", "web client", "built")
    else:
        yield Finding(
            "FAIL", "web client", f"not found in {places[0]}", "Start by the script ./luciole."
        )


def _log(settings: Settings) -> Iterator[Finding]:
    try:
        faults = asyncio.run(statements.faults(settings, datetime.now(UTC)))
    except Exception as error:
        faults = [(f"cannot be read ({type(error).__name__})", "Start the cell.")]
    yield from (Finding("WARN", "log", *words) for words in faults)
    if not faults:
        yield Finding("OK", "log", "names this release, and each day has its statement")


def _fence(settings: Settings) -> Iterator[Finding]:
    found = fence.available()
    why = "; ".join(found.reasons)
    if found.is_enough:
        yield Finding("OK", "fence", "media are decoded in a locked-down process")
    elif settings.media.allow_unfenced_decoding:
        yield Finding("WARN", "fence", f"media are decoded without it, as this demo allows ({why})")
    else:
        yield Finding(
            "FAIL",
            "fence",
            f"none to be had, so uploads are refused ({why})",
            "Run on Linux 5.13 or newer; in a container, one that allows Landlock and seccomp.",
        )


CHECKS: tuple[Check, ...] = (
    _python,
    _data,
    _running,
    database_console.looked,
    _root_key,
    _key_store,
    _remains,
    room.looked,
    code_reach.looked,
    commands.looked,
    _web_client,
    _log,
    jobs_console.looked,
    _border,
    routes.looked,
    mirroring.looked,
    rehoming.looked,
    signers.looked,
    _fence,
)
