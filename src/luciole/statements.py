"""What a cell says of itself in its log `decisions`: which release runs, which table of
least ages it goes by, and how each day was.

The supervisor does both. The log is the only memory: what was said last is read from there, so
that a database which was put back from a copy does not make the cell say a day twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from luciole import pages, release
from luciole.cell.people.joining import ages
from luciole.config import Settings
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.ledger import handover, store
from luciole.ledger.archive import CHECKPOINT, PENDING, Archive
from luciole.ledger.entry import HandoverEntry, SealEntry, canonical, decode, parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.reach import Reached
from luciole.release import Release

LOGS = ("access", "decisions", "border")
# Logs whose entries a statement counts.
COUNTED = ("access", "border")
SEAL = "seal"
LOOKS_EVERY_S = 30.0
# What a head may wait for witnesses, and how old a cosignature may be to who verifies.
WAITS_FOR = timedelta(minutes=10)
SEEN_WITHIN = timedelta(hours=26)
BEGINS_EVERY_S = 2.0
# From then on a statement says that it is late.
LATE_AFTER = timedelta(hours=1)
DAY = timedelta(days=1)
# The cell's own witness, which proves nothing; see `ledger_process`.
OWN_WITNESS = "local"
LOCK = "SELECT pg_advisory_xact_lock(1818587764)"
WAITING = "SELECT EXISTS (SELECT FROM ledger.inbox WHERE log = $1)"
SIZES = "SELECT log, size FROM ledger.state"
# The cover of the log about people ends where its newest seal does.
NEWEST_SEAL = "SELECT entry FROM ledger.seal ORDER BY idx DESC LIMIT 1"


class Behind(Exception):
    """The log has not published yet what the cell has done. The next look comes in a moment."""


class Text(NamedTuple):
    """A readable entry: when, and what it says."""

    at: datetime
    said: dict[str, Any]


async def watch(place: Reached, settings: Settings, clock: Clock) -> None:
    """Says what runs, then each day's statement when the day is over; until it is cancelled."""
    blobs = Blobs.open(settings.blobs_place)
    is_announced, stated = False, date.min
    while True:
        with contextlib.suppress(Behind):
            try:
                async with _database(place) as database:
                    if not is_announced:
                        current = release.current(pages.find_dist(settings.web.dist))
                        await announce(database, blobs, current, clock.now())
                        is_announced = True
                    yesterday = clock.now().date() - DAY
                    if stated < yesterday:
                        await state_days(database, blobs, settings, clock.now())
                        stated = yesterday
            except (*LOST, TimeoutError, Refused) as error:
                log.error("statement not made", error=type(error).__name__)
        await asyncio.sleep(LOOKS_EVERY_S if is_announced else BEGINS_EVERY_S)


# Releases


async def announce(
    database: Database,
    blobs: Blobs,
    current: Release,
    now: datetime,
    table: ages.Table | None = None,
) -> bool:
    """Puts an entry `release`, and one `ages` for the table of least ages, into the log; each only
    where the last one of its kind does not say the same. Raises Behind."""
    table = table or ages.current()
    wanted = {
        "release": msgspec.structs.asdict(current),
        "ages": {"version": table.version, "sha256": table.sha256},
    }
    async with database.tx() as tx:
        await tx.execute(LOCK)
        await _require_caught_up(tx, blobs, ("decisions",))
        texts = await _texts(blobs, "decisions")
        new = {kind: one for kind, one in wanted.items() if not _says(_last(texts, kind), one)}
        for kind, one in new.items():
            said = {"v": 1, "kind": kind, "at": _instant(now), **one}
            await store.put(tx, "decisions", canonical(said))
    return bool(new)


async def last_release(blobs: Blobs) -> Release | None:
    """The release that the published log names last; None where it names none yet."""
    said = _last(await _texts(blobs, "decisions"), "release")
    return msgspec.convert(said, Release) if said else None


def _last(texts: Sequence[Text], kind: str) -> dict[str, Any] | None:
    return next((text.said for text in reversed(texts) if text.said["kind"] == kind), None)


def _says(said: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    return said is not None and all(said.get(name) == value for name, value in wanted.items())


# Days


async def state_days(
    database: Database, blobs: Blobs, settings: Settings, now: datetime
) -> list[date]:
    """Puts a statement for each day that is over and has none, the oldest first, and gives the
    days. Raises Behind as long as the log has not published all that it was given."""
    async with database.tx() as tx:
        await tx.execute(LOCK)
        await _require_caught_up(tx, blobs, LOGS)
        made = await _due(tx, blobs, settings, now)
        for said in made:
            await store.put(tx, "decisions", canonical(said))
    return [date.fromisoformat(said["day"]) for said in made]


async def _due(tx: Tx, blobs: Blobs, settings: Settings, now: datetime) -> list[dict[str, Any]]:
    last = None
    for text in await _texts(blobs, "decisions"):
        last = text.said if text.said["kind"] == "residency" else last
    day = date.fromisoformat(last["day"]) + DAY if last else (await _first(blobs) or now).date()
    days = [day + DAY * number for number in range((now.date() - day).days)]
    if not days:
        return []
    begins = last["ranges"] if last else {name: [0, 0] for name in COUNTED}
    parts = {
        name: await _split(_entries(blobs, name, begins[name][1]), begins[name][1], days)
        for name in COUNTED
    }
    raw = await tx.fetchval(NEWEST_SEAL)
    seal = decode(bytes(raw)) if raw else None
    sealed = seal.end if isinstance(seal, SealEntry) else 0
    is_late = now - _midnight_after(days[-1]) > LATE_AFTER
    if parts["access"][-1].end > sealed and not is_late:
        raise Behind  # the seal of the day that has just ended is on its way
    outside, cell_id = await _witnesses(blobs)
    return [
        {
            "v": 1,
            "kind": "residency",
            "at": _instant(now),
            "day": day.isoformat(),
            "cell": cell_id,
            "jurisdiction": settings.cell.jurisdiction,
            "operator": settings.cell.operator,
            **_counted(people, border),
            "witnesses": outside,
            "exceptions": _exceptions(settings, now, day, people.end > sealed, outside),
        }
        for day, people, border in zip(days, parts["access"], parts["border"], strict=True)
    ]


def _counted(people: Part, border: Part) -> dict[str, Any]:
    kinds = Counter[str]()
    for (kind, _), count in people.counts.items():
        kinds[kind] += count
    return {
        "entries": {"access": {kind: kinds[kind] for kind in sorted(kinds) if kind != SEAL}},
        "ranges": {"access": [people.begin, people.end], "border": [border.begin, border.end]},
        "crossings": {
            **{kind: count for (kind, _), count in sorted(border.counts.items())},
            "total": border.end - border.begin,
        },
        "staff_reads": people.counts["read", "staff"],
        "legal_reads": people.counts["read", "legal"],
        "erasures": kinds["erase"],
        "seals": kinds[SEAL],
    }


def _exceptions(
    settings: Settings, now: datetime, day: date, is_unsealed: bool, outside: int
) -> list[str]:
    """What a reader has to know before believing the numbers."""
    is_late = now - _midnight_after(day) > LATE_AFTER
    said = {
        "made late: the cell or its log did not run when the day ended": is_late,
        "entries of this day are not sealed yet": is_unsealed,
        "no witness outside of this cell has cosigned its log": not outside,
        "a demonstration on one machine": settings.cell.demo,
    }
    return [words for words, is_so in said.items() if is_so]


class Part(NamedTuple):
    """The entries of a log with begin <= index < end, counted by kind and class."""

    begin: int
    end: int
    counts: Counter[tuple[str, str]]


async def _split(
    entries: AsyncIterator[tuple[datetime, str, str]], begin: int, days: Sequence[date]
) -> list[Part]:
    """A part for each day: up to the first entry of a later day. One that was on its way at
    midnight so counts to the next day; the ranges say where it is."""
    parts, counts, index = list[Part](), Counter[tuple[str, str]](), begin
    async for at, kind, cls in entries:
        while len(parts) < len(days) and at >= _midnight_after(days[len(parts)]):
            parts.append(Part(begin, index, counts))
            begin, counts = index, Counter()
        if len(parts) == len(days):
            return parts
        counts[kind, cls] += 1
        index += 1
    parts.append(Part(begin, index, counts))
    return parts + [Part(index, index, Counter())] * (len(days) - len(parts))


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + DAY, datetime.min.time(), UTC)


# What is not in order, for the doctor


async def faults(settings: Settings, now: datetime) -> list[tuple[str, str]]:
    """(what is wrong, what to do): files that are not the release that the log names last, a day
    without a statement, and a log that witnesses have not seen. Reads the archive only."""
    place, found = settings.blobs_place, list[tuple[str, str]]()
    if _is_new(place):
        return found
    blobs = Blobs.open(place)
    named = await last_release(blobs)
    current = release.current(pages.find_dist(settings.web.dist))
    if named is not None and named != current:
        found.append(
            (
                "the files here are not the release that the log names last",
                "Start the cell anew, which puts it into the log. If nobody has installed "
                "anything, find out who has changed them.",
            )
        )
    texts = await _texts(blobs, "decisions")
    last = next((text for text in reversed(texts) if text.said["kind"] == "residency"), None)
    first = (last or texts[0]).at.date() if texts else now.date()
    if now > _midnight_after(first) + LATE_AFTER:
        found.append(
            (
                f"the log has no statement for the days since {first}",
                "Start the cell; it says what was missed, and that it is late.",
            )
        )
    return found + [fault for name in LOGS for fault in await _unseen(blobs, name, now)]


def _is_new(place: str) -> bool:
    """Whether nothing has been started here: opening the folder would make it."""
    return "://" not in place and not Path(place).exists()


# Reading the published log


async def _require_caught_up(tx: Tx, blobs: Blobs, logs: Sequence[str]) -> None:
    sizes = {row["log"]: row["size"] for row in await tx.fetch(SIZES)}
    for name in logs:
        head = await _head(blobs, name)
        if await tx.fetchval(WAITING, name) or (head.size if head else 0) != sizes.get(name, 0):
            raise Behind


async def _head(blobs: Blobs, name: str) -> Checkpoint | None:
    with contextlib.suppress(Missing):
        note = Note.parse(await blobs.get(f"ledger/{name}/{CHECKPOINT}"))
        return Checkpoint.parse(note.text)
    return None


async def _unseen(blobs: Blobs, name: str, now: datetime) -> list[tuple[str, str]]:
    """Whether a head of a log waits for witnesses, or they have not looked at it for long."""
    try:
        policy = Policy.parse(await blobs.get("ledger/policy"))
        pending = Note.parse(await blobs.get(f"ledger/{name}/{PENDING}"))
    except Missing:
        return []
    size, seen = 0, None
    with contextlib.suppress(Missing, Refused):
        head, cosigned = policy.check(await blobs.get(f"ledger/{name}/{CHECKPOINT}"))
        size, seen = head.size, datetime.fromtimestamp(max(cosigned.values()), UTC)
    waiting = Checkpoint.parse(pending.text).size - size
    if seen and now - seen <= (WAITS_FOR if waiting else SEEN_WITHIN):
        return []
    since = f"since {seen:%Y-%m-%d %H:%M} UTC" if seen else "at all"
    if waiting:
        step = "Ask those who run the witnesses why; log/ledger.log says which one does not cosign."
        return [(f"witnesses have not seen {waiting} entries of {name}, nor it {since}", step)]
    step = "Start the cell. If it runs, log/ledger.log says which witness does not cosign."
    return [(f"no witness has looked at {name} {since}, so who verifies calls it stale", step)]


async def _texts(blobs: Blobs, name: str, start: int = 0) -> list[Text]:
    head = await _head(blobs, name)
    found = []
    if head is not None:
        async for some in Archive(blobs, name).entries(start, head.size):
            for raw in some:
                said = parse_canonical(raw)
                found.append(Text(datetime.fromisoformat(said["at"]), said))
    return found


async def _entries(blobs: Blobs, name: str, start: int) -> AsyncIterator[tuple[datetime, str, str]]:
    """When, of what kind and by whom: all entries from `start` to the published head."""
    head = await _head(blobs, name)
    async for some in Archive(blobs, name).entries(start, head.size if head else start):
        for raw in some:
            if name != "access":
                said = parse_canonical(raw)
                yield datetime.fromisoformat(said["at"]), said["kind"], ""
                continue
            one = decode(raw)
            at = datetime.fromtimestamp(one.minute * 60, UTC)
            if isinstance(one, SealEntry):
                yield at, SEAL, ""
            elif isinstance(one, HandoverEntry):
                yield at, handover.NAME, ""
            else:
                yield at, one.kind.name.lower(), one.cls.name.lower()


async def _first(blobs: Blobs) -> datetime | None:
    """When the oldest entry of any log was made."""
    found = []
    for name in LOGS:
        async for at, _, _ in _entries(blobs, name, 0):
            found.append(at)
            break
    return min(found, default=None)


async def _witnesses(blobs: Blobs) -> tuple[int, str]:
    """How many witnesses outside of this cell have cosigned the newest head about people, and the
    cell's id, which is in the log's origin."""
    note = Note.parse(await blobs.get(f"ledger/access/{CHECKPOINT}"))
    policy = Policy.parse(await blobs.get("ledger/policy"))
    signed = {(name, key_id) for name, key_id, _ in note.lines}
    own = policy.witnesses[OWN_WITNESS].key.name
    witnesses = {
        party.key.name
        for party in policy.witnesses.values()
        if (party.key.name, party.key.id) in signed
    }
    return len(witnesses - {own}), Checkpoint.parse(note.text).origin.split("/")[1]


@contextlib.asynccontextmanager
async def _database(place: Reached) -> AsyncIterator[Database]:
    database = await Database.open(place.owner_url, size=1)
    try:
        yield database
    finally:
        await database.close()


def _instant(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
