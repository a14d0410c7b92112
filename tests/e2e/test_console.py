"""An operator heals a job and looks through the console; an auditor reads, in French."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, true
from tests.e2e.test_accessibility import faults
from tests.e2e.test_accounts import authenticator
from tests.e2e.test_notices import at_the_machine

from luciole.cell.console.model import PAGES
from luciole.kit import postgres
from luciole.kit.db import Database

# Jobs of a version that is gone: no worker here takes them.
STUCK = """
INSERT INTO queue.pgqueuer (priority, entrypoint, status, created, updated, execute_after)
VALUES (0, $1, 'queued', now() - interval '3 hours', now() - interval '3 hours',
        now() - interval '2 hours')
"""
NO_SIDEWAYS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


async def leave_stuck(cell: Cell, *names: str) -> None:
    server = postgres.Server(cell.data / "postgres", cell.data / "log" / "postgresql.log")
    database = await Database.open(server.url(), size=1)
    async with database.tx() as tx:
        for name in names:
            await tx.execute(STUCK, name)
    await database.close()


async def of_the_staff(cell: Cell, member: Member, page: Page, *roles: str) -> None:
    """Gives a person a passkey on this page's device, and roles."""
    await authenticator(page)
    await page.goto("/settings")
    await page.get_by_test_id("passkey-add").click()
    await expect(page.get_by_test_id("passkeys").locator("li")).to_have_count(1)
    words = [word for role in roles for word in ("--role", role)]
    await at_the_machine(cell, "staff", "add", member.handle, *words)


async def test_an_operator_heals_a_stuck_job_and_an_auditor_reads_of_it(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    ana, eve = await cell.member("ana"), await cell.member("eve")
    zoe = await cell.member("zoe", locale="fr")
    await leave_stuck(cell, "media.former", "clips.former")
    stranger = await stage.phone(ana, "/staff/jobs")
    await expect(stranger.get_by_test_id("problem")).to_contain_text("for the staff")

    # Eve begins with her passkey, on a phone, and heals one job, then the other.
    phone = await stage.phone(eve)
    await of_the_staff(cell, eve, phone, "operator")
    await phone.goto("/staff/jobs")
    begin = phone.get_by_test_id("console-begin")
    await expect(begin).to_be_visible()
    assert await faults(phone) == []
    await phone.screenshot(path=tmp_path / "begin.png", full_page=True)
    await begin.click()
    stuck = phone.get_by_test_id("console-stuck").locator("li")
    await expect(stuck).to_have_count(2, timeout=PATIENCE_MS)
    await phone.screenshot(path=tmp_path / "stuck.png", full_page=True)
    await phone.get_by_test_id("console-retry").first.click()
    await expect(phone.get_by_test_id("console-healed")).to_contain_text("1 job")
    await expect(stuck).to_have_count(1)
    await phone.get_by_test_id("console-retry").click()
    await expect(phone.get_by_test_id("console-none-stuck")).to_be_visible()

    # Every page, at both sizes: nothing runs out of the screen, and all can be read aloud.
    desk = await stage.desktop(eve)
    for page, name in ((phone, "phone"), (desk, "desktop")):
        for part in PAGES:
            await page.goto(f"/staff/{part}")
            body = page.get_by_test_id(f"console-{part}")
            await expect(body).to_be_visible()
            await expect(page.get_by_test_id("console-nav")).to_be_visible()
            await expect(body.get_by_role("status")).to_have_count(0)
            await expect(page.get_by_test_id("problem")).to_have_count(0)
            await true(page, NO_SIDEWAYS)
            assert await faults(page) == [], part
            await page.screenshot(path=tmp_path / f"{name}-{part}.png", full_page=True)
    await phone.goto("/staff")
    await expect(phone.get_by_test_id("staff-no-notices")).to_be_visible()
    # To see anything of a person, she asks, and two sign.
    await phone.get_by_test_id("ask-read-fold").locator("summary").click()
    await phone.get_by_test_id("ask-read-handle").fill(ana.handle)
    await phone.get_by_test_id("ask-read-reason").fill("Ana has written that she is locked out.")
    await phone.get_by_test_id("ask-read-purpose").select_option("account-help")
    assert await faults(phone) == []
    await phone.screenshot(path=tmp_path / "ask.png", full_page=True)
    await phone.get_by_test_id("ask-read-send").click()
    asked = phone.get_by_test_id("staff-read").filter(has_text="locked out")
    await expect(asked).to_have_count(1)

    # Zoe audits: she sees what Eve did, and nothing that does anything.
    hers = await stage.phone(zoe, locale="fr-FR")
    await of_the_staff(cell, zoe, hers, "auditor")
    await hers.goto("/staff")
    await hers.get_by_test_id("console-begin").click()
    await expect(hers.get_by_test_id("console-nav").locator("a")).to_have_count(4)
    await expect(hers.get_by_test_id("joining-facts")).to_be_visible()
    await hers.goto("/staff/policies")
    await expect(hers.get_by_test_id("console-policies")).to_be_visible()
    await hers.screenshot(path=tmp_path / "fr-policies.png", full_page=True)
    for part in ("ledger", "acts"):
        await hers.goto(f"/staff/{part}")
        await expect(hers.get_by_test_id(f"console-{part}")).to_be_visible()
        await expect(hers.get_by_test_id("problem")).to_have_count(0)
        await true(hers, NO_SIDEWAYS)
    healed = hers.locator('[data-act="retry"]')
    await expect(healed).to_have_count(2)
    await expect(healed.first).to_contain_text("a relancé une tâche")
    assert await faults(hers) == []
    await hers.screenshot(path=tmp_path / "fr-acts.png", full_page=True)
    await hers.goto("/staff/jobs")
    await expect(hers.get_by_test_id("console-not-here")).to_be_visible()
    await hers.get_by_test_id("console-end").click()
    await expect(hers.get_by_test_id("console-begin")).to_be_visible()
