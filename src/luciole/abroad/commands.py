"""`luciole abroad`: the recovery key, how the backup is, a base backup now, and the way back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from luciole import config
from luciole.abroad import fetching, recovery
from luciole.abroad.keeper import KIND, Ask, Keeper
from luciole.abroad.restore import Restore
from luciole.abroad.running import ASKED_FOR
from luciole.abroad.state import FILE, State
from luciole.ask.alone import Alone, Exchange
from luciole.config import Settings
from luciole.copies.model import CellRuns, OtherCell
from luciole.finding import Finding
from luciole.keys import CellSecret
from luciole.kit import logs
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.errors import Invalid, NotFound, Problem, Unavailable
from luciole.kit.keeper import FolderLock
from luciole.roots.choose import open_root, open_secret

LOOKS_EVERY_S = 1.0
# What upkeep may take to remove an erased person from the database's files, and what is dropped
# abroad stays for.
UPKEEP_DAYS, DROPPED_DAYS = 8, 1


class NotAbroad(NotFound):
    code = "abroad-off"
    sentence = "No other cell keeps a backup of this one."
    next_step = "Set LUCIOLE_ABROAD_PEER to a peer that does (docs/howto/keep-a-backup-abroad.md)."


class NotRunning(Unavailable):
    code = "abroad-not-running"
    sentence = "The cell does not run here, so nothing is sent."
    next_step = "Start it: ./luciole serve."


class NoOrigin(Invalid):
    code = "abroad-no-origin"
    sentence = "This is no address at which another cell may be asked."
    next_step = "Give its border origin, such as --from https://border.example."


class NoTime(Invalid):
    code = "abroad-no-time"
    sentence = "That is no time."
    next_step = "Write it as 2026-11-27T01:00:00Z, or with an offset."


def key(environment: Mapping[str, str], path: Path) -> int:
    """Draws the recovery key into a file."""
    settings = config.load(environment)
    cell_id = open_root(**settings.key_place).cell_id
    made = recovery.make(path, settings.abroad_dir, cell_id)
    say(f"{path} holds the recovery key of this cell, fingerprint {made.fingerprint}.")
    say("Move it off this machine, into two safe places: it alone opens the backup abroad, and")
    say("nobody can make it again. This machine keeps the half that only seals.")
    return 0


def status(environment: Mapping[str, str]) -> int:
    """Says how the backup is; 1 where something is wrong with it."""
    settings = config.load(environment)
    lines, is_well = told(settings, Clock())
    for line in lines:
        say(line)
    return 0 if is_well else 1


def told(settings: Settings, clock: Clock) -> tuple[list[str], bool]:
    """Sentences about the backup, and whether all is well. Raises NotAbroad."""
    abroad = settings.abroad
    if not abroad.peer:
        raise NotAbroad
    try:
        fingerprint = recovery.public_of(settings.abroad_dir).fingerprint
    except recovery.NoRecoveryKey as missing:
        return [f"{missing.sentence} {missing.next_step}"], False
    lines = [f"Kept by {abroad.peer}, sealed to the recovery key {fingerprint}."]
    if not (settings.abroad_dir / FILE).exists():
        return [*lines, "Nothing was sent yet."], False
    state = State(settings.abroad_dir)
    try:
        return _told(settings, state, clock.now(), lines)
    finally:
        state.close()


def _told(
    settings: Settings, state: State, now: datetime, lines: list[str]
) -> tuple[list[str], bool]:
    is_well = True
    covered = state.number("covered")
    if not covered:
        lines.append("Nothing is whole there yet.")
        is_well = False
    else:
        lag_s = int(now.timestamp() - covered)
        late = lag_s > late_after_s(settings)
        lines.append(f"All that was written until {lag_s} s ago is there." + " Late." * late)
        is_well &= not late
    if failed := state.get("failed"):
        lines.append(f"The last try failed: {failed}.")
        is_well = False
    bases = state.bases()
    if bases:
        begins = datetime.fromtimestamp(bases[0].ended_at, UTC)
        lines.append(
            f"{len(bases)} base backups; it reaches back to {begins:%Y-%m-%d %H:%M:%S} UTC."
        )
    else:
        lines.append("No base backup is there yet.")
        is_well = False
    for kind, (count, size_bytes) in sorted(state.totals().items()):
        lines.append(f"{kind}: {count} parcels, {size_bytes / 1024**2:.1f} MiB")
    if not state.get("keys"):
        lines.append(
            "The key store is not there: set LUCIOLE_KEYS_BACKUP_DIR, or keep its copy otherwise."
        )
    lines.append(f"An erased person is gone from there {gone_after_days(settings)} days later.")
    return lines, is_well


def looked(settings: Settings) -> Iterator[Finding]:
    """The backup in another cell, where one is made; and what must not be kept for longer."""
    subject = "backup abroad"
    if not settings.abroad.peer:
        yield Finding("OK", subject, "none is made (docs/howto/keep-a-backup-abroad.md)")
        return
    try:
        lines, is_well = told(settings, Clock())
    except Problem as problem:
        yield Finding("FAIL", subject, problem.sentence, problem.next_step)
        return
    if is_well:
        yield Finding("OK", subject, " ".join(lines[:2]))
    else:
        step = "See ./luciole abroad status, log/abroad.log and log/gateway.log."
        yield Finding("WARN", subject, " ".join(lines[1:4] or lines), step)


def late_after_s(settings: Settings) -> float:
    """From when on what is not abroad is late."""
    return max(5 * settings.abroad.every_s, 900)


def gone_after_days(settings: Settings) -> int:
    """When nothing of an erased person is abroad any more, at the latest: their rows leave the
    database's files, a base backup without them is made, the window passes, and what was dropped
    is destroyed."""
    base_days = -(-settings.abroad.base_hours // 24)
    return UPKEEP_DAYS + base_days + settings.abroad.days + DROPPED_DAYS


async def now(environment: Mapping[str, str]) -> int:
    """Has the running cell send a base backup and everything up to now, and waits for it."""
    settings = config.load(environment)
    if not settings.abroad.peer:
        raise NotAbroad
    recovery.public_of(settings.abroad_dir)
    began = Clock().now().timestamp()
    asked = settings.abroad_dir / ASKED_FOR
    await asyncio.to_thread(asked.touch, 0o600)
    while True:
        if not _is_running(settings):
            raise NotRunning
        await asyncio.sleep(LOOKS_EVERY_S)
        if not (settings.abroad_dir / FILE).exists():
            continue
        with contextlib.closing(State(settings.abroad_dir)) as state:
            bases = state.bases()
            is_there = bool(bases) and bases[-1].began_at >= began
            if is_there and state.number("covered") >= bases[-1].ended_at:
                break
            if failed := state.get("failed"):
                say(f"It failed ({failed}) and is tried again; stop waiting with Ctrl-C.")
    say("A base backup, and all that was written until now, is in the other cell.")
    return 0


async def restore(
    environment: Mapping[str, str], origin: str, key_file: Path, until_text: str
) -> int:
    """Puts the cell back into an empty data folder that holds its root."""
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    clock = Clock()
    whole = recovery.load(key_file)
    secret = _secret(settings, whole)
    try:
        alone = Alone(origin, secret, clock, KIND)
    except ValueError:
        raise NoOrigin from None
    try:
        await bring_back(
            settings, alone.ask, key_file, _time(until_text), clock, asked=(origin, alone.exchanged)
        )
    finally:
        alone.close()
    return 0


async def bring_back(
    settings: Settings,
    ask: Ask,
    key_file: Path,
    until: datetime | None,
    clock: Clock,
    said: Callable[[str], None] = say,
    asked: tuple[str, list[Exchange]] = ("", []),
) -> None:
    """The same over any way to the other cell. `asked`: its origin, and what went that way so far,
    which the log of crossings has to tell."""
    whole = recovery.load(key_file)
    async with _alone(settings):
        found = await fetching.look(Keeper(ask), whole, clock)
        done = await Restore(found, settings, clock, said, asked).run(until)
        recovery.put_public(key_file, settings.abroad_dir)
    said(
        f"Restored up to {done.until:%Y-%m-%d %H:%M:%S} UTC: {done.persons} people, {done.objects} "
        f"objects. Erased since, and erased again: {done.erased} people."
    )
    if done.without_keys:
        said(
            f"{done.without_keys} people signed up after the last copy of the key store: what was "
            "sealed for them is lost."
        )
    if done.missed:
        said(
            f"The log has {done.missed} entries since then. That they are there can be proved; "
            "what they meant is lost."
        )
    said("Start the cell: ./luciole serve. Everybody has to sign in again. It sends everything")
    said("anew, and what is abroad now goes once that is there.")


def _secret(settings: Settings, whole: recovery.RecoveryKey) -> CellSecret:
    """The cell's own secret, by which it shows who it is. Raises OtherCell, KeyFileRefused."""
    secret = open_secret(**settings.key_place)
    if secret is None or secret.cell_id != whole.cell_id:
        raise OtherCell
    return secret


@contextlib.asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        raise CellRuns
    try:
        lock.end_leftovers()
        (settings.data / "log").mkdir(mode=0o700, exist_ok=True)
        yield
    finally:
        lock.release()


def _is_running(settings: Settings) -> bool:
    note = FolderLock(settings.data / "run").read()
    return note is not None and note.owner.is_alive


def _time(text: str) -> datetime | None:
    """Raises NoTime."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NoTime from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
