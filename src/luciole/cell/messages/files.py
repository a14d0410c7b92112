"""Attachments and backups: sealed on devices, kept as objects."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from luciole.cell.messages import model, refusals
from luciole.cell.messages.model import Stored
from luciole.cell.messages.store import files as store
from luciole.config import MessagesSettings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.errors import Unavailable
from luciole.kit.ids import new_id, new_token

AT_ONCE = 200
# All files are added up at most so often: a large table takes a while.
TAKEN_EVERY = timedelta(minutes=1)
# As long as a file is kept.
COUNTED_FOR = timedelta(days=model.KEPT_DAYS)


class Files:
    """Objects of messages. Each is announced, written, and then claimed by a row, so that a kill
    between the steps leaves nothing that `due` does not find."""

    def __init__(self, settings: MessagesSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._taken = (clock.now() - 2 * TAKEN_EVERY, 0)

    async def require_room(self, tx: Tx, size_bytes: int) -> None:
        """Raises MessagesFull where so much more would be too much for the cell."""
        if not self._settings.cell_bytes:
            return
        now, (at, taken) = self._clock.now(), self._taken
        if now - at >= TAKEN_EVERY:
            at, taken = now, await store.taken(tx)
        is_full = taken + size_bytes > self._settings.cell_bytes
        # What this process lets in counts at once; what others do, within the minute.
        self._taken = at, taken if is_full else taken + size_bytes
        if is_full:
            raise refusals.MessagesFull

    async def announce_attachment(self, tx: Tx, person_id: UUID, size_bytes: int) -> str:
        """The key of an object that will be an attachment; commit before it is written. The bytes
        count for who sends it. Raises FilesOfTheMonth."""
        most, now = self._settings.person_bytes, self._clock.now()
        if most:
            begun_at, sent = await store.count_sent(
                tx, person_id, size_bytes, now, now - COUNTED_FOR
            )
            if sent > most:
                wait = begun_at + COUNTED_FOR - now
                raise refusals.FilesOfTheMonth(retry_after_s=max(1, int(wait.total_seconds()) + 1))
        key = f"attachments/{new_token()}"
        await store.announce(tx, [key], self._clock.now())
        return key

    async def announce_backup(self, tx: Tx) -> str:
        """The same of a backup."""
        key = f"histories/{new_token()}"
        await store.announce(tx, [key], self._clock.now())
        return key

    async def attach(self, tx: Tx, conversation_id: UUID, stored: Stored) -> UUID:
        """Keeps a written object as an attachment; gives its id."""
        await self._claim(tx, stored)
        attachment_id, at = new_id(), self._clock.now().replace(microsecond=0)
        await store.add_attachment(tx, attachment_id, conversation_id, stored, at)
        return attachment_id

    async def attachment(self, tx: Tx, person_id: UUID, attachment_id: UUID) -> Stored:
        """Raises NoSuchAttachment."""
        found = await store.attachment(tx, attachment_id, person_id)
        if found is None:
            raise refusals.NoSuchAttachment
        return found

    async def set_backup(self, tx: Tx, person_id: UUID, stored: Stored) -> None:
        """Keeps a written object as the person's backup, in place of the former one."""
        await self._claim(tx, stored)
        await self._forget_backup(tx, person_id)
        await store.set_backup(tx, person_id, stored, self._clock.now().date())

    async def backup(self, tx: Tx, person_id: UUID) -> Stored:
        """Raises NoBackup."""
        found = await store.backup(tx, person_id)
        if found is None:
            raise refusals.NoBackup
        return found

    async def drop_backup(self, tx: Tx, person_id: UUID) -> None:
        """Raises NoBackup."""
        if not await self._forget_backup(tx, person_id):
            raise refusals.NoBackup

    async def _forget_backup(self, tx: Tx, person_id: UUID) -> bool:
        former = await store.drop_backup(tx, person_id)
        if former is not None:
            await store.announce(tx, [former], model.LONG_AGO)
        return former is not None

    async def _claim(self, tx: Tx, stored: Stored) -> None:
        # It took longer than any upload should, and is being deleted.
        if not await store.claim(tx, stored.object_key):
            raise Unavailable(retry_after_s=1)

    async def due(self, tx: Tx) -> list[str]:
        """Objects to delete now, some of them; `forget` them afterwards."""
        now = self._clock.now()
        await store.tidy_sent(tx, now - COUNTED_FOR)
        old = await store.old_attachments(tx, now - timedelta(days=model.KEPT_DAYS), AT_ONCE)
        await store.announce(tx, old, model.LONG_AGO)
        return await store.doom(tx, now - timedelta(hours=model.OBJECT_GRACE_HOURS), AT_ONCE)

    async def forget(self, tx: Tx, keys: list[str]) -> None:
        await store.forget(tx, keys)
