"""Pages of For You: sessions, what is drawn for them, and the same page again for who asks again.

A list is drawn without anything about the viewer (or, where the person lets the cell learn, with
their taste); only then is left out what this viewer may not or does not want to see, and more is
drawn until the page is full.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from luciole.cell.clips.model import Card
from luciole.cell.feed import replaying
from luciole.cell.feed.learning import Known, Learning
from luciole.cell.feed.model import (
    MEMBER_TRUST,
    SESSION_LIFE,
    SESSIONS_A_DAY,
    VISITOR_TRUST,
    ForYouPlace,
    Given,
    NotServed,
    Page,
    Session,
)
from luciole.cell.feed.ranker import MOST, Asked, Viewer
from luciole.cell.feed.ranking.model import Mode, Slot
from luciole.cell.feed.ranking_state import State
from luciole.cell.feed.store import choices
from luciole.cell.feed.store import pages as store
from luciole.cell.feed.veil import Veil
from luciole.custody.model import Grant
from luciole.custody.warm import Warm
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.metrics import Counter, Histogram

SCOPE = "for-you"
# Only somebody who has hidden thousands of clips ever comes near.
MOST_DRAWS = 400
# So many slots before a page say whose turn it is not yet.
SLOTS_BEFORE = 6
SERVED_KEPT = timedelta(minutes=30)
MOST_SERVED_KEPT = 20_000
# Of a walk that is not kept: so many clips are remembered and do not come again.
MOST_LOOSE = 200

pages_made = Counter("luciole_feed_pages", "Pages of For You that were made, by mode.", ["mode"])
page_duration = Histogram(
    "luciole_feed_page_seconds",
    "Time to draw a page of For You, without what is around it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)


class Asker(msgspec.Struct, frozen=True):
    """Who asks. `grant` is there where the person lets the cell learn; the network address is for
    the limits of visitors and goes nowhere else."""

    person_id: UUID | None
    grant: Grant | None
    address: str = ""


class Pages:
    """Makes pages and gives them again."""

    def __init__(self, learning: Learning, veil: Veil, cursors: Cursors, clock: Clock) -> None:
        self._learning = learning
        self._veil = veil
        self._cursors = cursors
        self._clock = clock
        # What was served in a session, up to a page.
        self._served: Warm[UUID, tuple[int, tuple[UUID, ...]]] = Warm(
            clock, SERVED_KEPT, MOST_SERVED_KEPT
        )

    def forget(self) -> None:
        """Drops what is in memory."""
        self._served.drop_where(lambda _: True)

    async def page(
        self,
        tx: Tx,
        state: State,
        asker: Asker,
        cursor: str | None,
        limit: int,
        has_room: Callable[[], bool] = lambda: True,
    ) -> Given:
        """The page of a cursor, or the first of a new session. A new page is kept where there is
        room for it, which is asked once. Raises BadCursor."""
        now = self._clock.now()
        place = self._cursors.read(SCOPE, cursor, ForYouPlace)
        session = await self._session(tx, asker, place, now) if place else None
        if place and place.is_kept and session:
            page = await store.page(tx, session.id, place.n)
            if page is not None:
                return await self._again(tx, asker, session, page)
        is_kept = (place is None or place.is_kept) and has_room()
        n = place.n if place and (session or not place.is_kept) else 0
        if session is None and is_kept:
            session = await self._begin(tx, asker, now)
        elif session is None:
            loose = place.session_id if place and not place.is_kept else uuid4()
            session = Session(loose, "public" if asker.grant is None else "learning", 0.0, now)
        with page_duration.time():
            made = await self._make(tx, state, asker, session, n, limit, now, is_kept=is_kept)
        if made is None:
            here = self._cursors.make(SCOPE, ForYouPlace(session.id, n, is_kept))
            return Given(uuid4(), session.mode, [], None, here)
        page, served, cards = made
        pages_made.labels(session.mode).inc()
        if is_kept and not await store.add_page(tx, page):
            # Another request of the same session was a moment earlier.
            self._served.drop(session.id)
            earlier = await store.page(tx, session.id, n)
            assert earlier is not None
            return await self._again(tx, asker, session, earlier)
        self._served.put(session.id, (n + 1, served if is_kept else served[-MOST_LOOSE:]))
        on = self._cursors.make(SCOPE, ForYouPlace(session.id, n + 1, is_kept))
        return Given(page.id, session.mode, cards, None if page.is_end else on, on)

    async def _again(self, tx: Tx, asker: Asker, session: Session, page: Page) -> Given:
        """A page that was given out before."""
        slots = await self.slots(asker.grant, session, page.slots)
        found = await store.cards(tx, [slot.clip for slot in slots], asker.person_id, session)
        cards = [(at, found[one.clip]) for at, one in enumerate(slots) if one.clip in found]
        on = self._cursors.make(SCOPE, ForYouPlace(session.id, page.n + 1))
        return Given(page.id, session.mode, cards, None if page.is_end else on, on)

    async def slots(self, grant: Grant | None, session: Session, text: bytes) -> list[Slot]:
        """The slots of a page. `grant` is that of the session's person, where it has one."""
        if session.mode == "learning":
            assert grant is not None
            (text,) = await self._learning.open(grant, [text])
        return msgspec.msgpack.decode(text, type=list[Slot])

    async def _session(
        self, tx: Tx, asker: Asker, place: ForYouPlace, now: datetime
    ) -> Session | None:
        """The session of a cursor; None where its day is over, or it is not this asker's way."""
        session = await store.session(tx, place.session_id, now - SESSION_LIFE)
        if session is None or (session.mode == "learning") != (asker.grant is not None):
            return None
        if asker.grant is not None and not await self._learning.is_of(tx, asker.grant, session.id):
            return None
        return session

    async def _begin(self, tx: Tx, asker: Asker, now: datetime) -> Session:
        trust = VISITOR_TRUST
        if asker.person_id is not None:
            number = await choices.count_session(
                tx, asker.person_id, now.date(), SESSIONS_A_DAY + 1
            )
            trust = MEMBER_TRUST if number <= SESSIONS_A_DAY else 0.0
        mode: Mode = "public" if asker.grant is None else "learning"
        session = Session(uuid4(), mode, trust, now)
        await store.add_session(tx, session)
        if asker.grant is not None:
            await self._learning.begin(tx, asker.grant, session.id)
        return session

    async def _make(
        self,
        tx: Tx,
        state: State,
        asker: Asker,
        session: Session,
        n: int,
        limit: int,
        now: datetime,
        *,
        is_kept: bool,
    ) -> tuple[Page, tuple[UUID, ...], list[tuple[int, Card]]] | None:
        """A new page, what was served with it, and its cards by their slots; None where nothing is
        left that this viewer has not seen."""
        served = await self._served_before(tx, asker.grant, session, n)
        viewer = await self._viewer(tx, asker.grant, session)
        # Everybody who asks at the same instant without a profile draws by the same numbers.
        seed = int(now.timestamp() * 1000) if viewer is None else secrets.randbits(62)
        slots: list[Slot] = []
        cards: dict[UUID, Card] = {}
        inputs: list[bytes] = []
        without, wanted, is_end = frozenset(served), limit, False
        before = tuple(served[-SLOTS_BEFORE:])
        for number in range(MOST_DRAWS):
            asked = Asked(now.timestamp(), seed + number, wanted, without, before)
            drawn = await state.draw(asked, viewer)
            if not drawn.slots:
                is_end = True
                break
            ids = [slot.clip for slot in drawn.slots]
            found = await store.cards(tx, ids, asker.person_id, session)
            cards |= found
            slots += [slot for slot in drawn.slots if slot.clip in found]
            if found:
                inputs.append(drawn.inputs)
            if len(slots) >= limit:
                break
            without |= frozenset(ids)
            wanted = MOST
            before = tuple([*served, *(slot.clip for slot in slots)][-SLOTS_BEFORE:])
        if not slots:
            return None
        slots = slots[:limit]
        texts = [msgspec.msgpack.encode(slots), replaying.packed(inputs)]
        if asker.grant is not None and is_kept:
            texts = await self._learning.seal(asker.grant, texts)
        page = Page(
            id=uuid4(),
            session_id=session.id,
            n=n,
            made_at=now,
            weights_version=state.weights.version,
            seed=seed,
            is_end=is_end,
            slots=texts[0],
            inputs=texts[1],
        )
        by_slot = [(at, cards[slot.clip]) for at, slot in enumerate(slots)]
        return page, (*served, *(slot.clip for slot in slots)), by_slot

    async def _viewer(self, tx: Tx, grant: Grant | None, session: Session) -> Viewer | None:
        if grant is None:
            return None
        known: Known = await self._learning.of(tx, grant)
        try:
            name = await self._learning.name(tx, grant, session.id)
        except NotServed:  # a walk that is not kept has no name in the log
            name = session.id
        followed = await choices.followed(tx, grant.person_id)
        return Viewer(known.taste, self._veil.authors(followed), tuple(known.recent(name)))

    async def _served_before(
        self, tx: Tx, grant: Grant | None, session: Session, n: int
    ) -> tuple[UUID, ...]:
        """Clips of the pages of a session before the n-th, in their order."""
        upto, served = self._served.get(session.id) or (0, ())
        if upto > n:
            upto, served = 0, ()
        if upto < n:
            texts = await store.slots_between(tx, session.id, upto, n)
            if session.mode == "learning":
                assert grant is not None
                texts = await self._learning.open(grant, texts)
            served += tuple(
                slot.clip
                for text in texts
                for slot in msgspec.msgpack.decode(text, type=list[Slot])
            )
        return served
