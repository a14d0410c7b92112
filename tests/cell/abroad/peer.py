"""Another cell, as this one's database sees it: what is offered to it, and what came from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from tests.cell.house import House

from luciole.border import wire
from luciole.kit.db import Database
from luciole.kit.ids import new_id

ADD = """
INSERT INTO border.peer (name, cell_id, origin, passport, display_name, operator, jurisdiction,
                         border_key, log_keys, witness_keys)
VALUES ($1, $2, $3, '{}', $4, $5, $6, $7, '{}', '{}')
"""
OFFERS = "SELECT id, ref, kind, body FROM border.offer WHERE peer = $1 ORDER BY id"
TAKE = "DELETE FROM border.offer WHERE id = $1"
NEWS = """
INSERT INTO border.news (crossing, ref, kind, peer, state, code, receipt)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
ARRIVE = """
INSERT INTO border.arrival (crossing, peer, kind, place, body) VALUES ($1, $2, $3, $4, $5)
"""


@dataclass
class Peer:
    """The cell `sg`, played at the tables of the border by their owner."""

    owner: Database
    house: House
    name: str = "sg"
    operator: str = "Merlion Clips Pte. Ltd."
    jurisdiction: str = "SG"
    place: int = 0
    numbers: dict[str, UUID] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"https://{self.name}.example"

    async def begin(self) -> None:
        async with self.owner.tx() as tx:
            await tx.execute(
                ADD,
                self.name,
                new_id(),
                self.origin,
                "Singapore",
                self.operator,
                self.jurisdiction,
                sha256(self.name.encode()).digest(),
            )

    async def changes_hands(self, operator: str) -> None:
        async with self.owner.tx() as tx:
            await tx.execute(
                "UPDATE border.peer SET operator = $2 WHERE name = $1", self.name, operator
            )

    async def offers(self) -> list[tuple[UUID, wire.Crossing]]:
        """What waits to be sent to it, in order."""
        async with self.owner.read() as tx:
            rows = await tx.fetch(OFFERS, self.name)
        return [(row["id"], wire.decode(row["body"])) for row in rows]

    async def takes(self, *, state: str = "sent", code: str = "") -> list[wire.Crossing]:
        """It gets all that waits, and answers; this cell hears of it."""
        await self.house.beside.traffic.catch_up()
        taken = []
        async with self.owner.tx() as tx:
            for row in await tx.fetch(OFFERS, self.name):
                receipt = f"received {row['id']}" if state == "sent" else ""
                await tx.execute(
                    NEWS, row["id"], row["ref"], row["kind"], self.name, state, code, receipt
                )
                await tx.execute(TAKE, row["id"])
                taken.append(wire.decode(row["body"]))
        await self.house.beside.traffic.catch_up()
        return taken

    async def says(self, *crossings: wire.Crossing, look: bool = True) -> None:
        """It sends these, and the gateway lets them in."""
        async with self.owner.tx() as tx:
            for crossing in crossings:
                self.place += 1
                kind: Any = crossing.__struct_config__.tag
                await tx.execute(
                    ARRIVE, new_id(), self.name, kind, self.place, wire.encode(crossing)
                )
        if look:
            await self.house.beside.traffic.catch_up()

    def uri(self, thing: str, key: str) -> str:
        number = self.numbers.setdefault(f"{thing}/{key}", new_id())
        return f"{self.origin}/ap/{thing}/{number}"

    def person(self, handle: str = "wei", **fields: Any) -> wire.Person:
        return wire.Person(
            **{"uri": self.uri("people", handle), "handle": handle, "name": handle.title()} | fields
        )

    def file(self, content: bytes, path: str) -> wire.File:
        """A file that this cell can be asked for."""
        digest = sha256(content).hexdigest()
        self.house.elsewhere.files[digest] = content
        return wire.File(path, digest, len(content))

    def clip(
        self, key: str, film: bytes, still: bytes, size: tuple[int, int], **fields: Any
    ) -> wire.Clip:
        """A clip by `wei`, or whoever `by` names."""
        path = f"/media/p/{key}"
        return wire.Clip(
            **{
                "uri": self.uri("clips", key),
                "by": self.uri("people", "wei"),
                "caption": f"{key} #harbour",
                "films": [wire.Film("540p", self.file(film, f"{path}/540p-1.mp4"), *size)],
                "still": self.file(still, f"{path}/poster-1.webp"),
                "duration_ms": 400,
                "made_with_ai": False,
                "comments": True,
                "published_at": "2026-11-20T08:00:00Z",
            }
            | fields
        )

    def comment(self, key: str, on: str, text: str, **fields: Any) -> wire.Comment:
        return wire.Comment(
            **{
                "uri": self.uri("comments", key),
                "by": self.uri("people", "wei"),
                "on": on,
                "text": text,
                "said_at": "2026-11-24T09:00:00Z",
            }
            | fields
        )
