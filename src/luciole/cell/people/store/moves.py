"""SQL of where people have gone: their address in another cell, which they gave themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

PUT = """
INSERT INTO people.moved (person_id, address, moved_at, is_shown) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET address = excluded.address, moved_at = excluded.moved_at,
    is_shown = excluded.is_shown
"""
DROP = "DELETE FROM people.moved WHERE person_id = $1"
OF = "SELECT address, is_shown FROM people.moved WHERE person_id = $1"
EXPORTED = "SELECT address, moved_at, is_shown FROM people.moved WHERE person_id = $1"


async def put(tx: Tx, person_id: UUID, address: str, now: datetime, *, is_shown: bool) -> None:
    """Notes where somebody is from now on."""
    await tx.execute(PUT, person_id, address, now, is_shown)


async def drop(tx: Tx, person_id: UUID) -> None:
    """They are here after all."""
    await tx.execute(DROP, person_id)


async def of(tx: Tx, person_id: UUID) -> tuple[str, bool] | None:
    """Where somebody has gone, and whether others are shown that; None for who is here."""
    row: Row | None = await tx.fetchrow(OF, person_id)
    return (str(row["address"]), row["is_shown"]) if row else None


def exported(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    """For the person's export."""
    return listed(tx.cursor(EXPORTED, person_id))
