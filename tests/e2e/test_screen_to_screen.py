"""From one person's phone to another person's screen, and back as a like and a follow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.e2e.stage import PASSWORD, PATIENCE_MS, Cell, Stage, double_tap, plays, swipe


async def sign_up(page: Page, handle: str, name: str) -> None:
    """As a person does it on the sign-up page, with a password."""
    await page.goto("/sign-up")
    await page.get_by_test_id("sign-up-handle").fill(handle)
    await page.get_by_test_id("sign-up-name").fill(name)
    await page.get_by_text("18 or over").click()
    await page.get_by_test_id("sign-up-use-password").click()
    await page.get_by_test_id("sign-up-password").fill(PASSWORD)
    await page.get_by_test_id("sign-up-submit").click()
    await expect(page.get_by_test_id("recovery-codes").locator("li")).to_have_count(10)
    await page.get_by_test_id("codes-kept").check()
    await page.get_by_test_id("codes-done").click()
    await expect(page.get_by_test_id("nav-profile")).to_be_visible()


async def test_clip_reaches_another_screen_and_its_author_sees_the_like_and_the_follow(
    cell: Cell, stage: Stage, phone_film: Path, tiny_film: bytes
) -> None:
    ana, ben = await stage.phone(), await stage.phone()
    await sign_up(ana, ana_handle := cell.handle("ana"), "Ana")
    await sign_up(ben, cell.handle("ben"), "Ben")

    await ana.goto("/publish")
    await ana.get_by_test_id("publish-file").set_input_files(phone_film)
    await ana.get_by_test_id("publish-caption").fill("From my phone #first")
    await ana.get_by_test_id("publish-post").click()
    await expect(ana.get_by_test_id("publish-progress")).to_have_attribute("data-phase", "sent")
    # The page is not loaded again: the news come by themselves.
    await expect(ana.get_by_test_id("clip-state")).to_have_attribute(
        "data-state", "published", timeout=PATIENCE_MS
    )
    address = await ana.get_by_test_id("publish-watch").get_attribute("href")
    assert address is not None
    clip_id = address.removeprefix("/c/")

    # Somebody else's newer clip stands first, so that there is something to swipe away.
    carl = await cell.member("carl")
    newer = await carl.clip(tiny_film, caption="In front")
    await ben.goto("/latest")
    await plays(ben, newer["id"])
    await swipe(ben)
    await plays(ben, clip_id)
    await expect(ben.locator(f'[data-clip="{clip_id}"]')).to_contain_text("From my phone")

    mine = ana.get_by_test_id("grid-clip").first
    await ana.goto(f"/@{ana_handle}")
    await expect(mine).to_be_visible()
    await expect(ana.get_by_test_id("followers")).to_contain_text("0")

    await double_tap(ben)
    slide = ben.locator(f'[data-clip="{clip_id}"]')
    await expect(slide.get_by_test_id("like")).to_have_attribute("aria-pressed", "true")
    await expect(slide.get_by_test_id("likes")).to_have_text("1")
    # Two taps are a like, not a pause.
    await plays(ben, clip_id)
    await expect(ana.get_by_test_id("toast").filter(has_text="Ben liked your clip")).to_be_visible()
    await expect(mine).to_contain_text("1")

    await slide.get_by_test_id("follow").tap()
    await expect(slide.get_by_test_id("follow")).to_have_attribute("data-state", "yes")
    await expect(ana.get_by_test_id("toast").filter(has_text="Ben follows you")).to_be_visible()
    await expect(ana.get_by_test_id("followers")).to_contain_text("1")

    await expect(ana.get_by_test_id("unread")).to_be_attached()
    await ana.get_by_test_id("nav-notifications").click()
    kinds = ana.get_by_test_id("notice")
    await expect(kinds).to_have_count(2)
    await expect(kinds.nth(0)).to_have_attribute("data-kind", "follow")
    await expect(kinds.nth(1)).to_have_attribute("data-kind", "like")


@pytest.mark.long
async def test_refused_file_says_why_and_what_to_do(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    page = await stage.phone(await cell.member("dora"), "/publish")
    letter = tmp_path / "letter.mp4"
    letter.write_bytes(b"Dear diary, this is no film at all. " * 400)
    await page.get_by_test_id("publish-file").set_input_files(letter)
    await expect(page.get_by_test_id("no-preview")).to_be_visible()
    await page.get_by_test_id("publish-post").click()
    await expect(page.get_by_test_id("clip-state")).to_have_attribute(
        "data-state", "refused", timeout=PATIENCE_MS
    )
    await expect(page.get_by_test_id("refusal")).to_contain_text("not a video")
    # It is nobody's clip: the way on is another file.
    await page.get_by_test_id("publish-again").click()
    await expect(page.get_by_test_id("publish-choose")).to_be_visible()


async def test_file_that_is_no_video_is_refused_before_it_is_sent(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    page = await stage.phone(await cell.member("dora"), "/publish")
    song = tmp_path / "notes.txt"
    song.write_text("la la la")
    await page.get_by_test_id("publish-file").set_input_files(song)
    problem = page.get_by_test_id("problem")
    await expect(problem).to_be_visible()
    await expect(page.get_by_test_id("editor")).to_have_count(0)
    await expect(problem).to_contain_text("video")
