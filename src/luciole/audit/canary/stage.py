"""The canary persons and what they know of each other, over one running cell."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from luciole.audit.canary.browser import Book, Browser, Exchange, Stale

# ana: an open account with everything in it; ben: a private one; cleo: a friend of both; dan: a
# stranger to all; eve: gets everything wrong; flo: leaves; gil: nearly does; hal: is ana again,
# with what she took along; visitor: nobody.
PERSONS = ("ana", "ben", "cleo", "dan", "eve", "flo", "gil", "hal")
SAME_PERSON = {"hal": "ana"}
STAFF = ("dan", "gil")
VISITOR = "visitor"
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}
LIVE = "GET /api/live"


class Stage:
    """Browsers of all persons. `book` has the marks, `heard` every answer."""

    def __init__(self, http: httpx.AsyncClient, book: Book, folder: Path) -> None:
        self.http, self.book, self.folder = http, book, folder
        self.heard: list[Exchange] = []
        self.ids: dict[str, str] = {}
        self.gone: set[str] = set()
        self.codes: list[str] = []
        """What reached the sender of codes, the newest last."""
        self.browsers = {
            person: Browser(http, book, person, self.heard) for person in (*PERSONS, VISITOR)
        }

    def __getitem__(self, person: str) -> Browser:
        return self.browsers[person]

    @property
    def origin(self) -> str:
        return str(self.http.base_url).rstrip("/")

    def handle(self, person: str) -> str:
        return self.book.plant(person, "person.handle")

    def meet(self, person: str, body: dict[str, Any], answer: httpx.Response) -> None:
        """Signs a browser in with what a sign-up or sign-in answered, and learns its secrets."""
        token = str(body["token"])
        self[person].token = token
        self.book.learn(person, "session.token", token)
        self.ids[person] = str(body["me"]["id"])
        for name, value in answer.headers.multi_items():
            if name.lower() == "set-cookie" and value.startswith("luciole_device="):
                mark = value.partition("=")[2].partition(";")[0]
                self.book.learn(person, "session.device", mark)

    async def until(self, says: str, ask: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Waits until `ask` says yes. Raises Stale when it does not."""
        end = time.monotonic() + seconds
        while not await ask():
            if time.monotonic() > end:
                raise Stale(f"not within {seconds:.0f} s: {says}")
            await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def listening(self, *persons: str) -> AsyncIterator[None]:
        """Open pages of these persons, whose live events are heard as one answer each."""
        tasks = [asyncio.create_task(self._listen(self[person])) for person in persons]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, browser: Browser) -> None:
        path = LIVE.partition(" ")[2]
        async with self.http.stream("GET", path, headers=browser.sent_along()) as answer:
            headers = [(name.lower(), value) for name, value in answer.headers.multi_items()]
            told = Exchange(LIVE, browser.person, answer.status_code, headers, b"")
            self.heard.append(told)
            async for part in answer.aiter_bytes():
                told.body += part

    async def upload(self, person: str, film: bytes, *, in_pieces: int = 1) -> str:
        """Sends a film; gives the upload's id."""
        browser = self[person]
        name = self.book.plant(person, "film.file name", "{}.mp4")
        begin = {
            **TUS,
            "upload-length": str(len(film)),
            "upload-metadata": f"filename {base64.b64encode(name.encode()).decode()}",
        }
        answer = await browser.ask("POST /api/uploads", headers=begin)
        upload_id = answer.headers["location"].partition("?")[0].rsplit("/", 1)[1]
        size = -(-len(film) // in_pieces)
        for start in range(0, len(film), size):
            await browser.ask(
                "PATCH /api/uploads/{upload_id}",
                upload_id=upload_id,
                headers={**PIECE, "upload-offset": str(start)},
                content=film[start : start + size],
            )
        return upload_id

    async def clip(self, person: str, film: bytes, **fields: Any) -> str:
        """Publishes a clip; gives its id once it plays everywhere, or is refused."""
        upload_id = await self.upload(person, film)
        made = await self[person].ask("POST /api/clips", json={"upload_id": upload_id, **fields})
        clip_id = str(made.json()["id"])

        async def is_ready() -> bool:
            answer = await self[person].ask("GET /api/clips/{clip_id}", clip_id=clip_id)
            return answer.json()["state"] in ("published", "refused")

        await self.until(f"a clip of {person} is published", is_ready, 90)
        return clip_id
