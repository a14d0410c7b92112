"""SQL of objects: attachments, backups, and what is to be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.messages.model import Stored
from luciole.kit.db import Tx

ANNOUNCE = """
INSERT INTO messages.unclaimed (object_key, since) SELECT unnest($1::text[]), $2
ON CONFLICT (object_key) DO NOTHING
"""
CLAIM = """
DELETE FROM messages.unclaimed WHERE object_key = $1 AND NOT is_doomed RETURNING object_key
"""
ADD_ATTACHMENT = """
INSERT INTO messages.attachment (id, conversation_id, object_key, size_bytes, at)
VALUES ($1, $2, $3, $4, $5)
"""
ATTACHMENT = """
SELECT f.object_key, f.size_bytes FROM messages.attachment f
JOIN messages.member m ON m.conversation_id = f.conversation_id
WHERE f.id = $1 AND m.person_id = $2 AND m.folder <> 'declined'
"""
DROP_ATTACHMENTS_OF = """
DELETE FROM messages.attachment WHERE conversation_id = ANY($1::uuid[]) RETURNING object_key
"""
OLD_ATTACHMENTS = """
DELETE FROM messages.attachment WHERE id IN (
    SELECT id FROM messages.attachment WHERE at < $1 ORDER BY at, id LIMIT $2)
RETURNING object_key
"""
BACKUP = "SELECT object_key, size_bytes FROM messages.backup WHERE person_id = $1"
# The row is gone until the other one stands, so that nobody reads half of one.
DROP_BACKUP = "DELETE FROM messages.backup WHERE person_id = $1 RETURNING object_key"
SET_BACKUP = """
INSERT INTO messages.backup (person_id, object_key, size_bytes, made_on) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET object_key = excluded.object_key,
    size_bytes = excluded.size_bytes, made_on = excluded.made_on
"""
# One sum for each person, from the first file on until the time is over; not which files.
COUNT_SENT = """
INSERT INTO messages.files_sent AS f (person_id, begun_at, size_bytes) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE SET
    begun_at = CASE WHEN f.begun_at <= $4 THEN excluded.begun_at ELSE f.begun_at END,
    size_bytes = CASE WHEN f.begun_at <= $4 THEN excluded.size_bytes
                      ELSE f.size_bytes + excluded.size_bytes END
RETURNING begun_at, size_bytes
"""
TIDY_SENT = "DELETE FROM messages.files_sent WHERE begun_at <= $1"
ERASE_SENT = "DELETE FROM messages.files_sent WHERE person_id = $1"
TAKEN = """
SELECT (SELECT coalesce(sum(size_bytes), 0) FROM messages.attachment)::bigint
     + (SELECT coalesce(sum(size_bytes), 0) FROM messages.backup)::bigint
"""
DOOM = """
UPDATE messages.unclaimed SET is_doomed = true
WHERE object_key IN (
    SELECT object_key FROM messages.unclaimed WHERE is_doomed OR since <= $1
    ORDER BY since, object_key LIMIT $2)
RETURNING object_key
"""
FORGET = "DELETE FROM messages.unclaimed WHERE object_key = ANY($1::text[]) AND is_doomed"


async def announce(tx: Tx, keys: Sequence[str], since: datetime) -> None:
    """Notes objects that no row refers to; those of long ago are to be deleted at once."""
    await tx.execute(ANNOUNCE, list(keys), since)


async def claim(tx: Tx, key: str) -> bool:
    """Takes an object out of those; False where it is being deleted."""
    return await tx.fetchval(CLAIM, key) is not None


async def add_attachment(
    tx: Tx, attachment_id: UUID, conversation_id: UUID, stored: Stored, at: datetime
) -> None:
    await tx.execute(
        ADD_ATTACHMENT, attachment_id, conversation_id, stored.object_key, stored.size_bytes, at
    )


async def attachment(tx: Tx, attachment_id: UUID, person_id: UUID) -> Stored | None:
    """For who is in its conversation."""
    row = await tx.fetchrow(ATTACHMENT, attachment_id, person_id)
    return Stored(**row) if row else None


async def drop_attachments_of(tx: Tx, conversations: Sequence[UUID]) -> list[str]:
    """The keys of their objects."""
    rows = await tx.fetch(DROP_ATTACHMENTS_OF, list(conversations))
    return [row["object_key"] for row in rows]


async def old_attachments(tx: Tx, before: datetime, most: int) -> list[str]:
    """Drops some; gives the keys of their objects."""
    return [row["object_key"] for row in await tx.fetch(OLD_ATTACHMENTS, before, most)]


async def backup(tx: Tx, person_id: UUID) -> Stored | None:
    row = await tx.fetchrow(BACKUP, person_id)
    return Stored(**row) if row else None


async def drop_backup(tx: Tx, person_id: UUID) -> str | None:
    """The key of its object."""
    found: str | None = await tx.fetchval(DROP_BACKUP, person_id)
    return found


async def set_backup(tx: Tx, person_id: UUID, stored: Stored, on: date) -> None:
    await tx.execute(SET_BACKUP, person_id, stored.object_key, stored.size_bytes, on)


async def count_sent(
    tx: Tx, person_id: UUID, size_bytes: int, now: datetime, since: datetime
) -> tuple[datetime, int]:
    """Counts so many bytes more, anew where it was begun at `since` or before: since when it
    counts, and how many there are."""
    row = await tx.fetchrow(COUNT_SENT, person_id, now, size_bytes, since)
    assert row is not None
    return row["begun_at"], row["size_bytes"]


async def tidy_sent(tx: Tx, since: datetime) -> None:
    """Forgets sums that count no more."""
    await tx.execute(TIDY_SENT, since)


async def erase_sent(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE_SENT, person_id)


async def taken(tx: Tx) -> int:
    """Bytes of all files and backups; reads both tables."""
    return int(await tx.fetchval(TAKEN))


async def doom(tx: Tx, before: datetime, most: int) -> list[str]:
    """Some objects that nobody may claim any more."""
    return [row["object_key"] for row in await tx.fetch(DOOM, before, most)]


async def forget(tx: Tx, keys: Sequence[str]) -> None:
    await tx.execute(FORGET, list(keys))
