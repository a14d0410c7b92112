"""An operator lets one in, refuses another and invites, on a phone; an auditor sees how many, in
French."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect
from tests.e2e.stage import Cell, Stage, true
from tests.e2e.test_accessibility import faults
from tests.e2e.test_accounts import fill_in, keep_codes, signed_in, submit_with_password
from tests.e2e.test_console import NO_SIDEWAYS, of_the_staff
from tests.e2e.test_joining import asks, door, operator

__all__ = ["door"]


async def well(page: Page, path: Path) -> None:
    await expect(page.get_by_test_id("problem")).to_have_count(0)
    await true(page, NO_SIDEWAYS)
    assert await faults(page) == []
    await page.screenshot(path=path, full_page=True)


async def test_an_operator_lets_people_in_and_an_auditor_counts(
    door: Cell, stage: Stage, tmp_path: Path
) -> None:
    eve, zoe = await door.member("eve"), await door.member("zoe", locale="fr")
    hers = await stage.phone(eve)
    await of_the_staff(door, eve, hers, "operator")
    await operator(door, "registration", "closed")
    first, second = await stage.phone(), await stage.phone()
    await first.goto("/sign-up")
    await expect(first.get_by_test_id("sign-up-closed")).to_be_visible()

    # She opens the door to those who ask.
    await hers.goto("/staff/joining")
    await hers.get_by_test_id("console-begin").click()
    await hers.get_by_test_id("registration-fold").locator("summary").click()
    send = hers.get_by_test_id("registration-send")
    await expect(send).to_be_disabled()
    await hers.get_by_label("by approval").check()
    await well(hers, tmp_path / "changing.png")
    await send.click()
    await expect(hers.get_by_test_id("joining-facts")).to_contain_text("by approval")
    for page, name in ((first, "Ana Luz"), (second, "Somebody Else")):
        await page.goto("/sign-up")
        await asks(page, name)
    await hers.reload()
    waiting = hers.get_by_test_id("joining-request")
    await expect(waiting).to_have_count(2)
    await well(hers, tmp_path / "waiting.png")
    ana = waiting.filter(has_text="Ana Luz")
    await ana.get_by_test_id("joining-approve").click()
    await expect(waiting).to_have_count(1)
    await waiting.get_by_test_id("joining-refuse").click()
    await waiting.get_by_test_id("joining-why").fill("We do not know each other.")
    await well(hers, tmp_path / "refusing.png")
    await waiting.get_by_test_id("joining-refuse-send").click()
    await expect(hers.get_by_test_id("joining-nobody")).to_be_visible()

    # Both read it where they asked.
    await first.get_by_test_id("look-again").click()
    await expect(first.get_by_test_id("invited")).to_be_visible()
    await second.reload()
    await expect(second.get_by_test_id("refused-why")).to_have_text("We do not know each other.")

    # An invitation: its link is shown once, and opens the door.
    await hers.get_by_test_id("joining-invite-fold").locator("summary").click()
    await hers.get_by_test_id("joining-uses").fill("3")
    await hers.get_by_test_id("joining-note").fill("the choir")
    await well(hers, tmp_path / "inviting.png")
    await hers.get_by_test_id("joining-invite-send").click()
    link = await hers.get_by_test_id("joining-link").inner_text()
    invited = hers.get_by_test_id("joining-invited").locator("li")
    await expect(invited).to_contain_text("the choir")
    await well(hers, tmp_path / "invited.png")
    guest = await stage.phone()
    await guest.goto(link.replace(door.origin, ""))
    await expect(guest.get_by_test_id("invited")).to_be_visible()
    handle = door.handle("guest")
    await fill_in(guest, handle)
    await submit_with_password(guest)
    await keep_codes(guest)
    await signed_in(guest, handle)
    await hers.reload()
    await expect(invited).to_contain_text("For 2 people")
    await expect(hers.get_by_test_id("joining-made")).to_have_count(0)

    # Zoe audits: how many, and nobody's name.
    asked = await stage.phone()
    await asked.goto("/sign-up")
    await asks(asked, "Ben Oak")
    counts = await stage.phone(zoe, locale="fr-FR")
    await of_the_staff(door, zoe, counts, "auditor")
    await counts.goto("/staff/joining")
    await counts.get_by_test_id("console-begin").click()
    await expect(counts.get_by_test_id("joining-facts")).to_contain_text("Places restantes")
    await expect(counts.get_by_test_id("joining-request")).to_have_count(0)
    await expect(counts.get_by_test_id("joining-invite-fold")).to_have_count(0)
    await expect(counts.get_by_test_id("registration-fold")).to_have_count(0)
    await well(counts, tmp_path / "fr-counts.png")
    await counts.goto("/staff/acts")
    said = counts.get_by_test_id("acts-list")
    await expect(said).to_contain_text("a changé l’inscription\xa0: sur approbation")
    await expect(said).to_contain_text("a admis une personne qui attendait")
    await expect(said).to_contain_text("a créé une invitation pour 3")
    await well(counts, tmp_path / "fr-acts.png")

    # She takes the invitation back, and lets in who waits: other tests begin with nobody.
    await hers.goto("/staff/joining")
    await hers.get_by_test_id("joining-withdraw").click()
    await expect(invited).to_have_count(0)
    await hers.get_by_test_id("joining-approve").click()
    await expect(hers.get_by_test_id("joining-nobody")).to_be_visible()
