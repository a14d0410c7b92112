"""Taking everything along, bringing it to another account, and leaving for good."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from tests.e2e.stage import PASSWORD, PATIENCE_MS, Cell, Member, Stage

PLACE = "/settings/data"


async def exported(page: Page, to: Path) -> Path:
    """Makes an export and downloads it."""
    await page.get_by_test_id("export-start").click()
    row = page.get_by_test_id("export").first
    await expect(row).to_have_attribute("data-state", "ready", timeout=PATIENCE_MS)
    async with page.expect_download() as download:
        await row.get_by_test_id("export-file").click()
    got = await download.value
    assert re.fullmatch(r"luciole-[a-z0-9.]+-\d{4}-\d\d-\d\d\.zip", got.suggested_filename)
    await got.save_as(to)
    return to


async def asked_to_leave(page: Page, member: Member, *, now: bool = False) -> None:
    await page.get_by_test_id("leave-open").click()
    sheet = page.get_by_test_id("leave-sheet")
    if now:
        await sheet.get_by_test_id("leave-waive").check()
    await expect(sheet.get_by_test_id("leave-confirm")).to_be_disabled()
    await sheet.get_by_test_id("leave-handle").fill(f"@{member.handle}")
    await sheet.get_by_test_id("leave-confirm").click()
    await expect(page.get_by_test_id("leave-ticket")).to_be_visible()


async def ticket_of(page: Page) -> str:
    address = await page.get_by_test_id("leave-ticket").locator("code").inner_text()
    return address.rsplit("/", 1)[1]


async def test_export_is_made_downloaded_deleted_and_brought_to_a_new_account(
    cell: Cell, stage: Stage, tiny_film: bytes, tmp_path: Path
) -> None:
    member = await cell.member("mover", display_name="Noor Moth")
    await member.patch(bio="Films moths.")
    await member.clip(tiny_film, caption="A moth #glow")
    page = await stage.phone(member, PLACE)
    file = await exported(page, tmp_path / "mine.zip")
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert "manifest.json" in archive.namelist()
    await expect(page.get_by_test_id("export")).to_contain_text("Kept here until")
    await page.get_by_test_id("export-delete").click()
    await expect(page.get_by_test_id("export")).to_have_count(0)

    newcomer = await cell.member("newcomer")
    other = await stage.phone(newcomer, "/settings/import")
    await other.get_by_test_id("import-file").set_input_files(file)
    await other.get_by_test_id("cell-import-send").click()
    brought = other.get_by_test_id("cell-import")
    await expect(brought).to_have_attribute("data-state", "done", timeout=PATIENCE_MS)
    await expect(brought).to_contain_text("Clips: taken in")
    assert (await newcomer.api.get("/api/me")).json()["bio"] == "Films moths."


@pytest.mark.long
async def test_what_shows_everything_wants_a_fresh_proof_and_goes_on_by_itself(
    cell: Cell, stage: Stage
) -> None:
    page = await stage.phone(await cell.member("prover"), PLACE)
    refusal = {"code": "proof-needed", "sentence": "", "next_step": ""}
    refused: list[str] = []

    async def refuse_once(route: Route) -> None:
        if route.request.method == "POST" and not refused:
            refused.append(route.request.url)
            await route.fulfill(status=403, json=refusal)
        else:
            await route.continue_()

    await page.route("**/api/me/exports", refuse_once)
    await page.get_by_test_id("export-start").click()
    sheet = page.get_by_role("dialog", name="Is it you?")
    await sheet.get_by_test_id("prove-password").fill("not the password")
    await sheet.get_by_test_id("prove-submit").click()
    await expect(sheet.get_by_test_id("problem")).to_be_visible()
    await sheet.get_by_test_id("prove-password").fill(PASSWORD)
    await sheet.get_by_test_id("prove-submit").click()
    await expect(sheet).to_be_hidden()
    await expect(page.get_by_test_id("export")).to_have_count(1)


async def test_who_leaves_is_told_until_when_and_can_stay(cell: Cell, stage: Stage) -> None:
    member = await cell.member("wavering")
    page = await stage.phone(member, PLACE)
    await asked_to_leave(page, member)
    await expect(page.get_by_test_id("leaving")).to_be_visible()
    visitor = await stage.phone(path=f"/@{member.handle}")
    await expect(visitor.get_by_test_id("problem")).to_be_visible()
    await page.goto("/settings")
    await page.get_by_test_id("leaving-soon").get_by_role("link").click()
    await page.get_by_test_id("leave-keep").click()
    await expect(page.get_by_test_id("leaving")).to_have_count(0)
    await visitor.reload()
    await expect(visitor.get_by_test_id("profile")).to_be_visible()


@pytest.mark.long
async def test_who_waives_the_grace_is_gone_and_the_ticket_tells_what_was_done(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    member = await cell.member("leaver")
    await member.clip(tiny_film, caption="The last one")
    page = await stage.phone(member, PLACE)
    await asked_to_leave(page, member, now=True)
    ticket = await ticket_of(page)
    visitor = await stage.phone(path=f"/erasure/{ticket}")
    report = visitor.get_by_test_id("erasure")
    await expect(report).to_have_attribute("data-state", "erased", timeout=PATIENCE_MS)
    await expect(report).to_contain_text("Backups cannot be read any more")
    await expect(report).to_contain_text("clips")
    # The log has an entry about it, which the browser has checked; nobody outside has seen it.
    mark = report.get_by_test_id("verdict")
    await expect(mark).to_have_attribute("data-verdict", "CANNOT TELL", timeout=PATIENCE_MS)
    await expect(report).to_contain_text("such as a witness of the log")
    await visitor.goto("/erasure/no-such-ticket")
    await expect(visitor.get_by_test_id("problem")).to_be_visible()


@pytest.mark.long
async def test_real_log_holds_what_the_page_shows(cell: Cell, stage: Stage) -> None:
    member = await cell.member("checker")
    page = await stage.phone(member, PLACE)
    await expect(page.get_by_test_id("entry").first).to_be_visible()
    mark = page.get_by_test_id("data-where").get_by_test_id("verdict").first
    await page.get_by_test_id("verify-all").click()
    # A young account waits for its first seal, and the keys come from the cell.
    await expect(mark).to_have_attribute("data-verdict", "CANNOT TELL", timeout=PATIENCE_MS)
    findings = page.get_by_test_id("findings")
    await expect(findings.locator('[data-verdict="RED"]')).to_have_count(0)
    await expect(findings.locator('[data-code="history.first"]')).to_be_visible()
    await member.api.put("/api/me/imported/suggestions", json={"handles": ["moth"]})
    await page.reload()
    newest = page.get_by_test_id("entry").first
    await expect(newest).to_have_attribute("data-kind", "import")
    await page.get_by_test_id("verify-all").click()
    await expect(mark).to_have_attribute("data-verdict", "CANNOT TELL", timeout=PATIENCE_MS)
    await expect(findings.locator('[data-code="history.extended"]')).to_be_visible()
    await expect(findings.locator('[data-verdict="RED"]')).to_have_count(0)
