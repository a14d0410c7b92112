"""What feed stores: nothing."""

from __future__ import annotations

from uuid import UUID

from luciole.kit.catalogue import Held, Owned, Removed
from luciole.kit.db import Tx
from luciole.kit.exported import Exported

HELD: tuple[Held, ...] = ()
EXPORT: tuple[Exported, ...] = ()
NOT_EXPORTED: dict[str, str] = {}
OWNED: tuple[Owned, ...] = ()


async def erase(_tx: Tx, _person_id: UUID) -> Removed:
    """Nothing to do: feeds are read from what others hold."""
    return Removed()
