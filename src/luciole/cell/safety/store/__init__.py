"""The SQL of reports, and of what is reported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.safety.model import Category, Found, Report, Subject
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

# What may be reported
CLIP = "SELECT id, author_id, published_at FROM clips.card WHERE id = $1"
COMMENT = "SELECT id, writer_id, made_at FROM clips.comment_card WHERE id = $1"
PERSON = "SELECT id FROM people.card WHERE handle = $1"
OPENED_ON = "SELECT opened_on FROM people.opened WHERE person_id = $1"
# Two reports of the same thing at the same moment become one case.
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended($1, 37))"
# Reports
ADD = """
INSERT INTO safety.report
    (id, review_id, reporter_id, code_hash, what, category, is_illegal, explanation, made_at,
     subject_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
ADD_NOTIFIER = """
INSERT INTO safety.notifier (report_id, name, email, locale) VALUES ($1, $2, $3, $4)
"""
OF_REPORTER = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE reporter_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""
BY_CODE = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE code_hash = $1
"""
CODED_REPORT = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE code_hash = $1 FOR UPDATE
"""
OWN_REPORT = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE id = $1 AND reporter_id = $2 FOR UPDATE
"""
OF_REVIEW = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE review_id = $1 ORDER BY id
"""
ANSWER = """
UPDATE safety.report SET outcome = $2, answer = $3, decided_at = $4
WHERE review_id = $1 AND outcome = ANY ($5::text[]) RETURNING id, reporter_id
"""
SAME = """
SELECT id, review_id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report
WHERE review_id = $1 AND reporter_id = $2 AND category = $3 AND is_illegal = $4
  AND explanation = $5 AND outcome = 'waiting'
ORDER BY id LIMIT 1
"""
REPORTERS = "SELECT reporter_id FROM safety.report WHERE review_id = $1 AND reporter_id IS NOT NULL"
# Reviews
OPEN_OF = """
SELECT r.id FROM safety.review r JOIN safety.subject s ON s.review_id = r.id
WHERE r.state = 'open' AND s.what = $1 AND s.person_id = $2
  AND s.clip_id IS NOT DISTINCT FROM $3 AND s.comment_id IS NOT DISTINCT FROM $4
  AND s.message_report_id IS NOT DISTINCT FROM $5
ORDER BY r.id LIMIT 1 FOR UPDATE OF r
"""
OPEN = """
INSERT INTO safety.review (id, state, category, severity, opened_at)
VALUES ($1, 'open', $2, $3, $4)
"""
RAISE = """
UPDATE safety.review SET category = $2, severity = $3 WHERE id = $1 AND severity < $3
"""
SUBJECT_OF = """
SELECT id FROM safety.subject
WHERE review_id = $1 AND what = $2 AND person_id = $3
  AND clip_id IS NOT DISTINCT FROM $4 AND comment_id IS NOT DISTINCT FROM $5
  AND message_report_id IS NOT DISTINCT FROM $6
ORDER BY id LIMIT 1
"""
ADD_SUBJECT = """
INSERT INTO safety.subject
    (id, review_id, what, person_id, clip_id, comment_id, message_report_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
# Nobody is left to decide about, what was reported is gone, or whoever appealed.
GONE = """
SELECT r.id FROM safety.review r
WHERE (r.state = 'appealed' AND NOT EXISTS (
    SELECT 1 FROM safety.appeal a WHERE a.review_id = r.id AND a.outcome = 'waiting'))
OR r.state = 'open' AND NOT EXISTS (
    SELECT 1 FROM safety.subject s
    WHERE s.review_id = r.id
      AND (s.clip_id IS NULL OR EXISTS (SELECT 1 FROM clips.card c WHERE c.id = s.clip_id))
      AND (s.comment_id IS NULL
           OR EXISTS (SELECT 1 FROM clips.comment_card c WHERE c.id = s.comment_id)))
ORDER BY r.id LIMIT $1 FOR UPDATE OF r SKIP LOCKED
"""
NEW_MESSAGE_REPORTS = """
SELECT m.id, m.reporter_id, m.about_id, m.made_at FROM messages.reported m
WHERE NOT EXISTS (SELECT 1 FROM safety.subject s WHERE s.message_report_id = m.id)
ORDER BY m.id LIMIT $1
"""
EXPORT = """
SELECT id, what, category, is_illegal, explanation, made_at, outcome, answer, decided_at
FROM safety.report WHERE reporter_id = $1 ORDER BY id
"""
ERASE_REPORTS = "DELETE FROM safety.report WHERE reporter_id = $1"
ERASE_SUBJECTS = "DELETE FROM safety.subject WHERE person_id = $1"
ERASE_NOTES = "DELETE FROM safety.note WHERE person_id = $1"
ERASE_SHIFTS = "DELETE FROM safety.shift WHERE person_id = $1"


class MessageReport(NamedTuple):
    """A report of messages: by whom, about whom, and nothing of what is in it."""

    id: UUID
    reporter_id: UUID
    about_id: UUID
    made_at: datetime


async def clip(tx: Tx, clip_id: UUID) -> tuple[Found, datetime | None] | None:
    row = await tx.fetchrow(CLIP, clip_id)
    found = row and Found("clip", row["author_id"], clip_id=row["id"])
    return (found, row["published_at"]) if row and found else None


async def comment(tx: Tx, comment_id: UUID) -> tuple[Found, datetime] | None:
    row = await tx.fetchrow(COMMENT, comment_id)
    found = row and Found("comment", row["writer_id"], comment_id=row["id"])
    return (found, row["made_at"]) if row and found else None


async def person(tx: Tx, handle: str) -> Found | None:
    person_id = await tx.fetchval(PERSON, handle)
    return Found("person", person_id) if person_id else None


async def opened_on(tx: Tx, person_id: UUID) -> object:
    return await tx.fetchval(OPENED_ON, person_id)


async def is_there(tx: Tx, subject: Subject) -> bool:
    """Whether the clip or comment that was reported is still there."""
    if subject.clip_id is not None:
        return await clip(tx, subject.clip_id) is not None
    return subject.comment_id is None or await comment(tx, subject.comment_id) is not None


async def hold(tx: Tx, key: str) -> None:
    await tx.execute(HOLD, key)


async def add(
    tx: Tx,
    report: Report,
    subject_id: UUID | None,
    reporter_id: UUID | None,
    code_hash: bytes | None,
) -> None:
    await tx.execute(
        ADD,
        report.id,
        report.review_id,
        reporter_id,
        code_hash,
        report.what,
        report.category,
        report.is_illegal,
        report.explanation,
        report.made_at,
        subject_id,
    )


async def same(tx: Tx, report: Report, reporter_id: UUID) -> Report | None:
    """The report that this one says again, while it waits."""
    row = await tx.fetchrow(
        SAME,
        report.review_id,
        reporter_id,
        report.category,
        report.is_illegal,
        report.explanation,
    )
    return Report(*row) if row else None


async def add_notifier(tx: Tx, report_id: UUID, name: str, email: str, locale: str) -> None:
    await tx.execute(ADD_NOTIFIER, report_id, name, email, locale)


async def of_reporter(tx: Tx, person_id: UUID, before: UUID, limit: int) -> list[Report]:
    return [Report(*row) for row in await tx.fetch(OF_REPORTER, person_id, before, limit)]


async def by_code(tx: Tx, code_hash: bytes) -> Report | None:
    row = await tx.fetchrow(BY_CODE, code_hash)
    return Report(*row) if row else None


async def coded_report(tx: Tx, code_hash: bytes) -> Report | None:
    """The report of a code, which nobody else changes until the transaction ends."""
    row = await tx.fetchrow(CODED_REPORT, code_hash)
    return Report(*row) if row else None


async def own_report(tx: Tx, report_id: UUID, person_id: UUID) -> Report | None:
    row = await tx.fetchrow(OWN_REPORT, report_id, person_id)
    return Report(*row) if row else None


async def of_review(tx: Tx, review_id: UUID) -> list[Report]:
    return [Report(*row) for row in await tx.fetch(OF_REVIEW, review_id)]


async def answer(
    tx: Tx, review_id: UUID, outcome: str, words: str, now: datetime
) -> list[tuple[UUID, UUID | None]]:
    """Answers what still waits of a review, and where something is done now, those too that were
    told that nothing would be; the reports, and who made them."""
    before = ["waiting", "no-violation"] if outcome == "acted" else ["waiting"]
    rows = await tx.fetch(ANSWER, review_id, outcome, words, now, before)
    return [(row["id"], row["reporter_id"]) for row in rows]


async def reporters(tx: Tx, review_id: UUID) -> set[UUID]:
    return {row["reporter_id"] for row in await tx.fetch(REPORTERS, review_id)}


async def open_of(tx: Tx, found: Found) -> UUID | None:
    ids = (found.clip_id, found.comment_id, found.message_report_id)
    review_id: UUID | None = await tx.fetchval(OPEN_OF, found.what, found.person_id, *ids)
    return review_id


async def subject_of(tx: Tx, review_id: UUID, found: Found) -> UUID | None:
    ids = (found.clip_id, found.comment_id, found.message_report_id)
    subject_id: UUID | None = await tx.fetchval(
        SUBJECT_OF, review_id, found.what, found.person_id, *ids
    )
    return subject_id


async def open_review(
    tx: Tx, review_id: UUID, category: Category, severity: int, now: datetime
) -> None:
    await tx.execute(OPEN, review_id, category, severity, now)


async def raise_severity(tx: Tx, review_id: UUID, category: Category, severity: int) -> None:
    await tx.execute(RAISE, review_id, category, severity)


async def add_subject(tx: Tx, subject_id: UUID, review_id: UUID, found: Found) -> None:
    ids = (found.clip_id, found.comment_id, found.message_report_id)
    await tx.execute(ADD_SUBJECT, subject_id, review_id, found.what, found.person_id, *ids)


async def gone(tx: Tx, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(GONE, most)]


async def new_message_reports(tx: Tx, most: int) -> list[MessageReport]:
    return [MessageReport(*row) for row in await tx.fetch(NEW_MESSAGE_REPORTS, most)]


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


async def erase(tx: Tx, person_id: UUID) -> dict[str, int]:
    """Takes reports and cases of a person; how many of what."""
    done = {
        "reports": await tx.execute(ERASE_REPORTS, person_id),
        "reviews": await tx.execute(ERASE_SUBJECTS, person_id),
        "notes": await tx.execute(ERASE_NOTES, person_id),
        "shifts": await tx.execute(ERASE_SHIFTS, person_id),
    }
    return {name: int(said.rpartition(" ")[2]) for name, said in done.items()}
