"""Old addresses of who moved, as a visitor meets them before another cell has said the same."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.e2e.stage import Cell, Stage

THERE = "https://new-cell.example/@ana.again"


async def test_a_visitor_of_a_clip_or_a_profile_is_told_where_the_person_went(
    cell: Cell, stage: Stage, tiny_film: bytes, tmp_path: Path
) -> None:
    ana = await cell.member("ana")
    clip = await ana.clip(tiny_film, caption="Before I went")
    answer = await ana.api.put("/api/me/moved", json={"address": THERE})
    assert answer.status_code == 200, answer.text
    page = await stage.phone(path=f"/c/{clip['id']}")
    told = page.get_by_test_id("clip-moved")
    await expect(told).to_contain_text("has moved to another cell")
    await expect(told.get_by_role("link")).to_have_attribute("href", THERE)
    await page.wait_for_timeout(1000)
    await page.screenshot(path=tmp_path / "clip-moved.png")
    # Her word alone sends nobody on.
    await page.goto(f"/@{ana.handle}")
    await expect(page.get_by_test_id("moved").get_by_role("link")).to_have_attribute("href", THERE)
    await page.screenshot(path=tmp_path / "profile-moved.png")
