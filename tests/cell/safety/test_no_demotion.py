"""No silent demotion: whoever reports a clip as the interface does changes their own feed, and the
score of nothing for anybody else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cell.feed.test_learning import watched
from tests.cell.feed.test_rights import counts, differing
from tests.cell.feed.walks import (
    digest,
    ids,
    learn,
    live_digest,
    page,
    settings,
    shelf,
    signal,
    walk,
    why,
)
from tests.cell.feed.walks import report as tell
from tests.cell.house import Browser, House
from tests.cell.safety.bench import report
from tests.drills.cell_process import ROOT

SHEET = ROOT / "web/src/feed/why/WhySheet.svelte"


def told_by_the_sheet() -> str:
    """The kind of signal that *Why this clip* sends once the cell has a report."""
    function = SHEET.read_text(encoding="utf-8").partition("function report()")[2]
    found = re.search(r"forYou\.reject\(\w+, '([a-z-]+)'\)", function.partition("const soundId")[0])
    assert found is not None
    return found[1]


async def report_from_why(browser: Browser, body: dict[str, Any], at: int) -> str:
    """Both calls of the sheet: the report, then what the feed is told. Gives the clip's id."""
    clip_id = ids(body)[at]
    await report(browser, "clip", clip_id)
    assert await tell(browser, signal(body, at, told_by_the_sheet())) == {
        "taken": 1,
        "refused": [],
    }
    return clip_id


@pytest.mark.parametrize("mode", ["public", "learning"])
async def test_a_report_moves_no_score_of_others(
    house: House, ana: Browser, ben: Browser, mode: str
) -> None:
    made = await shelf(house, ana, 12, ["cats"])
    for viewer in (ben, house.visitor()):
        await watched(house, viewer)
    if mode == "learning":
        await learn(ben)
    body = await page(ben, limit=12)
    before, stood = await live_digest(house), await counts(house)
    rows = await house.rows("SELECT count(*) AS n FROM feed.event")
    reported = await report_from_why(ben, body, 0)
    # What ranking knows is the same, bit for bit, here and in a process that starts now.
    assert await live_digest(house) == before == await digest(house)
    assert differing(await counts(house), stood) == set()
    assert await house.rows("SELECT count(*) AS n FROM feed.event") == rows
    assert set(await walk(house.visitor())) == set(made)
    # Who reported it does not see it again.
    assert (await settings(ben))["hidden"]["clips"] == 1
    assert set(await walk(ben)) == set(made) - {reported}


async def test_the_interfaces_other_buttons_do_move_scores(
    house: House, ana: Browser, ben: Browser
) -> None:
    """So that the test above would see it."""
    await shelf(house, ana, 12, ["cats"])
    body = await page(ben)
    before = await live_digest(house)
    await tell(ben, signal(body, 0, "not-interested"))
    assert await live_digest(house) != before


async def test_a_report_takes_what_is_like_it_back_for_who_reported(
    house: House, ana: Browser, ben: Browser
) -> None:
    async def felt(body: dict[str, Any]) -> float:
        parts = [one for at in range(3) for one in (await why(dora, body, at))["parts"]]
        return float(sum(one["adds"] for one in parts if one["name"].startswith("taste_")))

    await shelf(house, ana, 40, ["cats"])
    dora = await house.person("dora")
    await learn(dora)
    body = await page(dora)
    await tell(dora, signal(body, 0, "liked"))
    liking = await page(dora, body["next"])
    assert await felt(liking) > 0
    await report_from_why(dora, liking, 0)
    assert await felt(await page(dora, liking["next"])) == 0
    # Sent once more, it is kept once.
    await tell(dora, signal(liking, 0, told_by_the_sheet()))
    assert (await settings(dora))["events_kept"] == 2
