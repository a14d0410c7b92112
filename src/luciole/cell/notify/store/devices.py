"""Devices that are to be woken, and what is offered to the border for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from luciole.cell.notify.model import Device, WokenFor
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import new_id

# A device that had another session, and a session that had another address.
DROP_FORMER = """
DELETE FROM notify.push WHERE session_id = $1 OR endpoint_index = $2 RETURNING id
"""
ADD_DEVICE = """
INSERT INTO notify.push (id, person_id, session_id, endpoint_index, sealed, offset_minutes)
VALUES ($1, $2, $3, $4, $5, $6)
"""
DROP_DEVICE = "DELETE FROM notify.push WHERE session_id = $1 RETURNING id"
DROP_DEVICES = "DELETE FROM notify.push WHERE id = ANY ($1::uuid[])"
DEVICE_OF_SESSION = "SELECT offset_minutes, woken_for FROM notify.push WHERE session_id = $1"
DEVICES = """
SELECT id, sealed, offset_minutes, woken_for, woken_at FROM notify.push
WHERE person_id = $1 ORDER BY id
"""
MOVE_CLOCK = """
UPDATE notify.push SET offset_minutes = $2 WHERE session_id = $1 AND offset_minutes <> $2
"""
WOKEN = """
UPDATE notify.push SET woken_for = $2, woken_at = $3 WHERE id = ANY ($1::uuid[])
"""
LOOKED = """
UPDATE notify.push SET woken_at = NULL WHERE person_id = $1 AND woken_at IS NOT NULL
"""
NUDGE = """
INSERT INTO notify.nudge AS n (person_id, is_message, due_at)
SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM notify.push d WHERE d.person_id = $1)
ON CONFLICT (person_id) DO UPDATE SET is_message = n.is_message OR excluded.is_message,
    due_at = least(n.due_at, excluded.due_at)
"""
TAKE_NUDGE = "DELETE FROM notify.nudge WHERE person_id = $1 RETURNING is_message"
DUE_NUDGES = "SELECT person_id FROM notify.nudge WHERE due_at <= $1 ORDER BY due_at LIMIT $2"
OFFER = "SELECT border.put('push', $1, $2, NULL, $3)"
WITHDRAW_OFFERS = "SELECT border.withdraw($1::uuid[])"
DROP_GONE = "DELETE FROM notify.push WHERE id IN (SELECT border.take_gone())"
ERASE_DEVICES = "DELETE FROM notify.push WHERE person_id = $1 RETURNING id"
ERASE_NUDGE = "DELETE FROM notify.nudge WHERE person_id = $1"
EXPORT_DEVICES = """
SELECT id, sealed, offset_minutes, woken_for, woken_at FROM notify.push
WHERE person_id = $1 ORDER BY id
"""


async def add(
    tx: Tx,
    device_id: UUID,
    person_id: UUID,
    session_id: UUID,
    index: bytes,
    sealed: bytes,
    offset_minutes: int,
) -> None:
    """In place of what this session and this device had before."""
    former = await tx.fetch(DROP_FORMER, session_id, index)
    await _withdraw(tx, [row["id"] for row in former])
    await tx.execute(ADD_DEVICE, device_id, person_id, session_id, index, sealed, offset_minutes)


async def drop_of_session(tx: Tx, session_id: UUID) -> None:
    await _withdraw(tx, [row["id"] for row in await tx.fetch(DROP_DEVICE, session_id)])


async def drop(tx: Tx, ids: Sequence[UUID]) -> None:
    if ids:
        await tx.execute(DROP_DEVICES, list(ids))
        await _withdraw(tx, ids)


async def drop_gone(tx: Tx) -> int:
    """Removes devices of which their push services know no more; gives how many."""
    return int((await tx.execute(DROP_GONE)).rpartition(" ")[2])


async def of_session(tx: Tx, session_id: UUID) -> tuple[int, WokenFor | None] | None:
    """The clock of the session's device, and what it was woken for last."""
    row = await tx.fetchrow(DEVICE_OF_SESSION, session_id)
    return (row["offset_minutes"], row["woken_for"]) if row else None


async def of_person(tx: Tx, person_id: UUID) -> list[Device]:
    return [Device(*row) for row in await tx.fetch(DEVICES, person_id)]


async def move_clock(tx: Tx, session_id: UUID, offset_minutes: int) -> None:
    await tx.execute(MOVE_CLOCK, session_id, offset_minutes)


async def nudge(tx: Tx, person_id: UUID, is_message: bool, due_at: datetime) -> bool:
    """Has a person's devices woken at `due_at`; False where there is none."""
    return (await tx.execute(NUDGE, person_id, is_message, due_at)).endswith(" 1")


async def take_nudge(tx: Tx, person_id: UUID) -> bool | None:
    """Whether it is for a message; None where there is nothing to wake for."""
    row = await tx.fetchrow(TAKE_NUDGE, person_id)
    return row["is_message"] if row else None


async def due_nudges(tx: Tx, now: datetime, most: int) -> list[UUID]:
    return [row["person_id"] for row in await tx.fetch(DUE_NUDGES, now, most)]


async def offer(tx: Tx, device_id: UUID, body: bytes) -> None:
    """Hands a push to the gateway, in place of one that still waits for this device."""
    await tx.execute(OFFER, device_id, new_id(), body)


async def woken(tx: Tx, ids: Sequence[UUID], why: WokenFor, now: datetime) -> None:
    await tx.execute(WOKEN, list(ids), why, now)


async def looked(tx: Tx, person_id: UUID) -> None:
    """The person has seen what is new: the next news wake at once."""
    await tx.execute(LOOKED, person_id)


async def erase(tx: Tx, person_id: UUID) -> int:
    """Removes a person's devices; gives how many."""
    ids = [row["id"] for row in await tx.fetch(ERASE_DEVICES, person_id)]
    await tx.execute(ERASE_NUDGE, person_id)
    await _withdraw(tx, ids)
    return len(ids)


def export_devices(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_DEVICES, person_id))


async def _withdraw(tx: Tx, ids: Sequence[UUID]) -> None:
    """A device that is not woken any more is not woken by what waits, either."""
    if ids:
        await tx.execute(WITHDRAW_OFFERS, list(ids))
