"""SQL of what a person takes along: who they talk with, and their devices. What they say is sealed
to the devices and opaque here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

DEVICES = """
SELECT id, signature_key, name, made_at, seen_on, revoked_at, next_n
FROM messages.device WHERE person_id = $1 ORDER BY made_at, id
"""
ENTRIES = """
SELECT e.device_id, e.act, e.n, e.leaf, e.nonce, e.opening
FROM messages.device d JOIN messages.device_entry e ON e.device_id = d.id
WHERE d.person_id = $1 ORDER BY e.n
"""
KEY_PACKAGES = """
SELECT k.id, k.device_id, k.is_last_resort, k.package, k.expires_at
FROM messages.device d JOIN messages.key_package k ON k.device_id = d.id
WHERE d.person_id = $1 ORDER BY k.device_id, k.id
"""
CONVERSATIONS = """
SELECT c.id, c.kind, c.group_id, c.epoch, c.knocks, c.is_over, c.updated_on,
       m.place, m.folder, m.is_muted,
       ARRAY(SELECT p.handle FROM messages.member o JOIN people.card p ON p.id = o.person_id
             WHERE o.conversation_id = c.id ORDER BY o.place) AS handles,
       ARRAY(SELECT s.device_id FROM messages.seat s JOIN messages.device d ON d.id = s.device_id
             WHERE s.conversation_id = c.id AND d.person_id = $1 ORDER BY s.device_id) AS devices
FROM messages.member m JOIN messages.conversation c ON c.id = m.conversation_id
WHERE m.person_id = $1 ORDER BY c.id
"""
SETTING = "SELECT who, typing, read_marks FROM messages.setting WHERE person_id = $1"
BACKUP = "SELECT object_key, size_bytes, made_on FROM messages.backup WHERE person_id = $1"
REPORTS = """
SELECT r.id, p.handle AS about, r.about_id, r.sealed, r.made_at
FROM messages.report r LEFT JOIN people.card p ON p.id = r.about_id
WHERE r.reporter_id = $1 ORDER BY r.id
"""


def devices(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(DEVICES, person_id))


def entries(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(ENTRIES, person_id))


def key_packages(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(KEY_PACKAGES, person_id))


def conversations(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(CONVERSATIONS, person_id))


def setting(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(SETTING, person_id))


def backup(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(BACKUP, person_id))


def reports(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(REPORTS, person_id))
