"""What leaves for peers and comes from them, step by step, and digests of immediate exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from luciole.border.crossing import unsent_entry
from luciole.kit.db import Tx

State = Literal["sent", "refused", "expired"]

WAITING = """
SELECT id, ref, kind, peer, body, made_at FROM border.offer
WHERE peer = $1 AND entry IS NULL AND due_at <= now() ORDER BY id LIMIT $2
"""
ENTER = """
UPDATE border.offer AS o SET entry = m.entry, payload = m.payload, floor = m.floor
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bigint[]) AS m (id, entry, payload, floor)
WHERE o.id = m.id AND o.entry IS NULL RETURNING o.id
"""
ENTERED = """
SELECT id, ref, kind, peer, entry, payload, floor FROM border.offer
WHERE peer = $1 AND entry IS NOT NULL ORDER BY id LIMIT $2
"""
END = "DELETE FROM border.offer WHERE id = ANY ($1)"
# Calling something back is owed for as long as the other cell is a peer.
EXPIRED = """
SELECT id, ref, kind, entry IS NOT NULL AS is_entered FROM border.offer
WHERE peer = $1 AND made_at < now() - make_interval(secs => $2) AND kind <> 'gone'
FOR UPDATE SKIP LOCKED
"""
TELL = """
INSERT INTO border.news (crossing, ref, kind, peer, state, code, receipt)
SELECT id, ref, kind, $1, state, code, receipt
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS e (id, ref, kind, state, code, receipt)
ON CONFLICT DO NOTHING
"""
WAKE_NEWS = "SELECT pg_notify('luciole_news', '')"
NOTE = "SELECT border.note($1)"
NOTE_ALL = "SELECT border.note(entry) FROM unnest($1::bytea[]) AS e (entry)"
RECEIPTS = "SELECT crossing, peer, sha256, receipt FROM border.received WHERE crossing = ANY ($1)"
RECEIVE = """
INSERT INTO border.received (crossing, peer, sha256, receipt)
SELECT id, $1, sha256, receipt FROM unnest($2::uuid[], $3::bytea[], $4::text[])
    AS r (id, sha256, receipt)
ON CONFLICT DO NOTHING RETURNING crossing
"""
ARRIVE = """
INSERT INTO border.arrival (crossing, peer, kind, place, body)
SELECT id, $1, kind, place, body FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bytea[])
    AS a (id, kind, place, body)
"""
WAKE_ARRIVALS = "SELECT pg_notify('luciole_arrivals', '')"
EXCHANGED = """
INSERT INTO border.exchange (peer, is_ours, kind, asked, answered) VALUES ($1, $2, $3, $4, $5)
"""
# Of hours that are over, or all, and of one peer, direction and kind at a time: an entry each.
TAKE_EXCHANGED = """
WITH limits AS (
    SELECT CASE WHEN $2 THEN date_trunc('hour', now()) ELSE 'infinity' END AS until),
first AS (
    SELECT peer, is_ours, kind FROM border.exchange, limits
    WHERE made_at < until ORDER BY id LIMIT 1)
DELETE FROM border.exchange WHERE id IN (
    SELECT e.id FROM border.exchange e JOIN first f USING (peer, is_ours, kind), limits
    WHERE e.made_at < until ORDER BY e.id LIMIT $1)
RETURNING peer, is_ours, kind, asked, answered
"""
TIDY_RECEIVED = "DELETE FROM border.received WHERE made_at < now() - make_interval(days => $1)"
TIDY_NEWS = "DELETE FROM border.news WHERE made_at < now() - make_interval(days => $1)"
WAITS = """
SELECT peer, max(extract(epoch FROM now() - made_at))::integer AS age_s FROM border.offer
WHERE peer IS NOT NULL GROUP BY peer
"""
OWED = """
SELECT peer, max(extract(epoch FROM now() - made_at))::integer AS age_s FROM border.offer
WHERE kind = 'gone' AND made_at < now() - make_interval(secs => $1) GROUP BY peer
"""


class Waiting(NamedTuple):
    """Something that was offered to a peer and has no entry yet."""

    id: UUID
    ref: UUID
    kind: str
    body: bytes


class Entered(NamedTuple):
    """Something whose entry is in the log, or about to be: behind `floor` entries or more."""

    id: UUID
    ref: UUID
    kind: str
    entry: bytes
    payload: bytes
    floor: int


class Ended(NamedTuple):
    """What became of an offer; `receipt` is the peer's word, where there is one."""

    offer: Waiting | Entered
    state: State
    code: str = ""
    receipt: str = ""


class Came(NamedTuple):
    """A crossing that came: its entry and receipt are ours, `place` is where the sender's log has
    it, `body` what its slice gets, None where it is not let in, or is a file."""

    id: UUID
    kind: str
    digest: bytes
    receipt: str
    entry: bytes
    place: int
    body: bytes | None = None


class Exchanges(NamedTuple):
    """Immediate exchanges of one kind with one peer: digests of what was asked and answered."""

    peer: str
    is_ours: bool
    kind: str
    bodies: list[tuple[bytes, bytes]]


async def waiting(tx: Tx, peer: str, most: int) -> list[Waiting]:
    """The oldest offers to a peer."""
    return [
        Waiting(row["id"], row["ref"], row["kind"], bytes(row["body"]))
        for row in await tx.fetch(WAITING, peer, most)
    ]


async def enter(tx: Tx, made: Sequence[Entered]) -> list[Entered]:
    """Puts the entries of offers into the log; from now on they are sent as those say. Those whose
    offer is still there."""
    columns = zip(*((one.id, one.entry, one.payload, one.floor) for one in made), strict=True)
    there = {row["id"] for row in await tx.fetch(ENTER, *map(list, columns))} if made else set()
    entered = [one for one in made if one.id in there]
    await tx.execute(NOTE_ALL, [one.entry for one in entered])
    return entered


async def entered(tx: Tx, peer: str, most: int) -> list[Entered]:
    """What has an entry and was not sent yet, the oldest first."""
    return [
        Entered(
            row["id"],
            row["ref"],
            row["kind"],
            bytes(row["entry"]),
            bytes(row["payload"]),
            row["floor"],
        )
        for row in await tx.fetch(ENTERED, peer, most)
    ]


async def end(tx: Tx, peer: str, ended: Sequence[Ended]) -> None:
    """These wait no more, and their slices are told what became of them."""
    columns = zip(
        *((e.offer.id, e.offer.ref, e.offer.kind, e.state, e.code, e.receipt) for e in ended),
        strict=True,
    )
    if ended:
        await tx.execute(END, [one.offer.id for one in ended])
        await tx.execute(TELL, peer, *map(list, columns))
        await tx.execute(WAKE_NEWS)


async def expire(tx: Tx, peer: str, after_s: float, at: str) -> int:
    """Gives up what has waited for too long, and says so in the log where that tells of it; how
    many."""
    rows = await tx.fetch(EXPIRED, peer, after_s)
    for row in rows:
        if row["is_entered"]:
            await tx.execute(NOTE, unsent_entry(row["id"], at, peer))
    await end(
        tx,
        peer,
        [Ended(Waiting(row["id"], row["ref"], row["kind"], b""), "expired") for row in rows],
    )
    return len(rows)


async def receipts(tx: Tx, crossings: Sequence[UUID]) -> dict[UUID, tuple[str, bytes, str]]:
    """From whom crossings were received, the digests of their bodies, and the receipts."""
    return {
        row["crossing"]: (row["peer"], bytes(row["sha256"]), row["receipt"])
        for row in await tx.fetch(RECEIPTS, list(crossings))
    }


async def receive(tx: Tx, peer: str, came: Sequence[Came]) -> set[UUID]:
    """Notes crossings that came, puts their entries into the log, and keeps for its slice what was
    let in; the ids of those that had not come before. Each id is there once."""
    if not came:
        return set()
    columns = zip(*((one.id, one.digest, one.receipt) for one in came), strict=True)
    new = {row["crossing"] for row in await tx.fetch(RECEIVE, peer, *map(list, columns))}
    await tx.execute(NOTE_ALL, [one.entry for one in came if one.id in new])
    arrived = [one for one in came if one.id in new and one.body is not None]
    if arrived:
        columns = zip(*((one.id, one.kind, one.place, one.body) for one in arrived), strict=True)
        await tx.execute(ARRIVE, peer, *map(list, columns))
        await tx.execute(WAKE_ARRIVALS)
    return new


async def exchanged(
    tx: Tx, peer: str, kind: str, asked: bytes, answered: bytes, *, is_ours: bool
) -> None:
    """An immediate exchange took place."""
    await tx.execute(EXCHANGED, peer, is_ours, kind, asked, answered)


async def take_exchanged(tx: Tx, most: int, *, are_over: bool = True) -> Exchanges | None:
    """Exchanges of hours that are over, or of any, for one entry; None where there are none."""
    rows = await tx.fetch(TAKE_EXCHANGED, most, are_over)
    if not rows:
        return None
    bodies = sorted((bytes(row["asked"]), bytes(row["answered"])) for row in rows)
    return Exchanges(rows[0]["peer"], rows[0]["is_ours"], rows[0]["kind"], bodies)


async def note(tx: Tx, entry: bytes) -> None:
    """Puts an entry into the log of crossings."""
    await tx.execute(NOTE, entry)


async def tidy(tx: Tx, days: int) -> None:
    """Forgets receipts that nobody asks for any more, and news that nobody took."""
    await tx.execute(TIDY_RECEIVED, days)
    await tx.execute(TIDY_NEWS, days)


async def owed(tx: Tx, after_s: float) -> dict[str, int]:
    """By peer: for how many seconds its oldest recall has waited, where that is longer than other
    offers may."""
    return {row["peer"]: row["age_s"] for row in await tx.fetch(OWED, after_s)}


async def waits(tx: Tx) -> dict[str, int]:
    """By peer: for how many seconds its oldest offer has waited."""
    return {row["peer"]: row["age_s"] for row in await tx.fetch(WAITS)}
