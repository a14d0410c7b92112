"""Opens what a TLS 1.3 connection has carried, by the session keys that one of its ends has logged.

Written from the RFCs (8446, and the key log of RFC 9850), for drills that read a wire. It verifies
no certificate: that is for the ends to do. What no logged key opens is an error and never left out.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, TICKET, FINISHED, KEY_UPDATE = 1, 2, 4, 20, 24
HEADER_BYTES = 5
# Hash and key bytes of each cipher suite (RFC 8446, appendix B.4).
SUITES: Mapping[int, tuple[Any, int, Any]] = {
    0x1301: (sha256, 16, AESGCM),
    0x1302: (sha384, 32, AESGCM),
    0x1303: (sha256, 32, ChaCha20Poly1305),
}
# The random of a ServerHello that asks for another ClientHello (RFC 8446, section 4.1.3).
RETRY = sha256(b"HelloRetryRequest").digest()
Keys = Mapping[tuple[str, bytes], bytes]


class Sealed(Exception):
    """This is no TLS 1.3 that the keys open. The text says what it is instead."""


@dataclass(frozen=True)
class Opened:
    """What both ends have said to each other, what stood on the wire for everybody to read, and
    what was sealed of handshakes and alerts."""

    sent: bytes
    answered: bytes
    clear: bytes
    shaken: bytes


def keys_in(log: Path) -> dict[tuple[str, bytes], bytes]:
    """Secrets by their label and the random of the ClientHello."""
    lines = log.read_text().splitlines() if log.exists() else []
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return {(label, bytes.fromhex(random)): bytes.fromhex(key) for label, random, key in words}


def opened(sent: bytes, answered: bytes, keys: Keys) -> Opened:
    """Both directions of a connection, from its first byte on. Raises Sealed."""
    random = next((body[6:38] for body in _hellos(sent, CLIENT_HELLO)), None)
    suite = next((one for body in _hellos(answered, SERVER_HELLO) if (one := _suite(body))), None)
    if random is None or suite is None:
        raise Sealed("no handshake of TLS 1.3")
    found = []
    for stream, end in ((sent, "CLIENT"), (answered, "SERVER")):
        labels = (f"{end}_HANDSHAKE_TRAFFIC_SECRET", f"{end}_TRAFFIC_SECRET_0")
        secrets = [keys.get((label, random)) for label in labels]
        if None in secrets:
            raise Sealed("no key was logged for it")
        found.append(_Direction(suite, [one for one in secrets if one]).read(stream))
    clear = b"".join(part.clear for part in found)
    shaken = b"".join(part.shaken for part in found)
    return Opened(found[0].data, found[1].data, clear, shaken)


def _hellos(stream: bytes, kind: int) -> Iterator[bytes]:
    for content, _, body in _records(stream):
        if content == HANDSHAKE and body[:1] == bytes([kind]) and len(body) >= 4 + 34 + 1:
            yield body


def _suite(hello: bytes) -> int | None:
    """Of a ServerHello; None where that only asks for another ClientHello."""
    if hello[6:38] == RETRY:
        return None
    at = 39 + hello[38]
    suite = int.from_bytes(hello[at : at + 2])
    if suite not in SUITES:
        raise Sealed(f"cipher suite {suite:#06x}")
    return suite


def _records(stream: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Content type, header and body of each record; one that is cut off is left out."""
    at = 0
    while at + HEADER_BYTES <= len(stream):
        header = stream[at : at + HEADER_BYTES]
        if not CHANGE_CIPHER_SPEC <= header[0] <= DATA or header[1] != 3:
            raise Sealed("not TLS")
        end = at + HEADER_BYTES + int.from_bytes(header[3:])
        if end > len(stream):
            return
        yield header[0], header, stream[at + HEADER_BYTES : end]
        at = end


class _Direction:
    """One end's records, with the keys of the handshake first and of the application then."""

    def __init__(self, suite: int, secrets: list[bytes]) -> None:
        self._hash, self._key_bytes, self._aead = SUITES[suite]
        self._secrets = secrets
        self._take(secrets[0])
        self.data = self.clear = self.shaken = self._handshake = b""
        self._is_shaking = True

    def read(self, stream: bytes) -> _Direction:
        for content, header, body in _records(stream):
            if content != DATA:
                # Hellos and the change of cipher that middle boxes want; an alert may come so too.
                self.clear += header + body
                continue
            inner, kind = self._open(header, body)
            if kind == DATA and not self._is_shaking:
                self.data += inner
                continue
            self.shaken += inner
            if kind == HANDSHAKE:
                self._shake(inner)
            elif kind != ALERT:
                raise Sealed(f"a record of kind {kind}")
        return self

    def _open(self, header: bytes, body: bytes) -> tuple[bytes, int]:
        nonce = bytes(a ^ b for a, b in zip(self._iv, self._number.to_bytes(12), strict=True))
        self._number += 1
        try:
            padded: bytes = self._cipher.decrypt(nonce, body, header)
        except InvalidTag as error:
            raise Sealed("the logged key does not open it") from error
        inner = padded.rstrip(b"\0")
        if not inner:
            raise Sealed("a record of nothing")
        return inner[:-1], inner[-1]

    def _shake(self, inner: bytes) -> None:
        self._handshake += inner
        while len(self._handshake) >= 4:
            size = 4 + int.from_bytes(self._handshake[1:4])
            if len(self._handshake) < size:
                return
            kind, self._handshake = self._handshake[0], self._handshake[size:]
            if kind == FINISHED:
                self._is_shaking = False
                self._take(self._secrets[1])
            elif kind == KEY_UPDATE:
                self._take(self._expand(self._secret, "traffic upd", self._hash().digest_size))

    def _take(self, secret: bytes) -> None:
        self._secret, self._number = secret, 0
        self._cipher = self._aead(self._expand(secret, "key", self._key_bytes))
        self._iv = self._expand(secret, "iv", 12)

    def _expand(self, secret: bytes, label: str, size: int) -> bytes:
        """HKDF-Expand-Label with an empty context (RFC 8446, section 7.1); one block is enough."""
        name = b"tls13 " + label.encode()
        info = size.to_bytes(2) + bytes([len(name)]) + name + b"\0"
        return hmac.digest(secret, info + b"\1", self._hash)[:size]
