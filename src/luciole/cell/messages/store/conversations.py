"""SQL of conversations: who is in them, with which devices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from luciole.cell.messages.model import Conversation, Folder, Listed, Member
from luciole.kit.db import Tx

ADD = """
INSERT INTO messages.conversation
    (id, kind, group_id, epoch, group_info, low_id, high_id, updated_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING RETURNING id
"""
ADD_MEMBER = """
INSERT INTO messages.member (conversation_id, person_id, place, folder) VALUES ($1, $2, $3, $4)
"""
ADD_SEATS = """
INSERT INTO messages.seat (conversation_id, device_id)
SELECT $1, id FROM unnest($2::uuid[]) AS id ON CONFLICT DO NOTHING
"""
OF_PAIR = "SELECT id FROM messages.conversation WHERE low_id = $1 AND high_id = $2 FOR UPDATE"
ONE = """
SELECT id, kind, group_id, epoch, group_info, knocks, is_over
FROM messages.conversation WHERE id = $1
"""
# Posts into one conversation take turns.
LOCK = """
SELECT id, kind, group_id, epoch, group_info, knocks, is_over
FROM messages.conversation WHERE id = $1 FOR UPDATE
"""
MEMBERS = """
SELECT person_id, place, folder, is_muted FROM messages.member
WHERE conversation_id = $1 ORDER BY place
"""
MEMBERS_OF = """
SELECT conversation_id, person_id FROM messages.member
WHERE conversation_id = ANY($1::uuid[]) ORDER BY conversation_id, place
"""
# What somebody who is restricted writes waits among the requests. A pair that a block keeps apart
# is not there for either; one whose other is leaving their account is over meanwhile.
LISTED = """
SELECT c.id, c.kind, c.epoch, m.is_muted, c.updated_on,
       c.is_over OR (c.kind = 'pair' AND NOT EXISTS (
           SELECT 1 FROM messages.member o JOIN people.card p ON p.id = o.person_id
           WHERE o.conversation_id = c.id AND o.person_id <> $1)) AS is_over,
       CASE WHEN c.kind = 'pair' AND EXISTS (
                SELECT 1 FROM messages.member o
                JOIN graph.restricted r ON r.person_id = $1 AND r.other_id = o.person_id
                WHERE o.conversation_id = c.id)
            THEN 'requests' ELSE m.folder END AS folder
FROM messages.member m JOIN messages.conversation c ON c.id = m.conversation_id
WHERE m.person_id = $1 AND m.folder <> 'declined' AND NOT (c.kind = 'pair' AND EXISTS (
    SELECT 1 FROM messages.member o JOIN graph.apart a ON a.a = $1 AND a.b = o.person_id
    WHERE o.conversation_id = c.id))
ORDER BY c.updated_on DESC, c.id DESC LIMIT $2
"""
SEATS = """
SELECT s.device_id, d.person_id FROM messages.seat s JOIN messages.device d ON d.id = s.device_id
WHERE s.conversation_id = $1 AND d.revoked_at IS NULL ORDER BY s.device_id
"""
# Those who hear what a person says: not who is apart from them.
HEARERS = """
SELECT s.device_id, d.person_id FROM messages.seat s JOIN messages.device d ON d.id = s.device_id
WHERE s.conversation_id = $1 AND d.revoked_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM graph.apart a WHERE a.a = $2 AND a.b = d.person_id)
ORDER BY s.device_id
"""
SET_FOLDER = """
UPDATE messages.member SET folder = $3 WHERE conversation_id = $1 AND person_id = $2
"""
SET_MUTED = """
UPDATE messages.member SET is_muted = $3
WHERE conversation_id = $1 AND person_id = $2 AND folder <> 'declined' RETURNING place
"""
MOVE_ON = """
UPDATE messages.conversation SET epoch = $2, group_info = $3, updated_on = $4 WHERE id = $1
"""
TOUCH = """
UPDATE messages.conversation SET updated_on = $2, knocks = knocks + $3
WHERE id = $1 AND (updated_on < $2 OR $3 > 0)
"""
FORGET_KNOCKS = "UPDATE messages.conversation SET knocks = 0 WHERE id = $1"
END = """
UPDATE messages.conversation SET is_over = true, low_id = NULL, high_id = NULL WHERE id = $1
"""
DROP_MEMBERS = """
DELETE FROM messages.member WHERE conversation_id = $1 AND person_id = ANY($2::uuid[])
"""
DROP_SEATS = """
DELETE FROM messages.seat s USING messages.device d
WHERE d.id = s.device_id AND s.conversation_id = $1 AND d.person_id = ANY($2::uuid[])
"""
DROP_DELIVERIES = """
DELETE FROM messages.delivery v USING messages.device d, messages.envelope e
WHERE d.id = v.device_id AND e.id = v.envelope_id
  AND e.conversation_id = $1 AND d.person_id = $2
"""
DROP = "DELETE FROM messages.conversation WHERE id = $1"
FORGOTTEN = """
SELECT c.id FROM messages.conversation c
WHERE NOT EXISTS (SELECT 1 FROM messages.member m WHERE m.conversation_id = c.id)
ORDER BY c.id LIMIT $1 FOR UPDATE SKIP LOCKED
"""


async def add(
    tx: Tx,
    conversation: Conversation,
    pair: tuple[UUID, UUID] | None,
    on: date,
) -> bool:
    """False where the pair, or the group id, has a conversation already."""
    low, high = sorted(pair) if pair else (None, None)
    added = await tx.fetchval(
        ADD,
        conversation.id,
        conversation.kind,
        conversation.group_id,
        conversation.epoch,
        conversation.group_info,
        low,
        high,
        on,
    )
    return added is not None


async def add_member(
    tx: Tx, conversation_id: UUID, person_id: UUID, place: int, folder: Folder
) -> None:
    await tx.execute(ADD_MEMBER, conversation_id, person_id, place, folder)


async def add_seats(tx: Tx, conversation_id: UUID, devices: Sequence[UUID]) -> None:
    await tx.execute(ADD_SEATS, conversation_id, list(devices))


async def of_pair(tx: Tx, one: UUID, other: UUID) -> UUID | None:
    """The conversation of two people that goes on; locked."""
    found: UUID | None = await tx.fetchval(OF_PAIR, *sorted((one, other)))
    return found


async def one(tx: Tx, conversation_id: UUID) -> Conversation | None:
    row = await tx.fetchrow(ONE, conversation_id)
    return Conversation(**row) if row else None


async def lock(tx: Tx, conversation_id: UUID) -> Conversation | None:
    """Nobody else gets it until `tx` ends."""
    row = await tx.fetchrow(LOCK, conversation_id)
    return Conversation(**row) if row else None


async def members(tx: Tx, conversation_id: UUID) -> list[Member]:
    """Who is in it, who began it first."""
    return [Member(**row) for row in await tx.fetch(MEMBERS, conversation_id)]


async def members_of(tx: Tx, conversations: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Who is in each of several."""
    found: dict[UUID, list[UUID]] = {}
    for row in await tx.fetch(MEMBERS_OF, list(conversations)):
        found.setdefault(row["conversation_id"], []).append(row["person_id"])
    return found


async def listed(tx: Tx, person_id: UUID, most: int) -> list[Listed]:
    """A person's conversations, the newest first."""
    return [Listed(**row) for row in await tx.fetch(LISTED, person_id, most)]


async def seats(tx: Tx, conversation_id: UUID) -> dict[UUID, UUID]:
    """The devices in it, and whose each is."""
    return {row["device_id"]: row["person_id"] for row in await tx.fetch(SEATS, conversation_id)}


async def hearers(tx: Tx, conversation_id: UUID, person_id: UUID) -> dict[UUID, UUID]:
    """Those of the devices that get what a person says."""
    rows = await tx.fetch(HEARERS, conversation_id, person_id)
    return {row["device_id"]: row["person_id"] for row in rows}


async def set_folder(tx: Tx, conversation_id: UUID, person_id: UUID, folder: str) -> None:
    await tx.execute(SET_FOLDER, conversation_id, person_id, folder)


async def set_muted(tx: Tx, conversation_id: UUID, person_id: UUID, is_muted: bool) -> bool:
    """False where the person is not in it."""
    found = await tx.fetchval(SET_MUTED, conversation_id, person_id, is_muted)
    return found is not None


async def move_on(tx: Tx, conversation_id: UUID, epoch: int, group_info: bytes, on: date) -> None:
    await tx.execute(MOVE_ON, conversation_id, epoch, group_info, on)


async def touch(tx: Tx, conversation_id: UUID, on: date, knocks: int) -> None:
    """Notes that something was said, and how many more times before a request was accepted."""
    await tx.execute(TOUCH, conversation_id, on, knocks)


async def forget_knocks(tx: Tx, conversation_id: UUID) -> None:
    await tx.execute(FORGET_KNOCKS, conversation_id)


async def end(tx: Tx, conversation_id: UUID) -> None:
    """A pair of which one has gone: what waits may be fetched, nothing comes any more."""
    await tx.execute(END, conversation_id)


async def drop_people(tx: Tx, conversation_id: UUID, people: Sequence[UUID]) -> None:
    """Takes people out, with their devices."""
    await tx.execute(DROP_MEMBERS, conversation_id, list(people))
    await tx.execute(DROP_SEATS, conversation_id, list(people))


async def drop_seats(tx: Tx, conversation_id: UUID, person_id: UUID) -> None:
    await tx.execute(DROP_SEATS, conversation_id, [person_id])


async def drop_deliveries(tx: Tx, conversation_id: UUID, person_id: UUID) -> None:
    """Of what waits for a person there, nothing more."""
    await tx.execute(DROP_DELIVERIES, conversation_id, person_id)


async def drop(tx: Tx, conversation_id: UUID) -> None:
    await tx.execute(DROP, conversation_id)


async def forgotten(tx: Tx, most: int) -> list[UUID]:
    """Some of those in which nobody is left."""
    return [row["id"] for row in await tx.fetch(FORGOTTEN, most)]
