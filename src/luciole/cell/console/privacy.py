"""What the console stores: of the staff at work, and figures of the cell."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.console import store
from luciole.cell.console.model import ACTS_KEPT_DAYS, SHIFT_KEPT_DAYS
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported

HELD: tuple[Held, ...] = (
    *columns(
        "console.shift",
        "id session_id person_id role staff_id asked_at ends_at",
        DataClass.PERSONAL,
        "who of the staff is at work at the console, as what, on which device",
        f"{SHIFT_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "console.act",
        "id at staff_id role act what",
        DataClass.TELEMETRY,
        "what the staff looked at and did at the console, by their random ids",
        f"{ACTS_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "console.day",
        "day acts sha256",
        DataClass.TELEMETRY,
        "a digest over each day of acts, which the log has too",
        f"{ACTS_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "console.figure",
        "name value counted_at",
        DataClass.TELEMETRY,
        "how many there are of what, for the operator",
        "until they are counted anew, after five minutes",
        Border.NEVER,
    ),
)
OWNED: tuple[Owned, ...] = (
    Owned("console.shift", stays="the staff begin again after a restore"),
    Owned("console.act"),
    Owned("console.day"),
    Owned("console.figure", stays="they are counted anew"),
)
EXPORT: tuple[Exported, ...] = ()
NOT_EXPORTED = {
    f"console.shift.{name}": f"of one of the staff at work, for {SHIFT_KEPT_DAYS} days"
    for name in ("id", "session_id", "person_id", "role", "staff_id", "asked_at", "ends_at")
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes shifts of the person; what they did stays under a random id."""
    count = await store.erase(tx, person_id)
    return Removed({"shifts": count} if count else {})
