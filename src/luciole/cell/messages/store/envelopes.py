"""SQL of envelopes: sealed bytes, and the devices that have not fetched them yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from luciole.cell.messages.model import Envelope, EnvelopeKind
from luciole.kit.db import Tx

# In the order of ids, so that two who send to the same devices do not wait for each other.
LOCK_DEVICES = """
SELECT id FROM messages.device WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
ADD = """
INSERT INTO messages.envelope (id, conversation_id, kind, epoch, body, recall_hash, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
DELIVER = """
WITH numbered AS (
    UPDATE messages.device SET next_n = next_n + 1
    WHERE id = ANY($2::uuid[]) AND revoked_at IS NULL RETURNING id, next_n - 1 AS n)
INSERT INTO messages.delivery (device_id, n, envelope_id) SELECT id, n, $1 FROM numbered
"""
# What somebody said in a pair that a block keeps apart does not come any more.
INBOX = """
SELECT n, id, conversation_id, kind, epoch, body, at FROM (
    SELECT w.n, e.id, e.conversation_id, e.kind, e.epoch, e.body, e.at,
           sum(octet_length(e.body)) OVER (ORDER BY w.n) - octet_length(e.body) AS bytes_before
    FROM (
        SELECT v.n, v.envelope_id
        FROM messages.delivery v JOIN messages.envelope m ON m.id = v.envelope_id
        WHERE v.device_id = $1 AND NOT (m.kind = 'message' AND EXISTS (
            SELECT 1 FROM messages.conversation c
            JOIN messages.member o ON o.conversation_id = c.id
            JOIN graph.apart a ON a.a = $2 AND a.b = o.person_id
            WHERE c.id = m.conversation_id AND c.kind = 'pair'))
        ORDER BY v.n LIMIT $3
    ) w JOIN messages.envelope e ON e.id = w.envelope_id
) waiting
WHERE bytes_before < $4
ORDER BY n
"""
# Locked, so that of two devices that are the last to fetch one sees that it is.
LOCK_FETCHED = """
SELECT e.id FROM messages.envelope e WHERE e.id IN (
    SELECT envelope_id FROM messages.delivery WHERE device_id = $1 AND n <= $2)
ORDER BY e.id FOR UPDATE
"""
ACK = "DELETE FROM messages.delivery WHERE device_id = $1 AND n <= $2"
DROP_FETCHED = """
DELETE FROM messages.envelope e
WHERE e.id = ANY($1::uuid[])
  AND NOT EXISTS (SELECT 1 FROM messages.delivery v WHERE v.envelope_id = e.id)
"""
RECALL = """
DELETE FROM messages.envelope WHERE id = $1 AND conversation_id = $2 AND recall_hash = $3
"""
TIDY = "DELETE FROM messages.envelope WHERE at < $1"
# Of devices that were removed before they fetched it.
TIDY_UNDELIVERED = """
DELETE FROM messages.envelope e
WHERE e.at < $1 AND NOT EXISTS (SELECT 1 FROM messages.delivery v WHERE v.envelope_id = e.id)
"""


async def lock_devices(tx: Tx, devices: Iterable[UUID]) -> None:
    """Takes the numbers of devices for `tx`; once, for all that it delivers."""
    await tx.fetch(LOCK_DEVICES, list(devices))


async def add(
    tx: Tx,
    envelope_id: UUID,
    conversation_id: UUID,
    kind: EnvelopeKind,
    epoch: int,
    body: bytes,
    recall_hash: bytes | None,
    at: datetime,
) -> None:
    await tx.execute(ADD, envelope_id, conversation_id, kind, epoch, body, recall_hash, at)


async def deliver(tx: Tx, envelope_id: UUID, devices: Iterable[UUID]) -> None:
    await tx.execute(DELIVER, envelope_id, list(devices))


async def inbox(
    tx: Tx, device_id: UUID, person_id: UUID, limit: int, most_bytes: int
) -> list[Envelope]:
    """What waits for a device, the oldest first, as long as it is not too much for one answer."""
    rows = await tx.fetch(INBOX, device_id, person_id, limit, most_bytes)
    return [Envelope(**row) for row in rows]


async def ack(tx: Tx, device_id: UUID, up_to: int) -> None:
    """Forgets what a device has fetched, and what all have."""
    fetched = [row["id"] for row in await tx.fetch(LOCK_FETCHED, device_id, up_to)]
    await tx.execute(ACK, device_id, up_to)
    await tx.execute(DROP_FETCHED, fetched)


async def recall(tx: Tx, envelope_id: UUID, conversation_id: UUID, recall_hash: bytes) -> None:
    await tx.execute(RECALL, envelope_id, conversation_id, recall_hash)


async def tidy(tx: Tx, before: datetime, undelivered_before: datetime) -> None:
    await tx.execute(TIDY, before)
    await tx.execute(TIDY_UNDELIVERED, undelivered_before)
