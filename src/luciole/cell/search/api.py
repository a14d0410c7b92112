"""Routes of search. What is looked for comes in the body of a POST: addresses are written into the
logs of proxies and the histories of browsers, bodies are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.clips.present import ClipBody, ClipPage, Presenter
from luciole.cell.clips.service import Clips
from luciole.cell.graph.model import Follows
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.cell.search import model
from luciole.cell.search.model import FoundHashtag, FoundPerson, FoundSound, Order
from luciole.cell.search.service import Search
from luciole.cell.search.words import MOST_QUERY_CHARS
from luciole.config import SearchSettings
from luciole.kit.db import Database
from luciole.kit.rates import Buckets, Rate, network
from luciole.kit.web import AnyRequest, address_of

AvatarUrl = Callable[[str | None], str | None]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_QUERY_CHARS)]
Few = Annotated[int, msgspec.Meta(ge=0, le=30)]
Many = Annotated[int, msgspec.Meta(ge=1, le=50)]
Limit = Annotated[int, QueryParameter(ge=1, le=50)]


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """What is looked for, and how many of each at most (0: none)."""

    q: Text
    people: Few = 5
    hashtags: Few = 5
    sounds: Few = 3


class ClipQuery(msgspec.Struct, forbid_unknown_fields=True):
    q: Text
    order: Order = "best"
    cursor: str | None = None
    limit: Many = 24


class PeopleQuery(msgspec.Struct, forbid_unknown_fields=True):
    q: Text
    cursor: str | None = None
    limit: Many = 20


class PersonBody(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None
    follows: Follows
    followers: int


class HashtagBody(msgspec.Struct):
    """A hashtag and how many public clips have it."""

    tag: str
    clips: int


class SoundOwner(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None


class FoundSoundBody(msgspec.Struct):
    """Without a name it is the original sound of its owner."""

    id: UUID
    name: str
    owner: SoundOwner
    uses: int


class Overview(msgspec.Struct):
    people: list[PersonBody]
    hashtags: list[HashtagBody]
    sounds: list[FoundSoundBody]


class FoundClips(msgspec.Struct):
    """A page of clips. `near` are words that were taken for words of the query."""

    items: list[ClipBody]
    near: list[str]
    next: str | None


class PeoplePage(msgspec.Struct):
    items: list[PersonBody]
    next: str | None


class TrendBody(msgspec.Struct):
    """`usual` is `authors_before / days_before`, `score` `(authors - usual) / sqrt(usual + 1)`."""

    tag: str
    authors: int
    clips: int
    authors_before: int
    usual: float
    score: float


class Trends(msgspec.Struct):
    """Hashtags on the rise, with the rules by which they are."""

    items: list[TrendBody]
    days_before: int
    least_authors: int
    least_score: float


def routes(
    db: Database,
    people: People,
    clips: Clips,
    search: Search,
    presenter: Presenter,
    avatar_url: AvatarUrl,
    settings: SearchSettings,
) -> Router:
    """The routes of search over their collaborators."""
    rates = Buckets()
    searches = Rate("search", settings.searches_per_minute, 60)

    async def whoever(tx: Any, request: AnyRequest) -> Viewer | None:
        """Who looks, counted: looking costs more than most requests."""
        viewer = await people.whoever(tx, request)
        whom = str(viewer.person_id) if viewer else network(address_of(request))
        rates.take(searches, whom)
        return viewer

    def person(found: FoundPerson) -> PersonBody:
        return PersonBody(
            found.handle,
            found.display_name,
            avatar_url(found.avatar_key),
            found.follows,
            found.followers,
        )

    def sound(found: FoundSound) -> FoundSoundBody:
        owner = SoundOwner(found.handle, found.display_name, avatar_url(found.avatar_key))
        return FoundSoundBody(found.id, found.name, owner, found.uses)

    @post("/search", status_code=200)
    async def overview(request: AnyRequest, data: JSONBody[Query]) -> Overview:
        """People, hashtags and sounds for a query, also while it is typed. It is not kept."""
        async with db.read() as tx:
            viewer = await whoever(tx, request)
            viewer_id = viewer.person_id if viewer else None
            found_people: list[FoundPerson] = []
            if data.people:
                found_people, _ = await search.people(
                    tx, data.q, viewer_id, cursor=None, limit=data.people
                )
            hashtags: list[FoundHashtag] = []
            if data.hashtags:
                hashtags = await search.hashtags(tx, data.q, data.hashtags)
            sounds: list[FoundSound] = []
            if data.sounds:
                sounds = await search.sounds(tx, data.q, viewer_id, data.sounds)
        return Overview(
            [person(one) for one in found_people[: data.people]],
            [HashtagBody(one.tag, one.clips) for one in hashtags],
            [sound(one) for one in sounds],
        )

    @post("/search/clips", status_code=200)
    async def find_clips(request: AnyRequest, data: JSONBody[ClipQuery]) -> FoundClips:
        """Public clips by their words, then those by words that may have been meant. The query is
        not kept."""
        async with db.read() as tx:
            viewer = await whoever(tx, request)
            viewer_id = viewer.person_id if viewer else None
            found = await search.clips(
                tx, data.q, viewer_id, order=data.order, cursor=data.cursor, limit=data.limit
            )
            marks = await clips.marks(tx, viewer_id, found.cards)
        page = presenter.page(found.cards, found.following, viewer, marks)
        return FoundClips(page.items, found.near, page.next)

    @post("/search/people", status_code=200)
    async def find_people(request: AnyRequest, data: JSONBody[PeopleQuery]) -> PeoplePage:
        """People by handle or name. The query is not kept."""
        async with db.read() as tx:
            viewer = await whoever(tx, request)
            found, following = await search.people(
                tx,
                data.q,
                viewer.person_id if viewer else None,
                cursor=data.cursor,
                limit=data.limit,
            )
        return PeoplePage([person(one) for one in found], following)

    @get("/hashtags/{tag:str}")
    async def hashtag(tag: FromPath[str]) -> HashtagBody:
        """A hashtag and how many public clips have it."""
        async with db.read() as tx:
            found = await search.hashtag(tx, tag)
        return HashtagBody(found.tag, found.clips)

    @get("/hashtags/{tag:str}/clips")
    async def hashtag_clips(
        request: AnyRequest,
        tag: FromPath[str],
        order: FromQuery[Order] = "new",
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """Public clips with a hashtag: the newest, or the most liked first (above 20 likes, those
        with about as many are ordered by their time)."""
        async with db.read() as tx:
            viewer = await whoever(tx, request)
            viewer_id = viewer.person_id if viewer else None
            cards, following = await search.of_hashtag(
                tx, tag, viewer_id, order=order, cursor=cursor, limit=limit
            )
            marks = await clips.marks(tx, viewer_id, cards)
        return presenter.page(cards, following, viewer, marks)

    @get("/trends")
    async def trends() -> Trends:
        """Hashtags that more people used within the last day than is usual for them, from public
        clips only, with the numbers that say so."""
        async with db.read() as tx:
            found = await search.trends(tx)
        return Trends(
            [
                TrendBody(
                    one.tag,
                    one.authors,
                    one.clips,
                    one.authors_before,
                    round(one.usual, 4),
                    round(one.score, 4),
                )
                for one in found
            ],
            model.TREND_DAYS,
            model.LEAST_AUTHORS,
            model.LEAST_SCORE,
        )

    return Router(
        "/api",
        route_handlers=[
            overview,
            find_clips,
            find_people,
            hashtag,
            hashtag_clips,
            trends,
        ],
        tags=["search"],
    )
