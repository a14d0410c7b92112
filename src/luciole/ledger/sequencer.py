"""Gives entries their place in a log and shows the result: one sequencer for each log.

A round: 1. look at the newest signed head in the archive, and ask witnesses what they know; 2. in
one transaction, take entries out of the inbox, grow the tree, and stage its tiles; 3. store the
tiles; 4. sign, and write the signed head as `pending`; 5. have witnesses cosign; 6. publish what
has enough cosignatures. Whoever is stopped anywhere is followed by a round that does the rest:
before 4 nobody has seen a signature, and what 4 wrote binds all that follow.

A database or an archive that was put back to an earlier state must not fork the log. Step 1 notices
(`pending` lies outside the database, witnesses outside both), and step 2 recovers instead.

A log whose last entry hands it over to another key (`ledger.handover`) gets no further entry here,
whatever waits: it is signed and shown as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from luciole.kit.blobs import Blobs, Differs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.logs import log as lines
from luciole.ledger import handover, measures, sealing, store
from luciole.ledger.archive import (
    CHECKPOINT,
    PENDING,
    Archive,
    Head,
    Stopped,
    Tiles,
    cosignatures,
)
from luciole.ledger.entry import SealEntry
from luciole.ledger.handover import Handover
from luciole.ledger.merkle import EMPTY_ROOT, Frontier, Refused
from luciole.ledger.note import Checkpoint, Signer, VerifierKey
from luciole.ledger.policy import NotTrusted, Policy
from luciole.ledger.recovery import recover
from luciole.ledger.store import Cover, State, Waiting
from luciole.ledger.tiles import Edge

ACCESS = "access"
BATCH = 10_000
# Entries of the other logs may be large.
SMALL_BATCH = 500
PATIENCE_S = 2.0
HEADS_KEPT = timedelta(minutes=10)
# Signed heads that may still get cosignatures from those who come by themselves.
HEADS_OPEN = 64


class Cosigners(Protocol):
    """The witnesses that can be called (`luciole.border.peers.Witnesses`)."""

    def forget(self) -> None: ...

    async def look(self, known: Checkpoint, tiles: Tiles) -> None: ...

    async def ask(
        self, head: Checkpoint, note: bytes, tiles: Tiles, within_s: float
    ) -> dict[Checkpoint, bytes]: ...


class Sequencer:
    """The only writer of one log."""

    def __init__(
        self,
        log: str,
        signer: Signer,
        db: Database,
        blobs: Blobs,
        policy: Policy,
        witnesses: Cosigners,
        clock: Clock,
        *,
        patience_s: float = PATIENCE_S,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        """`at` is called between the steps, for those who try what happens when we stop there."""
        self.log, self.archive = log, Archive(blobs, log)
        self._signer, self._key = signer, signer.verifier
        self._db, self._policy, self._clock = db, policy, clock
        self._patience_s, self._at = patience_s, at
        self._most = BATCH if log == ACCESS else SMALL_BATCH
        self._witnesses = witnesses
        self._tidied = clock.now()
        self._sealing: tuple[Cover, asyncio.Task[SealEntry]] | None = None
        self._unsealed: int | None = None
        # The entry that hands the log over, once it is to come.
        self._last: bytes | None = None
        self.forget()

    def forget(self) -> None:
        """Forgets what is only in memory: after a failure it may be wrong."""
        self._edge: tuple[Frontier, Edge] = (Frontier(), Edge())
        self._is_over = False
        self._compared: Head | None = None
        self._tried: dict[int, Sequence[str]] = {}
        self._witnesses.forget()
        if self._sealing:
            self._sealing[1].cancel()
        # A seal that is being made, and the oldest person entry that has come since it was begun.
        self._sealing, self._unsealed = None, None

    async def is_waiting(self) -> bool:
        """Whether entries wait."""
        async with self._db.read() as tx:
            return await store.is_waiting(tx, self.log)

    async def hand_over(self, key: VerifierKey, *, is_witnessed: bool = True) -> Handover | None:
        """Ends the log with an entry that names the next operator's key, in this round; the head
        that it ends with, which no head of ours will follow, or None where enough witnesses have
        not cosigned it yet: then call it again, in the end without `is_witnessed`. Raises as
        `round` does, Stopped also where the log was handed over to another key."""
        self._last = handover.entry_of(key, self._clock.now())
        try:
            await self.round()
        finally:
            self._last = None
        shown = await self.archive.head(CHECKPOINT if is_witnessed else PENDING, self._key)
        size = self._edge[1].size
        named = await self._named_last(size)
        if named not in (None, key):
            raise Stopped("handed-over", "This log was handed over to another key.")
        if named is None or shown is None or shown.checkpoint.size != size:
            return None
        return Handover(self._key, key, shown.raw.decode())

    async def _named_last(self, size: int) -> VerifierKey | None:
        """The key to which the last of so many entries hands the log over."""
        if not size:
            return None
        (entries,) = [some async for some in self.archive.entries(size - 1, size)]
        return handover.named_by(self._key.name, entries[-1])

    async def round(self) -> int:
        """One round; how many entries got their place. Raises Stopped where going on could fork
        the log, Moved where somebody else is at it, OSError, one of `kit.db.LOST`. The caller then
        calls `forget` and goes on later."""
        began = time.perf_counter()
        try:
            known = await self.archive.head(PENDING, self._key)
            empty = Checkpoint(self._key.name, 0, EMPTY_ROOT)
            await self._witnesses.look(known.checkpoint if known else empty, self.archive)
            async with self._db.tx() as tx:
                count, head, known = await self._append(tx)
                self._at("appended")
            self._at("committed")
            signed = await self._sign(head, known)
        except (Missing, Differs, Refused) as error:
            raise Stopped(
                "archive-damaged",
                f"An object of the archive is missing or was changed ({type(error).__name__}). "
                "Put it back from a mirror; nothing is signed until then.",
            ) from error
        answers = await self._witnesses.ask(
            signed.checkpoint, signed.raw, self.archive, self._patience_s
        )
        self._at("asked")
        await self._publish(answers)
        if count:
            measures.appended.labels(self.log).inc(count)
            measures.took.labels(self.log).observe(time.perf_counter() - began)
        return count

    # 2. Append

    async def _append(self, tx: Tx) -> tuple[int, Checkpoint, Head | None]:
        """How many entries got their place, the head that they make, and the newest signed one."""
        state = await store.state(tx, self.log)
        if self._edge[0] != state.frontier:
            # We have just begun, or somebody else was here: what may not be stored yet is staged.
            self.archive.fresh = await store.staged(tx, self.log)
        signed = max(await store.heads(tx, self.log), default=0)
        # Read once more, now that nobody else appends, and after what the database knows of it.
        known = await self.archive.head(PENDING, self._key)
        if signed > (known.checkpoint.size if known else 0) or (
            known is None and await self.archive.head(CHECKPOINT, self._key)
        ):
            raise Stopped(
                "archive-behind",
                "The archive lacks a head that was signed: it was emptied, or put back to an "
                "earlier state. Restore it from a mirror.",
            )
        if known and state.frontier.size < known.checkpoint.size:
            return 0, await self._recover(tx, known), known
        if known and known != self._compared:
            size, root = state.frontier.size, state.frontier.root()
            here = Checkpoint(self._key.name, size, root)
            await self.archive.proof(known.checkpoint, here)
        edge = await self._edge_of(state.frontier)
        if self._is_over:
            seal, waiting, last = None, list[Waiting](), list[bytes]()
        else:
            seal = await self._seal_due(tx, state) if self.log == ACCESS else None
            waiting = await self._drained(tx)
            last = [self._last] if self._last else []
        minute = state.unsealed_minute
        if self.log == ACCESS:
            entries = [one.entry for one in waiting]
            self._unsealed = sealing.oldest(self._unsealed, entries)
            minute = self._unsealed if seal else sealing.oldest(minute, entries)
        entries = [seal.encode()] if seal else []
        offset = edge.size + len(entries)
        entries += [*(one.entry for one in waiting), *last]
        objects = dict[str, bytes]()
        if entries:
            edge, objects = edge.append(entries)
            await store.stage(tx, self.log, objects)
            refs = enumerate((one.ref for one in waiting), offset)
            await store.place(tx, {ref: index for index, ref in refs if ref is not None})
        frontier = edge.frontier()
        if entries or known is None:
            await store.save(tx, self.log, State(frontier, minute))
        # Only true once this is committed; who fails before forgets it.
        self.archive.fresh |= objects
        self._edge = (frontier, edge)
        self._is_over = self._is_over or bool(last)
        head = Checkpoint(self._key.name, frontier.size, frontier.root())
        return len(entries), head, known

    async def _edge_of(self, frontier: Frontier) -> Edge:
        if self._edge[0] != frontier:
            tiles = await self.archive.tiles(Edge.tiles(frontier.size))
            edge = Edge.load(frontier.size, tiles.__getitem__)
            if edge.frontier() != frontier:
                raise Refused("The tiles do not fit the database.")
            self._edge = (frontier, edge)
            self._is_over = await self._named_last(edge.size) not in (None, self._key)
        return self._edge[1]

    async def _drained(self, tx: Tx) -> list[Waiting]:
        """What waits. Nobody hands a log over by way of the inbox, which many may fill."""
        waiting = await store.drain(tx, self.log, self._most)
        right = [one for one in waiting if not handover.is_one(self._key.name, one.entry)]
        if len(right) < len(waiting):
            lines.critical("a handover in the inbox was dropped", log=self.log)
        return right

    async def _recover(self, tx: Tx, known: Head) -> Checkpoint:
        self.archive.fresh.clear()
        found = await recover(tx, self.log, self.archive, known.checkpoint, self._clock.now())
        await store.signed(tx, self.log, known.checkpoint.size, known.raw.decode())
        for outcome, count in found.items():
            measures.recovered.labels(self.log, outcome).inc(count)
            lines.error("database was older than its log", log=self.log, code=outcome, count=count)
        return known.checkpoint

    async def _seal_due(self, tx: Tx, state: State) -> SealEntry | None:
        """The seal that is due, once it is made. Entries go on meanwhile, unless it is late."""
        now, size = self._clock.now(), state.frontier.size
        if not sealing.is_due(state.unsealed_minute, now):
            return None
        cover = await store.cover(tx)
        if self._sealing is None or self._sealing[0] != cover:
            making = asyncio.create_task(sealing.make(self.archive, cover, size, now))
            self._sealing, self._unsealed = (cover, making), None
        making = self._sealing[1]
        if not making.done() and not sealing.is_late(state.unsealed_minute, now):
            return None
        seal, self._sealing = await making, None
        await store.save_cover(tx, sealing.cover_with(cover, size, seal))
        return seal

    # 3. and 4. Store and sign

    async def _sign(self, head: Checkpoint, known: Head | None) -> Head:
        """The signed head as `pending`, all its tiles stored before. Raises Moved."""
        if known is None or known.checkpoint != head or self.archive.fresh:
            await self.archive.write(known.checkpoint.size if known else 0)
            self._at("stored")
            if known is None or known.checkpoint != head:
                # Fails where somebody else has signed since step 1.
                known = await self.archive.exchange(PENDING, self._signer.sign(str(head)), known)
            self._at("signed")
            async with self._db.tx() as tx:
                await store.signed(tx, self.log, head.size, known.raw.decode())
                await store.unstage(tx, self.log, self.archive.fresh)
            await self.archive.sweep()
            self.archive.fresh.clear()
        self._compared = known
        return known

    # 6. Publish

    async def _publish(self, answers: dict[Checkpoint, bytes]) -> None:
        """Publishes the newest head with enough cosignatures, also those that came by themselves;
        or the published one anew when it has more or newer ones."""
        keys = [witness.key for witness in self._policy.witnesses.values()]
        shown = await self.archive.head(CHECKPOINT, self._key)
        least = shown.checkpoint.size if shown else 0
        async with self._db.tx() as tx:
            for head, body in answers.items():
                found = cosignatures(str(head), body.decode(errors="replace"), keys)
                for signer, line in found.items():
                    await store.cosign(tx, self.log, head, signer, line)
            cosigned = await store.cosignatures(tx, self.log, least)
            notes = await store.heads(tx, self.log, least, HEADS_OPEN)
        for size, note in notes.items():
            if self._tried.get(size) == cosigned.get(size, ()):
                continue
            self._tried[size] = cosigned.get(size, ())
            text = note.partition("\n\n")[0] + "\n"
            full = self._signer.sign(text) + "".join(self._tried[size])
            try:
                self._policy.check(full)
            except NotTrusted:
                continue
            await self._show(size, full, shown)
            self._tried = {at: tried for at, tried in self._tried.items() if at >= size}
            break

    async def _show(self, size: int, note: str, shown: Head | None) -> None:
        raw = note.encode()
        # The same head is shown anew where more have cosigned it, or the same ones once more.
        is_newer = shown is None or size > shown.checkpoint.size
        if shown is None or is_newer or (len(raw) >= len(shown.raw) and raw != shown.raw):
            await self.archive.exchange(CHECKPOINT, note, shown)
            self._at("published")
        now = self._clock.now()
        async with self._db.tx() as tx:
            await store.published(tx, self.log, size, note, now)
            if now - self._tidied > HEADS_KEPT / 10:
                self._tidied = now
                await store.tidy(tx, self.log, size, now - HEADS_KEPT)
        measures.published.labels(self.log).set(size)
