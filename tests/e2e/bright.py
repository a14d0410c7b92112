"""Somebody's bright clips of a few seconds, who watches them, and what is asked for meanwhile."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, Request
from tests.e2e.stage import Cell, Member, true

CLIPS = 6
SECONDS = 5
VIDEO = "document.querySelector('[data-current=true] video')"


async def watcher(cell: Cell, showing: Member) -> tuple[Member, list[dict[str, Any]]]:
    made = await cell.member("watcher")
    assert await made.follow(showing) == "yes"
    feed = (await made.api.get("/api/feeds/following?limit=50")).json()
    assert all(clip["renditions"][0]["segments"] for clip in feed["items"])
    return made, feed["items"]


class Heard:
    """Requests for films, with their headers."""

    def __init__(self, page: Page) -> None:
        self.requests: list[Request] = []
        page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        if re.search(r"\.mp4(\?|$)", request.url):
            self.requests.append(request)

    def bytes_of(self, clip: dict[str, Any]) -> int:
        urls = [one["segments"]["url"] for one in clip["renditions"]]
        ranges = [request.headers["range"] for request in self.requests
                  if any(request.url.endswith(url) for url in urls)]  # fmt: skip
        return sum(length(one) for one in ranges)

    def starts_of(self, clip: dict[str, Any]) -> list[int]:
        urls = [one["segments"]["url"] for one in clip["renditions"]]
        return [int(request.headers["range"].removeprefix("bytes=").split("-")[0])
                for request in self.requests
                if any(request.url.endswith(url) for url in urls)]  # fmt: skip


def length(asked: str) -> int:
    start, end = asked.removeprefix("bytes=").split("-")
    return int(end) + 1 - int(start)


async def loops(page: Page, times: int) -> None:
    """Waits until the clip on screen has begun again so often."""
    await page.evaluate(
        f"""() => {{
            window.begun = 0
            const video = {VIDEO}
            video.addEventListener('seeking', () => {{ begun += video.currentTime < 1 ? 1 : 0 }})
        }}"""
    )
    await true(page, f"begun >= {times}")
