"""SQL of how many people were here in a month."""

from __future__ import annotations

from datetime import date

from luciole.kit.db import Tx

ACTIVE = "SELECT at_least, at_most FROM people.active($1)"
TIDY = "DELETE FROM people.session_over WHERE month < $1"


async def in_month(tx: Tx, first: date) -> tuple[int, int]:
    row = await tx.fetchrow(ACTIVE, first)
    assert row is not None
    return row["at_least"], row["at_most"]


async def tidy(tx: Tx, before: date) -> None:
    await tx.execute(TIDY, before)
