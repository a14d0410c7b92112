"""The SQL of mentions."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.mentions.model import Mentioned
from luciole.kit.db import Tx

MENTIONED = """
SELECT p.person_id, p.handle
FROM clips.person p
WHERE p.handle = ANY($2::text[]) AND p.person_id <> $1 AND p.home IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM clips.person w WHERE w.person_id = $1 AND w.home IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = p.person_id AND x.b = $1)
  AND CASE p.mentions_by
      WHEN 'everyone' THEN true
      WHEN 'followers' THEN EXISTS (
          SELECT 1 FROM graph.accepted f WHERE f.follower_id = $1 AND f.followee_id = p.person_id)
      WHEN 'friends' THEN EXISTS (
          SELECT 1 FROM graph.friends f WHERE f.a = $1 AND f.b = p.person_id)
      ELSE false
  END
"""
# Of a comment that everybody may see.
WRITER = "SELECT writer_id FROM clips.comment WHERE id = $1 AND held_for IS NULL"


async def mentioned(tx: Tx, writer_id: UUID, handles: list[str]) -> dict[str, Mentioned]:
    """Those of the handles whose owners let this writer mention them."""
    rows = await tx.fetch(MENTIONED, writer_id, handles)
    return {row["handle"]: Mentioned(row["person_id"], row["handle"]) for row in rows}


async def writer(tx: Tx, comment_id: UUID) -> UUID | None:
    """Who wrote a comment that does not wait."""
    found: UUID | None = await tx.fetchval(WRITER, comment_id)
    return found
