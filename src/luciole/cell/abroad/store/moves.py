"""SQL of people who move between cells: what they said of it, and what both cells have said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from luciole.cell.abroad.model import MOVE_TOLD_EVERY_DAYS, MOVE_TOLD_FOR_DAYS
from luciole.cell.abroad.store.elsewhere import Arrival
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

Side = Literal["left", "came"]
SIDES: tuple[Side, ...] = ("left", "came")

SAY = """
INSERT INTO abroad.move (person_id, side, uri, cells, is_shown, said_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person_id, side, uri) DO UPDATE
SET cells = excluded.cells, is_shown = excluded.is_shown, ended_at = NULL
"""
END = """
UPDATE abroad.move SET ended_at = $3 WHERE person_id = $1 AND side = $2 AND ended_at IS NULL
"""
SAID = """
SELECT side, uri, cells, is_shown, said_at FROM abroad.move
WHERE person_id = $1 AND ended_at IS NULL ORDER BY said_at, side, uri
"""
# Another address, lately; also where it was taken back since.
LATELY = """
SELECT EXISTS (SELECT 1 FROM abroad.move
               WHERE person_id = $1 AND side = $2 AND uri <> $3 AND said_at > $4)
"""
# It has been told, or refused it less than a day ago, or for a month.
IS_TOLD = """
SELECT EXISTS (SELECT 1 FROM abroad.crossing
               WHERE person_id = $1 AND peer = $2 AND kind = 'move' AND uri = $3
                 AND offered_at >= $4
                 AND (state IN ('offered', 'crossed')
                      OR state = 'refused' AND (offered_at > $5 OR offered_at <= $6)))
"""
# People whose move a peer has refused to hear, the last time before $1, the first after $2.
DUE = """
SELECT c.person_id FROM abroad.crossing c
WHERE c.kind = 'move' AND c.state = 'refused' AND c.offered_at <= $1 AND c.offered_at > $2
  AND c.peer = ANY($3)
  AND EXISTS (SELECT 1 FROM abroad.move m
              WHERE m.person_id = c.person_id AND m.ended_at IS NULL AND m.said_at <= c.offered_at
                AND NOT EXISTS (SELECT 1 FROM abroad.crossing n
                                WHERE n.person_id = c.person_id AND n.peer = c.peer
                                  AND n.uri = c.uri AND n.kind = 'move'
                                  AND (n.id > c.id
                                       OR n.offered_at <= $2 AND n.offered_at >= m.said_at)))
GROUP BY c.person_id ORDER BY random() LIMIT $4
"""
READERS = "SELECT peer FROM abroad.reader WHERE person_id = $1 ORDER BY peer"
# What another cell has said of the same move, and waits for this one's word.
OTHER_WORD = """
SELECT id, peer, kind, body, came_at, tries FROM abroad.arrival
WHERE kind = 'move' AND uri = $1 AND peer <> $2 ORDER BY id
"""
MOVED = "SELECT to_uri, moved_at FROM abroad.moved WHERE uri = $1"
# Of somebody of this cell: to where, by the words of both cells, as they still say themselves.
GONE = """
SELECT d.to_uri, d.to_id FROM abroad.moved d
JOIN abroad.move m ON m.person_id = d.person_id AND m.uri = d.to_uri
WHERE d.person_id = $1 AND d.uri = $2 AND m.side = 'left' AND m.ended_at IS NULL AND m.is_shown
"""
MOVED_SINCE = """
SELECT EXISTS (SELECT 1 FROM abroad.moved WHERE (to_uri = $1 OR uri = $2) AND moved_at > $3)
"""
ADD_MOVED = """
INSERT INTO abroad.moved (uri, to_uri, person_id, to_id, moved_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (uri) DO UPDATE SET to_uri = excluded.to_uri, person_id = excluded.person_id,
    to_id = excluded.to_id, moved_at = excluded.moved_at, is_carried = false
"""
# Who is back at a former address is not away from it any more.
DROP_MOVED = "DELETE FROM abroad.moved WHERE uri = $1"
NEXT = """
SELECT uri, person_id, to_id FROM abroad.moved WHERE NOT is_carried ORDER BY moved_at, uri LIMIT 1
"""
CARRIED = "UPDATE abroad.moved SET is_carried = true WHERE uri = $1"
EXPORT = """
SELECT side, uri, cells, is_shown, said_at, ended_at FROM abroad.move
WHERE person_id = $1 ORDER BY said_at, side, uri
"""
ERASE = "DELETE FROM abroad.move WHERE person_id = $1"
ERASE_MOVED = "DELETE FROM abroad.moved WHERE person_id = $1 OR to_id = $1"


class Said(NamedTuple):
    """What a person has said of their move."""

    side: Side
    uri: str
    cells: list[str]
    is_shown: bool
    said_at: datetime


class Going(NamedTuple):
    """A move whose follows are not all over yet."""

    uri: str
    person_id: UUID
    to_id: UUID


async def say(
    tx: Tx,
    person_id: UUID,
    side: Side,
    uri: str,
    now: datetime,
    *,
    cells: Sequence[str] = (),
    is_shown: bool = True,
) -> None:
    await tx.execute(SAY, person_id, side, uri, list(cells), is_shown, now)


async def end(tx: Tx, person_id: UUID, side: Side, now: datetime) -> None:
    await tx.execute(END, person_id, side, now)


async def said(tx: Tx, person_id: UUID) -> list[Said]:
    """What holds now."""
    return [Said(*row) for row in await tx.fetch(SAID, person_id)]


async def said_lately(tx: Tx, person_id: UUID, side: Side, uri: str, since: datetime) -> bool:
    """Whether they said another address since then."""
    return bool(await tx.fetchval(LATELY, person_id, side, uri, since))


async def is_told(
    tx: Tx, person_id: UUID, peer: str, uri: str, since: datetime, now: datetime
) -> bool:
    """Whether a cell has heard of a move that was said then, or is not to be told just now."""
    again = now - timedelta(days=MOVE_TOLD_EVERY_DAYS)
    given_up = now - timedelta(days=MOVE_TOLD_FOR_DAYS)
    return bool(await tx.fetchval(IS_TOLD, person_id, peer, uri, since, again, given_up))


async def due(tx: Tx, now: datetime, peers: Sequence[str], most: int) -> list[UUID]:
    """Some of the people whose move is to be told once more to one of these cells."""
    again = now - timedelta(days=MOVE_TOLD_EVERY_DAYS)
    given_up = now - timedelta(days=MOVE_TOLD_FOR_DAYS)
    rows = await tx.fetch(DUE, again, given_up, list(peers), most)
    return [row["person_id"] for row in rows]


async def readers(tx: Tx, person_id: UUID) -> set[str]:
    """The cells that read somebody of ours."""
    return {row["peer"] for row in await tx.fetch(READERS, person_id)}


async def other_words(tx: Tx, uri: str, peer: str) -> list[Arrival]:
    """What other cells than this one have said about a move from an address."""
    return [Arrival(*row) for row in await tx.fetch(OTHER_WORD, uri, peer)]


async def moved(tx: Tx, uri: str) -> tuple[str, datetime] | None:
    """Where somebody went from an address, and when."""
    row = await tx.fetchrow(MOVED, uri)
    return (row["to_uri"], row["moved_at"]) if row else None


async def gone(tx: Tx, person_id: UUID, uri: str) -> tuple[str, UUID] | None:
    """Where somebody of this cell is now, and who stands for them there, if both cells have said so
    and they want it shown; `uri` is their address here."""
    row = await tx.fetchrow(GONE, person_id, uri)
    return (row["to_uri"], row["to_id"]) if row else None


async def moved_since(tx: Tx, uri: str, to_uri: str, since: datetime) -> bool:
    """Whether somebody came to the one or left the other since then."""
    return bool(await tx.fetchval(MOVED_SINCE, uri, to_uri, since))


async def add_moved(
    tx: Tx, uri: str, to_uri: str, person_id: UUID, to_id: UUID, now: datetime
) -> None:
    await tx.execute(DROP_MOVED, to_uri)
    await tx.execute(ADD_MOVED, uri, to_uri, person_id, to_id, now)


async def next_going(tx: Tx) -> Going | None:
    row = await tx.fetchrow(NEXT)
    return Going(*row) if row else None


async def carried(tx: Tx, uri: str) -> None:
    """All who followed the former address follow the new one."""
    await tx.execute(CARRIED, uri)


def export_moves(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


async def erase(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE, person_id)
    await tx.execute(ERASE_MOVED, person_id)
