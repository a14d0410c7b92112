"""Sends codes to the one service that the operator has set up for that (docs/howto/send-codes.md).

A POST of JSON, signed: `Luciole-Signature: v1=` HMAC-SHA-256, in hex, under the shared secret over
the timestamp, a dot and the body. `id` is another for each code, so that the service can see a
request that comes twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from luciole.border.pushes import MAX_ANSWER_BYTES, TIMEOUT_S, Sent, ServiceAway
from luciole.border.wire import Code
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical

MIN_SECRET_BYTES = 16


class BadSecret(Exception):
    """The file of the shared secret cannot be used. The text is a sentence."""


class CodeSender:
    """The operator's sender of mail and text messages."""

    def __init__(self, url: str, secret: bytes, now: Callable[[], datetime]) -> None:
        self._url, self._secret, self._now = urlsplit(url), secret, now
        self.service = f"{self._url.scheme}://{self._url.netloc}"

    @classmethod
    def of(cls, url: str, secret_file: str, now: Callable[[], datetime]) -> CodeSender | None:
        """None where there is no such service. Raises BadSecret."""
        if not url:
            return None
        try:
            secret = Path(secret_file).read_bytes().strip()
        except OSError as error:
            raise BadSecret(f"{secret_file} cannot be read ({type(error).__name__}).") from error
        if len(secret) < MIN_SECRET_BYTES:
            raise BadSecret(f"{secret_file} should hold {MIN_SECRET_BYTES} bytes or more.")
        return cls(url, secret, now)

    async def send(self, code: Code) -> Sent:
        """Raises ServiceAway."""
        body = canonical(
            {
                "v": 1,
                "id": str(new_id()),
                "channel": code.channel,
                "to": code.to,
                "code": code.code,
                "cell": code.cell,
                "locale": code.locale,
                "minutes": code.minutes,
            }
        )
        stamp = str(int(self._now().timestamp()))
        signature = hmac.digest(self._secret, f"{stamp}.".encode() + body, hashlib.sha256).hex()
        headers = {
            "Content-Type": "application/json",
            "Luciole-Timestamp": stamp,
            "Luciole-Signature": f"v1={signature}",
        }
        return await asyncio.to_thread(self._send, body, headers)

    def _send(self, body: bytes, headers: dict[str, str]) -> Sent:
        host, port = self._url.hostname, self._url.port
        assert host is not None
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            answer = connection.getresponse()
            answer.read(MAX_ANSWER_BYTES)
            return Sent(answer.status)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServiceAway(type(error).__name__) from error
        finally:
            connection.close()
