"""Signals of For You: what counts, once, and only of what was served; what is hidden by them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.cell.feed.walks import (
    FOR_YOU,
    digest,
    ids,
    live_digest,
    page,
    report,
    settings,
    shelf,
    signal,
    walk,
)
from tests.cell.house import Browser, House, refused

from luciole.cell.feed.ranking.model import Signal

ROWS = "SELECT signal, value, loops, trust, sign FROM feed.event WHERE signal IS NOT NULL"
EVERY_KIND = (
    "shown",
    "watched",
    "replayed",
    "liked",
    "commented",
    "shared",
    "followed",
    "not-interested",
    "hid-author",
)


async def test_every_kind_counts_once(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 12, ["cats"])
    body = await page(ben)
    house.clock.advance(timedelta(seconds=30))
    sent = [signal(body, 0, kind, ms=2500 if kind == "watched" else None) for kind in EVERY_KIND]
    sent.append(signal(body, 0, "hid-hashtag", hashtag="Cats"))
    for _ in range(2):
        assert await report(ben, *sent) == {"taken": len(sent), "refused": []}
    rows = await house.rows(f"{ROWS} ORDER BY signal")
    assert [row["signal"] for row in rows] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [row["value"] for row in rows] == [0, 2500, *[0] * 8]
    assert {row["trust"] for row in rows} == {1.0}


async def test_report_is_in_no_log(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 2)
    body = await page(ben)
    assert await report(ben, signal(body, 0, "reported")) == {"taken": 1, "refused": []}
    assert await house.rows(ROWS) == []
    # Beside others in one batch, those count and it does not.
    sent = [signal(body, 1, kind) for kind in ("shown", "reported")]
    assert (await report(ben, *sent))["taken"] == 2
    assert [row["signal"] for row in await house.rows(ROWS)] == [Signal.SHOWN]


async def test_same_signal_twice_in_one_batch_counts_once(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 2)
    body = await page(ben)
    one = signal(body, 0, "shown")
    assert (await report(ben, one, one))["taken"] == 2
    assert len(await house.rows(ROWS)) == 1


async def test_what_was_not_served_is_refused(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 2)
    body = await page(ben)
    taken = await report(
        ben,
        {"page": body["page"], "slot": 2, "kind": "shown"},
        {"page": str(uuid4()), "slot": 0, "kind": "shown"},
        signal(body, 1, "shown"),
    )
    assert taken == {
        "taken": 1,
        "refused": [{"at": 0, "code": "not-served"}, {"at": 1, "code": "not-served"}],
    }
    house.clock.advance(timedelta(hours=24, seconds=1))
    late = await report(ben, signal(body, 0, "shown"))
    assert late["refused"] == [{"at": 0, "code": "not-served"}]


async def test_impossible_times_are_cut_or_refused(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 5)
    body = await page(ben)
    house.clock.advance(timedelta(seconds=40))
    taken = await report(
        ben,
        signal(body, 0, "watched", ms=3_600_001),
        signal(body, 1, "watched"),
        signal(body, 2, "watched", ms=3_000_000, loops=1_000_000),
        signal(body, 3, "watched", ms=25_000, loops=2),
    )
    assert taken == {
        "taken": 2,
        "refused": [{"at": 0, "code": "impossible-watch"}, {"at": 1, "code": "impossible-watch"}],
    }
    rows = await house.rows(f"{ROWS} ORDER BY value DESC")
    # As long as the page was there, and the loops of a clip of ten seconds that fit into it.
    assert [(row["value"], row["loops"]) for row in rows] == [(42_000, 4), (25_000, 2)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"signals": []},
        {"signals": [{"page": str(uuid4()), "slot": 0, "kind": "shown"}] * 101},
        {"signals": [{"page": str(uuid4()), "slot": -1, "kind": "shown"}]},
        {"signals": [{"page": str(uuid4()), "slot": 0, "kind": "admired"}]},
        {"signals": [{"page": "x", "slot": 0, "kind": "shown"}]},
        {"signals": [{"page": str(uuid4()), "slot": 0, "kind": "shown", "clip": "x"}]},
    ],
)
async def test_bad_batches_are_refused(house: House, body: Any) -> None:
    refused(await house.visitor().post(f"{FOR_YOU}/signals", json=body), 400, "invalid")


async def test_large_batch_is_refused(house: House) -> None:
    one = {"page": str(uuid4()), "slot": 0, "kind": "shown", "hashtag": "x" * 60}
    body = {"signals": [one] * 600}
    refused(await house.visitor().post(f"{FOR_YOU}/signals", json=body), 413, "too-large")


async def test_hashtag_of_another_clip_is_refused(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 2, ["cats"])
    body = await page(ben)
    taken = await report(
        ben,
        signal(body, 0, "hid-hashtag", hashtag="dogs"),
        signal(body, 0, "hid-hashtag"),
        signal(body, 0, "hid-sound"),
    )
    assert {one["code"] for one in taken["refused"]} == {"not-of-this-clip"}
    assert taken["taken"] == 0


@pytest.mark.parametrize("who", ["member", "visitor"])
async def test_hidden_things_are_gone_from_the_very_next_page(
    house: House, ana: Browser, ben: Browser, who: str
) -> None:
    carl = await house.person("carl")
    cats = await shelf(house, ana, 20, ["cats"])
    bens = await shelf(house, ben, 20, ["dogs"])
    carls = await shelf(house, carl, 20)
    viewer = await house.person("dora") if who == "member" else house.visitor()
    body = await page(viewer, limit=30)
    of_ana = next(at for at, one in enumerate(ids(body)) if one in cats)
    of_ben = next(at for at, one in enumerate(ids(body)) if one in bens)
    taken = await report(
        viewer,
        signal(body, of_ana, "hid-hashtag", hashtag="cats"),
        signal(body, of_ben, "hid-author"),
    )
    assert taken["refused"] == []
    following = await page(viewer, body["next"], limit=30)
    assert set(ids(following)) <= set(carls)
    if who == "member":
        # For an account it holds in all sessions, on both ways.
        assert set(await walk(viewer)) == set(carls)
        hidden = (await settings(viewer))["hidden"]
        assert hidden == {
            "authors": [{"handle": "ben", "display_name": "Ben"}],
            "hashtags": ["cats"],
            "sounds": [],
            "clips": 0,
        }


async def test_clip_that_is_not_wanted_never_comes_back(
    house: House, ana: Browser, ben: Browser
) -> None:
    made = await shelf(house, ana, 5)
    body = await page(ben)
    await report(ben, signal(body, 0, "not-interested"), signal(body, 1, "reported"))
    assert set(await walk(ben)) == set(made) - set(ids(body)[:2])
    assert (await settings(ben))["hidden"]["clips"] == 2
    assert set(await walk(house.visitor())) == set(made)


async def test_hidden_things_can_be_shown_again(house: House, ana: Browser, ben: Browser) -> None:
    made = await shelf(house, ana, 4, ["cats"])
    body = await page(ben)
    await report(
        ben,
        signal(body, 0, "hid-author"),
        signal(body, 1, "hid-hashtag", hashtag="cats"),
        signal(body, 2, "not-interested"),
    )
    assert await walk(ben) == []
    for kind, value in (("author", "ana"), ("hashtag", "cats"), ("clips", "")):
        answer = await ben.delete(f"{FOR_YOU}/hidden", params={"kind": kind, "value": value})
        assert answer.status_code == 200, answer.text
    assert answer.json()["hidden"] == {
        "authors": [],
        "hashtags": [],
        "sounds": [],
        "clips": 0,
    }
    assert set(await walk(ben)) == set(made)
    refused(
        await house.visitor().delete(f"{FOR_YOU}/hidden", params={"kind": "clips"}),
        401,
        "not-signed-in",
    )


async def test_watch_and_like_change_the_very_next_page(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 30)
    body = await page(ben)
    before = await live_digest(house)
    chosen = next(at for at in range(10))
    house.clock.advance(timedelta(seconds=20))
    await report(
        ben,
        signal(body, chosen, "shown"),
        signal(body, chosen, "watched", ms=9_900),
        signal(body, chosen, "liked"),
    )
    # Another viewer's page is drawn with the new counts, and another process knows the same.
    viewer = house.visitor()
    following = await page(viewer, limit=30)
    clip_id = ids(body)[chosen]
    at = ids(following).index(clip_id)
    answer = await viewer.get(f"{FOR_YOU}/pages/{following['page']}/{following['slots'][at]}/why")
    parts = {part["name"]: part["adds"] for part in answer.json()["parts"]}
    assert parts["clip_watch"] > 0
    assert parts["clip_like"] > 0
    assert await live_digest(house) != before
    assert await digest(house) == await live_digest(house)
