"""Routes of feed."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.params import FromQuery, QueryParameter

from luciole.cell.clips.present import ClipPage, Presenter
from luciole.cell.clips.service import Clips
from luciole.cell.feed.service import Feed
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

Limit = Annotated[int, QueryParameter(ge=1, le=50)]


def routes(db: Database, people: People, clips: Clips, feed: Feed, presenter: Presenter) -> Router:
    """The routes of feed over their collaborators."""

    @get("/latest")
    async def latest(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> ClipPage:
        """Public clips, newest first: the same list for everybody who asks, less what they may not
        or do not want to see."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            viewer_id = viewer.person_id if viewer else None
            cards, following = await feed.latest(tx, viewer_id, cursor, limit)
            marks = await clips.marks(tx, viewer_id, cards)
        return presenter.page(cards, following, viewer, marks)

    @get("/following")
    async def following(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> ClipPage:
        """Clips of the people whom the person follows, and those that these passed on, newest
        first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found, more = await feed.following(tx, me.person_id, cursor, limit)
            cards = [one.card for one in found if one.card is not None]
            marks = await clips.marks(tx, me.person_id, cards)
            reposters = {one.reposter_id for one in found if one.reposter_id is not None}
            passers = await people.cards(tx, list(reposters)) if reposters else {}
        page = presenter.page(cards, more, me, marks)
        for item, one in zip(page.items, found, strict=True):
            passer = passers.get(one.reposter_id) if one.reposter_id else None
            item.reposted_by = presenter.author(passer) if passer else None
        return page

    @get("/friends")
    async def friends(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> ClipPage:
        """Clips of the person's friends, newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            cards, more = await feed.friends(tx, me.person_id, cursor, limit)
            marks = await clips.marks(tx, me.person_id, cards)
        return presenter.page(cards, more, me, marks)

    return Router("/api/feeds", route_handlers=[latest, following, friends], tags=["feed"])
