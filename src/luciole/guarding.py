"""The guardian of this cell's keys, and the cells whose keys this one guards: put in office,
relieved and looked at by the operator, at the machine; and what the log says of the latter.

Both sides count. The guardian says in its own log `decisions` what it holds and gave for whom, the
home says in its own what it asked for; whoever compares them sees a half that was given and that
nobody at home had asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from luciole import reach
from luciole.ask.client import Custody
from luciole.ask.start import derived_now
from luciole.config import Settings
from luciole.custody.broker import said
from luciole.custody.model import GuardianState, NoGuardian
from luciole.finding import Finding
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical
from luciole.reach import Reached
from luciole.roots.choose import open_secret
from luciole.trustee import backups, lending, shares
from luciole.trustee.book import BOOK, TRUSTEE, Book, key_of_book

Change = Literal["on", "off", "status", "told", "destroy"]
Act = Change | Literal["ask", "lend"]
Verdict = Literal["GREEN", "RED", "CANNOT TELL"]
Say = Callable[[str], None]

START = "Start the cell, and look into log/custody.log."
PEERS = "Be peers both ways (./luciole peer list), then look into log/custody.log."

COUNTS_EVERY_S = 3600.0
LOOKS_EVERY_S = 1.0
NOT_RECALLED = (
    "CANNOT TELL: what was given once may have been kept, and nothing calls it back. That holds for"
)


def command(settings: Settings, act: Act, request: str, to: Path | None, is_agreed: bool) -> int:
    """What the command line asks; its exit status."""
    say = partial(print, flush=True)
    if act == "ask":
        lines = ask(settings)
    elif act == "lend":
        lines = asyncio.run(lend(settings, request, to or Path("luciole-halves"), Clock()))
    elif act == "destroy" and not (is_agreed or _agreed()):
        return 1
    else:
        asyncio.run(change(settings, act, say))
        return 0
    say("\n".join(lines))
    return 0


def _agreed() -> bool:
    print("What is still under the guardian can never be opened again, by anybody.")
    try:
        return input("Type destroy to go on: ").strip() == "destroy"
    except EOFError:
        print("\nNothing was destroyed. Without a terminal, use --yes.")
        return False


async def change(settings: Settings, act: Change, say: Say) -> None:
    """Does it, and says how it stands. The cell runs. Raises NoGuardian, GuardianAway,
    CustodyAway."""
    custody = Custody.at(settings.custody_dir / "operator.sock")
    try:
        if act == "told":
            await _tell(custody, say)
            return
        state = await custody.guardian(act)
        if act != "status":
            state = await _moved(custody, state, say)
        for line in lines_of(state):
            say(line)
        for line in held(settings):
            say(line)
    finally:
        await custody.close()


def ask(settings: Settings) -> list[str]:
    """The request for all halves at once, for a cell that is put back. Raises KeyFileRefused."""
    secret = open_secret(**settings.key_place)
    if secret is None:
        raise lending.NotLent
    line = lending.request(secret.cell_id, secret.derived(lending.PURPOSE))
    return ["Send this line to the operator of your guardian, and read it to them as well:", line]


async def lend(settings: Settings, text: str, file: Path, clock: Clock) -> list[str]:
    """Lends all halves of the cell that asks, in a new file, and says so in the log. This cell
    runs. Raises NotLent, CustodyAway."""
    cell, box = lending.read_request(text)
    path = settings.trustee_dir / BOOK
    if str(cell) not in counts_of(path):
        raise lending.NotLent
    key = book_key(settings)
    count = counts_of(path)[str(cell)].held
    async with reach.reached(settings) as place:
        entry = {"act": "lent", "kind": "guarding", "v": 1, "at": said(clock.now())}
        await _noted(place.owner_url, [entry | {"cell": str(cell), "halves": count}])
    await asyncio.to_thread(_write, file, path, key, cell, box, int(clock.now().timestamp()))
    return [f"{count} halves of {cell} are in {file}, for its key only. The log tells of it."]


def _write(file: Path, path: Path, key: bytes, cell: UUID, box: bytes, now: int) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out, closing(Book(path, key)) as book:
        out.writelines(lending.lend(book, cell, box, now))


async def _noted(url: str, entries: Sequence[dict[str, Any]]) -> None:
    database = await Database.open(url, size=1)
    try:
        async with database.tx() as tx:
            for entry in entries:
                await ledger.put(tx, "decisions", canonical(entry))
    finally:
        await database.close()


async def state_of(settings: Settings) -> GuardianState:
    """How it stands now. Raises NoGuardian, CustodyAway where the cell does not run."""
    custody = Custody.at(settings.custody_dir / "operator.sock")
    try:
        return await custody.guardian("status")
    finally:
        await custody.close()


def findings(settings: Settings) -> Iterator[Finding]:
    """What the doctor finds; nothing where no guardian is named and none is in office."""
    wanted = settings.keys.guardian
    try:
        state = asyncio.run(state_of(settings))
    except NoGuardian:
        state = GuardianState()
    except Problem as problem:
        if wanted:
            yield Finding("WARN", "guardian", f"{wanted} cannot be asked ({problem.code})", START)
        return
    if not state.cell_id:
        if wanted:
            yield Finding("WARN", "guardian", f"{wanted} is not in office yet", PEERS)
    elif verdict(state) == "RED":
        found = f"{state.peer} gave {state.given} halves, and this cell asked for {state.asked}"
        yield Finding("FAIL", "guardian", found, "See docs/howto/have-a-guardian.md.")
    elif state.fault or state.left:
        found = f"{state.peer}: {state.fault or 'keys are moving'}; {state.left} people are left"
        yield Finding("WARN", "guardian", found, "See log/custody.log.")
    elif state.is_on and wanted != state.peer:
        found = f"{state.peer} holds halves, and the settings name {wanted or 'nobody'}"
        yield Finding("WARN", "guardian", found, "Correct LUCIOLE_KEYS_GUARDIAN, or turn it off.")
    elif state.is_on:
        yield Finding("OK", "guardian", f"{state.peer} guards the keys of {state.guarded} people")


async def _moved(custody: Custody, state: GuardianState, say: Say) -> GuardianState:
    """Waits until the keys of all have moved, or something is in the way."""
    before = -1
    while state.left and not state.fault:
        if state.left != before:
            before = state.left
            say(f"{state.left} people left …")
        await asyncio.sleep(LOOKS_EVERY_S)
        state = await custody.guardian("status")
    return state


async def _tell(custody: Custody, say: Say) -> None:
    """Whose halves were given, by their handles."""
    after, is_first = b"", True
    while True:
        told = (await custody.guardian("told", after)).told
        if is_first:
            say("half                              times  first given           last given")
            is_first = False
        for handle, times, first_at, last_at in told:
            say(f"{handle.hex()}  {times:5}  {_at(first_at)}  {_at(last_at)}")
        if len(told) < shares.MOST_TOLD:
            return
        after = told[-1][0]


def verdict(state: GuardianState) -> Verdict:
    """What the two counts say when they are compared."""
    if state.compared_at is None:
        return "CANNOT TELL"
    return "RED" if state.given > state.asked else "GREEN"


def lines_of(state: GuardianState) -> list[str]:
    """The state in words."""
    if not state.cell_id:
        named = f"It will be {state.peer}." if state.peer else "Set LUCIOLE_KEYS_GUARDIAN."
        return [f"Nobody guards the keys of this cell. {named}", *_fault(state)]
    office = "in office" if state.is_on else "relieved"
    since = f"{state.since:%Y-%m-%d %H:%M} UTC" if state.since else "-"
    lines = [
        f"Guardian: {state.peer} ({state.cell_id}), {office} since {since}.",
        f"  people whose keys need it    {state.guarded}, without it {state.alone}",
        f"  halves that it holds         {state.held}",
        f"  given, refused by it         {state.given}, {state.refused}",
        f"  asked for by this cell       {state.asked}",
        f"  compared                     {verdict(state)}",
    ]
    if verdict(state) == "RED":
        lines.append("  → It gave more than this cell asked for: somebody else asks in our name.")
    if state.given_persons:
        first = f"{state.first_given_at:%Y-%m-%d %H:%M} UTC" if state.first_given_at else "-"
        lines += [
            f"{NOT_RECALLED} {state.given_persons} people,",
            f"  the first since {first}; luciole guardian told lists them by their handles.",
        ]
    return [*lines, *_fault(state)]


def _fault(state: GuardianState) -> list[str]:
    return [f"  → not in order: {state.fault}; see log/custody.log"] if state.fault else []


def held(settings: Settings) -> list[str]:
    """Whose keys this cell guards."""
    found = []
    for cell, counted in counts_of(settings.trustee_dir / BOOK).items():
        found += [
            f"Guarded here: {cell}, since {_at(counted.since)}.",
            f"  halves held {counted.held}, given {counted.given} times for "
            f"{counted.given_persons} people, refused {counted.refused}, "
            f"destroyed {counted.destroyed}",
        ]
    return found


def book_key(settings: Settings) -> bytes:
    """What opens the trustee's book, from the key broker. Raises CustodyAway."""
    (key,) = derived_now(settings.custody_dir / "trustee.sock", [TRUSTEE]).values()
    return key_of_book(key)


def counts_of(path: Path) -> dict[str, shares.Counted]:
    """What the book of the trustee says of each cell; it names no half, so it needs no key."""
    if not path.exists():
        return {}
    with closing(Book(path, b"")) as book:
        return {str(cell): book.counted(cell) for cell in book.cells()}


async def watch(place: Reached, settings: Settings, clock: Clock) -> None:
    """Says each hour in the log what this cell guards for others, where that has changed, and
    whose backup it has destroyed."""
    last: dict[str, shares.Counted] = {}
    ended: dict[UUID, int] = {}
    while True:
        try:
            last = await publish(place.owner_url, settings.trustee_dir / BOOK, last, clock)
            ended = await publish_ended(place.owner_url, settings.trustee_dir, ended, clock)
        except (*LOST, TimeoutError) as error:
            log.error("counts of the guardian were not published", error=type(error).__name__)
        await asyncio.sleep(COUNTS_EVERY_S)


async def publish(
    url: str, path: Path, last: dict[str, shares.Counted], clock: Clock
) -> dict[str, shares.Counted]:
    """Puts an entry for each cell whose counts are not as they were; the counts."""
    counts = counts_of(path)
    new = {cell: one for cell, one in counts.items() if last.get(cell) != one}
    if new:
        await _noted(url, [entry_of(cell, one, clock.now()) for cell, one in new.items()])
    return counts


async def publish_ended(
    url: str, folder: Path, last: dict[UUID, int], clock: Clock
) -> dict[UUID, int]:
    """Puts an entry for each cell whose backup was destroyed at its word since; all of them."""
    ended = backups.ended(folder)
    new = {cell: pieces for cell, pieces in ended.items() if last.get(cell) != pieces}
    if new:
        at = said(clock.now())
        entry = {"v": 1, "kind": "keeping", "at": at}
        entries = [entry | {"cell": str(cell), "destroyed": new[cell]} for cell in new]
        await _noted(url, entries)
    return ended


def entry_of(cell: str, counted: shares.Counted, now: datetime) -> dict[str, Any]:
    """What the log says of one cell's halves."""
    return {
        "v": 1,
        "kind": "guarding",
        "at": said(now),
        "cell": cell,
        "held": counted.held,
        "given": counted.given,
        "given_persons": counted.given_persons,
        "refused": counted.refused,
        "destroyed": counted.destroyed,
    }


def _at(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if seconds else "never"
