"""A log where it lies: reading its tiles from anywhere, writing them into the object store.

    ledger/<log>/tile/…        never changes once a signed head covers it
    ledger/<log>/pending       the newest head that the log has signed; nothing older is ever signed
    ledger/<log>/checkpoint    the newest head that enough witnesses cosigned
    ledger/<log>/handover      who signed before, and until where (`ledger.handover`)

`pending` is what makes a fork impossible: it is written before anybody else sees a signature, and
only by exchange for the one that was compared with the tree. It survives a database that does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from luciole.kit.blobs import Blobs, Differs, Missing
from luciole.ledger import handover
from luciole.ledger.handover import Handover
from luciole.ledger.merkle import (
    HASH_BYTES,
    BadProof,
    Range,
    consistency_ranges,
    inclusion_ranges,
    verify_subtree_consistency,
)
from luciole.ledger.note import BadNote, Checkpoint, Note, VerifierKey, parse_lines, to_base64
from luciole.ledger.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    bundle_of,
    entries_of,
    range_hash,
    tile_of,
    tiles_needed,
)

PENDING = "pending"
CHECKPOINT = "checkpoint"
READS_AT_ONCE = 16

Get = Callable[[str], Awaitable[bytes]]


class Stopped(Exception):
    """The log must not go on by itself: that could show two people two different logs. `code` is
    stable; the text says what was found and what the operator can do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Head(NamedTuple):
    """A signed head as it is stored, and what it says."""

    raw: bytes
    checkpoint: Checkpoint


class Tiles:
    """A log's tiles and entries, from where `get` finds objects by path; it raises Missing where
    there is none. Nothing here is trusted: roots and hashes are compared by the caller."""

    def __init__(self, get: Get) -> None:
        self._get = get

    async def handovers(self) -> list[Handover]:
        """Who has signed this log before whom. Raises BadNote."""
        try:
            return handover.parse(await self._get(handover.NAME))
        except Missing:
            return []

    async def read(self, tile: Tile) -> bytes:
        """A tile or bundle. A partial one may be gone once it is full: then it is cut from that.
        Raises Missing, BadTile."""
        try:
            return await self._get(tile.path)
        except Missing:
            if tile.width == WIDTH:
                raise
        full = await self._get(replace(tile, width=WIDTH).path)
        if tile.level == ENTRIES:
            return bundle_of(entries_of(full, WIDTH)[: tile.width])
        return full[: tile.width * HASH_BYTES]

    async def tiles(self, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        """Many tiles."""
        left, found = list(wanted), dict[Tile, bytes]()
        while left:
            some, left = left[:READS_AT_ONCE], left[READS_AT_ONCE:]
            found |= zip(some, await asyncio.gather(*map(self.read, some)), strict=True)
        return found

    async def hashes(self, ranges: Iterable[Range], size: int) -> list[bytes]:
        """The hashes over ranges of the tree of `size`: the lines of a proof."""
        ranges = list(ranges)
        tiles = await self.tiles(tiles_needed(ranges, size))
        return [range_hash(start, end, size, tiles.__getitem__) for start, end in ranges]

    async def path(self, index: int, size: int) -> list[bytes]:
        """The inclusion path of an entry in the tree of `size`."""
        return await self.hashes(inclusion_ranges(index, size), size)

    async def proof(self, old: Checkpoint, new: Checkpoint) -> list[bytes]:
        """The proof that one head continues another. Raises Stopped where it does not."""
        proof = await self.hashes(consistency_ranges(old.size, new.size), new.size)
        try:
            verify_subtree_consistency(0, old.size, new.size, old.root, new.root, proof)
        except BadProof:
            raise Stopped(
                "log-forked",
                f"Two heads of this log, of {old.size} and {new.size} entries, contradict each "
                "other. Find out which database and archive belong together.",
            ) from None
        return proof

    async def entries(self, start: int, end: int) -> AsyncIterator[list[bytes]]:
        """The entries with start <= index < end of a tree of at least `end`, in order, some at a
        time."""
        step = WIDTH * READS_AT_ONCE
        for low in range(start - start % WIDTH, end, step):
            indexes = range(low // WIDTH, -(-min(low + step, end) // WIDTH))
            bundles = await self.tiles(tile_of(ENTRIES, index, end) for index in indexes)
            entries = [e for tile, one in bundles.items() for e in entries_of(one, tile.width)]
            yield entries[max(start - low, 0) :]


class Archive(Tiles):
    """One log of this cell in the object store. `fresh` holds objects that belong to a size that
    is committed and are not stored yet."""

    def __init__(self, blobs: Blobs, log: str) -> None:
        super().__init__(self._find)
        self.fresh: dict[str, bytes] = {}
        self._blobs = blobs
        self._prefix = f"ledger/{log}/"

    async def _find(self, path: str) -> bytes:
        return self.fresh.get(path) or await self._blobs.get(self._prefix + path)

    async def write(self, signed_size: int) -> None:
        """Stores what is fresh. Raises Differs where the object store holds something else that a
        head of `signed_size` covers; what no head covers was left by somebody who was stopped
        before he signed, and gives way."""
        objects = {self._prefix + path: data for path, data in self.fresh.items()}
        while True:
            try:
                return await self._blobs.put_new(objects)
            except Differs as differs:
                key = str(differs)
                tile = Tile.of_path(key.removeprefix(self._prefix))
                if _end(tile) <= signed_size:
                    raise
                await self._blobs.put_durably(key, objects[key])

    async def sweep(self) -> None:
        """Deletes partial tiles whose full one is among what is fresh, which is stored by now."""
        await sweep(self._blobs, self._prefix, self.fresh)

    async def head(self, name: str, key: VerifierKey) -> Head | None:
        """The head under a name, signed by `key`; None where none was written yet. Raises
        BadNote."""
        try:
            raw = await self._blobs.get(self._prefix + name)
        except Missing:
            return None
        note = Note.parse(raw)
        note.verify([key])
        return Head(raw, Checkpoint.parse(note.text))

    async def exchange(self, name: str, note: str, known: Head | None) -> Head:
        """Writes a head in the place of the one that was read. Raises Moved where somebody else
        has written one since."""
        raw = note.encode()
        await self._blobs.exchange(self._prefix + name, raw, known and known.raw)
        return Head(raw, Checkpoint.parse(Note.parse(raw).text))


async def sweep(blobs: Blobs, prefix: str, stored: Iterable[str]) -> None:
    """Deletes partial tiles below a prefix whose full one was just stored, by path."""
    full = [tile for tile in map(Tile.of_path, stored) if tile.width == WIDTH]
    # Only the first full tile of a level had a partial one before.
    for tile in {tile.level: tile for tile in sorted(full, reverse=True)}.values():
        folder = f"{prefix}{tile.path}.p/"
        await blobs.delete(*[key async for key in blobs.keys(folder)])


def cosignatures(text: str, signatures: str, keys: Sequence[VerifierKey]) -> dict[str, str]:
    """The lines by known keys that are right for a head's text, by signer."""
    found = dict[str, str]()
    try:
        parsed = parse_lines(signatures)
    except BadNote:
        return found
    for name, key_id, signature in parsed:
        try:
            Note(text, ((name, key_id, signature),)).verify(keys)
        except BadNote:
            continue  # somebody unknown, or a signature for another head
        found[f"{name}+{key_id.hex()}"] = f"— {name} {to_base64(key_id + signature)}\n"
    return found


def _end(tile: Tile) -> int:
    """Behind the last entry that a tile or bundle is about."""
    return (tile.index * WIDTH + tile.width) << 8 * max(tile.level, 0)
