"""The page about one's own data: what it says, what it checks, and how it takes a lie."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage
from tests.e2e.told import DAY_S, Told, lived

PLACE = "/settings/data"


async def opened(page: Page, member: Member, told: Told, *, keyed: bool = True) -> None:
    """The page, told of a life in the cell; with the label key of the device that signed up."""
    if keyed:
        me = (await member.api.get("/api/me")).json()
        key = base64.urlsafe_b64encode(told.label_key).decode().rstrip("=")
        place = f"luciole.label-key.{me['id']}"
        await page.add_init_script(f"localStorage.setItem('{place}', '{key}')")
    await page.goto(PLACE)
    await expect(page.get_by_test_id("entry").first).to_be_visible()


async def trusting(page: Page, told: Told) -> None:
    """Gives the page keys that do not come from the cell."""
    await page.get_by_test_id("not-proved").locator("summary").click()
    policy = {"name": "policy", "mimeType": "text/plain", "buffer": told.policy.encode()}
    await page.get_by_test_id("policy-file").set_input_files(policy)  # type: ignore[arg-type]
    await expect(page.get_by_test_id("policy-forget")).to_be_visible()


async def verified(page: Page, verdict: str) -> None:
    await page.get_by_test_id("verify-all").click()
    mark = page.get_by_test_id("data-where").get_by_test_id("verdict").first
    await expect(mark).to_have_attribute("data-verdict", verdict, timeout=PATIENCE_MS)


def finding(page: Page, code: str) -> Any:
    return page.get_by_test_id("findings").locator(f'[data-code="{code}"]')


@pytest.mark.long
async def test_page_tells_where_what_and_who_in_plain_words(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told)
    await expect(page.get_by_test_id("data-where")).to_contain_text("Your data is kept in")
    journal = page.get_by_test_id("journal")
    await expect(journal).to_contain_text("You brought something along: 8 from TikTok.")
    await expect(journal).to_contain_text("A member of the staff read data of yours: support.")
    # The newest is first, and what is hidden comes when it is asked for.
    await expect(page.get_by_test_id("entry").first).to_have_attribute("data-kind", "import")
    await page.get_by_test_id("journal-more").click()
    await expect(page.get_by_test_id("entry")).to_have_count(len(told.shown))
    await page.get_by_role("group", name="Show only").get_by_text("Staff").click()
    await expect(page.get_by_test_id("entry")).to_have_count(1)
    # The picture is a table for who cannot see it.
    table = page.get_by_role("table", name="Uses of your data by month")
    assert await table.get_by_role("row").count() >= 2
    held = page.get_by_test_id("held-personal")
    await held.locator("summary").click()
    await expect(held).to_contain_text("An e-mail address or telephone number", ignore_case=True)


async def test_honest_cell_is_green_and_what_was_seen_is_kept(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told)
    # By the cell's own keys alone nobody can be sure.
    await verified(page, "CANNOT TELL")
    await expect(finding(page, "policy.from-cell")).to_be_visible()
    await trusting(page, told)
    await verified(page, "GREEN")
    await page.get_by_test_id("findings").locator("summary").click()
    await expect(finding(page, "journal.complete")).to_contain_text(f"All {len(told.shown)}")
    await expect(finding(page, "key.own")).to_be_visible()
    # Later the log has grown, and has to begin with what was seen.
    told.add("grant", "self", 40 * DAY_S - 500, actor="you", purpose="session", columns=["*"])
    told.seal(40 * DAY_S - 400)
    await page.reload()
    await expect(page.get_by_test_id("data-where")).to_contain_text("everything fitted")
    await verified(page, "GREEN")
    await page.get_by_test_id("findings").locator("summary").click()
    await expect(finding(page, "history.extended")).to_be_visible()


async def test_hidden_entry_is_red(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    # The member of the staff would rather not have been there.
    staff = next(each["n"] for each in told.shown if each["class"] == "staff")
    await told.stand_in(page, told.shown[:staff])
    await opened(page, member, told)
    await verified(page, "RED")
    red = page.get_by_test_id("findings").locator('[data-verdict="RED"]')
    await expect(red.first).to_contain_text("that you are not shown")


@pytest.mark.long
async def test_entry_that_is_told_otherwise_is_red(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    lie = [{**each} for each in told.shown]
    for each in lie:
        if each["class"] == "staff":
            each["note"] = "a routine check"
    await told.stand_in(page, lie)
    await opened(page, member, told)
    await verified(page, "RED")
    await expect(finding(page, "journal.shown")).to_be_visible()
    # The entry by itself is caught as well.
    entry = page.locator('[data-testid="entry"][data-class="staff"]')
    await page.reload()
    await entry.locator("summary").click()
    await expect(entry.get_by_test_id("verdict")).to_have_attribute("data-verdict", "RED")


@pytest.mark.parametrize(("more", "code"), [(-8, "history.truncated"), (3, "history.forked")])
@pytest.mark.long
async def test_log_that_does_not_go_on_from_what_was_seen_is_red(
    cell: Cell, stage: Stage, more: int, code: str
) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told)
    await trusting(page, told)
    await verified(page, "GREEN")
    # Another past, shorter or longer than the one that this browser saw, under the same keys.
    other = Told(started=told.started)
    other.add("enrol", "self", 0, key_made_by="you")
    for at in range(len(told.shown) + more):
        other.add("grant", "self", 60 + at, actor="you", purpose="session", columns=["*"])
    other.seal(40 * DAY_S - 400)
    await page.unroute_all()
    await other.stand_in(page)
    # The evidence is not overwritten by the lie: it is red each time.
    for _ in range(2):
        await page.reload()
        await verified(page, "RED")
        await expect(finding(page, code)).to_be_visible()


@pytest.mark.long
async def test_other_keys_than_the_first_ones_are_red(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told)
    await verified(page, "CANNOT TELL")
    # The same past, signed by somebody else.
    other = lived(b"\3")
    await page.unroute_all()
    await other.stand_in(page)
    await page.reload()
    await verified(page, "RED")
    await expect(finding(page, "policy.changed")).to_be_visible()


async def test_single_entry_is_checked_when_it_unfolds(cell: Cell, stage: Stage) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told)
    entry = page.locator('[data-testid="entry"][data-class="staff"]')
    await entry.locator("summary").click()
    await expect(entry).to_contain_text("e-mail address")
    await expect(entry.get_by_test_id("verdict")).to_have_attribute("data-verdict", "GREEN")
    async with page.expect_download() as download:
        await entry.get_by_role("link", name="Save the receipt").click()
    assert (await download.value).suggested_filename.endswith(".tlog-proof")


@pytest.mark.long
async def test_new_device_gets_the_key_and_holds_it_against_the_first_entry(
    cell: Cell, stage: Stage
) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member)
    told = lived()
    await told.stand_in(page)
    await opened(page, member, told, keyed=False)
    await trusting(page, told)
    await verified(page, "GREEN")
    await page.get_by_test_id("findings").locator("summary").click()
    await expect(finding(page, "key.from-cell")).to_be_visible()
    # A cell that hands out another key is told on.
    another = await stage.phone(member)
    told.label_key = bytes(32)
    await told.stand_in(another)
    await opened(another, member, told, keyed=False)
    await verified(another, "RED")


async def test_sign_up_makes_a_key_that_stays_on_the_device(cell: Cell, stage: Stage) -> None:
    page, handle = await stage.phone(path="/sign-up"), cell.handle("keyed")
    await page.get_by_test_id("sign-up-handle").fill(handle)
    await page.get_by_test_id("sign-up-name").fill("Somebody")
    await page.get_by_text("18 or over", exact=True).click()
    await page.get_by_test_id("sign-up-use-password").click()
    await page.get_by_test_id("sign-up-password").fill("seven turquoise herons")
    async with page.expect_request("**/api/sign-up") as sent:
        await page.get_by_test_id("sign-up-submit").click()
    await expect(page.get_by_test_id("recovery-codes")).to_be_visible()
    key = (await sent.value).post_data_json["label_key"]
    assert len(base64.urlsafe_b64decode(key + "=")) == 32
    kept = await page.evaluate(
        "Object.entries(localStorage).filter(([name]) => name.startsWith('luciole.label-key.'))"
    )
    assert [value for _, value in kept] == [key]
    # It is the one that the cell gives to a new device.
    given = await page.evaluate("fetch('/api/me/label-key').then((answer) => answer.json())")
    assert base64.b64decode(given["label_key"]) == base64.urlsafe_b64decode(key + "=")
