"""Every shape that may cross the border of a cell, and nothing else.

A slice of the cell makes one of these, as bytes, and offers it through `border.put`; the gateway
reads what was offered. This module is the only one of the border that a slice may import.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

import msgspec

MAX_ENDPOINT_CHARS = 1024
MAX_TTL_S = 28 * 24 * 3600


class Push(msgspec.Struct, frozen=True, tag_field="kind", tag="push", forbid_unknown_fields=True):
    """A request that a push service wakes one device (RFC 8030). It has no body: nothing of what
    happened crosses, and every push of a cell looks like every other.

    `authorization` is the header by which the service knows the cell (VAPID, RFC 8292); `topic`
    makes a later push take the place of one that is not delivered yet.
    """

    endpoint: str
    authorization: str
    topic: str
    ttl_s: int


# All kinds; the gateway takes nothing else. Each is a row of docs/reference/border.md.
Crossing = Push
CROSSINGS: tuple[type[msgspec.Struct], ...] = (Push,)

_decoder = msgspec.json.Decoder(Crossing)


class BadCrossing(Exception):
    """Bytes that are none of the declared shapes."""


def encode(crossing: Crossing) -> bytes:
    return msgspec.json.encode(crossing)


def decode(body: bytes) -> Crossing:
    """Raises BadCrossing."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise BadCrossing from error


class Services:
    """The push services that a cell may speak to, by origin: `https://push.example`, or
    `https://*.push.example` for everything below."""

    def __init__(self, text: str) -> None:
        """From a list parted by blanks. Raises ValueError for what is no origin."""
        self._exact = set[str]()
        self._below = list[tuple[str, str]]()
        for word in text.split():
            parts = urlsplit(word)
            is_origin = word == f"{parts.scheme}://{parts.netloc}" and parts.hostname
            if parts.scheme not in ("https", "http") or not is_origin or "@" in word:
                raise ValueError(f"{word} is no origin such as https://push.example.")
            if parts.netloc.startswith("*."):
                self._below.append((parts.scheme, parts.netloc[1:]))
            else:
                self._exact.add(word)

    def of(self, endpoint: str) -> str | None:
        """The origin of a device's address, None where the cell may not speak to it."""
        parts = _parts(endpoint)
        if parts is None:
            return None
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self._exact:
            return origin
        for scheme, tail in self._below:
            if parts.scheme == scheme and parts.netloc.endswith(tail):
                return origin
        return None


def _parts(endpoint: str) -> SplitResult | None:
    """The parts of an address in one form only: visible ASCII, lower-case host, a path."""
    if len(endpoint) > MAX_ENDPOINT_CHARS or not endpoint.isascii():
        return None
    if any(not 0x21 <= ord(sign) <= 0x7E for sign in endpoint):
        return None
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    is_plain = host and parts.netloc == parts.netloc.lower() and "@" not in parts.netloc
    return parts if is_plain and parts.path.startswith("/") and not parts.fragment else None
