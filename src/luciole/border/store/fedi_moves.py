"""SQL of people who moved, as far as the wider Fediverse may be told."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from luciole.border.store.fediverse import Terms
from luciole.kit.db import Tx

OF = """
SELECT moved_to, came_from FROM border.public_move
WHERE id = $1 AND (operator, jurisdiction) = ($2, $3)
"""
TELL = """
INSERT INTO border.fedi_moved (author, to_uri) VALUES ($1, $2)
ON CONFLICT (author) DO UPDATE SET to_uri = excluded.to_uri, told_at = now()
"""
FORGET = "DELETE FROM border.fedi_moved WHERE author = $1"
# Who has gone somewhere of which followers were not told yet.
UNTOLD = """
SELECT m.id FROM border.public_move m LEFT JOIN border.fedi_moved t ON t.author = m.id
WHERE m.moved_to IS NOT NULL AND t.to_uri IS DISTINCT FROM m.moved_to
  AND (m.operator, m.jurisdiction) = ($1, $2)
  AND (t.told_at IS NULL OR t.told_at < now() - make_interval(days => $3))
ORDER BY m.id LIMIT $4
"""


class Moves(NamedTuple):
    """Where somebody who is shown went, and where they came from."""

    moved_to: str | None = None
    came_from: tuple[str, ...] = ()


async def of(tx: Tx, author: UUID, terms: Terms) -> Moves:
    row = await tx.fetchrow(OF, author, *terms)
    return Moves(row["moved_to"], tuple(row["came_from"])) if row else Moves()


async def untold(tx: Tx, terms: Terms, apart_days: int, most: int) -> list[UUID]:
    """Who has moved and whose followers are to be told; nobody twice within so many days."""
    return [row["id"] for row in await tx.fetch(UNTOLD, *terms, apart_days, most)]


async def tell(tx: Tx, author: UUID, to_uri: str) -> None:
    """Their followers are told of it."""
    await tx.execute(TELL, author, to_uri)


async def forget(tx: Tx, author: UUID) -> None:
    """They are shown no more."""
    await tx.execute(FORGET, author)
