"""The guardian: gives the half of a key only against an entry in the log of the cell that asks.

What it checks, in this order, and what it refuses with:
1. something is held under that handle                                     `unknown-handle`
2. the entry is one about a person, of a kind that gives the use of a key  `no-grant`
3. its label is number `n` of the label key that came with the half        `other-label`
4. `n` is not below the highest that the half was given for                `spent`
5. its minute is at most a day old, and not ahead by more than some        `too-old`
6. the head was cosigned by this cell's own witness, is of the log `access` of the cell that asks,
   and the proof leads from the entry to it                                `not-in-log`

The witness has seen every entry under a head that it cosigned, and shows them to everybody: whoever
gets a half has left a mark that nobody can take back. The log's own signature adds nothing.

What this cannot do: call back what it has given. A cell that kept a half, against its promise,
needs no more entries for that person; `told` says of whom that cannot be excluded, since when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from luciole.kit.logs import log
from luciole.ledger import entry
from luciole.ledger.merkle import Refused as BadLedger
from luciole.ledger.merkle import leaf_hash, verify_inclusion
from luciole.ledger.note import Checkpoint, Note, VerifierKey
from luciole.ledger.proof import Proof
from luciole.trustee import shares
from luciole.trustee.asked import Refused
from luciole.trustee.book import Book, Held

GRANTING = (entry.Kind.GRANT, entry.Kind.READ)
MOST_AGE_MINUTES = 24 * 60
MOST_AHEAD_MINUTES = 5


class Guardian:
    """Answers the wire kind `share` for every peer."""

    def __init__(
        self, book: Book, witness: Sequence[VerifierKey], time: Callable[[], float]
    ) -> None:
        """`witness` are keys of this cell's own witness, one of which must have cosigned; `time`
        gives POSIX seconds."""
        self._book, self._witness, self._time = book, witness, time
        self._alone = asyncio.Lock()

    async def answer(self, peer: UUID, body: bytes) -> bytes:
        """What a peer gets. Raises Refused."""
        try:
            asked = shares.asked.decode(body)
        except msgspec.MsgspecError:
            raise Refused("malformed") from None
        async with self._alone:
            return shares.encode(await asyncio.to_thread(self._answered, peer, asked))

    def _answered(self, peer: UUID, asked: shares.Asked) -> Any:
        now = int(self._time())
        match asked:
            case shares.Deposit(halves):
                if not self._book.add(peer, halves, now):
                    raise Refused("other-half")
                return None
            case shares.Release():
                return self._release(peer, asked, now)
            case shares.Forget(handles):
                self._book.drop(peer, handles)
            case shares.Told(after):
                return self._book.told(peer, after, shares.MOST_TOLD)
            case shares.Destroy():
                self._book.destroy(peer)
                log.warning("all halves of a peer were destroyed", code="shares-destroyed")
        return self._book.counted(peer)

    def _release(self, peer: UUID, asked: shares.Release, now: int) -> bytes:
        held = self._book.held(peer, asked.handle)
        try:
            if held is None:
                raise Refused("unknown-handle")
            check(asked, peer, held, self._witness, now)
        except Refused:
            self._book.refused(peer, now)
            raise
        # 7. It is on the disk before it is told. If we stop here, it counts as given.
        self._book.given(peer, asked.handle, asked.n, now)
        return held.secret


def check(
    asked: shares.Release, peer: UUID, held: Held, witness: Sequence[VerifierKey], now: int
) -> None:
    """Returns where a half may be given (see the module); else raises Refused. Pure."""
    try:
        found = entry.decode(asked.leaf)
    except entry.BadEntry:
        raise Refused("no-grant") from None
    if not isinstance(found, entry.PersonEntry) or found.kind not in GRANTING:
        raise Refused("no-grant")
    if entry.label_of(held.label_key, asked.n) != found.label:
        raise Refused("other-label")
    if asked.n < held.n:
        raise Refused("spent")
    if not -MOST_AHEAD_MINUTES <= now // 60 - found.minute <= MOST_AGE_MINUTES:
        raise Refused("too-old")
    try:
        proof = Proof.parse(asked.proof)
        note = Note.parse(proof.checkpoint)
        note.verify(witness)
        head = Checkpoint.parse(note.text)
        if head.origin != f"luciole/{peer}/access":
            raise BadLedger("A head of another log.")
        verify_inclusion(proof.index, head.size, leaf_hash(asked.leaf), proof.path, head.root)
    except BadLedger:
        raise Refused("not-in-log") from None
