"""The logs of a cell that does not run, brought to their end: its sequencers and witnesses in this
process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from luciole.border.peers import Answer, Witnesses, WitnessPeer
from luciole.config import ROLES
from luciole.keys import CellSecret
from luciole.kit.blobs import Blobs, Missing, Moved
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger.archive import Archive, Stopped, Tiles
from luciole.ledger.handover import Handover
from luciole.ledger.note import KeyKind, Signer, VerifierKey, to_base64
from luciole.ledger.policy import Party, Policy
from luciole.ledger.sequencer import Sequencer
from luciole.sale.buyer import LOGS
from luciole.sale.model import NotHandedOver
from luciole.sale.store import COUNT_WAITING
from luciole.witness import identity
from luciole.witness.cosigner import Witness
from luciole.witness.mirror import Refusal

TRIES = 20
TRIES_EVERY_S = 0.5
# What the policy calls the cell's own witness.
OWN = ("local", "local-pq")


class Beside:
    """The cell's own witness, asked without HTTP, as `border.peers.WitnessPeer` is."""

    def __init__(self, home: Path, key: VerifierKey, tiles: Tiles) -> None:
        self._witness = Witness(home, identity.of(home), time.time, lambda sentence: None)
        self._witness.follow(key, tiles, has_seals=key.name.endswith("/access"))

    async def head(self, origin: str) -> bytes | None:
        """What it has cosigned last."""
        try:
            return await self._witness.read(f"{sha256(origin.encode()).hexdigest()}/checkpoint")
        except Missing:
            return None

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        """Its answer to a head, in the words of HTTP."""
        before = "\n".join([f"old {old}", *map(to_base64, proof), "", ""])
        try:
            lines = await self._witness.add_checkpoint(before.encode() + note)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body.encode())
        return Answer(200, lines.encode())


def signers_of(secret: CellSecret) -> dict[str, Signer]:
    """The keys of the logs."""
    return {
        log: Signer(
            f"luciole/{secret.cell_id}/{log}", KeyKind.ED25519, secret.derived(f"ledger/{log}")
        )
        for log in LOGS
    }


async def policy_in(blobs: Blobs, signers: dict[str, Signer]) -> Policy:
    """What the cell says itself; where it has not said anything yet, nobody has to witness."""
    try:
        return Policy.parse(await blobs.get("ledger/policy"))
    except Missing:
        return Policy([Party(one.verifier, None) for one in signers.values()], quorum="none")


class Ending:
    """The three logs, on their way to another operator's keys."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        clock: Clock,
        signers: dict[str, Signer],
        policy: Policy,
        witness_dir: Path,
        at: Callable[[str], None],
        doors: frozenset[str] = frozenset(),
    ) -> None:
        """`doors` are URLs of the witnesses of peers, which cosign for a gateway alone: they get
        the last heads from the buyer."""
        self._db, self._blobs, self._at = db, blobs, at
        outside = [p for name, p in policy.witnesses.items() if name not in OWN]
        urls = sorted({party.url for party in outside if party.url} - doors)
        own = OWN[0] in policy.witnesses
        self._sequencers: dict[str, Sequencer] = {}
        for log, signer in signers.items():
            peers: list[Any] = [WitnessPeer(url) for url in urls]
            if own:
                peers.append(Beside(witness_dir, signer.verifier, Archive(blobs, log)))
            witnesses = Witnesses(signer.verifier, cast(list[WitnessPeer], peers))
            self._sequencers[log] = Sequencer(
                log, signer, db, blobs, policy, witnesses, clock, at=at
            )

    @classmethod
    @contextlib.asynccontextmanager
    async def over(cls, url: str, *rest: Any) -> AsyncIterator[Ending]:
        """With a connection of the log's own role."""
        db = await Database.open(url, role=ROLES["ledger"], size=4)
        try:
            yield cls(db, *rest)
        finally:
            await db.close()

    async def drain(self, *logs: str) -> None:
        """Gives every waiting entry its place. Raises NotHandedOver."""
        for log in logs or LOGS:
            for _ in range(TRIES):
                with contextlib.suppress(TimeoutError, Moved):
                    # One more after the last, for what is due by itself.
                    while await self.round(log):
                        pass
                    break
                await asyncio.sleep(TRIES_EVERY_S)
            else:
                raise NotHandedOver

    async def round(self, log: str) -> bool:
        """One round; whether something waits after it. Raises NotHandedOver."""
        sequencer = self._sequencers[log]
        try:
            await sequencer.round()
        except Stopped as reason:
            raise NotHandedOver(f"The log {log} does not go on. {reason}") from reason
        async with self._db.read() as tx:
            return bool(await tx.fetchval(COUNT_WAITING, log))

    async def hand_over(self, log: str, key: VerifierKey) -> Handover:
        """Ends a log with its handover. Witnesses that do not answer get the head from the buyer.
        Raises NotHandedOver."""
        sequencer = self._sequencers[log]
        for number in range(TRIES):
            try:
                made = await sequencer.hand_over(key, is_witnessed=number < TRIES - 1)
            except Stopped as reason:
                raise NotHandedOver(f"The log {log} does not go on. {reason}") from reason
            except (TimeoutError, Moved):
                made = None
            if made is not None:
                return made
            await asyncio.sleep(TRIES_EVERY_S)
        raise NotHandedOver
