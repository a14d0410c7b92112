"""The SQL of decisions and appeals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.safety.model import Appeal, Decision
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO safety.decision
    (id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement, nonce,
     begun_at, until, appeal_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb, $11, $12, $13, $14)
"""
DECISION = """
SELECT id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement,
       nonce, begun_at, until, appeal_until, ended_at, ended_why
FROM safety.decision WHERE id = $1
"""
LOCKED = """
SELECT id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement,
       nonce, begun_at, until, appeal_until, ended_at, ended_why
FROM safety.decision WHERE id = $1 FOR UPDATE
"""
OF_PERSON = """
SELECT id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement,
       nonce, begun_at, until, appeal_until, ended_at, ended_why
FROM safety.decision WHERE person_id = $1 ORDER BY begun_at DESC, id DESC LIMIT $2
"""
OF_REVIEW = """
SELECT id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement,
       nonce, begun_at, until, appeal_until, ended_at, ended_why
FROM safety.decision WHERE review_id = $1 ORDER BY begun_at, id
"""
NEWEST = """
SELECT id, review_id, staff_id, act, what, person_id, clip_id, comment_id, details, statement,
       nonce, begun_at, until, appeal_until, ended_at, ended_why
FROM safety.decision WHERE (begun_at, id) < ($1, $2) ORDER BY begun_at DESC, id DESC LIMIT $3
"""
END = """
UPDATE safety.decision SET ended_at = coalesce(ended_at, $2), ended_why = $3
WHERE id = $1 AND ended_why <> 'reversed'
"""
OVER = """
SELECT id, person_id FROM safety.decision WHERE until <= $1 AND ended_at IS NULL
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
ADD_APPEAL = """
INSERT INTO safety.appeal
    (id, review_id, decision_id, report_id, person_id, explanation, made_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
APPEAL_OF = """
SELECT id, review_id, decision_id, report_id, person_id, explanation, made_at, due_at, outcome,
       answer, staff_id, decided_at
FROM safety.appeal WHERE decision_id = $1 OR report_id = $1
"""
APPEALS_OF_REVIEW = """
SELECT id, review_id, decision_id, report_id, person_id, explanation, made_at, due_at, outcome,
       answer, staff_id, decided_at
FROM safety.appeal WHERE review_id = $1 ORDER BY id
"""
APPEALS = """
SELECT id, review_id, decision_id, report_id, person_id, explanation, made_at, due_at, outcome,
       answer, staff_id, decided_at
FROM safety.appeal WHERE decision_id = ANY ($1::uuid[]) OR report_id = ANY ($1::uuid[])
"""
DECIDE_APPEAL = """
UPDATE safety.appeal SET outcome = $2, answer = $3, staff_id = $4, decided_at = $5
WHERE id = $1 AND outcome = 'waiting'
"""
REPORTER_OF = "SELECT reporter_id FROM safety.report WHERE id = $1"
EXPORT = """
SELECT d.id, d.act, d.what, d.clip_id, d.comment_id, d.details::text AS details,
       d.statement::text AS statement, d.nonce, d.begun_at, d.until, d.appeal_until, d.ended_at,
       d.ended_why
FROM safety.decision d WHERE d.person_id = $1 ORDER BY d.begun_at, d.id
"""
EXPORT_APPEALS = """
SELECT id, decision_id, report_id, explanation, made_at, due_at, outcome, answer, decided_at
FROM safety.appeal WHERE person_id = $1 ORDER BY id
"""
# The statement stays, as everybody may read it, and says no more whom or what it was about.
ERASE = """
UPDATE safety.decision SET person_id = NULL, clip_id = NULL, comment_id = NULL, nonce = $2
WHERE person_id = $1
"""
ERASE_APPEALS = "DELETE FROM safety.appeal WHERE person_id = $1"


async def add(tx: Tx, one: Decision) -> None:
    await tx.execute(
        ADD,
        one.id,
        one.review_id,
        one.staff_id,
        one.act,
        one.what,
        one.person_id,
        one.clip_id,
        one.comment_id,
        msgspec.json.encode(one.details).decode(),
        msgspec.json.encode(one.statement).decode(),
        one.nonce,
        one.begun_at,
        one.until,
        one.appeal_until,
    )


async def decision(tx: Tx, decision_id: UUID) -> Decision | None:
    row = await tx.fetchrow(DECISION, decision_id)
    return _decision(row) if row else None


async def locked(tx: Tx, decision_id: UUID) -> Decision | None:
    """A decision that nobody else changes until the transaction ends."""
    row = await tx.fetchrow(LOCKED, decision_id)
    return _decision(row) if row else None


async def of_person(tx: Tx, person_id: UUID, limit: int) -> list[Decision]:
    return [_decision(row) for row in await tx.fetch(OF_PERSON, person_id, limit)]


async def of_review(tx: Tx, review_id: UUID) -> list[Decision]:
    return [_decision(row) for row in await tx.fetch(OF_REVIEW, review_id)]


async def newest(tx: Tx, before: datetime, before_id: UUID, limit: int) -> list[Decision]:
    return [_decision(row) for row in await tx.fetch(NEWEST, before, before_id, limit)]


async def end(tx: Tx, decision_id: UUID, now: datetime, why: str) -> None:
    await tx.execute(END, decision_id, now, why)


async def over(tx: Tx, now: datetime, limit: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(OVER, now, limit)]


async def add_appeal(tx: Tx, one: Appeal) -> None:
    await tx.execute(
        ADD_APPEAL,
        one.id,
        one.review_id,
        one.decision_id,
        one.report_id,
        one.person_id,
        one.explanation,
        one.made_at,
        one.due_at,
    )


async def appeal_of(tx: Tx, about: UUID) -> Appeal | None:
    """The appeal against a decision, or about what became of a report."""
    row = await tx.fetchrow(APPEAL_OF, about)
    return Appeal(*row) if row else None


async def appeals_of_review(tx: Tx, review_id: UUID) -> list[Appeal]:
    return [Appeal(*row) for row in await tx.fetch(APPEALS_OF_REVIEW, review_id)]


async def appeals(tx: Tx, about: Sequence[UUID]) -> dict[UUID, Appeal]:
    """By the decision or report that they are about."""
    found = [Appeal(*row) for row in await tx.fetch(APPEALS, list(about))]
    return {key: one for one in found if (key := one.decision_id or one.report_id) is not None}


async def decide_appeal(
    tx: Tx, appeal_id: UUID, outcome: str, answer: str, staff_id: UUID, now: datetime
) -> None:
    await tx.execute(DECIDE_APPEAL, appeal_id, outcome, answer, staff_id, now)


async def reporter_of(tx: Tx, report_id: UUID) -> UUID | None:
    found: UUID | None = await tx.fetchval(REPORTER_OF, report_id)
    return found


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


def export_appeals(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_APPEALS, person_id))


async def erase(tx: Tx, person_id: UUID) -> dict[str, int]:
    decided = await tx.execute(ERASE, person_id, bytes(32))
    appealed = await tx.execute(ERASE_APPEALS, person_id)
    return {
        "decisions": int(decided.rpartition(" ")[2]),
        "appeals": int(appealed.rpartition(" ")[2]),
    }


def _decision(row: Row) -> Decision:
    values = dict(row)
    for name in ("details", "statement"):
        values[name] = msgspec.json.decode(values[name])
    return Decision(**values)
