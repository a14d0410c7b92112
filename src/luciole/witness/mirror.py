"""A log as a witness holds it: every entry, the tree over them, and each seal computed anew.

Below a folder of its own:

    tile/…          the entries and the tree, flushed before anything is signed
    index/…         the sorted indexes of the seals
    state           the newest head and its cover; exchanged as one step for the former one
    checkpoint      the head with our cosignatures
    evidence/…      heads that contradict each other, both signed by the log

Where there is no room for entries, they are left out from then on: the tree and the indexes grow,
so that heads are compared and cosigned as before. What was left out is fetched when there is room.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import cast

import msgspec

from luciole.kit import durable
from luciole.kit.blobs import Blobs, Missing, Moved, is_full
from luciole.ledger import handover
from luciole.ledger.archive import Tiles, sweep
from luciole.ledger.entry import PersonEntry, SealEntry, decode
from luciole.ledger.handover import Handover
from luciole.ledger.merkle import (
    EMPTY_ROOT,
    Refused,
    consistency_ranges,
    leaf_hash,
    verify_subtree_consistency,
)
from luciole.ledger.note import Checkpoint, Note, VerifierKey
from luciole.ledger.seal import Cover, SealedIndex, Span
from luciole.ledger.tiles import ENTRIES, WIDTH, Edge, Tile, entries_of, tile_of
from luciole.witness.room import Room

# Of each kind.
MAX_EVIDENCE = 10
BUNDLES = "tile/entries/"
# Bundles that were left out and are fetched with one head: 65,536 entries.
FILLED_AT_ONCE = 256


class Refusal(Exception):
    """No cosignature: the HTTP status, a stable code, a sentence, and the body of the answer."""

    def __init__(self, status: int, code: str, sentence: str, body: str = "") -> None:
        super().__init__(sentence)
        self.status, self.code = status, code
        self.body = body or f"{sentence}\n"


class _State(msgspec.Struct, frozen=True):
    """The newest head as the log signed it, the seals of its cover by their indexes, and the keys
    to which the log was handed over, by the size up to which the one before has signed. `kept`: how
    many entries are kept, where there was no room for all."""

    note: str
    seals: dict[int, bytes]
    keys: dict[int, str] = {}
    kept: int | None = None


class Mirror:
    """One log as a witness holds it. `key` is the log's, or the last one to which it was handed
    over; `former` are those before, by the size up to which each has signed. `source` is where its
    entries are, `room` how much of them may be kept; `kept` is how many are, where that is not all
    of them."""

    def __init__(
        self,
        folder: Path,
        key: VerifierKey,
        source: Tiles,
        *,
        has_seals: bool,
        room: Room | None = None,
    ) -> None:
        self.key, self.folder, self.lock = key, folder, asyncio.Lock()
        self.former: dict[int, VerifierKey] = {}
        self.head = Checkpoint(key.name, 0, EMPTY_ROOT)
        self.blobs = Blobs.open(str(folder))
        self._source, self._own, self._has_seals = source, Tiles(self._find), has_seals
        self._room, self.kept = room, cast("int | None", None)
        self._raw: bytes | None = None
        self._edge, self._cover = Edge(), Cover()

    async def load(self) -> None:
        """Reads what is in the folder, where that is new. Raises Refusal if it was damaged."""
        try:
            raw = await self.blobs.get("state")
        except Missing:
            return
        if raw == self._raw:
            return
        state = msgspec.json.decode(raw, type=_State)
        head, edge = Checkpoint.parse(Note.parse(state.note).text), Edge()
        self.kept = state.kept
        with contextlib.suppress(Missing, Refused, OSError):
            tiles = await self._own.tiles(Edge.tiles(head.size))
            edge = Edge.load(head.size, tiles.__getitem__)
            cover = Cover(head.size, [self._span(*one) for one in state.seals.items()])
            if self._has_seals:
                await self._read_unsealed(cover)
            self._cover = cover
        if edge.root() != head.root or self._cover.size != head.size:
            raise Refusal(
                503,
                "mirror-damaged",
                f"My copy of {self.key.name} is damaged, so I cosign nothing. Restore my folder.",
            )
        self._raw, self.head, self._edge = raw, head, edge
        self._hand_over({size: VerifierKey.parse(vkey) for size, vkey in state.keys.items()})

    def _hand_over(self, keys: Mapping[int, VerifierKey]) -> None:
        for size in sorted(keys.keys() - self.former.keys()):
            self.former[size], self.key = self.key, keys[size]

    async def handovers(self) -> list[Handover]:
        """Who signed before whom, as the source tells. Raises BadNote."""
        return await self._source.handovers()

    async def _find(self, path: str) -> bytes:
        """What we keep; of entries that were left out, what the source has, compared with our tree.
        Raises Missing, Refusal."""
        try:
            return await self.blobs.get(path)
        except Missing:
            if self.kept is None or not path.startswith(BUNDLES):
                raise
        return await self._bundle(Tile.of_path(path))

    async def _bundle(self, tile: Tile) -> bytes:
        """A bundle out of the source, compared with our tree. Raises Refusal."""
        hashes = await self._own.read(Tile(0, tile.index, tile.width))
        try:
            found = await self._source.read(tile)
            if b"".join(map(leaf_hash, entries_of(found, tile.width))) != hashes:
                raise Refused("It is not what was signed.")
        except Missing as error:
            raise Refusal(503, "entries-missing", f"{self.key.name} lacks {error}.") from error
        except Refused as error:
            raise Refusal(
                503, "entries-wrong", f"{self.key.name} shows nonsense: {error}"
            ) from error
        return found

    def _span(self, index: int, entry: bytes) -> Span:
        seal = decode(entry)
        assert isinstance(seal, SealEntry)
        data = memoryview(b"")
        if seal.count:
            # Mapped, because all labels of all years together may be many.
            with (self.folder / _index_of(seal)).open("rb") as file:
                data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        sealed = SealedIndex(seal.count, data)
        if sealed.root() != seal.root:
            raise Refused("An index does not fit its seal.")
        return Span(index, seal, sealed)

    async def _read_unsealed(self, cover: Cover) -> None:
        at = cover.end
        async for entries in self._own.entries(at, cover.size):
            for entry in map(decode, entries):
                if isinstance(entry, PersonEntry):
                    cover.unsealed.append((at, entry.minute, entry.label))
                cover.newest_minute = max(cover.newest_minute, entry.minute)
                at += 1

    async def is_ours(self, head: Checkpoint) -> bool:
        """Whether a head that is not larger than ours fits it."""
        if not head.size:
            return head.root == EMPTY_ROOT
        return [head.root] == await self._own.hashes([(0, head.size)], self.head.size)

    async def move_to(self, head: Checkpoint, note: str) -> None:
        """Fetches the entries up to a head that the log has signed, checks that they give its root
        and that all seals are right, and keeps all that for good. Raises Refusal."""
        if self._raw is not None and head == self.head:
            return
        try:
            await self._move_to(head, note)
        except OSError as error:
            if is_full(error):
                raise Refusal(503, "mirror-full", "The disk of this witness is full.") from error
            raise

    async def _move_to(self, head: Checkpoint, note: str) -> None:
        kept = await self._filled()
        edge, cover, fault = self._edge, replace(self._cover), None
        handed: dict[int, VerifierKey] = {}
        cover.unsealed, stored = [*cover.unsealed], list[str]()
        try:
            async for entries in self._source.entries(edge.size, head.size):
                for index, entry in enumerate(entries, edge.size):
                    if self._has_seals and fault is None:
                        fault = _fault_of(cover, index, entry)
                    if key := handover.named_by(self.key.name, entry):
                        handed[index + 1] = key
                before_size, (edge, objects) = edge.size, edge.append(entries)
                if kept is None and self._room and not await self._room.has(_bytes(objects)):
                    kept = before_size
                if kept is not None:
                    objects = {k: v for k, v in objects.items() if not k.startswith(BUNDLES)}
                # What lies behind our head counts for nothing until the state says so.
                await self._keep(objects)
                stored += objects
        except Missing as error:
            raise Refusal(503, "entries-missing", f"{head.origin} lacks {error}.") from error
        except Refused as error:
            raise Refusal(503, "entries-wrong", f"{head.origin} shows nonsense: {error}") from error
        if edge.root() != head.root:
            raise await self._contradiction(head)
        if fault:
            raise Refusal(422, "bad-seal", f"BAD SEAL in {head.origin}, seen by all: {fault}")
        if handed.keys() - {head.size}:
            raise Refusal(
                422,
                "went-on",
                f"WENT ON: {head.origin} was handed over to another key, and its old one has "
                "signed more. The head is kept as evidence: show it to others.",
            )
        before = {_index_of(span.seal): span.sealed for span in self._cover.spans}
        after = {_index_of(span.seal): span.sealed for span in cover.spans}
        await self._keep({name: bytes(after[name].data) for name in after.keys() - before.keys()})
        seals = {span.seal_index: span.seal.encode() for span in cover.spans}
        named = dict(zip(self.former, [*self.former.values(), self.key][1:], strict=True)) | handed
        keys = {size: str(key) for size, key in named.items()}
        raw = msgspec.json.encode(_State(note, seals, keys, kept))
        try:
            await self.blobs.exchange("state", raw, self._raw)
        except Moved:
            raise Refusal(503, "busy", "Another process of mine was here. Ask again.") from None
        self._raw, self.head, self._edge, self._cover = raw, head, edge, cover
        self.kept = kept
        self._hand_over(handed)
        await self.blobs.delete(*(before.keys() - after.keys()))
        await sweep(self.blobs, "", stored)

    async def _keep(self, objects: Mapping[str, bytes]) -> None:
        await asyncio.gather(*(self.blobs.put_durably(*one) for one in objects.items()))
        if self._room:
            self._room.took(_bytes(objects))

    async def _filled(self) -> int | None:
        """Fetches some of the entries that were left out, where there is room for them now; how
        many are kept then, None for all."""
        if self.kept is None or self._room is None or not await self._room.has_again():
            return self.kept
        size, first = self.head.size, self.kept // WIDTH
        for index in range(first, -(-size // WIDTH)):
            tile = tile_of(ENTRIES, index, size)
            try:
                found = {tile.path: await self._bundle(tile)}
            except Refusal:
                return max(self.kept, index * WIDTH)
            if index - first >= FILLED_AT_ONCE or not await self._room.has(_bytes(found)):
                return max(self.kept, index * WIDTH)
            await self._keep(found)
            await sweep(self.blobs, "", found)
        return None

    async def _contradiction(self, head: Checkpoint) -> Refusal:
        """Why the entries do not give the root of a head: by the log, or by who delivers it."""
        old = self.head
        theirs = old.root
        with contextlib.suppress(Missing, Refused):
            ranges = [*consistency_ranges(old.size, head.size), (0, old.size)]
            *proof, root = await self._source.hashes(ranges, head.size)
            verify_subtree_consistency(0, old.size, head.size, root, head.root, proof)
            theirs = root
        if theirs != old.root:
            return self.fork(head)
        return Refusal(
            503, "entries-wrong", f"What {head.origin} shows does not give the root of its head."
        )

    def fork(self, head: Checkpoint) -> Refusal:
        """What to say of a head that contradicts ours."""
        return Refusal(
            422,
            "fork",
            f"FORK: {head.origin} has signed heads of {self.head.size} and {head.size} entries "
            "that contradict each other. Both are kept as evidence: show them to others.",
        )

    def keep_evidence(self, code: str, note: str) -> bool:
        """Keeps a head beside ours, both signed by the log; False where that was done before, or
        often enough: a log that went wrong goes on with each head."""
        folder = self.folder / "evidence" / f"{code}-{sha256(note.encode()).hexdigest()[:16]}"
        if folder.exists() or len(list(folder.parent.glob(f"{code}-*"))) >= MAX_EVIDENCE:
            return False
        if self._raw:
            ours = msgspec.json.decode(self._raw, type=_State).note
            durable.replace(folder / "ours", ours.encode())
        durable.replace(folder / "theirs", note.encode())
        return True


def _bytes(objects: Mapping[str, bytes]) -> int:
    return sum(map(len, objects.values()))


def _fault_of(cover: Cover, index: int, entry: bytes) -> Refused | None:
    try:
        cover.take(index, entry)
    except Refused as fault:
        return fault
    return None


def _index_of(seal: SealEntry) -> str:
    return f"index/{seal.first}-{seal.end}"
