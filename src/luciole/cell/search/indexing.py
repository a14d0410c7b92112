"""Keeps what is found up to date, in the worker: what changed says so in `search.stale`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from uuid import UUID

from luciole.cell.search import words
from luciole.cell.search.model import CHANNEL, TREND_DAYS, Findable, trends_of
from luciole.cell.search.store import index as store
from luciole.cell.search.store import trends
from luciole.kit import db
from luciole.kit.clock import Clock
from luciole.kit.db import Database, ForeignKeyViolation, Tx
from luciole.kit.logs import log

AT_ONCE = 200
TRIES = 3
TOUCH_S = 30.0
RETRY_S = 1.0


class Indexing:
    """Reads what changed and writes what is found by it."""

    def __init__(self, database: Database, clock: Clock, at_once: int = AT_ONCE) -> None:
        self._db = database
        self._at_once = at_once
        self._clock = clock
        self._heard = asyncio.Event()

    async def catch_up(self) -> int:
        """Takes in all that has changed; gives how much. Another process that is at it does
        the rest."""
        done = 0
        while taken := await self._step():
            done += taken
        return done

    async def _step(self) -> int:
        for left in reversed(range(TRIES)):
            try:
                async with self._db.tx() as tx:
                    return await take_in(tx, self._at_once) if await store.try_lock(tx) else 0
            except ForeignKeyViolation:
                # Something went between reading and writing; what is read next does not have it.
                if not left:
                    raise
        return 0

    async def count_trends(self) -> None:
        """Makes the hashtags on the rise anew, after clips fell out of their author's window."""
        now = self._clock.now()
        async with self._db.tx() as tx:
            await store.drop_past(tx)
            uses = [use async for use in trends.uses(tx, now - timedelta(days=TREND_DAYS + 1))]
            await trends.put(tx, trends_of(uses, now), now)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens while the block runs, so that what is published is found a moment later."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with self._db.listening(CHANNEL, lambda _: self._heard.set()) as tx:
                    while True:
                        self._heard.clear()
                        await self.catch_up()
                        try:
                            await asyncio.wait_for(self._heard.wait(), TOUCH_S)
                        except TimeoutError:
                            await tx.execute("SELECT 1")
            except (*db.LOST, TimeoutError) as error:
                log.warning("search lost the database", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                log.error("search cannot take in what changed", exc_info=error)
                await asyncio.sleep(RETRY_S)


async def take_in(tx: Tx, most: int) -> int:
    """Takes in the next of what changed; gives how much. Raises ForeignKeyViolation where something
    goes meanwhile: nothing is taken then."""
    stale = await store.take_stale(tx, most)
    if authors := stale.get("author"):
        await store.stale_clips_of(tx, authors)
    if people := stale.get("person"):
        await _people(tx, people)
        await store.stale_sounds_of(tx, people)
    if sounds := stale.get("sound"):
        await _sounds(tx, sounds)
    counts: Counter[str] = Counter()
    if clips := stale.get("clip"):
        await _clips(tx, clips, counts)
    gone = await store.take_gone(tx, most)
    for terms in gone:
        counts.subtract(counted(terms))
    await count(tx, counts)
    return sum(map(len, stale.values())) + len(gone)


async def settle_gone(tx: Tx) -> None:
    """Takes all that went off the counts."""
    await store.lock(tx)
    while gone := await store.take_gone(tx, AT_ONCE):
        counts: Counter[str] = Counter()
        for terms in gone:
            counts.subtract(counted(terms))
        await count(tx, counts)


async def _clips(tx: Tx, ids: set[UUID], counts: Counter[str]) -> None:
    found = [clip for clip in await store.findable(tx, ids) if terms_of(clip)]
    for terms in await store.terms(tx, [clip.id for clip in found]):
        counts.subtract(counted(terms))
    # Those of the others are counted by what their going leaves behind.
    await store.drop_clips(tx, ids - {clip.id for clip in found})
    if found:
        await store.add_clips(tx, found, [" ".join(terms_of(clip)) for clip in found])
    for clip in found:
        counts.update(counted(terms_of(clip)))


def terms_of(clip: Findable) -> list[str]:
    """What a clip is found by, without stems: words, and hashtags with `#`."""
    return terms_in(clip.caption, clip.hashtags)


def terms_in(caption: str, hashtags: Iterable[str]) -> list[str]:
    """The same of what a clip says."""
    return [*words.terms_of(caption), *(f"#{tag}" for tag in hashtags)]


def counted(terms: Iterable[str]) -> Iterable[str]:
    """Those of which it is counted how many clips have them: no stems, no pairs of characters."""
    return (term for term in terms if term[0] != "~" and not words.is_unspaced(term[0]))


async def count(tx: Tx, counts: Counter[str]) -> None:
    """Adds to how many clips have each term."""
    by = {term: count for term, count in counts.items() if count}
    plain = {term: count for term, count in by.items() if term[0] != "#"}
    tags = {term[1:]: count for term, count in by.items() if term[0] == "#"}
    # Words come and go in no other transaction, so what is not there yet stays so.
    new = await store.count_words(tx, plain) if plain else []
    if new := [word for word in new if plain[word] > 0]:
        near = [" ".join(sorted(words.near_of(word))) for word in new]
        await store.add_words(tx, new, near, [plain[word] for word in new])
    new = await store.count_hashtags(tx, tags) if tags else []
    if new := [tag for tag in new if tags[tag] > 0]:
        keys = [" ".join(words.keys_of(_parts(tag))) for tag in new]
        await store.add_hashtags(tx, new, keys, [tags[tag] for tag in new])


async def _people(tx: Tx, ids: set[UUID]) -> None:
    there = await store.people(tx, ids)
    await store.drop_people(tx, ids - {row["id"] for row in there})
    if there:
        keys = [" ".join(keys_of_person(row["handle"], row["display_name"])) for row in there]
        await store.add_people(tx, [row["id"] for row in there], keys)


def keys_of_person(handle: str, display_name: str) -> list[str]:
    """What a person is found by: their handle as it is and in parts, and their name."""
    return words.keys_of([display_name, *_parts(handle)])


async def _sounds(tx: Tx, ids: set[UUID]) -> None:
    there = await store.sounds(tx, ids)
    await store.drop_sounds(tx, ids - {row["id"] for row in there})
    if there:
        keys = [
            " ".join(words.keys_of([row["name"], row["display_name"], *_parts(row["handle"])]))
            for row in there
        ]
        await store.add_sounds(
            tx, [row["id"] for row in there], keys, [row["uses"] for row in there]
        )


def _parts(name: str) -> list[str]:
    """A handle or a hashtag as people may type it: as it is, in parts, in one."""
    parts = name.replace("_", " ").replace(".", " ")
    return [name.replace(".", ""), parts, parts.replace(" ", "")]
