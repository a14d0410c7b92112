"""SQL that takes an account away: its ways in, its addresses, the account itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

SET_LEAVING = "UPDATE people.person SET leaving_at = $2 WHERE id = $1"
# From here on no row can be added that refers to the person: adding takes a share of this lock.
LOCK_OUT_ALL = "SELECT 1 FROM people.person WHERE id = $1 FOR UPDATE"
AVATAR = "SELECT avatar_key FROM people.person WHERE id = $1"
END_SESSIONS = "DELETE FROM people.session WHERE person_id = $1"
DROP_HASH = "DELETE FROM people.password WHERE person_id = $1"
DROP_PASSKEYS = "DELETE FROM people.passkey WHERE person_id = $1"
DROP_CODES = "DELETE FROM people.recovery_code WHERE person_id = $1"
DROP_CHALLENGES = "DELETE FROM people.challenge WHERE subject_id = $1"
DROP_CONTACTS = "DELETE FROM people.contact WHERE person_id = $1"
DROP_HANDLE_CHANGES = "DELETE FROM people.handle_change WHERE person_id = $1"
# What is left of the handle is what it looks like, without a person.
DROP_PERSON = "DELETE FROM people.person WHERE id = $1"


async def set_leaving(tx: Tx, person_id: UUID, leaving_at: datetime | None) -> None:
    await tx.execute(SET_LEAVING, person_id, leaving_at)


async def lock_out_all(tx: Tx, person_id: UUID) -> bool:
    """Waits for every act that refers to the person, and lets none begin until this transaction
    ends. False where there is no such person any more."""
    return await tx.fetchrow(LOCK_OUT_ALL, person_id) is not None


async def avatar(tx: Tx, person_id: UUID) -> str | None:
    key: str | None = await tx.fetchval(AVATAR, person_id)
    return key


async def drop_ways_in(tx: Tx, person_id: UUID) -> dict[str, int]:
    """Signs the person out everywhere, for good; gives how many of what there was."""
    await tx.execute(DROP_HASH, person_id)
    await tx.execute(DROP_CODES, person_id)
    await tx.execute(DROP_CHALLENGES, person_id)
    return {
        "sessions": _count(await tx.execute(END_SESSIONS, person_id)),
        "passkeys": _count(await tx.execute(DROP_PASSKEYS, person_id)),
    }


async def drop_contacts(tx: Tx, person_id: UUID) -> int:
    return _count(await tx.execute(DROP_CONTACTS, person_id))


async def drop_handle_changes(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_HANDLE_CHANGES, person_id)


async def drop_person(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_PERSON, person_id)


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
