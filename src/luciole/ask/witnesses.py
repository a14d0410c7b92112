"""Witnesses of other people, as the log's process reaches them: through the gateway.

Each looks to `luciole.border.peers.Witnesses` as one that is called directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from luciole.ask.gateway import Outward, PeerRefused
from luciole.border.peers import Answer, PeerAway, submission

MAX_HEAD_BYTES = 1_000_000


class Outsider:
    """A witness that the operator's file of witnesses names by its URL."""

    def __init__(self, outward: Outward, url: str) -> None:
        self._outward, self._url = outward, url

    async def head(self, origin: str) -> bytes | None:
        """The newest head of a log that it has cosigned; None where it has seen none. Raises
        PeerAway, PeerUnreachable, PeerRefused."""
        path = f"{sha256(origin.encode()).hexdigest()}/checkpoint"
        answer = await self._outward.witnessing(self._url, "GET", path)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise PeerAway(f"A witness answers {answer.status}.")
        return answer.body

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        """Its answer to a signed head. Raises PeerUnreachable, PeerRefused."""
        body = submission(old, proof, note)
        answer = await self._outward.witnessing(self._url, "POST", "add-checkpoint", body)
        return Answer(answer.status, answer.body)


class PeerWitness:
    """The witness of a cell that this one exchanges with."""

    def __init__(self, outward: Outward, peer: str) -> None:
        self._outward, self._peer = outward, peer

    async def head(self, origin: str) -> bytes | None:
        """As of an Outsider. Raises PeerUnreachable, PeerRefused."""
        path = f"witness/{sha256(origin.encode()).hexdigest()}/checkpoint"
        try:
            return await self._outward.get(self._peer, path, MAX_HEAD_BYTES)
        except PeerRefused as refused:
            if refused.said == "missing":
                return None
            raise

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        """As of an Outsider. Raises PeerUnreachable."""
        try:
            body = submission(old, proof, note)
            return Answer(200, await self._outward.ask(self._peer, "cosign", body))
        except PeerRefused as refused:
            return Answer(refused.status, refused.body)
