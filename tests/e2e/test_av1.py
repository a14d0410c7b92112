"""A clip that is there in AV1 too is played in it where the browser decodes that smoothly, and in
H.264 where it does not; and its label says who says that AI made it.

The cell's worker makes AV1 when it has time; here the file is made beforehand by the same code, and
the browser is told of it, so that no test waits for an idle hour.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, Route, expect
from tests.e2e.stage import Cell, Stage, current, plays
from tests.unit.media import c2pa, films, signed

from luciole.cell.media import av1, fence, packaging, probe
from luciole.cell.media.rungs import Cut

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
NOT_SMOOTH = """
navigator.mediaCapabilities.decodingInfo =
    async () => ({ supported: true, smooth: false, powerEfficient: false })
"""


@dataclass
class InAv1:
    """The AV1 file of a clip, for the browser of a test to fetch."""

    data: bytes
    index: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    async def offer(self, page: Page, clip_id: str) -> None:
        """Tells the page that the clip is there in AV1, and gives its bytes."""
        await page.route(f"**/api/clips/{clip_id}", self._told)
        await page.route("**/media/**", self._watched)
        await page.route("**/media/p/tried/540-av1-1.seg.mp4", self._given)

    async def _told(self, route: Route) -> None:
        answer = await route.fetch()
        clip = await answer.json()
        clip["renditions"][0]["av1"] = self.index
        await route.fulfill(response=answer, body=json.dumps(clip))

    async def _watched(self, route: Route) -> None:
        if re.search(r"\.mp4", route.request.url):
            self.asked.append("h264")
        await route.continue_()

    async def _given(self, route: Route) -> None:
        self.asked.append("av1")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", route.request.headers["range"])
        assert found
        start, end = int(found[1]), int(found[2]) + 1
        await route.fulfill(status=206, body=self.data[start:end], content_type="video/mp4")


async def made(source: Path, folder: Path) -> InAv1:
    """The film in AV1 as the worker would make it."""
    film = await probe.probe(source, folder)
    (rung,) = av1.rungs({"540", "720"})
    cut = Cut(0, film.duration_ms)
    (one,) = await packaging.pack(
        await av1.made(source, film, cut, [rung], 40, folder, None), folder
    )
    data = one.path.read_bytes()
    index = {
        "url": "/media/p/tried/540-av1-1.seg.mp4",
        "size_bytes": len(data),
        "bitrate_bps": 300_000,
        **msgspec.to_builtins(one.index),
    }
    return InAv1(data, index)


@pytest.mark.parametrize("is_smooth", [True, False])
async def test_clip_is_played_in_what_the_browser_decodes_smoothly(
    cell: Cell, stage: Stage, tmp_path: Path, is_smooth: bool
) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=2.5, rate=15, sound=False)
    member = await cell.member("watched")
    said = signed.camera().signs(source.read_bytes(), c2pa.GENERATED)
    clip = await member.clip(said, caption="Waves of colour")
    offered = await made(source, tmp_path)
    page = await stage.phone(member)
    if not is_smooth:
        await page.add_init_script(NOT_SMOOTH)
    await offered.offer(page, clip["id"])
    await page.goto(f"/c/{clip['id']}")
    await plays(page, clip["id"])
    assert set(offered.asked) == {"av1" if is_smooth else "h264"}
    size = await current(page).locator("video").evaluate("(v) => [v.videoWidth, v.videoHeight]")
    assert size == [540, 960]
    await expect(page.get_by_test_id("ai-label")).to_have_text("Made with AI, says its file")
    told = "Its file is signed by “Camera Works”. The name was not checked against a list."
    await expect(page.get_by_test_id("credentials")).to_have_text(told)
    if shots := os.environ.get("LUCIOLE_SHOTS"):
        await page.screenshot(path=Path(shots, f"av1-{is_smooth}.png"))


async def test_page_whose_browser_does_not_take_av1_after_all_plays_h264(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=1.2, rate=15, sound=False)
    member = await cell.member("refused")
    clip = await member.clip(source.read_bytes(), caption="")
    offered = await made(source, tmp_path)
    offered.data = offered.data[:8] + bytes(len(offered.data) - 8)
    page = await stage.phone(member)
    await offered.offer(page, clip["id"])
    await page.goto(f"/c/{clip['id']}")
    await plays(page, clip["id"])
    assert offered.asked[0] == "av1"
    assert "h264" in offered.asked
