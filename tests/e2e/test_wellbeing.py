"""Breaks and one's own quiet hours, as they are met: the page's clock is set, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import Page, expect
from tests.e2e.stage import Member, Stage, current, plays, true
from tests.e2e.test_accessibility import faults
from tests.e2e.test_for_you import SEEN
from tests.e2e.test_talk import look

ZONE = "Europe/Paris"
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=ZoneInfo(ZONE))
EVENING = NOON.replace(hour=20, minute=58, second=30)
MORNING = NOON.replace(day=28, hour=6, minute=31)
MINUTE_MS = 60_000


async def at(stage: Stage, now: datetime, **options: Any) -> Page:
    """A visitor's phone, by whose clock it is `now`."""
    page = await stage.phone(timezone_id=ZONE, color_scheme="light", **options)
    await page.clock.install(time=now)
    await page.goto("/settings/time")
    await expect(page.get_by_test_id("time-settings")).to_be_visible()
    return page


async def test_after_so_many_minutes_in_a_row_comes_a_break(stage: Stage, author: Member) -> None:
    page = await at(stage, NOON)
    await page.get_by_test_id("time-break").select_option("10")
    await look(page, "break-settings")
    assert await faults(page) == []
    await page.goto("/latest")
    await plays(page)
    rest, box = page.get_by_test_id("rest"), current(page).get_by_test_id("stage-box")
    await page.clock.run_for(9 * MINUTE_MS)
    await expect(rest).to_be_hidden()
    await page.clock.run_for(2 * MINUTE_MS)
    await expect(rest).to_have_attribute("data-why", "break")
    await expect(rest).to_contain_text("10 minutes in a row")
    await expect(box).to_have_attribute("data-playing", "false")
    await look(page, "break")
    assert await faults(page) == []
    # What was read is said once; the next one comes after as many minutes again.
    await page.get_by_test_id("rest-go-on").tap()
    await expect(rest).to_be_hidden()
    await plays(page)
    await page.clock.run_for(9 * MINUTE_MS)
    await expect(rest).to_be_hidden()
    await page.clock.run_for(2 * MINUTE_MS)
    await expect(rest).to_have_attribute("data-why", "break")
    # Being away for five minutes is a break, too: the row begins anew.
    await page.get_by_test_id("rest-go-on").tap()
    await plays(page)
    await page.clock.run_for(8 * MINUTE_MS)
    await page.goto("/settings/time")
    await expect(page.get_by_test_id("time-today")).to_contain_text("minutes")
    await page.clock.run_for(6 * MINUTE_MS)
    await page.goto("/latest")
    await plays(page)
    await page.clock.run_for(8 * MINUTE_MS)
    await expect(rest).to_be_hidden()


async def test_in_ones_own_quiet_hours_no_clip_starts_by_itself(
    stage: Stage, author: Member
) -> None:
    page = await at(stage, EVENING, locale="fr-FR")
    settings = page.get_by_test_id("time-settings")
    await page.get_by_test_id("time-quiet").press("Space")
    await settings.get_by_label("De", exact=True).fill("21:00")
    await settings.get_by_label("À", exact=True).fill("06:30")
    await look(page, "quiet-settings-fr")
    assert await faults(page) == []
    await page.goto("/latest")
    await plays(page)
    rest, box = page.get_by_test_id("rest"), current(page).get_by_test_id("stage-box")
    await expect(rest).to_be_hidden()
    await page.clock.run_for(3 * MINUTE_MS)
    await expect(rest).to_have_attribute("data-why", "quiet")
    await expect(rest).to_contain_text("06:30")
    await look(page, "quiet-fr")
    assert await faults(page) == []
    await page.get_by_test_id("rest-go-on").tap()
    await expect(rest).to_be_hidden()
    # The next clip waits for a tap, and the night says it once.
    last = await page.evaluate(SEEN)
    await page.keyboard.press("ArrowDown")
    await true(page, f"{SEEN} !== '{last}'")
    await expect(box).to_have_attribute("data-painted", "true")
    await expect(box).to_have_attribute("data-playing", "false")
    await box.get_by_test_id("stage").tap()
    await plays(page)
    await page.clock.run_for(MINUTE_MS)
    await expect(rest).to_be_hidden()
    # In the morning clips start by themselves again.
    await page.clock.set_system_time(MORNING)
    await page.goto("/latest")
    await plays(page)
    await expect(rest).to_be_hidden()
