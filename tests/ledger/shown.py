"""What a log shows to a witness, and a witness that looks at it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from tests.ledger.house import naive_root

from luciole.kit.blobs import Missing
from luciole.ledger.archive import Tiles
from luciole.ledger.merkle import consistency_proof, leaf_hash
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.tiles import Edge
from luciole.witness.cosigner import Witness
from luciole.witness.mirror import Refusal

SIGNER = Signer("luciole/cell/access", KeyKind.ED25519, b"l" * 32)
COSIGNERS = [
    Signer("watch", KeyKind.COSIGNATURE, b"w" * 32),
    Signer("watch", KeyKind.SUBTREE, b"w" * 32),
]


class Shown:
    """What a log shows: objects in memory, and heads that it signs, also false ones."""

    def __init__(self, entries: Sequence[bytes] = ()) -> None:
        self.objects: dict[str, bytes] = {}
        self.entries: list[bytes] = []
        self.edge = Edge()
        self.add(*entries)

    def add(self, *entries: bytes) -> None:
        self.edge, objects = self.edge.append(entries)
        self.entries += entries
        self.objects |= objects

    async def get(self, path: str) -> bytes:
        if path not in self.objects:
            raise Missing(path)
        return self.objects[path]

    def head(self, size: int | None = None) -> bytes:
        """A right head."""
        size = len(self.entries) if size is None else size
        return self.signed(size, naive_root(self.entries[:size]))

    def signed(self, size: int, root: bytes) -> bytes:
        """Any head."""
        return SIGNER.sign(str(Checkpoint(SIGNER.verifier.name, size, root))).encode()

    def request(self, old: int, size: int | None = None) -> bytes:
        size = len(self.entries) if size is None else size
        proof = consistency_proof([leaf_hash(one) for one in self.entries[:size]], old)
        return body(old, proof if old else [], self.head(size))


def body(old: object, proof: Sequence[bytes], note: bytes) -> bytes:
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", ""]
    return "\n".join(lines).encode() + note


class Watch:
    """A witness in a folder; `again` begins it anew there."""

    def __init__(self, home: Path, log: Shown, *, has_seals: bool = True) -> None:
        self.home, self.log, self.has_seals = home, log, has_seals
        self.told: list[str] = []
        self.witness = self.again()

    def again(self) -> Witness:
        self.witness = Witness(self.home, COSIGNERS, lambda: 1_800_000_000.5, self.told.append)
        self.witness.follow(SIGNER.verifier, Tiles(self.log.get), has_seals=self.has_seals)
        return self.witness

    @property
    def folder(self) -> Path:
        return self.home / sha256(SIGNER.verifier.name.encode()).hexdigest()

    async def refusal(self, request: bytes) -> Refusal:
        with pytest.raises(Refusal) as refused:
            await self.witness.add_checkpoint(request)
        return refused.value

    async def refused_sight(self, note: bytes) -> Refusal:
        with pytest.raises(Refusal) as refused:
            await self.witness.see(note)
        return refused.value

    def evidence(self) -> list[str]:
        return sorted(
            f"{path.parent.name.rpartition('-')[0]}/{path.name}"
            for path in self.folder.glob("evidence/*/*")
        )
