"""Routes of joining: what the sign-up page has to know, what somebody without an account does, and
terms."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, JSONBody
from msgspec import Meta

from luciole.cell.people import shapes
from luciole.cell.people.joining.model import Mode, RequestState, Text
from luciole.cell.people.joining.work import Done, Work
from luciole.cell.people.limits import Limits
from luciole.cell.people.model import AgeBand, Locale
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest, address_of

Words = Annotated[str, Meta(max_length=1200, description="1 to 300 characters")]


class JoiningBody(msgspec.Struct):
    """How this cell takes people at present."""

    registration: Mode
    needs_work: bool
    minimum_age_band: AgeBand
    terms_version: str | None
    has_imprint: bool


class Ticket(msgspec.Struct, forbid_unknown_fields=True):
    ticket: shapes.Code


class NewRequest(msgspec.Struct, forbid_unknown_fields=True):
    name: shapes.DisplayName
    words: Words
    work: Done | None = None


class RequestBody(msgspec.Struct):
    state: RequestState
    reason: str


class Agreement(msgspec.Struct, forbid_unknown_fields=True):
    version: Annotated[str, Meta(max_length=64)]


class TermsDue(msgspec.Struct):
    version: str | None


def handlers(db: Database, people: People, limits: Limits) -> list[HTTPRouteHandler]:
    """The handlers of this file over their collaborators."""
    joining = people.joining

    @get("/sign-up")
    async def how() -> JoiningBody:
        """How this cell takes people at present."""
        async with db.read() as tx:
            mode = await joining.mode(tx)
        return JoiningBody(
            mode,
            joining.needs_work,
            joining.minimum_age_band,
            joining.texts.terms_version(),
            joining.texts.has_imprint,
        )

    @post("/sign-up/work", status_code=200)
    async def work(request: AnyRequest, data: JSONBody[shapes.Nothing]) -> Work:
        """Work for a device: find the number below `tries` whose PBKDF2-HMAC-SHA256 (password: the
        number as 4 bytes, big-endian; 32 bytes out) begins with `told`, and send the other 16 bytes
        along with what it is for. Good for an hour and once. `tries` is 0 where none is asked."""
        limits.sign_in(address_of(request))
        async with db.read() as tx:
            tries = await joining.tries(tx)
        if not tries:
            return Work("", "", "", 0, 0)
        return await asyncio.to_thread(joining.set_work, tries)

    @post("/sign-up/requests")
    async def ask(request: AnyRequest, data: JSONBody[NewRequest]) -> Ticket:
        """Asks the operator for an account. The ticket says later how it was decided, and counts as
        an invitation then."""
        limits.sign_up(address_of(request))
        mark = joining.check_work(data.work)
        async with db.tx() as tx:
            return Ticket(await joining.ask(tx, data.name, data.words, mark))

    @post("/sign-up/requests/state", status_code=200)
    async def asked(request: AnyRequest, data: JSONBody[Ticket]) -> RequestBody:
        """How it stands with a request for an account."""
        limits.sign_in(address_of(request))
        async with db.read() as tx:
            found = await joining.request(tx, data.ticket)
        return RequestBody(found.state, found.reason)

    @get("/cell/terms")
    async def terms(language: FromQuery[Locale] = "en") -> Text:
        """The terms of this cell, as HTML without scripts, in the language nearest to this one."""
        return await asyncio.to_thread(joining.texts.terms, language)

    @get("/cell/imprint")
    async def imprint(language: FromQuery[Locale] = "en") -> Text:
        """Who is responsible for this cell, in its operator's words."""
        return await asyncio.to_thread(joining.texts.imprint, language)

    @get("/me/terms")
    async def due(request: AnyRequest) -> TermsDue:
        """The version of the terms that is still to be agreed to, if there is one."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            return TermsDue(await joining.terms_due(tx, viewer.person_id))

    @post("/me/terms", status_code=204)
    async def agree(request: AnyRequest, data: JSONBody[Agreement]) -> None:
        """Agrees to the present version of the terms."""
        async with db.tx() as tx:
            viewer = await people.require(tx, request)
            await joining.agree(tx, viewer.person_id, data.version)

    found: list[Any] = [how, work, ask, asked, terms, imprint, due, agree]
    return found
