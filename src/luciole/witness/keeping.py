"""Keeps beside a mirror what its readers need: the policy of its cell, and of each log the newest
head that is cosigned as that policy asks and whose entries are all here.

The tree under such a head was compared with the log's signature before (`mirror`), so that a reader
who trusts the witnesses of the policy needs to trust neither us nor the cell that may be gone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from luciole.ask.gateway import PeerInfo
from luciole.kit import durable
from luciole.kit.blobs import Missing
from luciole.ledger import handover
from luciole.ledger.archive import CHECKPOINT
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note, VerifierKey, to_base64
from luciole.ledger.policy import NotTrusted, Policy
from luciole.mirrors import LOGS, POLICY, PUBLISHED, TOLD, Mirrored, MirroredLog
from luciole.witness.cosigner import Witness
from luciole.witness.follow import RENEW_S, Get
from luciole.witness.mirror import Mirror, Refusal
from luciole.witness.room import Room

# So often the policy is read again, and what is told is written.
POLICY_EVERY_S = 600.0
TOLD_EVERY_S = 30.0
MOST_BYTES = 1 << 20


class Keeper:
    """Keeps the mirror of one cell readable. `keys` are those under which its logs began, `get`
    finds what the cell shows, by its path below `/ledger/`."""

    def __init__(
        self, witness: Witness, get: Get, room: Room, monotonic: Callable[[], float]
    ) -> None:
        self._witness, self._get, self.room, self._monotonic = witness, get, room, monotonic
        self._policy: Policy | None = None
        self._policy_at = self._told_at = float("-inf")
        self._kept = dict[str, MirroredLog]()
        self._told: Mirrored | None = None

    async def keep(self, keys: dict[str, VerifierKey]) -> None:
        """One look at what the cell publishes. Raises what `get` raises."""
        for log in LOGS:
            if log in keys:
                with contextlib.suppress(Missing, Refused, Refusal):
                    await self._keep_log(log, keys)

    async def _keep_log(self, log: str, keys: dict[str, VerifierKey]) -> None:
        mirror = await self._witness.held(keys[log])
        known = self._known(log, mirror.folder)
        here = mirror.head.size if mirror.kept is None else mirror.kept
        if known and known.size >= here and self._witness.time() - known.at < RENEW_S:
            return
        raw = await self._get(f"{log}/{CHECKPOINT}")
        if len(raw) > MOST_BYTES or not await self._witness.continues(raw):
            return
        head = Checkpoint.parse(Note.parse(raw).text)
        if head.size > here or (known and head.size < known.size):
            return
        policy = await self._policy_of(keys)
        handovers = await self._handovers(log, mirror)
        policy, ends = handover.known_by(policy, handovers)
        raw += await self._ours(mirror, raw)
        try:
            policy.check(raw, ends)
        except NotTrusted:
            self._policy = None  # it may have another by now
            raise
        await asyncio.to_thread(durable.replace, mirror.folder / PUBLISHED, raw)
        self._kept[log] = MirroredLog(log, head.size, int(self._witness.time()))

    async def _ours(self, mirror: Mirror, raw: bytes) -> bytes:
        """Our own lines for a head, which the cell may add later than it publishes."""
        ours, theirs = Note.parse(await mirror.blobs.get(CHECKPOINT)), Note.parse(raw)
        there = {line[:2] for line in theirs.lines}
        lines = [line for line in ours.lines if line[:2] not in there]
        if ours.text != theirs.text:
            return b""
        written = (f"— {name} {to_base64(id_ + signed)}\n" for name, id_, signed in lines)
        return "".join(written).encode()

    def _known(self, log: str, folder: Path) -> MirroredLog | None:
        """What was kept last, also before a start."""
        if log not in self._kept:
            with contextlib.suppress(OSError, Refused):
                path = folder / PUBLISHED
                head = Checkpoint.parse(Note.parse(path.read_bytes()).text)
                self._kept[log] = MirroredLog(log, head.size, int(path.stat().st_mtime))
        return self._kept.get(log)

    async def _policy_of(self, keys: dict[str, VerifierKey]) -> Policy:
        """The policy of the cell, kept where it names the logs under the keys that we know. Raises
        Missing, BadPolicy."""
        if self._policy is None or self._monotonic() - self._policy_at > POLICY_EVERY_S:
            raw = await self._get(POLICY)
            policy = Policy.parse(raw)
            if len(raw) > MOST_BYTES or not set(keys.values()) <= {one.key for one in policy.logs}:
                raise Missing(POLICY)
            path = self._witness.home / POLICY
            await asyncio.to_thread(durable.replace, path, raw)
            self._policy, self._policy_at = policy, self._monotonic()
        return self._policy

    async def _handovers(self, log: str, mirror: Mirror) -> list[handover.Handover]:
        """Who signed before whom; read where the mirror has found that it was handed over."""
        if not mirror.former:
            return []
        raw = await self._get(f"{log}/{handover.NAME}")
        found = handover.parse(raw)
        if {one.size: one.old for one in found} != mirror.former:
            raise Missing(handover.NAME)
        await asyncio.to_thread(durable.replace, mirror.folder / handover.NAME, raw)
        return found

    async def tell(self, info: PeerInfo, keys: dict[str, VerifierKey]) -> None:
        """Writes what is told of the mirror, where that has changed. Raises what `get` raises."""
        if self._told and self._monotonic() - self._told_at < TOLD_EVERY_S:
            return
        is_short = False
        for log, key in keys.items():
            with contextlib.suppress(Refusal):
                mirror = await self._witness.held(key)
                is_short = is_short or mirror.kept is not None
                self._known(log, mirror.folder)
        if self._told is None:
            await self.room.count()
        told = Mirrored(
            str(info.cell_id),
            info.name,
            info.origin,
            await self.room.why() if is_short else "kept",
            self.room.bytes,
            self.room.limits.most_bytes,
            [self._kept[log] for log in LOGS if log in self._kept],
        )
        self._told_at = self._monotonic()
        if told != self._told:
            path = self._witness.home / TOLD
            await asyncio.to_thread(durable.replace, path, msgspec.json.encode(told))
            self._told = told
