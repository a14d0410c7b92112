"""Routes of who has gone to another cell: saying where, and taking it back.

The account stays as it is until its owner has it erased: it shows the new address, so that who
looks for them here finds them there.
"""

from __future__ import annotations

import msgspec
from litestar import Router, delete, get, put
from litestar.params import JSONBody

from luciole.ask.client import Custody
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


class MovedBody(msgspec.Struct, forbid_unknown_fields=True):
    """The address in the other cell, such as `https://cell.example/@ana`; null for who is here."""

    address: str | None


def routes(db: Database, people: People, custody: Custody) -> Router:
    """The routes of this file over their collaborators."""

    @get("/moved")
    async def where(request: AnyRequest) -> MovedBody:
        """Where the person has gone."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return MovedBody(await people.moved_to(tx, me.person_id))

    @put("/moved")
    async def move(request: AnyRequest, data: JSONBody[MovedBody]) -> MovedBody:
        """Says where the person is from now on, on their profile and in their journal. Needs a
        fresh proof."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            address = await people.move(tx, me.person_id, data.address or "")
            await custody.note(
                tx,
                me.person_id,
                kind="crossing",
                cls="self",
                actor="you",
                purpose="move",
                note=address,
            )
        return MovedBody(address)

    @delete("/moved")
    async def stay(request: AnyRequest) -> None:
        """Takes it back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await people.stay(tx, me.person_id)

    return Router("/api/me", route_handlers=[where, move, stay], tags=["rights"])
