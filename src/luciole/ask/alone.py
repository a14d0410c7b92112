"""Asking a peer from a machine on which no cell runs: a restore has no gateway yet, and a cell that
is sold has none any more.

The question is signed by the border key of the cell, which the root gives back, as the gateway's
are. Who asks has to see to it that the log of crossings tells of it: `exchanged` are the digests.
"""

from __future__ import annotations

import asyncio
import secrets
from hashlib import sha256
from typing import NamedTuple

import msgspec

from luciole.ask.gateway import PeerRefused, PeerUnreachable
from luciole.border import passport, signatures
from luciole.border.cells import is_fit
from luciole.border.peers import Peer, PeerAway
from luciole.keys import CellSecret
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import Clock

TYPE = "application/octet-stream"
MOST_BYTES = 8 * 1024 * 1024
WITHIN_S = 60.0
TRIES = 5
PAUSE_S = 2.0
BUSY = 429


class Exchange(NamedTuple):
    """SHA-256 of what was asked, and of what was answered; of nothing where nobody did."""

    asked: bytes
    answered: bytes


class Alone:
    """Asks the cell at an origin, as the cell whose secret this is."""

    def __init__(
        self, origin: str, secret: CellSecret, clock: Clock, kind: str, *, tries: int = TRIES
    ) -> None:
        """`kind` is that of the wire. Raises ValueError where no cell may be asked there."""
        if not is_fit(origin):
            raise ValueError("cells speak with TLS, except on a private network")
        self._peer = Peer(origin.rstrip("/"), timeout_s=WITHIN_S)
        self._key = SigningKey(Algorithm.ED25519, secret.derived("sign/border"))
        self._name = passport.key_of(secret.cell_id, self._key.public).name
        self._path, self._clock, self._tries = f"border/ask/{kind}", clock, tries
        self.exchanged: list[Exchange] = []

    def close(self) -> None:
        self._peer.close()

    async def ask(self, body: bytes) -> bytes:
        """The answer. Raises PeerUnreachable, PeerRefused."""
        for number in range(self._tries):
            if number:
                await asyncio.sleep(PAUSE_S * number)
            headers = signatures.signed(
                "POST",
                f"{self._peer.url}/{self._path}",
                {"content-type": TYPE},
                body,
                self._name,
                self._key.sign,
                int(self._clock.now().timestamp()),
                nonce=secrets.token_urlsafe(12),
            )
            try:
                answer = await self._peer.ask("POST", self._path, body, headers, most=MOST_BYTES)
            except PeerAway:
                self._count(body, b"")
                continue
            self._count(body, answer.body)
            if answer.status == 200:
                return answer.body
            if answer.status < 500 and answer.status != BUSY:
                raise PeerRefused(_code(answer.body), answer.status)
        raise PeerUnreachable

    def _count(self, asked: bytes, answered: bytes) -> None:
        self.exchanged.append(Exchange(sha256(asked).digest(), sha256(answered).digest()))


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=dict[str, str]).get("code", "refused")
    except msgspec.MsgspecError:
        return "refused"
