"""A request as the inward door hands it on, and an answer. No HTTP library is known here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

JSON = "application/json"
BYTES = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """What came in: `url` is the address as the sender has to have known it, `network` who shares
    its limits."""

    method: str
    path: str
    query: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    network: str


@dataclass(frozen=True)
class Response:
    """What goes out; `stream` in the place of `body` for what is large."""

    status: int
    body: bytes = b""
    kind: str = BYTES
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


Handler = Callable[[Request], Awaitable[Response]]


class Route(NamedTuple):
    """Who answers requests of a method at a path, or below one that ends in a slash, with bodies of
    at most so many bytes."""

    method: str
    path: str
    handler: Handler
    most: int = 0


def refused(status: int, code: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal by a stable code, in no words of anybody's."""
    return Response(status, msgspec.json.encode({"code": code}), JSON, headers or {})
