"""Who may join, as a person meets it: a closed door, an invitation, a request, and terms."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect
from tests.e2e.stage import Cell, Stage
from tests.e2e.test_accounts import fill_in, keep_codes, signed_in, submit_with_password

ROOT = Path(__file__).resolve().parents[2]


async def operator(cell: Cell, *words: str) -> str:
    """What a command of the operator's says, at the machine."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LUCIOLE_DATA_DIR": str(cell.data),
        "LUCIOLE_WEB_ORIGIN": cell.origin,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "luciole", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest_asyncio.fixture(loop_scope="session")
async def door(cell: Cell) -> AsyncIterator[Cell]:
    """The cell, whose door a test may close; afterwards it is open again, and without terms."""
    yield cell
    await operator(cell, "registration", "as-set")
    for text in cell.data.parent.glob("*.md"):
        text.unlink()


async def test_a_closed_cell_says_so_and_an_invitation_opens_it(door: Cell, stage: Stage) -> None:
    await operator(door, "registration", "closed")
    page = await stage.phone()
    await page.goto("/sign-up")
    await expect(page.get_by_test_id("sign-up-closed")).to_be_visible()
    await expect(page.get_by_test_id("sign-up-submit")).to_have_count(0)

    await operator(door, "registration", "invitation")
    await page.reload()
    await expect(page.get_by_test_id("sign-up-code")).to_be_visible()
    said = await operator(door, "invite")
    link = next(line for line in said.splitlines() if line.startswith("link:")).split()[1]
    await page.goto(link.replace(door.origin, ""))
    await page.reload()
    await expect(page.get_by_test_id("invited")).to_be_visible()
    handle = door.handle("guest")
    await fill_in(page, handle)
    await submit_with_password(page)
    await keep_codes(page)
    await signed_in(page, handle)


async def test_who_asks_waits_and_comes_in_when_approved(door: Cell, stage: Stage) -> None:
    await operator(door, "registration", "approval")
    page = await stage.phone()
    await page.goto("/sign-up")
    await asks(page, "Ana Luz")
    await page.reload()
    await expect(page.get_by_test_id("request-waits")).to_be_visible()
    await operator(door, "people", "approve", (await operator(door, "people", "list")).split()[0])
    await page.get_by_test_id("look-again").click()
    await expect(page.get_by_test_id("invited")).to_be_visible()
    handle = door.handle("asked")
    await fill_in(page, handle)
    await submit_with_password(page)
    await keep_codes(page)
    await signed_in(page, handle)

    other = await stage.phone()
    await other.goto("/sign-up")
    await asks(other, "Nobody")
    waiting = (await operator(door, "people", "list")).split()[0]
    await operator(door, "people", "refuse", waiting, "--why", "We do not know each other.")
    await other.reload()
    await expect(other.get_by_test_id("refused-why")).to_have_text("We do not know each other.")


async def asks(page: Page, name: str) -> None:
    await page.get_by_test_id("request-name").fill(name)
    await page.get_by_test_id("request-words").fill("I film herons at the pond.")
    await page.get_by_test_id("request-send").click()
    await expect(page.get_by_test_id("request-waits")).to_be_visible()


async def test_terms_are_agreed_to_and_asked_about_once_when_they_change(
    door: Cell, stage: Stage
) -> None:
    terms = door.data.parent / "terms.md"
    terms.write_text("# What we expect\n\n- Be kind.\n- Film what is yours.\n")
    (door.data.parent / "imprint.md").write_text("Association Exemple, Marseille")
    page = await stage.phone()
    await page.goto("/terms")
    await expect(page.get_by_test_id("terms")).to_contain_text("Be kind.")
    await page.goto("/imprint")
    await expect(page.get_by_test_id("imprint")).to_contain_text("Marseille")
    await page.goto("/sign-up")
    handle = door.handle("agrees")
    await fill_in(page, handle)
    await page.get_by_test_id("sign-up-terms").check()
    await submit_with_password(page)
    await keep_codes(page)
    await signed_in(page, handle)
    await expect(page.get_by_test_id("agree")).to_have_count(0)

    terms.write_text("# What we expect\n\n- Be kind and brief.\n")
    await page.reload()
    await expect(page.get_by_test_id("agree")).to_be_visible()
    await page.get_by_test_id("agree").click()
    await expect(page.get_by_test_id("agree")).to_have_count(0)
    await page.reload()
    await signed_in(page, handle)
    await expect(page.get_by_test_id("agree")).to_have_count(0)


async def test_the_age_is_asked_beside_the_law_and_its_place_in_the_log(
    stage: Stage, tmp_path: Path
) -> None:
    page = await stage.phone()
    told = page.get_by_test_id("least-ages-place")
    for _ in range(30):
        await page.goto("/sign-up")
        await page.get_by_test_id("least-ages").locator("summary").click()
        await expect(told).to_be_visible()
        if "Entry" in await told.inner_text():
            break
        await asyncio.sleep(1)  # until the log has published what the start said
    await expect(told).to_contain_text("names it, so anybody can compare")
    answer = await page.request.get(str(await told.get_by_role("link").get_attribute("href")))
    place = (await answer.json())["entry"]
    assert f"Entry {place['index']} " in await told.inner_text()
    await told.scroll_into_view_if_needed()
    await page.screenshot(path=tmp_path / "least-ages.png")
