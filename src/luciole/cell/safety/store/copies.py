"""The SQL of films that others are compared with: of open cases, and those that are removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from luciole.kit.db import Tx

# One after the other looks for twins: of two new cases, each would else become the other's.
HOLD = "SELECT pg_advisory_xact_lock(59, hashtext('duplicates'))"
# Cases that may take in another, with their clips.
OPEN = """
SELECT s.clip_id, r.id FROM safety.review r JOIN safety.subject s ON s.review_id = r.id
WHERE r.state = 'open' AND r.assigned_to IS NULL AND NOT r.is_apart AND s.clip_id IS NOT NULL
ORDER BY r.opened_at, r.id LIMIT $1
"""
CLIPS_OF = """
SELECT clip_id FROM safety.subject WHERE review_id = $1 AND clip_id IS NOT NULL ORDER BY id
"""
REMOVED = """
SELECT clip_id, id FROM safety.decision
WHERE act = 'remove' AND ended_at IS NULL AND clip_id IS NOT NULL
ORDER BY begun_at DESC, id LIMIT $1
"""
ASSETS_OF = """
SELECT c.asset_id FROM safety.subject s JOIN clips.card c ON c.id = s.clip_id
WHERE s.review_id = $1
GROUP BY c.asset_id
"""
STILLS_OF = """
SELECT c.id, h.pdq FROM clips.card c JOIN media.still_hash h ON h.asset_id = c.asset_id
WHERE c.id = ANY ($1::uuid[]) AND h.quality >= $2 ORDER BY c.id, h.at_ms
"""
# Of decisions that a case is pointed to by machines: the films that they removed.
POINTED_TO = """
SELECT d.id, d.clip_id FROM safety.suggestion s JOIN safety.decision d ON d.id = s.decision_id
JOIN clips.card c ON c.id = d.clip_id WHERE s.review_id = $1
"""


class OfClip(NamedTuple):
    """A clip, and the case or decision that stands for it."""

    clip_id: UUID
    id: UUID


async def hold(tx: Tx) -> None:
    await tx.execute(HOLD)


async def open_cases(tx: Tx, most: int) -> list[OfClip]:
    """The clips of cases that nobody has in hand, the oldest first."""
    return [OfClip(*row) for row in await tx.fetch(OPEN, most)]


async def clips_of(tx: Tx, review_id: UUID) -> list[UUID]:
    return [row["clip_id"] for row in await tx.fetch(CLIPS_OF, review_id)]


async def removed(tx: Tx, most: int) -> list[OfClip]:
    """The clips that a decision keeps from view, the newest decision first."""
    return [OfClip(*row) for row in await tx.fetch(REMOVED, most)]


async def assets_of(tx: Tx, review_id: UUID) -> list[UUID]:
    """The films of a case."""
    return [row["asset_id"] for row in await tx.fetch(ASSETS_OF, review_id)]


async def stills_of(tx: Tx, clip_ids: Sequence[UUID], quality: int) -> dict[UUID, bytes]:
    """The hashes of stills that are worth a comparison, of those clips that have some."""
    parts: dict[UUID, list[bytes]] = {}
    for row in await tx.fetch(STILLS_OF, list(clip_ids), quality):
        parts.setdefault(row["id"], []).append(row["pdq"])
    return {clip_id: b"".join(some) for clip_id, some in parts.items()}


async def pointed_to(tx: Tx, review_id: UUID) -> dict[UUID, UUID]:
    """By decision, the removed film that something of this case is like, where it is there."""
    return {row["id"]: row["clip_id"] for row in await tx.fetch(POINTED_TO, review_id)}
