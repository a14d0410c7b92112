"""What an order keeps from a country says so there: who ordered it, and what one can do."""

from __future__ import annotations

import asyncio
import os
import sys

from playwright.async_api import expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays
from tests.e2e.test_accessibility import faults

IN_FRANCE = {"extra_http_headers": {"x-country": "FR"}}
ORDER = (
    *("--in", "FR", "--by", "Tribunal judiciaire de Paris", "--law", "Loi 2004-575, article 6"),
    *("--why", "The court found the caption to be defamatory."),
    *("--appeal", "Cour d’appel de Paris, before 15 December"),
)


async def at_the_machine(cell: Cell, *words: str) -> str:
    """A command of the operator's; gives what it says."""
    environment = {**os.environ, "LUCIOLE_DATA_DIR": str(cell.data)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "luciole", *words, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()
    return said.decode()


async def test_withheld_clip_says_why_and_what_one_can_do(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    ana, ben = await cell.member("ana"), await cell.member("ben")
    clip = await ana.clip(tiny_film, caption="What they do not want you to see")
    await at_the_machine(cell, "withhold", "add", "--clip", clip["id"], *ORDER)

    # Elsewhere it plays.
    abroad = await stage.phone(ben, f"/c/{clip['id']}")
    await plays(abroad, clip["id"])

    # There it is 451, to a machine as well, and says who, why and what to do.
    page = await stage.phone(ben, **IN_FRANCE)
    answer = await page.goto(f"/c/{clip['id']}")
    assert answer is not None
    assert answer.status == 451
    panel = page.get_by_test_id("withheld")
    await expect(panel).to_contain_text("withheld where you are", timeout=PATIENCE_MS)
    await expect(panel).to_contain_text("Tribunal judiciaire de Paris")
    await expect(panel).to_contain_text("Cour d’appel de Paris")
    assert await faults(page) == []
    await page.get_by_test_id("read-notice").click()
    await expect(page.get_by_test_id("notice-page")).to_contain_text("In force")
    await page.get_by_test_id("notice-check").locator("summary").click()
    assert await faults(page) == []
    await page.get_by_role("link", name="Notices").click()
    await expect(page.get_by_test_id("notice-line").first).to_contain_text("France")
    await page.get_by_role("link", name="Orders of governments").click()
    await expect(page.get_by_test_id("order-line").first).to_contain_text("asked to withhold")
    assert await faults(page) == []

    # Its author is told, sees it, and reads the notice in French.
    mine = await stage.phone(ana, "/notifications", locale="fr-FR", **IN_FRANCE)
    line = mine.locator('[data-testid="notice"][data-kind="withheld"]')
    for _ in range(20):
        if await line.count():
            break
        await asyncio.sleep(4)
        await mine.reload()
        await expect(mine.get_by_role("heading", level=1)).to_be_visible()
    await line.locator("a").click()
    await expect(mine.get_by_test_id("notice-facts")).to_contain_text("Cour d’appel de Paris")
    await mine.goto(f"/c/{clip['id']}")
    await plays(mine, clip["id"])


async def test_withheld_person_says_why(cell: Cell, stage: Stage, tiny_film: bytes) -> None:
    ana = await cell.member("ana")
    await ana.clip(tiny_film)
    said = await at_the_machine(cell, "withhold", "add", "--person", ana.handle, *ORDER)
    page = await stage.phone(None, f"/@{ana.handle}", locale="fr-FR", **IN_FRANCE)
    panel = page.get_by_test_id("withheld")
    await expect(panel).to_contain_text("bloquée là où vous êtes", timeout=PATIENCE_MS)
    assert await faults(page) == []
    notice_id = said.splitlines()[1].rpartition("/")[2]
    await at_the_machine(cell, "withhold", "lift", notice_id, "--why", "Overturned on appeal")
    await page.reload()
    await expect(page.get_by_test_id("profile")).to_contain_text("Ana")
