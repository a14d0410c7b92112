"""The hub: one listening connection per process, handing events to the open pages.

An event is committed first and announced by NOTIFY, so a page never shows what was rolled back.
When the listening connection is lost, the hub opens another and replays what each page missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from luciole.cell.notify.model import CHANNEL, Event
from luciole.cell.notify.store import events as store
from luciole.kit import db
from luciole.kit.db import Database
from luciole.kit.errors import TooMany
from luciole.kit.logs import log
from luciole.kit.metrics import Gauge

PAGES_PER_PERSON = 8
PAGES_PER_PROCESS = 5_000
# So that visitors, of whom anybody may open any number, leave room for the signed-in.
PAGES_FOR_VISITORS = 4_000
WAITING_PER_PAGE = 256
# Fewer than can wait: a page that comes back to more has to get on, too.
REPLAYED = 200
TOUCH_S = 10
RETRY_S = 1

open_pages = Gauge("luciole_live_pages", "Pages that hold a live connection.")


class TooManyPages(TooMany):
    code = "too-many-pages"
    sentence = "Too many open pages are asking for live updates."
    next_step = "Close a few of them, then reload this one."


class Page:
    """One open page of one person (None: a visitor who is not signed in)."""

    def __init__(self, person_id: UUID | None, horizon: int) -> None:
        self.person_id = person_id
        self.horizon = horizon
        # What it asked for, or where it came in: of nothing since then it has been told.
        self.began = horizon
        self.waiting: asyncio.Queue[Event] = asyncio.Queue(WAITING_PER_PAGE)
        self.is_behind = False
        # While older events are read again, new ones wait here for their turn.
        self.replaying = asyncio.Lock()
        self._held: list[Event] = []

    @property
    def is_over(self) -> bool:
        """Whether the page has to come back for what it missed: everything before it is told."""
        return self.is_behind and self.waiting.empty()

    def offer(self, event: Event) -> None:
        """Drops the event, and all later ones, when the page does not keep up."""
        if self.replaying.locked():
            self._held.append(event)
        else:
            self._put(event)

    async def replay(self, read: Callable[[int], Awaitable[list[Event]]]) -> None:
        """Puts the events since the horizon, then those that came meanwhile."""
        async with self.replaying:
            try:
                for event in await read(self.horizon):
                    self._put(event)
            except BaseException:
                self.is_behind = True
                raise
            finally:
                for event in self._held:
                    self._put(event)
                self._held.clear()

    def _put(self, event: Event) -> None:
        if self.is_behind:
            return
        try:
            self.waiting.put_nowait(event)
            self.horizon = event.horizon
        except asyncio.QueueFull:
            self.is_behind = True


class Hub:
    """Knows the open pages of this process."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._pages: dict[UUID | None, set[Page]] = defaultdict(set)
        self._count = 0
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def require_room(self, person_id: UUID | None) -> None:
        """Raises TooManyPages above PAGES_PER_PERSON, PAGES_FOR_VISITORS or PAGES_PER_PROCESS. To
        be asked before an answer begins; a few that ask at the same moment may all get in."""
        own = len(self._pages.get(person_id, ()))
        most = PAGES_PER_PERSON if person_id else PAGES_FOR_VISITORS
        if own >= most or self._count >= PAGES_PER_PROCESS:
            raise TooManyPages(retry_after_s=30)

    @contextlib.asynccontextmanager
    async def page(self, person_id: UUID | None, since: int | None) -> AsyncIterator[Page]:
        """A page that receives events while the block runs, first those since a horizon."""
        # Registered before the replay is read: what commits in between comes twice, not never.
        page = Page(person_id, 0)
        self._pages[person_id].add(page)
        self._count += 1
        open_pages.set(self._count)
        try:
            async with self._db.read() as tx:
                page.began = since if since is not None else await store.horizon(tx)
            page.horizon = page.began
            if since is not None:
                await self._replay(page)
            yield page
        finally:
            self._pages[person_id].discard(page)
            if not self._pages[person_id]:
                del self._pages[person_id]
            self._count -= 1
            open_pages.set(self._count)

    async def _listen_for_ever(self) -> None:
        is_first = True
        while True:
            try:
                async with self._db.listening(CHANNEL, self._heard.put_nowait) as tx:
                    if not is_first:
                        for pages in list(self._pages.values()):
                            for page in list(pages):
                                await self._replay(page)
                    is_first = False
                    while True:
                        try:
                            heard = await asyncio.wait_for(self._heard.get(), TOUCH_S)
                        except TimeoutError:
                            await tx.execute("SELECT 1")
                        else:
                            await self._deliver(heard)
            except (*db.LOST, TimeoutError) as error:
                log.warning("live updates lost the database", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                # Whatever it was, all other pages go on.
                log.error("live updates failed", exc_info=error)
                await asyncio.sleep(RETRY_S)

    async def _deliver(self, heard: str) -> None:
        event_id, to, horizon = heard.split(" ")
        if to == "*":
            pages = [page for group in self._pages.values() for page in group]
        else:
            pages = list(self._pages.get(UUID(to), ()))
        if not pages:
            return
        async with self._db.read() as tx:
            event = await store.event(tx, UUID(event_id), int(horizon))
            hushed: frozenset[UUID] = frozenset()
            if event is not None and event.by is not None and event.person_id is None:
                people = [page.person_id for page in pages if page.person_id is not None]
                hushed = await store.hushed_among(tx, event.id, people)
        if event is not None:
            for page in pages:
                if page.person_id not in hushed:
                    page.offer(event)

    async def _replay(self, page: Page) -> None:
        person_id = page.person_id
        if person_id is None:
            return

        async def read(horizon: int) -> list[Event]:
            async with self._db.read() as tx:
                return await store.events_since(tx, person_id, horizon, REPLAYED)

        await page.replay(read)
