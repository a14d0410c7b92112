"""Routes of who moves to another cell: saying where, saying from where, and taking it back.

The account stays as it is until its owner has it erased: it shows the new address, if they wish, so
that who looks for them here finds them there. Cells that know them hear it from both cells.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, put
from litestar.params import JSONBody

from luciole.ask.client import Custody
from luciole.cell.abroad.moving.service import Moving
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

Uri = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,19}$")]


class MovedBody(msgspec.Struct):
    """The address in the other cell, such as `https://cell.example/@ana`; null for who is here.
    `known_as` is the address by which other cells know the person until now, `known_in` their
    names: the new cell is told both."""

    address: str | None
    is_shown: bool
    known_as: str | None
    known_in: list[str]


class MoveChange(msgspec.Struct, forbid_unknown_fields=True):
    """Where the person is from now on. `known_as`: what the new cell said that others will know
    them by; without it only the profile changes. `is_shown`: others see it there."""

    address: str | None
    known_as: Uri | None = None
    is_shown: bool = True


class CameChange(msgspec.Struct, forbid_unknown_fields=True):
    """What the former cell says of the person: by which address others know them, and which do."""

    known_as: Uri
    known_in: Annotated[list[Name], msgspec.Meta(max_length=64)] = []


class CameBody(msgspec.Struct):
    """`known_as`: the address of the person in this cell, null before one was needed. `came_from`:
    those that they said they had in others."""

    known_as: str | None
    came_from: list[str]


def routes(db: Database, people: People, moving: Moving, custody: Custody) -> Router:
    """The routes of this file over their collaborators."""

    @get("/moved")
    async def where(request: AnyRequest) -> MovedBody:
        """Where the person has gone, and how other cells know them."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            said = await people.own_move(tx, me.person_id)
            known = await moving.known(tx, me.person_id)
        address, is_shown = said or (None, True)
        return MovedBody(address, is_shown, known.uri, known.cells)

    @put("/moved")
    async def move(request: AnyRequest, data: JSONBody[MoveChange]) -> MovedBody:
        """Says where the person is from now on, in their journal, on their profile if they wish,
        and to the cells that know them. Needs a fresh proof."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            address = await people.move(
                tx, me.person_id, data.address or "", is_shown=data.is_shown
            )
            if data.known_as is not None:
                await moving.leave(tx, me.person_id, data.known_as, is_shown=data.is_shown)
            await custody.note(
                tx,
                me.person_id,
                kind="crossing",
                cls="self",
                actor="you",
                purpose="move",
                note=address,
            )
            known = await moving.known(tx, me.person_id)
        return MovedBody(address, data.is_shown, known.uri, known.cells)

    @delete("/moved")
    async def stay(request: AnyRequest) -> None:
        """Takes it back. Cells that have heard of the move from both have acted on it."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await people.stay(tx, me.person_id)
            await moving.take_back(tx, me.person_id, "left")

    @get("/came-from")
    async def whence(request: AnyRequest) -> CameBody:
        """Which addresses in other cells the person has named as their own."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            known = await moving.known(tx, me.person_id)
            return CameBody(known.uri, await moving.came_from(tx, me.person_id))

    @put("/came-from")
    async def come(request: AnyRequest, data: JSONBody[CameChange]) -> CameBody:
        """Names the address that the person had in another cell, and tells those that knew it. The
        other cell has to say the same, else it has no effect. Needs a fresh proof."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            mine = await moving.come(tx, me.person_id, data.known_as, data.known_in)
            return CameBody(mine, await moving.came_from(tx, me.person_id))

    @delete("/came-from")
    async def forget(request: AnyRequest) -> None:
        """Names none any more."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await moving.take_back(tx, me.person_id, "came")

    return Router(
        "/api/me", route_handlers=[where, move, stay, whence, come, forget], tags=["rights"]
    )
