"""The front door of For You: pages, signals, and what a person may know and choose."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.feed.follower import Follower
from luciole.cell.feed.learning import Learning, kept_since
from luciole.cell.feed.model import (
    MAX_HIDDEN_CHARS,
    SESSION_LIFE,
    Given,
    Hidden,
    HiddenKind,
    NotForMinors,
    NotServed,
    Profile,
    Why,
)
from luciole.cell.feed.pages import Asker, Pages
from luciole.cell.feed.ranking.budget import Budget
from luciole.cell.feed.ranking.model import Clip, Mode
from luciole.cell.feed.ranking_state import Opening, here
from luciole.cell.feed.room import Room
from luciole.cell.feed.signals import Reported, Signals, Taken
from luciole.cell.feed.store import choices, log, taste
from luciole.cell.feed.store import pages as store
from luciole.cell.feed.veil import Veil
from luciole.cell.people.model import Viewer
from luciole.config import FeedSettings
from luciole.custody.model import Grant
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Database, Tx


class Choices(msgspec.Struct, frozen=True):
    """What a person chose, and how much is kept of them."""

    profile: Profile | None
    events_kept: int
    hidden: list[Hidden]


class ForYou:
    """For You over its collaborators. Before a page or signals, ask `learns`; then for the
    person's grant, where it does; then `follower.caught_up`; and only then open a transaction."""

    def __init__(
        self,
        database: Database,
        custody: Custody,
        cursors: Cursors,
        key: bytes,
        clock: Clock,
        settings: FeedSettings,
        opening: Opening = here,
    ) -> None:
        self._clock = clock
        self.veil = Veil(key)
        self.follower = Follower(database, clock, self.veil, opening)
        self._learning = Learning(custody, clock, self._veiled)
        self._pages = Pages(self._learning, self.veil, cursors, clock)
        self._room = Room(settings)
        self._signals = Signals(self._learning, self._pages, log.clips, key, clock)

    def forget(self) -> None:
        """Drops what is in memory, as a process that starts has nothing there yet."""
        self.follower.forget()
        self._pages.forget()
        self._learning.forget_memory()

    async def _veiled(self, tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Clip]:
        found = await log.clips(tx, ids)
        return {clip_id: self.veil.clip(clip) for clip_id, clip in found.items()}

    async def learns(self, tx: Tx, viewer: Viewer | None) -> bool:
        """Whether the cell may learn of this person."""
        if viewer is None or viewer.is_minor:
            return False
        profile = await choices.profile(tx, viewer.person_id)
        return profile is not None and profile.mode == "learning"

    async def page(
        self,
        tx: Tx,
        viewer: Viewer | None,
        grant: Grant | None,
        address: str,
        cursor: str | None,
        limit: int,
    ) -> Given:
        """The page of a cursor, or the first of a new session. The network address is counted in
        memory, for visitors. Raises BadCursor."""
        asker = Asker(viewer.person_id if viewer else None, grant, address)
        state = self.follower.now()
        return await self._pages.page(
            tx, state, asker, cursor, limit, lambda: self._room.take(asker)
        )

    async def take(
        self, tx: Tx, viewer: Viewer | None, grant: Grant | None, reported: Sequence[Reported]
    ) -> Taken:
        """Notes what happened. Raises TooMuchHidden."""
        return await self._signals.take(tx, _asker(viewer, grant), reported)

    async def why(
        self, tx: Tx, viewer: Viewer | None, grant: Grant | None, page_id: UUID, number: int
    ) -> Why:
        """A slot of a page, for who was given it. Raises NotServed."""
        found = await store.served(tx, [page_id], self._clock.now() - SESSION_LIFE)
        served = found.get(page_id)
        if served is None:
            raise NotServed
        viewer_id = viewer.person_id if viewer is not None and grant is not None else None
        if served.person_id is not None and served.person_id != viewer_id:
            raise NotServed
        slots = await self._pages.slots(grant, served.session, served.slots)
        if not 0 <= number < len(slots):
            raise NotServed
        return Why(slots[number], served.session.mode, served.weights_version)

    async def choices(self, tx: Tx, person_id: UUID) -> Choices:
        """What a person chose, and how much is kept of them."""
        kept = await taste.versions(tx, person_id)
        return Choices(
            await choices.profile(tx, person_id),
            sum(events for _, events in kept.values()),
            await choices.hidden(tx, person_id),
        )

    async def choose(self, tx: Tx, viewer: Viewer, mode: Mode) -> None:
        """Lets the cell learn, or has it forget all that it learnt and stop. Raises
        NotForMinors."""
        if mode == "learning" and viewer.is_minor:
            raise NotForMinors
        now = await choices.profile(tx, viewer.person_id)
        if now is not None and now.mode == mode:
            return
        await choices.set_mode(tx, viewer.person_id, Profile(mode, self._clock.now()))
        if mode == "public":
            await self._learning.forget(tx, viewer.person_id)

    async def reset(self, tx: Tx, person_id: UUID) -> None:
        """Forgets what was learnt of a person; the feed is a new account's."""
        await self._learning.forget(tx, person_id)

    async def show_again(self, tx: Tx, person_id: UUID, kind: HiddenKind, value: str) -> None:
        """Takes back that something was hidden; without a value, all of its kind."""
        await choices.show(tx, person_id, kind, value[:MAX_HIDDEN_CHARS])

    async def budget(self) -> Budget:
        """What new clips are promised, and whether there are impressions enough for it."""
        state = await self.follower.caught_up()
        return await state.budget(self._clock.now().timestamp())

    async def tidy(self, tx: Tx) -> dict[str, int]:
        """Drops what is kept for a day, or for KEPT_DAYS, and is older; gives how many of what."""
        now = self._clock.now()
        gone = {"sessions": await store.drop_sessions(tx, now - SESSION_LIFE)}
        newest = await log.newest_mark(tx)
        if newest is not None:
            gone["rows"] = await log.drop_old(tx, now - SESSION_LIFE, newest[1])
        gone["days"] = await taste.drop_old(tx, kept_since(now))
        await choices.drop_allowances(tx, now.date())
        return gone


def _asker(viewer: Viewer | None, grant: Grant | None) -> Asker:
    return Asker(viewer.person_id if viewer else None, grant)
