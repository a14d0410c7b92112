"""Puts a guardian in office and relieves it: moves the keys of all people under it, and back.

On: for some persons at a time, 1. halves are drawn and the guardian keeps them; 2. the keys are
wrapped anew. If we stop in between, the guardian holds halves that open nothing. 3. When nobody is
left, the keys are rotated, because wraps of before open without a half until their epoch ends.
Off: each person's half is given back against an entry of its own, and destroyed there.

Each of these acts is an entry in the log of decisions; so is, each hour, what the guardian counts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from luciole.custody import store
from luciole.custody.broker import Broker, said
from luciole.custody.model import CustodyAway, GuardianAway, GuardianState, NoGuardian
from luciole.keys import Half, KeyStore, NoKey
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical
from luciole.trustee import shares
from luciole.trustee.home import HomeGuardian, Refusal

AT_ONCE = 100
RELEASES_AT_ONCE = 32
PAUSE_S = 30.0
COMPARE_EVERY = timedelta(hours=1)

T = TypeVar("T")
Rotate = Callable[[], Awaitable[None]]


class Moving:
    """Keeps what is decided about the guardian true. `wanted` is the peer that the settings name;
    `rotate` puts all wraps under a new epoch and destroys the old one with its copies."""

    def __init__(
        self,
        keys: KeyStore,
        broker: Broker,
        home: HomeGuardian,
        db: Database,
        clock: Clock,
        wanted: str,
        rotate: Rotate,
    ) -> None:
        self._keys, self._broker, self._home, self._db = keys, broker, home, db
        self._clock, self._wanted, self._rotate = clock, wanted, rotate
        self._wake = asyncio.Event()
        self._fault = ""
        self._compared: datetime | None = None
        home.turned_by(self.turn)

    async def turn(self, act: str, after: bytes = b"") -> GuardianState:
        """Decides; the moving goes on by itself. Raises NoGuardian, GuardianAway, CustodyAway."""
        state = await self._home.load()
        if act == "on" and not (state and state.is_on):
            await self._decide(True)
        elif act == "off" and state and state.is_on:
            await self._decide(False)
        if act in ("on", "off"):
            self._fault = ""
            self._wake.set()
        if act == "destroy":
            counted = await self._asked(shares.Destroy(), shares.Counted)
            await self._noted("destroyed", persons=counted.destroyed)
        if act == "told":
            told = await self._asked(shares.Told(after), list[shares.Given])
            halves = tuple((one.handle, one.times, one.first_at, one.last_at) for one in told)
            return msgspec.structs.replace(self.told(), told=halves)
        return await self._counted(self.told())

    async def _counted(self, state: GuardianState) -> GuardianState:
        """With what the guardian counts now, or counted last where it does not answer."""
        if state.cell_id is None:
            return state
        try:
            counted = await self._asked(shares.Counts(), shares.Counted)
        except Problem:
            return state
        first = counted.first_given_at
        return msgspec.structs.replace(
            state,
            held=counted.held,
            given=counted.given,
            refused=counted.refused,
            given_persons=counted.given_persons,
            first_given_at=datetime.fromtimestamp(first, UTC) if first else None,
            compared_at=self._clock.now(),
        )

    def told(self) -> GuardianState:
        """Who guards whom just now."""
        guarded = self._keys.guarded()
        state = self._home.state or GuardianState(peer=self._wanted)
        alone = self._keys.persons() - guarded
        left = alone if state.is_on else guarded
        return msgspec.structs.replace(
            state, guarded=guarded, alone=alone, left=left, fault=self._fault
        )

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.once()
                self._fault = ""
            except Problem as problem:
                self._fault = problem.code
                log.warning("a guardian is not in order", code=problem.code)
            except (*LOST, OSError) as error:
                self._fault = CustodyAway.code
                log.warning("a guardian is not in order", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), PAUSE_S)

    async def once(self) -> None:
        """Whatever is to be done now. Raises Problem."""
        state = await self._home.load()
        if state is None and self._wanted:
            await self._decide(True)
            state = self._home.state
        if state is None:
            return
        if state.is_on:
            await self._bring()
        elif self._keys.guarded():
            await self._fetch_back()
        await self._forget()
        if state.is_on or self._keys.guarded():
            await self._compare()

    async def _decide(self, is_on: bool) -> None:
        state, now = self._home.state, self._clock.now()
        if is_on:
            peer = await self._home.peer(self._wanted) if self._wanted else None
            is_another = peer and state and state.cell_id != peer.cell_id
            if peer is None or (is_another and self._keys.guarded()):
                raise NoGuardian
            name, cell_id = peer.name, peer.cell_id
        else:
            assert state is not None
            assert state.cell_id is not None
            name, cell_id = state.peer, state.cell_id
        async with self._transaction() as tx:
            await store.save_guardian(tx, name, cell_id, is_on, now)
            await self._note(tx, "on" if is_on else "off", name, cell_id)
        await self._home.load()

    async def _bring(self) -> None:
        moved, after = 0, UUID(int=0)
        while persons := self._keys.listed(after, AT_ONCE, is_guarded=False):
            after, halves = persons[-1], dict[UUID, tuple[Half, bytes]]()
            for person_id in persons:
                with contextlib.suppress(NoKey):
                    halves[person_id] = Half.new(), self._keys.label_key(person_id)
            await self._home.keep(list(halves.values()))
            for person_id, (half, _) in halves.items():
                with contextlib.suppress(NoKey):
                    self._keys.guard(person_id, half)
                    moved += 1
        if moved:
            await self._rotate()
            await self._noted("moved", persons=moved)

    async def _fetch_back(self) -> None:
        gate = asyncio.Semaphore(RELEASES_AT_ONCE)

        async def release(person_id: UUID) -> bool:
            async with gate:
                try:
                    await self._broker.release(person_id)
                except (NoKey, Problem) as problem:
                    if isinstance(problem, GuardianAway | CustodyAway):
                        raise
                    return False
                return True

        moved, after = 0, UUID(int=0)
        while persons := self._keys.listed(after, AT_ONCE, is_guarded=True):
            after = persons[-1]
            moved += sum(await asyncio.gather(*map(release, persons)))
        if moved:
            await self._noted("left", persons=moved)

    async def _forget(self) -> None:
        """Has the guardian destroy halves whose keys are gone."""
        while True:
            async with self._transaction() as tx:
                handles = await store.orphans(tx, AT_ONCE)
            if not handles:
                return
            await self._asked(shares.Forget(handles), shares.Counted)
            async with self._transaction() as tx:
                await store.drop_orphans(tx, handles)

    async def _compare(self) -> None:
        """Each hour: what the guardian counts, beside what we do."""
        now = self._clock.now()
        if self._compared and now - self._compared < COMPARE_EVERY:
            return
        counted = await self._asked(shares.Counts(), shares.Counted)
        async with self._transaction() as tx:
            await store.compared(tx, counted.held, counted.given, counted.refused, now)
        state = await self._home.load()
        assert state is not None
        self._compared = now
        await self._noted(
            "counts",
            asked=state.asked,
            given=counted.given,
            refused=counted.refused,
            held=counted.held,
        )
        if counted.given > state.asked:
            log.critical("a guardian gave more than was asked for", code="guardian-gave-more")

    async def _asked(self, asked: shares.Asked, expected: type[T]) -> T:
        try:
            return await self._home.ask(asked, expected)
        except Refusal as refusal:
            raise GuardianAway from refusal

    async def _noted(self, act: str, **more: int) -> None:
        peer = await self._home.peer()
        async with self._transaction() as tx:
            await self._note(tx, act, peer.name, peer.cell_id, **more)

    async def _note(self, tx: Tx, act: str, name: str, cell_id: UUID, **more: int) -> None:
        text: dict[str, Any] = {
            "v": 1,
            "kind": "guardian",
            "at": said(self._clock.now()),
            "act": act,
            "guardian": name,
            "cell": str(cell_id),
            **more,
        }
        await ledger.put(tx, "decisions", canonical(text))

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        try:
            async with self._db.tx() as tx:
                yield tx
        except (*LOST, TimeoutError) as error:
            raise CustodyAway(retry_after_s=1) from error
