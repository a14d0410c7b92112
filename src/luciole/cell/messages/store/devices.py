"""SQL of devices, of what the log says about them, and of their key packages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.messages.model import Act, Claimed, Device, LogEntry
from luciole.kit.db import Tx

LOCK_PERSON = "SELECT pg_advisory_xact_lock(hashtextextended('messages.device/' || $1::text, 0))"
ADD = """
INSERT INTO messages.device (id, person_id, signature_key, name, made_at, seen_on)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (signature_key) DO NOTHING RETURNING id
"""
OF_PERSON = """
SELECT id, person_id, signature_key, name, made_at, seen_on, revoked_at
FROM messages.device WHERE person_id = $1 ORDER BY made_at, id
"""
BY_ID = """
SELECT id, person_id, signature_key, name, made_at, seen_on, revoked_at
FROM messages.device WHERE id = ANY($1::uuid[]) ORDER BY id
"""
REVOKE = """
UPDATE messages.device SET revoked_at = $3, name = 'removed'
WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL RETURNING id
"""
SEE = "UPDATE messages.device SET seen_on = $2 WHERE id = $1 AND seen_on < $2"
DROP_PACKAGES = "DELETE FROM messages.key_package WHERE device_id = $1"
DROP_SEATS = "DELETE FROM messages.seat WHERE device_id = $1"
DROP_DELIVERIES = "DELETE FROM messages.delivery WHERE device_id = $1"
ADD_ENTRY = """
INSERT INTO messages.device_entry (device_id, act, n, leaf, nonce, opening)
VALUES ($1, $2, $3, $4, $5, $6)
"""
ENTRIES = """
SELECT e.device_id, e.act, e.n, e.leaf, e.nonce, e.opening, p.idx AS index
FROM messages.device d
JOIN messages.device_entry e ON e.device_id = d.id
LEFT JOIN custody.entry_ref r ON r.person_id = d.person_id AND r.n = e.n
LEFT JOIN ledger.placed p ON p.ref = r.ref
WHERE d.person_id = $1 ORDER BY e.n
"""
PACKAGES_LEFT = """
SELECT id FROM messages.key_package
WHERE device_id = $1 AND NOT is_last_resort AND expires_at > $2 ORDER BY id LIMIT $3
"""
ADD_PACKAGE = """
INSERT INTO messages.key_package (id, device_id, is_last_resort, package, expires_at)
VALUES ($1, $2, false, $3, $4)
"""
SET_LAST_RESORT = """
INSERT INTO messages.key_package (id, device_id, is_last_resort, package, expires_at)
VALUES ($1, $2, true, $3, $4)
ON CONFLICT (device_id) WHERE is_last_resort
DO UPDATE SET package = excluded.package, expires_at = excluded.expires_at
"""
# Who claims at the same moment takes another one.
TAKE_PACKAGE = """
DELETE FROM messages.key_package WHERE id = (
    SELECT id FROM messages.key_package
    WHERE device_id = $1 AND NOT is_last_resort AND expires_at > $2
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING package
"""
LAST_RESORT = """
SELECT package FROM messages.key_package
WHERE device_id = $1 AND is_last_resort AND expires_at > $2
"""
TIDY_PACKAGES = "DELETE FROM messages.key_package WHERE expires_at <= $1"
TIDY_REVOKED = "DELETE FROM messages.device WHERE revoked_at < $1"


async def lock_person(tx: Tx, person_id: UUID) -> None:
    """Others who add a device of the person wait until this transaction ends."""
    await tx.execute(LOCK_PERSON, str(person_id))


async def add(tx: Tx, device: Device) -> bool:
    """False where some device has that key."""
    added = await tx.fetchval(
        ADD,
        device.id,
        device.person_id,
        device.signature_key,
        device.name,
        device.made_at,
        device.seen_on,
    )
    return added is not None


async def of_person(tx: Tx, person_id: UUID) -> list[Device]:
    """Also those that were revoked."""
    return [Device(**row) for row in await tx.fetch(OF_PERSON, person_id)]


async def by_id(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Device]:
    """Also those that were revoked; ids of no device are missing."""
    return {row["id"]: Device(**row) for row in await tx.fetch(BY_ID, list(ids))}


async def revoke(tx: Tx, device_id: UUID, person_id: UUID, now: datetime) -> bool:
    """With all that waits for it. False where there is no such device any more."""
    if await tx.fetchval(REVOKE, device_id, person_id, now) is None:
        return False
    await tx.execute(DROP_PACKAGES, device_id)
    await tx.execute(DROP_SEATS, device_id)
    await tx.execute(DROP_DELIVERIES, device_id)
    return True


async def see(tx: Tx, device_id: UUID, on: date) -> None:
    await tx.execute(SEE, device_id, on)


async def add_entry(
    tx: Tx, device_id: UUID, act: Act, n: int, leaf: bytes, nonce: bytes, opening: bytes
) -> None:
    await tx.execute(ADD_ENTRY, device_id, act, n, leaf, nonce, opening)


async def entries(tx: Tx, person_id: UUID) -> list[LogEntry]:
    """What the log says of the person's devices, the oldest first."""
    return [LogEntry(**row) for row in await tx.fetch(ENTRIES, person_id)]


async def packages_left(tx: Tx, device_id: UUID, now: datetime, most: int) -> int:
    return len(await tx.fetch(PACKAGES_LEFT, device_id, now, most))


async def add_packages(
    tx: Tx, device_id: UUID, packages: Sequence[tuple[UUID, bytes, datetime]]
) -> None:
    """Each with an id and the time at which it ends."""
    await tx.executemany(
        ADD_PACKAGE, [(made_id, device_id, package, end) for made_id, package, end in packages]
    )


async def set_last_resort(
    tx: Tx, made_id: UUID, device_id: UUID, package: bytes, end: datetime
) -> None:
    await tx.execute(SET_LAST_RESORT, made_id, device_id, package, end)


async def take_package(tx: Tx, device: Device, now: datetime) -> Claimed | None:
    """One that nobody else gets; else the one of last resort; None where there is neither."""
    package = await tx.fetchval(TAKE_PACKAGE, device.id, now)
    if package is None:
        package = await tx.fetchval(LAST_RESORT, device.id, now)
    return None if package is None else Claimed(device.id, device.person_id, package)


async def tidy(tx: Tx, now: datetime, revoked_before: datetime) -> None:
    await tx.execute(TIDY_PACKAGES, now)
    await tx.execute(TIDY_REVOKED, revoked_before)
