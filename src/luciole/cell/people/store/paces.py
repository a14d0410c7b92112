"""SQL of how often somebody did something of late; counted in `sessions.LIVE_COUNTED`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

TIDY = "DELETE FROM people.pace WHERE begun_at < $1"
ERASE = "DELETE FROM people.pace WHERE person_id = $1"


async def tidy(tx: Tx, before: datetime) -> None:
    """Forgets what counts no more."""
    await tx.execute(TIDY, before)


async def erase(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE, person_id)
