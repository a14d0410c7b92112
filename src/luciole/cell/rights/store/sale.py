"""SQL of the sale of this cell, as everybody may know of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from luciole.kit.db import Tx

NEWEST = """
SELECT state, operator, jurisdiction, announced_at, not_before, ended_at
FROM house.sale_notice ORDER BY announced_at DESC LIMIT 1
"""


class Notice(msgspec.Struct, frozen=True):
    """To whom the cell is to go and not before when, or since when it has its operator of today."""

    state: str
    operator: str
    jurisdiction: str
    announced_at: datetime
    not_before: datetime
    ended_at: datetime | None


async def newest(tx: Tx) -> Notice | None:
    """The newest of this cell; None where nothing was ever announced."""
    row = await tx.fetchrow(NEWEST)
    return Notice(**dict(row)) if row else None
