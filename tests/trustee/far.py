"""Root on the app host of a running cell, whose guardian is another running cell: the same attacker
as in `attempts`, with the real files, and two ways to the guardian: the gateway's own socket, and
past the gateway, over HTTP, with requests signed by the cell's key."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
from tests.border.conftest import Cell, until
from tests.custody.conftest import Somebody
from tests.trustee.attempts import Attacker
from tests.trustee.house import Guarded

from luciole.ask.gateway import Outward
from luciole.border import passport, signatures
from luciole.border.peers import Peer, PeerAway
from luciole.custody import store
from luciole.custody.model import GuardianAway
from luciole.keys import KeyStore
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger import entry
from luciole.ledger.archive import Archive
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.proof import Proof
from luciole.roots.choose import open_root
from luciole.trustee import shares
from luciole.trustee.home import Refusal
from luciole.trustee.way import OutwardWay

DAY_MINUTES = 24 * 60
HALF_OF = "SELECT n, leaf, ref FROM custody.granting WHERE person_id = $1 ORDER BY n DESC LIMIT 1"


class FarWay:
    """Both ways in turn. `told`: what has gone to the guardian for others, as root has seen it."""

    def __init__(self, us: Cell, sg: Cell, key: SigningKey, cell_id: UUID) -> None:
        self._outward = Outward.at(us.settings.gateway_dir / "custody.sock")
        self._socket, self._key = OutwardWay(self._outward), key
        self._name = passport.key_of(cell_id, key.public).name
        self._door, self._url = Peer(sg.origin), f"{sg.origin}/border/ask/share"
        self._turn, self._nonces = itertools.cycle([True, False]), itertools.count()
        self.asked: Counter[str] = Counter()
        self.told: list[bytes] = []

    async def ask(self, name: str, body: bytes) -> bytes:
        """Asks until there is an answer. Raises Refusal."""
        is_through = next(self._turn)
        self.asked["through the gateway" if is_through else "past the gateway"] += 1

        async def answered() -> tuple[bytes] | None:
            with contextlib.suppress(GuardianAway, PeerAway):
                return (await (self._socket.ask(name, body) if is_through else self._post(body)),)
            return None

        (answer,) = await until(answered)
        return bytes(answer)

    async def _post(self, body: bytes) -> bytes:
        """Past the gateway. Raises Refusal, GuardianAway, PeerAway."""
        headers = signatures.signed(
            "POST",
            self._url,
            {"content-type": "application/octet-stream"},
            body,
            self._name,
            self._key.sign,
            int(time.time()),
            nonce=f"far-{next(self._nonces)}",
        )
        answer = await self._door.ask("POST", "border/ask/share", body, headers)
        if answer.status == 503:
            raise GuardianAway
        if answer.status != 200:
            raise Refusal(json.loads(answer.body)["code"])
        return answer.body

    async def close(self) -> None:
        await self._outward.close()
        self._door.close()


@dataclass
class Far:
    """What of `Guarded` an attacker looks at, of two cells that run."""

    us: Cell
    sg: Cell
    keys: KeyStore
    db: Database
    blobs: Blobs
    signer: Signer
    way: FarWay
    clock: Clock = field(default_factory=Clock)

    @property
    def cell_id(self) -> UUID:
        return self.keys.cell_id

    async def entries(self, person_id: UUID) -> list[int]:
        query = "SELECT get_byte(leaf, 1) FROM custody.journal WHERE person_id = $1 ORDER BY n"
        return [kind for (kind,) in await self.us.rows(query, person_id)]

    async def obtained(self, other: Somebody) -> None:
        """What went to the guardian for somebody who uses the cell, and what came back."""
        card = self.keys.card(other.id)
        assert card is not None
        ((n, leaf, ref),) = await self.us.rows(HALF_OF, other.id)
        release = shares.Release(card.handle, n, leaf, await self._proof(ref))
        secret = msgspec.msgpack.decode(await self.way.ask("sg", shares.encode(release)))
        assert self.keys.data_key(other.id, secret)
        kept = shares.Deposited(card.handle, secret, card.label_key)
        self.way.told += [shares.encode(shares.Deposit([kept])), shares.encode(release)]

    async def yesterday(self, victim: UUID) -> None:
        """What went to the guardian for the victim when they last used the cell, a day ago: a true
        entry of theirs, in the log and in their journal."""
        card, owner = self.keys.card(victim), await self.us.owner()
        assert card is not None
        n = await owner.fetchval("SELECT custody.take_number($1)", victim)
        minute, label = int(time.time()) // 60 - DAY_MINUTES - 60, entry.label_of(card.label_key, n)
        made = entry.PersonEntry(entry.Kind.GRANT, entry.Class.SELF, minute, label, bytes(32))
        leaf = made.encode()
        ref = await owner.fetchval("SELECT custody.record($1, $2, $3, $4)", victim, n, leaf, b"")
        release = shares.Release(card.handle, n, leaf, await self._proof(ref))
        self.way.told.append(shares.encode(release))

    async def _proof(self, ref: int) -> str:
        async def placed() -> Any:
            async with self.db.tx() as tx:
                places, notes = await store.shown(tx, [ref], 1)
            if ref in places and int(notes[0].split("\n")[1]) > places[ref]:
                return await self._at(places[ref], notes[0])
            return ""

        return str(await until(placed))

    async def _at(self, index: int, note: str) -> str:
        path = await Archive(self.blobs, "access").path(index, int(note.split("\n")[1]))
        return str(Proof(index, tuple(path), note))

    async def attacker(self, victim: UUID, seed: int) -> Attacker:
        """With all that is there, looked at."""
        made = Attacker(cast(Guarded, self), victim, seed)
        await made.look()
        return made


@contextlib.asynccontextmanager
async def far(us: Cell, sg: Cell, place: Path) -> AsyncIterator[Far]:
    """The key store is a copy: the running broker holds the other one."""
    shutil.copytree(us.settings.keys_dir, place)
    root = open_root(us.settings.key_place["where"], place)
    with contextlib.closing(KeyStore(place, root)) as keys:
        key = SigningKey(Algorithm.ED25519, keys.secret.derived("sign/border"))
        log = keys.secret.derived("ledger/access")
        signer = Signer(f"luciole/{keys.cell_id}/access", KeyKind.ED25519, log)
        db = await Database.open(await us.url(), role="luciole_custody_process", size=2)
        way = FarWay(us, sg, key, keys.cell_id)
        try:
            blobs = Blobs.open(us.settings.blobs_place)
            yield Far(us, sg, keys, db, blobs, signer, way)
        finally:
            await way.close()
            await db.close()
