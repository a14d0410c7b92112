"""Proofs out of the archive of the log `access`, which lies in the object store.

Everything read here is public, and everything made of it can be checked by whoever gets it: a
damaged tile gives a proof that does not verify, never a wrong answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from luciole.kit.blobs import Blobs, Missing
from luciole.kit.errors import Unavailable
from luciole.ledger import entry, merkle
from luciole.ledger.archive import Tiles
from luciole.ledger.entry import Entry, PersonEntry, SealEntry
from luciole.ledger.merkle import Range
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.seal import Absence, SealedIndex
from luciole.ledger.tiles import (
    ENTRIES,
    WIDTH,
    BadTile,
    entries_of,
    range_hash,
    tile_of,
    tiles_needed,
)

PREFIX = "ledger/access/"
# A tile has 8 KiB, a bundle of 256 entries of persons 19 KB.
CACHED_TILES = 1_000
# 40 bytes each.
CACHED_LABELS = 500_000


class NoCheckpoint(Unavailable):
    code = "no-checkpoint"
    sentence = "The cell's log has not published its first checkpoint yet."
    next_step = "Try again in a few seconds. If it goes on, tell the operator of this cell."


@dataclass(frozen=True, slots=True)
class Head:
    """A published checkpoint: the note with its signatures, and what it says."""

    note: str
    size: int


class LogReader:
    """Reads the log of one cell."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._tiles = Tiles(self._get)
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._indexes: OrderedDict[Range, SealedIndex] = OrderedDict()

    async def head(self) -> Head:
        """The newest published checkpoint. Raises NoCheckpoint."""
        try:
            note = (await self._blobs.get(f"{PREFIX}checkpoint")).decode()
        except Missing as error:
            raise NoCheckpoint(retry_after_s=2) from error
        return Head(note, Checkpoint.parse(Note.parse(note).text).size)

    async def policy(self) -> str | None:
        """Whom the cell itself says to trust, None where it has not said yet."""
        try:
            return (await self._blobs.get("ledger/policy")).decode()
        except Missing:
            return None

    async def paths(self, head: Head, indexes: Sequence[int]) -> list[list[bytes]]:
        """The inclusion paths of entries, by their indexes."""
        wanted = [merkle.inclusion_ranges(index, head.size) for index in indexes]
        every = {part for ranges in wanted for part in ranges}
        held = await self._tiles.tiles(tiles_needed(every, head.size))

        def hashed() -> list[list[bytes]]:
            return [
                [range_hash(*part, head.size, held.__getitem__) for part in ranges]
                for ranges in wanted
            ]

        return await asyncio.to_thread(hashed)

    async def absences(self, head: Head, labels: Sequence[bytes]) -> list[tuple[Absence, int]]:
        """For each sealed range of the cover, from the start of the log, the proof that none of
        `labels` is in it, and the index of its seal."""
        found = []
        for index, seal in await self._cover(head):
            sealed = await self._index(head, seal)
            found.append((sealed.absence(index, seal, labels), index))
        return found

    async def _cover(self, head: Head) -> list[tuple[int, SealEntry]]:
        """The seals whose ranges make up the cover, the first range first.

        The newest seal is the last range. The range before it ends where that one begins, and its
        seal was written soon after: so each search is short, however long the log is.
        """
        newest = await self._last_seal(head)
        if newest is None:
            return []
        chain = [newest]
        while (first := chain[-1][1].first) > 0:
            chain.append(await self._seal_ending_at(head, first, chain[-1][0]))
        return chain[::-1]

    async def _last_seal(self, head: Head) -> tuple[int, SealEntry] | None:
        for bundle in range((head.size - 1) // WIDTH, -1, -1):
            for index, each in reversed(await self._entries(head, bundle)):
                if isinstance(each, SealEntry):
                    return index, each
        return None

    async def _seal_ending_at(self, head: Head, end: int, before: int) -> tuple[int, SealEntry]:
        # Of several that end there, the last one stands: it has merged those before it.
        found: tuple[int, SealEntry] | None = None
        for bundle in range(end // WIDTH, (before - 1) // WIDTH + 1):
            for index, each in await self._entries(head, bundle):
                if end <= index < before and isinstance(each, SealEntry):
                    if each.end == end:
                        found = index, each
                    elif found is not None:
                        return found
        if found is None:
            raise BadTile("The log has no seal where one should be.")
        return found

    async def _index(self, head: Head, seal: SealEntry) -> SealedIndex:
        """The sorted labels of a sealed range."""
        key = (seal.first, seal.end)
        if (known := self._indexes.get(key)) is not None:
            self._indexes.move_to_end(key)
            return known
        labels: list[bytes] = []
        for bundle in range(seal.first // WIDTH, -(-seal.end // WIDTH)):
            labels.extend(
                each.label
                for index, each in await self._entries(head, bundle)
                if seal.first <= index < seal.end and isinstance(each, PersonEntry)
            )
        made = await asyncio.to_thread(SealedIndex.build, labels)
        if made.count <= CACHED_LABELS:
            self._indexes[key] = made
            while sum(each.count for each in self._indexes.values()) > CACHED_LABELS:
                self._indexes.popitem(last=False)
        return made

    async def _entries(self, head: Head, bundle: int) -> list[tuple[int, Entry]]:
        """The entries of a bundle with their indexes."""
        tile = tile_of(ENTRIES, bundle, head.size)
        found = entries_of(await self._tiles.read(tile), tile.width)
        return [(bundle * WIDTH + at, entry.decode(each)) for at, each in enumerate(found)]

    async def _get(self, path: str) -> bytes:
        """A tile or bundle; what has a path never changes, so it may come from memory."""
        if (known := self._known.get(path)) is not None:
            self._known.move_to_end(path)
            return known
        found = await self._blobs.get(PREFIX + path)
        self._known[path] = found
        if len(self._known) > CACHED_TILES:
            self._known.popitem(last=False)
        return found
