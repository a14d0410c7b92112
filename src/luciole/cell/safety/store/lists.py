"""The SQL of block lists, and of the stills that are compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.safety.model import BlockList, Found
from luciole.kit.db import Tx

# Two who load or remove one name at the same moment do it one after the other.
HOLD = "SELECT pg_advisory_xact_lock(44, hashtext('lists'))"
ADD = """
INSERT INTO safety.list
    (id, name, version, source, category, near_bits, size, digest, hashes, loaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
LOADED = """
SELECT id, name, version, source, category, near_bits, size, digest, loaded_at, checked_at
FROM safety.list WHERE removed_at IS NULL ORDER BY name
"""
HASHES = "SELECT hashes FROM safety.list WHERE id = $1 AND removed_at IS NULL"
REMOVE = """
UPDATE safety.list SET removed_at = $2, hashes = '' WHERE id = $1 AND removed_at IS NULL
"""
UNCHECKED = """
SELECT id, checked_to FROM safety.list WHERE removed_at IS NULL AND checked_at IS NULL ORDER BY id
"""
CHECKED_TO = """
SELECT checked_to FROM safety.list
WHERE id = $1 AND removed_at IS NULL AND checked_at IS NULL FOR UPDATE
"""
SET_CHECKED = "UPDATE safety.list SET checked_to = $2, checked_at = $3 WHERE id = $1"
# In the order of films, so that a batch ends between two of them.
STILLS_AFTER = """
SELECT asset_id, at_ms, pdq FROM media.still_hash
WHERE asset_id > $1 AND quality >= $2 ORDER BY asset_id, at_ms LIMIT $3
"""
STILLS_OF = """
SELECT asset_id, at_ms, pdq FROM media.still_hash
WHERE asset_id = $1 AND quality >= $2 ORDER BY at_ms
"""
# What only its maker sees is nobody's business; what is removed for everybody needs no second look.
CLIPS = """
SELECT c.id, c.author_id FROM clips.card c
WHERE c.asset_id = ANY ($1::uuid[]) AND c.state <> 'refused' AND c.audience <> 'only-me'
  AND NOT EXISTS (
      SELECT 1 FROM safety.decision d
      WHERE d.clip_id = c.id AND d.act = 'remove' AND d.ended_at IS NULL
        AND d.details -> 'countries' ? '*')
"""


class Still(NamedTuple):
    """A hashed still of a film."""

    asset_id: UUID
    at_ms: int
    pdq: bytes


async def hold(tx: Tx) -> None:
    await tx.execute(HOLD)


async def add(tx: Tx, one: BlockList, hashes: bytes) -> None:
    await tx.execute(
        ADD,
        one.id,
        one.name,
        one.version,
        one.source,
        one.category,
        one.near_bits,
        one.size,
        one.digest,
        hashes,
        one.loaded_at,
    )


async def loaded(tx: Tx) -> list[BlockList]:
    """The lists that point, by name."""
    return [BlockList(*row) for row in await tx.fetch(LOADED)]


async def hashes(tx: Tx, list_id: UUID) -> bytes | None:
    found: bytes | None = await tx.fetchval(HASHES, list_id)
    return found


async def remove(tx: Tx, list_id: UUID, now: datetime) -> None:
    await tx.execute(REMOVE, list_id, now)


async def unchecked(tx: Tx) -> list[tuple[UUID, UUID]]:
    """Lists with which old clips are still to be compared, and after which film that goes on."""
    return [(row["id"], row["checked_to"]) for row in await tx.fetch(UNCHECKED)]


async def checked_to(tx: Tx, list_id: UUID) -> UUID | None:
    """Up to which film a list is compared, locked; None where it is with all, or is removed."""
    found: UUID | None = await tx.fetchval(CHECKED_TO, list_id)
    return found


async def set_checked(tx: Tx, list_id: UUID, to: UUID, at: datetime | None) -> None:
    await tx.execute(SET_CHECKED, list_id, to, at)


async def stills_after(tx: Tx, after: UUID, quality: int, most: int) -> list[Still]:
    return [Still(*row) for row in await tx.fetch(STILLS_AFTER, after, quality, most)]


async def stills_of(tx: Tx, asset_id: UUID, quality: int) -> list[Still]:
    return [Still(*row) for row in await tx.fetch(STILLS_OF, asset_id, quality)]


async def clips(tx: Tx, asset_ids: Sequence[UUID]) -> list[Found]:
    """The clips of films that others may see."""
    rows = await tx.fetch(CLIPS, list(asset_ids))
    return [Found("clip", row["author_id"], clip_id=row["id"]) for row in rows]
