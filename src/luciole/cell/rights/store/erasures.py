"""SQL of erasures. The person stands in the row until the erasure is over, and never after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.rights.model import Entry, Erasure, ErasureState
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

# Asking again replaces ticket and day, until the erasure has begun.
ASK = """
INSERT INTO rights.erasure (id, ticket_hash, person_id, asked_at, due_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id) DO UPDATE
    SET ticket_hash = excluded.ticket_hash, asked_at = excluded.asked_at, due_at = excluded.due_at
    WHERE rights.erasure.state = 'waiting'
RETURNING id
"""
TAKE_BACK = "DELETE FROM rights.erasure WHERE person_id = $1 AND state = 'waiting' RETURNING id"
OF_PERSON = """
SELECT id, person_id, state, asked_at, due_at, done_at, removed, ref, leaf, nonce, opening
FROM rights.erasure WHERE person_id = $1
"""
BY_TICKET = """
SELECT id, person_id, state, asked_at, due_at, done_at, removed, ref, leaf, nonce, opening
FROM rights.erasure WHERE ticket_hash = $1
"""
LOCK = """
SELECT id, person_id, state, asked_at, due_at, done_at, removed, ref, leaf, nonce, opening
FROM rights.erasure WHERE id = $1 FOR UPDATE
"""
DUE = """
SELECT id FROM rights.erasure WHERE state <> 'erased' AND due_at <= $1 ORDER BY due_at, id LIMIT $2
"""
BEGIN = "UPDATE rights.erasure SET state = 'erasing' WHERE id = $1"
SET_REMOVED = "UPDATE rights.erasure SET removed = $2 WHERE id = $1"
SET_GONE = """
UPDATE rights.erasure SET state = 'emptying', ref = $2, leaf = $3, nonce = $4, opening = $5
WHERE id = $1
"""
# From here on the row names nobody.
END = """
UPDATE rights.erasure SET state = 'erased', person_id = NULL, done_at = $2 WHERE id = $1
"""
ADD_PLACES = """
INSERT INTO rights.emptied_place (erasure_id, place) SELECT $1, unnest($2::text[])
ON CONFLICT DO NOTHING
"""
PLACES = """
SELECT place FROM rights.emptied_place WHERE erasure_id = $1 AND place > $2 ORDER BY place LIMIT $3
"""
DROP_PLACE = "DELETE FROM rights.emptied_place WHERE erasure_id = $1 AND place = $2"
TAKEN_ALONG = "SELECT id, state, asked_at, due_at FROM rights.erasure WHERE person_id = $1"
# What a person has brought along, or was about to.
# Which entries of the log were about whom; the one about the erasure comes later.
REFS = "SELECT ref FROM custody.entry WHERE person_id = $1"
FORGET_REFS = "SELECT ledger.forget($1)"
PLACED = "SELECT idx FROM ledger.placed WHERE ref = $1"
# By what the log knows an entry.
REF = "SELECT ref FROM custody.entry WHERE person_id = $1 AND n = $2"
HAS_PLACES = "SELECT EXISTS (SELECT 1 FROM rights.emptied_place WHERE erasure_id = $1)"


async def ask(
    tx: Tx,
    erasure_id: UUID,
    ticket_hash: bytes,
    person_id: UUID,
    now: datetime,
    due_at: datetime,
) -> UUID | None:
    """The id of the person's erasure; None where it has begun already."""
    found: UUID | None = await tx.fetchval(ASK, erasure_id, ticket_hash, person_id, now, due_at)
    return found


async def take_back(tx: Tx, person_id: UUID) -> bool:
    """False where there is none, or it has begun."""
    return await tx.fetchval(TAKE_BACK, person_id) is not None


async def of_person(tx: Tx, person_id: UUID) -> Erasure | None:
    return _erasure(await tx.fetchrow(OF_PERSON, person_id))


async def by_ticket(tx: Tx, ticket_hash: bytes) -> Erasure | None:
    return _erasure(await tx.fetchrow(BY_TICKET, ticket_hash))


async def lock(tx: Tx, erasure_id: UUID) -> Erasure | None:
    """Another worker that does the same waits until this transaction ends."""
    return _erasure(await tx.fetchrow(LOCK, erasure_id))


async def due(tx: Tx, now: datetime, most: int) -> list[UUID]:
    """Erasures whose day has come and that are not over."""
    return [row["id"] for row in await tx.fetch(DUE, now, most)]


async def begin(tx: Tx, erasure_id: UUID) -> None:
    await tx.execute(BEGIN, erasure_id)


async def set_removed(tx: Tx, erasure_id: UUID, removed: Mapping[str, int]) -> None:
    await tx.execute(SET_REMOVED, erasure_id, msgspec.json.encode(removed).decode())


async def set_gone(tx: Tx, erasure_id: UUID, entry: Entry | None) -> None:
    """No row is left. `entry` is the line about it in the log."""
    ref, leaf, nonce, opening = msgspec.structs.astuple(entry) if entry else (None,) * 4
    await tx.execute(SET_GONE, erasure_id, ref, leaf, nonce, opening)


async def end(tx: Tx, erasure_id: UUID, now: datetime) -> None:
    await tx.execute(END, erasure_id, now)


async def add_places(tx: Tx, erasure_id: UUID, places: Sequence[str]) -> None:
    if places:
        await tx.execute(ADD_PLACES, erasure_id, list(places))


async def places(tx: Tx, erasure_id: UUID, beyond: str, most: int) -> list[str]:
    """The next places in the order of their names, which no two share."""
    return [row["place"] for row in await tx.fetch(PLACES, erasure_id, beyond, most)]


async def drop_place(tx: Tx, erasure_id: UUID, place: str) -> None:
    await tx.execute(DROP_PLACE, erasure_id, place)


async def has_places(tx: Tx, erasure_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_PLACES, erasure_id))


def taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(TAKEN_ALONG, person_id))


async def forget_refs(tx: Tx, person_id: UUID) -> int:
    """Forgets which entries of the log were about the person; gives how many."""
    refs = [row["ref"] for row in await tx.fetch(REFS, person_id)]
    await tx.execute(FORGET_REFS, refs)
    return len(refs)


async def placed(tx: Tx, ref: int) -> int | None:
    """Where in the log the entry is; None until it has been taken."""
    index: int | None = await tx.fetchval(PLACED, ref)
    return index


async def ref(tx: Tx, person_id: UUID, n: int) -> int:
    """By what the log knows entry `n` about a person."""
    return int(await tx.fetchval(REF, person_id, n))


def _erasure(row: Row | None) -> Erasure | None:
    if row is None:
        return None
    state: ErasureState = row["state"]
    entry = None
    if row["leaf"] is not None:
        entry = Entry(row["ref"], row["leaf"], row["nonce"], row["opening"])
    removed = msgspec.json.decode(row["removed"], type=dict[str, int])
    return Erasure(
        row["id"],
        row["person_id"],
        state,
        row["asked_at"],
        row["due_at"],
        row["done_at"],
        removed,
        entry,
    )
