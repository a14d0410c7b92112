"""Where the cell's published log names the table of least ages that it goes by."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from luciole.cell.people.joining.ages import Table
from luciole.kit.blobs import Blobs, Missing
from luciole.ledger.archive import CHECKPOINT, Archive
from luciole.ledger.entry import parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note

LOG = "decisions"
KIND = "ages"
# Every entry of the kind has these bytes; most others need not be parsed.
_MARK = b'"kind":"ages"'


class Place(msgspec.Struct, frozen=True):
    """An entry of a log by its index, from 0, and when it was made."""

    log: str
    index: int
    at: str


class Entered:
    """Finds the newest entry about least ages; reads the log on from where it was read before."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._lock = asyncio.Lock()
        self._read = 0
        self._last: tuple[Place, int, str] | None = None

    async def place(self, table: Table) -> Place | None:
        """Where the published log names this table as the one in force; None where it does not."""
        async with self._lock:
            with contextlib.suppress(Missing, Refused):
                await self._read_on()
            last = self._last
        is_named = last is not None and last[1:] == (table.version, table.sha256)
        return last[0] if last is not None and is_named else None

    async def _read_on(self) -> None:
        note = Note.parse(await self._blobs.get(f"ledger/{LOG}/{CHECKPOINT}"))
        size = Checkpoint.parse(note.text).size
        if size < self._read:  # another log than the one that was read
            self._read, self._last = 0, None
        async for some in Archive(self._blobs, LOG).entries(self._read, size):
            for raw in some:
                self._take(raw)
                self._read += 1

    def _take(self, raw: bytes) -> None:
        with contextlib.suppress(Refused):
            said = parse_canonical(raw) if _MARK in raw else {}
            if said.get("kind") == KIND:
                place = Place(LOG, self._read, str(said.get("at")))
                self._last = place, said.get("version", 0), said.get("sha256", "")
