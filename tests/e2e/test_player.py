"""The player where it is hard: swipes faster than films come, memory that a browser takes back."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.async_api import Error, Route, expect
from tests.e2e.bright import CLIPS, SECONDS, VIDEO, Heard, loops, watcher
from tests.e2e.stage import Cell, Member, Stage, current, plays, settled, swipe, true

# All source buffers of the page, by the video that they feed.
BUFFERS = """
window.sources = new Map()
const url = URL.createObjectURL.bind(URL)
URL.createObjectURL = (what) => {
    const made = url(what)
    if (what instanceof MediaSource) sources.set(made, what)
    return made
}
window.buffer = (video) => sources.get(video.src).sourceBuffers[0]
window.covers = (video, from, till) => {
    const { buffered } = video
    for (let at = 0; at < buffered.length; at += 1)
        if (buffered.start(at) <= from && buffered.end(at) >= till) return true
    return false
}
"""
# A managed source over the plain one that this browser has: it says when it wants bytes, and that
# it let go of some.
MANAGED = """
window.managed = new Set()
window.wanted = true
class ManagedMediaSource extends MediaSource {
    streaming = false
    constructor() {
        super()
        managed.add(this)
        this.addEventListener('sourceopen', () => window.wanted && this.wants(true))
    }
    wants(is) {
        if (this.streaming === is) return
        this.streaming = is
        this.dispatchEvent(new Event(is ? 'startstreaming' : 'endstreaming'))
    }
    addSourceBuffer(type) {
        const made = super.addSourceBuffer(type)
        // The browser's own removing is quiet: no `updateend`, only `bufferedchange`.
        made.addEventListener('updateend', (event) => {
            if (!made.evicting) return
            made.evicting = false
            event.stopImmediatePropagation()
            made.dispatchEvent(new Event('bufferedchange'))
        })
        return made
    }
}
window.ManagedMediaSource = ManagedMediaSource
"""


# --- memory that is taken back --------------------------------------------------------------------


@pytest.mark.parametrize("is_managed", [False, True])
async def test_clip_whose_seconds_were_evicted_goes_on_looping(
    cell: Cell, stage: Stage, showing: Member, is_managed: bool
) -> None:
    member, clips = await watcher(cell, showing)
    page = await stage.phone(member)
    await page.add_init_script(BUFFERS + (MANAGED if is_managed else ""))
    heard = Heard(page)
    await page.goto("/following")
    await plays(page, clips[0]["id"])
    assert await page.evaluate("managed.size > 0") if is_managed else True
    await true(page, f"covers({VIDEO}, 0.1, {SECONDS - 0.2})")
    before = len(heard.starts_of(clips[0]))
    await page.evaluate(f"""() => {{
        const made = buffer({VIDEO})
        made.evicting = true
        made.remove(0, {SECONDS - 2})
    }}""")
    await true(page, f"!covers({VIDEO}, 0.1, 1)")
    await loops(page, 2)
    await plays(page, clips[0]["id"])
    again = heard.starts_of(clips[0])[before:]
    sizes = clips[0]["renditions"][0]["segments"]
    # Its first second came again, by its own range, and not all of it did.
    assert sizes["init_bytes"] in again
    assert len(again) < SECONDS


async def test_where_a_managed_source_wants_nothing_only_the_clip_on_screen_is_fetched(
    cell: Cell, stage: Stage, showing: Member
) -> None:
    member, clips = await watcher(cell, showing)
    page = await stage.phone(member)
    await page.add_init_script(BUFFERS + MANAGED + "window.wanted = false")
    heard = Heard(page)
    await page.goto("/following")
    await plays(page, clips[0]["id"])
    await loops(page, 1)
    assert heard.bytes_of(clips[0]) > 0
    assert [heard.bytes_of(clip) for clip in clips[1:]] == [0] * (CLIPS - 1)
    await page.evaluate("for (const one of managed) one.wants(true)")
    await true(page, "covers(document.querySelectorAll('[data-testid=slide]')[1]"
                     ".querySelector('video'), 0.1, 0.8)")  # fmt: skip
    await swipe(page)
    await plays(page, clips[1]["id"])


# --- swipes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["touch", "keys"])
async def test_swipes_faster_than_films_come_are_all_followed(
    cell: Cell, stage: Stage, showing: Member, how: str
) -> None:
    member, clips = await watcher(cell, showing)
    page = await (stage.phone(member) if how == "touch" else stage.desktop(member))
    held: list[Route] = []
    holds = True

    async def hold(route: Route) -> None:
        if holds:
            held.append(route)
        else:
            await route.continue_()

    await page.route(re.compile(r"\.mp4"), hold)
    await page.goto("/following")
    await expect(current(page)).to_have_attribute("data-clip", clips[0]["id"])
    goal = CLIPS - 2
    if how == "touch":
        for at in range(1, goal + 1):
            await swipe(page)
            await expect(current(page)).to_have_attribute("data-clip", clips[at]["id"])
    else:
        for _ in range(goal):
            await page.keyboard.press("ArrowDown")
        await settled(page)
    await expect(current(page)).to_have_attribute("data-clip", clips[goal]["id"])
    # All that while no film had come.
    assert await page.locator("[data-painted=true]").count() == 0
    holds = False
    for route in held:
        # What was displaced is not asked for any more.
        with contextlib.suppress(Error):
            await route.continue_()
    await plays(page, clips[goal]["id"])
    playing = await page.locator("video").evaluate_all("all => all.filter((v) => !v.paused).length")
    assert playing == 1


# What each of the frames shows of each slide that is in sight: its poster, or a picture of its film
# that is not black.
WATCH = """
window.frames_seen = 0
window.black = []
window.films_seen = new Set()
const canvas = new OffscreenCanvas(8, 8)
const pencil = canvas.getContext('2d', { willReadFrequently: true })
function bright(video) {
    pencil.clearRect(0, 0, 8, 8)
    pencil.drawImage(video, 0, 0, 8, 8)
    const { data } = pencil.getImageData(0, 0, 8, 8)
    return data.reduce((sum, one, at) => sum + (at % 4 < 3 ? one : 0), 0) / (64 * 3)
}
function look() {
    frames_seen += 1
    for (const slide of document.querySelectorAll('[data-testid=slide]')) {
        const { top, bottom } = slide.getBoundingClientRect()
        if (Math.min(bottom, innerHeight) - Math.max(top, 0) < innerHeight / 10) continue
        const poster = slide.querySelector('img.poster')
        const has = poster?.complete && poster.naturalWidth > 0
        if (has && getComputedStyle(poster).visibility === 'visible') continue
        const video = slide.querySelector('video')
        const light = video ? bright(video) : 0
        if (light > 60) films_seen.add(slide.dataset.clip)
        else black.push([slide.dataset.clip, Math.round(light), frames_seen])
    }
    requestAnimationFrame(look)
}
look()
"""


async def test_no_picture_of_a_swipe_is_black(cell: Cell, stage: Stage, showing: Member) -> None:
    member, clips = await watcher(cell, showing)
    page = await stage.phone(member, "/following")
    await plays(page, clips[0]["id"])
    await page.evaluate(WATCH)
    for at in (1, 2, 3):
        await swipe(page)
        await plays(page, clips[at]["id"])
    assert await page.evaluate("black") == []
    assert await page.evaluate("films_seen.size") == 4
    assert await page.evaluate("frames_seen") > 20
