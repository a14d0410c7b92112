"""The inward door: HTTP for other cells, and for whoever reads what is public.

It hands requests on to those who answer them, one route each, and keeps the limits: of length, of
how often, of what is read at all. An ASGI application, without a framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from luciole.border import asked, passport
from luciole.border.asked import Request, Response, Route, refused
from luciole.border.cells import Us
from luciole.border.peers import Peer, PeerAway
from luciole.kit.logs import log
from luciole.kit.rates import Buckets, Rate, network

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_PATH_CHARS = 2048
# Public files, by network: a witness that begins with a long log asks for many tiles.
READS = Rate("reads", 3000, 10.0)
OPEN = {"access-control-allow-origin": "*", "x-content-type-options": "nosniff"}


class Inward:
    """Answers requests by the first route that fits."""

    def __init__(self, us: Us, routes: Sequence[Route]) -> None:
        self._us, self._routes = us, routes
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, raw = scope["method"], bytes(scope.get("raw_path") or b"")
        path, query = raw.partition(b"?")[0].decode("latin-1"), scope["query_string"].decode()
        route = self._route(method, path)
        if route is None:
            await _answer(send, refused(404, "not-found"), method)
            return
        whose = network((scope.get("client") or ("", 0))[0])
        if route.method == "GET" and (wait_s := self._buckets.wait_s(READS, whose)):
            await _answer(send, refused(429, "too-many", {"retry-after": str(wait_s)}), method)
            return
        body = await _body(receive, route.most)
        if body is None:
            await _answer(send, refused(413, "too-large"), method)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        url = f"{self._us.origin}{path}" + (f"?{query}" if query else "")
        request = Request(method, path, query, url, headers, body, whose)
        try:
            response = await route.handler(request)
        except Exception as error:
            log.error("a request of another cell failed", error=type(error).__name__, exc_info=True)
            response = refused(500, "internal")
        await _answer(send, response, method)

    def _route(self, method: str, path: str) -> Route | None:
        if len(path) > MAX_PATH_CHARS:
            return None
        wanted = "GET" if method == "HEAD" else method
        for route in self._routes:
            fits = path.startswith(route.path) if route.path.endswith("/") else path == route.path
            if fits and route.method == wanted:
                return route
        return None


def public(us_passport: Callable[[], Awaitable[str]], api: Peer, witness: Peer) -> list[Route]:
    """Routes of what anybody may read: the passport, the logs, what our witness holds of others."""

    async def own(_: Request) -> Response:
        return Response(200, (await us_passport()).encode(), asked.TEXT, OPEN)

    def through(peer: Peer, prefix: str) -> asked.Handler:
        async def handler(request: Request) -> Response:
            path = request.path.removeprefix(prefix)
            if ".." in path or "%" in path or request.query:
                return refused(404, "not-found")
            try:
                answer = await peer.ask("GET", path)
            except PeerAway:
                return refused(503, "unavailable")
            if answer.status != 200:
                return refused(404 if answer.status < 500 else 503, "not-found")
            return Response(200, answer.body, asked.BYTES, OPEN)

        return handler

    return [
        Route("GET", f"/{passport.PATH}", own),
        Route("GET", "/ledger/", through(api, "/")),
        Route("GET", "/witness/", through(witness, "/witness/")),
    ]


async def _body(receive: Receive, most: int) -> bytes | None:
    """The whole body; None where it is longer than that."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _answer(send: Send, response: Response, method: str) -> None:
    headers = [(b"content-type", response.kind.encode())]
    headers += [(name.encode(), value.encode()) for name, value in response.headers.items()]
    if response.stream is None:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.stream is not None and method != "HEAD":
        async for piece in response.stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    body = b"" if method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
