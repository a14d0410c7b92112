"""The SQL of what people choose about conversation, and of whom they may want to mention."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from luciole.cell.clips.comments.model import Choices, Rule
from luciole.cell.clips.model import WhoMay
from luciole.kit.db import Tx

RULE = """
SELECT coalesce(c.comments_by, p.comments_by) AS comments_by, p.filter_words,
       EXISTS (SELECT 1 FROM graph.restricted r
               WHERE r.person_id = c.author_id AND r.other_id = $2) AS is_restricted
FROM clips.clip c JOIN clips.person p ON p.person_id = c.author_id
WHERE c.id = $1
"""
CHOICES = """
SELECT comments_by, mentions_by, filter_words FROM clips.preference WHERE person_id = $1
"""
CHOOSE = """
INSERT INTO clips.preference (person_id, comments_by, mentions_by, filter_words)
VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET comments_by = $2, mentions_by = $3, filter_words = $4
"""
DEFAULTS = "SELECT comments_by, mentions_by FROM clips.person WHERE person_id = $1"
# Whom a person may want to mention: whom they follow, and who has spoken under the clip.
SUGGESTED = """
SELECT p.handle, p.display_name, p.avatar_key
FROM clips.person p
WHERE (p.handle LIKE $2 OR lower(p.display_name) LIKE $2) AND p.person_id <> $1
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = p.person_id)
  AND (p.person_id IN (SELECT f.followee_id FROM graph.accepted f WHERE f.follower_id = $1)
       OR p.person_id IN (SELECT c.writer_id FROM clips.comments_for($1) c WHERE c.clip_id = $3))
ORDER BY p.handle LIMIT $4
"""


class Suggested(NamedTuple):
    """Somebody to mention."""

    handle: str
    display_name: str
    avatar_key: str | None


async def rule(tx: Tx, clip_id: UUID, person_id: UUID | None) -> Rule:
    """The clip exists: its caller has seen it."""
    row = await tx.fetchrow(RULE, clip_id, person_id)
    return Rule(*row) if row else Rule("nobody", [], False)


async def choices(tx: Tx, person_id: UUID) -> Choices:
    row = await tx.fetchrow(CHOICES, person_id)
    return Choices(*row) if row else Choices(None, None, [])


async def choose(tx: Tx, person_id: UUID, chosen: Choices) -> None:
    await tx.execute(CHOOSE, person_id, chosen.comments_by, chosen.mentions_by, chosen.filter_words)


async def holding(tx: Tx, person_id: UUID) -> tuple[WhoMay, WhoMay]:
    """Who may comment on and who may mention a person, chosen or by age."""
    row = await tx.fetchrow(DEFAULTS, person_id)
    return (row["comments_by"], row["mentions_by"]) if row else ("nobody", "nobody")


async def suggested(
    tx: Tx, person_id: UUID, pattern: str, clip_id: UUID | None, limit: int
) -> list[Suggested]:
    rows = await tx.fetch(SUGGESTED, person_id, pattern, clip_id, limit)
    return [Suggested(*row) for row in rows]
