"""Two cells in the browser: what crosses is seen while it crosses, and a guardian that is away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Browser, expect
from tests.border.conftest import Cell as Running
from tests.border.conftest import cell_in, peered, running, until
from tests.border.test_two_cells import offer
from tests.e2e.conftest import DIST
from tests.e2e.stage import PATIENCE_MS, Cell, Stage
from tests.e2e.test_accessibility import faults

from luciole.ask.client import Custody

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """`us`, whose keys `sg` guards, and `sg`, not peers yet. Each test has its own: one of them
    stops `sg`."""
    assert DIST.exists(), "Build the web client first: python web/build.py"
    folder = tmp_path_factory.mktemp("cells")
    us, sg = cell_in(folder, "us"), cell_in(folder, "sg")
    us.settings = replace(us.settings, keys=replace(us.settings.keys, guardian="sg"))
    with running(us, sg):
        yield us, sg


@pytest_asyncio.fixture(loop_scope="session")
async def window(
    both: tuple[Running, Running], browser: Browser
) -> AsyncIterator[tuple[Stage, Running, Running]]:
    """A browser at `us`, once both are peers."""
    us, sg = both
    await peered(us, sg)
    stage = Stage(Cell(us.settings.origin, us.settings.data), browser)
    yield stage, us, sg
    await stage.close()
    await stage.cell.close()
    for one in both:
        await one.close()


async def test_crossing_is_seen_live_and_opens_to_what_the_log_has(
    window: tuple[Stage, Running, Running],
) -> None:
    stage, us, _ = window
    page = await stage.phone(path="/glass")
    peer = page.get_by_test_id("glass-peer")
    await expect(peer).to_have_attribute("data-verdict", "GREEN", timeout=PATIENCE_MS)
    # Its logs are mirrored here; the whole page is drawn anew every half a minute.
    mirror = peer.get_by_test_id("glass-mirror")
    await expect(mirror).to_contain_text("Crossings up to", timeout=2 * PATIENCE_MS)
    gone = page.locator('[data-testid="glass-crossing"][data-wire="gone"]')
    before = await gone.count()
    number, _ = await offer(us, "sg")
    # Without a reload.
    await expect(gone).to_have_count(before + 1, timeout=PATIENCE_MS)
    await expect(gone.first).to_have_attribute("data-kind", "out")
    await expect(gone.first).to_contain_text("its author published it")
    await gone.first.locator("summary").click()
    (said,) = [one for one in await us.entries() if one.get("id") == str(number)]
    entry = gone.first.get_by_test_id("glass-entry")
    await expect(entry).to_contain_text(str(number))
    await expect(entry).to_contain_text(said["sha256"])
    assert await faults(page) == []
    await expect(page.get_by_test_id("glass-commands")).to_contain_text("crossings us=")
    # At the other cell, the same crossing came in.
    there = await stage.desktop(path="/glass", base_url=window[2].settings.origin)
    came = there.locator('[data-testid="glass-crossing"][data-kind="in"][data-wire="gone"]').first
    await came.locator("summary").click()
    await expect(came.get_by_test_id("glass-entry")).to_contain_text(str(number))


async def test_guardian_that_is_away_is_told_in_words_and_the_rest_goes_on(
    window: tuple[Stage, Running, Running],
) -> None:
    stage, us, sg = window
    operator = Custody.at(us.settings.custody_dir / "operator.sock")

    async def in_office() -> bool:
        state = await operator.guardian("status")
        return state.is_on and not state.left and not state.fault

    await until(in_office, 60)
    await operator.close()
    ana = await stage.cell.member("ana")
    answer = await ana.api.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    assert answer.status_code == 200, answer.text
    assert sg.process is not None
    await asyncio.to_thread(sg.process.stop)
    # What the key broker holds in memory would do for a quarter of an hour more.
    note = json.loads((us.settings.data / "run" / "running.json").read_text())
    os.kill(note["children"]["custody"][0], signal.SIGKILL)

    async def refused() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            answer = await ana.api.get("/api/me/contacts")
            return answer.status_code == 503 and answer.json()["code"] == "guardian-away"
        return False

    await until(refused, 60)
    page = await stage.phone(ana, "/settings")
    contacts = page.locator("#contacts")
    told = contacts.get_by_test_id("problem")
    await expect(told).to_contain_text("Another cell holds the second key to your data")
    await expect(told).to_contain_text("Nothing is lost")
    assert await faults(page) == []
    await ana.patch(locale="fr")
    await page.reload()
    await expect(told).to_contain_text("Une autre cellule détient la seconde clé")
    # Who she is, and what is public, goes on.
    await page.goto("/latest")
    await expect(page.get_by_test_id("nav-profile")).to_have_attribute("href", f"/@{ana.handle}")
