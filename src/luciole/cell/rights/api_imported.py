"""Routes of what people bring along from another network."""

from __future__ import annotations

from litestar import Router, delete, get, put
from litestar.params import JSONBody

from luciole.cell.people.service import People
from luciole.cell.rights.imported import Imported
from luciole.cell.rights.imported_model import (
    MAX_BODY_BYTES,
    Carried,
    Favourites,
    Kind,
    Suggestions,
)
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


def routes(db: Database, people: People, imported: Imported) -> Router:
    """The routes of this file over their collaborators."""

    @get("/suggestions")
    async def suggestions(request: AnyRequest) -> Suggestions:
        """Handles that the person followed elsewhere, for their eyes only."""
        grant = await people.grant(request)
        async with db.read() as tx:
            await people.require(tx, request)
            found = await imported.of(tx, grant, "suggestions", Suggestions)
        return found or Suggestions([])

    @put("/suggestions", status_code=204)
    async def put_suggestions(request: AnyRequest, data: JSONBody[Suggestions]) -> None:
        """Keeps handles to look for, in place of the former ones. Nobody is followed or told."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            await people.require(tx, request)
            await imported.put(tx, grant, "suggestions", data)

    @get("/favourites")
    async def favourites(request: AnyRequest) -> Favourites:
        """Links that the person kept elsewhere, for their eyes only."""
        grant = await people.grant(request)
        async with db.read() as tx:
            await people.require(tx, request)
            found = await imported.of(tx, grant, "favourites", Favourites)
        return found or Favourites([])

    @put("/favourites", status_code=204, request_max_body_size=MAX_BODY_BYTES)
    async def put_favourites(request: AnyRequest, data: JSONBody[Favourites]) -> None:
        """Keeps links, in place of the former ones. The cell opens none of them."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            await people.require(tx, request)
            await imported.put(tx, grant, "favourites", data)

    @get("/carried")
    async def carried(request: AnyRequest) -> Carried:
        """Follows and likes that came along from another cell and are not in force here."""
        grant = await people.grant(request)
        async with db.read() as tx:
            await people.require(tx, request)
            found = await imported.of(tx, grant, "carried", Carried)
        return found or Carried()

    async def forget(request: AnyRequest, kind: Kind) -> None:
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await imported.drop(tx, me.person_id, kind)

    @delete("/suggestions")
    async def forget_suggestions(request: AnyRequest) -> None:
        """Forgets the handles."""
        await forget(request, "suggestions")

    @delete("/favourites")
    async def forget_favourites(request: AnyRequest) -> None:
        """Forgets the links."""
        await forget(request, "favourites")

    @delete("/carried")
    async def forget_carried(request: AnyRequest) -> None:
        """Forgets them."""
        await forget(request, "carried")

    return Router(
        "/api/me/imported",
        route_handlers=[
            suggestions,
            put_suggestions,
            forget_suggestions,
            favourites,
            put_favourites,
            forget_favourites,
            carried,
            forget_carried,
        ],
        tags=["rights"],
    )
