"""Carrying: envelopes from one device to the others, what waits for a device, signals."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from luciole.cell.messages import model
from luciole.cell.messages.model import Device, Envelope, EnvelopeKind
from luciole.cell.messages.store import envelopes as store
from luciole.cell.messages.store import people as people_store
from luciole.cell.notify.service import Notify
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

UNDELIVERED_GRACE = timedelta(minutes=10)


class Post:
    """The postman: knows where things go, and neither what they are nor who sent them."""

    def __init__(self, notify: Notify, clock: Clock) -> None:
        self._notify = notify
        self._clock = clock

    async def lock(self, tx: Tx, devices: Iterable[UUID]) -> None:
        """To be called once, before anything is put, with all devices that get something."""
        await store.lock_devices(tx, devices)

    async def put(
        self,
        tx: Tx,
        conversation_id: UUID,
        kind: EnvelopeKind,
        epoch: int,
        body: bytes,
        devices: Iterable[UUID],
        recall_hash: bytes | None = None,
    ) -> UUID:
        """Puts an envelope into the inboxes of devices; gives its id."""
        envelope_id, at = new_id(), self.now()
        await store.add(tx, envelope_id, conversation_id, kind, epoch, body, recall_hash, at)
        await store.deliver(tx, envelope_id, devices)
        return envelope_id

    async def show(
        self,
        tx: Tx,
        conversation_id: UUID,
        people: Iterable[UUID],
        *,
        by: UUID,
        wakes: Collection[UUID] = (),
    ) -> None:
        """Tells the open pages of people that something waits, and has the devices of some woken;
        not of those who restrict who did it, for whom it waits among the requests. Who did it is
        not said."""
        asked = list(people)
        quiet = await people_store.restricters(tx, by, asked)
        for person_id in sorted(set(asked) - quiet):
            body = {"conversation_id": str(conversation_id)}
            await self._notify.show(tx, "message", to=person_id, body=body)
            if person_id in wakes:
                await self._notify.wake(tx, person_id, is_message=True)

    async def signal(
        self, tx: Tx, conversation_id: UUID, device: Device, sealed: bytes, people: Iterable[UUID]
    ) -> None:
        """Shows a sealed signal on the open pages of those people who take marks."""
        body = {
            "conversation_id": str(conversation_id),
            "device_id": str(device.id),
            "body": base64.b64encode(sealed).decode(),
        }
        for person_id in sorted(await people_store.takes_marks(tx, list(people))):
            await self._notify.show(tx, "signal", to=person_id, body=body)

    async def inbox(self, tx: Tx, device: Device, limit: int) -> list[Envelope]:
        """What waits for a device, the oldest first; it stays until it is acknowledged."""
        return await store.inbox(tx, device.id, device.person_id, limit, model.MAX_INBOX_BYTES)

    async def ack(self, tx: Tx, device: Device, up_to: int) -> None:
        """Forgets what a device has got, up to a number."""
        await store.ack(tx, device.id, up_to)

    async def recall(self, tx: Tx, conversation_id: UUID, envelope_id: UUID, token: bytes) -> None:
        """Takes an envelope out of the inboxes where it still waits. Whoever has the token may;
        whether there was one is not said."""
        digest = hashlib.sha256(token).digest()
        await store.recall(tx, envelope_id, conversation_id, digest)

    def now(self) -> datetime:
        """The time to the second, which is all that envelopes keep of it."""
        return self._clock.now().replace(microsecond=0)

    async def tidy(self, tx: Tx) -> None:
        """Forgets what nobody waits for, and what nobody has fetched for too long."""
        now = self._clock.now()
        await store.tidy(tx, now - timedelta(days=model.KEPT_DAYS), now - UNDELIVERED_GRACE)
