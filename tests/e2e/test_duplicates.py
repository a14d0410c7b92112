"""Films that look alike stand side by side; a moderator on a phone parts one and decides; what is
uploaded again afterwards is shown beside the film that was removed."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage
from tests.e2e.test_accessibility import faults
from tests.e2e.test_safety import at_work, nothing_waits
from tests.unit.media import films

# Until the worker has looked at a film, and put a case to another.
ROUNDS = 24


async def report(by: Member, clip_id: str, why: str) -> None:
    body = {"what": "clip", "name": clip_id, "category": "violence", "explanation": why}
    answer = await by.api.post("/api/reports", json=body)
    assert answer.status_code == 201, answer.text


async def test_alike_films_are_parted_decided_and_found_again(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    await nothing_waits(cell)
    ana, ben, max_ = [await cell.member(name) for name in ("ana", "ben", "max")]
    film, copy = tmp_path / "film.mp4", tmp_path / "copy.mp4"
    films.make(film, "-vf", "rotate=1.2", size="270x480", seconds=4, rate=10)
    smaller = ("-vf", "scale=180:320", "-preset", "ultrafast", "-crf", "34")
    films.run("-ss", "1", "-i", str(film), *smaller, str(copy))
    first = await ana.clip(film.read_bytes(), caption="A line of a play")
    second = await ana.clip(copy.read_bytes(), caption="The same line, smaller")
    await report(ben, first["id"], "He says what he will do to her.")
    await report(ben, second["id"], "Here he says it again.")

    desk = await at_work(cell, stage, max_)
    await desk.set_viewport_size({"width": 390, "height": 844})
    alike = desk.get_by_test_id("alike")
    for _ in range(ROUNDS):
        if "1 waiting" in await desk.get_by_test_id("review-queue").inner_text():
            break
        await desk.wait_for_timeout(5000)
        await desk.reload()
    await desk.get_by_test_id("review-next").click()
    await expect(alike).to_contain_text("2 films")
    await expect(desk.get_by_test_id("veiled")).to_have_count(2)
    await expect(desk.get_by_test_id("alike-why").first).to_contain_text("of 3 stills")
    # Side by side, on a phone too.
    boxes = [await one.bounding_box() for one in await desk.get_by_test_id("veiled").all()]
    assert boxes[0]
    assert boxes[1]
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 8
    assert boxes[1]["x"] > boxes[0]["x"]
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "alike-phone.png", full_page=True)
    await desk.keyboard.press("a")
    await expect(desk.get_by_test_id("case")).to_contain_text("decided for all 2 films")
    await desk.keyboard.press("Escape")

    # The same in French.
    await max_.patch(locale="fr")
    await desk.reload()
    await desk.get_by_test_id("review-next").click()
    await expect(alike).to_contain_text("2 vidéos qui se ressemblent")
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "alike-french.png", full_page=True)
    await max_.patch(locale="en")
    await desk.reload()
    await desk.get_by_test_id("review-next").click()

    # She takes one out: it goes with its report, and the rest is a case like any.
    subject = desk.locator(f'[data-testid="subject"][data-clip="{second["id"]}"]')
    await subject.get_by_test_id("part").click()
    await expect(alike).to_have_count(0)
    await expect(desk.get_by_test_id("case-report")).to_have_count(1)
    await expect(desk.get_by_test_id("case-report")).to_contain_text("what he will do to her")
    await desk.screenshot(path=tmp_path / "parted.png", full_page=True)
    await desk.keyboard.press("a")
    await desk.get_by_test_id("acts").get_by_text("Removed").click()
    await desk.get_by_test_id("decision-ground").fill("Terms, section 4")
    await desk.get_by_test_id("decision-why").fill("The terms allow no threats.")
    await desk.get_by_test_id("decision-facts").fill("Somebody is threatened with a beating.")
    await desk.get_by_test_id("decision-answer").fill("You were right, thank you.")
    await desk.get_by_test_id("decision-send").click()

    # The other one is next, and nothing is wrong with it.
    await expect(desk.get_by_test_id("case-report")).to_contain_text("says it again")
    await desk.keyboard.press("d")
    await desk.get_by_test_id("case-answer").fill("This one is a play, and says so.")
    await desk.get_by_test_id("case-close").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)

    # What comes again is pointed at, beside what was removed.
    await ben.clip(copy.read_bytes(), caption="Look at this")
    suggestion = desk.get_by_test_id("suggestion")
    for _ in range(ROUNDS):
        await desk.keyboard.press("n")
        if await suggestion.count():
            break
        await desk.wait_for_timeout(5000)
    await expect(suggestion).to_have_attribute("data-method", "copy")
    await expect(suggestion).to_contain_text("looks like one that a decision removed")
    await expect(suggestion).to_contain_text("pairs of different films")
    await expect(suggestion.get_by_test_id("veiled")).to_have_count(1)
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "removed-phone.png", full_page=True)
    link = suggestion.get_by_test_id("removed-statement")
    statement = await desk.context.new_page()
    await statement.goto(str(await link.get_attribute("href")))
    await expect(statement.get_by_test_id("statement-facts")).to_contain_text("no threats")
    await desk.keyboard.press("d")
    await desk.get_by_test_id("case-answer").fill("This one is a play, and says so.")
    await desk.get_by_test_id("case-close").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)
