"""SQL of accounts and their handles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from luciole.cell.people.model import Account, AgeBand, Locale, Person
from luciole.kit.db import Tx

CARD_BY_HANDLE = """
SELECT id, handle, display_name, bio, avatar_key, is_private FROM people.card WHERE handle = $1
"""
CARDS_BY_HANDLE = """
SELECT id, handle, display_name, bio, avatar_key, is_private
FROM people.card WHERE handle = ANY($1::text[])
"""
CARDS_BY_ID = """
SELECT id, handle, display_name, bio, avatar_key, is_private
FROM people.card WHERE id = ANY($1::uuid[])
"""
ACCOUNT = """
SELECT p.id, p.handle, p.display_name, p.bio, p.avatar_key, p.locale, p.age_band, p.is_private,
       p.leaving_at,
       EXISTS (SELECT 1 FROM people.password w WHERE w.person_id = p.id) AS has_password,
       cardinality(ARRAY(SELECT 1 FROM people.recovery_code c WHERE c.person_id = p.id))
           AS recovery_codes_left
FROM people.person p WHERE p.id = $1
"""
ADD_PERSON = """
INSERT INTO people.person
    (id, handle, display_name, locale, age_band, is_private, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
"""
ADD_OF_ELSEWHERE = """
INSERT INTO people.person (id, handle, display_name, bio, is_private, created_at, home)
VALUES ($1, $2, $3, $4, false, $5, $6)
ON CONFLICT DO NOTHING
"""
CHANGE_OF_ELSEWHERE = """
UPDATE people.person SET handle = $2, display_name = $3, bio = $4
WHERE id = $1 AND home IS NOT NULL AND (handle, display_name, bio) <> ($2, $3, $4)
"""
HANDLE_OF_ANOTHER = "SELECT EXISTS (SELECT 1 FROM people.person WHERE handle = $2 AND id <> $1)"
# No stronger: rows that refer to the person come and go meanwhile, as a sign-in's session does.
LOCK = "SELECT 1 FROM people.person WHERE id = $1 FOR NO KEY UPDATE"
# Shared, so that many may follow one person at once; a change of the account waits for them.
HOLD = "SELECT is_private FROM people.person WHERE id = $1 FOR SHARE"
# The same with who it is.
HOLD_BY_HANDLE = """
SELECT id, handle, display_name, bio, avatar_key, is_private
FROM people.person WHERE handle = $1 AND leaving_at IS NULL FOR SHARE
"""
# A sign-up and a change of handle touch two tables in different orders; this comes before both.
LOCK_LIKENESS = "SELECT pg_advisory_xact_lock(hashtextextended('people.handle/' || $1::text, 0))"
IS_FREE = "SELECT NOT EXISTS (SELECT 1 FROM people.handle_taken WHERE likeness = $1)"
# An own old handle may be taken again; that of another person, gone or not, never.
TAKE_HANDLE = """
INSERT INTO people.handle_taken AS taken (likeness, person_id) VALUES ($1, $2)
ON CONFLICT (likeness) DO UPDATE SET likeness = excluded.likeness
    WHERE taken.person_id = excluded.person_id
"""
SET_HANDLE = "UPDATE people.person SET handle = $2 WHERE id = $1"
HANDLE_CHANGES_SINCE = """
SELECT changed_at FROM people.handle_change
WHERE person_id = $1 AND changed_at > $2 ORDER BY changed_at
"""
ADD_HANDLE_CHANGE = """
INSERT INTO people.handle_change (id, person_id, changed_at) VALUES ($1, $2, $3)
"""
SET_PROFILE = """
UPDATE people.person SET
    display_name = coalesce($2, display_name),
    bio = coalesce($3, bio),
    locale = coalesce($4, locale),
    is_private = coalesce($5, is_private)
WHERE id = $1
"""
SET_AGE_BAND = "UPDATE people.person SET age_band = $2 WHERE id = $1"
SET_AVATAR = "UPDATE people.person SET avatar_key = $2 WHERE id = $1"
AVATAR_IN_USE = "SELECT EXISTS (SELECT 1 FROM people.person WHERE avatar_key = $1)"
AVATAR_SHOWN = "SELECT EXISTS (SELECT 1 FROM people.card WHERE avatar_key = $1)"
TIDY_HANDLE_CHANGES = "DELETE FROM people.handle_change WHERE changed_at < $1"


async def card_by_handle(tx: Tx, handle: str) -> Person | None:
    row = await tx.fetchrow(CARD_BY_HANDLE, handle)
    return Person(**row) if row else None


async def cards_by_handle(tx: Tx, handles: Sequence[str]) -> dict[str, Person]:
    return {row["handle"]: Person(**row) for row in await tx.fetch(CARDS_BY_HANDLE, list(handles))}


async def cards_by_id(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Person]:
    return {row["id"]: Person(**row) for row in await tx.fetch(CARDS_BY_ID, list(ids))}


async def account(tx: Tx, person_id: UUID) -> Account | None:
    row = await tx.fetchrow(ACCOUNT, person_id)
    return Account(**row) if row else None


async def add_person(
    tx: Tx,
    person_id: UUID,
    handle: str,
    display_name: str,
    locale: Locale,
    age_band: AgeBand,
    is_private: bool,
    now: datetime,
) -> bool:
    """False when the id or the handle is there already."""
    done = await tx.execute(
        ADD_PERSON, person_id, handle, display_name, locale, age_band, is_private, now
    )
    return done.endswith(" 1")


async def put_of_elsewhere(
    tx: Tx, person_id: UUID, handle: str, display_name: str, bio: str, now: datetime, home: str
) -> bool:
    """A person of another cell, new or changed. False where another one has that handle."""
    if await tx.fetchval(HANDLE_OF_ANOTHER, person_id, handle):
        return False
    await tx.execute(ADD_OF_ELSEWHERE, person_id, handle, display_name, bio, now, home)
    await tx.execute(CHANGE_OF_ELSEWHERE, person_id, handle, display_name, bio)
    return True


async def lock(tx: Tx, person_id: UUID) -> None:
    """Makes other changes to the same account wait for the end of this transaction."""
    await tx.execute(LOCK, person_id)


async def hold(tx: Tx, person_id: UUID) -> bool | None:
    """Whether the account is private, which stays so until this transaction ends; None for
    nobody's."""
    is_private: bool | None = await tx.fetchval(HOLD, person_id)
    return is_private


async def hold_by_handle(tx: Tx, handle: str) -> Person | None:
    """Who has a handle, as `card_by_handle`; the account stays as it is until this transaction
    ends."""
    row = await tx.fetchrow(HOLD_BY_HANDLE, handle)
    return Person(**row) if row else None


async def lock_likeness(tx: Tx, likeness: str) -> None:
    """Makes others who want a handle like this one wait for the end of this transaction."""
    await tx.execute(LOCK_LIKENESS, likeness)


async def is_free(tx: Tx, likeness: str) -> bool:
    return bool(await tx.fetchval(IS_FREE, likeness))


async def take_handle(tx: Tx, likeness: str, person_id: UUID) -> bool:
    """False when another person has or had one like it."""
    return (await tx.execute(TAKE_HANDLE, likeness, person_id)).endswith(" 1")


async def set_handle(tx: Tx, person_id: UUID, handle: str) -> None:
    await tx.execute(SET_HANDLE, person_id, handle)


async def handle_changes_since(tx: Tx, person_id: UUID, since: datetime) -> list[datetime]:
    """The times of changes, the oldest first."""
    return [row["changed_at"] for row in await tx.fetch(HANDLE_CHANGES_SINCE, person_id, since)]


async def add_handle_change(tx: Tx, change_id: UUID, person_id: UUID, now: datetime) -> None:
    await tx.execute(ADD_HANDLE_CHANGE, change_id, person_id, now)


async def set_profile(
    tx: Tx,
    person_id: UUID,
    display_name: str | None,
    bio: str | None,
    locale: Locale | None,
    is_private: bool | None,
) -> None:
    """Sets what is not None."""
    await tx.execute(SET_PROFILE, person_id, display_name, bio, locale, is_private)


async def set_age_band(tx: Tx, person_id: UUID, age_band: AgeBand) -> None:
    await tx.execute(SET_AGE_BAND, person_id, age_band)


async def set_avatar(tx: Tx, person_id: UUID, avatar_key: str | None) -> None:
    await tx.execute(SET_AVATAR, person_id, avatar_key)


async def avatar_in_use(tx: Tx, avatar_key: str) -> bool:
    return bool(await tx.fetchval(AVATAR_IN_USE, avatar_key))


async def avatar_shown(tx: Tx, avatar_key: str) -> bool:
    """Whether it is the picture of somebody who is not leaving."""
    return bool(await tx.fetchval(AVATAR_SHOWN, avatar_key))


async def tidy_handle_changes(tx: Tx, before: datetime) -> None:
    await tx.execute(TIDY_HANDLE_CHANGES, before)
