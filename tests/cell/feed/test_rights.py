"""What a person may do with what For You holds of them: take it along, and have it forgotten."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tests.cell.feed.test_learning import watched
from tests.cell.feed.walks import FOR_YOU, ids, learn, page, report, settings, shelf, signal
from tests.cell.house import PASSWORD, Browser, House
from tests.cell.rights.support import forget
from tests.cell.rights.taken import take

COUNTED = ("counts", "recent", "author_counts", "topic_counts")


async def counts(house: House) -> dict[str, Any]:
    """All totals that the process of the house holds."""
    state: Any = await house.parts.for_you.follower.caught_up()
    world = state._fold._ranker._world
    found = {name: getattr(world, name).copy() for name in COUNTED}
    found["hours"] = {hour: n for hour, n in world.hours.items() if n}
    found["steps"] = np.sort(world.paths.to, axis=1)
    return found


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in one if not np.array_equal(one[name], other[name])}


async def test_erased_persons_events_are_taken_back(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 30, ["cats"])
    for _ in range(2):
        await watched(house, ben)
    before = await counts(house)
    dora = await house.person("dora")
    await learn(dora)
    body = await watched(house, dora)
    await report(dora, signal(body, 0, "liked"), signal(body, 1, "not-interested"))
    # In her taste only: nothing of it is in a total, so nothing of it is taken out of one.
    await report(dora, signal(body, 2, "reported"))
    house.clock.advance(timedelta(days=1))
    await watched(house, dora)
    assert differing(await counts(house), before) >= {"counts", "topic_counts", "steps"}
    proof = await dora.post("/api/sessions/current/proof", json={"password": PASSWORD})
    assert proof.status_code == 204
    removed = (await forget(house, dora))["removed"]
    assert removed["signals taken back"] == 42
    after = await counts(house)
    assert differing(after, before) - {"recent", "hours"} == set()
    for table in ("profile", "taste_day", "learner", "hidden"):
        assert await house.rows(f"SELECT 1 FROM feed.{table}") == [], table


async def test_erasure_cut_off_takes_nothing_back_twice(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 10)
    before = await counts(house)
    await learn(ben)
    await watched(house, ben)
    ticket = await ben.post("/api/me/erasure", json={"now": True})
    assert ticket.status_code == 201
    for name, body in await house._take():
        await house.parts.queue.run_once(name, body)
        await house.parts.queue.run_once(name, body)
    assert differing(await counts(house), before) == set()
    signs = await house.rows("SELECT sum(sign) AS s FROM feed.event WHERE signal IS NOT NULL")
    assert signs[0]["s"] == 0


async def test_erasure_goes_on_where_the_key_is_gone(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 4)
    await learn(ben)
    await watched(house, ben)
    await house.parts.custody.shred(await house.person_id("ben"))
    said = await forget(house, ben)
    assert "signals taken back" not in said["removed"]
    assert await house.rows("SELECT 1 FROM feed.taste_day") == []


async def test_erased_author_is_in_nobodys_list(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 4)
    body = await page(ben)
    await report(ben, signal(body, 0, "hid-author"))
    await forget(house, ana)
    assert await house.rows("SELECT 1 FROM feed.hidden") == []
    assert (await settings(ben))["hidden"]["authors"] == []


async def test_export_holds_what_was_learnt_and_hidden(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 4, ["cats"])
    await learn(ben)
    body = await watched(house, ben)
    await report(ben, signal(body, 0, "hid-hashtag", hashtag="cats"))
    taken = await take(house, ben)
    (profile,) = taken.json("data/feed/profile.json")
    assert profile["mode"] == "learning"
    (hidden,) = taken.json("data/feed/hidden.json")
    assert (hidden["kind"], hidden["value"]) == ("hashtag", "cats")
    (day,) = taken.json("data/feed/taste.json")
    assert day["events"] == 9
    kept = json.loads(day["sealed"])
    assert kept["columns"][:3] == ["at", "session", "clip"]
    assert {row[2] for row in kept["events"]} == set(ids(body))
    (allowance,) = taken.json("data/feed/allowance.json")
    assert allowance["sessions"] == 1


@pytest.mark.parametrize("act", ["read", "reset"])
async def test_page_of_data_counts_what_is_kept(
    house: House, ana: Browser, ben: Browser, act: str
) -> None:
    await shelf(house, ana, 4)
    await learn(ben)
    await watched(house, ben)
    if act == "reset":
        await ben.post(f"{FOR_YOU}/reset")
    kept = {one["list"]: one["rows"] for one in (await ben.get("/api/me/data")).json()["kept"]}
    assert kept["feed/taste"] == (1 if act == "read" else 0)
    assert kept["feed/profile"] == 1
