"""Pages of clips, newest first, each clip once however far one scrolls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.clips.model import Card
from luciole.cell.feed import store
from luciole.cell.feed.model import FeedPlace, Passed
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx

TOP = FeedPlace(datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))

Read = Callable[[FeedPlace, int], Awaitable[list[Card]]]


class Feed:
    """The front door of feed."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def latest(self, tx: Tx, cursor: str | None, limit: int) -> tuple[list[Card], str | None]:
        """What everybody may see; the same list for everybody."""
        return await self._page("latest", cursor, limit, lambda p, n: store.latest(tx, p, n))

    async def following(
        self, tx: Tx, viewer_id: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Passed], str | None]:
        """Clips of the people whom the viewer follows, and those that these passed on."""
        scope = f"following:{viewer_id}"
        place = self._cursors.read(scope, cursor, FeedPlace) or TOP
        found = await store.following(tx, viewer_id, place, limit + 1)
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = self._cursors.make(scope, found[-1].place)
        return [one for one in found if one.card is not None], following

    async def friends(
        self, tx: Tx, viewer_id: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """Clips of the viewer's friends."""
        return await self._page(
            f"friends:{viewer_id}", cursor, limit, lambda p, n: store.friends(tx, viewer_id, p, n)
        )

    async def _page(
        self, scope: str, cursor: str | None, limit: int, read: Read
    ) -> tuple[list[Card], str | None]:
        place = self._cursors.read(scope, cursor, FeedPlace) or TOP
        cards = await read(place, limit + 1)
        if len(cards) <= limit:
            return cards, None
        cards = cards[:limit]
        last = cards[-1]
        assert last.published_at is not None  # every feed asks for published clips only
        return cards, self._cursors.make(scope, FeedPlace(last.published_at, last.id))
