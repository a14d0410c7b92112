"""Routes of the queue, for moderators at work: a passkey opens a shift, and each sees one case."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from luciole.ask.client import Custody
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.cell.safety import model, refusals, shapes
from luciole.cell.safety.copies import Alike
from luciole.cell.safety.model import Review, Shift, Wish
from luciole.cell.safety.reviewing import Case
from luciole.cell.safety.service import Safety
from luciole.cell.safety.shapes import CaseBody
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

NEVER_KEPT = {"cache-control": "no-store"}


def routes(
    db: Database,
    people: People,
    safety: Safety,
    media: Media,
    blobs: Blobs,
    custody: Custody,
    *,
    knows_countries: bool,
) -> Router:
    """The routes of the queue over their collaborators. `knows_countries`: a proxy says where
    requests come from."""
    reviewing, deciding = safety.reviewing, safety.deciding

    async def on_shift(tx: Tx, request: AnyRequest) -> Shift:
        return await reviewing.on_shift(tx, await people.require(tx, request))

    async def in_hand(tx: Tx, request: AnyRequest, review_id: UUID) -> tuple[Shift, Review]:
        shift = await on_shift(tx, request)
        return shift, await reviewing.in_hand(tx, shift, review_id)

    async def queue_of(tx: Tx, shift: Shift) -> shapes.QueueBody:
        waiting = await reviewing.waiting(tx)
        assert shift.ends_at is not None
        return shapes.QueueBody(
            dict(sorted(Counter(category for category, _ in waiting).items())),
            sum(state == "appealed" for _, state in waiting),
            shift.ends_at,
            shift.taken,
            model.CASES_A_DAY,
        )

    @post("/shifts")
    async def ask(request: AnyRequest) -> shapes.ShiftAsked:
        """What a moderator signs with their passkey to begin, within five minutes."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            shift, asked = await reviewing.ask_shift(tx, viewer)
        digest = base64.urlsafe_b64encode(hashlib.sha256(asked).digest()).decode().rstrip("=")
        return shapes.ShiftAsked(shift.id, asked.decode(), digest)

    @post("/shifts/{shift_id:uuid}/signature")
    async def begin(
        request: AnyRequest, shift_id: FromPath[UUID], data: JSONBody[shapes.Signature]
    ) -> shapes.QueueBody:
        """Begins a shift of two hours, or joins the one that is open on another device."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            asked = await reviewing.asked(tx, viewer, shift_id)
        staff_id = await custody.signer_of(asked, data.credential, "moderator")
        async with db.tx() as tx:
            shift = await reviewing.begin_shift(tx, viewer, shift_id, staff_id)
            return await queue_of(tx, shift)

    @get("/queue")
    async def queue(request: AnyRequest) -> shapes.QueueBody:
        """How much waits, by category, and nothing of what it is."""
        async with db.read() as tx:
            return await queue_of(tx, await on_shift(tx, request))

    @post("/next")
    async def following(request: AnyRequest) -> shapes.NextCase:
        """The case in hand, else the next: the gravest first, then the oldest. None: all is
        done, or what is left is for others."""
        async with db.tx() as tx:
            shift = await on_shift(tx, request)
            case = await reviewing.next(tx, shift)
            return shapes.NextCase(await body_of(tx, case) if case else None)

    @post("/cases/{review_id:uuid}/notes")
    async def note(
        request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[shapes.NoteNew]
    ) -> CaseBody:
        """A note for who looks at the case after."""
        async with db.tx() as tx:
            shift = await on_shift(tx, request)
            await reviewing.note(tx, shift, review_id, data.words)
            return await body_of(tx, await reviewing.case(tx, review_id))

    @post("/cases/{review_id:uuid}/names")
    async def names(request: AnyRequest, review_id: FromPath[UUID]) -> shapes.NamesBody:
        """Who sent the notices of something illegal in this case, where it counts who that is (a
        right or data of their own). It is an entry of the log. Never an address."""
        async with db.tx() as tx:
            shift = await on_shift(tx, request)
            return shapes.NamesBody(await reviewing.names(tx, shift, review_id))

    @post("/cases/{review_id:uuid}/parting")
    async def part(
        request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[shapes.PartingNew]
    ) -> CaseBody:
        """Takes a clip out of the case, since it is another film: it becomes a case of its own,
        with what was reported of it."""
        async with db.tx() as tx:
            shift = await on_shift(tx, request)
            await reviewing.part(tx, shift, review_id, data.clip_id)
            return await body_of(tx, await reviewing.case(tx, review_id))

    @post("/cases/{review_id:uuid}/second-opinion", status_code=204)
    async def set_aside(request: AnyRequest, review_id: FromPath[UUID]) -> None:
        """Gives the case to another moderator, with its notes."""
        async with db.tx() as tx:
            await reviewing.set_aside(tx, await on_shift(tx, request), review_id)

    @post("/cases/{review_id:uuid}/dismissal", status_code=204)
    async def dismiss(
        request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[shapes.Answer]
    ) -> None:
        """Decides that nothing is to be done; those who reported are told why."""
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            await deciding.dismiss(tx, shift, review, data.answer)

    @post("/cases/{review_id:uuid}/decision")
    async def decide(
        request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[shapes.DecisionNew]
    ) -> shapes.StatementList:
        """Decides, for all that the case is about. Each person is told with the reasons as it
        takes effect."""
        wish = Wish(
            act=data.act,
            category=data.category,
            is_illegal=data.is_illegal,
            ground=data.ground,
            explanation=data.explanation,
            facts=data.facts,
            countries=tuple(data.countries),
            label=data.label,
            acts=tuple(data.acts),
            days=data.days,
        )
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            made = await deciding.decide(tx, shift, review, wish, data.answer)
            return shapes.StatementList([safety.body(one, None, None) for one in made])

    @post("/cases/{review_id:uuid}/appeal/{outcome:str}", status_code=204)
    async def hear(
        request: AnyRequest,
        review_id: FromPath[UUID],
        outcome: FromPath[str],
        data: JSONBody[shapes.Answer],
    ) -> None:
        """Answers an appeal against a decision: `upheld`, or `reversed`, which undoes it."""
        if outcome not in ("upheld", "reversed"):
            raise refusals.BadDecision
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            act = deciding.reverse if outcome == "reversed" else deciding.uphold
            await act(tx, shift, review, data.answer)

    @get(
        "/cases/{review_id:uuid}/clips/{clip_id:uuid}/{name:str}",
        responses={200: ResponseSpec(Any, False, "The film, or the poster.", "*/*")},
    )
    async def file(
        request: AnyRequest, review_id: FromPath[UUID], clip_id: FromPath[UUID], name: FromPath[str]
    ) -> Response[Any]:
        """The `film` (its smallest rendition) or the `poster` of a clip of the case in hand."""
        async with db.tx() as tx:
            await in_hand(tx, request, review_id)
            if not await reviewing.is_about(tx, review_id, clip_id):
                raise refusals.NoSuchReview
            key = await reviewing.file_of(tx, clip_id, is_poster=name == "poster")
            found = await media.find(tx, key) if key else None
        if found is None or name not in ("film", "poster"):
            raise refusals.NoSuchReview
        try:
            content = await blobs.get(found.object_key)
        except Missing as error:
            raise refusals.NoSuchReview from error
        return Response(content, headers=NEVER_KEPT, media_type=found.mime)

    async def body_of(tx: Tx, case: Case) -> CaseBody:
        acts = [set(model.ACTS_ON[one.what]) for one in case.subjects]
        common = set.intersection(*acts) if acts else set()
        people_of = await people.cards(tx, [one.person_id for one in case.subjects])
        subjects: list[shapes.SubjectBody] = []
        for one in case.subjects:
            person = people_of.get(one.person_id)
            subjects.append(
                shapes.SubjectBody(
                    one.what,
                    person.handle if person else "",
                    one.clip_id,
                    one.comment_id,
                    one.message_report_id,
                    await reviewing.text_of(tx, one),
                    alike_body(case.alike.get(one.clip_id)) if one.clip_id else None,
                )
            )
        heard = {one.decision_id for one in case.appeals if one.outcome == "waiting"}
        return CaseBody(
            id=case.review.id,
            state=case.review.state,
            category=case.review.category,
            opened_at=case.review.opened_at,
            acts=[act for act in model.ACTS_ON["clip"] if act in common],
            subjects=subjects,
            reports=[
                shapes.CaseReport(one.category, one.is_illegal, one.explanation, one.made_at)
                for one in case.reports
            ],
            suggestions=[
                shapes.SuggestionBody(
                    one.method,
                    one.name,
                    one.version,
                    one.facts,
                    one.made_at,
                    measured.confirmed,
                    measured.dismissed,
                    one.decision_id,
                    case.removed.get(one.decision_id) if one.decision_id else None,
                )
                for one, measured in case.suggestions
            ],
            notes=[shapes.NoteBody(one.staff_id, one.words, one.made_at) for one in case.notes],
            appeals=[body for one in case.appeals if (body := shapes.appeal_body(one))],
            statements=[safety.body(one, None, None) for one in case.decisions if one.id in heard],
            before=[shapes.decision_body(one) for one in case.before],
            has_names=case.has_names,
            knows_countries=knows_countries,
        )

    handlers: list[Any] = [ask, begin, queue, following, note, part, set_aside, dismiss, decide]
    handlers.append(names)
    return Router("/api/staff/review", route_handlers=[*handlers, hear, file], tags=["review"])


def alike_body(one: Alike | None) -> shapes.AlikeBody | None:
    return shapes.AlikeBody(one.bits, one.stills, one.of) if one else None
