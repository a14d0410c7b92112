"""The front door of rights."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.rights.model import EXPORT_KEPT, Export, ExportUnderWay
from luciole.cell.rights.store import exports
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue


class Rights:
    """What people ask about their data."""

    def __init__(self, clock: Clock, queue: Queue) -> None:
        self._clock = clock
        self._queue = queue

    async def start_export(self, tx: Tx, person_id: UUID) -> UUID:
        """Queues an export of everything. Raises ExportUnderWay."""
        export_id, now = new_id(), self._clock.now()
        if not await exports.add(tx, export_id, person_id, now, now + EXPORT_KEPT):
            raise ExportUnderWay
        await self._queue.put(tx, "rights.export", {"export_id": str(export_id)}, priority=0)
        return export_id

    async def exports(self, tx: Tx, person_id: UUID) -> list[Export]:
        """The person's exports that can still be had, the newest first."""
        return await exports.of_person(tx, person_id, self._clock.now())
