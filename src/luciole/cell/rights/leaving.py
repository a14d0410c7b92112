"""Leaving: asking to be erased, thinking it over, and asking afterwards what was done."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from luciole.cell.people.service import People
from luciole.cell.rights.journal import Journal
from luciole.cell.rights.model import (
    GRACE,
    TICKET_BYTES,
    Erasure,
    ErasureBegun,
    NoSuchErasure,
    NotLeaving,
)
from luciole.cell.rights.store import erasures
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue

DUE_AT_ONCE = 100


class Leaving:
    """What a person, or who holds a ticket, may ask about an erasure. `erasing` does it."""

    def __init__(self, people: People, journal: Journal, clock: Clock, queue: Queue) -> None:
        self._people = people
        self._journal = journal
        self._clock = clock
        self._queue = queue

    async def ask(self, tx: Tx, person_id: UUID, *, now: bool) -> tuple[str, Erasure]:
        """Hides the account at once and has it erased after the grace, or with `now` as soon as a
        worker comes to it. Gives the ticket, of which only the hash is kept. Asking again replaces
        ticket and day. Raises ErasureBegun."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        asked_at = self._clock.now()
        due_at = asked_at if now else asked_at + GRACE
        # The erasure first, then the account: the worker takes them in this order too.
        erasure_id = await erasures.ask(tx, new_id(), _hash(ticket), person_id, asked_at, due_at)
        if erasure_id is None:
            raise ErasureBegun
        await self._people.leave(tx, person_id, due_at)
        if now:
            await self._put(tx, erasure_id)
        return ticket, Erasure(erasure_id, person_id, "waiting", asked_at, due_at, None, {}, None)

    async def keep(self, tx: Tx, person_id: UUID) -> None:
        """Takes it back: the account is as it was. Raises NotLeaving."""
        if not await erasures.take_back(tx, person_id):
            raise NotLeaving
        await self._people.leave(tx, person_id, None)

    async def of_person(self, tx: Tx, person_id: UUID) -> Erasure:
        """Raises NotLeaving."""
        found = await erasures.of_person(tx, person_id)
        if found is None:
            raise NotLeaving
        return found

    async def by_ticket(self, tx: Tx, ticket: str) -> Erasure:
        """Raises NoSuchErasure."""
        found = await erasures.by_ticket(tx, _hash(ticket))
        if found is None:
            raise NoSuchErasure
        return found

    async def receipt(self, tx: Tx, erasure: Erasure) -> str | None:
        """The tlog-proof of the entry about an erasure, as soon as there is one."""
        if erasure.entry is None:
            return None
        index = await erasures.placed(tx, erasure.entry.ref)
        return None if index is None else await self._journal.receipt_at(index)

    async def put_due(self, tx: Tx) -> None:
        """Queues the erasures whose day has come, and those that were cut off or gave up."""
        now: datetime = self._clock.now()
        for erasure_id in await erasures.due(tx, now, DUE_AT_ONCE):
            await self._put(tx, erasure_id)

    async def _put(self, tx: Tx, erasure_id: UUID) -> None:
        body = {"erasure_id": str(erasure_id)}
        await self._queue.put(tx, "rights.erase", body, priority=0, once=f"erase/{erasure_id}")


def _hash(ticket: str) -> bytes:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
