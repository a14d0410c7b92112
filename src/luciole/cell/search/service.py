"""Looking for people, clips, hashtags and sounds. Nothing of a query is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Card
from luciole.cell.graph.service import Graph
from luciole.cell.search import model, words
from luciole.cell.search.model import (
    FoundHashtag,
    FoundPerson,
    FoundSound,
    NamePlace,
    NothingToLookFor,
    Order,
    Place,
    Terms,
    Trend,
)
from luciole.cell.search.store import clips as clips_store
from luciole.cell.search.store import names, trends
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx

TOP_ID = UUID(int=2**128 - 1)
TOP_TIME = datetime.max.replace(tzinfo=UTC)
TOP = Place(0, 1e15, 32_767, TOP_TIME, TOP_ID)
TOP_NAME = NamePlace(32_767, TOP_ID)
# How far an order is walked before the index is asked.
WALKED_CLIPS = 2_000
WALKED_NAMES = 1_000
# Only who has blocked or muted almost everybody who uses a word ever needs more.
MOST_ROUNDS = 20
MOST_FOLLOWED = 5


class Found(msgspec.Struct, frozen=True):
    """A page of clips. `near` are words that were taken for words of the query."""

    cards: list[Card]
    near: list[str]
    following: str | None


class Search:
    """The front door of search."""

    def __init__(self, graph: Graph, cursors: Cursors) -> None:
        self._graph = graph
        self._cursors = cursors

    async def clips(
        self,
        tx: Tx,
        text: str,
        viewer_id: UUID | None,
        *,
        order: Order,
        cursor: str | None,
        limit: int,
    ) -> Found:
        """Public clips that have all words of the query, or a form of them; after these, those that
        have what may have been meant. Raises NothingToLookFor, BadCursor."""
        asked = _asked(text)
        scope = _scope("search", order, asked)
        place = self._cursors.read(scope, cursor, Place) or TOP
        exact = await self._with_stems(tx, asked)
        cards: list[Card] = []
        last: Place | None = None
        near: list[str] = []
        if place.phase == 0:
            query = model.expression(exact)
            cards, last = await self._page(tx, query, viewer_id, order, place, limit)
            place = msgspec.structs.replace(TOP, phase=1)
        if last is None:
            wider, near = await self._meant(tx, exact)
            if near:
                query = model.expression(wider, exact)
                left = limit - len(cards)
                more, last = await self._page(tx, query, viewer_id, order, place, left)
                cards += more
                near = near if more else []
        return Found(cards, near, self._cursors.make(scope, last) if last else None)

    async def of_hashtag(
        self,
        tx: Tx,
        tag: str,
        viewer_id: UUID | None,
        *,
        order: Order,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[Card], str | None]:
        """Public clips with a hashtag, and the next cursor. Raises NoSuchHashtag, BadCursor."""
        tag = model.tag_of(tag)
        scope = _scope("hashtag", order, [tag])
        place = self._cursors.read(scope, cursor, Place) or TOP
        query = model.expression([Terms(f"#{tag}")])
        cards, last = await self._page(tx, query, viewer_id, order, place, limit)
        return cards, self._cursors.make(scope, last) if last else None

    async def hashtag(self, tx: Tx, tag: str) -> FoundHashtag:
        """A hashtag with its count. Raises NoSuchHashtag where no clip for everybody has it."""
        tag = model.tag_of(tag)
        clips = await names.hashtag(tx, tag)
        if not clips:
            raise model.NoSuchHashtag
        return FoundHashtag(tag, clips)

    async def trends(self, tx: Tx) -> list[Trend]:
        """Hashtags on the rise, the most unusual first."""
        return await trends.trends(tx)

    async def people(
        self, tx: Tx, text: str, viewer_id: UUID | None, *, cursor: str | None, limit: int
    ) -> tuple[list[FoundPerson], str | None]:
        """People by handle or name: who has that very handle, whom the viewer follows, then the
        most followed; where that is few, also whose name is nearly so. Raises NothingToLookFor,
        BadCursor."""
        asked = _asked(text)
        keys = _beginnings(asked)
        scope = _scope("people", "", asked)
        place = self._cursors.read(scope, cursor, NamePlace)
        first: list[UUID] = []
        exact = await names.by_handle(tx, text.strip().removeprefix("@").casefold())
        if exact:
            first.append(exact)
        if viewer_id:
            first += await names.followed_people(tx, viewer_id, keys, MOST_FOLLOWED)
        ids = list(dict.fromkeys(first)) if place is None else []
        at = place or TOP_NAME
        refs = await names.walk_people(tx, keys, at, limit + 1, WALKED_NAMES)
        if len(refs) <= limit:
            refs = await names.find_people(tx, keys, at, limit + 1)
        is_more, refs = len(refs) > limit, refs[:limit]
        following = self._cursors.make(scope, refs[-1]) if is_more else None
        ids += [ref.id for ref in refs if ref.id not in first]
        shown = await names.people(tx, ids, viewer_id)
        if place is None and len(ids) < limit:
            near = await self._near_people(tx, asked, limit)
            also = await names.people(tx, (one for one in near if one not in ids), viewer_id)
            fits = {
                one: person
                for one, person in also.items()
                if _fits(asked, f"{person.handle} {person.display_name}")
            }
            ids += [one for one in near if one in fits and one not in ids]
            shown |= fits
        follows = await self._graph.followed_among(tx, viewer_id, list(shown)) if viewer_id else {}
        return [
            msgspec.structs.replace(shown[one], follows=follows.get(one, "no"))
            for one in ids
            if one in shown
        ], following

    async def _near_people(self, tx: Tx, asked: Sequence[str], limit: int) -> list[UUID]:
        found = await names.find_people(tx, _insides(asked), TOP_NAME, limit)
        near = await names.near_people(tx, _near(asked), limit)
        return [*(ref.id for ref in found), *near]

    async def hashtags(self, tx: Tx, text: str, limit: int) -> list[FoundHashtag]:
        """Hashtags that begin so, that very one first; where that is few, those that are nearly so.
        Raises NothingToLookFor."""
        asked = ["".join(_asked(text.replace("#", " ")))]
        found = await names.hashtags(tx, _beginnings(asked), limit, WALKED_NAMES)
        if len(found) < limit:
            near = await names.near_hashtags(tx, _near(asked), 2 * limit)
            found += [one for one in near if _fits(asked, one.tag)]
        found.sort(key=lambda one: words.folded(one.tag) != asked[0])
        unique = {one.tag: one for one in found}
        return list(unique.values())[:limit]

    async def sounds(
        self, tx: Tx, text: str, viewer_id: UUID | None, limit: int
    ) -> list[FoundSound]:
        """Sounds by their name or their owner's, the most used first. Raises NothingToLookFor."""
        asked = _asked(text)
        ids = await names.find_sounds(tx, _beginnings(asked), limit)
        shown = await names.sounds(tx, ids, viewer_id)
        if len(ids) < limit:
            near = await names.near_sounds(tx, _near(asked), limit)
            also = await names.sounds(tx, (one for one in near if one not in ids), viewer_id)
            ids += near
            shown |= {
                one: sound
                for one, sound in also.items()
                if _fits(asked, f"{sound.name} {sound.handle} {sound.display_name}")
            }
        return [shown[one] for one in dict.fromkeys(ids) if one in shown][:limit]

    async def _page(
        self, tx: Tx, query: str, viewer_id: UUID | None, order: Order, place: Place, limit: int
    ) -> tuple[list[Card], Place | None]:
        """A full page of what the viewer may see, and where it ended; None: there is no more."""
        found: list[tuple[Card, Place]] = []
        start, is_more = place, True
        for _ in range(MOST_ROUNDS):
            want = limit + 1 - len(found)
            refs = await clips_store.walk(tx, query, order, place, want, WALKED_CLIPS)
            if len(refs) < want:
                refs = await clips_store.find(tx, query, order, place, want)
            shown = await clips_store.cards(tx, [ref.id for ref in refs], viewer_id) if refs else {}
            found += [(shown[ref.id], ref.place(place.phase)) for ref in refs if ref.id in shown]
            is_more = len(refs) == want
            if not is_more or len(found) > limit:
                break
            place = refs[-1].place(place.phase)
        cards = [card for card, _ in found[:limit]]
        if len(found) > limit:
            return cards, found[limit - 1][1] if limit else start
        return cards, place if is_more else None

    async def _with_stems(self, tx: Tx, asked: Sequence[str]) -> list[Terms]:
        stems = await clips_store.stems(tx, asked)
        return [
            Terms(word, tuple(form for stem in stems.get(word, ()) for form in (stem, f"~{stem}"))
                  or (f"~{word}",))
            for word in asked
        ]  # fmt: skip

    async def _meant(self, tx: Tx, exact: Sequence[Terms]) -> tuple[list[Terms], list[str]]:
        """The same words with those that may be meant by them, and which these are."""
        likely = {one.word for one in exact if len(one.word) >= words.LEAST_NEAR_CHARS}
        known = await clips_store.near(
            tx, sorted({form for word in likely for form in words.near_of(word)})
        )
        wider, near = [], dict[str, None]()
        for one in exact:
            meant = model.nearest(one.word, known) if one.word in likely else []
            meant = [word for word in meant if word not in one.also]
            near.update(dict.fromkeys(meant))
            wider.append(Terms(one.word, (*one.also, *meant)))
        return wider, list(near)


def _asked(text: str) -> list[str]:
    asked = words.asked_of(text[: words.MOST_QUERY_CHARS].replace(".", " ").replace("#", " "))
    if not asked:
        raise NothingToLookFor
    return asked


def _scope(kind: str, order: str, asked: Iterable[str]) -> str:
    """What a cursor continues. A digest: a cursor is not to carry the query."""
    return f"{kind}:{order}:{hashlib.sha256(' '.join(asked).encode()).hexdigest()}"


def _beginnings(asked: Iterable[str]) -> list[str]:
    """Keys of names in which, for each word, some word begins so."""
    keys: set[str] = set()
    for word in asked:
        keys |= words.grams_of(word)
    return sorted(keys)


def _insides(asked: Iterable[str]) -> list[str]:
    """Keys of names that have each word somewhere."""
    keys: set[str] = set()
    for word in asked:
        keys |= {gram for gram in words.grams_of(word) if gram[0] != "^"} or words.grams_of(word)
    return sorted(keys)


def _near(asked: Iterable[str]) -> list[str]:
    return sorted({f"~{form}" for word in asked for form in words.near_of(word)})


def _fits(asked: Iterable[str], text: str) -> bool:
    """Whether a name that has keys in common with what was asked has the words too: each somewhere,
    or nearly so."""
    name = words.folded(text)
    parts = words.words_of(text.replace("_", " "))
    return all(word in name or any(words.is_near(word, part) for part in parts) for word in asked)
