"""Routes for staff: which reports wait, and what was disclosed, once two of them have signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath

from luciole.cell.messages.model import Reason
from luciole.cell.messages.service import Messages
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

StaffToken = Callable[[AnyRequest], Awaitable[str]]


class WaitingReport(msgspec.Struct):
    """A report of messages by somebody; what is in it takes an approved read of theirs."""

    id: UUID
    reporter: str
    made_at: datetime


class WaitingReports(msgspec.Struct):
    items: list[WaitingReport]


class ReportedMessage(msgspec.Struct):
    """A message as its device signed it (FramedContentTBS, RFC 9420), with the key that the
    directory had of the device; both can be verified again."""

    device: UUID
    epoch: int
    content: bytes
    signature: bytes
    key: bytes


class ReportBody(msgspec.Struct):
    """What a reporter disclosed, and about whom."""

    id: UUID
    about: str | None
    made_at: datetime
    reason: Reason
    messages: list[ReportedMessage]


class ReportBodies(msgspec.Struct):
    items: list[ReportBody]


def routes(db: Database, messages: Messages, staff_token: StaffToken) -> Router:
    """The routes of this file over their collaborators. `staff_token` gives the session of
    who is at work as an operator, by a passkey, and refuses everybody else."""

    @get("/message-reports")
    async def waiting(request: AnyRequest) -> WaitingReports:
        """Reports of messages, the newest first: by whom, and when. To read them, ask for a read
        of the reporter with the purpose `message-report`."""
        await staff_token(request)
        async with db.read() as tx:
            found = await messages.reports.waiting(tx)
        return WaitingReports([WaitingReport(*each) for each in found])

    @post("/reads/{read_id:uuid}/message-reports")
    async def reports(request: AnyRequest, read_id: FromPath[UUID]) -> ReportBodies:
        """Opens the reports that the person of an approved request made. Each call is an entry in
        their journal."""
        token = await staff_token(request)
        async with db.read() as tx:
            found = await messages.reports.of_approved(tx, token, read_id)
        return ReportBodies(
            [
                msgspec.convert(
                    {**each.said, "id": each.id, "about": each.about, "made_at": each.made_at},
                    ReportBody,
                )
                for each in found
            ]
        )

    return Router("/api/staff", route_handlers=[waiting, reports], tags=["staff"])
