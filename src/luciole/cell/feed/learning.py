"""What the cell learns of people who let it: kept under their own keys, in seals of some
hundred events of a day.

Nothing here is read without the person's grant, so only while they use the application. What is in
memory is a taste of a few kilobytes and the versions of the seals that it came from: with each page
the versions are compared, so that several processes agree.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from luciole.ask.client import Custody
from luciole.cell.feed.model import (
    EVENTS_A_PART,
    KEPT_DAYS,
    PAGE_FIELD,
    PARTS_A_DAY,
    SESSION_FIELD,
    TASTE_FIELD,
    Kept,
    NotServed,
    TastePart,
)
from luciole.cell.feed.ranking.model import Clip, Event, Signal
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.store import taste as store
from luciole.custody.model import Field, Grant
from luciole.custody.warm import Warm
from luciole.kit.clock import Clock
from luciole.kit.db import Tx

IN_MEMORY = timedelta(minutes=30)
MOST_IN_MEMORY = 10_000
RECENT = 20
# The broker takes no larger questions.
MOST_OPENED_BYTES = 2_000_000

Clips = Callable[[Tx, Sequence[UUID]], Awaitable[dict[UUID, Clip]]]
Place = tuple[date, int]
Versions = dict[Place, tuple[int, int]]
FIRST: Place = (date.min, 0)


class Known:
    """A person's taste with what it came from."""

    def __init__(self, forgot: int) -> None:
        self.forgot = forgot
        self.versions: Versions = {}
        self.taste = Taste()
        self.watched: list[tuple[UUID, UUID]] = []
        """Sessions and clips of the last watches, the newest last."""

    def recent(self, session: UUID) -> list[UUID]:
        """Clips watched last in a session of the log, the newest last."""
        return [clip for of, clip in self.watched if of == session]

    def is_before(self, versions: Versions) -> bool:
        """Whether only events at the end are missing: all parts but the last are as they were."""
        last = max(self.versions, default=FIRST)
        return _without(versions, last) == _without(self.versions, last) and (
            last == FIRST or versions.get(last, (0, 0))[1] >= self.versions[last][1]
        )


def _without(versions: Versions, last: Place) -> Versions:
    return {place: said for place, said in versions.items() if place < last}


class Learning:
    """Sealed sessions, sealed pages, sealed days."""

    def __init__(self, custody: Custody, clock: Clock, clips: Clips) -> None:
        """`clips` reads clips as ranking knows them."""
        self._custody = custody
        self._clips = clips
        self._known: Warm[UUID, Known] = Warm(clock, IN_MEMORY, MOST_IN_MEMORY)
        self._names: Warm[UUID, UUID] = Warm(clock, IN_MEMORY, MOST_IN_MEMORY)

    def forget_memory(self) -> None:
        """Drops what is in memory; what is kept stays."""
        self._known.drop_where(lambda _: True)
        self._names.drop_where(lambda _: True)

    async def begin(self, tx: Tx, grant: Grant, session_id: UUID) -> None:
        """Gives a new session a name in the log that only its person can find."""
        name = uuid4()
        (sealed,) = await self._custody.seal(grant, [Field(SESSION_FIELD, 1, name.bytes)])
        await store.add_learner(tx, session_id, grant.person_id, sealed)

    async def is_of(self, tx: Tx, grant: Grant, session_id: UUID) -> bool:
        """Whether a session is the person's."""
        return await store.learner(tx, session_id, grant.person_id) is not None

    async def name(self, tx: Tx, grant: Grant, session_id: UUID) -> UUID:
        """The name of a session in the log. Raises NotServed where it is not the person's."""
        if (known := self._names.get(session_id)) is not None:
            return known
        sealed = await store.learner(tx, session_id, grant.person_id)
        if sealed is None:
            raise NotServed
        (opened,) = await self._custody.open(grant, [Field(SESSION_FIELD, 1, sealed)])
        name = UUID(bytes=opened)
        self._names.put(session_id, name)
        return name

    async def seal(self, grant: Grant, texts: Sequence[bytes]) -> list[bytes]:
        """Seals parts of a page."""
        return await self._custody.seal(grant, [Field(PAGE_FIELD, 1, text) for text in texts])

    async def open(self, grant: Grant, sealed: Sequence[bytes]) -> list[bytes]:
        """Opens parts of pages."""
        return await self._opened(grant, [Field(PAGE_FIELD, 1, each) for each in sealed])

    async def of(self, tx: Tx, grant: Grant) -> Known:
        """The person's taste by all that is kept of them now."""
        versions = await store.versions(tx, grant.person_id)
        forgot = await store.forgot(tx, grant.person_id)
        known = self._known.get(grant.person_id)
        if known is None or known.forgot != forgot or not known.is_before(versions):
            known = Known(forgot)
        if known.versions != versions:
            await self._go_on(tx, grant, known, versions)
        self._known.put(grant.person_id, known)
        return known

    async def keep(self, tx: Tx, grant: Grant, events: Sequence[Event], now: datetime) -> None:
        """Adds events to what is kept of the day; beyond PARTS_A_DAY they are left out. Nothing
        is kept of a person who has switched it off meanwhile."""
        version = await store.next_version(tx, grant.person_id)
        if version is None:
            return
        last = await store.last_part(tx, grant.person_id, now.date())
        part, kept = 0, list[Event]()
        if last is not None and last.events + len(events) <= EVENTS_A_PART:
            part, kept = last.part, await self.events_of(grant, [last])
        elif last is not None:
            part = last.part + 1
        if part >= PARTS_A_DAY:
            return
        kept += events
        text = msgspec.json.encode(Kept(Event.__struct_fields__, kept))
        (sealed,) = await self._custody.seal(grant, [Field(TASTE_FIELD, version, text)])
        made = TastePart(now.date(), part, version, len(kept), sealed)
        await store.put(tx, grant.person_id, made)

    async def events_of(self, grant: Grant, parts: Sequence[TastePart]) -> list[Event]:
        """What happened, in its order. Raises what `Custody.open` raises."""
        fields = [Field(TASTE_FIELD, part.version, part.sealed) for part in parts]
        return [
            event
            for text in await self._opened(grant, fields)
            for event in msgspec.json.decode(text, type=Kept).events
        ]

    async def forget(self, tx: Tx, person_id: UUID) -> None:
        """Drops all that is kept of a person."""
        await store.forget(tx, person_id)
        self._known.drop(person_id)

    async def _go_on(self, tx: Tx, grant: Grant, known: Known, versions: Versions) -> None:
        last = max(known.versions, default=FIRST)
        wanted = [version for place, (version, _) in versions.items() if place >= last]
        found = await store.parts(tx, grant.person_id, wanted)
        events = await self.events_of(grant, found)
        if last in known.versions:
            events = events[known.versions[last][1] :]
        clips = await self._clips(tx, list({event.clip for event in events}))
        for event in events:
            if event.clip in clips:
                known.taste.apply(event, clips[event.clip])
            if event.signal == Signal.WATCHED:
                known.watched.append((event.session, event.clip))
        del known.watched[:-RECENT]
        known.versions = _without(known.versions, last) | {
            (part.day, part.part): (part.version, part.events) for part in found
        }

    async def _opened(self, grant: Grant, fields: Sequence[Field]) -> list[bytes]:
        opened: list[bytes] = []
        some: list[Field] = []
        for field in fields:
            if some and sum(len(one.data) for one in some) + len(field.data) > MOST_OPENED_BYTES:
                opened += await self._custody.open(grant, some)
                some = []
            some.append(field)
        return opened + (await self._custody.open(grant, some) if some else [])


def kept_since(now: datetime) -> date:
    """The oldest day that is kept."""
    return now.date() - timedelta(days=KEPT_DAYS)
