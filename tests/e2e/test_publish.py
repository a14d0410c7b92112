"""Publishing under difficulties, and from the camera."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, offline, plays
from tests.unit.media import films


async def reached(event: asyncio.Event, page: Page) -> None:
    """Waits for what the network shows; where it does not come, says what the page does."""
    try:
        await asyncio.wait_for(event.wait(), PATIENCE_MS / 1000)
    except TimeoutError:
        raise AssertionError(await page.locator("body").inner_text()) from None


async def choose(page: Page, film: Path, caption: str) -> None:
    await page.get_by_test_id("publish-file").set_input_files(film)
    await page.get_by_test_id("publish-caption").fill(caption)


async def published(page: Page) -> str:
    """Waits until the cell says so; the clip's address."""
    state = page.get_by_test_id("clip-state")
    await expect(state).to_have_attribute("data-state", "published", timeout=PATIENCE_MS)
    return str(await page.get_by_test_id("publish-watch").get_attribute("href"))


async def publishing(stage: Stage, member: Member) -> Page:
    """The page for publishing, in a browser that sends films as they are, however large."""
    page = await stage.phone(member)
    await page.context.add_init_script("delete window.VideoEncoder")
    await page.goto("/publish")
    return page


@pytest.fixture(scope="session")
def big_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than two pieces of an upload (8 MiB each), quickly converted: the rest is padding."""
    path = tmp_path_factory.mktemp("films") / "big.mp4"
    films.make(path, size="90x160", seconds=1, rate=15)
    # A `free` box, which players skip.
    size = 18 * 1024 * 1024
    with path.open("ab") as file:
        file.write(size.to_bytes(4, "big") + b"free" + bytes(size - 8))
    return path


@pytest.mark.long
async def test_upload_goes_on_where_it_was_when_the_connection_comes_back(
    cell: Cell, stage: Stage, big_film: Path
) -> None:
    page = await publishing(stage, await cell.member("offline"))
    offsets: list[int] = []
    first_piece = asyncio.Event()

    async def watch(route: Route) -> None:
        offset = int(route.request.headers["upload-offset"])
        offsets.append(offset)
        if offset > 0 and not first_piece.is_set():
            # One piece has arrived; this one finds no line.
            first_piece.set()
            await route.abort("internetdisconnected")
        else:
            await route.continue_()

    await page.route(
        "**/api/uploads/*",
        lambda route: watch(route) if route.request.method == "PATCH" else route.continue_(),
    )
    await choose(page, big_film, "Through a tunnel")
    await page.get_by_test_id("publish-post").click()
    await reached(first_piece, page)
    async with offline(page):
        await expect(page.get_by_test_id("upload-waiting")).to_be_visible()
        await expect(page.get_by_test_id("offline")).to_be_visible()
        done = int(str(await page.get_by_test_id("upload-progress").get_attribute("value")))
        assert 30 <= done < 100
    address = await published(page)
    # Only the first piece began at the beginning: nothing was sent twice.
    assert offsets.count(0) == 1
    await page.goto(address)
    await plays(page)


@pytest.mark.long
async def test_upload_goes_on_after_the_page_was_closed(
    cell: Cell, stage: Stage, big_film: Path
) -> None:
    page = await publishing(stage, await cell.member("closed"))
    offsets: list[int] = []
    stuck = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            offset = int(route.request.headers["upload-offset"])
            offsets.append(offset)
            if offset > 0 and not stuck.is_set():
                stuck.set()
                await route.abort()
                return
        await route.continue_()

    await page.route("**/api/uploads/*", hold)
    await choose(page, big_film, "Twice opened")
    await page.get_by_test_id("publish-post").click()
    await reached(stuck, page)
    context = page.context
    await page.close(run_before_unload=False)
    again = await context.new_page()
    await again.route("**/api/uploads/*", hold)
    await again.goto("/publish")
    address = await published(again)
    assert offsets.count(0) == 1
    await again.goto(address)
    await expect(again.get_by_test_id("caption")).to_contain_text("Twice opened")


@pytest.mark.long
async def test_paused_upload_is_resumed_and_a_cancelled_one_keeps_the_draft(
    cell: Cell, stage: Stage, big_film: Path
) -> None:
    page = await publishing(stage, await cell.member("pause"))
    may_go = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0":
            await may_go.wait()
        await route.continue_()

    await page.route("**/api/uploads/*", hold)
    await choose(page, big_film, "Slowly")
    await page.get_by_test_id("publish-post").click()
    await page.get_by_test_id("upload-pause").click()
    await expect(page.get_by_test_id("upload-resume")).to_be_visible()
    may_go.set()
    await page.get_by_test_id("upload-cancel").click()
    await expect(page.get_by_test_id("publish-caption")).to_have_value("Slowly")
    await page.get_by_test_id("publish-post").click()
    await published(page)


async def test_recorded_clip_is_published_and_plays(cell: Cell, stage: Stage) -> None:
    page = await stage.phone(
        await cell.member("camera"), "/publish", permissions=["camera", "microphone"]
    )
    await page.get_by_test_id("publish-camera").tap()
    record = page.get_by_test_id("record")
    await expect(record).to_be_enabled()
    await record.tap()
    await expect(record).to_have_attribute("aria-label", "Stop filming", timeout=PATIENCE_MS)
    await expect(page.get_by_role("timer")).to_contain_text("0:01")
    await record.tap()
    await page.get_by_test_id("camera-done").tap()
    await expect(page.get_by_test_id("editor")).to_be_visible()
    await page.get_by_test_id("publish-caption").fill("From the camera")
    await page.get_by_test_id("publish-post").tap()
    await page.goto(await published(page))
    await plays(page)


@pytest.mark.long
async def test_trim_cover_captions_audience_and_label_are_kept(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    film = films.make(tmp_path / "long.mp4", size="90x160", seconds=6, rate=15)
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:06.000\nHummed words\n")
    member = await cell.member("editor")
    page = await stage.phone(member, "/publish")
    await choose(page, film, "All of it #trimmed")
    start = page.get_by_test_id("trim-start")
    await start.focus()
    before = await page.get_by_test_id("trim-kept").inner_text()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_test_id("trim-kept")).not_to_have_text(before)
    await page.get_by_test_id("publish-audience").get_by_text("Friends", exact=True).click()
    await page.get_by_test_id("publish-ai").click()
    await page.get_by_test_id("captions-file").set_input_files(words)
    await page.get_by_test_id("publish-post").click()
    address = await published(page)
    clip = (await member.api.get(f"/api{address.replace('/c/', '/clips/')}")).json()
    assert clip["audience"] == "friends"
    assert clip["made_with_ai"] is True
    assert clip["captions"]["language"] == "en"
    assert clip["duration_ms"] < 6000
    await page.goto(address)
    await plays(page)
    await expect(page.get_by_test_id("ai-label")).to_be_visible()
    await expect(page.get_by_test_id("cue")).to_have_text("Hummed words")


@pytest.mark.long
async def test_request_that_hangs_when_the_line_goes_is_not_waited_for(
    cell: Cell, stage: Stage, big_film: Path
) -> None:
    page = await publishing(stage, await cell.member("hung"))
    hung = asyncio.Event()

    async def hold(route: Route) -> None:
        is_second = route.request.headers.get("upload-offset", "0") != "0"
        if route.request.method == "PATCH" and is_second and not hung.is_set():
            # Neither an answer nor a fault, as when a phone walks out of its cell.
            hung.set()
            return
        await route.continue_()

    await page.route("**/api/uploads/*", hold)
    await choose(page, big_film, "Out of reach")
    await page.get_by_test_id("publish-post").click()
    await reached(hung, page)
    async with offline(page):
        await expect(page.get_by_test_id("upload-waiting")).to_be_visible()
    await published(page)


async def test_caption_with_too_many_hashtags_is_told_before_anything_is_sent(
    cell: Cell, stage: Stage, big_film: Path
) -> None:
    page = await publishing(stage, await cell.member("tagger"))
    sent: list[str] = []
    await page.route("**/api/uploads", lambda route: sent.append(route.request.url))
    await choose(page, big_film, " ".join(f"#tag{number}" for number in range(31)))
    await page.get_by_test_id("publish-post").click()
    await expect(page.get_by_test_id("problem")).to_contain_text("at most 30 hashtags")
    assert sent == []
    await expect(page.get_by_test_id("editor")).to_be_visible()


async def test_refused_clip_leads_on_from_its_own_page(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x18ftypisom" + bytes(4000))
    page = await stage.phone(await cell.member("unlucky"), "/publish")
    await choose(page, broken, "Nothing to see")
    await page.get_by_test_id("publish-post").click()
    await expect(page.get_by_test_id("refusal")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("link", name="See it on your profile").click()
    await page.get_by_test_id("grid-clip").get_by_role("link").click()
    await expect(page.get_by_test_id("refusal")).to_be_visible()
    await expect(page.get_by_role("link", name="Publish another clip")).to_be_visible()
    await page.get_by_test_id("manage").click()
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("delete-confirm").click()
    await expect(page.get_by_test_id("profile")).to_contain_text("Your first clip goes here")


async def test_what_was_chosen_stays_when_the_words_of_ones_language_come(
    cell: Cell, stage: Stage, phone_film: Path
) -> None:
    page = await stage.phone(await cell.member("early", locale="fr"))
    have_come = asyncio.Event()

    async def late(route: Route) -> None:
        await have_come.wait()
        await route.continue_()

    await page.route(re.compile(r"/assets/(fr|errors\.fr|making\.fr)-[^/]*\.js$"), late)
    await page.goto("/publish")
    await choose(page, phone_film, "Trop tôt")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    have_come.set()
    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await page.wait_for_timeout(300)
    await expect(page.get_by_test_id("publish-caption")).to_have_value("Trop tôt")
