"""A log in the test's process: takes what waits in the inbox, seals it, and publishes a head."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.ledger.entry import Scope
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.policy import Party, Policy
from luciole.ledger.seal import Cover
from luciole.ledger.tiles import Edge

PREFIX = "ledger/access/"
DRAIN = "DELETE FROM ledger.inbox WHERE log = 'access' RETURNING id, entry, ref"
PLACE = "INSERT INTO ledger.place (ref, idx) VALUES ($1, $2)"


@dataclass
class Log:
    """The log `access` of a cell, with the owner's rights on the database."""

    owner: Database
    blobs: Blobs
    cell_id: UUID
    edge: Edge = field(default_factory=Edge)
    cover: Cover = field(default_factory=Cover)
    signer: Signer = field(init=False)

    def __post_init__(self) -> None:
        name = f"luciole/{self.cell_id}/access"
        self.signer = Signer(name, KeyKind.ED25519, bytes(32))

    @property
    def policy(self) -> Policy:
        return Policy([Party(self.signer.verifier, None)], quorum="none")

    async def take(self) -> int:
        """Appends what waits and publishes the new head; gives the size."""
        async with self.owner.tx() as tx:
            rows = sorted(await tx.fetch(DRAIN), key=lambda row: int(row["id"]))
            for at, row in enumerate(rows):
                await tx.execute(PLACE, row["ref"], self.edge.size + at)
            await self.add([row["entry"] for row in rows])
        return self.edge.size

    async def seal(self, minute: int) -> None:
        """Seals all that is there, from the start of the last range on."""
        await self.append_seal(minute, self.cover.spans[-1].seal.first if self.cover.spans else 0)

    async def append_seal(self, minute: int, first: int) -> None:
        """Seals what is there from an entry on."""
        made, _ = self.cover.seal(Scope.DAY, minute, first, self.edge.size)
        await self.add([made.encode()])

    async def add(self, entries: list[bytes]) -> None:
        """Appends entries and publishes the new head."""
        start = self.edge.size
        self.edge, objects = self.edge.append(entries)
        for path, content in objects.items():
            await self.blobs.put(PREFIX + path, content)
        for at, entry in enumerate(entries):
            self.cover.take(start + at, entry)
        head = Checkpoint(self.signer.verifier.name, self.edge.size, self.edge.root())
        vkey = self.signer.verifier
        await self.blobs.put("ledger/policy", f"log {vkey}\nquorum none\n".encode())
        await self.blobs.put(f"{PREFIX}checkpoint", self.signer.sign(str(head)).encode())
