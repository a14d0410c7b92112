"""When the log `access` makes its next seal, over which range, and the seal itself.

The first seal of a calendar month merges: it begins where the range of the current year does. The
others begin where the range of the current month does. So the cover has one range for each former
year, one for the months of this year that are over, and one for this month.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from luciole.ledger.archive import Archive
from luciole.ledger.entry import SEAL, Scope, SealEntry
from luciole.ledger.seal import SealedIndex
from luciole.ledger.store import Cover

# A seal may be made while entries go on; one that is this late is made first.
LATE = timedelta(hours=25)


def is_due(unsealed_minute: int | None, now: datetime) -> bool:
    """Whether the oldest unsealed person entry is of a former day (UTC)."""
    return unsealed_minute is not None and time_of(unsealed_minute).date() < now.date()


def is_late(unsealed_minute: int | None, now: datetime) -> bool:
    """Whether no further entry should come before the seal."""
    return unsealed_minute is not None and now - time_of(unsealed_minute) > LATE


def next_range(cover: Cover, now: datetime) -> tuple[Scope, int]:
    """The scope of a seal that is made now, and where its range begins."""
    seals = list(cover.values())
    if not seals:
        return Scope.DAY, 0
    last = seals[-1]
    if _month(time_of(last.minute)) == _month(now):
        return Scope.DAY, last.first if last.scope is Scope.DAY else last.end
    year = _year_before(now)
    for seal in reversed(seals):
        if seal.scope is Scope.MONTH:
            is_this_year = _year_before(time_of(seal.minute)) == year
            return Scope.MONTH, seal.first if is_this_year else seal.end
    return Scope.MONTH, 0


async def make(archive: Archive, cover: Cover, end: int, now: datetime) -> SealEntry:
    """The seal over all person entries from the start of its range to `end`."""
    scope, first = next_range(cover, now)
    labels = list[bytes]()
    async for entries in archive.entries(first, end):
        labels += [entry[7:39] for entry in entries if entry[1] < SEAL]
    index = await asyncio.to_thread(SealedIndex.build, labels)
    minute = int(now.timestamp()) // 60
    return SealEntry(scope, minute, first, end, index.count, index.root())


def cover_with(cover: Cover, index: int, seal: SealEntry) -> Cover:
    """The cover after a seal: it replaces the ranges that begin where it does, or later."""
    return {i: s for i, s in cover.items() if s.first < seal.first} | {index: seal}


def oldest(minute: int | None, entries: Iterable[bytes]) -> int | None:
    """The minute of the oldest person entry, if there is none as old as `minute` already."""
    minutes = [int.from_bytes(entry[3:7], "big") for entry in entries]
    return min([*minutes, minute] if minute is not None else minutes, default=None)


def time_of(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _month(day: datetime) -> tuple[int, int]:
    return day.year, day.month


def _year_before(day: datetime) -> int:
    """The year that the month before `day` is in: what a merge on that day closes."""
    return day.year - (day.month == 1)
