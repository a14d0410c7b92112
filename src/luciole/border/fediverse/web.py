"""HTTP to servers whose addresses strangers have named, without being led anywhere else.

A name is resolved first and the connection goes to the address that was looked at: nothing private,
nothing of this machine. No redirect is followed, no proxy asked, no more read than was agreed.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

TIMEOUT_S = 10.0
MAX_BYTES = 1024 * 1024
PIECE_BYTES = 64 * 1024
AT_ONCE = 16
# IPv6 addresses that stand for IPv4 ones: RFC 6052, RFC 3056.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_6TO4 = ipaddress.ip_network("2002::/16")

# `open`: also http, and addresses of this machine and of private networks; for trials.
Scope = Literal["public", "open"]


class Unreachable(Exception):
    """No usable answer came. `code` says why, in words for a log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes


class Web:
    """Requests to strangers' servers."""

    def __init__(self, scope: Scope = "public", timeout_s: float = TIMEOUT_S) -> None:
        self._scope, self._timeout_s = scope, timeout_s
        self._threads = ThreadPoolExecutor(AT_ONCE, "fediverse")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Raises Unreachable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, method, url, headers, body)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        until = time.monotonic() + self._timeout_s
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Unreachable("no-address") from None
        if parts.scheme != "https" and not (self._scope == "open" and parts.scheme == "http"):
            raise Unreachable("no-https")
        if not parts.hostname or "@" in parts.netloc:
            raise Unreachable("no-address")
        port = port or (443 if parts.scheme == "https" else 80)
        place = self._place(parts.hostname, port)
        connection = _Pinned(parts.hostname, port, place, parts.scheme == "https", self._timeout_s)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection.request(method, target, body or None, dict(headers))
            got = connection.getresponse()
            return Answer(got.status, _read(got, connection, until))
        except TimeoutError as error:
            raise Unreachable("too-slow") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(type(error).__name__) from error
        finally:
            connection.close()

    def _place(self, host: str, port: int) -> str:
        """An address of the host that may be spoken to. Raises Unreachable."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreachable("not-resolved") from None
        places = [str(one[4][0]) for one in found]
        # All of them: whoever names one private address among others means no good.
        if self._scope == "public" and not all(map(is_public, places)):
            raise Unreachable("private-address")
        return places[0]


def is_public(place: str) -> bool:
    """Whether an IP address is one of the open internet."""
    address = ipaddress.ip_address(place.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _6TO4 or address.teredo is not None:
            return False
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(address.packed[12:])
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved


def _read(got: http.client.HTTPResponse, connection: _Pinned, until: float) -> bytes:
    body = bytearray()
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise Unreachable("too-slow")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = got.read1(PIECE_BYTES)
        body += piece
        if len(body) > MAX_BYTES:
            raise Unreachable("too-large")
        if not piece:
            return bytes(body)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, in the name of a host."""

    def __init__(self, host: str, port: int, place: str, is_secure: bool, timeout_s: float) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._place, self._is_secure = place, is_secure
        # So that the Host header names no port that is the scheme's own.
        self.default_port = 443 if is_secure else 80

    def connect(self) -> None:
        self.sock = socket.create_connection((self._place, self.port), self.timeout)
        if self._is_secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
