"""Sends what was offered to peers: a queue for each, so that one that is away stops no other.

Each round for a peer: 1. offers get their entries in the log; 2. heads are awaited that the peer
has cosigned; 3. what is proven is posted; 4. what the peer says is kept. If we stop anywhere, the
next round goes on from what is stored: an entry is never made twice, and the receiver gives the
same receipt again for what came twice.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from luciole.border import activities, asked, batch, crossing, speech, wire
from luciole.border.batch import Carried, Load
from luciole.border.cells import AT_ONCE, Cell, Us
from luciole.border.crossing import BadCrossing
from luciole.border.measures import crossings
from luciole.border.own_log import LOOKS_EVERY_S, OwnLog, Shown
from luciole.border.peers import PeerAway
from luciole.border.store import crossings as store
from luciole.border.store.crossings import Ended, Entered
from luciole.kit.blobs import Missing
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.logs import log
from luciole.ledger.merkle import Refused
from luciole.ledger.proof import Proof

INBOX = "border/inbox"
# So many of one peer are on their way at the same time.
BATCH = 256
KEPT_S = 7 * 86400.0
LOOKS_FOR_OFFERS_S = 5.0
AFTER_FAILURE_S = 1.0
BEGINS_EVERY_S = 10.0
# The request is malformed: sending it again cannot work.
WRONG = (400, 413)
# A peer of a former version does not know the path; it is asked again after a while.
NOT_THERE = (404, 405)
ASKS_AGAIN_S = 600.0
# Of the crossings in one request, leaving room for its head.
LOAD_BYTES = batch.MAX_BYTES - 16 * 1024


class Proven(NamedTuple):
    """An offer with what goes along with it."""

    offer: Entered
    carried: Carried


class Sending:
    """The queue of one peer."""

    def __init__(
        self,
        us: Us,
        cell: Cell,
        db: Database,
        own_log: OwnLog,
        clock: Clock,
    ) -> None:
        self._us, self._cell, self._db, self._own_log = us, cell, db, own_log
        self._clock = clock
        self.heard = asyncio.Event()
        self._on_the_way: dict[UUID, Entered] = {}
        self._began = self._former_until = float("-inf")

    async def run(self) -> None:
        """Goes on until it is cancelled, whatever becomes of the database or of the peer."""
        while True:
            pause_s = 0.0
            try:
                if not await self.round():
                    pause_s = LOOKS_FOR_OFFERS_S
            except (*LOST, TimeoutError) as error:
                log.warning("the gateway lost the database", error=type(error).__name__)
                self._began = float("-inf")
                pause_s = AFTER_FAILURE_S
            except (PeerAway, Missing, Refused) as error:
                log.warning("a crossing waits", error=type(error).__name__)
                pause_s = AFTER_FAILURE_S
            if pause_s:
                await self._rest(pause_s)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.heard.wait(), seconds)
        except TimeoutError:
            return
        self.heard.clear()

    async def round(self) -> bool:
        """One round; whether there may be more to do at once. Raises PeerAway, and what reading our
        own log raises."""
        self.heard.clear()
        await self._begin()
        count = await self._enter()
        if not self._on_the_way:
            return False
        if self._cell.is_away or self._cell.known.info.verdict == "RED":
            await self._rest(AFTER_FAILURE_S if count else LOOKS_FOR_OFFERS_S)
            return True
        if not await self._send(list(self._on_the_way.values())):
            await asyncio.sleep(LOOKS_EVERY_S)
        return True

    async def _begin(self) -> None:
        """Now and then: gives up what is too old, and reads anew what is on its way."""
        now = asyncio.get_running_loop().time()
        if now - self._began < BEGINS_EVERY_S:
            return
        name, at = self._cell.name, activities.moment(self._clock.now())
        async with self._db.tx() as tx:
            if given_up := await store.expire(tx, name, KEPT_S, at):
                crossings.labels("any", "expired").inc(given_up)
            entered = await store.entered(tx, name, BATCH)
        self._on_the_way = {one.id: one for one in entered}
        for one in entered:
            self._own_log.want(one.entry, one.floor)
        self._began = now

    async def _enter(self) -> int:
        """Entries for offers that have none, as long as not too many are on their way."""
        name, room = self._cell.name, BATCH - len(self._on_the_way)
        async with self._db.read() as tx:
            offers = await store.waiting(tx, name, room) if room else []
        if not offers:
            return 0
        now, floor = speech.moment(self._clock.now()), self._own_log.size
        unsealed, unknown = list[tuple[store.Waiting, activities.Unsealed]](), list[Ended]()
        for offer in offers:
            try:
                said = speech.said(offer.kind, offer.body, offer.id, now, self._us.origin)
                unsealed.append((offer, said))
            except (wire.BadCrossing, KeyError):
                unknown.append(Ended(offer, "refused", "not-declared"))
        signatures = await self._us.sign_all([said.message for _, said in unsealed])
        made = [
            self._made(offer, said.sealed(signature), now, floor)
            for (offer, said), signature in zip(unsealed, signatures, strict=True)
        ]
        async with self._db.tx() as tx:
            # What was withdrawn meanwhile, or has given way to a newer one, gets no entry.
            made = await store.enter(tx, made)
            await store.end(tx, name, unknown)
        for one in made:
            self._on_the_way[one.id] = one
            self._own_log.want(one.entry, one.floor)
        crossings.labels("unknown", "dropped").inc(len(unknown))
        return len(offers)

    def _made(self, offer: store.Waiting, payload: bytes, now: datetime, floor: int) -> Entered:
        """What crosses, with its entry."""
        at, digest = activities.moment(now), sha256(payload).hexdigest()
        entry = crossing.out_entry(offer.id, at, self._cell.name, offer.kind, len(payload), digest)
        return Entered(offer.id, offer.ref, offer.kind, entry, payload, floor)

    async def _send(self, on_the_way: list[Entered]) -> int:
        """Posts what is proven; how many were answered. What has one ref goes in order: one of it
        at a time."""
        await self._own_log.look()
        head = self._own_log.cosigned(self._cell.known.witness)
        if head is None:
            return 0
        first = {one.ref: one for one in reversed(on_the_way)}.values()
        placed = ((self._own_log.place(one.entry, head), one) for one in first)
        proven = sorted(
            ((place, one) for place, one in placed if place is not None), key=lambda two: two[0]
        )
        loads = list[list[Proven]]()
        left = 0
        for place, offer in proven:
            path = await self._own_log.path(place, head)
            one = Proven(offer, batch.carried(offer.payload, offer.entry, place, path))
            left -= (size := batch.size_of(one.carried))
            if left < 0 or len(loads[-1]) >= batch.MOST or self._is_former:
                loads.append([])
                left = LOAD_BYTES - size
            loads[-1].append(one)
        post = self._post_alone if self._is_former else self._post
        room = asyncio.Semaphore(AT_ONCE)

        async def posted(load: list[Proven]) -> int:
            async with room:
                if self._cell.is_away:
                    return 0
                ended = await post(load, head)
            await self._end(ended)
            return len(ended)

        done = await asyncio.gather(*map(posted, loads), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error
        return sum(one for one in done if isinstance(one, int))

    @property
    def _is_former(self) -> bool:
        """Whether the peer is of a version that takes one crossing in a request."""
        return asyncio.get_running_loop().time() < self._former_until

    async def _post(self, load: list[Proven], head: Shown) -> list[Ended]:
        """What the peer has decided on many. Raises PeerAway."""
        body = batch.encode(Load(head.checkpoint, [one.carried for one in load]))
        answer = await self._cell.post(batch.PATH, body, asked.JSON, most=batch.MAX_ANSWER_BYTES)
        if answer.status in NOT_THERE:
            self._former_until = asyncio.get_running_loop().time() + ASKS_AGAIN_S
            return []
        if answer.status != 200:
            raise self._away(answer.status)
        try:
            answers = batch.answers_in(answer.body, len(load))
        except BadCrossing as error:
            self._cell.leave_alone()
            raise PeerAway(f"{self._cell.name}: {error.code}") from error
        pairs = list(zip(load, answers, strict=True))
        ended = [
            self._decided(one.offer, said.status or 200, said.receipt)
            for one, said in pairs
            if said.receipt or said.status in WRONG
        ]
        if others := {said.status for _, said in pairs} - {0, *WRONG}:
            # What was decided holds; the rest is tried again.
            await self._end(ended)
            raise self._away(max(others))
        return ended

    async def _post_alone(self, load: list[Proven], head: Shown) -> list[Ended]:
        """The same for one, to a peer that takes no more."""
        (one,) = load
        path = tuple(await self._own_log.path(one.carried.index, head))
        answer = await self._cell.post(
            INBOX,
            one.offer.payload,
            "application/activity+json",
            crossing.headers(one.offer.entry, Proof(one.carried.index, path, head.checkpoint)),
            most=crossing.MAX_HEADER_BYTES,
        )
        if answer.status != 200 and answer.status not in WRONG:
            raise self._away(answer.status)
        return [self._decided(one.offer, answer.status, answer.body.decode(errors="replace"))]

    def _decided(self, offer: Entered, status: int, receipt: str) -> Ended:
        """What has become of one. Raises PeerAway for a receipt that is none."""
        if status in WRONG:
            # The peer will never take this, and has put nothing about it into its log.
            return Ended(offer, "refused", f"status-{status}")
        try:
            verdict = crossing.verdict_of(receipt.encode(), self._cell.known.key, offer.entry)
        except BadCrossing as error:
            self._cell.leave_alone()
            raise PeerAway(f"{self._cell.name}: {error.code}") from error
        is_taken = verdict == crossing.ACCEPTED
        code = "" if is_taken else verdict
        return Ended(offer, "sent" if is_taken else "refused", code, receipt)

    def _away(self, status: int) -> PeerAway:
        log.warning("a peer does not take a crossing", status=status)
        crossings.labels("any", "later").inc()
        self._cell.leave_alone()
        return PeerAway(f"{self._cell.name} answers {status}.")

    async def _end(self, ended: list[Ended]) -> None:
        async with self._db.tx() as tx:
            await store.end(tx, self._cell.name, ended)
        for offer, state, *_ in ended:
            self._on_the_way.pop(offer.id, None)
            crossings.labels(offer.kind, state).inc()
            if isinstance(offer, Entered):
                self._own_log.drop(offer.entry)
