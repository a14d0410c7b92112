"""Tells followers elsewhere of what is new, changed or gone, and brings it to their servers.

What is shown is compared with what was shown last: `border.fedi_stale` says what to look at. Each
telling is one transaction: what followers are owed is stored with the note that it was told. If we
stop before, it is looked at again; after it, deliveries wait until they are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from luciole.border import strangers
from luciole.border.activities import moment
from luciole.border.addresses import origin_of
from luciole.border.documents import Document, jcs
from luciole.border.fediverse import shown
from luciole.border.fediverse.moved import Moved, with_moves
from luciole.border.fediverse.shown import Keys
from luciole.border.fediverse.speaking import Speaking
from luciole.border.fediverse.web import Unreachable
from luciole.border.store import fedi_moves
from luciole.border.store import fediverse as store
from luciole.border.store.fediverse import Delivery, Terms
from luciole.border.store.told import About, tell
from luciole.border.strangers import NotTaken
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.kit.metrics import Counter

CHANNEL = "luciole_fediverse"
AT_ONCE = 16
STALE_AT_ONCE = 100
LEASE_S = 60.0
LOOKS_EVERY_S = 5.0
AFTER_FAILURE_S = 1.0
FIRST_RETRY_S, MAX_RETRY_S = 30.0, 6 * 3600.0
MAX_AGE = timedelta(days=7)
UPKEEP_EVERY_S = 600.0
# Addresses of followers are looked up after a month; who cannot be found for another is forgotten.
FRESH = timedelta(days=30)
REFRESHED_AT_ONCE = 20
SEEN_KEPT = timedelta(days=30)
KEYS_KEPT = timedelta(days=2)
SERVERS_KEPT = timedelta(days=30)
GONE = (404, 410)

deliveries = Counter(
    "luciole_fediverse_deliveries_total",
    "What was brought to servers of the wider Fediverse. The outcome is sent, gone (nobody is "
    "there any more), refused, later (it is tried again) or dropped (too old).",
    ["outcome"],
)


class _Change(NamedTuple):
    """Something of an author that is shown otherwise than before: `digest` of what is shown now,
    None where that is nothing; `said` is the activity that tells it."""

    kind: str
    id: UUID
    author: UUID
    digest: bytes | None
    said: Document | None
    inboxes: list[str]


class Telling:
    """What followers elsewhere are told."""

    def __init__(self, speaking: Speaking, db: Database, terms: Terms, clock: Clock) -> None:
        self._speaking, self._db, self._terms, self._clock = speaking, db, terms, clock
        self._face = speaking.face
        self.moved = Moved(speaking, db, terms, clock)
        self._heard = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Tells until `stop`, whatever becomes of the database or of servers."""
        stopping = asyncio.create_task(stop.wait())
        upkeep_at = 0.0
        loop = asyncio.get_running_loop()
        try:
            while not stop.is_set():
                try:
                    async with self._db.listening(CHANNEL, lambda _: self._heard.set()):
                        await self.begin()
                        while not stop.is_set():
                            self._heard.clear()
                            if loop.time() >= upkeep_at:
                                await self.upkeep()
                                upkeep_at = loop.time() + UPKEEP_EVERY_S
                            told = await self.look()
                            if not told and await self.deliver() < AT_ONCE:
                                await self._wait(stopping)
                except (*LOST, TimeoutError) as error:
                    log.warning("the gateway lost the database", error=type(error).__name__)
                    await asyncio.wait({stopping}, timeout=AFTER_FAILURE_S)
        finally:
            stopping.cancel()

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        hearing = asyncio.create_task(self._heard.wait())
        await asyncio.wait(
            {hearing, stopping}, timeout=LOOKS_EVERY_S, return_when=asyncio.FIRST_COMPLETED
        )
        hearing.cancel()

    # --- what is new -----------------------------------------------------------------------------

    async def begin(self) -> None:
        """Has everything looked at, whatever changed while nobody looked."""
        async with self._db.tx() as tx:
            await store.look_at_all(tx)

    async def look(self) -> int:
        """Looks at what may have changed; gives how much there was."""
        async with self._db.tx() as tx:
            stale = await store.stale(tx, STALE_AT_ONCE)
        # The key broker is asked between transactions, not inside of one. What changes in between
        # is stale anew.
        people = dict.fromkeys(one.id for one in stale if one.kind == "person")
        keys = {number: await self._speaking.keys(number) for number in people}
        async with self._db.tx() as tx:
            clips = [one.id for one in stale if one.kind == "clip"]
            changes = await self._changes(tx, keys, clips)
        signed = [
            await self._speaking.proved(one.said, one.author) if one.said and one.inboxes else b""
            for one in changes
        ]
        async with self._db.tx() as tx:
            for one, body in zip(changes, signed, strict=True):
                await self._settle(tx, one, body)
            await store.drop_stale(tx, [one.n for one in stale])
        if people:
            await self.moved.look()
        return len(stale)

    async def _changes(
        self, tx: Tx, keys: Mapping[UUID, Keys], clips: Sequence[UUID]
    ) -> list[_Change]:
        """What has to be told of all that may have changed: an author before their clips, but a
        farewell after them."""
        people = [await self._person(tx, number, keys[number]) for number in keys]
        looked_at = dict.fromkeys(clips)
        for number in keys:
            looked_at |= dict.fromkeys(sorted(await store.clips_of(tx, number)))
        found = [change for change in people if change and change.digest]
        found += [change for number in looked_at if (change := await self._clip(tx, number))]
        return found + [change for change in people if change and not change.digest]

    async def _clip(self, tx: Tx, number: UUID) -> _Change | None:
        was = await store.shown(tx, "clip", number)
        clip = await store.clip(tx, number)
        author = await store.author(tx, clip.author, self._terms) if clip else None
        if clip is None or author is None or shown.film_of(clip) is None:
            if was is None:
                return None
            said = shown.delete(self._face, was[0], self._face.clip(number))
            return _Change("clip", number, was[0], None, said, await store.inboxes(tx, was[0]))
        digest = sha256(jcs(shown.note(self._face, clip))).digest()
        if was is not None and was[1] == digest:
            return None
        at = moment(self._clock.now())
        said = shown.update(self._face, clip, at) if was else shown.create(self._face, clip)
        inboxes = await store.inboxes(tx, clip.author)
        return _Change("clip", number, clip.author, digest, said, inboxes)

    async def _person(self, tx: Tx, number: UUID, keys: Keys) -> _Change | None:
        was = await store.shown(tx, "person", number)
        author = await store.author(tx, number, self._terms)
        inboxes = await store.inboxes(tx, number)
        if author is None:
            if was is None:
                return None
            said = shown.delete(self._face, number, self._face.person(number))
            return _Change("person", number, number, None, said, inboxes)
        # Keys are no part of what is compared: they change with the cell's, for everybody at once.
        moves = await fedi_moves.of(tx, number, self._terms)
        actor = with_moves(shown.person(self._face, author, Keys("")), moves)
        digest = sha256(jcs(actor)).digest()
        if was is not None and was[1] == digest:
            return None
        changed = None
        if was is not None:
            at = moment(self._clock.now())
            said = with_moves(shown.person(self._face, author, keys), moves)
            changed = shown.update_person(said, at)
        return _Change("person", number, number, digest, changed, inboxes)

    @staticmethod
    async def _settle(tx: Tx, one: _Change, body: bytes) -> None:
        """Notes what is shown now, and lets what is to be told wait for each server."""
        if one.digest is not None:
            await store.show(tx, one.kind, one.id, one.author, one.digest)
        else:
            await store.hide(tx, one.kind, one.id)
            if one.kind == "person":
                await store.forget_followers(tx, one.id)
                await fedi_moves.forget(tx, one.id)
        if body:
            for inbox in one.inboxes:
                about = About(one.kind, one.id, one.digest is None)
                await store.put(tx, one.author, inbox, body, about)

    # --- and brings it there ---------------------------------------------------------------------

    async def deliver(self) -> int:
        """Makes some of the deliveries that are due; gives how many there were."""
        async with self._db.tx() as tx:
            due = await store.take(tx, LEASE_S, AT_ONCE)
        by_inbox = dict[str, list[Delivery]]()
        for one in due:
            by_inbox.setdefault(one.inbox, []).append(one)
        await asyncio.gather(*map(self._deliver_in_order, by_inbox.values()))
        return len(due)

    async def _deliver_in_order(self, due: Sequence[Delivery]) -> None:
        """To one inbox; after one that has to wait, the others do too."""
        outcome = ""
        for one in due:
            if outcome == "later":
                async with self._db.tx() as tx:
                    await store.later(tx, one, FIRST_RETRY_S)
            else:
                outcome = await self._deliver(one)

    async def _deliver(self, one: Delivery) -> str:
        status = 0
        if one.age_s <= MAX_AGE.total_seconds():
            try:
                actor = self._face.person(one.author)
                status = await self._speaking.post(one.inbox, one.body, actor)
            except Unreachable as error:
                status = 599 if error.code != "private-address" else 410
        outcome = _outcome(status)
        async with self._db.tx() as tx:
            if outcome != "dropped":
                # Something may have crossed: it is counted as if it had.
                await store.crossed(tx, str(origin_of(one.inbox)))
            if outcome == "sent" and one.about is not None:
                await tell(tx, one.author, one.about, str(origin_of(one.inbox)))
            if outcome == "later":
                wait = min(FIRST_RETRY_S * 2.0 ** (one.attempts - 1), MAX_RETRY_S)
                await store.later(tx, one, wait)
            else:
                await store.end(tx, one)
            if outcome == "gone":
                await store.forget_inbox(tx, one.inbox)
        deliveries.labels(outcome).inc()
        return outcome

    # --- what has to be done now and then --------------------------------------------------------

    async def upkeep(self) -> None:
        """Looks up addresses of followers that are a month old, takes away what has ended, tells of
        moves that were not confirmed before."""
        now = self._clock.now()
        await self.moved.look()
        async with self._db.tx() as tx:
            await store.tidy(tx, now - KEYS_KEPT, now - SEEN_KEPT, now - SERVERS_KEPT)
            old = await store.old_followers(tx, now - FRESH, REFRESHED_AT_ONCE)
        for actor, refreshed_at in old:
            try:
                found = strangers.stranger(await self._speaking.get(actor), actor)
            except (Unreachable, NotTaken) as error:
                if error.code == "gone" or now - refreshed_at > 2 * FRESH:
                    async with self._db.tx() as tx:
                        await store.forget_actor(tx, actor)
                continue
            async with self._db.tx() as tx:
                await store.refresh(tx, actor, found.shared_inbox or found.inbox, now)


def _outcome(status: int) -> str:
    """What becomes of a delivery after this answer; 0: it was too old to be made."""
    if status == 0:
        return "dropped"
    if 200 <= status < 300:
        return "sent"
    if status in GONE:
        return "gone"
    return "later" if status in (408, 429) or status >= 500 else "refused"
