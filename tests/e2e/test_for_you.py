"""For You as it is watched: no repeats, its reasons, learning that one switches on, and an end."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, Request, expect
from tests.e2e.stage import Cell, Member, Stage, current, plays, settled, true, until

SEEN = "document.querySelector('[data-current=true]').dataset.clip"
PLACES = "JSON.parse(localStorage.getItem('luciole.for-you')).waiting.map((one) => one.id)"


async def watch(page: Page, clips: int) -> list[str]:
    """Watches so many clips one after the other; their ids."""
    seen: list[str] = []
    for _ in range(clips):
        await plays(page)
        seen.append(await page.evaluate(SEEN))
        await page.keyboard.press("ArrowDown")
        await true(page, f"{SEEN} !== '{seen[-1]}'")
        await settled(page)
    return seen


async def why(page: Page) -> None:
    await plays(page)
    await current(page).get_by_test_id("why").click()
    await expect(page.get_by_test_id("why-told")).to_be_visible()


async def test_visitor_sees_no_clip_twice_also_after_a_reload(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.desktop()
    told: list[Request] = []
    page.on("request", lambda one: told.append(one) if one.url.endswith("/signals") else None)
    await page.goto("/")
    async with page.expect_response(lambda one: one.url.endswith("/signals")) as answered:
        seen = await watch(page, 3)
    assert (await (await answered.value).json())["refused"] == []
    # What is kept on the device is what one has not seen.
    assert not set(seen) & set(await page.evaluate(PLACES))
    await page.reload()
    seen += await watch(page, 3)
    # And past the end of a page.
    await page.reload()
    seen += await watch(page, 8)
    assert len(set(seen)) == len(seen)

    async def sent() -> list[dict[str, Any]] | None:
        signals = [signal for one in told for signal in (one.post_data_json or {})["signals"]]
        watched = [signal for signal in signals if signal["kind"] == "watched"]
        return watched if len(watched) >= 3 else None

    for signal in await until(sent):
        assert 0 < signal["ms"] < 60_000


async def test_latest_tells_nothing_of_what_is_watched(stage: Stage, author: Member) -> None:
    page = await stage.desktop()
    told: list[str] = []
    page.on("request", lambda one: told.append(one.url) if one.method != "GET" else None)
    await page.goto("/latest")
    await watch(page, 3)
    await page.goto("/following")
    assert told == []


async def test_clip_says_why_it_is_there_and_the_sheet_gives_the_focus_back(
    stage: Stage, author: Member
) -> None:
    page = await stage.desktop(path="/")
    await why(page)
    sheet = page.get_by_test_id("why-sheet")
    await expect(sheet.get_by_test_id("why-told")).to_contain_text("Without a profile")
    assert await sheet.get_by_test_id("why-parts").get_by_role("listitem").count() > 0
    await expect(sheet.get_by_test_id("why-chance")).to_contain_text("%")
    await expect(sheet.get_by_test_id("learn")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(current(page).get_by_test_id("why")).to_be_focused()


async def test_what_a_visitor_hides_goes_at_once_and_stays_on_the_device(
    stage: Stage, author: Member
) -> None:
    page = await stage.desktop(path="/")
    await why(page)
    gone = await page.evaluate(SEEN)
    await page.get_by_test_id("not-interested").click()
    await expect(page.locator(f'[data-clip="{gone}"]')).to_have_count(0)
    await plays(page)
    await page.get_by_test_id("toast").get_by_role("link").click()
    hidden = page.get_by_test_id("hidden").get_by_role("listitem")
    await expect(hidden).to_have_count(1)
    await hidden.get_by_role("button").click()
    await expect(hidden).to_have_count(0)


async def test_person_lets_it_learn_hides_an_author_and_has_it_forget(
    cell: Cell, stage: Stage, author: Member, tiny_film: bytes
) -> None:
    other = await cell.member("other")
    for number in range(3):
        await other.clip(tiny_film, caption=f"Another {number}")
    person = await cell.member("learner")
    page = await stage.phone(person, "/")
    await expect(page.get_by_test_id("learns")).to_have_count(0)
    await why(page)
    await page.get_by_test_id("learn").click()
    await expect(page.get_by_test_id("learn")).to_be_checked()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("learns")).to_be_visible()
    await watch(page, 2)

    await why(page)
    handle = (await current(page).get_by_test_id("author").get_attribute("href") or "")[2:]
    await page.get_by_test_id("hide-author").click()
    theirs = page.locator(f'[data-testid="author"][href="/@{handle}"]')
    await expect(theirs).to_have_count(0)
    # The very next page obeys, in this session and in a new one.
    pages = await page.evaluate(
        """async () => {
            const kept = JSON.parse(localStorage.getItem('luciole.for-you'))
            const path = '/api/feeds/for-you'
            const ask = async (query) => (await fetch(`${path}?${query}`)).json()
            return [await ask(`cursor=${kept.cursor}`), await ask('')]
        }"""
    )
    handles = [clip["author"]["handle"] for told in pages for clip in told["items"]]
    assert handle not in handles

    await page.goto("/settings/for-you")
    await expect(page.get_by_test_id("learn")).to_be_checked()
    await expect(page.get_by_test_id("hidden")).to_contain_text(f"@{handle}")
    await page.get_by_role("button", name=f"Take back: @{handle}").click()
    await expect(page.get_by_text("Nothing is hidden.")).to_be_visible()
    await expect(page.get_by_test_id("kept")).not_to_contain_text("0 entries")
    await page.get_by_test_id("reset").click()
    await page.get_by_test_id("reset-confirm").click()
    await expect(page.get_by_test_id("kept")).to_contain_text("0 entries kept")
    await page.get_by_test_id("learn").click()
    await expect(page.get_by_test_id("kept")).to_have_count(0)
    await page.goto("/")
    await plays(page)
    await expect(page.get_by_test_id("learns")).to_have_count(0)


async def test_a_report_takes_the_clip_out_of_ones_own_feed_and_is_no_skip(
    cell: Cell, stage: Stage, author: Member
) -> None:
    rita = await cell.member("rita")
    page = await stage.phone(rita)
    told: list[Request] = []
    page.on("request", lambda one: told.append(one) if one.url.endswith("/signals") else None)
    await page.goto("/")
    await why(page)
    clip_id = await page.evaluate(SEEN)
    await page.get_by_test_id("report-clip").tap()
    await page.get_by_test_id("report-category").select_option("violence")
    await page.get_by_test_id("report-why").fill("Somebody is threatened.")
    await page.get_by_test_id("report-submit").tap()
    await expect(page.get_by_test_id("report-sent")).to_be_visible()

    def signals() -> list[dict[str, Any]]:
        return [signal for one in told for signal in (one.post_data_json or {})["signals"]]

    async def reported() -> dict[str, Any] | None:
        return next((one for one in signals() if one["kind"] == "reported"), None)

    one = await until(reported)
    await page.keyboard.press("Escape")
    await true(page, f"{SEEN} !== '{clip_id}'")
    # The next clips are watched as ever; of this one nothing is told but that it was shown.
    await watch(page, 2)

    async def watched() -> bool:
        return any(other["kind"] == "watched" for other in signals())

    await until(watched)
    place = (one["page"], one["slot"])
    kinds = {other["kind"] for other in signals() if (other["page"], other["slot"]) == place}
    assert kinds <= {"shown", "reported"}
    hidden = (await rita.api.get("/api/feeds/for-you/settings")).json()["hidden"]
    assert hidden["clips"] == 1


async def test_minor_is_told_that_there_is_no_profile(
    cell: Cell, stage: Stage, author: Member
) -> None:
    page = await stage.phone(await cell.member("young", age_band="13-15"), "/settings/for-you")
    await expect(page.get_by_test_id("no-profile")).to_be_visible()
    await expect(page.get_by_test_id("learn")).to_have_count(0)
    await expect(page.get_by_test_id("time-quiet")).to_be_checked()


async def test_past_the_daily_limit_no_clip_starts_by_itself(stage: Stage, author: Member) -> None:
    page = await stage.phone(path="/settings/time")
    await page.get_by_test_id("time-limit").select_option("30")
    await page.evaluate(
        """() => {
            const now = new Date()
            const two = (number) => String(number).padStart(2, '0')
            const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
            const spent = JSON.stringify({ day, ms: 30 * 60_000 - 1 })
            localStorage.setItem('luciole.time-spent', spent)
        }"""
    )
    await page.goto("/")
    # It comes while the last clip still plays.
    rest = page.get_by_test_id("rest")
    await expect(rest).to_contain_text("30 minutes")
    box = current(page).get_by_test_id("stage-box")
    await expect(box).to_have_attribute("data-playing", "false")
    await page.get_by_test_id("rest-go-on").tap()
    await expect(rest).to_be_hidden()
    last = await page.evaluate(SEEN)
    await page.keyboard.press("ArrowDown")
    await true(page, f"{SEEN} !== '{last}'")
    await expect(box).to_have_attribute("data-painted", "true")
    await expect(box).to_have_attribute("data-playing", "false")
    await box.get_by_test_id("stage").tap()
    await plays(page)
