"""Letting a clip leave its region, what one is shown before, and what is shown of it afterwards."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio
from playwright.async_api import Page, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, until
from tests.e2e.test_publish import choose, published

from luciole.border import wire
from luciole.kit import postgres
from luciole.kit.ids import new_id

ADD = """
INSERT INTO border.peer (name, cell_id, origin, passport, display_name, operator, jurisdiction,
                         border_key, log_keys, witness_keys)
VALUES ('sg', $1, 'https://sg.invalid', '{}', 'Luciole Singapore', 'Merlion Clips Pte. Ltd.', 'SG',
        $2, '{}', '{}')
"""
TAKE = "DELETE FROM border.offer WHERE peer = 'sg' RETURNING id, ref, kind"
NEWS = """
INSERT INTO border.news (crossing, ref, kind, peer, state, receipt)
VALUES ($1, $2, $3, 'sg', 'sent', $4)
"""
ARRIVE = """
INSERT INTO border.arrival (crossing, peer, kind, place, body) VALUES ($1, 'sg', $2, $3, $4)
"""
NOTIFY = "SELECT pg_notify($1, '')"
FOLDER = os.environ.get("LUCIOLE_PICTURES", "")


class Elsewhere:
    """The cell `sg`, played at the tables of the border."""

    def __init__(self, owner: Any) -> None:
        self._owner, self._place = owner, 0

    async def takes(self) -> list[str]:
        """It gets what waits, and signs that it did; gives of which kinds."""
        taken = await self._owner.fetch(TAKE)
        for row in taken:
            receipt = f'{{"crossing":"{row["id"]}","verdict":"accepted"}}\n\n— sg AbCdEf…'
            await self._owner.execute(NEWS, row["id"], row["ref"], row["kind"], receipt)
        await self._owner.execute(NOTIFY, "luciole_news")
        return sorted(row["kind"] for row in taken)

    async def says(self, *crossings: wire.Crossing) -> None:
        for crossing in crossings:
            self._place += 1
            kind: Any = crossing.__struct_config__.tag
            body = wire.encode(crossing)
            await self._owner.execute(ARRIVE, new_id(), kind, self._place, body)
        await self._owner.execute(NOTIFY, "luciole_arrivals")


@pytest_asyncio.fixture(loop_scope="session")
async def sg(cell: Cell) -> AsyncIterator[Elsewhere]:
    server = postgres.Server(cell.data / "postgres", Path(os.devnull))
    owner = await asyncpg.connect(server.url())
    await owner.execute(ADD, new_id(), sha256(b"sg").digest())
    yield Elsewhere(owner)
    await owner.execute("DELETE FROM border.peer WHERE name = 'sg'")
    await owner.close()


async def picture(page: Page, name: str) -> None:
    """A picture to look at, where a folder for them is named."""
    if FOLDER:
        await page.wait_for_timeout(700)
        await page.screenshot(path=f"{FOLDER}/{name}.png")


async def brought(cell: Cell, sg: Elsewhere, member: Member, film: bytes) -> dict[str, Any]:
    """A clip of Wei of sg, with the film of a clip of here."""
    clip = await member.clip(film)
    first = clip["renditions"][0]
    files = []
    folder = cell.data / "border" / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    for url, name in ((first["url"], "540-1.mp4"), (clip["poster_url"], "poster-1.webp")):
        content = (await member.api.get(url)).content
        digest = sha256(content).hexdigest()
        (folder / digest).write_bytes(content)
        files.append(wire.File(f"/media/p/x/{name}", digest, len(content)))
    await member.api.delete(f"/api/clips/{clip['id']}")
    place = "https://sg.invalid/ap"
    wei = wire.Person(f"{place}/people/{new_id()}", "wei", "Wei Ling", "Ferries and rain.")
    made = wire.Clip(
        uri=f"{place}/clips/{new_id()}",
        by=wei.uri,
        caption="The last ferry, with @mei #harbour",
        films=[wire.Film("540p", files[0], first["width"], first["height"])],
        still=files[1],
        duration_ms=clip["duration_ms"],
        made_with_ai=False,
        comments=True,
        published_at="2026-11-20T08:00:00Z",
    )
    await sg.says(wei, made)

    async def there() -> Any:
        answer = await member.api.get("/api/people/wei@sg/clips")
        return answer.json()["items"] if answer.is_success else None

    return dict((await until(there))[0])


async def test_clip_leaves_after_the_sheet_and_is_called_back(
    cell: Cell, stage: Stage, sg: Elsewhere, phone_film: Path
) -> None:
    mina = await cell.member("mina")
    page = await stage.phone(mina, "/publish")
    await choose(page, phone_film, "Low tide #herons")
    reach = page.get_by_test_id("reach")
    await expect(page.get_by_test_id("reach-region")).to_be_checked()
    await reach.scroll_into_view_if_needed()
    await picture(page, "composer")
    # Staying is as good an answer.
    await reach.get_by_text("Other cells").click()
    sheet = page.get_by_test_id("crossing-sheet")
    await expect(sheet.get_by_test_id("sheet-to")).to_contain_text("Merlion Clips Pte. Ltd.")
    await expect(sheet.get_by_test_id("sheet-countries")).to_contain_text("Singapore SG")
    await picture(page, "sheet")
    await sheet.get_by_test_id("sheet-no").click()
    await expect(page.get_by_test_id("reach-region")).to_be_checked()
    assert (await mina.api.get("/api/me/abroad")).json()["consents"] == []
    await reach.get_by_text("Other cells").click()
    await sheet.get_by_test_id("sheet-yes").click()
    await expect(page.get_by_test_id("reach-cells")).to_be_checked()
    await picture(page, "composer-cells")
    await page.get_by_test_id("publish-post").click()
    address = await published(page)

    async def taken() -> list[str]:
        return await sg.takes()

    assert "clip" in await until(taken)
    await page.goto("/settings/data")
    await page.get_by_test_id("to-crossings").click()
    crossing = page.get_by_test_id("crossing").first
    await expect(crossing).to_have_attribute("data-kind", "clip", timeout=PATIENCE_MS)
    await page.reload()
    await expect(crossing).to_have_attribute("data-state", "crossed", timeout=PATIENCE_MS)
    await picture(page, "crossings")
    await crossing.get_by_test_id("crossing-receipt").click()
    await expect(page.get_by_test_id("crossing-signed")).to_contain_text("accepted")
    await picture(page, "receipt")
    await page.keyboard.press("Escape")
    await crossing.get_by_test_id("crossing-revoke").click()

    async def recalled() -> bool:
        return "gone" in await sg.takes()

    await until(recalled)
    await page.reload()
    await expect(crossing).to_have_attribute("data-kind", "gone", timeout=PATIENCE_MS)
    place = (await mina.api.get(f"/api/clips/{address.rsplit('/', 1)[1]}/reach")).json()
    assert place["reach"] == "region"


async def test_somebody_of_another_cell_is_marked_and_a_comment_stays_unless_asked(
    cell: Cell, stage: Stage, sg: Elsewhere, tiny_film: bytes
) -> None:
    mina = await cell.member("mina", locale="fr")
    clip = await brought(cell, sg, mina, tiny_film)
    page = await stage.phone(mina, f"/c/{clip['id']}", locale="fr-FR")
    slide = page.locator(f'[data-clip="{clip["id"]}"]')
    await expect(slide.get_by_test_id("home")).to_contain_text("sg")
    await expect(slide.get_by_text("@mei")).to_have_attribute("href", "/@mei@sg")
    await picture(page, "slide")
    await slide.get_by_test_id("comments").click()
    await page.get_by_test_id("comment-text").fill("D’ici, merci !")
    await page.get_by_test_id("comment-send").click()
    await expect(page.get_by_test_id("comment")).to_have_count(1)
    assert await sg.takes() == []
    await page.get_by_test_id("comment-crosses").click()
    sheet = page.get_by_test_id("crossing-sheet")
    await expect(sheet.get_by_test_id("sheet-leaves")).to_contain_text("commentaire")
    await expect(sheet.get_by_test_id("sheet-countries")).to_contain_text("Singapour SG")
    await picture(page, "sheet-fr")
    await sheet.get_by_test_id("sheet-yes").click()
    await expect(page.get_by_test_id("comment-crosses")).to_be_checked()
    await page.get_by_test_id("comment-text").fill("Et pour vous là-bas.")
    await page.get_by_test_id("comment-send").click()

    async def taken() -> list[str]:
        return await sg.takes()

    assert await until(taken) in (["comment", "person"], ["comment"], ["person"])
    await picture(page, "comments-fr")
    await page.goto("/@wei@sg")
    await expect(page.get_by_test_id("profile").get_by_test_id("home")).to_contain_text("sg")
    await picture(page, "profile")
    await page.goto("/settings/crossings")
    await expect(page.get_by_test_id("crossing").first).to_be_visible()
    await picture(page, "crossings-fr")
