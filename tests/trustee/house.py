"""A cell with a key broker and a running log, and its guardian: another cell's trustee and witness
in the same process, called without HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.cell.vault import ORIGIN
from tests.custody.conftest import ADD_PERSON, ADD_SESSION, Somebody
from tests.ledger.house import Near

from luciole.ask.client import Custody
from luciole.border.peers import Witnesses
from luciole.custody import wire
from luciole.custody.model import GuardianAway, NoGuardian
from luciole.custody.server import NAMES
from luciole.custody.staff import StaffBroker
from luciole.keys import KeyStore, RootKey
from luciole.kit.blobs import Blobs
from luciole.kit.clock import SetClock
from luciole.kit.db import Database
from luciole.kit.ids import new_id, new_token
from luciole.ledger.archive import Tiles
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer
from luciole.ledger_process import keep
from luciole.trustee.asked import Refused
from luciole.trustee.book import Book
from luciole.trustee.guardian import Guardian
from luciole.trustee.home import HomeGuardian, Peer, Refusal
from luciole.trustee.moving import Moving
from luciole.witness.cosigner import Witness

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SG = UUID("7f3c1d52-3e3b-4c62-9d55-0a1be5f0c001")
PERIOD_S = 0.02


class NearWay:
    """The gateways of both cells, as short as can be. `told` are the bodies that went over."""

    def __init__(self, guardian: Guardian, home: UUID, peer: Peer) -> None:
        self.guardian, self.home, self.known = guardian, home, peer
        self.is_away = False
        self.told: list[bytes] = []

    async def ask(self, name: str, body: bytes) -> bytes:
        if self.is_away or name != self.known.name:
            raise GuardianAway
        self.told.append(body)
        try:
            return await self.guardian.answer(self.home, body)
        except Refused as refused:
            raise Refusal(refused.code) from refused

    async def peer(self, name: str) -> Peer:
        if self.is_away:
            raise GuardianAway
        if name != self.known.name:
            raise NoGuardian
        return self.known


@dataclass
class Guarded:
    """Both cells, and what a test looks at."""

    owner: Database
    db: Database
    clock: SetClock
    keys: KeyStore
    broker: StaffBroker
    home: HomeGuardian
    moving: Moving
    way: NearWay
    book: Book
    guardian: Guardian
    blobs: Blobs
    signer: Signer
    witness: Signer
    rotated: list[int] = field(default_factory=list)

    @property
    def cell_id(self) -> UUID:
        return self.keys.cell_id

    def custody(self) -> Custody:
        async def answer(asked: wire.Asked) -> Any:
            return await getattr(self.broker, NAMES[type(asked)])(asked)

        return Custody.within(answer)

    async def person(self, label_key: bytes | None = None) -> Somebody:
        person_id = new_id()
        drawn = await self.custody().enrol(person_id, label_key)
        async with self.owner.tx() as tx:
            await tx.execute(ADD_PERSON, person_id)
            await tx.fetchval("SELECT custody.take_number($1)", person_id)
            await tx.fetchval(
                "SELECT custody.record($1, $2, $3, $4)", person_id, 0, drawn.leaf, drawn.sealed
            )
        return Somebody(person_id, await self.session(person_id))

    async def session(self, person_id: UUID) -> str:
        token = new_token(32)
        hashed = hashlib.sha256(token.encode()).digest()
        async with self.owner.tx() as tx:
            expires_at = self.clock.now() + timedelta(days=30)
            await tx.execute(ADD_SESSION, new_id(), person_id, hashed, expires_at)
        return token

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.owner.tx() as tx:
            return list(await tx.fetch(query, *args))

    async def entries(self, person_id: UUID) -> list[int]:
        """Kinds of the entries about a person, in their order."""
        query = "SELECT get_byte(leaf, 1) AS k FROM custody.journal WHERE person_id = $1 ORDER BY n"
        return [row["k"] for row in await self.rows(query, person_id)]

    async def decisions(self) -> list[dict[str, Any]]:
        import json

        rows = await self.rows("SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id")
        return [json.loads(row["entry"]) for row in rows]

    def forget(self) -> None:
        """What the broker has in memory, as after a start."""
        for warm in (self.broker._ring._warm, self.home._kept, self.home._fresh):
            warm._held.clear()  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def guarded(url: str, folder: Path, *, wanted: str = "sg") -> AsyncIterator[Guarded]:
    owner = await Database.open(url, size=4)
    db = await Database.open(url, role="luciole_custody_process", size=4)
    log_db = await Database.open(url, role="luciole_ledger_process", size=2)
    clock = SetClock(NOON)
    keys = KeyStore(folder / "keys", RootKey.generate(), clock=clock)
    blobs = Blobs.open(str(folder / "blobs"))
    signer = Signer(f"luciole/{keys.cell_id}/access", KeyKind.ED25519, b"log".ljust(32))
    witness_key = Signer("sg-witness", KeyKind.COSIGNATURE, b"w" * 32)
    witness = Witness(
        folder / "witness", [witness_key], lambda: clock.now().timestamp(), lambda _: None
    )

    async def get(path: str) -> bytes:
        return await blobs.get(f"ledger/access/{path}")

    witness.follow(signer.verifier, Tiles(get), has_seals=True)
    policy = Policy.parse(
        f"log {signer.verifier}\nwitness sg {witness_key.verifier}\nquorum sg\n".encode()
    )
    near: Any = Near(witness)
    sequencer = Sequencer(
        "access", signer, log_db, blobs, policy, Witnesses(signer.verifier, [near]), clock
    )
    stop = asyncio.Event()
    running = asyncio.create_task(keep(sequencer, PERIOD_S, stop))
    book = Book(folder / "sg" / "halves.sqlite", b"t" * 32)
    guardian = Guardian(book, [witness_key.verifier], lambda: clock.now().timestamp())
    way = NearWay(guardian, keys.cell_id, Peer("sg", SG, [witness_key.verifier]))
    home = HomeGuardian(way, db, blobs, clock)
    await home.load()
    broker = StaffBroker(keys, db, clock, ORIGIN, home)
    rotated = list[int]()

    async def rotate() -> None:
        rotated.append(keys.rotate().destroyed)

    moving = Moving(keys, broker, home, db, clock, wanted, rotate)
    try:
        yield Guarded(
            *(owner, db, clock, keys, broker, home, moving, way, book, guardian, blobs),
            *(signer, witness_key, rotated),
        )
    finally:
        stop.set()
        await running
        if home._looking:
            home._looking.cancel()
        keys.close()
        book.close()
        for one in (log_db, db, owner):
            await one.close()
