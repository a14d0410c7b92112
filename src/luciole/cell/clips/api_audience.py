"""Routes of for whom clips are: lists, circles, and how far back others see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from luciole.cell.clips.audience_model import MAX_LISTED, MAX_NAME_CHARS, Circle, ClipList, PastDays
from luciole.cell.clips.model import Audience, ListKind
from luciole.cell.clips.present import AuthorBody
from luciole.cell.clips.service import Clips
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

Handle = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
# A little more than may be, so that too many get a sentence of our own.
Handles = Annotated[list[Handle], msgspec.Meta(max_length=MAX_LISTED * 2)]


class ListWish(msgspec.Struct, forbid_unknown_fields=True):
    """People for whom a clip is, or is not."""

    kind: ListKind
    handles: Handles


class AudienceBody(msgspec.Struct):
    """For whom a clip is, as its author sees it."""

    audience: Audience
    kind: ListKind | None
    people: list[AuthorBody]


class CircleWish(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARS * 4)]
    handles: Handles


class CircleBody(msgspec.Struct):
    id: UUID
    name: str
    people: list[AuthorBody]


class CirclesBody(msgspec.Struct):
    items: list[CircleBody]


class PastBody(msgspec.Struct):
    """How many days back others see one's clips; null: all of them."""

    days: PastDays


async def clip_list(people: People, tx: Tx, wish: ListWish | None) -> ClipList | None:
    """The list that somebody wishes for. Raises NoSuchPerson."""
    if wish is None:
        return None
    return ClipList(wish.kind, await ids(people, tx, wish.handles))


async def ids(people: People, tx: Tx, handles: Sequence[str]) -> tuple[UUID, ...]:
    """Whom the handles name. Raises NoSuchPerson."""
    return tuple([one.id for one in await people.by_handles(tx, handles)])


def routes(db: Database, people: People, clips: Clips) -> Router:
    """The routes of audiences over their collaborators."""

    async def bodies(tx: Tx, wanted: Iterable[UUID]) -> list[AuthorBody]:
        found = await people.cards(tx, list(wanted))
        return [
            AuthorBody(one.handle, one.display_name, people.avatar_url(one.avatar_key))
            for one in sorted(found.values(), key=lambda one: one.handle)
        ]

    async def circle_body(tx: Tx, circle: Circle) -> CircleBody:
        return CircleBody(circle.id, circle.name, await bodies(tx, circle.people))

    @get("/clips/{clip_id:uuid}/audience")
    async def audience(request: AnyRequest, clip_id: FromPath[UUID]) -> AudienceBody:
        """For whom an own clip is, with the people on its list."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            card = await clips.own(tx, clip_id, me.person_id)
            found = await clips.audiences.list_of(tx, clip_id)
            return AudienceBody(
                card.audience,
                found.kind if found else None,
                await bodies(tx, found.people if found else ()),
            )

    @get("/me/circles")
    async def circles(request: AnyRequest) -> CirclesBody:
        """The person's circles: people under a name, to share a clip with or to hide it from."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await clips.audiences.circles(tx, me.person_id)
            return CirclesBody([await circle_body(tx, one) for one in found])

    @post("/me/circles")
    async def add_circle(request: AnyRequest, data: JSONBody[CircleWish]) -> CircleBody:
        """Makes a circle; nobody else learns of it."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            found = await ids(people, tx, data.handles)
            made = await clips.audiences.add_circle(tx, me.person_id, data.name, found)
            return await circle_body(tx, made)

    @put("/me/circles/{circle_id:uuid}")
    async def change_circle(
        request: AnyRequest, circle_id: FromPath[UUID], data: JSONBody[CircleWish]
    ) -> CircleBody:
        """Gives a circle another name or other people; clips that were shared stay as they are."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            found = await ids(people, tx, data.handles)
            made = await clips.audiences.change_circle(
                tx, me.person_id, circle_id, data.name, found
            )
            return await circle_body(tx, made)

    @delete("/me/circles/{circle_id:uuid}")
    async def drop_circle(request: AnyRequest, circle_id: FromPath[UUID]) -> None:
        """Deletes a circle; clips that were shared stay as they are."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await clips.audiences.drop_circle(tx, me.person_id, circle_id)

    @get("/me/past-clips")
    async def past(request: AnyRequest) -> PastBody:
        """How many days back others see the person's clips."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return PastBody(await clips.audiences.past_days(tx, me.person_id))

    @put("/me/past-clips")
    async def set_past(request: AnyRequest, data: JSONBody[PastBody]) -> PastBody:
        """Shows others only the clips of the last days, or all of them again."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await clips.audiences.set_past_days(tx, me.person_id, data.days)
            return data

    return Router(
        "/api",
        route_handlers=[
            audience,
            circles,
            add_circle,
            change_circle,
            drop_circle,
            past,
            set_past,
        ],
        tags=["clips"],
    )
