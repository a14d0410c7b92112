"""The SQL of what machines suggest, and of what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from luciole.cell.safety.model import Measured, Suggestion, SuggestionOutcome
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO safety.suggestion
    (id, review_id, person_id, about_id, method, name, version, facts, made_at, decision_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10)
"""
# A list points once at a clip, whatever became of it; a rule may again, after a while.
MADE_SINCE = """
SELECT EXISTS (
    SELECT 1 FROM safety.suggestion
    WHERE about_id = $1 AND method = $2 AND name = $3 AND (made_at > $4 OR outcome = 'waiting'))
"""
OF_REVIEW = """
SELECT id, review_id, person_id, about_id, method, name, version, facts, made_at, outcome,
       decided_at, decision_id
FROM safety.suggestion WHERE review_id = $1 ORDER BY made_at, id
"""
SETTLE = """
WITH before AS (
    SELECT id, outcome FROM safety.suggestion
    WHERE review_id = $1 AND outcome = ANY ($4::text[]) FOR UPDATE)
UPDATE safety.suggestion s SET outcome = $2, decided_at = $3
FROM before WHERE s.id = before.id
RETURNING s.id, s.method, s.name, s.version, before.outcome AS was
"""
COUNT = """
INSERT INTO safety.measured AS m (method, name, version, confirmed, dismissed)
VALUES ($1, $2, $3, greatest($4, 0), greatest($5, 0))
ON CONFLICT (method, name, version) DO UPDATE SET
    confirmed = greatest(m.confirmed + $4, 0), dismissed = greatest(m.dismissed + $5, 0)
"""
MEASURED = """
SELECT m.method, m.name, m.version, m.confirmed, m.dismissed
FROM unnest($1::text[], $2::text[], $3::text[]) AS one (method, name, version)
JOIN safety.measured m
    ON m.method = one.method AND m.name = one.name AND m.version = one.version
"""
MOVE = "UPDATE safety.suggestion SET review_id = $2 WHERE review_id = $1"
MOVE_ABOUT = "UPDATE safety.suggestion SET review_id = $3 WHERE review_id = $1 AND about_id = $2"
EXPORT = """
SELECT id, about_id, method, name, version, facts::text AS facts, made_at, outcome, decided_at,
       decision_id
FROM safety.suggestion WHERE person_id = $1 AND outcome <> 'waiting' ORDER BY made_at, id
"""
ERASE = "DELETE FROM safety.suggestion WHERE person_id = $1"


class Settled(NamedTuple):
    """A suggestion that has another outcome now."""

    id: UUID
    method: str
    name: str
    version: str
    was: str


async def add(tx: Tx, one: Suggestion) -> None:
    await tx.execute(
        ADD,
        one.id,
        one.review_id,
        one.person_id,
        one.about_id,
        one.method,
        one.name,
        one.version,
        msgspec.json.encode(one.facts).decode(),
        one.made_at,
        one.decision_id,
    )


async def made_since(tx: Tx, about_id: UUID, method: str, name: str, since: datetime) -> bool:
    return bool(await tx.fetchval(MADE_SINCE, about_id, method, name, since))


async def of_review(tx: Tx, review_id: UUID) -> list[Suggestion]:
    return [_suggestion(row) for row in await tx.fetch(OF_REVIEW, review_id)]


async def settle(
    tx: Tx,
    review_id: UUID,
    outcome: SuggestionOutcome,
    now: datetime,
    before: Sequence[SuggestionOutcome],
) -> list[Settled]:
    """Gives those of a review an outcome whose own is among `before`."""
    rows = await tx.fetch(SETTLE, review_id, outcome, now, list(before))
    return [Settled(*row) for row in rows]


async def count(
    tx: Tx, method: str, name: str, version: str, confirmed: int, dismissed: int
) -> None:
    """Adds to what is measured of a list or rule."""
    await tx.execute(COUNT, method, name, version, confirmed, dismissed)


async def measured(tx: Tx, keys: Sequence[tuple[str, str, str]]) -> list[Measured]:
    """What is measured of lists and rules, by (method, name, version)."""
    columns = [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
    return [Measured(*row) for row in await tx.fetch(MEASURED, *columns)]


async def move(tx: Tx, review_id: UUID, into: UUID) -> None:
    await tx.execute(MOVE, review_id, into)


async def move_about(tx: Tx, review_id: UUID, about_id: UUID, into: UUID) -> None:
    """Moves those of a review that are about one thing."""
    await tx.execute(MOVE_ABOUT, review_id, about_id, into)


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


async def erase(tx: Tx, person_id: UUID) -> int:
    return int((await tx.execute(ERASE, person_id)).rpartition(" ")[2])


def _suggestion(row: Row) -> Suggestion:
    return Suggestion(**{**row, "facts": msgspec.json.decode(row["facts"])})
