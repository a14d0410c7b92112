"""The front door of safety: its parts, and what people see of reports and statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.service import Clips
from luciole.cell.messages.service import Messages
from luciole.cell.notices.service import Notices
from luciole.cell.notify.service import Notify
from luciole.cell.people.service import People
from luciole.cell.safety import refusals, shapes, statement
from luciole.cell.safety.deciding import Deciding, key_of
from luciole.cell.safety.disclosing import Disclosing
from luciole.cell.safety.duplicates import Duplicates
from luciole.cell.safety.eu_database import Statement
from luciole.cell.safety.lists import Lists
from luciole.cell.safety.model import LISTED, Appeal, Decision
from luciole.cell.safety.notifying import Notifying
from luciole.cell.safety.reporting import Reporting
from luciole.cell.safety.reviewing import Reviewing
from luciole.cell.safety.rules import Rules
from luciole.cell.safety.shapes import StatementBody
from luciole.cell.safety.store import decisions
from luciole.cell.safety.transparency import Counting
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import LAST_ID
from luciole.kit.queue import Queue

EXPORTED_AT_ONCE = 100
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class StatementPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of statements ended, in microseconds of POSIX time."""

    begun_us: int
    id: UUID


class Safety:
    """Reporting, reviewing, deciding; and statements for whoever asks."""

    def __init__(
        self,
        people: People,
        clips: Clips,
        comments: Comments,
        notices: Notices,
        notify: Notify,
        blobs: Blobs,
        cursors: Cursors,
        clock: Clock,
        queue: Queue,
        origin: str,
        notifying: Notifying,
        messages: Messages,
        custody: Custody,
    ) -> None:
        self.reporting = Reporting(clips, comments, clock, queue)
        self.reviewing = Reviewing(clock, origin)
        self.deciding = Deciding(people, notices, notify, clock)
        self.notifying = notifying
        self.disclosing = Disclosing(messages, custody, clock)
        self.transparency = Counting(blobs)
        self.lists = Lists(clock, queue)
        self.duplicates = Duplicates(clock, queue)
        self.rules = Rules(clock)
        self._cursors = cursors
        self._clock = clock

    async def statement(self, tx: Tx, decision_id: UUID, viewer_id: UUID | None) -> StatementBody:
        """A statement: all of it for whom it is about, for others without whom. Raises
        NoSuchStatement."""
        found = await decisions.decision(tx, decision_id)
        if found is None:
            raise refusals.NoSuchStatement
        return self.body(found, await decisions.appeal_of(tx, found.id), viewer_id)

    async def statements(self, tx: Tx, person_id: UUID) -> list[StatementBody]:
        """Decisions about a person, the newest first."""
        found = await decisions.of_person(tx, person_id, LISTED)
        appeals = await decisions.appeals(tx, [one.id for one in found])
        return [self.body(one, appeals.get(one.id), person_id) for one in found]

    async def exported(
        self, tx: Tx, cursor: str | None
    ) -> tuple[list[Statement], str | None, list[UUID]]:
        """Statements for the EU's database, the newest first, the next cursor, and the ids of those
        that are not in the database's form. One that holds in no country of the EEA is none of
        theirs."""
        place = self._cursors.read("statements", cursor, StatementPlace)
        before = _at(place.begun_us) if place else self._clock.now()
        found = await decisions.newest(
            tx, before, place.id if place else LAST_ID, EXPORTED_AT_ONCE + 1
        )
        following = None
        if len(found) > EXPORTED_AT_ONCE:
            found = found[:EXPORTED_AT_ONCE]
            last = found[-1]
            place = StatementPlace(_us(last.begun_at), last.id)
            following = self._cursors.make("statements", place)
        made, left_out = list[Statement](), list[UUID]()
        for one in found:
            if not one.statement["territorial_scope"]:
                continue
            try:
                made.append(msgspec.convert(one.statement, Statement))
            except msgspec.ValidationError:
                left_out.append(one.id)
        return made, following, left_out

    def body(self, one: Decision, appeal: Appeal | None, viewer_id: UUID | None) -> StatementBody:
        """A decision as a viewer reads it."""
        said, now = one.statement, self._clock.now()
        is_yours = viewer_id is not None and viewer_id == one.person_id
        is_illegal = said["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
        kind = "illegal_content" if is_illegal else "incompatible_content"
        ground = "illegal_content_legal_ground" if is_illegal else "incompatible_content_ground"
        is_in_force = one.ended_at is None and (one.until is None or one.until > now)
        is_open = one.appeal_until > now and one.ended_why != "reversed" and appeal is None
        return StatementBody(
            id=one.id,
            act=one.act,
            what=one.what,
            is_in_force=is_in_force,
            ended_why=one.ended_why or ("" if is_in_force else "over"),
            begun_at=one.begun_at,
            until=one.until,
            countries=one.details["countries"],
            label=one.details["label"],
            acts=one.details["acts"],
            is_illegal=is_illegal,
            ground=said[ground],
            explanation=said[f"{kind}_explanation"],
            facts=said["decision_facts"],
            category=shapes.category_of(one),
            is_notice=said["source_type"] == "SOURCE_ARTICLE_16",
            is_report=said["source_type"] == "SOURCE_TYPE_OTHER_NOTIFICATION",
            is_suggested=said["automated_detection"] == "Yes",
            appeal_until=one.appeal_until,
            is_yours=is_yours,
            subject=key_of(one) if is_yours and one.what != "person" else "",
            commit=statement.commitment(one.nonce, said, key_of(one)).hex() if is_yours else "",
            nonce=one.nonce.hex() if is_yours else "",
            may_appeal=is_yours and is_open and one.review_id is not None,
            appeal=shapes.appeal_body(appeal) if is_yours else None,
        )

    async def appeals(self, tx: Tx, about: Sequence[UUID]) -> dict[UUID, Appeal]:
        """Appeals by what they are about."""
        return await decisions.appeals(tx, about)


def _us(at: datetime) -> int:
    return (at - _BEGINNING) // timedelta(microseconds=1)


def _at(us: int) -> datetime:
    return _BEGINNING + timedelta(microseconds=us)
