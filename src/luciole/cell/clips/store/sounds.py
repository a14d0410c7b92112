"""SQL of sounds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.clips.sounds_model import Sound, UsePlace
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

# Where the clip has a sound of its own, none that was borrowed, and none of a clip that it is made
# from. Safe to repeat.
GIVE = """
INSERT INTO clips.sound (id, clip_id, owner_id, is_reusable)
SELECT $2, c.id, c.author_id, c.lets_reuse
FROM clips.clip c JOIN media.playable m ON m.asset_id = c.asset_id
WHERE c.asset_id = $1 AND c.sound_id IS NULL AND m.has_audio AND m.sound_mode IS NULL
  AND NOT EXISTS (SELECT 1 FROM clips.made_from f WHERE f.clip_id = c.id)
ON CONFLICT (clip_id) DO NOTHING
"""
GIVEN = """
UPDATE clips.clip c SET sound_id = s.id FROM clips.sound s
WHERE s.clip_id = c.id AND c.asset_id = $1 AND c.sound_id IS NULL
"""
SOUNDS = """
SELECT id, clip_id, asset_id, owner_id, name, is_reusable, uses, made_at, handle, display_name,
       avatar_key,
       is_open
       AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = sounds.clip_id)
       AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = sounds.owner_id)
           AS is_open
FROM clips.sounds WHERE id = ANY($1::uuid[])
"""
LOCK = "SELECT id FROM clips.sound WHERE id = $1 FOR UPDATE"
CHANGE = "UPDATE clips.sound SET name = $2, is_reusable = $3 WHERE id = $1"
# The same list for everybody; whoever may not see one of them does not get that one.
USES = """
SELECT id, published_at FROM clips.clip
WHERE sound_id = $1 AND state = 'published' AND audience = 'everyone' AND audience_list IS NULL
  AND (published_at, id) < ($2, $3)
ORDER BY published_at DESC, id DESC LIMIT $4
"""
EXPORT_SOUNDS = """
SELECT id, clip_id, name, is_reusable, uses, made_at FROM clips.sound
WHERE owner_id = $1 ORDER BY made_at, id
"""


async def give(tx: Tx, asset_id: UUID, sound_id: UUID) -> None:
    """Gives the clip of a film its original sound, where it has one."""
    await tx.execute(GIVE, asset_id, sound_id)
    await tx.execute(GIVEN, asset_id)


async def sounds(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Sound]:
    return {row["id"]: Sound(*row) for row in await tx.fetch(SOUNDS, list(ids))}


async def lock(tx: Tx, sound_id: UUID) -> None:
    await tx.execute(LOCK, sound_id)


async def change(tx: Tx, sound_id: UUID, name: str, is_reusable: bool) -> None:
    await tx.execute(CHANGE, sound_id, name, is_reusable)


async def uses(
    tx: Tx, sound_id: UUID, place: UsePlace | None, limit: int
) -> list[tuple[UUID, datetime]]:
    top = (datetime.max.replace(tzinfo=UTC), LAST_ID)
    published_at, clip_id = (place.published_at, place.id) if place else top
    rows = await tx.fetch(USES, sound_id, published_at, clip_id, limit)
    return [(row["id"], row["published_at"]) for row in rows]


def export_sounds(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_SOUNDS, person_id))
