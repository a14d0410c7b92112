"""Keeping clips and passing them on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from luciole.cell.clips import store as clip_store
from luciole.cell.clips.kept_model import (
    COVERS,
    MAX_COLLECTIONS,
    MAX_NAME_CHARS,
    CannotRepost,
    Collection,
    KeepsTooOften,
    Kept,
    KeptPlace,
    LikesNotShown,
    NameTaken,
    NoSuchCollection,
    RepostsTooOften,
    TooManyCollections,
    clean_name,
)
from luciole.cell.clips.model import Card, NotPublishedYet, is_for_all, is_seen_among_friends
from luciole.cell.clips.service import Clips
from luciole.cell.clips.store import kept as store
from luciole.cell.graph.service import Graph
from luciole.cell.notify.service import Notify
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.rates import Buckets, Rate

Read = Callable[[KeptPlace | None, int], Awaitable[list[Kept]]]

# Of one person. Each API process counts for itself.
KEEPING = Rate("keep", 120, 60)
REPOSTING = Rate("repost", 60, 3600)


class Keeping:
    """The front door of what people keep and pass on."""

    def __init__(
        self, clips: Clips, graph: Graph, notify: Notify, cursors: Cursors, clock: Clock
    ) -> None:
        self._clips = clips
        self._graph = graph
        self._notify = notify
        self._cursors = cursors
        self._clock = clock
        self._buckets = Buckets()

    # Favourites

    async def keep(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """Keeps a clip as a favourite, once; gives how many do. Nobody is told. Raises NoSuchClip,
        NotPublishedYet, TooMany."""
        self._buckets.take(KEEPING, str(me), refusal=KeepsTooOften)
        card = await self._published(tx, me, clip_id)
        if not await store.add_favourite(tx, me, clip_id):
            return card.favourites
        return await store.count_favourites(tx, clip_id, 1)

    async def let_go(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """No favourite any more, also in no collection; gives how many others keep it."""
        await clip_store.lock(tx, clip_id)
        dropped = await store.drop_favourite(tx, me, clip_id)
        if dropped:
            return await store.count_favourites(tx, clip_id, -1)
        return (await self._clips.see(tx, clip_id, me)).favourites

    async def favourites(
        self, tx: Tx, me: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """What the person keeps and may still see, the last kept first."""
        found, following = await self._page(
            f"favourites:{me}", cursor, limit, lambda p, n: store.favourites(tx, me, p, n)
        )
        return await self._clips.seen(tx, _ids(found), me), following

    # Collections

    async def collections(
        self, tx: Tx, owner_id: UUID, viewer_id: UUID | None, clip_id: UUID | None = None
    ) -> list[Collection]:
        """A person's collections that the viewer may see, by name."""
        return await store.collections(tx, owner_id, clip_id, COVERS, owner_id == viewer_id)

    async def covers(
        self, tx: Tx, collections: list[Collection], viewer_id: UUID | None
    ) -> dict[UUID, Card]:
        """The newest clips of collections, as far as the viewer may see them."""
        ids = list(dict.fromkeys(clip for one in collections for clip in one.newest))
        return {card.id: card for card in await self._clips.seen(tx, ids, viewer_id)}

    async def add_collection(self, tx: Tx, me: UUID, name: str, is_public: bool) -> Collection:
        """Raises BadName, NameTaken, TooManyCollections."""
        name = clean_name(name, MAX_NAME_CHARS)
        await store.lock_collections(tx, me)
        if len(await store.collections(tx, me, None, 0, True)) >= MAX_COLLECTIONS:
            raise TooManyCollections
        made = Collection(new_id(), me, name, is_public)
        if not await store.add_collection(tx, made.id, me, name, is_public):
            raise NameTaken
        return made

    async def change_collection(
        self, tx: Tx, me: UUID, collection_id: UUID, name: str | None, is_public: bool | None
    ) -> Collection:
        """Raises NoSuchCollection, BadName, NameTaken."""
        await store.lock_collections(tx, me)
        now = await self._own(tx, me, collection_id)
        wanted = now.name if name is None else clean_name(name, MAX_NAME_CHARS)
        public = now.is_public if is_public is None else is_public
        if not await store.change_collection(tx, collection_id, wanted, public):
            raise NameTaken
        return Collection(now.id, me, wanted, public)

    async def drop_collection(self, tx: Tx, me: UUID, collection_id: UUID) -> None:
        """The favourites in it stay favourites. Raises NoSuchCollection."""
        await self._own(tx, me, collection_id)
        await store.drop_collection(tx, collection_id)

    async def collect(self, tx: Tx, me: UUID, collection_id: UUID, clip_id: UUID) -> None:
        """Puts a clip into an own collection, and keeps it. Raises NoSuchCollection, NoSuchClip,
        NotPublishedYet."""
        await self._own(tx, me, collection_id)
        await self.keep(tx, me, clip_id)
        await store.collect(tx, collection_id, me, clip_id)

    async def uncollect(self, tx: Tx, me: UUID, collection_id: UUID, clip_id: UUID) -> None:
        """Takes a clip out; it stays a favourite. Raises NoSuchCollection."""
        await self._own(tx, me, collection_id)
        await store.uncollect(tx, collection_id, clip_id)

    async def collection(self, tx: Tx, collection_id: UUID, viewer_id: UUID | None) -> Collection:
        """A collection that the viewer may see; whose owner they may see is for the caller to ask.
        Raises NoSuchCollection."""
        found = await store.collection(tx, collection_id)
        if found is None or not (found.is_public or found.owner_id == viewer_id):
            raise NoSuchCollection
        return found

    async def collected(
        self, tx: Tx, one: Collection, viewer_id: UUID | None, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """The clips in a collection that the viewer may see, the last added first."""
        found, following = await self._page(
            f"collection:{one.id}", cursor, limit, lambda p, n: store.collected(tx, one.id, p, n)
        )
        cards = await self._clips.seen(tx, _ids(found), viewer_id)
        return await self._among_friends(tx, cards, one.owner_id, viewer_id), following

    # Reposts

    async def repost(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """Passes a clip on to one's followers, once; gives how many did. Raises NoSuchClip,
        NotPublishedYet, CannotRepost, TooMany."""
        self._buckets.take(REPOSTING, str(me), refusal=RepostsTooOften)
        card = await self._published(tx, me, clip_id)
        if card.author_id == me or not is_for_all(card):
            raise CannotRepost
        if not await store.add_repost(tx, me, clip_id, self._clock.now()):
            return card.reposts
        count = await store.count_reposts(tx, clip_id, 1)
        await self._notify.tell(tx, "repost", to=card.author_id, by=me, clip_id=clip_id)
        return count

    async def unrepost(self, tx: Tx, me: UUID, clip_id: UUID) -> int:
        """Takes it back; gives how many others passed it on."""
        await clip_store.lock(tx, clip_id)
        author_id = await clip_store.author(tx, clip_id)
        if author_id is not None and await store.drop_repost(tx, me, clip_id):
            await self._notify.withdraw(tx, "repost", to=author_id, by=me, clip_id=clip_id)
            return await store.count_reposts(tx, clip_id, -1)
        return (await self._clips.see(tx, clip_id, me)).reposts

    async def reposts(
        self, tx: Tx, person_id: UUID, viewer_id: UUID | None, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """What a person passed on, the last first."""
        found, following = await self._page(
            f"reposts:{person_id}", cursor, limit, lambda p, n: store.reposts(tx, person_id, p, n)
        )
        cards = await self._clips.seen(tx, _ids(found), viewer_id)
        return [card for card in cards if is_for_all(card)], following

    # Shown likes

    async def shows_likes(self, tx: Tx, person_id: UUID) -> bool:
        return await store.shows_likes(tx, person_id)

    async def show_likes(self, tx: Tx, me: UUID, shows: bool) -> None:
        """Whether others may see what I like, from the next request on."""
        await store.show_likes(tx, me, shows)

    async def liked(
        self, tx: Tx, person_id: UUID, viewer_id: UUID | None, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """What a person likes, the last first. Raises LikesNotShown."""
        if person_id != viewer_id and not await store.shows_likes(tx, person_id):
            raise LikesNotShown
        found, following = await self._page(
            f"liked:{person_id}", cursor, limit, lambda p, n: store.liked(tx, person_id, p, n)
        )
        cards = await self._clips.seen(tx, _ids(found), viewer_id)
        return await self._among_friends(tx, cards, person_id, viewer_id), following

    # What they share

    async def _published(self, tx: Tx, me: UUID, clip_id: UUID) -> Card:
        """First the clip is locked, then what is counted on it, as deleting does it."""
        await clip_store.lock(tx, clip_id)
        card = await self._clips.see(tx, clip_id, me)
        if card.state != "published":
            raise NotPublishedYet
        return card

    async def _own(self, tx: Tx, me: UUID, collection_id: UUID) -> Collection:
        found = await store.collection(tx, collection_id)
        if found is None or found.owner_id != me:
            raise NoSuchCollection
        return found

    async def _among_friends(
        self, tx: Tx, cards: list[Card], doer_id: UUID, viewer_id: UUID | None
    ) -> list[Card]:
        """Without clips for friends where the viewer is no friend of whose list it is."""
        if viewer_id is None or all(card.audience == "everyone" for card in cards):
            return [card for card in cards if card.audience == "everyone"]
        friends = await self._graph.friends_among(tx, viewer_id, [doer_id])
        return [
            card
            for card in cards
            if card.audience == "everyone"
            or is_seen_among_friends(viewer_id, doer_id, card.author_id, friends)
        ]

    async def _page(
        self, scope: str, cursor: str | None, limit: int, read: Read
    ) -> tuple[list[Kept], str | None]:
        found = await read(self._cursors.read(scope, cursor, KeptPlace), limit + 1)
        if len(found) <= limit:
            return found, None
        found = found[:limit]
        last = found[-1]
        return found, self._cursors.make(scope, KeptPlace(last.made_at, last.clip_id))


def _ids(found: list[Kept]) -> list[UUID]:
    return [one.clip_id for one in found]
