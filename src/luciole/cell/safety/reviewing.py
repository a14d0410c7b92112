"""The queue: whose turn it is, what a moderator sees of a case, how much is enough for a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from luciole.cell.media.model import Rendition
from luciole.cell.people.model import Viewer
from luciole.cell.safety import duplicates, model, refusals, statement, store, suggesting
from luciole.cell.safety.copies import Alike
from luciole.cell.safety.model import (
    Appeal,
    Decision,
    Measured,
    Note,
    Report,
    Review,
    Shift,
    Subject,
    Suggestion,
)
from luciole.cell.safety.reporting import LOG, clean
from luciole.cell.safety.store import copies, decisions, notifiers, queue, suggestions
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

_RENDITIONS = msgspec.json.Decoder(list[Rendition])
SHOWN_BEFORE = 10


class Case(msgspec.Struct, frozen=True):
    """What a moderator is given: what is reported and why; never by whom."""

    review: Review
    subjects: list[Subject]
    reports: list[Report]
    suggestions: list[tuple[Suggestion, Measured]]
    """Of machines, each with what is measured of its list or rule."""
    notes: list[Note]
    appeals: list[Appeal]
    decisions: list[Decision]
    """Of this case, where it is appealed."""
    before: list[Decision]
    """Those about the same people, the newest first."""
    alike: dict[UUID, Alike]
    """By clip, how it is like the one of the others that it is most like."""
    removed: dict[UUID, UUID]
    """By decision that a machine has pointed to, the film that it removed."""
    has_names: bool
    """Whether it may count who sent a notice of it, and somebody has said so."""


class Standing(msgspec.Struct, frozen=True):
    """How the queue stands: categories with since when they wait, how many are appeals and by when
    the first is due, and by staff id what moderators have taken on in a day and who is at work."""

    waiting: list[tuple[str, datetime]]
    appeals: int
    next_due: datetime | None
    loads: list[tuple[UUID, int, bool]]


class Reviewing:
    """The front door of the queue."""

    def __init__(self, clock: Clock, origin: str) -> None:
        self._clock = clock
        self._origin = origin

    # --- shifts ---------------------------------------------------------------------------------

    async def ask_shift(self, tx: Tx, viewer: Viewer) -> tuple[Shift, bytes]:
        """The text that a moderator signs to begin. Raises NotModerator, BreakNeeded."""
        if not await queue.is_moderator(tx, viewer.person_id):
            raise refusals.NotModerator
        now = self._clock.now().replace(microsecond=0)
        await self._end_of_shift(tx, viewer, now)
        shift = Shift(new_id(), viewer.session_id, viewer.person_id, None, now, None, 0)
        await queue.add_shift(tx, shift)
        return shift, canonical(model.shift_text(shift, self._origin))

    async def asked(self, tx: Tx, viewer: Viewer, shift_id: UUID) -> bytes:
        """The text of a shift that was asked for a moment ago. Raises ShiftNeeded."""
        shift = await queue.shift(tx, shift_id)
        since = self._clock.now() - timedelta(minutes=model.SHIFT_ASKED_MINUTES)
        if (
            shift is None
            or shift.session_id != viewer.session_id
            or shift.staff_id is not None
            or shift.asked_at < since
        ):
            raise refusals.ShiftNeeded
        return canonical(model.shift_text(shift, self._origin))

    async def begin_shift(self, tx: Tx, viewer: Viewer, shift_id: UUID, staff_id: UUID) -> Shift:
        """Begins work, for a moderator whose signature the key broker has verified. Raises
        NotModerator, BreakNeeded."""
        if not await queue.is_moderator(tx, viewer.person_id, staff_id):
            raise refusals.NotModerator
        ends_at = await self._end_of_shift(tx, viewer, self._clock.now())
        await queue.begin_shift(tx, shift_id, staff_id, ends_at)
        return await self.on_shift(tx, viewer)

    async def _end_of_shift(self, tx: Tx, viewer: Viewer, now: datetime) -> datetime:
        """When a shift that begins now would end: with the one that is open elsewhere, so that
        another device makes none longer. Raises BreakNeeded."""
        last = await queue.last_end(tx, viewer.person_id)
        if last is not None and last > now:
            return last
        rested_at = last + timedelta(minutes=model.BREAK_MINUTES) if last else now
        if rested_at > now:
            raise refusals.BreakNeeded.until(rested_at, now)
        return now + timedelta(hours=model.SHIFT_HOURS)

    async def on_shift(self, tx: Tx, viewer: Viewer) -> Shift:
        """The shift of this session. Raises NotModerator, ShiftNeeded."""
        now = self._clock.now()
        shift = await queue.on_shift(tx, viewer.session_id, viewer.person_id, now)
        if shift is None:
            if not await queue.is_moderator(tx, viewer.person_id):
                raise refusals.NotModerator
            raise refusals.ShiftNeeded
        return shift

    # --- the queue ------------------------------------------------------------------------------

    async def waiting(self, tx: Tx) -> list[tuple[str, str]]:
        """What waits, the oldest first: categories and states, and nothing of whom."""
        return [(category, state) for category, state, _ in await queue.waiting(tx, 1000)]

    async def standing(self, tx: Tx) -> Standing:
        """How the queue stands, and nothing of what is in it."""
        now = self._clock.now()
        found = await queue.waiting(tx, 1000)
        return Standing(
            [(category, at) for category, _, at in found],
            sum(state == "appealed" for _, state, _ in found),
            await queue.next_due(tx),
            await queue.loads(tx, now - timedelta(days=1), now),
        )

    async def next(self, tx: Tx, shift: Shift) -> Case | None:
        """The case that this moderator has in hand, else the next that is for them; None where
        nothing waits. Raises EnoughForToday."""
        assert shift.staff_id is not None
        now = self._clock.now()
        since = now - timedelta(minutes=model.ASSIGNED_MINUTES)
        review_id = await queue.assigned(tx, shift.staff_id, since)
        if review_id is None:
            day = now - timedelta(days=1)
            if await queue.taken_since(tx, shift.staff_id, day) >= model.CASES_A_DAY:
                raise refusals.EnoughForToday
            review_id = await queue.next_for(tx, shift.staff_id, shift.person_id, since, now)
            if review_id is None:
                return None
            await queue.assign(tx, review_id, shift.staff_id, now)
            await queue.take(tx, shift.id)
        return await self.case(tx, review_id)

    async def in_hand(self, tx: Tx, shift: Shift, review_id: UUID) -> Review:
        """The review that this moderator has in hand, locked. Raises NoSuchReview,
        AlreadyDecided."""
        await queue.lock(tx, review_id)
        review = await queue.review(tx, review_id)
        if review is None or (review.assigned_to is None and review.state in ("open", "appealed")):
            raise refusals.NoSuchReview
        if review.state not in ("open", "appealed") or review.assigned_to != shift.staff_id:
            raise refusals.AlreadyDecided
        return review

    async def case(self, tx: Tx, review_id: UUID) -> Case:
        """All that a moderator needs of a case. Raises NoSuchReview."""
        review = await queue.review(tx, review_id)
        if review is None:
            raise refusals.NoSuchReview
        subjects = await queue.subjects(tx, review_id)
        before: dict[UUID, Decision] = {}
        for person_id in {one.person_id for one in subjects}:
            for one in await decisions.of_person(tx, person_id, SHOWN_BEFORE):
                if one.review_id != review_id:
                    before[one.id] = one
        return Case(
            review,
            subjects,
            await store.of_review(tx, review_id),
            await suggesting.of_case(tx, review_id),
            await queue.notes(tx, review_id),
            await decisions.appeals_of_review(tx, review_id),
            await decisions.of_review(tx, review_id),
            sorted(before.values(), key=lambda one: one.begun_at, reverse=True)[:SHOWN_BEFORE],
            await duplicates.likenesses(tx, subjects),
            await copies.pointed_to(tx, review_id),
            bool(await notifiers.names(tx, review_id, model.NAME_NEEDED)),
        )

    async def names(self, tx: Tx, shift: Shift, review_id: UUID) -> list[str]:
        """Who sent the notices of this case, where it counts who that is; it is an entry of the
        log. Raises NoSuchReview, AlreadyDecided, NoNameNeeded."""
        assert shift.staff_id is not None
        await self.in_hand(tx, shift, review_id)
        found = await notifiers.names(tx, review_id, model.NAME_NEEDED)
        if not found:
            raise refusals.NoNameNeeded
        ids = [report_id for report_id, _ in found]
        entry = statement.name_seen_entry(ids, shift.staff_id, self._clock.now())
        await ledger.put(tx, LOG, entry)
        return [name for _, name in found]

    async def note(self, tx: Tx, shift: Shift, review_id: UUID, words: str) -> None:
        """A note for whoever looks at the case after. Raises NoSuchReview, BadReport."""
        assert shift.staff_id is not None
        await self.in_hand(tx, shift, review_id)
        words = clean(words)
        if not words:
            raise refusals.BadReport("A note has some words.")
        await queue.add_note(tx, new_id(), review_id, shift.staff_id, words, self._clock.now())

    async def set_aside(self, tx: Tx, shift: Shift, review_id: UUID) -> None:
        """Gives a case to another moderator: for a second opinion, or because it is too much.
        Raises NoSuchReview."""
        assert shift.staff_id is not None
        await self.in_hand(tx, shift, review_id)
        await queue.leave(tx, review_id, shift.staff_id)

    # --- duplicates -----------------------------------------------------------------------------

    async def file_of(self, tx: Tx, clip_id: UUID, *, is_poster: bool = False) -> str | None:
        """The key of the smallest rendition of a clip, or of its poster."""
        found = await queue.files(tx, clip_id)
        if found is None or is_poster:
            return found and found.poster_key
        made = _RENDITIONS.decode(found.renditions) if found.renditions else []
        return made[0].key if made else None

    async def file_of_review(self, tx: Tx, review_id: UUID) -> str | None:
        """The key of the smallest rendition of the clip that a review is about."""
        for subject in await queue.subjects(tx, review_id):
            if subject.clip_id is not None:
                return await self.file_of(tx, subject.clip_id)
        return None

    async def is_about(self, tx: Tx, review_id: UUID, clip_id: UUID) -> bool:
        """Whether a clip is among what a review is about, or was removed and one of these is like
        it."""
        if any(one.clip_id == clip_id for one in await queue.subjects(tx, review_id)):
            return True
        return clip_id in (await copies.pointed_to(tx, review_id)).values()

    async def text_of(self, tx: Tx, subject: Subject) -> str:
        """The words that are reported: of a comment, or under a clip."""
        return await queue.text_of(tx, subject)

    async def part(self, tx: Tx, shift: Shift, review_id: UUID, clip_id: UUID) -> None:
        """Makes a case of its own of one of the clips of the case in hand, since it is another film
        after all. Machines put it to no other case again. Raises NoSuchReview, NothingToPart."""
        review = await self.in_hand(tx, shift, review_id)
        clip_ids = {one.clip_id for one in await queue.subjects(tx, review_id)}
        if clip_id not in clip_ids:
            raise refusals.NoSuchReview
        if review.state != "open" or len(clip_ids) < 2:
            raise refusals.NothingToPart
        apart_id = new_id()
        await queue.part(tx, review_id, clip_id, apart_id)
        await suggestions.move_about(tx, review_id, clip_id, apart_id)

    async def match(
        self, tx: Tx, review_id: UUID, digest: bytes | None, alike: Sequence[UUID]
    ) -> None:
        """Puts a review to the one that is open about the same bytes, else to the first of `alike`
        that is still open and in nobody's hand: one decision for both."""
        await copies.hold(tx)
        await queue.lock(tx, review_id)
        review = await queue.review(tx, review_id)
        if review is None or review.state != "open" or review.assigned_to is not None:
            return
        if review.is_apart:
            return
        twin = await queue.twin(tx, review_id, digest) if digest else None
        if twin is None and alike:
            twin = await queue.alike(tx, review_id, alike)
        if twin is None:
            if digest:
                await queue.set_digest(tx, review_id, digest)
            return
        await store.raise_severity(tx, twin, review.category, review.severity)
        await suggestions.move(tx, review_id, twin)
        await queue.merge(tx, review_id, twin)

    async def tidy(self, tx: Tx) -> None:
        """Forgets old shifts."""
        await queue.tidy(tx, self._clock.now() - timedelta(days=model.SHIFT_KEPT_DAYS))
