"""A whole run: commit to the marks, start a cell, play, watch, stop it, scan, report."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import secrets
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import httpx
import msgspec

from luciole import __version__, catalogue, code_console
from luciole.audit.canary import (
    fields,
    jobs,
    log,
    marks,
    play,
    play_abroad,
    play_console,
    play_joining,
    play_staff,
    report,
    tamper,
    watch,
    wrong,
)
from luciole.audit.canary.browser import Book, Exchange
from luciole.audit.canary.cell import Cell
from luciole.audit.canary.play_contacts import ALONE, NEEDS_PEER
from luciole.audit.canary.report import Report
from luciole.audit.canary.scan import Finding, Kind, Place, Scanner
from luciole.audit.canary.stage import LIVE, Stage
from luciole.cell.feed.model import CHANNEL as FEED_CHANNEL
from luciole.cell.notify.model import CHANNEL
from luciole.config import Settings
from luciole.kit.console import say
from luciole.kit.db import Database
from luciole.kit.postgres_logins import SUPERUSER

QUEUE_CHANNEL = "ch_pgqueuer"
# The pack for an auditor, made while everything is there; scanned as any other file.
PACK = "home/pack.zip"
# As the sender of codes of the demo says one.
CODE = re.compile(r": ([0-9]{6}) is your code")
JOBS_WITHIN_S = 240.0
# A mail server that is not there: addresses for mail are taken, and no mail leaves.
NO_MAIL = {
    "LUCIOLE_BORDER_MAIL_URL": "smtp+plain://127.0.0.1:9",
    "LUCIOLE_BORDER_MAIL_FROM": "canary@cell.example",
}
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


async def run(environment: Mapping[str, str], *, keep: Path | None = None) -> Report:
    """Runs a cell of its own below a temporary folder, or below `keep`, which then stays."""
    began = time.monotonic()
    if unknown := fields.unknown_places(catalogue.ALL):
        raise ValueError(f"places that the catalogue does not have: {', '.join(unknown)}")
    with tempfile.TemporaryDirectory(prefix="luciole-canary-") as temporary:
        home = keep or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        return await _run(home, environment, began)


async def _run(home: Path, environment: Mapping[str, str], began: float) -> Report:
    cell, book, seen = Cell(home, environment), Book(secrets.token_bytes(32)), watch.Watch()
    say(f"Committed to a list of marks: {_sha256(book.seed)}")
    heard: list[Exchange] = []
    codes: list[str] = []
    sender = await code_console.begun(
        Settings(data_dir=str(home / "sender")), lambda said: codes.extend(CODE.findall(said))
    )
    cell.environment |= sender.environment | NO_MAIL
    with cell.running():
        owner = await Database.open(cell.url(), size=4)
        superuser = await Database.open(cell.url(SUPERUSER), size=1)
        try:
            async with httpx.AsyncClient(
                base_url=cell.address, timeout=60, trust_env=False
            ) as http:
                api = (await http.get("/api/openapi.json")).json()
                stage = Stage(http, book, home / "home")
                stage.codes = codes
                channels = [CHANNEL, FEED_CHANNEL, QUEUE_CHANNEL]
                async with seen.over(owner, cell.pid, cell.data / "log", channels):
                    await play.run(stage)
                    await play_abroad.run(stage, owner)
                    await play_staff.run(stage, cell)
                    await play_console.run(stage, cell, owner)
                    await play_joining.run(stage, cell)
                    await wrong.run(stage, api)
                    await stage["dan"].ask("DELETE /api/sessions/current")
                    await watch.run_all_jobs(owner, JOBS_WITHIN_S)
                    tampered = await tamper.run(stage, owner)
                    measured = await cell.metrics()
                heard = stage.heard
                say(f"Played {len(heard)} requests; scanning …")
                await asyncio.to_thread(cell.command, "audit", "pack", "--out", str(home / PACK))
                held = [one async for one in watch.columns(owner, superuser)]
                left = [one async for one in watch.held_now(owner)]
                gone, own = frozenset(stage.gone), await watch.own_files(owner)
        finally:
            sender.close()
            await owner.close()
            await superuser.close()
    scanner = Scanner(book.all(), fields.classes(catalogue.ALL), _salts(cell), gone)
    for name, data in held:
        scanner.look(Place("column", name), data)
    for name, data in left:
        scanner.look(Place("remains", name), data)
    for exchange in heard:
        _look_at_answer(scanner, exchange)
    for channel, payload in seen.announced:
        scanner.look(Place("announcements", channel), payload)
    scanner.look(Place("statements", "pg_stat_activity"), b"\n".join(seen.statements))
    scanner.look(Place("processes", "titles and environments"), b"\n".join(seen.titles))
    scanner.look(Place("console", "supervisor"), bytes(cell.console))
    for name, text in measured.items():
        scanner.look(Place("metrics", name), text)
    for name, data in seen.logs:
        scanner.look(Place("logs", name), data)
    _look_at_files(scanner, home, own)
    scanner.add(
        Finding(Place("network", one), "a connection", "-", "to another machine", "", 0, 1)
        for one in sorted(seen.connections)
    )
    scanner.add(tampered)
    scanner.add(log.linked(cell.data / "blobs" / "ledger" / "access"))
    return Report(
        __version__,
        marks.commitment(book.all()),
        len(book.all()),
        scanner.forms,
        round(time.monotonic() - began, 1),
        dict(scanner.scanned),
        len(_operations(api)),
        sorted(_operations(api) - _done(heard)),
        wrong.not_planted(api),
        jobs.not_run(measured["worker"]),
        scanner.allowed,
        sorted(scanner.leaks, key=lambda one: (one.place.kind, one.place.name, one.field)),
    )


def _look_at_answer(scanner: Scanner, exchange: Exchange) -> None:
    status, viewer = exchange.status, exchange.viewer
    kind: Kind = "answer"
    if exchange.operation.startswith("GET /api/me/exports/") and status in (200, 206):
        kind = "export" if exchange.operation.endswith("/file") else kind
    if "/ledger/" in exchange.operation:
        kind = "ledger"
    scanner.look(Place(kind, exchange.operation, viewer, status), exchange.body)
    for name, value in exchange.headers:
        place = Place("headers", f"{exchange.operation}: {name}", viewer, status)
        scanner.look(place, value.encode())


def _look_at_files(scanner: Scanner, home: Path, own: frozenset[str]) -> None:
    for name, path in watch.files(home):
        data = path.read_bytes()
        top, _, rest = name.removeprefix("var/").partition("/")
        if not name.startswith("var/"):
            # The film that the canary itself has made lies there too.
            if name != "home/film.mp4":
                scanner.look(Place("files", name), data)
        elif top == "postgres":
            # Columns were opened one by one; this is what lies between them.
            if not any(rest.startswith(f"data/{path}") for path in own):
                scanner.look(Place("database files", rest), data, opened=False)
        elif top == "blobs" and rest.startswith("ledger/"):
            scanner.look(Place("ledger", rest), data)
        elif top == "blobs":
            scanner.look(Place("objects", rest), data)
        elif top == "log":
            scanner.look(Place("logs", rest), data)
        elif top == "keys":
            scanner.look(Place("keys", rest), data)
        else:
            scanner.look(Place("files", f"{top}/{rest}"), data)
        scanner.look(Place("files", "names"), name.encode(), opened=False)


def _operations(api: dict[str, object]) -> set[str]:
    paths = api["paths"]
    assert isinstance(paths, dict)
    return {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if method in METHODS
    }


def _done(heard: list[Exchange]) -> set[str]:
    """Operations that succeeded at least once, or were refused as a cell alone should."""
    alone = {
        one.operation
        for one in heard
        if one.operation in NEEDS_PEER and one.status == 404 and ALONE.encode() in one.body
    }
    return {one.operation for one in heard if one.status < 400} | alone | {LIVE}


def _salts(cell: Cell) -> list[bytes]:
    """What the cell has at hand to stir into a hash: its id, and the secret in its key file."""
    words = (cell.data / "keys" / "root.key").read_text().split()
    found = [word.encode() for word in words[1:]]
    for word in words[1:]:
        with contextlib.suppress(ValueError):
            found.append(uuid.UUID(word).bytes)
            continue
        with contextlib.suppress(ValueError):
            found.append(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    return found


def _sha256(seed: bytes) -> str:
    return hashlib.sha256(seed).hexdigest()


def main(environment: Mapping[str, str], *, keep: Path | None, out: Path | None) -> int:
    """Prints the report; 1 for a leak, or for something that was not tried."""
    found = asyncio.run(run(environment, keep=keep))
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    report.show(found, say)
    return 0 if found.is_clean else 1
