"""Routes of what people keep and pass on."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.clips.kept.service import Keeping
from luciole.cell.clips.kept_model import MAX_NAME_CHARS, Collection, NoSuchCollection
from luciole.cell.clips.model import Card
from luciole.cell.clips.present import AuthorBody, ClipPage, Presenter
from luciole.cell.clips.service import Clips
from luciole.cell.graph.service import Graph
from luciole.cell.notices.service import Notices
from luciole.cell.people.model import Account, NoSuchPerson, Person, Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.errors import NotAllowed
from luciole.kit.web import AnyRequest

Limit = Annotated[int, QueryParameter(ge=1, le=50)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARS * 4)]


class FavouriteBody(msgspec.Struct):
    favourited: bool
    favourites: int


class RepostBody(msgspec.Struct):
    reposted: bool
    reposts: int


class CollectionBody(msgspec.Struct):
    """A collection. `has` is about the clip that was asked about."""

    id: UUID
    name: str
    is_public: bool
    by: AuthorBody
    is_mine: bool
    has: bool
    covers: list[str]


class Collections(msgspec.Struct):
    items: list[CollectionBody]


class NewCollection(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    is_public: bool = False


class CollectionChange(msgspec.Struct, forbid_unknown_fields=True):
    name: Name | None = None
    is_public: bool | None = None


class ShownLikes(msgspec.Struct, forbid_unknown_fields=True):
    shows_likes: bool


class ListsNotShown(NotAllowed):
    code = "lists-not-shown"
    sentence = "This account is private: only its followers see its lists."
    next_step = "Ask to follow it; its owner decides."


def routes(
    db: Database,
    people: People,
    graph: Graph,
    notices: Notices,
    clips: Clips,
    keeping: Keeping,
    presenter: Presenter,
) -> Router:
    """The routes of keeping over their collaborators."""

    async def page(tx: Tx, found: tuple[list[Card], str | None], viewer: Viewer | None) -> ClipPage:
        cards, following = found
        marks = await clips.marks(tx, viewer.person_id if viewer else None, cards)
        return presenter.page(cards, following, viewer, marks)

    async def shown(
        tx: Tx, request: AnyRequest, handle: str
    ) -> tuple[Person, Viewer | None, UUID | None]:
        """A person whose lists the viewer may see. Raises ListsNotShown, NoSuchPerson."""
        viewer = await people.whoever(tx, request)
        person = await people.by_handle(tx, handle)
        viewer_id = viewer.person_id if viewer else None
        await check_shown(tx, person, viewer_id)
        return person, viewer, viewer_id

    async def check_shown(tx: Tx, person: Person, viewer_id: UUID | None) -> None:
        relation = await graph.relation(tx, viewer_id, person.id)
        if relation.is_apart:
            raise NoSuchPerson
        if person.is_private and person.id != viewer_id and relation.follows != "yes":
            raise ListsNotShown
        await notices.refuse_person(tx, person.id, viewer_id)

    async def bodies(
        tx: Tx, found: list[Collection], owner: Person | Account, viewer: Viewer | None
    ) -> list[CollectionBody]:
        viewer_id = viewer.person_id if viewer else None
        covers = await keeping.covers(tx, found, viewer_id)
        by = AuthorBody(owner.handle, owner.display_name, people.avatar_url(owner.avatar_key))
        return [
            CollectionBody(
                one.id,
                one.name,
                one.is_public,
                by,
                owner.id == viewer_id,
                one.has,
                [
                    url
                    for clip_id in one.newest
                    if clip_id in covers and (url := presenter.poster(covers[clip_id], viewer))
                ],
            )
            for one in found
        ]

    async def own(tx: Tx, me: Viewer, one: Collection) -> CollectionBody:
        account = await people.account(tx, me.person_id)
        return (await bodies(tx, [one], account, me))[0]

    @put("/clips/{clip_id:uuid}/favourite")
    async def keep(request: AnyRequest, clip_id: FromPath[UUID]) -> FavouriteBody:
        """Keeps a clip; twice is once. Nobody is told."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return FavouriteBody(True, await keeping.keep(tx, me.person_id, clip_id))

    @delete("/clips/{clip_id:uuid}/favourite", status_code=200)
    async def let_go(request: AnyRequest, clip_id: FromPath[UUID]) -> FavouriteBody:
        """Keeps a clip no more; it leaves the person's collections too."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return FavouriteBody(False, await keeping.let_go(tx, me.person_id, clip_id))

    @get("/me/favourites")
    async def favourites(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 24
    ) -> ClipPage:
        """What the person keeps, the last kept first; nobody else sees this list."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return await page(tx, await keeping.favourites(tx, me.person_id, cursor, limit), me)

    @get("/me/collections")
    async def collections(request: AnyRequest, clip: FromQuery[UUID | None] = None) -> Collections:
        """The person's collections by name; with `clip`, whether that clip is in each."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            account = await people.account(tx, me.person_id)
            found = await keeping.collections(tx, me.person_id, me.person_id, clip)
            return Collections(await bodies(tx, found, account, me))

    @post("/me/collections")
    async def add(request: AnyRequest, data: JSONBody[NewCollection]) -> CollectionBody:
        """A new collection; only its owner sees it unless it is made public."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            made = await keeping.add_collection(tx, me.person_id, data.name, data.is_public)
            return await own(tx, me, made)

    @get("/people/{handle:str}/collections")
    async def collections_of(request: AnyRequest, handle: FromPath[str]) -> Collections:
        """A person's collections that the viewer may see."""
        async with db.read() as tx:
            person, viewer, viewer_id = await shown(tx, request, handle)
            found = await keeping.collections(tx, person.id, viewer_id)
            return Collections(await bodies(tx, found, person, viewer))

    async def seen(
        tx: Tx, request: AnyRequest, collection_id: UUID
    ) -> tuple[Collection, Person, Viewer | None]:
        """A collection and its owner, for a viewer who may see both."""
        viewer = await people.whoever(tx, request)
        viewer_id = viewer.person_id if viewer else None
        one = await keeping.collection(tx, collection_id, viewer_id)
        owner = (await people.cards(tx, [one.owner_id])).get(one.owner_id)
        if owner is None or await graph.is_apart(tx, viewer_id, one.owner_id):
            raise NoSuchCollection
        await check_shown(tx, owner, viewer_id)
        return one, owner, viewer

    @get("/collections/{collection_id:uuid}")
    async def collection(request: AnyRequest, collection_id: FromPath[UUID]) -> CollectionBody:
        """One collection, for those who may see it."""
        async with db.read() as tx:
            one, owner, viewer = await seen(tx, request, collection_id)
            return (await bodies(tx, [one], owner, viewer))[0]

    @get("/collections/{collection_id:uuid}/clips")
    async def collected(
        request: AnyRequest,
        collection_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """The clips in a collection that the viewer may see, the last added first."""
        async with db.read() as tx:
            one, _, viewer = await seen(tx, request, collection_id)
            viewer_id = viewer.person_id if viewer else None
            return await page(
                tx, await keeping.collected(tx, one, viewer_id, cursor, limit), viewer
            )

    @patch("/collections/{collection_id:uuid}")
    async def change(
        request: AnyRequest, collection_id: FromPath[UUID], data: JSONBody[CollectionChange]
    ) -> CollectionBody:
        """Renames an own collection, or shows it to others or not."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            changed = await keeping.change_collection(
                tx, me.person_id, collection_id, data.name, data.is_public
            )
            return await own(tx, me, changed)

    @delete("/collections/{collection_id:uuid}")
    async def drop(request: AnyRequest, collection_id: FromPath[UUID]) -> None:
        """Deletes an own collection; what was in it stays a favourite."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await keeping.drop_collection(tx, me.person_id, collection_id)

    @put("/collections/{collection_id:uuid}/clips/{clip_id:uuid}", status_code=204)
    async def collect(
        request: AnyRequest, collection_id: FromPath[UUID], clip_id: FromPath[UUID]
    ) -> None:
        """Puts a clip into an own collection; it becomes a favourite where it was none."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await keeping.collect(tx, me.person_id, collection_id, clip_id)

    @delete("/collections/{collection_id:uuid}/clips/{clip_id:uuid}")
    async def uncollect(
        request: AnyRequest, collection_id: FromPath[UUID], clip_id: FromPath[UUID]
    ) -> None:
        """Takes a clip out of an own collection; it stays a favourite."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await keeping.uncollect(tx, me.person_id, collection_id, clip_id)

    @put("/clips/{clip_id:uuid}/repost")
    async def repost(request: AnyRequest, clip_id: FromPath[UUID]) -> RepostBody:
        """Passes a clip on to one's followers; twice is once. Its author is told."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return RepostBody(True, await keeping.repost(tx, me.person_id, clip_id))

    @delete("/clips/{clip_id:uuid}/repost", status_code=200)
    async def unrepost(request: AnyRequest, clip_id: FromPath[UUID]) -> RepostBody:
        """Takes a repost back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return RepostBody(False, await keeping.unrepost(tx, me.person_id, clip_id))

    @get("/people/{handle:str}/reposts")
    async def reposts(
        request: AnyRequest,
        handle: FromPath[str],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """What a person passed on, the last first."""
        async with db.read() as tx:
            person, viewer, viewer_id = await shown(tx, request, handle)
            found = await keeping.reposts(tx, person.id, viewer_id, cursor, limit)
            return await page(tx, found, viewer)

    @get("/people/{handle:str}/likes")
    async def likes(
        request: AnyRequest,
        handle: FromPath[str],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """What a person likes, the last first: one's own, and of those who show it."""
        async with db.read() as tx:
            person, viewer, viewer_id = await shown(tx, request, handle)
            found = await keeping.liked(tx, person.id, viewer_id, cursor, limit)
            return await page(tx, found, viewer)

    @get("/me/shown-likes")
    async def shows_likes(request: AnyRequest) -> ShownLikes:
        """Whether others may see what the person likes."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return ShownLikes(await keeping.shows_likes(tx, me.person_id))

    @put("/me/shown-likes")
    async def show_likes(request: AnyRequest, data: JSONBody[ShownLikes]) -> ShownLikes:
        """Shows others what the person likes, or not, from the next request on."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await keeping.show_likes(tx, me.person_id, data.shows_likes)
            return data

    return Router(
        "/api",
        route_handlers=[
            keep,
            let_go,
            favourites,
            collections,
            add,
            collections_of,
            collection,
            collected,
            change,
            drop,
            collect,
            uncollect,
            repost,
            unrepost,
            reposts,
            likes,
            shows_likes,
            show_likes,
        ],
        tags=["clips"],
    )
