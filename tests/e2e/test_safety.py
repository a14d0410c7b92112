"""Report, decision, statement, appeal, reversal, with a browser for each of four people."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Route, expect
from tests.e2e.stage import PATIENCE_MS, Cell, Member, Stage, plays
from tests.e2e.test_accessibility import faults
from tests.e2e.test_accounts import authenticator
from tests.e2e.test_notices import at_the_machine
from tests.e2e.test_talk import look
from tests.unit.media import films

from luciole.kit import postgres
from luciole.kit.db import Database

# Tests of a process share a cell and its queue, in any order.
EMPTIED = """
UPDATE safety.review SET state = 'gone', decided_at = now(), assigned_to = NULL, assigned_at = NULL
WHERE state IN ('open', 'appealed')
"""
# As if the two hours were over.
SHIFTS_OVER = "UPDATE safety.shift SET ends_at = now() WHERE ends_at > now()"
ANSWER = "We have looked at it again, all of it."


async def nothing_waits(cell: Cell) -> None:
    """What other tests left in the queue of moderators is gone."""
    await run(cell, EMPTIED)


async def run(cell: Cell, statement: str) -> None:
    """Runs a statement in the cell's database, as nobody but a test does."""
    server = postgres.Server(cell.data / "postgres", cell.data / "log" / "postgresql.log")
    database = await Database.open(server.url(), size=1)
    async with database.tx() as tx:
        await tx.execute(statement)
    await database.close()


def own_film(folder: Path, turned: float) -> bytes:
    """A film of this test alone: of films that look alike, reports are one case."""
    options = ("-vf", f"rotate={turned}")
    return films.make(folder / "own.mp4", *options, size="90x160", seconds=2, rate=15).read_bytes()


async def at_work(cell: Cell, stage: Stage, member: Member) -> Page:
    """A moderator with a passkey, at work."""
    page = await stage.desktop(member)
    await authenticator(page)
    await page.goto("/settings")
    await page.get_by_test_id("passkey-add").click()
    await expect(page.get_by_test_id("passkeys").locator("li")).to_have_count(1)
    await at_the_machine(cell, "staff", "add", member.handle, "--role", "moderator")
    await page.goto("/review")
    await page.get_by_test_id("review-begin").click()
    await expect(page.get_by_test_id("review-queue")).to_be_visible(timeout=PATIENCE_MS)
    assert await faults(page) == []
    return page


async def test_from_report_to_reversal(cell: Cell, stage: Stage, tmp_path: Path) -> None:
    await nothing_waits(cell)
    film = own_film(tmp_path, 0.6)
    names = ("ben", "max", "eve")
    ben, max_, eve = [await cell.member(name) for name in names]
    ana = await cell.member("ana", locale="fr")
    clip = await ana.clip(film, caption="A line of a play")

    # Ben reports the clip, on his phone.
    bens = await stage.phone(ben, f"/c/{clip['id']}")
    await plays(bens, clip["id"])
    await bens.get_by_test_id("away").first.click()
    await bens.get_by_test_id("report-open").click()
    await bens.get_by_test_id("report-category").select_option("violence")
    await bens.get_by_test_id("report-why").fill("He says what he will do to her.")
    assert await faults(bens) == []
    await bens.screenshot(path=tmp_path / "report.png")
    await bens.get_by_test_id("report-submit").click()
    await expect(bens.get_by_test_id("report-sent")).to_be_visible()

    # Max takes the case, sees it blurred and muted, and decides by the keys.
    desk = await at_work(cell, stage, max_)
    await desk.keyboard.press("n")
    await expect(desk.get_by_test_id("case-report")).to_contain_text("what he will do to her")
    veiled = desk.get_by_test_id("veiled")
    await expect(veiled).to_have_attribute("data-clear", "false")
    await expect(veiled).to_have_attribute("data-muted", "true")
    await expect(desk.get_by_test_id("case")).not_to_contain_text(ben.handle)
    await desk.keyboard.press("r")
    await expect(veiled).to_have_attribute("data-clear", "true")
    await desk.keyboard.press("a")
    await desk.get_by_test_id("acts").get_by_text("Removed").click()
    await desk.get_by_test_id("decision-ground").fill("Terms, section 4")
    await desk.get_by_test_id("decision-why").fill("The terms allow no threats.")
    await desk.get_by_test_id("decision-facts").fill("Somebody is threatened with a beating.")
    await desk.get_by_test_id("decision-answer").fill("You were right, thank you.")
    assert await faults(desk) == []
    await desk.screenshot(path=tmp_path / "decide.png", full_page=True)
    await desk.get_by_test_id("decision-send").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)

    # Ben meets the reasons in its place, and reads what became of his report.
    await bens.goto(f"/c/{clip['id']}")
    removed = bens.get_by_test_id("removed")
    await expect(removed).to_contain_text("no threats", timeout=PATIENCE_MS)
    assert await faults(bens) == []
    await bens.goto("/reports")
    await expect(bens.get_by_test_id("report")).to_contain_text("You were right, thank you.")
    assert await faults(bens) == []

    # Ana was told, in French, and appeals; she sees until when it will be answered.
    anas = await stage.phone(ana, "/notifications", locale="fr-FR")
    await anas.locator('[data-testid="notice"][data-kind="decision"] a').click()
    await expect(anas.get_by_test_id("statement-state")).to_have_text("En vigueur")
    await anas.get_by_test_id("appeal-why").fill("C'est une réplique de théâtre.")
    assert await faults(anas) == []
    await anas.screenshot(path=tmp_path / "statement.png", full_page=True)
    await anas.get_by_test_id("appeal-send").click()
    await expect(anas.get_by_test_id("appeal")).to_have_attribute("data-outcome", "waiting")
    await expect(anas.get_by_test_id("appeal")).to_contain_text("au plus tard")

    # Max does not get it again; Eve does, and reverses it.
    await desk.keyboard.press("n")
    await expect(desk.get_by_test_id("review-empty")).to_be_visible()
    other = await at_work(cell, stage, eve)
    await other.keyboard.press("n")
    await expect(other.get_by_test_id("case-appeal")).to_contain_text("théâtre")
    await other.keyboard.press("v")
    await other.get_by_test_id("case-answer").fill(ANSWER)
    assert await faults(other) == []
    await other.screenshot(path=tmp_path / "appeal.png", full_page=True)
    await other.get_by_test_id("case-close").click()
    await expect(other.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)

    # It is back, and Ana knows.
    await bens.goto(f"/c/{clip['id']}")
    await plays(bens, clip["id"])
    await anas.reload()
    await expect(anas.get_by_test_id("statement-state")).to_have_text("Annulée")
    await expect(anas.get_by_test_id("appeal")).to_contain_text(ANSWER)


async def test_notice_without_an_account_finds_its_outcome_and_appeals(
    cell: Cell, stage: Stage, tmp_path: Path
) -> None:
    await nothing_waits(cell)
    ana, max_ = [await cell.member(name) for name in ("ana", "max")]
    clip = await ana.clip(own_film(tmp_path, 1.9))
    page = await stage.phone(None, f"/report?address=/c/{clip['id']}")
    await page.get_by_test_id("report-category").select_option("illegal-or-harmful-speech")
    await page.get_by_test_id("notice-why").fill("The second sentence calls for violence.")
    await page.get_by_test_id("notice-faith").check()
    assert await faults(page) == []
    await page.screenshot(path=tmp_path / "notice.png", full_page=True)
    await page.get_by_test_id("notice-send").click()
    code = await page.get_by_test_id("notice-code").inner_text()
    await page.goto("/report")
    await page.get_by_test_id("outcome-code").fill(code)
    await page.get_by_test_id("outcome-look").click()
    await expect(page.get_by_test_id("outcome")).to_have_attribute("data-outcome", "waiting")
    await expect(page.get_by_test_id("appeal-form")).to_have_count(0)

    # Max finds nothing wrong. Whoever has the code reads that, until when to appeal, and does.
    desk = await at_work(cell, stage, max_)
    await desk.keyboard.press("n")
    await expect(desk.get_by_test_id("case-report")).to_contain_text("calls for violence")
    await desk.keyboard.press("d")
    await desk.get_by_test_id("case-answer").fill(ANSWER)
    await desk.get_by_test_id("case-close").click()
    await expect(desk.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)
    french = await stage.phone(None, f"/report#{code}", locale="fr-FR")
    outcome = french.get_by_test_id("outcome")
    await expect(outcome).to_have_attribute("data-outcome", "no-violation", timeout=PATIENCE_MS)
    await expect(outcome).to_contain_text(ANSWER)
    await expect(french.get_by_test_id("appeal-form")).to_contain_text("Vous pouvez réclamer")
    await french.get_by_test_id("appeal-why").fill("Écoutez la deuxième phrase.")
    assert await faults(french) == []
    await outcome.scroll_into_view_if_needed()
    await french.screenshot(path=tmp_path / "notice-appeal.png", full_page=True)
    await french.get_by_test_id("appeal-send").click()
    await expect(french.get_by_test_id("appeal")).to_have_attribute("data-outcome", "waiting")
    await expect(french.get_by_test_id("appeal")).to_contain_text("au plus tard")
    await desk.keyboard.press("n")
    await expect(desk.get_by_test_id("review-empty")).to_be_visible()
    eve = await at_work(cell, stage, await cell.member("eve"))
    await eve.keyboard.press("n")
    await expect(eve.get_by_test_id("case-appeal")).to_contain_text("deuxième phrase")
    await eve.keyboard.press("d")
    await eve.get_by_test_id("case-answer").fill("It stays as it is, for the same reason.")
    await eve.get_by_test_id("case-close").click()
    await expect(eve.get_by_test_id("review-empty")).to_be_visible(timeout=PATIENCE_MS)
    await french.reload()
    appeal = french.get_by_test_id("appeal")
    await expect(appeal).to_have_attribute("data-outcome", "upheld", timeout=PATIENCE_MS)
    assert await faults(french) == []
    await page.goto("/transparency")
    await expect(page.get_by_test_id("counts-notices")).to_be_visible()
    assert await faults(page) == []
    await page.screenshot(path=tmp_path / "transparency.png", full_page=True)


async def test_a_moderator_is_told_of_unknown_countries_and_of_the_break(
    cell: Cell, stage: Stage
) -> None:
    await nothing_waits(cell)
    ben, max_ = await cell.member("ben"), await cell.member("max", locale="fr")
    clara = await cell.member("clara")
    report = {"what": "person", "name": clara.handle, "category": "violence"}
    report["explanation"] = "Threats, all over the profile."
    assert (await ben.api.post("/api/reports", json=report)).status_code == 201
    desk = await at_work(cell, stage, max_)
    await desk.set_viewport_size({"width": 390, "height": 844})
    # French counts none as one.
    await expect(desk.get_by_test_id("review-queue")).to_contain_text("dont 0 réclamation.")

    async def elsewhere(route: Route) -> None:
        """The cell of these tests is told countries; that of `luciole install` is not."""
        answer = await route.fetch()
        told = await answer.json()
        assert told["case"]["knows_countries"] is True
        told["case"] |= {"knows_countries": False, "acts": ["remove", "limit"]}
        await route.fulfill(response=answer, json=told)

    await desk.route("**/api/staff/review/next", elsewhere)
    await desk.keyboard.press("n")
    await expect(desk.get_by_test_id("case")).to_be_visible()
    await desk.keyboard.press("a")
    await expect(desk.get_by_test_id("decision-nowhere")).to_have_count(0)
    await desk.get_by_test_id("acts").locator("label").first.click()
    await expect(desk.get_by_test_id("decision-nowhere")).to_contain_text("ne sait pas où")
    await desk.get_by_test_id("decision-nowhere").scroll_into_view_if_needed()
    await look(desk, "decision-nowhere-fr")
    assert await faults(desk) == []

    # Two hours are over: no shift begins before the break is.
    await run(cell, SHIFTS_OVER)
    await desk.goto("/review")
    await desk.get_by_test_id("review-begin").click()
    problem = desk.get_by_test_id("problem").first
    await expect(problem).to_contain_text("pause de 15 minutes")
    await expect(problem).to_contain_text("recommencez à partir du")
    await look(desk, "break-needed-fr")
    assert await faults(desk) == []
