"""Bringing an export along: its upload, and what became of it. The work is in `imports.taking`.

Pieces arrive in their order, whole: what a broken connection left of a piece is sent again. Each is
sealed before it is stored, because an export holds what nobody but its owner should read.
"""

from __future__ import annotations

from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.clips.service import Clips
from luciole.cell.media.model import WrongOffset
from luciole.cell.media.service import Room
from luciole.cell.rights.export.pieces import Lending, SealedFile
from luciole.cell.rights.model import (
    IMPORT_FIELD,
    PIECE_BYTES,
    UPLOAD_KEPT,
    Import,
    ImportTooLarge,
    ImportUnderWay,
    NoSuchImport,
    NotFresh,
)
from luciole.cell.rights.store import imports
from luciole.config import Settings
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue


class Imports:
    """What people ask about their imports."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        custody: Custody,
        clips: Clips,
        settings: Settings,
        clock: Clock,
        queue: Queue,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._custody = custody
        self._clips = clips
        self._most_bytes = settings.rights.max_import_bytes
        self._room = Room(settings)
        self._clock = clock
        self._queue = queue

    @property
    def most_bytes(self) -> int:
        """The largest archive that the cell takes."""
        return self._most_bytes

    async def begin(self, tx: Tx, person_id: UUID, size_bytes: int) -> Import:
        """Opens an upload of that size. Raises ImportTooLarge, DiskFull, NotFresh,
        ImportUnderWay."""
        if size_bytes > self.most_bytes:
            raise ImportTooLarge
        self._room.require(size_bytes)
        if await self._clips.has_any(tx, person_id):
            raise NotFresh
        import_id, now = new_id(), self._clock.now()
        if not await imports.add(tx, import_id, person_id, size_bytes, now, now + UPLOAD_KEPT):
            raise ImportUnderWay
        return await self.one(tx, person_id, import_id)

    async def one(self, tx: Tx, person_id: UUID, import_id: UUID) -> Import:
        """One of the person's own. Raises NoSuchImport."""
        found = await imports.one(tx, import_id)
        if found is None or found.person_id != person_id or found.expires_at <= self._clock.now():
            raise NoSuchImport
        return found

    async def of(self, tx: Tx, person_id: UUID) -> list[Import]:
        """The person's imports, the newest first."""
        return await imports.of_person(tx, person_id, self._clock.now())

    async def accept(self, lending: Lending, import_: Import, offset: int, piece: bytes) -> int:
        """Seals and stores a piece, and gives the new offset. The last one queues the work. Raises
        WrongOffset where another writer was faster."""
        sealed = SealedFile(self._blobs, self._custody, import_.prefix, IMPORT_FIELD)
        # Of two writers at one place, the one who moves the offset may find the other's piece
        # under it. They bring the same file, or their own import is refused for its hash.
        await sealed.put(lending, offset // PIECE_BYTES, piece)
        now = self._clock.now()
        async with self._db.tx() as tx:
            moved = await imports.move_offset(
                tx, import_.id, offset, len(piece), now, now + UPLOAD_KEPT
            )
            if moved is None:
                raise WrongOffset
            reached, is_whole = moved
            if is_whole:
                await self.put(tx, import_.id)
        return reached

    async def put(self, tx: Tx, import_id: UUID) -> None:
        """Queues the work on an import, unless it waits or runs already."""
        body, key = {"import_id": str(import_id)}, f"rights.import/{import_id}"
        await self._queue.put(tx, "rights.archive", body, priority=0, once=key)

    async def drop(self, tx: Tx, person_id: UUID, import_id: UUID) -> None:
        """Forgets an import; what it has put into the account stays. Raises NoSuchImport."""
        if not await imports.drop(tx, import_id, person_id):
            raise NoSuchImport
        await self._queue.put(tx, "rights.forget-import", {"import_id": str(import_id)})
