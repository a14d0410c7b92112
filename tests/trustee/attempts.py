"""What root on the app host of a guarded cell has: every file, every key of this cell, the
database, the log's own key, its way to the guardian, and what the guardian gave for others. What is
not tried here: writing an entry, which is what all this is to force; and the halves that the broker
has in memory for whoever is using the cell just now.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import msgspec
from tests.trustee.house import Guarded

from luciole.custody import store
from luciole.keys import Half, HalfNeeded, SealBroken
from luciole.ledger import entry
from luciole.ledger.archive import Archive
from luciole.ledger.merkle import inclusion_proof, leaf_hash, root_of
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.proof import Proof
from luciole.trustee import shares
from luciole.trustee.home import Refusal


class Attacker:
    """Root at home, without an entry. `victim` has no open grant; `others` have."""

    def __init__(self, us: Guarded, victim: UUID, seed: int) -> None:
        self.us, self.victim, self.random = us, victim, random.Random(seed)
        self.card = us.keys.card(victim)
        assert self.card is not None
        self.opened = 0
        self.outcomes: Counter[str] = Counter()
        self.proofs: list[shares.Release] = []
        self.leaves: list[bytes] = []
        self.index: dict[bytes, int] = {}

    async def look(self) -> None:
        """Collects what is there: all entries of the public log with true proofs under a head that
        the guardian's witness has cosigned, and all that ever went to the guardian."""
        us = self.us
        async with us.db.tx() as tx:
            _, notes = await store.shown(tx, [], 1)
        self.note = notes[0]
        self.size = int(self.note.split("\n")[1])
        archive = Archive(us.blobs, "access")
        async for some in archive.entries(0, self.size):
            self.leaves += some
        self.paths = [tuple(await archive.path(index, self.size)) for index in range(self.size)]
        asked = map(shares.asked.decode, us.way.told)
        self.proofs = [one for one in asked if isinstance(one, shares.Release)]
        self.halves = [
            half
            for one in map(shares.asked.decode, us.way.told)
            if isinstance(one, shares.Deposit)
            for half in one.halves
            if half.handle != self.card.handle  # type: ignore[union-attr]
        ]

    async def attempt(self, number: int) -> None:
        """One try, of each kind in turn."""
        ways: list[Callable[[], shares.Release | bytes]] = [
            self.guess, self.replay, self.replay_for_victim, self.old_entry, self.other_kind,
            self.forged_head, self.forged_cosignature, self.wrong_place, self.half_of_another,
            self.bent,
        ]  # fmt: skip
        made = ways[number % len(ways)]()
        if isinstance(made, shares.Release):
            try:
                secret = await self.us.way.ask("sg", shares.encode(made))
            except Refusal as refusal:
                self.outcomes[refusal.code] += 1
                return
            self.outcomes["given"] += 1
            made = msgspec.msgpack.decode(secret, type=bytes)
        self.unwrap(made)

    def unwrap(self, secret: bytes) -> None:
        """With the share key, the epoch key and everything else of this cell at hand."""
        try:
            self.us.keys.data_key(self.victim, secret)
        except SealBroken:
            self.outcomes["does not open"] += 1
        except HalfNeeded:
            self.outcomes["no half"] += 1
        else:
            self.opened += 1

    # Ways

    def release(self, n: int, leaf: bytes, proof: str) -> shares.Release:
        assert self.card is not None
        return shares.Release(self.card.handle, n, leaf, proof)

    def guess(self) -> bytes:
        return self.random.randbytes(32) if self.random.random() < 0.9 else b""

    def half_of_another(self) -> bytes:
        return self.random.choice(self.halves).secret if self.halves else Half.new().secret

    def replay(self) -> shares.Release:
        """What was proved for the victim before, when their grant was open."""
        assert self.card is not None
        mine = [one for one in self.proofs if one.handle == self.card.handle]
        return self.random.choice(mine or self.proofs)

    def replay_for_victim(self) -> shares.Release:
        """A proof about somebody else."""
        assert self.card is not None
        other = [one for one in self.proofs if one.handle != self.card.handle]
        return msgspec.structs.replace(
            self.random.choice(other or self.proofs), handle=self.card.handle
        )

    def old_entry(self) -> shares.Release:
        """A true proof of any entry of the log under any number."""
        at = self.random.randrange(self.size)
        proof = str(Proof(at, self.paths[at], self.note))
        return self.release(self.random.randrange(6), self.leaves[at], proof)

    def other_kind(self) -> shares.Release:
        """An entry about the victim, made with their label key, that is in no log."""
        kind = self.random.choice(list(entry.Kind))
        leaf, n = self.made(kind)
        at = self.random.randrange(self.size)
        return self.release(n, leaf, str(Proof(at, self.paths[at], self.note)))

    def forged_head(self) -> shares.Release:
        """A tree of our own with that entry, under the log's true signature."""
        leaf, n = self.made(entry.Kind.GRANT)
        return self.release(n, leaf, self.forged(leaf, []))

    def forged_cosignature(self) -> shares.Release:
        """And with a line in the name of the witness, or the true lines of another head."""
        leaf, n = self.made(entry.Kind.GRANT)
        lines = [line + "\n" for line in self.note.splitlines() if line.startswith("— sg-witness")]
        return self.release(n, leaf, self.forged(leaf, lines))

    def wrong_place(self) -> shares.Release:
        """A true head, an entry that it does not cover."""
        leaf, n = self.made(entry.Kind.GRANT)
        path = tuple(os.urandom(32) for _ in range(self.size.bit_length()))
        return self.release(n, leaf, str(Proof(self.random.randrange(self.size), path, self.note)))

    def bent(self) -> shares.Release:
        """A good proof of before with a byte changed."""
        asked = self.replay_for_victim()
        text = bytearray(asked.proof.encode())
        text[self.random.randrange(len(text))] ^= 1 << self.random.randrange(7)
        return msgspec.structs.replace(asked, proof=text.decode(errors="replace"))

    def made(self, kind: entry.Kind) -> tuple[bytes, int]:
        assert self.card is not None
        n = self.random.randrange(2, 50)
        made = entry.PersonEntry(
            kind,
            entry.Class.SELF,
            int(self.us.clock.now().timestamp()) // 60,
            entry.label_of(self.card.label_key, n),
            self.random.randbytes(32),
        )
        return replace(made).encode(), n

    def forged(self, leaf: bytes, lines: list[str]) -> str:
        hashes = [*map(leaf_hash, self.leaves[-20:]), leaf_hash(leaf)]
        signer = self.us.signer
        text = str(Checkpoint(signer.verifier.name, len(hashes), root_of(hashes)))
        if lines and self.random.random() < 0.5:
            stranger = Signer("sg-witness", KeyKind.COSIGNATURE, b"x" * 32)
            lines = [stranger.line(text, int(self.us.clock.now().timestamp()))]
        path = tuple(inclusion_proof(hashes, len(hashes) - 1))
        return str(Proof(len(hashes) - 1, path, signer.sign(text) + "".join(lines)))
