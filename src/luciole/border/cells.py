"""Our cell and its peers as the gateway speaks with them: who is who, signed requests, back-off."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from luciole.border import signatures, speech
from luciole.border.passport import Sign, SignAll
from luciole.border.peers import MAX_ANSWER_BYTES, Answer, Peer, PeerAway
from luciole.border.store.peers import Known
from luciole.kit.clock import Clock
from luciole.ledger.note import VerifierKey

# Requests to one peer at the same time.
AT_ONCE = 8
FIRST_PAUSE_S = 1.0
# What a cell answers that does not know us, or not by this key.
UNKNOWN = (401, 403)
MAX_PAUSE_S = 300.0


class Us(NamedTuple):
    """Our own cell: `sign` and `sign_all` ask the key broker, `witness` is the Ed25519 key of our
    witness."""

    name: str
    origin: str
    key: VerifierKey
    log: VerifierKey
    witness: VerifierKey
    sign: Sign
    sign_all: SignAll


class Cell:
    """A peer that can be asked. Whoever does not answer is left alone, longer each time."""

    def __init__(self, us: Us, known: Known, clock: Clock) -> None:
        self.known, self._us, self._clock = known, us, clock
        self._threads = ThreadPoolExecutor(AT_ONCE, f"peer-{known.name}")
        self._peer = Peer(known.info.origin, threads=self._threads)
        self._pause_s, self.away_until = 0.0, 0.0
        # One of us does not take the other's signatures: its passport is read again.
        self.is_doubted = False

    @property
    def name(self) -> str:
        return self.known.name

    async def post(
        self,
        path: str,
        body: bytes,
        kind: str,
        headers: Mapping[str, str] | None = None,
        *,
        most: int = MAX_ANSWER_BYTES,
        timeout_s: float | None = None,
    ) -> Answer:
        """The answer to a signed request; `kind` is the media type of the body. Raises PeerAway."""
        url = f"{self.known.info.origin}/{path}"
        sent = await signed(
            self._us, "POST", url, {**(headers or {}), "content-type": kind}, body, self._clock
        )
        return await self._heard("POST", path, body, sent, most, timeout_s)

    async def get(self, path: str, *, most: int, timeout_s: float | None = None) -> Answer:
        """What anybody may have of a peer. Raises PeerAway."""
        return await self._heard("GET", path, None, {}, most, timeout_s)

    async def download(self, path: str, body: bytes, kind: str, file: Path, most: int) -> Answer:
        """The same, with the answer in a file. Raises PeerAway."""
        url = f"{self.known.info.origin}/{path}"
        sent = await signed(self._us, "POST", url, {"content-type": kind}, body, self._clock)
        return await self._peer.download("POST", path, body, sent, file, most)

    async def _heard(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        most: int,
        timeout_s: float | None,
    ) -> Answer:
        try:
            answer = await self._peer.ask(
                method, path, body, headers, most=most, timeout_s=timeout_s
            )
        except PeerAway:
            self.leave_alone()
            raise
        if answer.status in UNKNOWN:
            self.is_doubted = True
        if answer.status < 500:
            self._pause_s = self.away_until = 0.0
        return answer

    def leave_alone(self) -> None:
        """It cannot do what we ask just now: it is left alone for a while, longer each time."""
        self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), MAX_PAUSE_S)
        self.away_until = self._clock.now().timestamp() + self._pause_s

    @property
    def is_away(self) -> bool:
        """Whether it is left alone just now."""
        return self._clock.now().timestamp() < self.away_until

    def close(self) -> None:
        self._peer.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


async def signed(
    us: Us,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    clock: Clock,
) -> dict[str, str]:
    """Headers with a signature of our cell (RFC 9421), which its key broker makes."""
    created, nonce = int(clock.now().timestamp()), secrets.token_urlsafe(12)
    return await speech.by(
        us.sign,
        lambda sign: signatures.signed(
            method, url, headers, body, us.key.name, sign, created, nonce=nonce
        ),
    )


def is_fit(origin: str) -> bool:
    """Whether a cell may be spoken with at an origin: with TLS, or on a private network."""
    parts = urlsplit(origin)
    if parts.scheme == "https":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "http" and ipaddress.ip_address(host).is_private
    except ValueError:
        return parts.scheme == "http" and host == "localhost"
