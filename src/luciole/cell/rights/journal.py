"""What the log has about a person: what each entry means, where it is, and that there are no more.

A person's numbers have no holes, and each entry's label follows from its number and the person's
label key. So the proof that an entry is in the log is its path, and the proof that there is none
above the last is that the next labels are in none of the log's sealed indexes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.rights.log_reader import Head, LogReader, NoCheckpoint
from luciole.cell.rights.model import NoSuchEntry, NotInLogYet
from luciole.cell.rights.store import journal as store
from luciole.cell.rights.store.journal import Noted
from luciole.custody.model import Grant
from luciole.kit.db import Database, Tx
from luciole.ledger import entry
from luciole.ledger.note import to_base64
from luciole.ledger.proof import Proof

# So many labels above the last are shown to be absent.
WINDOW = 64
# Entries that are opened, or proved, with one question to the broker or the archive.
AT_ONCE = 200
SUMMARY_DAYS = 366
MAX_SUMMARISED = 20_000
LAST = 2**63 - 1


class Entry(msgspec.Struct, frozen=True):
    """An entry in the open."""

    n: int
    index: int | None
    leaf: bytes
    nonce: bytes
    opening: bytes

    def said(self) -> dict[str, Any]:
        """What the opening says."""
        found: dict[str, Any] = msgspec.json.decode(self.opening)
        return found


class Day(msgspec.Struct, frozen=True):
    """How many entries a day has, by class."""

    day: date
    counts: dict[str, int]


class Journal:
    """Reads, opens and proves entries."""

    def __init__(self, db: Database, custody: Custody, log: LogReader) -> None:
        self._db = db
        self._custody = custody
        self._log = log

    async def page(self, tx: Tx, grant: Grant, before: int | None, limit: int) -> list[Entry]:
        """The newest entries below a number, opened under the person's grant."""
        noted = await store.newest(tx, grant.person_id, LAST if before is None else before, limit)
        return await self._opened(grant, noted)

    async def summary(self, tx: Tx, person_id: UUID, now: datetime) -> list[Day]:
        """Entries by day and class over the last year, the newest day first; read off the
        published leaves, so that nothing is opened for it."""
        since = (now - timedelta(days=SUMMARY_DAYS)).timestamp() // 60
        days: dict[date, dict[str, int]] = {}
        before, seen = LAST, 0
        while seen < MAX_SUMMARISED:
            noted = await store.newest(tx, person_id, before, AT_ONCE * 5)
            for each in noted:
                leaf = entry.decode(each.leaf)
                if not isinstance(leaf, entry.PersonEntry) or leaf.minute < since:
                    return _days(days)
                counts = days.setdefault(datetime.fromtimestamp(leaf.minute * 60, UTC).date(), {})
                name = leaf.cls.name.lower()
                counts[name] = counts.get(name, 0) + 1
            seen += len(noted)
            if len(noted) < AT_ONCE * 5:
                break
            before = noted[-1].n
        return _days(days)

    async def receipt(self, tx: Tx, person_id: UUID, n: int) -> str:
        """The tlog-proof of one entry. Raises NoSuchEntry, NotInLogYet, NoCheckpoint."""
        noted = await store.one(tx, person_id, n)
        if noted is None:
            raise NoSuchEntry
        head = await self._log.head()
        if noted.index is None or noted.index >= head.size:
            raise NotInLogYet(retry_after_s=2)
        (receipt,) = await self.receipts(head, [noted])
        return receipt

    async def receipt_at(self, index: int) -> str | None:
        """The tlog-proof of the entry at an index of the log; None where no head covers it yet."""
        try:
            head = await self._log.head()
        except NoCheckpoint:
            return None
        if index >= head.size:
            return None
        (path,) = await self._log.paths(head, [index])
        return str(Proof(index, tuple(path), head.note))

    async def receipts(self, head: Head, noted: Sequence[Noted]) -> list[str]:
        """The tlog-proofs of entries that are in the log."""
        indexes = [each.index for each in noted if each.index is not None]
        paths = await self._log.paths(head, indexes)
        return [
            str(Proof(index, tuple(path), head.note))
            for index, path in zip(indexes, paths, strict=True)
        ]

    async def proof(self, person_id: UUID, label_key: bytes, first: int, last: int) -> Any:
        """The journal proof over the entries first <= n <= last. Where it reaches the last entry
        of the log, it shows that there are no more."""
        head = await self._log.head()
        async with self._db.read() as tx:
            noted = await store.oldest(tx, person_id, first - 1, last - first + 2)
        inside = [each for each in noted if each.index is not None and each.index < head.size]
        shown = [each for each in inside if each.n <= last]
        proof: dict[str, Any] = {
            "checkpoint": head.note,
            "entries": await self.proved(head, shown),
            "absence": [],
        }
        if len(inside) == len(shown):
            above = shown[-1].n + 1 if shown else first
            proof["absence"] = await self.absence(head, label_key, above)
        return proof

    async def proved(self, head: Head, noted: Sequence[Noted]) -> list[dict[str, Any]]:
        """Entries with their paths, as the journal proof lists them."""
        indexes = [each.index for each in noted if each.index is not None]
        paths = await self._log.paths(head, indexes)
        return [
            {
                "n": each.n,
                "index": each.index,
                "leaf": to_base64(each.leaf),
                "path": [to_base64(hash_) for hash_ in path],
            }
            for each, path in zip(noted, paths, strict=True)
        ]

    async def absence(self, head: Head, label_key: bytes, above: int) -> list[dict[str, Any]]:
        """That the labels from number `above` on are in no sealed range, and that each of these
        seals is in the log."""
        labels = [entry.label_of(label_key, n) for n in range(above, above + WINDOW)]
        found = await self._log.absences(head, labels)
        paths = await self._log.paths(head, [index for _, index in found])
        return [
            {**absence.as_json(), "path": [to_base64(hash_) for hash_ in path]}
            for (absence, _), path in zip(found, paths, strict=True)
        ]

    async def noted(self, person_id: UUID) -> AsyncIterator[list[Noted]]:
        """Every entry from the first on, as they are kept, some at a time."""
        after = -1
        while True:
            async with self._db.read() as tx:
                noted = await store.oldest(tx, person_id, after, AT_ONCE)
            if not noted:
                return
            yield noted
            after = noted[-1].n

    async def all(self, grant: Grant) -> AsyncIterator[list[Entry]]:
        """Every entry from the first on, opened, some at a time."""
        async for noted in self.noted(grant.person_id):
            yield await self._opened(grant, noted)

    async def policy(self) -> str | None:
        """Whom the cell itself says to trust."""
        return await self._log.policy()

    async def head(self) -> Head:
        """The newest published checkpoint. Raises NoCheckpoint."""
        return await self._log.head()

    async def _opened(self, grant: Grant, noted: Sequence[Noted]) -> list[Entry]:
        sealed = [(each.n, each.sealed) for each in noted if each.sealed]
        opened = (
            {it.n: it for it in await self._custody.open_journal(grant, sealed)} if sealed else {}
        )
        return [
            Entry(each.n, each.index, each.leaf, it.nonce, it.opening)
            if (it := opened.get(each.n))
            else _lost(each)
            for each in noted
        ]


def _lost(noted: Noted) -> Entry:
    """An entry that came after the backup from which the cell was restored: that it is in the log
    is known, and what the leaf says. What it commits to is lost, and so there is no nonce."""
    leaf = entry.decode(noted.leaf)
    assert isinstance(leaf, entry.PersonEntry)  # journals hold nothing else
    said = {
        "v": 1,
        "n": noted.n,
        "at": f"{datetime.fromtimestamp(leaf.minute * 60, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "kind": leaf.kind.name.lower(),
        "class": leaf.cls.name.lower(),
        "note": "lost in a restore",
    }
    return Entry(noted.n, noted.index, noted.leaf, b"", entry.canonical(said))


def _days(days: dict[date, dict[str, int]]) -> list[Day]:
    return [Day(day, counts) for day, counts in sorted(days.items(), reverse=True)]
