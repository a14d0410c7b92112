"""Who of those that ask may see a clip, and where its files belong for that."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from luciole.cell.clips.audience_model import (
    MAX_CIRCLES,
    MAX_LISTED,
    Circle,
    CirclesTooMany,
    ClipList,
    ListTooLong,
    NoSuchCircle,
    PastDays,
    check_list,
    clean_name,
)
from luciole.cell.clips.model import Audience, Card, is_visible
from luciole.cell.clips.store import audience as store
from luciole.cell.graph.service import Graph
from luciole.cell.media.service import Media
from luciole.cell.notices.service import Notices
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue

PLACED_AT_ONCE = 100
AUTHORS_AT_ONCE = 100


class Audiences:
    """Lists of clips, circles, and how far back others see."""

    def __init__(self, media: Media, graph: Graph, notices: Notices, queue: Queue) -> None:
        self._media = media
        self._graph = graph
        self._notices = notices
        self._queue = queue

    # --- who sees ------------------------------------------------------------------------------

    async def visible(self, tx: Tx, viewer_id: UUID | None, cards: Sequence[Card]) -> list[Card]:
        """Those of the cards that the viewer may see where they are, in their order."""
        meant = await self.meant_for(tx, viewer_id, cards)
        withheld = await self.withheld(tx, viewer_id, meant)
        return [card for card in meant if card.id not in withheld]

    async def withheld(
        self, tx: Tx, viewer_id: UUID | None, cards: Sequence[Card]
    ) -> dict[UUID, UUID]:
        """Those of the cards that are withheld where is asked from, with the notice. Nobody's own
        are withheld from them."""
        others = [(card.id, card.author_id) for card in cards if card.author_id != viewer_id]
        return await self._notices.among(tx, others)

    async def meant_for(self, tx: Tx, viewer_id: UUID | None, cards: Sequence[Card]) -> list[Card]:
        """Those of the cards that are for the viewer, in their order: by state, audience, list,
        age, and whether one of viewer and author blocks the other."""
        if not cards:
            return []
        relations = await self._graph.relations(tx, viewer_id, (card.author_id for card in cards))
        with_list = [card.id for card in cards if card.audience_list is not None]
        is_open: frozenset[UUID] = frozenset()
        if with_list and viewer_id is not None:
            is_open = await store.open_among(tx, viewer_id, with_list)
        return [
            card
            for card in cards
            if is_visible(
                card,
                viewer_id,
                relations[card.author_id],
                is_open=card.audience_list is None or card.id in is_open,
            )
        ]

    async def likes_seen(
        self, tx: Tx, viewer_id: UUID | None, cards: Sequence[Card]
    ) -> dict[UUID, int]:
        """The likes that the viewer sees of those of the clips where they do not see all: of
        clips for friends, those by friends of both. See `is_seen_among_friends`."""
        among = [
            card.id for card in cards if card.audience == "friends" and card.author_id != viewer_id
        ]
        if not among or viewer_id is None:
            return {}
        return await store.likes_seen(tx, viewer_id, among)

    # --- the list of a clip --------------------------------------------------------------------

    async def set_list(
        self, tx: Tx, clip_id: UUID, author_id: UUID, audience: Audience, wanted: ClipList | None
    ) -> None:
        """Gives a clip this list, or none. Raises ListDoesNotFit, ListTooLong, ListEmpty."""
        await store.set_list(
            tx, clip_id, check_list(audience, wanted, author_id) if wanted else None
        )

    async def list_of(self, tx: Tx, clip_id: UUID) -> ClipList | None:
        """The list of a clip; for its author only."""
        return await store.list_of(tx, clip_id)

    # --- circles -------------------------------------------------------------------------------

    async def circles(self, tx: Tx, owner_id: UUID) -> list[Circle]:
        """A person's circles, the oldest first."""
        return await store.circles(tx, owner_id)

    async def add_circle(self, tx: Tx, owner_id: UUID, name: str, people: Sequence[UUID]) -> Circle:
        """A new circle. Raises BadCircleName, ListTooLong, CirclesTooMany."""
        made = Circle(new_id(), clean_name(name), _once(people, owner_id))
        await store.lock_owner(tx, owner_id)
        if await store.circles_at_least(tx, owner_id, MAX_CIRCLES):
            raise CirclesTooMany
        await store.add_circle(tx, owner_id, made)
        return made

    async def change_circle(
        self, tx: Tx, owner_id: UUID, circle_id: UUID, name: str, people: Sequence[UUID]
    ) -> Circle:
        """A circle with other people or another name. Clips whose lists were made of it stay as
        they are. Raises NoSuchCircle, BadCircleName, ListTooLong."""
        wanted = Circle(circle_id, clean_name(name), _once(people, owner_id))
        if not await store.change_circle(tx, owner_id, wanted):
            raise NoSuchCircle
        return wanted

    async def drop_circle(self, tx: Tx, owner_id: UUID, circle_id: UUID) -> None:
        """Raises NoSuchCircle."""
        if not await store.drop_circle(tx, circle_id, owner_id):
            raise NoSuchCircle

    # --- how far back others see ---------------------------------------------------------------

    async def past_days(self, tx: Tx, person_id: UUID) -> PastDays:
        """How many days back others see a person's clips."""
        return await store.past_days(tx, person_id)

    async def set_past_days(self, tx: Tx, person_id: UUID, days: PastDays) -> None:
        """Holds from the next answer on; a job renames the files."""
        await store.set_past_days(tx, person_id, days)
        await self._queue.put(tx, "clips.place", {"person_id": str(person_id)})

    # --- where files belong --------------------------------------------------------------------

    async def place_next(
        self, tx: Tx, author_id: UUID, after: UUID, *, is_private: bool
    ) -> UUID | None:
        """Renames the files of an author's next clips that are not where they belong, as after the
        account became private or public, and gives the place to go on from, or None at the end."""
        found = await store.misplaced(tx, author_id, after, PLACED_AT_ONCE, is_private=is_private)
        for _, asset_id, is_public in found:
            await (self._media.narrow if is_public else self._media.widen)(tx, asset_id)
        return found[-1][0] if len(found) == PLACED_AT_ONCE else None

    async def place_fallen_out(self, tx: Tx) -> int:
        """Asks for the files of clips that became too old to be shown; gives of how many people."""
        authors = await store.fallen_out(tx, AUTHORS_AT_ONCE)
        for author_id in authors:
            await self._queue.put(tx, "clips.place", {"person_id": str(author_id)})
        return len(authors)


def _once(people: Sequence[UUID], owner_id: UUID) -> tuple[UUID, ...]:
    found = tuple(one for one in dict.fromkeys(people) if one != owner_id)
    if len(found) > MAX_LISTED:
        raise ListTooLong
    return found
