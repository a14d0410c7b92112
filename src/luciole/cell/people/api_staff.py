"""Routes for staff: asking to read something of a person, signing such a request, reading.

Every rule is the key broker's (`luciole.custody.staff`); this file carries requests to it and finds
the sealed fields that an approved request may open.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from luciole.ask.client import Custody
from luciole.cell.people import shapes
from luciole.cell.people.service import People
from luciole.custody.model import NoSuchRead, StaffRead
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

StaffToken = Callable[[AnyRequest], Awaitable[str]]


class ReadRequest(msgspec.Struct):
    """What staff ask for. `columns` are field ids, such as contact.email."""

    handle: str
    purpose: Annotated[str, msgspec.Meta(max_length=50)]
    columns: Annotated[list[str], msgspec.Meta(max_length=20)]
    minutes: int
    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class ReadBody(msgspec.Struct):
    """A request as it is to be signed. `challenge` is the SHA-256 of `asked`, in base64url, for a
    passkey; whoever signs compares it with `asked`, byte for byte."""

    id: UUID
    asked: str
    challenge: str
    signatures: int
    is_granted: bool
    ends_at: datetime


class ReadList(msgspec.Struct):
    items: list[ReadBody]


class Approval(msgspec.Struct):
    """What `navigator.credentials.get` gave for the challenge, as JSON."""

    credential: dict[str, Any]


def routes(db: Database, people: People, custody: Custody, staff_token: StaffToken) -> Router:
    """The routes of staff over their collaborators. `staff_token` gives the session of
    who is at work as an operator, by a passkey, and refuses everybody else."""

    @post("/reads")
    async def ask(request: AnyRequest, data: JSONBody[ReadRequest]) -> ReadBody:
        """Asks to read columns of one person, for a purpose and some minutes. Two staff have to
        sign it within a day."""
        token = await staff_token(request)
        async with db.read() as tx:
            person = await people.by_handle(tx, data.handle)
        asked = await custody.ask_read(
            token, person.id, data.purpose, data.columns, data.minutes, data.reason
        )
        return body_of(asked)

    @get("/reads")
    async def reads(request: AnyRequest) -> ReadList:
        """Requests that wait for signatures or may be used, the newest first."""
        token = await staff_token(request)
        return ReadList([body_of(each) for each in await custody.reads(token)])

    @post("/reads/{read_id:uuid}/approvals")
    async def approve(
        request: AnyRequest, read_id: FromPath[UUID], data: JSONBody[Approval]
    ) -> ReadBody:
        """Signs a request with a passkey of staff. The second one's opens it for its minutes, and
        the person is told."""
        await staff_token(request)
        return body_of(await custody.approve_read(read_id, data.credential))

    @post("/reads/{read_id:uuid}/contacts")
    async def contacts(request: AnyRequest, read_id: FromPath[UUID]) -> shapes.ContactList:
        """Opens the addresses that an approved request covers. Each call is an entry in the
        person's journal, whether they have an address or not."""
        token = await staff_token(request)
        read = next((each for each in await custody.reads(token) if each.id == read_id), None)
        if read is None:
            raise NoSuchRead
        async with db.read() as tx:
            found = await people.contacts.of_approved(tx, token, read)
        return shapes.ContactList([shapes.ContactBody(each.kind, each.value) for each in found])

    return Router("/api/staff", route_handlers=[ask, reads, approve, contacts], tags=["staff"])


def body_of(read: StaffRead) -> ReadBody:
    digest = hashlib.sha256(read.asked).digest()
    return ReadBody(
        read.id,
        read.asked.decode(),
        base64.urlsafe_b64encode(digest).decode().rstrip("="),
        read.signatures,
        read.is_granted,
        read.ends_at,
    )
