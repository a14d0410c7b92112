"""SQL of recalls that are under way: which were refused, and when they are asked for again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.abroad.model import Subject
from luciole.kit.db import Tx

WAITS = "SELECT true FROM abroad.recall WHERE peer = $1 AND uri = $2 AND again_at > $3"
# Asked for again, it goes on from when it was refused first.
BEGIN = """
INSERT INTO abroad.recall (peer, uri, crossing, person_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (peer, uri) DO UPDATE
SET crossing = excluded.crossing, person_id = excluded.person_id, again_at = NULL
"""
END = "DELETE FROM abroad.recall WHERE crossing = $1"
REFUSED = """
UPDATE abroad.recall SET refused_at = coalesce(refused_at, $2), again_at = $3,
    refusals = refusals + 1
WHERE crossing = $1
"""
GIVE_UP = "DELETE FROM abroad.recall WHERE crossing = $1 AND refused_at <= $2"
DUE = """
SELECT r.peer, r.uri, r.crossing, r.person_id, c.subject_kind, c.subject_id
FROM abroad.recall r LEFT JOIN abroad.crossing c ON c.id = r.crossing
WHERE r.again_at <= $1 ORDER BY r.again_at LIMIT $2
"""
BEGIN_AGAIN = "UPDATE abroad.recall SET again_at = NULL WHERE crossing = $1"
# That somebody is called back themselves, and all that is theirs with them, is still owed.
ERASE = """
DELETE FROM abroad.recall r USING abroad.crossing c
WHERE r.person_id = $1 AND c.id = r.crossing AND c.subject_kind <> 'person'
"""
LET_GO = "UPDATE abroad.recall SET person_id = NULL WHERE person_id = $1"


class Due(NamedTuple):
    """A recall that was refused and is to be asked for again; without a person, of one who was
    erased."""

    peer: str
    uri: str
    crossing: UUID
    person_id: UUID | None
    subject_kind: Subject | None
    subject_id: UUID | None


async def waits(tx: Tx, peer: str, uri: str, now: datetime) -> bool:
    """Whether a recall was refused, and it is not time yet to ask for it again."""
    return bool(await tx.fetchval(WAITS, peer, uri, now))


async def begin(tx: Tx, peer: str, uri: str, crossing: UUID, person_id: UUID | None) -> None:
    """It is on its way, for the first time or again."""
    await tx.execute(BEGIN, peer, uri, crossing, person_id)


async def end(tx: Tx, crossing: UUID) -> None:
    """It was taken, or is not wanted any more."""
    await tx.execute(END, crossing)


async def refused(
    tx: Tx, crossing: UUID, now: datetime, again_at: datetime, since: datetime
) -> None:
    """It is asked for again at that time; where it was refused first before `since`, no more."""
    await tx.execute(GIVE_UP, crossing, since)
    await tx.execute(REFUSED, crossing, now, again_at)


async def due(tx: Tx, now: datetime, most: int) -> list[Due]:
    return [Due(*row) for row in await tx.fetch(DUE, now, most)]


async def begin_again(tx: Tx, crossing: UUID) -> None:
    """It waits no more; who called it back decides whether it is still to be."""
    await tx.execute(BEGIN_AGAIN, crossing)


async def erase(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE, person_id)
    await tx.execute(LET_GO, person_id)
