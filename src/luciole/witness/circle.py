"""The cell's own witness, for the cell itself and for those that it exchanges with.

Each peer's logs are mirrored in a folder of their own, under the keys of its passport, so that a
peer that was put back, or that shows two histories, is refused here before anything of it crosses;
and so that what it had can be read here by anybody, also when it is gone (`keeping`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from luciole.ask.gateway import Outward, PeerInfo, PeerRefused, PeerUnreachable
from luciole.border.outward import Verdict
from luciole.border.peers import MAX_ANSWER_BYTES, PeerAway
from luciole.kit.blobs import Missing, is_full
from luciole.kit.logs import log
from luciole.ledger.archive import PENDING
from luciole.ledger.note import Signer, VerifierKey
from luciole.mirrors import FOLDER
from luciole.witness.cosigner import Witness
from luciole.witness.follow import LOGS, Follower
from luciole.witness.keeping import Keeper
from luciole.witness.mirror import Refusal
from luciole.witness.room import Limits, Room

# What says that a log was changed, rather than that it cannot be read just now.
PROVEN = ("fork", "bad-seal")
RED = (*PROVEN, "rollback", "other-key")
LOOKS_EVERY_S = 5.0
# A peer that has its heads cosigned needs no look of ours.
QUIET_S = 15.0


class _Peer(NamedTuple):
    info: PeerInfo
    follower: Follower
    witness: Witness
    keeper: Keeper


class Circle:
    """Answers for the own logs and for those of peers. `told` gets a sentence for each proof that a
    log misbehaves."""

    def __init__(
        self,
        own: Follower,
        witness: Witness,
        signers: Sequence[Signer],
        outward: Outward,
        told: Callable[[str], None],
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own, self._witness, self._signers = own, witness, signers
        self._outward, self._told, self._monotonic = outward, told, monotonic
        self._limits = limits
        self._peers: dict[str, _Peer] = {}
        self._heard: dict[str, float] = {}

    async def add_checkpoint(self, body: bytes) -> str:
        """Cosignature lines for a head that was handed to us. Raises Refusal."""
        peer = self._peers.get(_cell_of(body))
        if peer is None:
            return await self._own.add_checkpoint(body)
        try:
            lines = await peer.follower.add_checkpoint(body)
        except Refusal as refusal:
            verdict, code = self._verdict(peer, refusal.code)
            if verdict == "RED":
                await self._tell(peer, verdict, code)
            raise
        except (PeerUnreachable, PeerRefused) as error:
            raise PeerAway("The entries cannot be fetched just now.") from error
        self._heard[peer.info.name] = self._monotonic()
        await self._tell(peer, *self._verdict(peer, ""))
        return lines

    async def read(self, path: str) -> bytes:
        """What others may have of our mirrors. Raises Missing."""
        for witness in (self._witness, *(peer.witness for peer in self._peers.values())):
            with contextlib.suppress(Missing):
                return await witness.read(path)
        raise Missing(path)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks at peers and their logs until `stop`. A long log that is fetched for hours holds
        nobody else up."""
        looks: dict[str, asyncio.Task[None]] = {}
        try:
            while not stop.is_set():
                with contextlib.suppress(PeerUnreachable, PeerRefused):
                    await self.learn()
                for cell_id, peer in self._peers.items():
                    before = looks.get(cell_id)
                    if before is None or before.done():
                        if before is not None:
                            before.result()
                        looks[cell_id] = asyncio.create_task(self._look_and_keep(peer))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOKS_EVERY_S)
        finally:
            for look in looks.values():
                look.cancel()
            await asyncio.gather(*looks.values(), return_exceptions=True)

    async def learn(self) -> None:
        """Which cells are peers. Raises PeerUnreachable, PeerRefused."""
        found = {str(info.cell_id): info for info in await self._outward.peers()}
        self._peers = {
            cell_id: self._peers[cell_id]._replace(info=info)
            if cell_id in self._peers
            else self._peer(cell_id, info)
            for cell_id, info in found.items()
        }

    def _peer(self, cell_id: str, info: PeerInfo) -> _Peer:
        home = self._witness.home / FOLDER / cell_id
        name, room = info.name, Room(home, self._limits, self._monotonic)

        async def get(path: str) -> bytes:
            try:
                found = await self._outward.get(name, f"ledger/{path}", MAX_ANSWER_BYTES)
            except PeerRefused as refused:
                if refused.said == "missing":
                    raise Missing(path) from refused
                raise
            await room.pace(len(found))
            return found

        witness = Witness(home, self._signers, self._witness.time, self._told, room)
        follower = Follower(witness, get)
        peer = _Peer(info, follower, witness, Keeper(witness, get, room, self._monotonic))
        with contextlib.suppress(Refusal):
            # Other keys than the first time: nothing is cosigned, and `_verdict` says so.
            follower.follow([VerifierKey.parse(key) for key in info.log_keys])
        return peer

    async def _look_and_keep(self, peer: _Peer) -> None:
        """One look, and the mirror made readable up to what was seen. Whatever becomes of it, our
        own log goes on: it has the same witness."""
        await self._look(peer)
        keys = peer.follower.keys
        steps = (partial(peer.keeper.keep, keys), partial(peer.keeper.tell, peer.info, keys))
        for step in steps:
            try:
                await step()
            except (PeerUnreachable, PeerRefused):
                continue
            except OSError as error:
                code = "mirror-full" if is_full(error) else "mirror-unwritten"
                log.error("a mirror of a peer is not kept", code=code)

    async def _look(self, peer: _Peer) -> None:
        """One look at all logs of a peer that has said nothing for a while."""
        heard = self._heard.get(peer.info.name, float("-inf"))
        if self._monotonic() - heard < QUIET_S and peer.info.verdict == "GREEN":
            return
        code = ""
        for name in LOGS:
            try:
                head = await self._outward.get(
                    peer.info.name, f"ledger/{name}/{PENDING}", MAX_ANSWER_BYTES
                )
                await peer.witness.see(head)
            except Refusal as refusal:
                code = refusal.code if code not in RED else code
            except (PeerUnreachable, PeerRefused, Missing):
                code = code or "away"
            except OSError as error:
                code = code or ("mirror-full" if is_full(error) else "mirror-unwritten")
        await self._tell(peer, *self._verdict(peer, code))

    def _verdict(self, peer: _Peer, code: str) -> tuple[Verdict, str]:
        """What to say of a peer, after a look that ended with a code."""
        if proven := _evidence(peer.witness.home):
            return "RED", proven
        if code in RED or len(peer.follower.keys) < len(LOGS):
            return "RED", code if code in RED else "other-key"
        return ("CANNOT TELL", code) if code else ("GREEN", "cosigned")

    async def _tell(self, peer: _Peer, verdict: Verdict, code: str) -> None:
        if (peer.info.verdict, peer.info.verdict_code) == (verdict, code):
            return
        with contextlib.suppress(PeerUnreachable, PeerRefused):
            await self._outward.tell(peer.info.name, verdict, code)
            told = replace(peer.info, verdict=verdict, verdict_code=code)
            self._peers[str(peer.info.cell_id)] = peer._replace(info=told)


def _evidence(home: Path) -> str:
    """The kind of what is kept of a log that contradicts itself; empty where nothing is."""
    for code in PROVEN:
        if any(home.glob(f"*/evidence/{code}-*")):
            return code
    return ""


def _cell_of(body: bytes) -> str:
    """Of which cell a head is, by the origin of its log (`luciole/<cell id>/<log>`)."""
    origin = body.partition(b"\n\n")[2].partition(b"\n")[0].decode(errors="replace")
    return [*origin.split("/"), "", ""][1]
