"""Routes of reports, statements and appeals: for people, and for who has no account."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.people.service import People
from luciole.cell.safety import model, refusals, shapes, transparency
from luciole.cell.safety.model import Report
from luciole.cell.safety.service import Safety
from luciole.cell.safety.shapes import AppealBody, ReportBody, StatementBody
from luciole.cell.safety.transparency import Transparency
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.rates import Buckets, Rate, network
from luciole.kit.web import AnyRequest, address_of

FORMS = Rate("notice", model.FORMS_AN_HOUR, 3600)
Year = Annotated[int | None, QueryParameter(ge=2020, le=9999)]
CSV = "text/csv"
OPEN = {"cache-control": "no-store", "access-control-allow-origin": "*"}


def routes(db: Database, people: People, safety: Safety, clock: Clock) -> Router:
    """The routes of safety for everybody over their collaborators."""
    buckets = Buckets()

    async def told(tx: Tx, report: Report) -> ReportBody:
        appeal = (await safety.appeals(tx, [report.id])).get(report.id)
        return shapes.report_body(report, appeal, clock.now())

    @post("/reports")
    async def report(request: AnyRequest, data: JSONBody[shapes.ReportNew]) -> ReportBody:
        """Reports a clip, a comment or a person. Who reported is told to nobody outside of the
        cell's database, and not to moderators either."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            found = await safety.reporting.find(tx, data.what, data.name, me.person_id)
            made = await safety.reporting.report(
                tx,
                me.person_id,
                found,
                category=data.category,
                is_illegal=data.is_illegal,
                explanation=data.explanation,
            )
            return await told(tx, made)

    @get("/reports")
    async def mine(request: AnyRequest) -> shapes.ReportList:
        """What you have reported, the newest first, and what became of it."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await safety.reporting.mine(tx, me.person_id)
            appeals = await safety.appeals(tx, [one.id for one in found])
        return shapes.ReportList(
            [shapes.report_body(one, appeals.get(one.id), clock.now()) for one in found]
        )

    @post("/reports/{report_id:uuid}/appeal")
    async def appeal_report(
        request: AnyRequest, report_id: FromPath[UUID], data: JSONBody[shapes.AppealNew]
    ) -> AppealBody:
        """Says why it was wrong to do nothing. Another moderator answers."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            made = await safety.deciding.appeal_report(
                tx, me.person_id, report_id, data.explanation
            )
        body = shapes.appeal_body(made)
        assert body is not None
        return body

    @get("/report-form")
    async def form() -> shapes.FormBody:
        """What the form for notices asks for."""
        return shapes.FormBody(safety.notifying.takes_email)

    @post("/report-form")
    async def notice(request: AnyRequest, data: JSONBody[shapes.NoticeNew]) -> shapes.NoticeMade:
        """A notice of something illegal without an account (Regulation (EU) 2022/2065, article
        16). The code in the answer finds the outcome."""
        if wait_s := buckets.wait_s(FORMS, network(address_of(request))):
            raise refusals.FormsOften(retry_after_s=wait_s)
        if not data.is_in_good_faith:
            raise refusals.NotInGoodFaith
        if data.email and not safety.notifying.takes_email:
            raise refusals.NoMailHere
        what, name = named(data.address)
        async with db.tx() as tx:
            found = await safety.reporting.find(tx, what, name, None)
            made, code = await safety.reporting.notice(
                tx,
                found,
                category=data.category,
                explanation=data.explanation,
                name=data.name,
                email=data.email,
                locale=data.locale,
            )
            body = shapes.NoticeMade(code, await told(tx, made))
        if data.email:
            body.is_mailed = await safety.notifying.received(data.email, data.locale, code)
        return body

    @get("/report-form/{code:str}")
    async def outcome(code: FromPath[str]) -> ReportBody:
        """What became of a notice by the form."""
        async with db.read() as tx:
            found = await safety.reporting.by_code(tx, code)
            return await told(tx, found)

    @post("/report-form/{code:str}/appeal")
    async def appeal_notice(code: FromPath[str], data: JSONBody[shapes.AppealNew]) -> AppealBody:
        """Says why it was wrong to do nothing about a notice by the form (article 20(1)): for
        whoever has its code. Another moderator answers."""
        async with db.tx() as tx:
            made = await safety.deciding.appeal_notice(tx, code, data.explanation)
        body = shapes.appeal_body(made)
        assert body is not None
        return body

    @get("/statements")
    async def decided(request: AnyRequest) -> shapes.StatementList:
        """Decisions about you and what is yours, the newest first, with their reasons."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return shapes.StatementList(await safety.statements(tx, me.person_id))

    @get("/statements/export")
    async def export(cursor: FromQuery[str | None] = None) -> shapes.StatementExport:
        """All statements in the shape of the Commission's transparency database, a hundred at a
        time, the newest first. They name nobody."""
        async with db.read() as tx:
            return shapes.StatementExport(*await safety.exported(tx, cursor))

    @get("/statements/{decision_id:uuid}")
    async def statement(request: AnyRequest, decision_id: FromPath[UUID]) -> StatementBody:
        """A statement of reasons (article 17). Only its person reads in it what it is about."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            return await safety.statement(tx, decision_id, viewer.person_id if viewer else None)

    @post("/statements/{decision_id:uuid}/appeal")
    async def appeal(
        request: AnyRequest, decision_id: FromPath[UUID], data: JSONBody[shapes.AppealNew]
    ) -> AppealBody:
        """Appeals against a decision about you (article 20). Another moderator answers."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            made = await safety.deciding.appeal_decision(
                tx, me.person_id, decision_id, data.explanation
            )
        body = shapes.appeal_body(made)
        assert body is not None
        return body

    @get("/transparency")
    async def counted(year: Year = None) -> Response[Transparency]:
        """The transparency report, counted from the log of decisions: of a year, or of all."""
        return Response(await safety.transparency.report(year), headers=OPEN)

    @get("/transparency.csv", media_type=CSV)
    async def lines(year: Year = None) -> Response[str]:
        """The same numbers as CSV: section, what, number."""
        found = await safety.transparency.report(year)
        return Response(transparency.as_csv(found), headers=OPEN, media_type=CSV)

    return Router(
        "/api",
        route_handlers=[
            report,
            mine,
            appeal_report,
            form,
            notice,
            outcome,
            appeal_notice,
            decided,
            export,
            statement,
            appeal,
            counted,
            lines,
        ],
        tags=["safety"],
    )


def named(address: str) -> tuple[str, str]:
    """What an address of this cell shows: a clip or a person. Raises NothingToReport."""
    try:
        parts = [one for one in urlsplit(address.strip()).path.split("/") if one]
    except ValueError:
        raise refusals.NothingToReport from None
    if len(parts) == 2 and parts[0] == "c":
        return "clip", parts[1]
    if parts and parts[0].startswith("@"):
        return "person", parts[0]
    raise refusals.NothingToReport
