"""Showing that an address is one's own: a code is sent there, and typed here.

The code leaves through the gateway, to the one service that the operator has set up for that
(`border.wire.Code`). Here stays a keyed hash of it, for ten minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from uuid import UUID

from luciole.ask.gateway import PeerRefused, PeerUnreachable
from luciole.border.wire import Code
from luciole.cell.contacts import store
from luciole.cell.contacts.halves import Outside
from luciole.cell.contacts.model import (
    CODE_AGAIN_S,
    CODE_DIGITS,
    CODE_MINUTES,
    CODE_TRIES,
    CODES_PER_DAY,
    CodeNotSent,
    CodesTooOften,
    Kind,
    NoAddress,
    NoCodes,
)
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx


class Codes:
    """Sends and takes codes. `kinds`: what the cell's service can send to."""

    def __init__(
        self, secret: bytes, kinds: frozenset[str], cell: str, outside: Outside, clock: Clock
    ) -> None:
        self._outside = outside
        self._key = hmac.digest(secret, b"luciole/contacts/codes/v1", hashlib.sha256)
        self.kinds, self._cell, self._clock = kinds, cell, clock

    async def draw(
        self, tx: Tx, person_id: UUID, kind: Kind, address: str, index: bytes, locale: str
    ) -> Code:
        """A code for an address of the person, to be sent once `tx` has ended. `index`: by what the
        address is known again. Raises NoCodes, NoAddress, CodesTooOften."""
        if kind not in self.kinds:
            raise NoCodes
        now = self._clock.now()
        version = await store.version(tx, person_id, kind)
        if version is None:
            raise NoAddress
        former = await store.waiting(tx, person_id, kind, now)
        if former is not None and former.age_s < CODE_AGAIN_S:
            raise CodesTooOften(retry_after_s=CODE_AGAIN_S - former.age_s)
        if await store.count_sent(tx, person_id, now.date()) > CODES_PER_DAY:
            raise CodesTooOften(retry_after_s=24 * 3600)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        hashed = self._hash(person_id, kind, version, code)
        await store.set_waiting(tx, person_id, kind, version, hashed, now, index)
        return Code(kind, address, code, self._cell, locale, CODE_MINUTES)

    async def send(self, db: Database, person_id: UUID, code: Code) -> None:
        """Sends it, through the gateway. Where it does not leave, another may be drawn at once.
        Raises CodeNotSent."""
        try:
            await self._outside.send_code(code)
        except (PeerUnreachable, PeerRefused) as error:
            async with db.tx() as tx:
                await store.drop_waiting(tx, person_id, code.channel)
            raise CodeNotSent from error

    async def take(self, tx: Tx, person_id: UUID, kind: Kind, typed: str) -> bool:
        """Whether this is the code; the address is verified then, and no more with whoever has
        shown it before. Each try counts, so commit whatever it says."""
        now = self._clock.now()
        waiting = await store.take_try(tx, person_id, kind, now)
        if waiting is None or waiting.tries > CODE_TRIES or waiting.age_s > CODE_MINUTES * 60:
            return False
        hashed = self._hash(person_id, kind, waiting.version, "".join(typed.split()))
        if not hmac.compare_digest(hashed, waiting.code_hash):
            return False
        if await store.version(tx, person_id, kind) != waiting.version:
            return False
        await store.drop_waiting(tx, person_id, kind)
        await store.set_verified(
            tx, person_id, kind, waiting.version, now.date(), waiting.address_index
        )
        return True

    def _hash(self, person_id: UUID, kind: Kind, version: int, code: str) -> bytes:
        told = f"{person_id}\0{kind}\0{version}\0{code}".encode()
        return hmac.digest(self._key, told, hashlib.sha256)
