"""The published logs as the console shows them: heads, who has seen them, entries by kind, gaps.

Nothing is proved here; that is the verifier's work. It reads on from where it was, some at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from luciole.kit.blobs import Blobs, Missing
from luciole.ledger.archive import CHECKPOINT, Archive
from luciole.ledger.entry import HandoverEntry, PersonEntry, decode, parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import WIDTH

LOGS = ("decisions", "access", "border")
OWN_WITNESS = "local"
POLICY = "ledger/policy"
# Of each log, in one request: 100 bundles, of 256 entries each.
BUNDLES_AT_ONCE = 100
UNREADABLE = "unreadable"


class Witness(msgspec.Struct):
    """Who has seen a head, and when."""

    name: str
    is_own: bool
    seen_at: datetime


class Head(msgspec.Struct):
    """The published head of a log, and who has seen it when."""

    log: str
    size: int
    root: str
    witnesses: list[Witness]


class Gap(msgspec.Struct, frozen=True, order=True):
    """Entries first ≤ index < end that cannot be read."""

    first: int
    end: int


class Counted(msgspec.Struct):
    """What is known of a log: so many entries were read, of these kinds."""

    read: int = 0
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    gaps: set[Gap] = msgspec.field(default_factory=set)


async def heads(blobs: Blobs) -> tuple[list[Head], str]:
    """The published heads with their witnesses, and the cell's id."""
    found, cell_id = list[Head](), ""
    try:
        policy = Policy.parse(await blobs.get(POLICY))
    except (Missing, Refused):
        return [], ""
    for name in LOGS:
        try:
            raw = await blobs.get(f"ledger/{name}/{CHECKPOINT}")
            head = Checkpoint.parse(Note.parse(raw).text)
        except (Missing, Refused):
            continue
        # Where too few have cosigned, the head is shown with nobody who has.
        seen: Mapping[str, int] = {}
        with contextlib.suppress(Refused):
            head, seen = policy.check(raw)
        cell_id = head.origin.split("/")[1]
        found.append(Head(name, head.size, head.root.hex(), _witnesses(policy, seen)))
    return found, cell_id


def _witnesses(policy: Policy, seen: Mapping[str, int]) -> list[Witness]:
    """Who has seen a head; a witness signs by two keys of one name, and is one."""
    found: dict[str, Witness] = {}
    for name, at in sorted(seen.items()):
        seen_at = datetime.fromtimestamp(at, UTC)
        known = found.setdefault(
            policy.witnesses[name].key.name, Witness(name, name == OWN_WITNESS, seen_at)
        )
        known.seen_at = max(known.seen_at, seen_at)
    return list(found.values())


class Reader:
    """Counts the entries of the logs of one cell, and keeps the few that the console shows."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._lock = asyncio.Lock()
        self._known = {name: Counted() for name in LOGS}
        # Of the log of decisions: ends of epochs, and digests over days of acts here.
        self.epochs: list[dict[str, Any]] = []
        self.days: dict[str, str] = {}

    async def count(self, found: list[Head]) -> dict[str, Counted]:
        """What is known of each log, read on towards its head."""
        async with self._lock:
            for head in found:
                await self._read_on(head)
            return self._known

    async def _read_on(self, head: Head) -> None:
        if head.size < self._known[head.log].read:
            self._forget(
                head.log
            )  # another log than the one that was read, such as after a restore
        known, archive = self._known[head.log], Archive(self._blobs, head.log)
        for gap in sorted(known.gaps):
            # What was away may be back.
            if await self._take(archive, head, known, gap.first, gap.end):
                known.gaps.discard(gap)
        for _ in range(BUNDLES_AT_ONCE):
            start = known.read
            if start >= head.size:
                return
            end = min(head.size, start - start % WIDTH + WIDTH)
            if not await self._take(archive, head, known, start, end):
                known.gaps.add(Gap(start, end))
            known.read = end

    def _forget(self, log: str) -> None:
        self._known[log] = Counted()
        if log == "decisions":
            self.epochs.clear()
            self.days.clear()

    async def _take(
        self, archive: Archive, head: Head, known: Counted, start: int, end: int
    ) -> bool:
        """Counts some entries of one bundle; False where they cannot be read."""
        entries = list[bytes]()
        try:
            # The bundle as it is by now: at the head it has grown since it was read last.
            stop = min(head.size, start - start % WIDTH + WIDTH)
            async for some in archive.entries(start, stop):
                entries += some
        except (Missing, Refused):
            return False
        for raw in entries[: end - start]:
            known.kinds[self._kind(head.log, raw)] += 1
        return len(entries) >= end - start

    def _kind(self, log: str, raw: bytes) -> str:
        try:
            if log == "access":
                made = decode(raw)
                if isinstance(made, PersonEntry):
                    return made.kind.name.lower()
                return "handover" if isinstance(made, HandoverEntry) else "seal"
            said = parse_canonical(raw)
        except Refused:
            return UNREADABLE
        kind = said.get("kind")
        if kind == "epoch":
            self.epochs.append(said)
        elif kind == "console-day":
            self.days[str(said.get("day"))] = str(said.get("sha256"))
        return kind if isinstance(kind, str) else UNREADABLE
