"""Two of the staff, each with a passkey of their own, sign what nobody may do alone."""

from __future__ import annotations

from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage
from tests.e2e.test_accessibility import faults
from tests.e2e.test_accounts import authenticator
from tests.e2e.test_notices import IN_FRANCE, at_the_machine

RULES = (
    *("--in", "FR", "--ground", "rules", "--by", "The two moderators on duty"),
    *("--law", "Rules of this cell, section 4", "--why", "It shows where a witness lives."),
    *("--appeal", "Write to the operator before 15 December"),
)


async def of_the_staff(cell: Cell, stage: Stage, word: str) -> tuple[Member, Page]:
    """Somebody with a passkey whom the operator has added, and the phone that holds it."""
    member = await cell.member(word)
    page = await stage.phone(member)
    await authenticator(page)
    await page.goto("/settings")
    await page.get_by_test_id("passkey-add").click()
    await expect(page.get_by_test_id("passkeys").locator("li")).to_have_count(
        1, timeout=PATIENCE_MS
    )
    await at_the_machine(cell, "staff", "add", member.handle)
    await page.goto("/staff")
    # Nothing is there before the passkey has opened it.
    await expect(page.get_by_test_id("console-begin")).to_be_visible()
    await expect(page.get_by_test_id("staff")).to_have_count(0)
    await page.get_by_test_id("console-begin").click()
    await expect(page.get_by_test_id("staff")).to_be_visible()
    return member, page


async def test_two_of_the_staff_sign_a_notice_and_a_read(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana = await cell.member("ana")
    clip = await ana.clip(tiny_film, caption="From my window")
    answer = await ana.api.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    assert answer.status_code == 200, answer.text
    stranger = await stage.phone(ana, "/staff")
    await expect(stranger.get_by_test_id("problem")).to_contain_text("for the staff")
    first, page = await of_the_staff(cell, stage, "first")
    _, other = await of_the_staff(cell, stage, "second")
    await expect(page.get_by_test_id("staff-no-notices")).to_be_visible()
    said = await at_the_machine(cell, "withhold", "add", "--clip", clip["id"], *RULES)
    assert "waits for two of the staff" in said
    asked = {
        "handle": ana.handle,
        "purpose": "abuse-report",
        "columns": ["contact.email"],
        "minutes": 10,
        "reason": "Report 4711 says that this account threatens people.",
    }
    answer = await first.api.post("/api/staff/reads", json=asked)
    assert answer.status_code == 201, answer.text

    # The first: what is asked is there in words and word for word.
    await page.reload()
    notice = page.get_by_test_id("staff-notice")
    await expect(notice).to_contain_text("It shows where a witness lives.")
    await expect(notice).to_contain_text("France")
    await notice.get_by_test_id("staff-notice-asked").locator("summary").click()
    await expect(notice.locator("code")).to_contain_text('"kind":"withhold"')
    assert await faults(page) == []
    await notice.get_by_test_id("staff-notice-sign").click()
    await expect(page.get_by_test_id("staff-told")).to_contain_text("One more of the staff")
    await expect(notice).to_have_attribute("data-signatures", "1")
    # Twice is once.
    await notice.get_by_test_id("staff-notice-sign").click()
    await expect(
        page.get_by_test_id("problem").or_(page.get_by_test_id("staff-told"))
    ).to_be_visible()
    await expect(notice).to_have_attribute("data-signatures", "1")
    open_there = await stage.phone(**IN_FRANCE)
    seen = await open_there.goto(f"/c/{clip['id']}")
    assert seen is not None
    assert seen.status == 200
    # Others of the staff may have asked for others.
    read, there = (
        each.get_by_test_id("staff-read").filter(has_text="4711") for each in (page, other)
    )
    await read.get_by_test_id("staff-read-sign").click()
    await expect(read).to_have_attribute("data-signatures", "1")

    # The second makes both hold.
    await other.reload()
    await other.get_by_test_id("staff-notice-sign").click()
    await expect(other.get_by_test_id("staff-told")).to_contain_text("withheld from now on")
    await expect(other.get_by_test_id("staff-no-notices")).to_be_visible()
    await there.get_by_test_id("staff-read-sign").click()
    await expect(other.get_by_test_id("staff-told")).to_contain_text("may read now")
    seen = await open_there.goto(f"/c/{clip['id']}")
    assert seen is not None
    assert seen.status == 451

    # Who asked reads; the other may not.
    await there.get_by_test_id("staff-read-open").click()
    await expect(other.get_by_test_id("problem")).to_be_visible()
    await page.reload()
    await read.get_by_test_id("staff-read-open").click()
    await expect(page.get_by_test_id("staff-opened")).to_have_text("ana@example.org")
    assert await faults(page) == []
    journal = (await ana.api.get("/api/me/journal")).json()["items"]
    assert "abuse-report" in {one["purpose"] for one in journal}
