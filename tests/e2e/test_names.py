"""Somebody without an account says that a song is theirs; the moderator who has the case asks who
that is, in French, and is shown it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.e2e.stage import Cell, Stage
from tests.e2e.test_accessibility import faults
from tests.e2e.test_safety import at_work, nothing_waits


async def test_a_moderator_asks_who_says_that_it_is_theirs(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    await nothing_waits(cell)
    ana, max_ = await cell.member("ana"), await cell.member("max")
    page = await stage.phone()
    await page.goto("/report")
    await page.get_by_test_id("notice-address").fill(f"{cell.origin}/@{ana.handle}")
    await page.get_by_test_id("report-category").select_option(
        "intellectual-property-infringements"
    )
    await page.get_by_test_id("notice-why").fill("The song of the second clip is mine.")
    await page.get_by_test_id("notice-name").fill("Ida Roth")
    await page.get_by_test_id("notice-faith").check()
    assert await faults(page) == []
    await page.screenshot(path=tmp_path / "notice.png", full_page=True)
    await page.get_by_test_id("notice-send").click()
    await expect(page.get_by_test_id("notice-code")).to_be_visible()

    desk = await at_work(cell, stage, max_)
    await desk.set_viewport_size({"width": 390, "height": 844})
    await max_.patch(locale="fr")
    await desk.reload()
    await desk.get_by_test_id("review-next").click()
    case = desk.get_by_test_id("case")
    await expect(case).to_contain_text("The song of the second clip is mine.")
    await expect(case).not_to_contain_text("Ida Roth")
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "case.png", full_page=True)
    await desk.get_by_test_id("case-ask-names").click()
    await expect(desk.get_by_test_id("case-names")).to_contain_text("Ida Roth")
    await expect(desk.get_by_test_id("case-names")).to_contain_text("Envoyée par")
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "named.png", full_page=True)
