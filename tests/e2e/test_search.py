"""One person's words found on another's screen, and gone from it when they are taken back."""

from __future__ import annotations

from playwright.async_api import Page, Request, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays


async def look_for(page: Page, text: str) -> None:
    """As a person types it, until the answer is on the page."""
    await page.get_by_test_id("search-field").fill(text)
    found = page.get_by_test_id("found")
    await expect(found).to_have_attribute("data-asked", text, timeout=PATIENCE_MS)


async def test_clip_is_found_by_a_misspelt_word_and_not_after_it_was_narrowed(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana, ben = await cell.member("filmer"), await cell.member("ben")
    await ana.patch(display_name="Zoë Garcia")
    clip = await ana.clip(tiny_film, caption="Crème brûlée à minuit #patisserie")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page = await stage.phone(ben, "/")
    page.on("request", note)
    await page.get_by_test_id("nav-search").click()
    await expect(page.get_by_test_id("search-field")).to_be_focused()
    await expect(page.get_by_test_id("trends")).to_be_visible()

    await look_for(page, "creme brulee")
    await expect(page.get_by_test_id("grid-clip")).to_have_count(1, timeout=PATIENCE_MS)
    await look_for(page, "minuti")
    await expect(page.get_by_test_id("near")).to_contain_text("minuit")
    await expect(page.get_by_test_id("grid-clip")).to_have_attribute("data-clip", clip["id"])

    await look_for(page, "zoe gar")
    person = page.get_by_test_id("person").first
    await expect(person).to_have_attribute("data-handle", ana.handle)
    await person.get_by_test_id("follow").click()
    await expect(person.get_by_test_id("follow")).to_have_attribute("data-state", "yes")

    await look_for(page, "#patis")
    await page.get_by_test_id("tab-hashtags").click()
    await page.get_by_test_id("hashtag").first.locator("a").click()
    await expect(page.get_by_test_id("tag-count")).to_have_text("1 clip")
    await page.get_by_test_id("order-liked").click()
    await page.get_by_test_id("grid-clip").locator("a").click()
    await plays(page, clip["id"])
    # A hashtag in a caption leads to its page.
    await page.get_by_test_id("caption").get_by_role("link", name="#patisserie").click()
    await expect(page.get_by_role("heading", name="#patisserie")).to_be_visible()

    answer = await ana.api.patch(f"/api/clips/{clip['id']}", json={"audience": "only-me"})
    assert answer.status_code == 200
    await page.get_by_test_id("nav-search").click()
    await page.get_by_test_id("tab-top").click()
    await look_for(page, "brulee")
    await expect(page.get_by_test_id("nothing")).to_be_visible(timeout=PATIENCE_MS)

    # What was looked for is in no address.
    assert not [url for url in asked for word in ("brulee", "minuti", "zoe") if word in url]
    assert "brulee" not in page.url


async def test_search_by_keyboard(cell: Cell, stage: Stage, tiny_film: bytes) -> None:
    ana = await cell.member("heron")
    await ana.clip(tiny_film, caption="Herons by the lake")
    page = await stage.desktop(None, "/search")
    await look_for(page, "heron")
    await page.keyboard.press("Enter")
    await page.get_by_test_id("tab-top").focus()
    for name in ("clips", "people", "hashtags", "sounds", "top"):
        await page.keyboard.press("ArrowRight")
        tab = page.get_by_test_id(f"tab-{name}")
        await expect(tab).to_be_focused()
        await expect(tab).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowRight")
    await page.get_by_test_id("search-order").select_option("new")
    await expect(page.get_by_test_id("grid-clip").first).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_test_id("search-clear").click()
    await expect(page.get_by_test_id("trends")).to_be_visible()
