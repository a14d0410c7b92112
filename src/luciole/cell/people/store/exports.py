"""SQL of what a person takes along: their account and what belongs to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

ACCOUNT = """
SELECT id, handle, display_name, bio, avatar_key, locale, age_band, is_private, created_at,
       leaving_at
FROM people.person WHERE id = $1
"""
HANDLES = "SELECT likeness FROM people.handle_taken WHERE person_id = $1 ORDER BY likeness"
HANDLE_CHANGES = """
SELECT id, changed_at FROM people.handle_change WHERE person_id = $1 ORDER BY changed_at, id
"""
CONTACTS = """
SELECT kind, version, sealed FROM people.contact WHERE person_id = $1 ORDER BY kind
"""
SESSIONS = """
SELECT label, created_at, proved_at, last_seen_on, expires_at FROM people.session
WHERE person_id = $1 ORDER BY created_at, id
"""
PASSKEYS = """
SELECT name, created_at, last_used_on, former_host FROM people.passkey
WHERE person_id = $1 ORDER BY created_at, id
"""


def account(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(ACCOUNT, person_id))


def handles(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(HANDLES, person_id))


def handle_changes(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(HANDLE_CHANGES, person_id))


def contacts(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(CONTACTS, person_id))


def sessions(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(SESSIONS, person_id))


def passkeys(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(PASSKEYS, person_id))
