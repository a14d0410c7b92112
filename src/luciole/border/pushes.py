"""Sends pushes to push services: an HTTP client that follows no redirect and asks no proxy."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from luciole.border.wire import Push

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 4096
MAX_RETRY_AFTER_S = 3600


class Sent(NamedTuple):
    """What a push service answered: its status, and for how long it wants to be left alone."""

    status: int
    retry_after_s: int | None = None


class ServiceAway(Exception):
    """A push service gave no usable answer."""


async def send(push: Push, timeout_s: float = TIMEOUT_S) -> Sent:
    """Sends a push. Raises ServiceAway."""
    return await asyncio.to_thread(_send, push, timeout_s)


def _send(push: Push, timeout_s: float) -> Sent:
    parts = urlsplit(push.endpoint)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {
        "Authorization": push.authorization,
        "TTL": str(push.ttl_s),
        "Topic": push.topic,
        "Urgency": "normal",
        "Content-Length": "0",
    }
    try:
        connection.request("POST", path, headers=headers)
        answer = connection.getresponse()
        answer.read(MAX_ANSWER_BYTES)
        return Sent(answer.status, _seconds(answer.getheader("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServiceAway(type(error).__name__) from error
    finally:
        connection.close()


def _seconds(said: str | None) -> int | None:
    """Of a Retry-After (RFC 9110, section 10.2.3), at most an hour."""
    if not said:
        return None
    seconds: float | None = None
    if said.isascii() and said.isdigit():
        seconds = int(said[:9])
    else:
        with contextlib.suppress(ValueError, TypeError):
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
    return None if seconds is None else int(min(max(seconds, 0), MAX_RETRY_AFTER_S))
