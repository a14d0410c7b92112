"""A block list points at a clip, which stays; a moderator reads on what it rests, and decides."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays
from tests.e2e.test_accessibility import faults
from tests.e2e.test_notices import at_the_machine
from tests.e2e.test_safety import at_work, nothing_waits, own_film

from luciole import config, reach
from luciole.kit.db import Database

# Long enough for the round of a minute that goes through older clips.
ROUND_MS = 120_000


async def hashes(cell: Cell, clip_id: str) -> list[str]:
    """Of the stills of a clip, as whoever keeps a list would have them."""
    settings = config.load({"LUCIOLE_DATA_DIR": str(cell.data)})
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, role=None, size=1)
        try:
            async with database.read() as tx:
                rows = await tx.fetch(
                    "SELECT s.pdq FROM media.still s JOIN clips.clip c ON c.asset_id = s.asset_id "
                    "WHERE c.id::text = $1 AND s.quality >= 50",
                    clip_id,
                )
        finally:
            await database.close()
    return [row["pdq"].hex() for row in rows]


async def test_a_list_points_and_a_moderator_decides(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    await nothing_waits(cell)
    ana, ben, max_ = [await cell.member(name) for name in ("ana", "ben", "max")]
    clip = await ana.clip(own_film(tmp_path, 2.6), caption="Seen somewhere else")
    listed = tmp_path / "hashes.txt"
    found = await hashes(cell, clip["id"])
    assert found
    # Three bits away from what is listed.
    listed.write_text(f"{int(found[0], 16) ^ 0b111:064x}\n")
    words = ("--name", "shared-hashes", "--version", "2026-11", "--category", "violence")
    said = await at_the_machine(cell, "blocklist", "load", str(listed), *words)
    assert "It decides nothing" in said

    desk = await at_work(cell, stage, max_)
    suggestion = desk.get_by_test_id("suggestion").first
    for _ in range(ROUND_MS // 5000):
        await desk.keyboard.press("n")
        if await suggestion.count():
            break
        await desk.wait_for_timeout(5000)
    await expect(suggestion).to_contain_text("shared-hashes")
    await expect(suggestion).to_contain_text("of 256 bits differ")
    await expect(suggestion).to_contain_text("Nobody has decided")
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "suggestion.png", full_page=True)
    # Nobody has been kept from anything.
    bens = await stage.phone(ben, f"/c/{clip['id']}")
    await plays(bens, clip["id"])

    # A moderator who works on a phone reads the same.
    await desk.set_viewport_size({"width": 390, "height": 844})
    await desk.screenshot(path=tmp_path / "suggestion-phone.png", full_page=True)
    await desk.keyboard.press("a")
    await desk.get_by_test_id("acts").get_by_text("Removed").click()
    await desk.get_by_test_id("decision-ground").fill("Terms, section 4")
    await desk.get_by_test_id("decision-why").fill("The terms allow no threats.")
    await desk.get_by_test_id("decision-facts").fill("Somebody is threatened with a beating.")
    await desk.get_by_test_id("decision-send").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)

    # Whom it is about reads that a machine has pointed, and people decided.
    anas = await stage.phone(ana, "/notifications")
    await anas.locator('[data-testid="notice"][data-kind="decision"] a').click()
    await expect(anas.get_by_test_id("statement-facts")).to_contain_text("A machine has pointed")
    await anas.screenshot(path=tmp_path / "statement.png", full_page=True)
    assert "1 confirmed" in await at_the_machine(cell, "blocklist", "list")
    await at_the_machine(cell, "blocklist", "remove", "shared-hashes")
