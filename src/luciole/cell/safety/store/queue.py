"""The SQL of the queue: cases, notes, duplicates, shifts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.safety.model import Category, Note, Review, Shift, Subject
from luciole.kit.db import Row, Tx

SUBJECTS = """
SELECT id, review_id, what, person_id, clip_id, comment_id, message_report_id
FROM safety.subject WHERE review_id = $1 ORDER BY id
"""
REVIEW = """
SELECT id, state, category, severity, opened_at, assigned_to, assigned_at, set_aside, digest,
       decided_at, is_apart
FROM safety.review WHERE id = $1
"""
LOCK = "SELECT id FROM safety.review WHERE id = $1 FOR UPDATE"
MINE = """
SELECT id FROM safety.review
WHERE assigned_to = $1 AND assigned_at > $2 AND state IN ('open', 'appealed')
ORDER BY assigned_at LIMIT 1
"""
# The gravest first, then the oldest; not who has set it aside, reported it, or is in it. Where one
# moderator has asked to read what was disclosed, it is theirs, and before all once two have signed.
NEXT = """
SELECT r.id FROM safety.review r
WHERE r.state IN ('open', 'appealed') AND (r.assigned_to IS NULL OR r.assigned_at <= $3)
  AND NOT $1 = ANY (r.set_aside)
  AND NOT EXISTS (SELECT 1 FROM safety.subject s WHERE s.review_id = r.id AND s.person_id = $2)
  AND NOT EXISTS (SELECT 1 FROM safety.report p WHERE p.review_id = r.id AND p.reporter_id = $2)
  AND NOT EXISTS (
      SELECT 1 FROM safety.disclosure d JOIN custody.read_state s ON s.id = d.read_id
      WHERE d.review_id = r.id AND s.ends_at > $4 AND (d.staff_id <> $1 OR NOT s.is_granted))
ORDER BY EXISTS (
      SELECT 1 FROM safety.disclosure d JOIN custody.read_state s ON s.id = d.read_id
      WHERE d.review_id = r.id AND s.ends_at > $4 AND d.staff_id = $1) DESC,
  r.severity DESC, r.opened_at, r.id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
ASSIGN = "UPDATE safety.review SET assigned_to = $2, assigned_at = $3 WHERE id = $1"
LEAVE = """
UPDATE safety.review SET assigned_to = NULL, assigned_at = NULL,
    set_aside = CASE WHEN $2 = ANY (set_aside) THEN set_aside ELSE set_aside || $2::uuid END
WHERE id = $1
"""
PUT_BACK = "UPDATE safety.review SET assigned_to = NULL, assigned_at = NULL WHERE id = $1"
SETTLE = """
UPDATE safety.review SET state = $2, decided_at = $3, assigned_to = NULL, assigned_at = NULL
WHERE id = $1
"""
REOPEN = """
UPDATE safety.review SET state = 'appealed', assigned_to = NULL, assigned_at = NULL,
    opened_at = $2, set_aside = $3::uuid[]
WHERE id = $1
"""
WAITING = """
SELECT category, state, opened_at FROM safety.review WHERE state IN ('open', 'appealed')
ORDER BY opened_at, id LIMIT $1
"""
NEXT_DUE = """
SELECT due_at FROM safety.appeal WHERE outcome = 'waiting' ORDER BY due_at, id LIMIT 1
"""
LOADS = """
SELECT staff_id, sum(taken)::int AS taken, bool_or(ends_at > $2) AS is_at_work FROM safety.shift
WHERE staff_id IS NOT NULL AND asked_at > $1 GROUP BY staff_id ORDER BY staff_id
"""
# Duplicates: of the same bytes, or of films that look alike, one takes in the other's reports; not
# while somebody has it in hand, who would decide about what they have not been shown; and not what
# a moderator has parted.
SET_DIGEST = "UPDATE safety.review SET digest = $2 WHERE id = $1"
TWIN = """
SELECT id FROM safety.review
WHERE digest = $2 AND state = 'open' AND assigned_to IS NULL AND NOT is_apart AND id <> $1
ORDER BY opened_at, id LIMIT 1 FOR UPDATE
"""
ALIKE = """
SELECT id FROM safety.review
WHERE id = ANY ($2::uuid[]) AND state = 'open' AND assigned_to IS NULL AND NOT is_apart AND id <> $1
ORDER BY array_position($2::uuid[], id) LIMIT 1 FOR UPDATE
"""
MOVE_SUBJECTS = "UPDATE safety.subject SET review_id = $2 WHERE review_id = $1"
MOVE_REPORTS = "UPDATE safety.report SET review_id = $2 WHERE review_id = $1"
MOVE_NOTES = "UPDATE safety.note SET review_id = $2 WHERE review_id = $1"
DROP = "DELETE FROM safety.review WHERE id = $1"
# Parting: a case of its own for one of the clips, with what was reported of it.
OPEN_APART = """
INSERT INTO safety.review (id, state, category, severity, opened_at, set_aside, is_apart)
SELECT $2, 'open', category, severity, opened_at, set_aside, true FROM safety.review WHERE id = $1
"""
# The bytes were perhaps those of the clip that goes.
FORGET_DIGEST = "UPDATE safety.review SET digest = NULL WHERE id = $1"
PART_SUBJECT = "UPDATE safety.subject SET review_id = $3 WHERE review_id = $1 AND clip_id = $2"
PART_REPORTS = """
UPDATE safety.report p SET review_id = $3 FROM safety.subject s
WHERE p.review_id = $1 AND s.id = p.subject_id AND s.clip_id = $2
"""
CLIP_FILES = "SELECT renditions, poster_key FROM clips.card WHERE id = $1"
CAPTION = "SELECT caption FROM clips.card WHERE id = $1"
COMMENT_TEXT = "SELECT text FROM clips.comment_card WHERE id = $1"
# Notes
ADD_NOTE = """
INSERT INTO safety.note (id, review_id, person_id, staff_id, words, made_at)
SELECT $1, $2, s.person_id, $3, $4, $5 FROM safety.subject s
WHERE s.review_id = $2 ORDER BY s.id LIMIT 1
"""
NOTES = "SELECT id, staff_id, words, made_at FROM safety.note WHERE review_id = $1 ORDER BY id"
# Shifts
IS_MODERATOR = "SELECT EXISTS (SELECT 1 FROM custody.moderator WHERE person_id = $1)"
MODERATOR = "SELECT EXISTS (SELECT 1 FROM custody.moderator WHERE id = $1 AND person_id = $2)"
ADD_SHIFT = """
INSERT INTO safety.shift (id, session_id, person_id, asked_at) VALUES ($1, $2, $3, $4)
"""
SHIFT = """
SELECT id, session_id, person_id, staff_id, asked_at, ends_at, taken
FROM safety.shift WHERE id = $1
"""
LAST_END = """
SELECT max(ends_at) FROM safety.shift WHERE person_id = $1 AND staff_id IS NOT NULL
"""
BEGIN_SHIFT = "UPDATE safety.shift SET staff_id = $2, ends_at = $3 WHERE id = $1"
ON_SHIFT = """
SELECT s.id, s.session_id, s.person_id, s.staff_id, s.asked_at, s.ends_at, s.taken
FROM safety.shift s JOIN custody.moderator m ON m.id = s.staff_id AND m.person_id = s.person_id
WHERE s.session_id = $1 AND s.person_id = $2 AND s.ends_at > $3 ORDER BY s.ends_at DESC LIMIT 1
"""
TAKEN_SINCE = """
SELECT coalesce(sum(taken), 0) FROM safety.shift WHERE staff_id = $1 AND asked_at > $2
"""
TAKE = "UPDATE safety.shift SET taken = taken + 1 WHERE id = $1"
TIDY_SHIFTS = "DELETE FROM safety.shift WHERE asked_at < $1"


class Files(NamedTuple):
    """The files of a clip: renditions as JSON, and the key of its poster."""

    renditions: str | None
    poster_key: str | None


async def subjects(tx: Tx, review_id: UUID) -> list[Subject]:
    return [Subject(*row) for row in await tx.fetch(SUBJECTS, review_id)]


async def review(tx: Tx, review_id: UUID) -> Review | None:
    row = await tx.fetchrow(REVIEW, review_id)
    return _review(row) if row else None


async def lock(tx: Tx, review_id: UUID) -> None:
    await tx.execute(LOCK, review_id)


async def assigned(tx: Tx, staff_id: UUID, since: datetime) -> UUID | None:
    found: UUID | None = await tx.fetchval(MINE, staff_id, since)
    return found


async def next_for(
    tx: Tx, staff_id: UUID, person_id: UUID, since: datetime, now: datetime
) -> UUID | None:
    found: UUID | None = await tx.fetchval(NEXT, staff_id, person_id, since, now)
    return found


async def assign(tx: Tx, review_id: UUID, staff_id: UUID, now: datetime) -> None:
    await tx.execute(ASSIGN, review_id, staff_id, now)


async def leave(tx: Tx, review_id: UUID, staff_id: UUID) -> None:
    await tx.execute(LEAVE, review_id, staff_id)


async def put_back(tx: Tx, review_id: UUID) -> None:
    await tx.execute(PUT_BACK, review_id)


async def settle(tx: Tx, review_id: UUID, state: str, now: datetime) -> None:
    await tx.execute(SETTLE, review_id, state, now)


async def reopen(tx: Tx, review_id: UUID, now: datetime, without: Sequence[UUID]) -> None:
    await tx.execute(REOPEN, review_id, now, list(without))


async def waiting(tx: Tx, most: int) -> list[tuple[Category, str, datetime]]:
    return [tuple(row) for row in await tx.fetch(WAITING, most)]


async def next_due(tx: Tx) -> datetime | None:
    """By when the first of the appeals that wait is to be answered."""
    found: datetime | None = await tx.fetchval(NEXT_DUE)
    return found


async def loads(tx: Tx, since: datetime, now: datetime) -> list[tuple[UUID, int, bool]]:
    """What each moderator has taken on since then, and whether they are at work now."""
    return [tuple(row) for row in await tx.fetch(LOADS, since, now)]


async def set_digest(tx: Tx, review_id: UUID, digest: bytes) -> None:
    await tx.execute(SET_DIGEST, review_id, digest)


async def twin(tx: Tx, review_id: UUID, digest: bytes) -> UUID | None:
    found: UUID | None = await tx.fetchval(TWIN, review_id, digest)
    return found


async def alike(tx: Tx, review_id: UUID, found: Sequence[UUID]) -> UUID | None:
    """The first of these that is still open and in nobody's hand."""
    twin_id: UUID | None = await tx.fetchval(ALIKE, review_id, list(found))
    return twin_id


async def merge(tx: Tx, review_id: UUID, into: UUID) -> None:
    """Moves all of a review into another, and drops what is left of it."""
    await tx.execute(MOVE_SUBJECTS, review_id, into)
    await tx.execute(MOVE_REPORTS, review_id, into)
    await tx.execute(MOVE_NOTES, review_id, into)
    await tx.execute(DROP, review_id)


async def part(tx: Tx, review_id: UUID, clip_id: UUID, into: UUID) -> None:
    """Opens a review for one of the clips of another, and moves there what was reported of it."""
    await tx.execute(OPEN_APART, review_id, into)
    await tx.execute(PART_REPORTS, review_id, clip_id, into)
    await tx.execute(PART_SUBJECT, review_id, clip_id, into)
    await tx.execute(FORGET_DIGEST, review_id)


async def files(tx: Tx, clip_id: UUID) -> Files | None:
    row = await tx.fetchrow(CLIP_FILES, clip_id)
    return Files(*row) if row else None


async def text_of(tx: Tx, subject: Subject) -> str:
    """Empty where there are no words, or no more."""
    found: str | None = None
    if subject.clip_id is not None:
        found = await tx.fetchval(CAPTION, subject.clip_id)
    elif subject.comment_id is not None:
        found = await tx.fetchval(COMMENT_TEXT, subject.comment_id)
    return found or ""


async def add_note(
    tx: Tx, note_id: UUID, review_id: UUID, staff_id: UUID, words: str, now: datetime
) -> None:
    await tx.execute(ADD_NOTE, note_id, review_id, staff_id, words, now)


async def notes(tx: Tx, review_id: UUID) -> list[Note]:
    return [Note(*row) for row in await tx.fetch(NOTES, review_id)]


async def is_moderator(tx: Tx, person_id: UUID, staff_id: UUID | None = None) -> bool:
    if staff_id is None:
        return bool(await tx.fetchval(IS_MODERATOR, person_id))
    return bool(await tx.fetchval(MODERATOR, staff_id, person_id))


async def add_shift(tx: Tx, one: Shift) -> None:
    await tx.execute(ADD_SHIFT, one.id, one.session_id, one.person_id, one.asked_at)


async def shift(tx: Tx, shift_id: UUID) -> Shift | None:
    row = await tx.fetchrow(SHIFT, shift_id)
    return Shift(*row) if row else None


async def begin_shift(tx: Tx, shift_id: UUID, staff_id: UUID, ends_at: datetime) -> None:
    await tx.execute(BEGIN_SHIFT, shift_id, staff_id, ends_at)


async def last_end(tx: Tx, person_id: UUID) -> datetime | None:
    """When the last shift of a moderator ends or ended, on whichever device."""
    found: datetime | None = await tx.fetchval(LAST_END, person_id)
    return found


async def on_shift(tx: Tx, session_id: UUID, person_id: UUID, now: datetime) -> Shift | None:
    row = await tx.fetchrow(ON_SHIFT, session_id, person_id, now)
    return Shift(*row) if row else None


async def taken_since(tx: Tx, staff_id: UUID, since: datetime) -> int:
    return int(await tx.fetchval(TAKEN_SINCE, staff_id, since))


async def take(tx: Tx, shift_id: UUID) -> None:
    await tx.execute(TAKE, shift_id)


async def tidy(tx: Tx, shifts_before: datetime) -> None:
    await tx.execute(TIDY_SHIFTS, shifts_before)


def _review(row: Row) -> Review:
    return Review(**{**row, "set_aside": tuple(row["set_aside"])})
