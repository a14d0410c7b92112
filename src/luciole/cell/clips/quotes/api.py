"""Routes about who may make duets and stitches."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Router, get, put
from litestar.params import FromPath, JSONBody

from luciole.cell.clips.quotes.service import Quotes
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


class QuotesBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether others may make duets and stitches with one's clips."""

    lets_quote: bool


class ClipQuotesBody(msgspec.Struct, forbid_unknown_fields=True):
    """The same of one clip; null: as with all others."""

    lets_quote: bool | None


def routes(db: Database, people: People, quotes: Quotes) -> Router:
    """The routes of quotes over their collaborators."""

    @get("/me/quotes")
    async def prefers(request: AnyRequest) -> QuotesBody:
        """Whether others may make duets and stitches with clips of which nothing else was said."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return QuotesBody(await quotes.prefers(tx, me.person_id, is_minor=me.is_minor))

    @put("/me/quotes")
    async def prefer(request: AnyRequest, data: JSONBody[QuotesBody]) -> QuotesBody:
        """Lets others do that, or not. Not: it is taken out of what was made already."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await quotes.prefer(tx, me.person_id, data.lets_quote, is_minor=me.is_minor)
            return data

    @get("/clips/{clip_id:uuid}/quotes")
    async def lets(request: AnyRequest, clip_id: FromPath[UUID]) -> ClipQuotesBody:
        """Whether others may make duets and stitches with an own clip."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return ClipQuotesBody(await quotes.lets(tx, me.person_id, clip_id))

    @put("/clips/{clip_id:uuid}/quotes")
    async def set_lets(
        request: AnyRequest, clip_id: FromPath[UUID], data: JSONBody[ClipQuotesBody]
    ) -> ClipQuotesBody:
        """Lets others do that with an own clip, or not. Not: it is taken out of what was made."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await quotes.set_lets(tx, me.person_id, clip_id, data.lets_quote, is_minor=me.is_minor)
            return data

    return Router("/api", route_handlers=[prefers, prefer, lets, set_lets], tags=["clips"])
