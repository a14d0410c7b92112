"""SQL of sealed addresses."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.people.model import ContactKind, SealedContact
from luciole.kit.db import Tx

CONTACTS = """
SELECT kind, sealed, version FROM people.contact WHERE person_id = $1 ORDER BY kind
"""
VERSION = "SELECT version FROM people.contact WHERE person_id = $1 AND kind = $2"
SET_CONTACT = """
INSERT INTO people.contact (person_id, kind, sealed, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id, kind) DO UPDATE
    SET sealed = excluded.sealed, version = excluded.version, address_index = NULL
"""
# The first who gave an address is found by it. Of two at once, the lock makes one the first.
LOCK_ADDRESS = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))"
CLAIM_ADDRESS = """
UPDATE people.contact SET address_index = $3 WHERE person_id = $1 AND kind = $2
    AND NOT EXISTS (SELECT 1 FROM people.contact WHERE kind = $2 AND address_index = $3)
"""
DROP_CONTACT = "DELETE FROM people.contact WHERE person_id = $1 AND kind = $2"
PERSON_BY_ADDRESS = "SELECT person_id FROM people.contact WHERE kind = $1 AND address_index = $2"


async def contacts(tx: Tx, person_id: UUID) -> list[SealedContact]:
    return [SealedContact(**row) for row in await tx.fetch(CONTACTS, person_id)]


async def version(tx: Tx, person_id: UUID, kind: ContactKind) -> int:
    """The number of the last write of this address, 0 where there is none."""
    return await tx.fetchval(VERSION, person_id, kind) or 0


async def set_contact(
    tx: Tx, person_id: UUID, kind: ContactKind, sealed: bytes, version: int, index: bytes
) -> None:
    """Stores an address; it becomes findable unless somebody else is found by it already."""
    await tx.execute(SET_CONTACT, person_id, kind, sealed, version)
    await tx.execute(LOCK_ADDRESS, index)
    await tx.execute(CLAIM_ADDRESS, person_id, kind, index)


async def drop_contact(tx: Tx, person_id: UUID, kind: ContactKind) -> bool:
    """False when there is none of this kind."""
    return (await tx.execute(DROP_CONTACT, person_id, kind)).endswith(" 1")


async def person_by_address(tx: Tx, kind: ContactKind, index: bytes) -> UUID | None:
    person_id: UUID | None = await tx.fetchval(PERSON_BY_ADDRESS, kind, index)
    return person_id
