"""A message is reported; a moderator asks, two operators sign, and the moderator reads it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage
from tests.e2e.test_accessibility import faults
from tests.e2e.test_console import NO_SIDEWAYS, of_the_staff
from tests.e2e.test_messages import befriend, begin, line, open_first, open_with, say
from tests.e2e.test_safety import nothing_waits
from tests.e2e.test_staff import of_the_staff as operator

WORDS = "I know where you live"
WHY = "Nobody can say whether it is a threat without its words."


async def seen(page: Page, path: Path) -> None:
    """Nothing runs out of the screen, all can be read aloud; and a picture."""
    assert await page.evaluate(NO_SIDEWAYS)
    assert await faults(page) == []
    await page.screenshot(path=path, full_page=True)


async def reported(stage: Stage, ana: Member, ben: Member) -> Page:
    """ben writes to ana, who discloses it; gives her page."""
    await befriend(ana, ben)
    anas, bens = await stage.phone(ana), await stage.phone(ben)
    await begin(anas)
    await begin(bens)
    await open_with(bens, ana)
    await say(bens, WORDS)
    await open_first(anas)
    await line(anas, WORDS).get_by_test_id("message-more").click(timeout=PATIENCE_MS)
    await anas.get_by_test_id("report").click()
    await anas.get_by_test_id("report-reason").select_option("threat")
    await anas.get_by_test_id("report-send").click()
    await expect(anas.get_by_test_id("toast").filter(has_text="Reported")).to_be_visible()
    return anas


async def sign(page: Page) -> None:
    """An operator signs what the moderator has asked for, and does not read it."""
    await page.goto("/staff")
    read = page.get_by_test_id("staff-read").filter(has_text=WHY)
    await expect(read).to_contain_text("messages were reported")
    await read.get_by_test_id("staff-read-sign").click()
    await expect(page.get_by_test_id("staff-told")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_test_id("staff")).not_to_contain_text(WORDS)


async def test_moderator_reads_a_reported_message_that_two_have_let_them_read(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    await nothing_waits(cell)
    ana, ben = await cell.member("ana"), await cell.member("ben")
    mia = await cell.member("mia", locale="fr")
    anas = await reported(stage, ana, ben)

    # Mia moderates on her phone, in French. The report is a case within a minute or two.
    desk = await stage.phone(mia, locale="fr-FR")
    await of_the_staff(cell, mia, desk, "moderator", "operator")
    await desk.goto("/review")
    await desk.get_by_test_id("review-begin").click()
    found = desk.get_by_test_id("disclosed")
    for _ in range(60):
        await desk.get_by_test_id("review-next").click()
        await expect(desk.get_by_test_id("review-empty").or_(found)).to_be_visible(
            timeout=PATIENCE_MS
        )
        # "Nothing waits" may still stand there from before; by then the answer has come.
        await desk.wait_for_timeout(3000)
        if await found.count():
            break
    await expect(found).to_have_attribute("data-state", "sealed", timeout=PATIENCE_MS)
    await expect(desk.get_by_test_id("case")).not_to_contain_text(ana.handle)
    await desk.get_by_test_id("disclosed-why").fill(WHY)
    await seen(desk, tmp_path / "ask.png")
    await desk.get_by_test_id("disclosed-ask").click()
    await expect(found).to_have_attribute("data-state", "waiting", timeout=PATIENCE_MS)
    await seen(desk, tmp_path / "waiting.png")
    await desk.get_by_test_id("disclosed-pause").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)

    # She is an operator as well, and signs as one of two; the other is nothing else.
    await desk.goto("/staff")
    await desk.get_by_test_id("console-begin").click(timeout=PATIENCE_MS)
    read = desk.get_by_test_id("staff-read").filter(has_text=WHY)
    await read.get_by_test_id("staff-read-sign").click(timeout=PATIENCE_MS)
    await expect(read).to_have_attribute("data-signatures", "1", timeout=PATIENCE_MS)
    _, other = await operator(cell, stage, "other")
    await sign(other)
    await expect(other.get_by_test_id("staff-read").filter(has_text=WHY)).to_contain_text(
        "reads it there"
    )
    await seen(other, tmp_path / "signed.png")

    # It is her next case: she sees it blurred, then clearly.
    await desk.goto("/review")
    await desk.get_by_test_id("review-next").click(timeout=PATIENCE_MS)
    await expect(found).to_have_attribute("data-state", "granted", timeout=PATIENCE_MS)
    await seen(desk, tmp_path / "granted.png")
    await desk.get_by_test_id("disclosed-show").click()
    messages = desk.get_by_test_id("disclosed-messages")
    await expect(messages).to_contain_text(WORDS, timeout=PATIENCE_MS)
    await expect(messages).to_have_attribute("data-clear", "false")
    await expect(desk.get_by_test_id("disclosed-reason")).to_have_text("Menace ou violence")
    await seen(desk, tmp_path / "blurred.png")
    await desk.keyboard.press("r")
    await expect(messages).to_have_attribute("data-clear", "true")
    await seen(desk, tmp_path / "clear.png")
    await expect(desk.get_by_test_id("case")).not_to_contain_text(ana.handle)

    # Ana is told, and reads why.
    await anas.goto("/notifications")
    await expect(anas.locator('[data-testid="notice"][data-kind="data-read"]')).to_be_visible(
        timeout=90_000
    )
    journal = (await ana.api.get("/api/me/journal")).json()["items"]
    assert [one["note"] for one in journal if WHY in (one["note"] or "")] != []
    bens = (await ben.api.get("/api/me/journal")).json()["items"]
    assert "message-report" not in {one["purpose"] for one in bens}
