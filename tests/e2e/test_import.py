"""TikTok's archive in the browser: what it shows, what it sends, what it never sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage
from tests.tiktok import archive, named

G3 = named.HERE / "g3.zip"


async def opened(page: Page, file: Path | dict[str, Any] = G3) -> None:
    """Chooses an archive and waits until it lies open."""
    await page.get_by_test_id("import-file").set_input_files(file)  # type: ignore[arg-type]
    await expect(page.get_by_test_id("import")).to_have_attribute("data-phase", "choose")


async def arrived(page: Page) -> None:
    progress = page.get_by_test_id("import-progress")
    await expect(progress).to_have_attribute("data-phase", "done", timeout=PATIENCE_MS)


def sent_by(page: Page) -> list[Request]:
    """What the page asks of anybody from now on, besides its own files."""
    sent: list[Request] = []

    def heard(request: Request) -> None:
        if "/assets/" not in request.url and not request.url.startswith(("blob:", "data:")):
            sent.append(request)

    page.on("request", heard)
    return sent


async def test_archive_lies_open_without_a_word_to_anybody_and_refusals_have_reasons(
    cell: Cell, stage: Stage
) -> None:
    page = await stage.phone(await cell.member("noor"), "/settings/import")
    await expect(page.get_by_test_id("import-choose")).to_be_visible()
    sent = sent_by(page)
    await opened(page)
    for kind in ("messages", "logins", "devices", "ads", "shop", "autofill", "location"):
        row = page.get_by_test_id("import-refused").locator(f'[data-section="{kind}"]')
        await expect(row).to_be_visible()
        assert len(await row.locator("small").inner_text()) > 20
    strangers = page.get_by_test_id("import-strangers")
    await strangers.locator("summary").click()
    await expect(strangers).to_contain_text("Brand New Chapter › Something")
    await expect(page.get_by_test_id("tick-posts")).not_to_be_checked()
    await expect(page.get_by_test_id("import-start")).to_be_disabled()
    assert [request.url for request in sent if "/api/cell" not in request.url] == []


async def test_only_what_is_ticked_is_sent_and_nothing_of_others(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member, "/settings/import")
    await opened(page)
    sent = sent_by(page)
    for tick in ("name", "bio", "suggestions", "video", "like", "posts"):
        await page.get_by_test_id(f"tick-{tick}").check()
    await page.get_by_test_id("import-audience").get_by_text("As it was on TikTok").click()
    # Named as a phone names films: one by the post's number, one by its time, one by nothing.
    made = archive.made("G3")["Post"]["Posts"]["VideoList"]
    number = made[0]["Link"].split("/")[4]
    stamp = made[1]["Date"].removesuffix(" UTC").replace(":", ".")
    names = [f"{number}.mp4", f"{stamp}.mp4", "holiday.mp4"]
    films = [{"name": name, "mimeType": "video/mp4", "buffer": tiny_film} for name in names]
    await page.get_by_test_id("import-videos").set_input_files(films)  # type: ignore[arg-type]
    await expect(page.get_by_test_id("import-matched")).to_contain_text("2 of 3")
    waiting = page.locator('[data-testid="import-post"][data-matched="no"]').first
    await waiting.get_by_role("combobox").select_option("holiday.mp4")
    await expect(page.get_by_test_id("import-matched")).to_contain_text("3 of 3")
    await page.get_by_test_id("import-start").click()
    await arrived(page)
    await expect(page.locator('[data-testid="import-step"][data-state="done"]')).to_have_count(6)

    assert all(request.url.startswith(cell.origin) for request in sent)
    told = " ".join(request.post_data or "" for request in sent if "uploads" not in request.url)
    assert "canary" not in told
    me = (await member.api.get("/api/me")).json()
    assert (me["display_name"], me["bio"]) == ("Noor Moth�", "Films moths.\nAt night.")
    handles = (await member.api.get("/api/me/imported/suggestions")).json()["handles"]
    assert len(handles) == 8
    assert "upper.case" in handles
    items = (await member.api.get("/api/me/imported/favourites")).json()["items"]
    assert {item["kind"] for item in items} == {"video", "like"}
    clips = (await member.api.get(f"/api/people/{member.handle}/clips")).json()["items"]
    made_of = {clip["caption"][:16]: clip for clip in clips}
    assert sorted(clip["audience"] for clip in clips) == ["everyone", "friends", "only-me"]
    assert made_of["half a firefly �"]["made_with_ai"] is True
    # Nobody was followed.
    assert (await member.api.get(f"/api/people/{member.handle}")).json()["following"] == 0


@pytest.mark.long
async def test_second_import_offers_no_post_twice_and_lists_can_be_forgotten(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    page = await stage.phone(await cell.member("noor"), "/settings/import")
    await opened(page)
    await page.get_by_test_id("tick-posts").check()
    await page.get_by_test_id("tick-suggestions").check()
    made = archive.made("G3")["Post"]["Posts"]["VideoList"]
    name = f"{made[0]['Link'].split('/')[4]}.mp4"
    film = {"name": name, "mimeType": "video/mp4", "buffer": tiny_film}
    await page.get_by_test_id("import-videos").set_input_files(film)  # type: ignore[arg-type]
    await page.get_by_test_id("import-start").click()
    await arrived(page)
    await page.get_by_test_id("import-finish").click()
    brought = page.get_by_test_id("brought-suggestions")
    await brought.locator("summary").click()
    await expect(brought.get_by_role("link", name="@upper.case")).to_be_visible()
    await brought.get_by_test_id("forget-suggestions").click()
    await expect(brought).to_have_count(0)
    await opened(page)
    await page.get_by_test_id("tick-posts").check()
    await expect(page.get_by_test_id("import-post")).to_have_count(4)


@pytest.mark.long
async def test_what_cannot_be_taken_is_said_and_the_rest_arrives(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    member = await cell.member("noor")
    page = await stage.phone(member, "/settings/import")
    await opened(page)
    await page.get_by_test_id("tick-bio").check()
    await page.get_by_test_id("tick-posts").check()
    empty = {"name": "a.mp4", "mimeType": "video/mp4", "buffer": b""}
    await page.get_by_test_id("import-videos").set_input_files(empty)  # type: ignore[arg-type]
    await page.get_by_test_id("import-post").first.get_by_role("combobox").select_option("a.mp4")
    await page.get_by_test_id("import-start").click()
    await arrived(page)
    failed = page.locator('[data-testid="import-step"][data-state="failed"]')
    await expect(failed).to_have_count(1)
    await expect(failed).to_contain_text("empty")
    assert (await member.api.get("/api/me")).json()["bio"] == "Films moths.\nAt night."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("text-nl.zip", "pick JSON"),
        ("bad/cut.zip", "damaged"),
        ("bad/bomb.zip", "more than this page can hold"),
        ("bad/photos.zip", "no data file"),
    ],
)
async def test_file_that_is_no_such_archive_is_answered_with_a_way_on(
    cell: Cell, stage: Stage, name: str, told: str
) -> None:
    page = await stage.phone(await cell.member("noor"), "/settings/import")
    await page.get_by_test_id("import-file").set_input_files(named.HERE / name)
    await expect(page.get_by_test_id("problem")).to_contain_text(told)
    await expect(page.get_by_test_id("import-choose")).to_be_enabled()


@pytest.mark.long
async def test_archive_of_a_busy_account_opens_while_the_page_stays_alive(
    cell: Cell, stage: Stage
) -> None:
    page = await stage.phone(await cell.member("noor", locale="fr"), "/settings/import")
    big = archive.archive("G1", size=archive.REALISTIC)
    await opened(page, {"name": "TikTok_Data.zip", "mimeType": "application/zip", "buffer": big})
    await expect(page.get_by_test_id("import-offers")).to_contain_text("3\u202f491")
    assert json.dumps(await page.evaluate("Object.keys(localStorage)")).find("canary") < 0
