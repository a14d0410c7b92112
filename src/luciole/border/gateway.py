"""The gateway: takes what slices have offered, and is the only one to send it outside.

It knows neither people nor keys. Each round: 1. some offers are claimed, in a transaction; 2. they
are sent; 3. what became of each is written. If we stop between 2 and 3, the offer is sent again
when its claim has ended; the receiver shows a push that comes twice once, since it has a topic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from luciole.border import pushes, wire
from luciole.border.measures import crossings
from luciole.border.pushes import Sent, ServiceAway
from luciole.border.store import pushes as store
from luciole.border.store.pushes import Offer
from luciole.border.wire import BadCrossing, Push, Services
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.logs import log
from luciole.ledger.entry import canonical

CHANNEL = "luciole_border"
AT_ONCE = 16
LEASE_S = 60.0
# Without a word from the database it is asked this often.
LOOKS_EVERY_S = 5.0
AFTER_FAILURE_S = 1.0
FIRST_RETRY_S = 30
MAX_RETRY_S = 3600
NOTES_EVERY_S = 60.0
NOTED_AT_ONCE = 1000
GONE_KEPT_DAYS = 7
GONE = (404, 410)
BUSY = (408, 429)

Send = Callable[[Push], Awaitable[Sent]]


class Gateway:
    """Sends what is offered in one database, to the services on a list."""

    def __init__(
        self, db: Database, services: Services, clock: Clock, send: Send = pushes.send
    ) -> None:
        self._db, self._services, self._clock, self._send = db, services, clock, send
        self._heard = asyncio.Event()
        self._noted_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop`, whatever becomes of the database or of the services."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    async with self._db.listening(CHANNEL, lambda _: self._heard.set()):
                        while not stop.is_set():
                            self._heard.clear()
                            await self.note_now_and_then()
                            if await self.round() < AT_ONCE:
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

    async def round(self) -> int:
        """Sends some of what is due; gives how many there were."""
        async with self._db.tx() as tx:
            offers = await store.take(tx, LEASE_S, AT_ONCE)
        await asyncio.gather(*(self._cross(offer) for offer in offers))
        return len(offers)

    async def _cross(self, offer: Offer) -> None:
        try:
            push = wire.decode(offer.body)
        except BadCrossing:
            await self._drop(offer, "unknown")
            return
        if not isinstance(push, Push):
            await self._drop(offer, "unknown")
            return
        service = self._services.of(push.endpoint)
        if service is None or offer.age_s > push.ttl_s:
            await self._drop(offer, "push")
            return
        try:
            sent = await self._send(push)
        except ServiceAway:
            # Something may have crossed: it is counted as if it had.
            sent = Sent(0)
        outcome = _outcome(sent.status)
        async with self._db.tx() as tx:
            await store.crossed(tx, "push", service)
            if outcome == "later":
                wait = min(FIRST_RETRY_S * 2 ** (offer.attempts - 1), MAX_RETRY_S)
                await store.later(tx, offer, max(wait, sent.retry_after_s or 0))
            else:
                await store.end(tx, offer, is_gone=outcome == "gone")
        if outcome == "refused":
            log.error("a push service refuses us", status=sent.status)
        crossings.labels("push", outcome).inc()

    async def _drop(self, offer: Offer, kind: str) -> None:
        async with self._db.tx() as tx:
            await store.end(tx, offer)
        crossings.labels(kind, "dropped").inc()

    async def note_now_and_then(self) -> None:
        """Once a minute at most: the crossings of hours that are over go into the log."""
        now = asyncio.get_running_loop().time()
        if now - self._noted_at >= NOTES_EVERY_S:
            while await self.note() == NOTED_AT_ONCE:
                continue
            self._noted_at = now

    async def note(self) -> int:
        """Puts an entry into the log for each crossing of an hour that is over; gives how many."""
        at = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
        async with self._db.tx() as tx:
            crossed = await store.take_crossed(tx, NOTED_AT_ONCE)
            for kind, service in crossed:
                await store.note(tx, canonical({"v": 1, "kind": kind, "at": at, "to": service}))
            await store.tidy(tx, GONE_KEPT_DAYS)
        return len(crossed)


def _outcome(status: int) -> str:
    """What becomes of a push after this answer; 0 is none at all."""
    if 200 <= status < 300:
        return "sent"
    if status in GONE:
        return "gone"
    return "later" if status in BUSY or status >= 500 or status == 0 else "refused"
