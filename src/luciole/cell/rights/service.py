"""The front door of rights."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.rights.model import (
    EXPORT_KEPT,
    MAX_EXPORTS,
    Export,
    ExportNotReady,
    ExportUnderWay,
    NoSuchExport,
    TooManyExports,
)
from luciole.cell.rights.store import exports
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue


class Rights:
    """What people ask about their data. How an export is made is in `export`, how one is brought
    along in `imports`, what the log has in `journal`."""

    def __init__(self, clock: Clock, queue: Queue) -> None:
        self._clock = clock
        self._queue = queue

    # --- exports -------------------------------------------------------------------------------

    async def start_export(self, tx: Tx, person_id: UUID) -> UUID:
        """Queues an export of everything. Raises ExportUnderWay, TooManyExports."""
        export_id, now = new_id(), self._clock.now()
        if len(await exports.of_person(tx, person_id, now)) >= MAX_EXPORTS:
            raise TooManyExports
        if not await exports.add(tx, export_id, person_id, now, now + EXPORT_KEPT):
            raise ExportUnderWay
        await self.put_export(tx, export_id)
        return export_id

    async def put_export(self, tx: Tx, export_id: UUID) -> None:
        """Queues the work on an export, unless it waits or runs already."""
        body, key = {"export_id": str(export_id)}, f"rights.export/{export_id}"
        await self._queue.put(tx, "rights.archive", body, priority=0, once=key)

    async def exports(self, tx: Tx, person_id: UUID) -> list[Export]:
        """The person's exports that can still be had, the newest first."""
        return await exports.of_person(tx, person_id, self._clock.now())

    async def export(self, tx: Tx, person_id: UUID, export_id: UUID) -> Export:
        """One of the person's own. Raises NoSuchExport."""
        found = await exports.one(tx, export_id)
        if found is None or found.person_id != person_id or found.expires_at <= self._clock.now():
            raise NoSuchExport
        return found

    async def ready_export(self, tx: Tx, person_id: UUID, export_id: UUID) -> Export:
        """One that can be taken along. Raises NoSuchExport, ExportNotReady."""
        found = await self.export(tx, person_id, export_id)
        if found.state != "ready":
            raise ExportNotReady
        return found

    async def drop_export(self, tx: Tx, person_id: UUID, export_id: UUID) -> None:
        """Forgets an export, and what is made of it. Raises NoSuchExport."""
        if not await exports.drop(tx, export_id, person_id):
            raise NoSuchExport
        body = {"export_id": str(export_id)}
        await self._queue.put(tx, "rights.forget-export", body)
