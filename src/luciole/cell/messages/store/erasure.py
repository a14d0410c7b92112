"""SQL of an erasure. Each step takes some of what is left."""

from __future__ import annotations

from uuid import UUID

from luciole.kit.db import Tx

PAIRS = """
UPDATE messages.conversation SET is_over = true, low_id = NULL, high_id = NULL
WHERE kind = 'pair' AND id IN (
    SELECT conversation_id FROM messages.member WHERE person_id = $1
    ORDER BY conversation_id LIMIT $2)
RETURNING id
"""
# Their files were for the two of them.
PAIR_FILES = """
DELETE FROM messages.attachment WHERE conversation_id = ANY($1::uuid[]) RETURNING object_key
"""
MEMBERS = """
DELETE FROM messages.member WHERE person_id = $1 AND conversation_id IN (
    SELECT conversation_id FROM messages.member WHERE person_id = $1
    ORDER BY conversation_id LIMIT $2)
RETURNING conversation_id
"""
ALONE_FILES = """
DELETE FROM messages.attachment f WHERE f.conversation_id = ANY($1::uuid[])
    AND NOT EXISTS (SELECT 1 FROM messages.member m WHERE m.conversation_id = f.conversation_id)
RETURNING f.object_key
"""
ALONE = """
DELETE FROM messages.conversation c WHERE c.id = ANY($1::uuid[])
    AND NOT EXISTS (SELECT 1 FROM messages.member m WHERE m.conversation_id = c.id)
"""
DEVICES = "DELETE FROM messages.device WHERE person_id = $1 RETURNING id"
SETTING = "DELETE FROM messages.setting WHERE person_id = $1"
BACKUP = "DELETE FROM messages.backup WHERE person_id = $1 RETURNING object_key"
REPORTS = """
DELETE FROM messages.report WHERE id IN (
    SELECT id FROM messages.report WHERE reporter_id = $1 OR about_id = $1
    ORDER BY id LIMIT $2)
RETURNING id
"""


async def erase_places(tx: Tx, person_id: UUID, most: int) -> tuple[int, list[str]]:
    """Takes the person out of some conversations, and ends those of two; gives how many, and the
    keys of objects that go."""
    pairs = [row["id"] for row in await tx.fetch(PAIRS, person_id, most)]
    keys = [row["object_key"] for row in await tx.fetch(PAIR_FILES, pairs)]
    left = [row["conversation_id"] for row in await tx.fetch(MEMBERS, person_id, most)]
    keys += [row["object_key"] for row in await tx.fetch(ALONE_FILES, left)]
    await tx.execute(ALONE, left)
    return len(left), keys


async def erase_devices(tx: Tx, person_id: UUID) -> int:
    return len(await tx.fetch(DEVICES, person_id))


async def erase_setting(tx: Tx, person_id: UUID) -> None:
    await tx.execute(SETTING, person_id)


async def erase_backup(tx: Tx, person_id: UUID) -> str | None:
    """The key of its object."""
    found: str | None = await tx.fetchval(BACKUP, person_id)
    return found


async def erase_reports(tx: Tx, person_id: UUID, most: int) -> int:
    """Of the person, and about the person."""
    return len(await tx.fetch(REPORTS, person_id, most))
