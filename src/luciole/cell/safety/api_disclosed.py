"""Routes by which a moderator reads what was disclosed in the case at hand, and nothing else."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody

from luciole.cell.people.service import People
from luciole.cell.safety import shapes_disclosed as shapes
from luciole.cell.safety.model import Disclosure, Review, Shift
from luciole.cell.safety.service import Safety
from luciole.custody.model import NoSuchRead
from luciole.kit.db import Database, Tx
from luciole.kit.errors import NotSignedIn
from luciole.kit.web import AnyRequest, session_token

NEVER_KEPT = {"cache-control": "no-store"}


def routes(db: Database, people: People, safety: Safety) -> Router:
    """The routes of this file over their collaborators."""
    disclosing, reviewing = safety.disclosing, safety.reviewing

    async def in_hand(tx: Tx, request: AnyRequest, review_id: UUID) -> tuple[Shift, Review]:
        shift = await reviewing.on_shift(tx, await people.require(tx, request))
        return shift, await reviewing.in_hand(tx, shift, review_id)

    @get("/disclosures")
    async def asked(request: AnyRequest, review_id: FromPath[UUID]) -> shapes.DisclosureList:
        """What this moderator has asked to read in the case at hand, the newest first, and how many
        have signed. What has ended is not among it."""
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            found = await disclosing.of_case(tx, shift, review)
        return shapes.DisclosureList([body_of(one) for one in found])

    @post("/disclosures")
    async def ask(
        request: AnyRequest, review_id: FromPath[UUID], data: JSONBody[shapes.DisclosureNew]
    ) -> shapes.DisclosureBody:
        """Asks to read what was disclosed in one report of the case at hand. Two operators have to
        sign it within a day; then it is open to who asked, for some minutes, and who reported is
        told, with the reason. What was asked already is not asked again."""
        report_id = data.message_report_id
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            reporter_id = await disclosing.reporter(tx, review, report_id)
            for one in await disclosing.of_case(tx, shift, review):
                if one.message_report_id == report_id:
                    return body_of(one)
        read = await disclosing.ask(
            token_of(request), reporter_id, report_id, data.minutes, data.reason
        )
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            await disclosing.note(tx, shift, review, report_id, read)
            for one in await disclosing.of_case(tx, shift, review):
                if one.read_id == read.id:
                    return body_of(one)
        raise NoSuchRead

    @post("/disclosures/{read_id:uuid}/messages")
    async def messages(
        request: AnyRequest, review_id: FromPath[UUID], read_id: FromPath[UUID]
    ) -> Response[shapes.DisclosedBody]:
        """What was disclosed, once two have signed, to who asked and has the case in hand. Each
        call is an entry in the journal of who reported; who that is, is not in the answer."""
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            report = await disclosing.sealed(tx, shift, review, read_id)
        opened = await disclosing.open(token_of(request), read_id, report)
        body = shapes.DisclosedBody(
            opened.reason,
            report.made_at,
            [shapes.DisclosedMessage(one.kind, one.text, one.clip_id) for one in opened.messages],
        )
        return Response(body, headers=NEVER_KEPT)

    @post("/pause", status_code=204)
    async def pause(request: AnyRequest, review_id: FromPath[UUID]) -> None:
        """Puts the case back while signatures are waited for. Nobody else gets it meanwhile; once
        two have signed, who asked gets it next."""
        async with db.tx() as tx:
            shift, review = await in_hand(tx, request, review_id)
            await disclosing.put_back(tx, shift, review)

    return Router(
        "/api/staff/review/cases/{review_id:uuid}",
        route_handlers=[asked, ask, messages, pause],
        tags=["review"],
    )


def token_of(request: AnyRequest) -> str:
    token = session_token(request)
    if token is None:
        raise NotSignedIn
    return token


def body_of(one: Disclosure) -> shapes.DisclosureBody:
    return shapes.DisclosureBody(
        one.read_id,
        one.message_report_id,
        one.asked_at,
        one.signatures,
        one.is_granted,
        one.ends_at,
    )
