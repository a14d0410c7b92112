"""The demo's own small client of the cell's public HTTP API."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from luciole.kit.errors import Unavailable

PATIENCE = 40
"""So often is one request tried again, when the cell asks to wait or cannot be reached."""
PIECE_BYTES = 4 * 1024 * 1024


class Refused(Exception):
    """The cell said no, and asking again would not help."""

    def __init__(self, act: str, status: int, code: str, sentence: str) -> None:
        super().__init__(f"{act}: {status} {code}: {sentence}")
        self.status, self.code = status, code


class Api:
    """Requests as one person, or as nobody."""

    def __init__(self, http: httpx.AsyncClient, token: str | None = None) -> None:
        self.http, self.token = http, token

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def put(self, path: str, body: object = None) -> Any:
        return await self.call("PUT", path, json=body)

    async def post(self, path: str, body: object) -> Any:
        return await self.call("POST", path, json=body)

    async def call(self, method: str, path: str, **how: Any) -> Any:
        """The decoded answer, None where there is none. Raises Refused."""
        answer = await self.send(method, path, **how)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(f"{method} {path}", answer)

    async def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        """The answer, after waiting as often as the cell asks for it (`Retry-After`)."""
        sent = dict(headers or {})
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if how.get("json", ...) is None:
            del how["json"]
        for attempt in range(PATIENCE):
            try:
                answer = await self.http.request(method, path, headers=sent, **how)
            except httpx.TransportError:
                await asyncio.sleep(min(2.0, 0.1 * 2**attempt))
                continue
            if answer.status_code not in (429, 503):
                return answer
            await asyncio.sleep(_wait_s(answer))
        raise Unavailable(
            f"The cell did not take `{method} {path}`, although it was asked {PATIENCE} times.",
            next_step="Run `./luciole doctor`, then start the demo again; it goes on from here.",
        )

    async def upload(self, data: bytes, mime: str) -> str:
        """Send a file with the tus protocol, in pieces, and return the upload's id."""
        tus = {"tus-resumable": "1.0.0"}
        begin = {"upload-length": str(len(data)), "upload-metadata": f"filetype {_base64(mime)}"}
        made = await self.send("POST", "/api/uploads", headers={**tus, **begin})
        if made.status_code != 201:
            raise _refusal("POST /api/uploads", made)
        place = urljoin("/api/uploads", made.headers["location"])
        offset = 0
        while offset < len(data):
            head = {"upload-offset": str(offset), "content-type": "application/offset+octet-stream"}
            piece = data[offset : offset + PIECE_BYTES]
            sent = await self.send("PATCH", place, headers={**tus, **head}, content=piece)
            if sent.status_code == 409:  # An answer was lost on the way: ask where we are.
                sent = await self.send("HEAD", place, headers=tus)
            if not sent.is_success:
                raise _refusal("PATCH /api/uploads", sent)
            offset = int(sent.headers["upload-offset"])
        return place.rstrip("/").rsplit("/", 1)[-1]


def _wait_s(answer: httpx.Response) -> float:
    try:
        return min(60.0, max(0.2, float(answer.headers.get("retry-after", "1"))))
    except ValueError:
        return 1.0


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _refusal(act: str, answer: httpx.Response) -> Refused:
    try:
        body = answer.json()
        return Refused(act, answer.status_code, str(body["code"]), str(body["sentence"]))
    except (ValueError, KeyError, TypeError):
        return Refused(act, answer.status_code, "unknown", answer.text[:200])
