"""What a page asks for: less on lines that carry little, in words that say nothing of the person;
and the same films in a player that is not ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Request, Route
from tests.e2e.bright import SECONDS, Heard, loops, watcher
from tests.e2e.stage import Cell, Member, Stage, plays

# --- lines that carry little ----------------------------------------------------------------------


async def moved(stage: Stage, member: Member, clips: list[dict[str, Any]], told: str) -> list[int]:
    """The bytes asked for of each clip until the first one begins again."""
    page = await stage.phone(member)
    await page.add_init_script(
        f"Object.defineProperty(navigator, 'connection', {{ value: {told}, configurable: true }})"
    )
    heard = Heard(page)
    await page.goto("/following")
    await plays(page, clips[0]["id"])
    await loops(page, 1)
    await page.close()
    return [heard.bytes_of(clip) for clip in clips]


async def test_who_saves_data_is_sent_less(cell: Cell, stage: Stage, showing: Member) -> None:
    member, clips = await watcher(cell, showing)
    usual = await moved(stage, member, clips, "undefined")
    spared = await moved(stage, member, clips, "{ saveData: true }")
    size = clips[0]["renditions"][0]["segments"]["size_bytes"]
    # Both have watched the first one whole; one of them has nothing of the clip after the next.
    assert usual[0] >= size
    assert spared[0] <= usual[0]
    assert usual[2] > 0
    assert spared[1] > 0
    assert spared[2] == 0
    assert sum(spared) < sum(usual)


# --- what is told to whoever delivers -------------------------------------------------------------

# Of what CTA-5004 knows: the rate, how long, the kind; and whether it is waited for.
TOLD = {
    "cmcd-object": re.compile(r"br=\d+,d=\d+,ot=(av|v)"),
    "cmcd-session": re.compile(r"sf=o,st=v"),
    "cmcd-request": re.compile(r"su"),
}


def told_by(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.startswith("cmcd")}


async def test_own_delivery_is_told_what_a_request_is_for_and_nothing_of_the_person(
    cell: Cell, stage: Stage, showing: Member
) -> None:
    member, clips = await watcher(cell, showing)
    other, _ = await watcher(cell, showing)
    said = []
    for who in (member, member, other):
        page = await stage.phone(who)
        heard = Heard(page)
        await page.goto("/following")
        await plays(page, clips[0]["id"])
        await loops(page, 1)
        await page.close()
        assert heard.requests
        for request in heard.requests:
            told = told_by(request)
            assert {"cmcd-object", "cmcd-session"} <= set(told)
            for name, value in told.items():
                assert TOLD[name].fullmatch(value), (name, value)
            # No word of the standard in the address either.
            assert "CMCD" not in request.url
        url = clips[0]["renditions"][0]["segments"]["url"]
        of_first = [request for request in heard.requests if request.url.endswith(url)]
        said.append({told_by(request)["cmcd-object"] for request in of_first})
    # Two people, and one person twice, are told apart by nothing.
    assert said[0] == said[1] == said[2]


async def test_another_place_that_delivers_is_told_nothing(
    cell: Cell, stage: Stage, showing: Member
) -> None:
    member, clips = await watcher(cell, showing)
    # The page's own rules allow the place that an operator names; here none is named.
    page = await stage.phone(member, bypass_csp=True)
    elsewhere: list[Request] = []

    async def moved_away(route: Route) -> None:
        answer = await route.fetch()
        body = (await answer.text()).replace('"/media/p/', '"https://films.example/p/')
        await route.fulfill(response=answer, body=body)

    async def delivers(route: Route) -> None:
        elsewhere.append(route.request)
        path = route.request.url.removeprefix("https://films.example")
        asked = {name: value for name, value in route.request.headers.items() if name == "range"}
        answer = await member.api.get(f"/media{path}", headers=asked)
        await route.fulfill(
            status=answer.status_code,
            body=answer.content,
            headers={
                "access-control-allow-origin": "*",
                "content-type": answer.headers["content-type"],
            },
        )

    await page.route("**/api/feeds/**", moved_away)
    await page.route("https://films.example/**", delivers)
    await page.goto("/following")
    await plays(page, clips[0]["id"])
    films_of = [one for one in elsewhere if ".mp4" in one.url]
    assert films_of
    for request in films_of:
        assert request.method == "GET"
        headers = await request.all_headers()
        assert not [name for name in headers if name.startswith("cmcd")]
        assert "cookie" not in headers
        assert "CMCD" not in request.url


# --- the playlist, in a player that is not ours ---------------------------------------------------

HLS = Path(__file__).parents[2] / "web" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js"


async def test_another_player_plays_the_playlist_to_its_end(
    cell: Cell, stage: Stage, showing: Member
) -> None:
    assert HLS.exists(), "Install the web client's development packages: npm ci in web/"
    member, clips = await watcher(cell, showing)
    page = await stage.phone(member, "/terms", bypass_csp=True)
    await page.add_script_tag(path=HLS)
    found = await page.evaluate(
        """(url) => new Promise((done) => {
            const video = document.createElement('video')
            video.muted = true
            document.body.append(video)
            const hls = new Hls()
            hls.on(Hls.Events.ERROR, (_, told) => told.fatal && done({ wrong: told.details }))
            hls.on(Hls.Events.MANIFEST_PARSED, () => void video.play())
            video.addEventListener('ended', () => done({
                endS: video.currentTime, wide: video.videoWidth,
                frames: video.getVideoPlaybackQuality().totalVideoFrames,
            }))
            hls.loadSource(url)
            hls.attachMedia(video)
        })""",
        clips[0]["playlist_url"],
    )
    assert "wrong" not in found, found
    assert abs(found["endS"] - SECONDS) < 0.3
    assert found["wide"] == clips[0]["renditions"][0]["width"]
    assert found["frames"] > SECONDS * 5
