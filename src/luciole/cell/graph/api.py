"""Routes of graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from litestar import Router, delete, get, put
from litestar.params import FromPath, FromQuery, QueryParameter

from luciole.cell.graph.model import Distance, Follows, Listed
from luciole.cell.graph.service import Graph
from luciole.cell.notices.service import Notices
from luciole.cell.people.model import NoSuchPerson
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

AvatarUrl = Callable[[str | None], str | None]
Limit = Annotated[int, QueryParameter(ge=1, le=50)]


class FollowBody(msgspec.Struct):
    follows: Follows


class Card(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None
    follows: Follows


class CardPage(msgspec.Struct):
    items: list[Card]
    next: str | None


def routes(
    db: Database, people: People, graph: Graph, notices: Notices, avatar_url: AvatarUrl
) -> Router:
    """The routes of graph over their collaborators."""

    def page_of(listed: list[Listed], following: str | None) -> CardPage:
        cards = [
            Card(item.handle, item.display_name, avatar_url(item.avatar_key), item.follows)
            for item in listed
        ]
        return CardPage(cards, following)

    @put("/people/{handle:str}/follow")
    async def follow(request: AnyRequest, handle: FromPath[str]) -> FollowBody:
        """Follows a person, or asks to, where their account is private."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            other = await people.by_handle(tx, handle, is_held=True)
            done = await graph.follow(tx, me.person_id, other.id, is_private=other.is_private)
            return FollowBody(done)

    @delete("/people/{handle:str}/follow", status_code=200)
    async def unfollow(request: AnyRequest, handle: FromPath[str]) -> FollowBody:
        """Stops following, or takes a request back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            other = await people.by_handle(tx, handle)
            await graph.unfollow(tx, me.person_id, other.id)
            return FollowBody("no")

    @get("/people/{handle:str}/followers")
    async def followers(
        request: AnyRequest,
        handle: FromPath[str],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> CardPage:
        """Who follows a person, the newest first."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            person = await people.by_handle(tx, handle)
            await graph.require_reach(tx, viewer.person_id if viewer else None, person.id)
            await notices.refuse_person(tx, person.id, viewer.person_id if viewer else None)
            return page_of(
                *await graph.followers(
                    tx,
                    person.id,
                    viewer.person_id if viewer else None,
                    is_private=person.is_private,
                    cursor=cursor,
                    limit=limit,
                )
            )

    @get("/people/{handle:str}/following")
    async def following(
        request: AnyRequest,
        handle: FromPath[str],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> CardPage:
        """Whom a person follows, the newest first."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            person = await people.by_handle(tx, handle)
            await graph.require_reach(tx, viewer.person_id if viewer else None, person.id)
            await notices.refuse_person(tx, person.id, viewer.person_id if viewer else None)
            return page_of(
                *await graph.following(
                    tx,
                    person.id,
                    viewer.person_id if viewer else None,
                    is_private=person.is_private,
                    cursor=cursor,
                    limit=limit,
                )
            )

    @get("/me/friends")
    async def friends(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> CardPage:
        """The person's friends: who follow each other."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return page_of(*await graph.friends(tx, me.person_id, cursor, limit))

    @get("/me/follow-requests")
    async def requests(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> CardPage:
        """Who asks to follow the person."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return page_of(*await graph.requests(tx, me.person_id, cursor, limit))

    @put("/me/follow-requests/{handle:str}", status_code=204)
    async def accept(request: AnyRequest, handle: FromPath[str]) -> None:
        """Lets a person follow."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await graph.accept(tx, me.person_id, (await people.by_handle(tx, handle)).id)

    @delete("/me/follow-requests/{handle:str}")
    async def decline(request: AnyRequest, handle: FromPath[str]) -> None:
        """Declines a request; the other person is not told."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await graph.decline(tx, me.person_id, (await people.by_handle(tx, handle)).id)

    @delete("/me/followers/{handle:str}")
    async def remove(request: AnyRequest, handle: FromPath[str]) -> None:
        """Removes a follower without a word to them."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            other = await people.by_handle(tx, handle)
            await graph.remove_follower(tx, me.person_id, other.id)

    @put("/people/{handle:str}/away/{distance:str}", status_code=204)
    async def keep_away(
        request: AnyRequest, handle: FromPath[str], distance: FromPath[Distance]
    ) -> None:
        """Blocks, mutes or restricts a person, from the next answer on; they are not told."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            other = await people.by_handle(tx, handle)
            relation = await graph.relation(tx, me.person_id, other.id)
            # Whoever is blocked finds nobody here, so as not to learn of it.
            if relation.is_blocked and not relation.has_blocked:
                raise NoSuchPerson
            await graph.keep_away(tx, distance, me.person_id, other.id)

    @delete("/people/{handle:str}/away/{distance:str}")
    async def let_near(
        request: AnyRequest, handle: FromPath[str], distance: FromPath[Distance]
    ) -> None:
        """Ends a block, a mute or a restriction."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            other = await people.by_handle(tx, handle)
            await graph.let_near(tx, distance, me.person_id, other.id)

    @get("/me/away/{distance:str}")
    async def kept_away(
        request: AnyRequest,
        distance: FromPath[Distance],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> CardPage:
        """Whom the person blocks, mutes or restricts, the newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return page_of(*await graph.kept_away(tx, distance, me.person_id, cursor, limit))

    return Router(
        "/api",
        route_handlers=[
            follow,
            unfollow,
            followers,
            following,
            friends,
            requests,
            accept,
            decline,
            remove,
            keep_away,
            let_near,
            kept_away,
        ],
        tags=["graph"],
    )
