"""Routes of notices: for everybody, and for staff who sign."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.ask.client import Custody
from luciole.cell.notices.model import AsksFor, Ground, Notice, Outcome, State, What, signed_text
from luciole.cell.notices.service import Notices
from luciole.custody.model import ApprovalRefused
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

StaffToken = Callable[[AnyRequest], Awaitable[str]]
Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class NoticeBody(msgspec.Struct):
    """A notice. `subject` is `clip/ID`, `person/HANDLE` or `cell/NAME`; empty where it is not
    named, or gone. `commit` is what the log holds of it (docs/reference/ledger-formats.md)."""

    notice: UUID
    what: What
    countries: list[str]
    ground: Ground
    by: str
    law: str
    until: str
    order: str
    commit: str
    at: str
    state: State
    reason: str
    appeal: str
    subject: str
    nonce: str
    staff: list[str]
    ended: str
    ended_why: str
    url: str


class NoticePage(msgspec.Struct):
    items: list[NoticeBody]
    next: str | None


class OrderBody(msgspec.Struct, omit_defaults=True):
    """An order of an authority. As long as a gag holds, `told` is false and nothing but `commit`
    says what it is."""

    order: UUID
    at: str
    told: bool
    gag_until: str = ""
    commit: str = ""
    nonce: str = ""
    received: str = ""
    by: str = ""
    country: str = ""
    law: str = ""
    asks_for: AsksFor | Literal[""] = ""
    persons: int | None = None
    outcome: Outcome | Literal[""] = ""
    settled: str = ""


class OrderPage(msgspec.Struct):
    items: list[OrderBody]
    next: str | None
    counts: dict[str, Any]


class WaitingBody(msgspec.Struct):
    """A notice that waits. `challenge` is the SHA-256 of `asked`, in base64url, for a passkey;
    whoever signs reads `asked` first."""

    notice: UUID
    asked: str
    challenge: str
    signatures: int


class WaitingList(msgspec.Struct):
    items: list[WaitingBody]


class Signature(msgspec.Struct):
    """What `navigator.credentials.get` gave for the challenge, as JSON."""

    credential: dict[str, Any]


def routes(db: Database, notices: Notices, custody: Custody, staff_token: StaffToken) -> Router:
    """The routes of notices over their collaborators. `staff_token` gives the session of
    who is at work as an operator, by a passkey, and refuses everybody else."""

    @get("/notices")
    async def listed(cursor: FromQuery[str | None] = None, limit: Limit = 20) -> NoticePage:
        """What is or was withheld here, the newest first."""
        async with db.read() as tx:
            items, following = await notices.page(tx, cursor, limit)
        return NoticePage(msgspec.convert(items, list[NoticeBody]), following)

    @get("/notices/report")
    async def report() -> Response[dict[str, Any]]:
        """All notices and orders in one file, for who matches it with the log
        (`luciole-verify --notices`)."""
        async with db.snapshot() as tx:
            found = await notices.report(tx)
        headers = {"cache-control": "no-store", "access-control-allow-origin": "*"}
        return Response(found, headers=headers)

    @get("/notices/{notice_id:uuid}")
    async def one(notice_id: FromPath[UUID]) -> NoticeBody:
        """A notice: what is withheld where, who ordered it under which law, until when, and how to
        appeal."""
        async with db.read() as tx:
            return msgspec.convert(await notices.notice(tx, notice_id), NoticeBody)

    @get("/orders")
    async def orders(cursor: FromQuery[str | None] = None, limit: Limit = 20) -> OrderPage:
        """What authorities have asked for, the newest first, with numbers over all of it."""
        async with db.read() as tx:
            items, following = await notices.order_page(tx, cursor, limit)
            counts = (await notices.report(tx))["counts"]
        return OrderPage(msgspec.convert(items, list[OrderBody]), following, counts)

    @get("/staff/notices")
    async def waiting(request: AnyRequest) -> WaitingList:
        """Notices that wait for signatures of staff, the newest first."""
        await staff_token(request)
        async with db.read() as tx:
            return WaitingList([_waiting(one) for one in await notices.waiting(tx)])

    @post("/staff/notices/{notice_id:uuid}/signatures")
    async def sign(
        request: AnyRequest, notice_id: FromPath[UUID], data: JSONBody[Signature]
    ) -> WaitingBody:
        """Signs a notice with a passkey of staff. From the second one's on it holds."""
        await staff_token(request)
        async with db.read() as tx:
            found = [one for one in await notices.waiting(tx) if one.id == notice_id]
        if not found:
            raise ApprovalRefused
        staff_id = await custody.signer_of(signed_text(found[0]), data.credential)
        async with db.tx() as tx:
            return _waiting(await notices.sign(tx, notice_id, staff_id))

    return Router(
        "/api", route_handlers=[listed, report, one, orders, waiting, sign], tags=["notices"]
    )


def _waiting(notice: Notice) -> WaitingBody:
    asked = signed_text(notice)
    digest = base64.urlsafe_b64encode(hashlib.sha256(asked).digest()).decode().rstrip("=")
    return WaitingBody(notice.id, asked.decode(), digest, len(notice.staff))
