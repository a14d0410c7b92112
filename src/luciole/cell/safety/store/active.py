"""SQL of which months are counted."""

from __future__ import annotations

from datetime import date

from luciole.kit.db import Tx

BEGIN = """
INSERT INTO safety.counted_month (month) VALUES ($1) ON CONFLICT DO NOTHING RETURNING month
"""


async def begin(tx: Tx, first: date) -> bool:
    """Whether a month is not counted yet. It is from now on."""
    return await tx.fetchval(BEGIN, first) is not None
