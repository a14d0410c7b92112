"""A film with more bytes than the cell takes is made smaller before it is refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Stage, plays, until
from tests.e2e.test_publish import choose, published
from tests.e2e.test_shrink import BREAKS, LACKS, SMALL, Lengths, padded, picture, publishing
from tests.unit.media import films

MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six megabytes, of which few are a film."""
    path = tmp_path_factory.mktemp("films") / "drawn.mp4"
    return padded(films.make(path, size="360x640", seconds=1), "heavy")


async def limited(page: Page) -> None:
    """The page of a cell that takes fewer bytes."""

    async def told(route: Route) -> None:
        answer = await route.fetch()
        cell = await answer.json()
        cell["limits"]["max_upload_bytes"] = MOST_BYTES
        await route.fulfill(response=answer, json=cell)

    await page.route("**/api/cell", told)
    async with page.expect_response("**/api/cell"):
        await page.goto("/publish")
    # "at most 5 MB": the limit has come.
    await expect(page.get_by_test_id("publish-choose")).to_contain_text("5")


@pytest.mark.parametrize("locale", ["en", "fr"])
async def test_film_above_the_limit_is_sent_smaller(
    cell: Cell, stage: Stage, film: Path, tmp_path: Path, locale: str
) -> None:
    page = await publishing(stage, await cell.member("heavy", locale=locale))
    await limited(page)
    lengths = Lengths()
    await lengths.watch(page)
    await choose(page, film, "Heavy")
    note = page.get_by_test_id("must-shrink")
    await expect(note).to_contain_text("smaller on this device" if locale == "en" else "appareil")
    await note.scroll_into_view_if_needed()
    await picture(page, f"must-shrink-{locale}")
    await expect(page.get_by_test_id("smaller")).to_have_count(0)
    await page.get_by_test_id("publish-post").click()
    small = tmp_path / "small.mp4"
    small.write_bytes(base64.b64decode(await until(lambda: page.evaluate(SMALL))))
    lengths.may_go.set()
    address = await published(page)
    assert lengths.told == [small.stat().st_size]
    assert small.stat().st_size < MOST_BYTES < film.stat().st_size
    assert films.digest(small, "a") == films.digest(film, "a")
    assert len(films.digest(small, "v")) == len(films.digest(film, "v"))
    await page.goto(address)
    await plays(page)


async def test_film_above_the_limit_is_refused_where_it_cannot_be_made_smaller(
    cell: Cell, stage: Stage, film: Path
) -> None:
    page = await publishing(stage, await cell.member("lacking"), LACKS)
    await limited(page)
    lengths = Lengths()
    await lengths.watch(page)
    await page.get_by_test_id("publish-file").set_input_files(film)
    await expect(page.locator("main")).to_contain_text("at most 5 MB can be sent")
    await expect(page.get_by_test_id("editor")).to_have_count(0)
    assert lengths.told == []


async def test_film_above_the_limit_is_not_sent_as_it_is_where_the_encoder_breaks(
    cell: Cell, stage: Stage, film: Path
) -> None:
    page = await publishing(stage, await cell.member("broken"), BREAKS)
    await limited(page)
    lengths = Lengths()
    await lengths.watch(page)
    await choose(page, film, "Broken")
    await expect(page.get_by_test_id("must-shrink")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_test_id("publish-post").click()
    progress = page.get_by_test_id("publish-progress")
    await expect(progress).to_contain_text("could not be made smaller", timeout=PATIENCE_MS)
    await picture(page, "not-small-enough")
    await expect(page.get_by_test_id("smaller-skip")).to_have_count(0)
    # Back in the editor, all is as it was; nothing was sent.
    await page.get_by_test_id("upload-cancel").click()
    await expect(page.get_by_test_id("publish-caption")).to_have_value("Broken")
    await expect(page.get_by_test_id("must-shrink")).to_be_visible()
    assert lengths.told == []
