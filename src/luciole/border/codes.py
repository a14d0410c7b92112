"""Sends codes to the one service that the operator has set up for that (docs/howto/send-codes.md).

A POST of JSON, signed: `Luciole-Signature: v1=` HMAC-SHA-256, in hex, under the shared secret over
the timestamp, a dot and the body. `id` is another for each code and the same at each try, so that
the service can see a request that comes twice.

Mail can go to the operator's own mail server instead (`border.mail`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import socket
import ssl
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from luciole.border.mail import Login, MailSender
from luciole.border.pushes import MAX_ANSWER_BYTES, Sent, ServiceAway
from luciole.border.tries import DEADLINE_S, PAUSE_S, TRIES
from luciole.border.wire import Code
from luciole.config.sections import BorderSettings
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical

MIN_SECRET_BYTES = 16
# Answers of a service that is away for a moment.
AGAIN = (429, 502, 503, 504)


class BadSecret(Exception):
    """The file of the shared secret cannot be used. The text is a sentence."""


class Sender(Protocol):
    """Whoever takes codes of some kinds from the gateway."""

    service: str
    """Its address, without a login, as the log of crossings names it."""

    async def send(self, code: Code) -> Sent:
        """Raises ServiceAway."""

    def look(self) -> None:
        """Finds out whether it is there, and sends nothing. Raises ServiceAway, mail.Refused."""


def senders(border: BorderSettings, now: Callable[[], datetime]) -> dict[str, Sender]:
    """By the kind of address; none of a kind to which nothing can be sent. Raises BadSecret,
    mail.BadLogin, mail.BadAuthority."""
    found: dict[str, Sender] = {}
    made = CodeSender.of(border.codes_url, border.codes_secret_file, now)
    if made is not None:
        found |= dict.fromkeys(border.codes_kinds.split(), made)
    if border.mail_url:
        found["email"] = MailSender(
            border.mail_url,
            border.mail_from,
            Login.of(border.mail_login_file),
            now,
            authority=border.mail_authority_file,
        )
    return found


class CodeSender:
    """The operator's program that sends text messages, or mail, or both."""

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
        until = time.monotonic() + DEADLINE_S
        for number in range(1, TRIES + 1):
            left_s = until - time.monotonic()
            try:
                sent = await asyncio.to_thread(self._send, body, self._headers(body), left_s)
            except ServiceAway:
                if number == TRIES or until - time.monotonic() <= PAUSE_S * number:
                    raise
            else:
                if sent.status not in AGAIN or number == TRIES:
                    return sent
            await asyncio.sleep(PAUSE_S * number)
        raise AssertionError

    def look(self) -> None:
        """Connects, and says nothing. Raises ServiceAway."""
        host, is_tls = self._url.hostname or "", self._url.scheme == "https"
        try:
            place = host, self._url.port or (443 if is_tls else 80)
            with socket.create_connection(place, DEADLINE_S) as plain:
                if is_tls:
                    context = ssl.create_default_context()
                    context.wrap_socket(plain, server_hostname=host).close()
        except (OSError, ValueError) as error:
            raise ServiceAway(type(error).__name__) from error

    def _headers(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._now().timestamp()))
        signature = hmac.digest(self._secret, f"{stamp}.".encode() + body, hashlib.sha256).hex()
        return {
            "Content-Type": "application/json",
            "Luciole-Timestamp": stamp,
            "Luciole-Signature": f"v1={signature}",
        }

    def _send(self, body: bytes, headers: dict[str, str], timeout_s: float) -> Sent:
        host, port = self._url.hostname, self._url.port
        assert host is not None
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            answer = connection.getresponse()
            answer.read(MAX_ANSWER_BYTES)
            return Sent(answer.status)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServiceAway(type(error).__name__) from error
        finally:
            connection.close()
