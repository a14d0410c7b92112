"""Where planted leaks get hold of what passes: every request of an API process, with its body, and
every answer. Nothing here is part of the cell."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Asked:
    """A request as it came. `data` is its JSON body, empty for others."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    address: str
    data: dict[str, Any]
    body: bytes


@dataclass
class Answered:
    """An answer before it goes out; a leak may change it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


OnAsked = Callable[[Asked], "Awaitable[None] | None"]
OnAnswered = Callable[[Asked, Answered], "Awaitable[None] | None"]


@dataclass
class Tap:
    """Hooks on requests and answers of a path's beginning."""

    asked: list[tuple[str, str, OnAsked]] = field(default_factory=list)
    answered: list[tuple[str, str, OnAnswered]] = field(default_factory=list)
    streamed: list[Callable[[bytes], bytes]] = field(default_factory=list)
    # What was seen of the first person with an address, for leaks that need another's.
    seen: dict[str, str] = field(default_factory=dict)

    def on(self, method: str, path: str, do: OnAsked) -> None:
        self.asked.append((method, path, do))

    def on_answer(self, method: str, path: str, do: OnAnswered) -> None:
        self.answered.append((method, path, do))

    def open(self) -> None:
        """Puts itself around all requests of this process."""
        if not (self.asked or self.answered or self.streamed):
            return
        from luciole.kit import web

        tap, inner = self, web.Border.__call__

        async def around(self: Any, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await inner(self, scope, receive, send)
                return
            asked, replay = await _read(scope, receive)
            await tap._tell_asked(asked)
            if scope["path"] == "/api/live":
                await inner(self, scope, replay, tap._streaming(send))
                return
            wanted = [
                do
                for method, path, do in tap.answered
                if method == asked.method and asked.path.startswith(path)
            ]
            if wanted:
                await inner(self, scope, replay, _Holding(asked, wanted, send))
            else:
                await inner(self, scope, replay, send)

        web.Border.__call__ = around  # type: ignore[method-assign]

    async def _tell_asked(self, asked: Asked) -> None:
        value = str(asked.data.get("value", "")) if asked.path.startswith("/api/me/con") else ""
        if value:
            self.seen.setdefault("phone" if value.startswith("+") else "email", value)
        for method, path, do in self.asked:
            if method in (asked.method, "*") and asked.path.startswith(path):
                await _try(do, asked)

    def _streaming(self, send: Any) -> Any:
        async def changed(message: Any) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                for change in self.streamed:
                    message["body"] = change(message["body"])
            await send(message)

        return changed


async def _read(scope: Any, receive: Any) -> tuple[Asked, Any]:
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    body, messages = b"", []
    if "json" in headers.get("content-type", ""):
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
    try:
        data = json.loads(body) if body else {}
    except ValueError:
        data = {}
    asked = Asked(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        headers,
        scope["client"][0] if scope.get("client") else "",
        data if isinstance(data, dict) else {},
        body,
    )

    async def replay() -> Any:
        return messages.pop(0) if messages else await receive()

    return asked, replay


async def _try(do: Any, *words: Any) -> None:
    """A leak that cannot leak this time changes nothing else."""
    try:
        done = do(*words)
        if done is not None:
            await done
    except Exception as error:
        say(f"leak failed: {type(error).__name__}")


class _Holding:
    """Holds an answer back until it is whole, then lets leaks change it."""

    def __init__(self, asked: Asked, wanted: list[OnAnswered], send: Any) -> None:
        self._asked, self._wanted, self._send = asked, wanted, send
        self._start: Any = None
        self._body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        answered = Answered(self._start["status"], list(self._start["headers"]), self._body)
        for do in self._wanted:
            await _try(do, self._asked, answered)
        length = (b"content-length", str(len(answered.body)).encode())
        headers = [pair for pair in answered.headers if pair[0] != b"content-length"]
        await self._send({**self._start, "headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": answered.body})


def say(text: str) -> None:
    """A line in the process's log, as a careless `print` leaves it."""
    print(text, file=sys.stderr, flush=True)


async def sql(statement: str, *values: Any) -> None:
    """A statement with the rights of the API."""
    import asyncpg

    connection = await asyncpg.connect(os.environ["LUCIOLE_DATABASE_API_URL"])
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


def on_film(_tap: Tap, do: Callable[[Path], None]) -> None:
    """Calls `do` with each film that the worker is about to look at, as the phone made it."""
    from luciole.cell.media.workshop import Workshop

    film = Workshop._film

    async def told(self: Any, asset: Any, folder: Path) -> Any:
        found = await film(self, asset, folder)
        do(found[0])
        return found

    Workshop._film = told  # type: ignore[method-assign]


def title_in(film: bytes) -> bytes:
    """The title that a phone wrote into a film, with what stands beside it."""
    at = film.find(b"At home")
    return film[at : at + 40] if at >= 0 else b""
