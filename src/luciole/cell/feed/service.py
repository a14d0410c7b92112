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

# A page of Latest may be made of so many reads.
MOST_READS = 20

Read = Callable[[FeedPlace, int], Awaitable[list[Card]]]


class Feed:
    """The front door of feed."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def latest(
        self, tx: Tx, viewer_id: UUID | None, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """What everybody may see; the same list for everybody, of which is left out what this
        viewer may not or does not want to see."""
        place = self._cursors.read("latest", cursor, FeedPlace) or TOP
        cards: list[Card] = []
        for _ in range(MOST_READS):
            # Read as a page of its own, so that it is the same query whoever asks.
            read = await store.latest(tx, place, limit + 1)
            cards += await store.shown_to(tx, viewer_id, read)
            if len(read) <= limit or len(cards) > limit:
                break
            place = _place_of(read[-1])
        else:
            # Only somebody who has muted whoever publishes most ever comes here.
            return cards, self._cursors.make("latest", place)
        if len(cards) <= limit:
            return cards, None
        return cards[:limit], self._cursors.make("latest", _place_of(cards[limit - 1]))

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
        return cards, self._cursors.make(scope, _place_of(cards[-1]))


def _place_of(card: Card) -> FeedPlace:
    assert card.published_at is not None  # every feed asks for published clips only
    return FeedPlace(card.published_at, card.id)
