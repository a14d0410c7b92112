"""A family on two phones: paired, limited, seen, and ended."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import Page, expect
from tests.e2e.stage import Cell, Member, Stage, current, plays, until
from tests.e2e.test_accessibility import faults
from tests.e2e.test_messages import begin
from tests.e2e.test_talk import look

PLACE = "/settings/family"
# By the clock of those phones, on which it is about noon.
AROUND_NOON = ("09:00", "15:00")


async def paired(cell: Cell, age_band: str) -> tuple[Member, Member, str]:
    """An adult and a young person who have both confirmed, by the API."""
    paula = await cell.member("paula")
    theo = await cell.member("theo", age_band=age_band)
    code = (await theo.api.post("/api/me/family/codes", json={})).json()["code"]
    answer = await paula.api.post("/api/me/family/claims", json={"code": code})
    assert answer.status_code == 201, answer.text
    pairing_id = str(answer.json()["id"])
    for member in (paula, theo):
        answer = await member.api.post(f"/api/me/family/pairings/{pairing_id}/confirm", json={})
        assert answer.status_code == 200, answer.text
    return paula, theo, pairing_id


async def watch(page: Page, minutes: int) -> None:
    """Watches on while so many minutes go by, by the clock of the page."""
    await plays(page)
    await page.clock.run_for(minutes * 60_000)


async def refused_to_who_is_young(
    cell: Cell, stage: Stage, theo: Member, his: Page, film: bytes
) -> None:
    """A stranger's message, a duet with a clip of theirs, For You with a profile."""
    # A stranger does not get through; a friend would.
    sam = await cell.member("sam")
    theirs = await stage.phone(sam, color_scheme="light")
    await begin(theirs)
    await theirs.goto(f"/@{theo.handle}")
    await theirs.get_by_test_id("write-to").click()
    refusal = theirs.get_by_test_id("problem").first
    await expect(refusal).to_contain_text("does not take messages from you")
    await expect(theirs.get_by_test_id("thread")).to_have_count(0)
    await look(theirs, "young-message")
    # Who follows them sees their clip, and is offered no duet.
    clip = await theo.clip(film, caption="Mine")
    await sam.follow(theo)
    answer = await theo.api.put(f"/api/me/follow-requests/{sam.handle}")
    assert answer.is_success, answer.text
    await theirs.goto(f"/c/{clip['id']}")
    await plays(theirs)
    await theirs.get_by_test_id("share").click()
    await expect(theirs.get_by_test_id("share-sheet")).to_be_visible()
    await expect(theirs.get_by_test_id("make-duet")).to_have_count(0)
    await look(theirs, "young-no-duet")
    # For You learns nothing, whoever asks.
    await his.goto("/settings/for-you")
    await expect(his.get_by_test_id("no-profile")).to_be_visible()
    await expect(his.get_by_test_id("learn")).to_have_count(0)
    said = await theo.api.put("/api/feeds/for-you/mode", json={"mode": "learning"})
    assert (said.status_code, said.json()["code"]) == (403, "learning-not-for-minors")


async def test_two_phones_are_paired_and_the_limit_holds(
    cell: Cell, stage: Stage, tiny_film: bytes
) -> None:
    author = await cell.member("film")
    await author.clip(tiny_film, caption="To watch")
    paula = await cell.member("paula")
    theo = await cell.member("theo", age_band="13-15")
    # By day, wherever the machine's clock stands: quiet hours are not what is tried here.
    zone = {"timezone_id": noon()}
    his = await stage.phone(theo, color_scheme="light", **zone)
    await his.clock.install()
    await his.goto(PLACE)
    hers = await stage.phone(paula, PLACE, color_scheme="light", **zone)

    # One shows a code, the other enters it, and both confirm.
    await expect(his.get_by_test_id("family-nobody")).to_be_visible()
    await his.get_by_test_id("family-show").click()
    code = await his.get_by_test_id("family-code").inner_text()
    await look(his, "family-code")
    assert await faults(his) == []
    await hers.get_by_test_id("family-typed").fill(code)
    await hers.get_by_test_id("family-enter").click()
    await expect(hers.get_by_test_id("pairing")).to_have_attribute("data-state", "waiting")
    await look(hers, "family-confirm-guardian")
    assert await faults(hers) == []
    await hers.get_by_test_id("family-confirm").click()
    await expect(hers.get_by_test_id("family-waits")).to_contain_text("Theo")
    await expect(his.get_by_test_id("pairing")).to_contain_text(paula.handle)
    await look(his, "family-confirm-teen")
    await his.get_by_test_id("family-confirm").click()
    await expect(his.get_by_test_id("pairing")).to_have_attribute("data-state", "paired")
    await expect(hers.get_by_test_id("pairing")).to_have_attribute("data-state", "paired")

    # The adult looks: nothing was told yet. A limit is set.
    await hers.get_by_test_id("family-look").click()
    await expect(hers.get_by_test_id("family-seen")).to_contain_text("Nobody, at this age")
    await hers.get_by_test_id("family-daily").select_option("30")
    await hers.get_by_test_id("family-set").click()
    await expect(hers.get_by_test_id("family-limits")).to_contain_text("30 minutes")

    # The young person sees what holds, and by whom; the clips play until the limit is reached.
    await his.goto(PLACE)
    await expect(his.get_by_test_id("family-held")).to_contain_text("30 minutes of clips a day")
    await his.locator("summary", has_text="What was set").click()
    await expect(his.get_by_test_id("family-changes")).to_contain_text(f"@{paula.handle}")
    await look(his, "family-held")
    assert await faults(his) == []
    await his.goto("/latest")
    await expect(current(his)).to_be_visible()
    await expect(his.get_by_test_id("rest")).not_to_be_visible()
    await watch(his, 28)
    await expect(his.get_by_test_id("rest")).not_to_be_visible()
    await his.clock.run_for(4 * 60_000)
    rest = his.get_by_test_id("rest")
    await expect(rest).to_be_visible()
    await expect(rest).to_contain_text("That was 30 minutes today")
    await look(his, "family-limit")
    assert await faults(his) == []
    # There is no tap that goes on, and Escape is none either.
    await expect(his.get_by_test_id("rest-go-on")).to_have_count(0)
    await his.keyboard.press("Escape")
    await his.keyboard.press("Escape")
    await expect(rest).to_be_visible()
    await his.get_by_test_id("rest-family").click()
    await expect(his.get_by_test_id("family-held")).to_be_visible()

    # The minutes are there for the adult, and the look in the young person's journal.
    await hers.reload()
    await hers.get_by_test_id("family-look").click()
    last = hers.get_by_test_id("family-bars").locator("li").last
    await expect(last).to_have_attribute("data-minutes", "30")
    await hers.get_by_test_id("family-seen").scroll_into_view_if_needed()
    await look(hers, "family-seen")
    assert await faults(hers) == []

    async def in_journal() -> bool:
        items = (await theo.api.get("/api/me/journal")).json()["items"]
        return any((one["kind"], one["purpose"]) == ("read", "family") for one in items)

    await until(in_journal)
    # On his page of it, with who it was.
    await his.goto("/settings/data")
    entry = his.locator('[data-testid="entry"][data-kind="read"]').first
    await expect(entry).to_contain_text(f"(@{paula.handle})")
    await entry.locator("summary").click()
    await entry.scroll_into_view_if_needed()
    await look(his, "family-journal")
    await refused_to_who_is_young(cell, stage, theo, his, tiny_film)

    # Hours of sleep that it is in now: the cell, too, keeps For You.
    await hers.get_by_test_id("family-sleep").press("Space")
    await hers.get_by_test_id("family-from").fill(AROUND_NOON[0])
    await hers.get_by_test_id("family-to").fill(AROUND_NOON[1])
    await hers.get_by_test_id("family-form").scroll_into_view_if_needed()
    await look(hers, "family-sleep-form")
    await hers.get_by_test_id("family-set").click()
    await expect(hers.get_by_test_id("family-limits")).to_contain_text(AROUND_NOON[0])
    assert (await theo.api.get("/api/feeds/for-you")).json()["code"] == "family-sleep"
    await his.goto(PLACE)
    await expect(his.get_by_test_id("family-held")).to_contain_text("No clips from")
    await his.goto("/latest")
    await expect(rest).to_contain_text("Time to sleep")
    await look(his, "family-sleep")


async def test_a_pairing_is_ended_by_either_and_told(cell: Cell, stage: Stage) -> None:
    # Below sixteen the adult has a day.
    paula, theo, _ = await paired(cell, "13-15")
    his = await stage.phone(theo, PLACE, color_scheme="light", locale="fr-FR")
    await theo.patch(locale="fr")
    await his.reload()
    await his.get_by_test_id("family-end").click()
    await expect(his.get_by_test_id("pairing")).to_contain_text("24 heures")
    await look(his, "family-end-fr")
    assert await faults(his) == []
    await his.get_by_test_id("family-end-sure").click()
    await expect(his.get_by_test_id("pairing")).to_have_attribute("data-state", "ending")
    await expect(his.get_by_test_id("family-keep")).to_be_visible()
    await look(his, "family-ending-fr")
    hers = await stage.phone(paula, "/notifications", color_scheme="light")

    async def told() -> bool:
        items = (await paula.api.get("/api/notifications")).json()["items"]
        return any(one["kind"] == "family-ending" for one in items)

    await until(told)
    await hers.reload()
    line = hers.locator('[data-testid=notice][data-kind="family-ending"]')
    await expect(line).to_contain_text("ends in a day")
    await look(hers, "family-told")
    await line.locator("a").click()
    await expect(hers.get_by_test_id("family-ending")).to_contain_text("Theo wants to end this")
    # She agrees: it is over for both, at once.
    await hers.get_by_test_id("family-end").click()
    await hers.get_by_test_id("family-end-sure").click()
    await expect(hers.get_by_test_id("family-nobody")).to_be_visible()
    await his.reload()
    await expect(his.get_by_test_id("family-nobody")).to_be_visible()

    # From sixteen on what is proposed waits for a yes, and the young person ends it alone.
    paula, tess, _ = await paired(cell, "16-17")
    hers = await stage.phone(paula, PLACE, color_scheme="dark")
    await hers.get_by_test_id("family-look").click()
    await hers.get_by_test_id("family-private").check()
    await hers.get_by_test_id("family-set").click()
    await expect(hers.get_by_test_id("family-is-proposed")).to_be_visible()
    await hers.get_by_test_id("family-form").scroll_into_view_if_needed()
    await look(hers, "family-form-dark")
    assert await faults(hers) == []
    theirs = await stage.phone(tess, PLACE, color_scheme="light")
    await expect(theirs.get_by_test_id("family-proposed")).to_contain_text("stays private")
    await look(theirs, "family-proposed")
    assert await faults(theirs) == []
    await theirs.get_by_test_id("family-accept").click()
    await expect(theirs.get_by_test_id("family-held")).to_contain_text("stays private")
    await theirs.goto("/settings/account")
    await theirs.get_by_test_id("settings-private").uncheck()
    await expect(theirs.get_by_test_id("problem").first).to_contain_text("private account")
    await theirs.goto(PLACE)
    await theirs.get_by_test_id("family-end").click()
    await expect(theirs.get_by_test_id("pairing")).to_contain_text("It ends at once")
    await theirs.get_by_test_id("family-end-sure").click()
    await expect(theirs.get_by_test_id("family-nobody")).to_be_visible()


def noon() -> str:
    """A time zone in which it is about noon now."""
    ahead = (12 - datetime.now(UTC).hour + 11) % 24 - 11
    # The sign of these names is the other way round.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
