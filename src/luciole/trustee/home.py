"""The home's side of a guardian: proves an entry to it, and keeps what it gives for minutes.

A half is kept for at most 14 minutes, and a data key that it opened for one more: the guardian away
means that personal reads stop after a quarter of an hour. While a half is in use it is asked for
anew in the background after five minutes, so that a short outage is not noticed.

What goes on without the guardian: signing in and out, everything public, what is noted in the log,
and erasing. What does not: reading and sealing what is personal, and signing up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec

from luciole.custody import store
from luciole.custody.keyring import Renew
from luciole.custody.model import CustodyAway, GuardianAway, GuardianState, NoGuardian
from luciole.custody.warm import Warm
from luciole.keys import Card, Half
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.ledger import entry
from luciole.ledger.archive import Archive
from luciole.ledger.merkle import Refused as BadLedger
from luciole.ledger.note import Checkpoint, Note, VerifierKey
from luciole.ledger.proof import Proof
from luciole.trustee import shares
from luciole.trustee.guardian import MOST_AGE_MINUTES

KEPT = timedelta(minutes=14)
FRESH = timedelta(minutes=5)
MOST_KEPT = 20_000
# Less than a process waits for the key broker.
WITHIN_S = 4.5
LOOK_EVERY_S = 0.02
# Heads that are looked at for the guardian's cosignature, the newest first.
HEADS = 8
# An entry of nearly a day is not proved any more: it may be too old when it arrives.
MARGIN_MINUTES = 30
TURNS = {"spent", "too-old"}

T = TypeVar("T")
Turn = Callable[[str, bytes], Awaitable[GuardianState]]


class Refusal(Exception):
    """The guardian does not do that; `code` is its stable code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Peer(NamedTuple):
    """The cell that is the guardian: its name here, its id, the keys of its witness."""

    name: str
    cell_id: UUID
    witness: Sequence[VerifierKey]


class Way(Protocol):
    """How the guardian is reached (`luciole.ask.gateway` in a running cell)."""

    async def ask(self, name: str, body: bytes) -> bytes:
        """Raises GuardianAway, Refusal."""
        ...

    async def peer(self, name: str) -> Peer:
        """Raises NoGuardian, GuardianAway."""
        ...


class _Head(NamedTuple):
    size: int
    note: str


class HomeGuardian:
    """The guardian as the key broker has it."""

    def __init__(self, way: Way, db: Database, blobs: Blobs, clock: Clock) -> None:
        self._way, self._db, self._clock = way, db, clock
        self._archive = Archive(blobs, "access")
        self._kept: Warm[UUID, bytes] = Warm(clock, KEPT, MOST_KEPT)
        self._fresh: Warm[UUID, bool] = Warm(clock, FRESH, MOST_KEPT)
        self._asking: dict[UUID, asyncio.Task[bytes]] = {}
        self._waiting: dict[int, asyncio.Future[tuple[int, _Head]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._heads: dict[str, _Head | None] = {}
        self._state: GuardianState | None = None
        self._peer: Peer | None = None
        self._turn: Turn | None = None

    # --- who it is ----------------------------------------------------------------------------

    async def load(self) -> GuardianState | None:
        """Reads who guards, and whether. Raises CustodyAway."""
        async with self._transaction() as tx:
            self._state = await store.guardian(tx)
        self._peer = None
        return self._state

    @property
    def state(self) -> GuardianState | None:
        """As it was read last."""
        return self._state

    @property
    def is_on(self) -> bool:
        """Whether new keys get a guardian."""
        return self._state is not None and self._state.is_on

    def turned_by(self, turn: Turn) -> None:
        """Who puts it in office and relieves it."""
        self._turn = turn

    async def turn(self, act: str, after: bytes = b"") -> GuardianState:
        if self._turn is None:
            raise NoGuardian
        return await self._turn(act, after)

    async def peer(self, name: str = "") -> Peer:
        """The cell of that name, or the one that guards. Raises NoGuardian, GuardianAway."""
        if name:
            return await self._way.peer(name)
        if self._state is None:
            raise NoGuardian
        if self._peer is None:
            found = await self._way.peer(self._state.peer)
            if found.cell_id != self._state.cell_id:
                raise NoGuardian
            self._peer, self._heads = found, {}
        return self._peer

    async def ask(self, asked: shares.Asked, expected: type[T], name: str = "") -> T:
        """What the guardian answers. Raises GuardianAway, NoGuardian, Refusal."""
        if not name:
            name = (await self.peer()).name
        answer = await self._way.ask(name, shares.encode(asked))
        try:
            return msgspec.msgpack.decode(answer, type=expected)
        except msgspec.MsgspecError as error:
            raise GuardianAway from error

    # --- what the key broker asks -------------------------------------------------------------

    async def deposit(self, label_key: bytes) -> Half | None:
        if not self.is_on:
            return None
        half = Half.new()
        await self.keep([(half, label_key)])
        return half

    async def keep(self, halves: Sequence[tuple[Half, bytes]], name: str = "") -> None:
        """Has the guardian hold halves, with their persons' label keys. Raises GuardianAway."""
        sent = [shares.Deposited(*half, label_key) for half, label_key in halves]
        try:
            await self.ask(shares.Deposit(sent), type(None), name)
        except Refusal as refusal:
            raise GuardianAway from refusal

    async def secret(self, person_id: UUID, card: Card, renew: Renew) -> bytes:
        kept = self._kept.get(person_id)
        if kept is not None:
            if self._fresh.get(person_id) is None:
                self._begin(person_id, card, renew)
            return kept
        # Others may wait for the same answer: who goes away does not take it from them.
        return await asyncio.shield(self._begin(person_id, card, renew))

    def prepare(self, person_id: UUID, card: Card, renew: Renew) -> None:
        if self._fresh.get(person_id) is None:
            self._begin(person_id, card, renew)

    async def forget(self, person_id: UUID, card: Card) -> None:
        self._kept.drop(person_id)
        async with self._transaction() as tx:
            await store.add_orphan(tx, card.handle)

    def _begin(self, person_id: UUID, card: Card, renew: Renew) -> asyncio.Task[bytes]:
        """The request that is under way for a person."""
        task = self._asking.get(person_id)
        if task is None:
            task = asyncio.create_task(self._obtain(person_id, card, renew))
            self._asking[person_id] = task

            def done(ended: asyncio.Task[bytes]) -> None:
                self._asking.pop(person_id, None)
                if not ended.cancelled() and (error := ended.exception()):
                    log.warning("a guardian gave no half", error=type(error).__name__)

            task.add_done_callback(done)
        return task

    async def _obtain(self, person_id: UUID, card: Card, renew: Renew) -> bytes:
        """Raises GuardianAway, CustodyAway, and what `renew` raises."""
        try:
            async with asyncio.timeout(WITHIN_S):
                try:
                    secret = await self._released(person_id, card, renew)
                except Refusal as refusal:
                    if refusal.code not in TURNS:
                        raise
                    # The guardian has seen a newer entry than this database has, or counts time
                    # otherwise: a new entry is newer than all.
                    await renew()
                    secret = await self._released(person_id, card, renew)
        except Refusal as refusal:
            log.warning("a guardian refused", code=refusal.code)
            raise GuardianAway from refusal
        except TimeoutError as error:
            raise GuardianAway from error
        self._kept.put(person_id, secret)
        self._fresh.put(person_id, True)
        return secret

    async def _released(self, person_id: UUID, card: Card, renew: Renew) -> bytes:
        granting = await self._granting(person_id)
        if granting is None:
            await renew()
            granting = await self._granting(person_id)
        if granting is None:
            raise GuardianAway
        index, head = await self._placed(granting.ref)
        try:
            path = await self._archive.path(index, head.size)
        except (Missing, BadLedger, OSError) as error:
            raise GuardianAway from error
        proof = str(Proof(index, tuple(path), head.note))
        async with self._transaction() as tx:
            # Before it is asked, so that the guardian has never given more than we know of.
            await store.count_asked(tx)
        return await self.ask(shares.Release(card.handle, granting.n, granting.leaf, proof), bytes)

    async def _granting(self, person_id: UUID) -> store.Granting | None:
        """The newest entry that gives the use of the person's key, unless it is too old."""
        async with self._transaction() as tx:
            found = await store.granting(tx, person_id)
        if found is None:
            return None
        made = entry.decode(found.leaf).minute
        age = int(self._clock.now().timestamp()) // 60 - made
        return found if age <= MOST_AGE_MINUTES - MARGIN_MINUTES else None

    # --- waiting for the log ------------------------------------------------------------------

    async def _placed(self, ref: int) -> tuple[int, _Head]:
        """Where an entry is, and a head above it that the guardian's witness has cosigned."""
        await self.peer()
        waiting = self._waiting.get(ref)
        if waiting is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[ref] = waiting
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.shield(waiting)
        finally:
            if not waiting.done() or waiting.cancelled():
                self._waiting.pop(ref, None)

    async def _look(self) -> None:
        """Looks at the log for all who wait, until nobody does."""
        while self._waiting:
            try:
                async with self._transaction() as tx:
                    places, notes = await store.shown(tx, list(self._waiting), HEADS)
            except CustodyAway:
                places, notes = {}, []
            self._heads = {note: self._cosigned(note) for note in notes}
            heads = [head for head in self._heads.values() if head]
            for ref, index in places.items():
                head = next((head for head in heads if head.size > index), None)
                waiting = self._waiting.get(ref)
                if head and waiting:
                    del self._waiting[ref]
                    if not waiting.done():
                        waiting.set_result((index, head))
            await asyncio.sleep(LOOK_EVERY_S)

    def _cosigned(self, note: str) -> _Head | None:
        """The head that a note is, if the guardian's witness has cosigned it."""
        if note in self._heads:
            return self._heads[note]
        assert self._peer is not None
        try:
            parsed = Note.parse(note)
            parsed.verify(self._peer.witness)
            return _Head(Checkpoint.parse(parsed.text).size, note)
        except BadLedger:
            return None

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        try:
            async with self._db.tx() as tx:
                yield tx
        except (*LOST, TimeoutError) as error:
            raise CustodyAway(retry_after_s=1) from error
