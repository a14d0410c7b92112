"""Our own log of crossings as everybody may read it: where an entry stands, and its proof.

The gateway waits here for what the log's process does: it reads heads and tiles from the pages, as
any visitor, and believes nothing that is not signed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from luciole.kit.blobs import Missing
from luciole.kit.logs import log
from luciole.ledger.archive import CHECKPOINT, Get, Tiles
from luciole.ledger.merkle import Refused, leaf_hash
from luciole.ledger.note import BadNote, Checkpoint, Note, VerifierKey, to_base64
from luciole.ledger.proof import Proof

LOOKS_EVERY_S = 0.1
TILES_KEPT = 64


class Shown(NamedTuple):
    """A head with the cosignature of one witness and no other, and its size."""

    checkpoint: str
    size: int


class OwnLog:
    """The log of crossings of this cell. `get` finds what it shows, by its path below
    `ledger/border/`."""

    def __init__(
        self, get: Get, key: VerifierKey, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._get, self._key, self._monotonic = get, key, monotonic
        self._tiles, self._kept = Tiles(self._tile), dict[str, bytes]()
        self._wanted: dict[bytes, int | None] = {}
        self._read: int | None = None
        self._note: Note | None = None
        self.head: Checkpoint | None = None

    def want(self, entry: bytes, floor: int) -> None:
        """From now on this entry is looked for, at `floor` or behind."""
        leaf = leaf_hash(entry)
        if leaf not in self._wanted:
            self._wanted[leaf] = None
            self._read = floor if self._read is None else min(self._read, floor)

    def drop(self, entry: bytes) -> None:
        """This one is of no interest any more."""
        self._wanted.pop(leaf_hash(entry), None)

    @property
    def size(self) -> int:
        """How many entries the log has at least; what is put in now stands there or behind."""
        return self.head.size if self.head else 0

    async def look(self) -> None:
        """Reads the newest published head, and where what is looked for stands. Raises Missing,
        Refused, and what `get` raises."""
        note = Note.parse(await self._get(CHECKPOINT))
        note.verify([self._key])
        head = Checkpoint.parse(note.text)
        missing = any(place is None for place in self._wanted.values())
        if missing and self._read is not None and self._read < head.size:
            at = self._read
            async for entries in self._tiles.entries(self._read, head.size):
                for entry in entries:
                    leaf = leaf_hash(entry)
                    if leaf in self._wanted:
                        self._wanted[leaf] = at
                    at += 1
        self._read = head.size
        self._note, self.head = note, head

    async def proof(self, entry: bytes, witness: VerifierKey) -> Proof | None:
        """The proof that the log has an entry, under a head that a witness has cosigned; None as
        long as there is none. Raises what `look` raises."""
        head = self.cosigned(witness)
        place = head and self.place(entry, head)
        if head is None or place is None:
            return None
        return Proof(place, tuple(await self.path(place, head)), head.checkpoint)

    def cosigned(self, witness: VerifierKey) -> Shown | None:
        """The newest head that was read, if a witness has cosigned it."""
        checkpoint = self._note and _with(self._note, self._key, witness)
        return Shown(checkpoint, self.head.size) if checkpoint and self.head else None

    def place(self, entry: bytes, head: Shown) -> int | None:
        """Where a head has an entry that is looked for; None where it has it not, or not yet."""
        place = self._wanted.get(leaf_hash(entry))
        return place if place is not None and place < head.size else None

    async def path(self, place: int, head: Shown) -> list[bytes]:
        """The path from an entry to a head. Raises what `look` raises."""
        return await self._tiles.path(place, head.size)

    async def _tile(self, path: str) -> bytes:
        """A tile, from memory where it was asked before: none ever changes."""
        if path not in self._kept:
            found = await self._get(path)
            if len(self._kept) >= TILES_KEPT:
                self._kept.clear()
            self._kept[path] = found
        return self._kept[path]

    async def wait(self, entry: bytes, witness: VerifierKey, within_s: float) -> Proof | None:
        """The same, waited for."""
        until = self._monotonic() + within_s
        while True:
            try:
                await self.look()
                if found := await self.proof(entry, witness):
                    return found
            except (Missing, Refused) as error:
                log.warning("our log of crossings cannot be read", error=type(error).__name__)
            if self._monotonic() > until:
                return None
            await asyncio.sleep(LOOKS_EVERY_S)


def _with(note: Note, key: VerifierKey, witness: VerifierKey) -> str | None:
    """The head with the log's signature and one witness's, and no other; None where that witness
    has not cosigned it."""
    names = {(one.name, one.id) for one in (key, witness)}
    lines = [line for line in note.lines if line[:2] in names]
    small = Note(note.text, tuple(lines))
    try:
        small.verify([witness])
    except BadNote:
        return None
    written = (f"— {name} {to_base64(id_ + signature)}\n" for name, id_, signature in lines)
    return f"{note.text}\n{''.join(written)}"
