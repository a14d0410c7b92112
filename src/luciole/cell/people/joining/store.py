"""SQL of joining."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from luciole.cell.people.joining.model import Invitation, Mode, Request
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

MODE = "SELECT mode FROM people.registration"
# Others may still read it. A row's own lock is not enough: there may be none.
LOCK_MODE = "LOCK TABLE people.registration IN SHARE ROW EXCLUSIVE MODE"
SET_MODE = """
INSERT INTO people.registration (mode, changed_at) VALUES ($1, $2)
ON CONFLICT (one) DO UPDATE SET mode = excluded.mode, changed_at = excluded.changed_at
"""
DROP_MODE = "DELETE FROM people.registration"
ADD_INVITATION = """
INSERT INTO people.invitation (id, code_hash, note, uses_left, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
INVITATIONS = """
SELECT id, note, uses_left, made_at, expires_at FROM people.invitation ORDER BY made_at, id
"""
DROP_INVITATION = "DELETE FROM people.invitation WHERE id = $1"
INVITATION_GOOD = """
SELECT EXISTS (SELECT 1 FROM people.invitation
               WHERE code_hash = $1 AND uses_left > 0 AND expires_at > $2)
    OR EXISTS (SELECT 1 FROM people.request WHERE ticket_hash = $1 AND state = 'approved')
"""
USE_INVITATION = """
UPDATE people.invitation SET uses_left = uses_left - 1
WHERE code_hash = $1 AND uses_left > 0 AND expires_at > $2
"""
USE_TICKET = "DELETE FROM people.request WHERE ticket_hash = $1 AND state = 'approved'"
ADD_REQUEST = """
INSERT INTO people.request (id, ticket_hash, name, words, made_at) VALUES ($1, $2, $3, $4, $5)
"""
REQUEST = """
SELECT id, name, words, made_at, state, reason FROM people.request WHERE ticket_hash = $1
"""
REQUESTS = """
SELECT id, name, words, made_at, state, reason FROM people.request
WHERE state = 'waiting' ORDER BY made_at, id LIMIT $1
"""
DECIDE = """
UPDATE people.request SET state = $2, reason = $3, decided_at = $4
WHERE id = $1 AND state = 'waiting'
"""
SPEND = """
INSERT INTO people.spent_work (mark, spent_at) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
# Bounded: from where on it is so many that the work does not grow any more.
SPENT_SINCE = """
SELECT cardinality(ARRAY(
    SELECT 1 FROM people.spent_work WHERE spent_at > $1 ORDER BY spent_at LIMIT $2
))
"""
KEEP_TERMS = """
INSERT INTO people.terms (version, said, first_shown_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
AGREE = """
INSERT INTO people.agreement (person_id, version, agreed_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""
HAS_AGREED = """
SELECT EXISTS (SELECT 1 FROM people.agreement WHERE person_id = $1 AND version = $2)
"""
AGREEMENTS = """
SELECT a.version, a.agreed_at, t.said
FROM people.agreement a JOIN people.terms t ON t.version = a.version
WHERE a.person_id = $1 ORDER BY a.agreed_at, a.version
"""
DROP_AGREEMENTS = "DELETE FROM people.agreement WHERE person_id = $1"
TIDY_INVITATIONS = "DELETE FROM people.invitation WHERE expires_at < $1 OR uses_left = 0"
TIDY_REQUESTS = "DELETE FROM people.request WHERE coalesce(decided_at, made_at) < $1"
TIDY_WORK = "DELETE FROM people.spent_work WHERE spent_at < $1"


async def mode(tx: Tx) -> Mode | None:
    """What the operator has chosen; None: as the setting says."""
    found: Mode | None = await tx.fetchval(MODE)
    return found


async def lock_mode(tx: Tx) -> None:
    """Whoever else changes the mode waits for the end of this transaction."""
    await tx.execute(LOCK_MODE)


async def set_mode(tx: Tx, chosen: Mode | None, now: datetime) -> None:
    if chosen is None:
        await tx.execute(DROP_MODE)
    else:
        await tx.execute(SET_MODE, chosen, now)


async def add_invitation(tx: Tx, made: Invitation, code_hash: bytes) -> None:
    await tx.execute(
        ADD_INVITATION,
        made.id,
        code_hash,
        made.note,
        made.uses_left,
        made.made_at,
        made.expires_at,
    )


async def invitations(tx: Tx) -> list[Invitation]:
    return [Invitation(**row) for row in await tx.fetch(INVITATIONS)]


async def drop_invitation(tx: Tx, invitation_id: UUID) -> bool:
    return _did(await tx.execute(DROP_INVITATION, invitation_id))


async def is_good(tx: Tx, code_hash: bytes, now: datetime) -> bool:
    """Whether somebody could join with it now."""
    found: bool = await tx.fetchval(INVITATION_GOOD, code_hash, now)
    return found


async def use(tx: Tx, code_hash: bytes, now: datetime) -> bool:
    """Takes one use of an invitation, or an approved ticket. False where there is none."""
    return _did(await tx.execute(USE_INVITATION, code_hash, now)) or _did(
        await tx.execute(USE_TICKET, code_hash)
    )


async def add_request(
    tx: Tx, request_id: UUID, ticket_hash: bytes, name: str, words: str, now: datetime
) -> None:
    await tx.execute(ADD_REQUEST, request_id, ticket_hash, name, words, now)


async def request(tx: Tx, ticket_hash: bytes) -> Request | None:
    row = await tx.fetchrow(REQUEST, ticket_hash)
    return Request(**row) if row else None


async def waiting(tx: Tx, limit: int) -> list[Request]:
    return [Request(**row) for row in await tx.fetch(REQUESTS, limit)]


async def decide(tx: Tx, request_id: UUID, state: str, reason: str, now: datetime) -> bool:
    return _did(await tx.execute(DECIDE, request_id, state, reason, now))


async def spend(tx: Tx, mark: bytes, now: datetime) -> bool:
    """False where that work was used already."""
    return _did(await tx.execute(SPEND, mark, now))


async def spent_since(tx: Tx, since: datetime, limit: int) -> int:
    """How often work was used since then; `limit` for that many or more."""
    found: int = await tx.fetchval(SPENT_SINCE, since, limit)
    return found


async def keep_terms(tx: Tx, version: str, said: str, now: datetime) -> None:
    await tx.execute(KEEP_TERMS, version, said, now)


async def agree(tx: Tx, person_id: UUID, version: str, now: datetime) -> None:
    await tx.execute(AGREE, person_id, version, now)


async def has_agreed(tx: Tx, person_id: UUID, version: str) -> bool:
    found: bool = await tx.fetchval(HAS_AGREED, person_id, version)
    return found


def agreements(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(AGREEMENTS, person_id))


async def drop_agreements(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_AGREEMENTS, person_id)


async def tidy(tx: Tx, now: datetime, request_since: datetime, work_since: datetime) -> None:
    await tx.execute(TIDY_INVITATIONS, now)
    await tx.execute(TIDY_REQUESTS, request_since)
    await tx.execute(TIDY_WORK, work_since)


def _did(tag: str) -> bool:
    return tag.endswith(" 1")
