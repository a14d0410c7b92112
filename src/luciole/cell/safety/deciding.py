"""Decisions and appeals: what they do, the statement of reasons, the entry in the log, the telling.

All of it is one transaction: nobody is restricted in anything of which they have no statement yet,
and what was reversed is as it was, since a decision takes nothing away but the view of it.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from luciole.cell.notices import model as notices_model
from luciole.cell.notices.model import Measure
from luciole.cell.notices.service import Notices
from luciole.cell.notify.service import Notify
from luciole.cell.people.model import RestrictedAct, Restriction
from luciole.cell.people.service import People
from luciole.cell.safety import model, refusals, statement, store, suggesting
from luciole.cell.safety.eu_database import Source
from luciole.cell.safety.model import (
    Appeal,
    Decided,
    Decision,
    Report,
    Review,
    Shift,
    Subject,
    Wish,
)
from luciole.cell.safety.reporting import LOG, clean, code_hash
from luciole.cell.safety.store import decisions, queue
from luciole.cell.safety.wishes import ABOUT_PEOPLE, EXPLANATION, each, source_of, target
from luciole.cell.safety.wishes import clean as clean_wish
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger

AT_ONCE = 100


class Deciding:
    """Decides, and hears appeals."""

    def __init__(self, people: People, notices: Notices, notify: Notify, clock: Clock) -> None:
        self._people = people
        self._notices = notices
        self._notify = notify
        self._clock = clock

    # --- deciding -------------------------------------------------------------------------------

    async def dismiss(self, tx: Tx, shift: Shift, review: Review, answer: str) -> None:
        """Nothing is done, and those who reported are told why. Raises BadDecision."""
        answer = clean(answer)
        if len(answer) not in EXPLANATION or await self._is_of_decision(tx, review):
            raise refusals.BadDecision
        if not await store.of_review(tx, review.id):
            # Nobody asked but a machine: the answer is for whoever looks at it again.
            assert shift.staff_id is not None
            now = self._clock.now()
            await queue.add_note(tx, new_id(), review.id, shift.staff_id, answer, now)
        await self._answer(tx, review, "no-violation", answer)
        await suggesting.settle(tx, review.id, "dismissed", self._clock.now())
        await self._settle_appeals(tx, shift, review, "upheld", answer)
        await self._keep_away(tx, shift, review)
        await queue.settle(tx, review.id, "decided", self._clock.now())

    async def decide(
        self, tx: Tx, shift: Shift, review: Review, wish: Wish, answer: str
    ) -> list[Decision]:
        """Does something about all that a review is about, each with its statement. `answer` goes
        to those who reported. Raises BadDecision, and AlreadyDecided where what was reported is
        gone."""
        subjects = await queue.subjects(tx, review.id)
        reports = await store.of_review(tx, review.id)
        wish, answer = clean_wish(wish), clean(answer)
        if (
            await self._is_of_decision(tx, review)
            or not subjects
            or any(wish.act not in model.ACTS_ON[one.what] for one in subjects)
        ):
            raise refusals.BadDecision
        if wish.act not in ABOUT_PEOPLE:
            subjects = [one for one in subjects if await store.is_there(tx, one)]
            if not subjects:
                raise refusals.AlreadyDecided
        source = source_of(reports)
        is_pointed_at = await suggesting.pointing_at(tx, review.id)
        by: Literal["thing", "person"] = "person" if wish.act in ABOUT_PEOPLE else "thing"
        made = [
            await self._impose(tx, shift, one, wish, source, is_suggested=is_pointed_at(one, by))
            for one in each(wish, subjects)
        ]
        await self._answer(tx, review, "acted", answer)
        await suggesting.settle(tx, review.id, "confirmed", self._clock.now())
        await self._settle_appeals(tx, shift, review, "reversed", answer)
        await self._keep_away(tx, shift, review)
        await queue.settle(tx, review.id, "decided", self._clock.now())
        return made

    async def _is_of_decision(self, tx: Tx, review: Review) -> bool:
        """Whether somebody who was decided about waits to be heard: that is answered first."""
        found = await decisions.appeals_of_review(tx, review.id)
        return any(one.outcome == "waiting" and one.decision_id is not None for one in found)

    async def _keep_away(self, tx: Tx, shift: Shift, review: Review) -> None:
        """Should this be appealed, it goes to somebody else."""
        assert shift.staff_id is not None
        await queue.leave(tx, review.id, shift.staff_id)

    async def _impose(
        self,
        tx: Tx,
        shift: Shift,
        subject: Subject,
        wish: Wish,
        source: Source,
        *,
        is_suggested: bool,
    ) -> Decision:
        assert shift.staff_id is not None
        now = self._clock.now()
        until = now + timedelta(days=wish.days) if wish.days else None
        what, clip_id, comment_id = target(wish, subject)
        # Random, since it is public and says nothing of when and in which order.
        puid = uuid4()
        try:
            said = statement.made(
                puid,
                wish,
                what,
                content_on=await self._content_on(tx, subject, what),
                now=now,
                until=until,
                source=source,
                is_suggested=is_suggested,
            )
        except msgspec.ValidationError:
            raise refusals.BadDecision from None
        decision = Decision(
            id=puid,
            review_id=subject.review_id,
            staff_id=shift.staff_id,
            act=wish.act,
            what=what,
            person_id=subject.person_id,
            clip_id=clip_id,
            comment_id=comment_id,
            details={
                "countries": list(wish.countries),
                "label": wish.label,
                "acts": list(wish.acts),
            },
            statement=said,
            nonce=secrets.token_bytes(32),
            begun_at=now,
            until=until,
            appeal_until=now + timedelta(days=model.APPEAL_DAYS),
            ended_at=None,
            ended_why="",
        )
        await decisions.add(tx, decision)
        await self._take_effect(tx, decision, wish)
        await ledger.put(tx, LOG, statement.decision_entry(decision, key_of(decision)))
        await self._notify.tell_as_cell(
            tx, "decision", to=subject.person_id, clip_id=clip_id, about_id=puid
        )
        return decision

    async def _take_effect(self, tx: Tx, decision: Decision, wish: Wish) -> None:
        assert decision.person_id is not None
        if decision.act in ABOUT_PEOPLE:
            acts: tuple[RestrictedAct, ...] = wish.acts if wish.act == "limit" else ("everything",)
            await self._people.restrict(
                tx,
                Restriction(
                    decision.id, decision.person_id, acts, decision.begun_at, decision.until
                ),
            )
        if decision.act == "limit":
            return
        effect = {"adults": "adults", "label": "label"}.get(decision.act, "withhold")
        await self._notices.measure(
            tx,
            Measure(
                decision.id,
                msgspec.convert(effect, notices_model.Effect),
                decision.what,
                decision.person_id,
                decision.clip_id,
                decision.comment_id,
                wish.countries,
                wish.label,
                decision.begun_at,
                decision.until,
            ),
        )

    async def _content_on(self, tx: Tx, subject: Subject, what: Decided) -> date:
        found: object = None
        if what == "clip" and subject.clip_id:
            found = (await store.clip(tx, subject.clip_id) or (None, None))[1]
        elif what == "comment" and subject.comment_id:
            found = (await store.comment(tx, subject.comment_id) or (None, None))[1]
        if isinstance(found, datetime):
            return found.date()
        opened = await store.opened_on(tx, subject.person_id)
        return opened if isinstance(opened, date) else self._clock.now().date()

    async def _answer(self, tx: Tx, review: Review, outcome: str, answer: str) -> None:
        now = self._clock.now()
        answered = await store.answer(tx, review.id, outcome, answer, now)
        if not answered:
            return
        ids = [report_id for report_id, _ in answered]
        await ledger.put(tx, LOG, statement.answered_entry(ids, outcome, now))
        # Whoever appealed is told that, and once.
        appeals = await decisions.appeals(tx, ids)
        waiting = {key for key, one in appeals.items() if one.outcome == "waiting"}
        for report_id, reporter_id in answered:
            if reporter_id is not None and report_id not in waiting:
                await self._notify.tell_as_cell(
                    tx, "report-decided", to=reporter_id, clip_id=None, about_id=report_id
                )

    # --- appeals --------------------------------------------------------------------------------

    async def appeal_decision(
        self, tx: Tx, person_id: UUID, decision_id: UUID, explanation: str
    ) -> Appeal:
        """Of who was decided about. Another moderator hears it. Raises NoSuchStatement, NoAppeal,
        BadAppeal."""
        decision = await decisions.locked(tx, decision_id)
        if decision is None or decision.person_id != person_id:
            raise refusals.NoSuchStatement
        now = self._clock.now()
        if decision.appeal_until <= now or decision.ended_why == "reversed":
            raise refusals.NoAppeal
        return await self._appeal(
            tx, decision.review_id, person_id, explanation, decision_id=decision_id
        )

    async def appeal_report(
        self, tx: Tx, person_id: UUID, report_id: UUID, explanation: str
    ) -> Appeal:
        """Of who reported and saw nothing done. Raises NoSuchReport, NoAppeal, BadAppeal."""
        report = await store.own_report(tx, report_id, person_id)
        return await self._appeal_report(tx, report, person_id, explanation)

    async def appeal_notice(self, tx: Tx, code: str, explanation: str) -> Appeal:
        """Of who sent a notice by the form and saw nothing done: whoever holds its code. Raises
        NoSuchReport, NoAppeal, BadAppeal."""
        report = await store.coded_report(tx, code_hash(code))
        return await self._appeal_report(tx, report, None, explanation)

    async def _appeal_report(
        self, tx: Tx, report: Report | None, person_id: UUID | None, explanation: str
    ) -> Appeal:
        if report is None:
            raise refusals.NoSuchReport
        ends = model.appeal_until(report)
        if ends is None or ends <= self._clock.now():
            raise refusals.NoAppeal
        return await self._appeal(tx, report.review_id, person_id, explanation, report_id=report.id)

    async def _appeal(
        self,
        tx: Tx,
        review_id: UUID | None,
        person_id: UUID | None,
        explanation: str,
        *,
        decision_id: UUID | None = None,
        report_id: UUID | None = None,
    ) -> Appeal:
        words, now = clean(explanation), self._clock.now()
        if not words:
            raise refusals.BadAppeal
        about = decision_id or report_id
        assert about is not None
        if review_id is None:
            raise refusals.NoAppeal
        await queue.lock(tx, review_id)
        review = await queue.review(tx, review_id)
        if review is None or await decisions.appeal_of(tx, about) is not None:
            raise refusals.NoAppeal
        appeal = Appeal(
            id=new_id(),
            review_id=review_id,
            decision_id=decision_id,
            report_id=report_id,
            person_id=person_id,
            explanation=words,
            made_at=now,
            due_at=model.appeal_due(now),
            outcome="waiting",
            answer="",
            staff_id=None,
            decided_at=None,
        )
        await decisions.add_appeal(tx, appeal)
        await ledger.put(tx, LOG, statement.appeal_entry(appeal))
        before = {one.staff_id for one in await decisions.of_review(tx, review_id)}
        await queue.reopen(tx, review_id, now, sorted(before | set(review.set_aside)))
        return appeal

    async def uphold(self, tx: Tx, shift: Shift, review: Review, answer: str) -> None:
        """What was decided stays. Raises BadDecision."""
        await self._hear(tx, shift, review, "upheld", answer)

    async def reverse(self, tx: Tx, shift: Shift, review: Review, answer: str) -> None:
        """What was decided about is as it was before; whoever appealed is told. Raises
        BadDecision."""
        await self._hear(tx, shift, review, "reversed", answer)

    async def _hear(self, tx: Tx, shift: Shift, review: Review, outcome: str, answer: str) -> None:
        answer = clean(answer)
        waiting = [
            one
            for one in await decisions.appeals_of_review(tx, review.id)
            if one.outcome == "waiting" and one.decision_id is not None
        ]
        if len(answer) not in EXPLANATION or not waiting:
            raise refusals.BadDecision
        for one in await decisions.of_review(tx, review.id):
            if one.staff_id == shift.staff_id:
                raise refusals.NotForYou
        if outcome == "reversed":
            for appeal in waiting:
                assert appeal.decision_id is not None
                await self._end(tx, appeal.decision_id, "reversed")
            await suggesting.reverse(tx, review.id, self._clock.now())
        await self._settle_appeals(tx, shift, review, outcome, answer, of_decisions=True)
        await queue.settle(tx, review.id, "decided", self._clock.now())

    async def _settle_appeals(
        self,
        tx: Tx,
        shift: Shift,
        review: Review,
        outcome: str,
        answer: str,
        *,
        of_decisions: bool = False,
    ) -> None:
        """Answers appeals that wait: of who was decided about, or of who reported."""
        assert shift.staff_id is not None
        now = self._clock.now()
        for one in await decisions.appeals_of_review(tx, review.id):
            if one.outcome != "waiting" or (one.decision_id is not None) != of_decisions:
                continue
            await decisions.decide_appeal(tx, one.id, outcome, answer, shift.staff_id, now)
            entry = statement.appeal_decided_entry(one.id, outcome, shift.staff_id, now)
            await ledger.put(tx, LOG, entry)
            about = one.decision_id or one.report_id
            if one.person_id is not None and about is not None:
                await self._notify.tell_as_cell(
                    tx, "appeal-decided", to=one.person_id, clip_id=None, about_id=about
                )

    async def _end(self, tx: Tx, decision_id: UUID, why: str) -> None:
        now = self._clock.now()
        await decisions.end(tx, decision_id, now, why)
        await self._notices.end_measures(tx, decision_id)
        await self._people.free(tx, decision_id)
        await ledger.put(tx, LOG, statement.ended_entry(decision_id, why, now))

    async def settle(self, tx: Tx) -> bool:
        """Notes what is over because its day has come; whether there may be more."""
        over = await decisions.over(tx, self._clock.now(), AT_ONCE)
        for decision_id in over:
            await self._end(tx, decision_id, "over")
        return len(over) == AT_ONCE


def key_of(decision: Decision) -> str:
    """What a decision is about, as its commitment says it."""
    return f"{decision.what}/{decision.clip_id or decision.comment_id or decision.person_id}"
