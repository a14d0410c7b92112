"""What the browser tests are played with: a running cell, people who live in it, and their
browsers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from luciole import effort

PASSWORD = "seven turquoise herons"
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36",
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
# Nothing here is timed: waits are long enough for a machine that does much else.
PATIENCE_MS = 45_000
COOKIE = "luciole_session"
# What the browser believes of a line over loopback depends on how busy the machine is, and films
# are made smaller for a slow one. A test that is about that says something else.
UNTOLD = """
Object.defineProperty(navigator, 'connection', { value: undefined, configurable: true })
"""
Value = TypeVar("Value")


@dataclass
class Member:
    """A person of the cell, signed in at its API."""

    cell: Cell
    handle: str
    name: str
    token: str
    recovery_codes: list[str]
    api: httpx.AsyncClient

    async def clip(self, film: bytes, **fields: Any) -> dict[str, Any]:
        """A clip of this person, published."""
        answer = await self.api.post(
            "/api/uploads", headers={**TUS, "upload-length": f"{len(film)}"}
        )
        assert answer.status_code == 201, answer.text
        place = answer.headers["location"]
        answer = await self.api.patch(place, content=film, headers={**PIECE, "upload-offset": "0"})
        assert answer.status_code == 204, answer.text
        body = {"upload_id": place.rsplit("/", 1)[1], "audience": "everyone", **fields}
        answer = await self.api.post("/api/clips", json=body)
        assert answer.status_code == 201, answer.text
        return await self.published(answer.json()["id"])

    async def published(self, clip_id: str) -> dict[str, Any]:
        """The clip once it has left `processing`; it must not have been refused."""

        async def look() -> dict[str, Any] | None:
            clip = (await self.api.get(f"/api/clips/{clip_id}")).json()
            return None if clip["state"] == "processing" else dict(clip)

        clip = await until(look)
        assert clip["state"] == "published", clip
        return clip

    async def follow(self, other: Member) -> str:
        answer = await self.api.put(f"/api/people/{other.handle}/follow")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["follows"])

    async def patch(self, **fields: Any) -> None:
        answer = await self.api.patch("/api/me", json=fields)
        assert answer.status_code == 200, answer.text


@dataclass
class Cell:
    """A cell in its own processes, reached as a browser reaches it."""

    origin: str
    data: Path = Path()
    """Everything that it keeps, on this machine's disk."""
    _clients: list[httpx.AsyncClient] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def handle(self, word: str) -> str:
        """A handle that nobody has: all tests of a process share one cell."""
        return f"{word}{next(self._numbers)}"

    async def member(self, word: str, **fields: Any) -> Member:
        """A new person, called after `word`, with PASSWORD."""
        handle, name = self.handle(word), word.title()
        client = httpx.AsyncClient(base_url=self.origin, timeout=PATIENCE_MS / 1000)
        self._clients.append(client)
        body = {
            "handle": handle,
            "display_name": name,
            "age_band": "18+",
            "locale": "en",
            "password": PASSWORD,
            **fields,
        }
        work = (await client.post("/api/sign-up/work", json={})).json()
        body["work"] = effort.answered(work)
        answer = await client.post("/api/sign-up", json=body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {told['token']}"
        return Member(self, handle, name, told["token"], told["recovery_codes"], client)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@dataclass
class Stage:
    """Browser windows of one test. A script error or a blocked script in any of them fails it."""

    cell: Cell
    browser: Browser
    faults: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def phone(self, member: Member | None = None, path: str = "", **options: Any) -> Page:
        """A page on a phone, signed in as `member`, at `path` if one is given."""
        return await self._page(member, path, {**PHONE, **options})

    async def desktop(self, member: Member | None = None, path: str = "", **options: Any) -> Page:
        return await self._page(member, path, {**DESKTOP, **options})

    async def _page(self, member: Member | None, path: str, options: dict[str, Any]) -> Page:
        context = await self.browser.new_context(
            **{"base_url": self.cell.origin, "locale": "en-GB", **options}
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(UNTOLD)
        if member is not None:
            cookie = {"name": COOKIE, "value": member.token, "url": self.cell.origin}
            await context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])  # type: ignore[list-item]
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._heard)
        if path:
            await page.goto(path)
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        assert self.faults == [], self.faults


async def until(look: Callable[[], Awaitable[Value | None]]) -> Value:
    """What `look` gives once it gives something."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain for {look.__qualname__}"
        await asyncio.sleep(0.05)


async def true(page: Page | Locator, script: str) -> None:
    """Waits until the script gives something true. (The page's own rules forbid `eval`, which
    Playwright's own wait needs.)"""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not await page.evaluate(script):
        assert time.monotonic() < end, f"never true: {script}"
        await asyncio.sleep(0.05)


async def untouched(page: Page, script: str) -> None:
    """Like `true`, but not as if a person had touched the page, which would allow it sound."""
    line = await page.context.new_cdp_session(page)
    end = time.monotonic() + PATIENCE_MS / 1000
    while True:
        told = await line.send(
            "Runtime.evaluate", {"expression": f"Boolean({script})", "userGesture": False}
        )
        if told["result"].get("value"):
            break
        assert time.monotonic() < end, f"never true: {script}"
        await asyncio.sleep(0.05)
    await line.detach()


def current(page: Page) -> Locator:
    """The slide on screen."""
    return page.locator('[data-testid="slide"][data-current="true"]')


async def plays(page: Page, clip_id: str | None = None) -> None:
    """Waits until the slide on screen (of this clip) plays and two more frames were painted."""
    slide = current(page)
    if clip_id is not None:
        await expect(slide).to_have_attribute("data-clip", clip_id, timeout=PATIENCE_MS)
    box = slide.get_by_test_id("stage-box")
    await expect(box).to_have_attribute("data-playing", "true", timeout=PATIENCE_MS)
    await slide.locator("video").evaluate(
        """async (video) => {
            for (let frames = 0; frames < 2; frames += 1)
                await new Promise((painted) => video.requestVideoFrameCallback(painted))
        }"""
    )
    await expect(box).to_have_attribute("data-painted", "true", timeout=PATIENCE_MS)


async def swipe(page: Page, up: bool = True) -> None:
    """A finger that moves up, which brings the next clip, or down."""
    size = page.viewport_size
    assert size is not None
    # Over more than half of the screen: less is a swipe only if it is fast, which a busy machine's
    # is not.
    x, way = size["width"] / 2, size["height"] * 0.66 * (-1 if up else 1)
    y = size["height"] / 2 - way / 2
    line = await page.context.new_cdp_session(page)

    async def touch(kind: str, *points: dict[str, float]) -> None:
        await line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    await touch("touchStart", {"x": x, "y": y})
    for step in range(1, 13):
        await touch("touchMove", {"x": x, "y": y + way * step / 12})
    await touch("touchEnd")
    await line.detach()
    await settled(page)


async def settled(page: Page) -> None:
    """Waits until the reel has come to rest on a slide."""
    await page.get_by_test_id("feed").evaluate(
        """async (reel) => {
            for (let still = 0, last = NaN; still < 5; last = reel.scrollTop) {
                await new Promise(requestAnimationFrame)
                const rests = reel.scrollTop === last && reel.scrollTop % reel.clientHeight < 1
                still = rests ? still + 1 : 0
            }
        }"""
    )


async def double_tap(page: Page) -> None:
    size = page.viewport_size
    assert size is not None
    for _ in range(2):
        await page.touchscreen.tap(size["width"] / 2, size["height"] / 2)


@contextlib.asynccontextmanager
async def offline(page: Page) -> AsyncIterator[None]:
    """The browser's connection is gone meanwhile."""
    await page.context.set_offline(True)
    try:
        yield
    finally:
        await page.context.set_offline(False)


def free_port() -> int:
    """A free port below those that the system hands out, where a neighbour's client cannot sit."""
    for port in random.sample(range(20_000, 32_000), 200):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def corpus(*names: str) -> Path | None:
    """A file of the corpus of real videos, where this machine has it."""
    folder = os.environ.get("LUCIOLE_CORPUS")
    path = Path(folder, "videos", *names) if folder else None
    return path if path is not None and path.exists() else None
