"""SQL of clips that are made from others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from luciole.cell.clips.quotes_model import How, Quotable
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

LOCK = "SELECT id FROM clips.clip WHERE id = $1 FOR SHARE"
QUOTABLE = "SELECT clip_id, author_id, asset_id, lets_quote FROM clips.quotable WHERE clip_id = $1"
ADD = "INSERT INTO clips.made_from (clip_id, first_id, how) VALUES ($1, $2, $3)"
SET_LETS = "UPDATE clips.clip SET lets_quote = $2 WHERE id = $1"
IS_MADE = "SELECT EXISTS (SELECT 1 FROM clips.made_from WHERE clip_id = $1)"
MADE_FROM = """
SELECT clip_id, how, first_id FROM clips.made_from
WHERE clip_id = ANY($1::uuid[]) AND first_id IS NOT NULL
"""
QUOTABLE_AMONG = """
SELECT clip_id FROM clips.quotable
WHERE clip_id = ANY($2::uuid[]) AND (lets_quote OR author_id = $1)
"""
# Made from a clip that is not for everybody any more, or whose author does not let it any more, or
# from whom the other one is kept apart. One that is deleted has gone from its row by itself.
LAPSED = """
SELECT m.clip_id, c.asset_id
FROM clips.made_from m JOIN clips.clip c ON c.id = m.clip_id
WHERE m.first_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM clips.quotable q
    WHERE q.clip_id = m.first_id AND (q.lets_quote OR q.author_id = c.author_id)
      AND NOT EXISTS (
          SELECT 1 FROM graph.apart x WHERE x.a = q.author_id AND x.b = c.author_id))
ORDER BY m.clip_id LIMIT $1
"""
LET_GO = "UPDATE clips.made_from SET first_id = NULL WHERE clip_id = $1"
PREFERS = "SELECT lets_quote FROM clips.preference WHERE person_id = $1"
PREFER = """
INSERT INTO clips.preference (person_id, lets_quote) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET lets_quote = $2
"""
LETS = "SELECT lets_quote FROM clips.clip WHERE id = $1"
EXPORT_MADE_FROM = """
SELECT m.clip_id, m.first_id, m.how, m.made_at
FROM clips.made_from m JOIN clips.clip c ON c.id = m.clip_id
WHERE c.author_id = $1 ORDER BY m.made_at, m.clip_id
"""


async def quotable(tx: Tx, clip_id: UUID) -> Quotable | None:
    """A clip that is there for everybody and its author's alone; it stays until the transaction
    ends."""
    await tx.execute(LOCK, clip_id)
    row = await tx.fetchrow(QUOTABLE, clip_id)
    return Quotable(*row) if row else None


async def add(tx: Tx, clip_id: UUID, first_id: UUID, how: How) -> None:
    await tx.execute(ADD, clip_id, first_id, how)


async def set_lets(tx: Tx, clip_id: UUID, lets: bool | None) -> None:
    await tx.execute(SET_LETS, clip_id, lets)


async def lets(tx: Tx, clip_id: UUID) -> bool | None:
    found: bool | None = await tx.fetchval(LETS, clip_id)
    return found


async def is_made(tx: Tx, clip_id: UUID) -> bool:
    """Whether a clip is made from another, or was before that one went."""
    return await tx.fetchval(IS_MADE, clip_id) is True


async def made_from(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, tuple[How, UUID]]:
    """How those of the clips are made that are made from others, and from which."""
    return {
        row["clip_id"]: (row["how"], row["first_id"])
        for row in await tx.fetch(MADE_FROM, list(ids))
    }


async def quotable_among(tx: Tx, viewer_id: UUID, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the clips that the viewer may quote, as far as their authors decide that."""
    rows = await tx.fetch(QUOTABLE_AMONG, viewer_id, list(ids))
    return frozenset(row["clip_id"] for row in rows)


async def lapsed(tx: Tx, most: int) -> list[tuple[UUID, UUID]]:
    """Clips, with their films, that must not show what they are made from any more."""
    return [(row["clip_id"], row["asset_id"]) for row in await tx.fetch(LAPSED, most)]


async def let_go(tx: Tx, clip_id: UUID) -> None:
    await tx.execute(LET_GO, clip_id)


async def prefers(tx: Tx, person_id: UUID) -> bool:
    found: bool | None = await tx.fetchval(PREFERS, person_id)
    return True if found is None else found


async def prefer(tx: Tx, person_id: UUID, lets: bool) -> None:
    await tx.execute(PREFER, person_id, lets)


def export_made_from(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_MADE_FROM, person_id))
