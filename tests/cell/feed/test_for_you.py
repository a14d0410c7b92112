"""For You through the API: pages, sessions, cursors; the same for everybody without a profile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.cell.feed.walks import (
    FOR_YOU,
    ids,
    learn,
    page,
    report,
    settled,
    shelf,
    signal,
    walk,
)
from tests.cell.house import Browser, House, refused

from luciole.cell.feed.model import SESSIONS_A_DAY


async def test_clip_from_a_film_is_there_with_its_marks(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="one #cats")
    await ben.follow(ana)
    body = await page(ben)
    assert body["mode"] == "public"
    assert ids(body) == [made["id"]]
    assert body["items"][0]["viewer"] == {
        "liked": False,
        "favourited": False,
        "reposted": False,
        "follows": "yes",
        "is_author": False,
        "may_quote": True,
    }
    assert body["next"] is None
    assert (await page(house.visitor()))["items"][0]["viewer"] is None


async def test_empty_cell_has_an_empty_page_and_a_way_to_come_back(
    house: House, ana: Browser
) -> None:
    body = await page(ana)
    assert (body["items"], body["next"]) == ([], None)
    made = await shelf(house, ana, 1)
    assert ids(await page(ana, body["resume"])) == made


async def test_two_persons_get_the_same_list_at_the_same_instant(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 40, ["cats"])
    await shelf(house, ben, 40)
    carl = await house.person("carl")
    await carl.follow(ana)
    first = await page(carl, limit=30)
    await report(carl, signal(first, 0, "shown"), signal(first, 0, "watched", ms=900))
    await carl.put(f"/api/clips/{first['items'][3]['id']}/like")
    one, two, three = [ids(await page(who, limit=30)) for who in (carl, ben, house.visitor())]
    assert len(one) == 30
    assert one == two == three


async def test_other_instant_gives_another_list(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 60)
    one = ids(await page(ben))
    house.clock.advance(timedelta(seconds=1))
    assert ids(await page(ben)) != one


async def test_endless_session_reaches_all_clips_each_once(
    house: House, ana: Browser, ben: Browser
) -> None:
    made = [*await shelf(house, ana, 77), *await shelf(house, ben, 45, ["walk"])]
    seen = await walk(house.visitor(), limit=9)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(made)


async def test_same_cursor_gives_the_same_page(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 40)
    first = await page(ben)
    second = await page(ben, first["next"])
    house.clock.advance(timedelta(minutes=5))
    await shelf(house, ana, 5)
    again = await page(ben, first["next"])
    assert (again["page"], ids(again), again["slots"]) == (
        second["page"],
        ids(second),
        second["slots"],
    )
    assert again["next"] == second["next"]


async def test_end_of_the_feed_and_what_is_new_since(
    house: House, ana: Browser, ben: Browser
) -> None:
    made = await shelf(house, ana, 3)
    first = await page(ben)
    assert set(ids(first)) == set(made)
    assert first["next"] is None
    nothing = await page(ben, first["resume"])
    assert (nothing["items"], nothing["next"]) == ([], None)
    later = await shelf(house, ana, 1)
    assert ids(await page(ben, first["resume"])) == later
    assert ids(await page(ben, nothing["resume"])) == later


async def test_removed_or_narrowed_clip_is_gone_from_the_next_page_and_from_a_page_again(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 12)
    first = await page(ben, limit=6)
    gone, narrowed, *stay = ids(first)
    await ana.delete(f"/api/clips/{gone}")
    await ana.patch(f"/api/clips/{narrowed}", json={"audience": "friends"})
    again = await page(ben)
    assert {gone, narrowed} & set(ids(again)) == set()
    assert len(ids(again)) == 10
    # A cursor of the first page does not exist: the second page is the one that can be asked again.
    second = await page(ben, first["next"], limit=3)
    hidden = ids(second)[0]
    await ana.delete(f"/api/clips/{hidden}")
    once_more = await page(ben, first["next"], limit=3)
    assert once_more["page"] == second["page"]
    assert ids(once_more) == ids(second)[1:]
    assert once_more["slots"] == second["slots"][1:]
    assert set(stay) & set(ids(second)) == set()


async def test_private_and_leaving_authors_are_gone_at_once(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 3)
    await shelf(house, ben, 2)
    viewer = house.visitor()
    assert len(await walk(viewer)) == 5
    await ana.patch("/api/me", json={"is_private": True})
    assert len(await walk(viewer)) == 2
    await ben.post("/api/me/erasure", json={})
    assert await walk(viewer) == []
    await ana.patch("/api/me", json={"is_private": False})
    # Back they come as soon as nobody's older transaction runs any more.
    await settled(house)
    assert len(await walk(viewer)) == 3


@pytest.mark.parametrize("cursor", ["x", "\0", "A" * 3000])
async def test_forged_cursor_is_refused(house: House, cursor: str) -> None:
    refused(await house.visitor().get(FOR_YOU, params={"cursor": cursor}), 400, "bad-cursor")


async def test_cursor_of_another_feed_is_refused(house: House, ana: Browser) -> None:
    await shelf(house, ana, 3)
    other = (await ana.get("/api/feeds/latest?limit=1")).json()["next"]
    refused(await ana.get(FOR_YOU, params={"cursor": other}), 400, "bad-cursor")


@pytest.mark.parametrize("limit", ["0", "31", "x"])
async def test_bad_limit_is_refused(house: House, limit: str) -> None:
    assert (await house.visitor().get(f"{FOR_YOU}?limit={limit}")).status_code == 400


async def test_expired_session_begins_anew(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 30)
    first = await page(ben)
    house.clock.advance(timedelta(hours=24, seconds=1))
    anew = await page(ben, first["next"])
    assert anew["page"] != first["page"]
    assert len(ids(anew)) == 10
    # Begun again by number 0: its cursor goes on.
    assert set(ids(await page(ben, anew["next"]))) & set(ids(anew)) == set()


async def test_session_of_the_other_way_begins_anew(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 30)
    public = await page(ben)
    await learn(ben)
    learning = await page(ben, public["next"])
    assert learning["mode"] == "learning"
    # Somebody else's, or without being signed in: a new one, and nothing of the first.
    for other in (ana, house.visitor()):
        assert (await page(other, learning["next"]))["mode"] == "public"
    await learn(ben, "public")
    assert (await page(ben, learning["next"]))["mode"] == "public"


async def test_rows_without_a_profile_lead_to_no_person(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 20)
    first = await page(ben)
    await report(ben, signal(first, 0, "shown"), signal(first, 0, "watched", ms=1000))
    await report(ben, signal(first, 1, "hid-author"))
    person_id = await house.person_id("ben")
    for table in ("feed.session", "feed.page", "feed.event", "feed.learner"):
        rows = await house.rows(f"SELECT row_to_json(t)::text AS said FROM {table} t")
        for row in rows:
            assert str(person_id) not in row["said"]
            assert person_id.hex not in row["said"]
    assert await house.rows("SELECT 1 FROM feed.learner") == []
    # Nor does a row of the log name a page, and what names the person holds no time of the day.
    said = (await house.rows("SELECT string_agg(e::text, ' ') AS said FROM feed.event e"))[0][0]
    assert first["page"] not in said
    about = await house.rows("SELECT kind, hidden_on FROM feed.hidden")
    assert [(row["kind"], row["hidden_on"]) for row in about] == [
        ("author", house.clock.now().date())
    ]


async def test_account_that_begins_very_often_weighs_nothing(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 2)
    for _ in range(SESSIONS_A_DAY + 1):
        await page(ben)
    await page(house.visitor())
    rows = await house.rows("SELECT trust FROM feed.session ORDER BY trust")
    assert [row["trust"] for row in rows] == [0.0, 0.25, *[1.0] * SESSIONS_A_DAY]
    counted = await house.rows("SELECT sessions FROM feed.allowance")
    assert [row["sessions"] for row in counted] == [SESSIONS_A_DAY + 1]
    house.clock.advance(timedelta(days=1))
    await page(ben)
    rows = await house.rows("SELECT trust FROM feed.session ORDER BY made_at DESC LIMIT 1")
    assert rows[0]["trust"] == 1.0


async def test_weights_and_how_are_public(house: House, ana: Browser) -> None:
    await shelf(house, ana, 4)
    visitor = house.visitor()
    published = (await visitor.get(f"{FOR_YOU}/weights")).json()
    how = (await visitor.get(f"{FOR_YOU}/how")).json()
    assert how["version"] == published["version"]
    assert set(how["heads"]) == set(published["heads"])
    assert how["budget"]["new_clips_a_day"] == 4
    body = await page(visitor)
    await report(visitor, *(signal(body, at, "shown") for at in range(4)))
    how = (await visitor.get(f"{FOR_YOU}/how")).json()
    assert how["budget"]["impressions_a_day"] == 4


async def test_why_adds_up_and_is_for_who_was_given_the_page(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 12)
    await learn(ben)
    for viewer in (house.visitor(), ben):
        body = await page(viewer)
        for at, clip_id in enumerate(ids(body)):
            answer = await viewer.get(f"{FOR_YOU}/pages/{body['page']}/{body['slots'][at]}/why")
            said = answer.json()
            assert said["clip_id"] == clip_id
            assert said["mode"] == body["mode"]
            assert 0 < said["chance"] <= 1
            assert abs(sum(part["adds"] for part in said["parts"]) - said["score"]) < 1e-9
            assert abs(sum(part["share"] for part in said["parts"]) - 1) < 1e-9
    assert {"switch-to-public", "reset"} <= set(said["levers"])
    for other in (ana, house.visitor()):
        refused(await other.get(f"{FOR_YOU}/pages/{body['page']}/0/why"), 404, "not-served")
    refused(await ben.get(f"{FOR_YOU}/pages/{body['page']}/99/why"), 404, "not-served")
    refused(await ben.get(f"{FOR_YOU}/pages/{uuid4()}/0/why"), 404, "not-served")
    house.clock.advance(timedelta(hours=25))
    refused(await ben.get(f"{FOR_YOU}/pages/{body['page']}/0/why"), 404, "not-served")


async def test_requests_for_the_same_page_at_once_get_one_page(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 60)
    first = await page(ben)
    several = await asyncio.gather(*(page(ben, first["next"]) for _ in range(5)))
    assert len({(one["page"], *ids(one)) for one in several}) == 1
    assert set(ids(several[0])) & set(ids(first)) == set()
    following = await page(ben, several[0]["next"])
    assert set(ids(following)) & {*ids(first), *ids(several[0])} == set()


async def test_process_that_has_not_seen_a_session_repeats_nothing(
    house: House, ana: Browser, ben: Browser
) -> None:
    made = await shelf(house, ana, 35)
    await learn(ben)
    for viewer in (house.visitor(), ben):
        body = await page(viewer)
        seen = ids(body)
        while body["next"]:
            # As after a restart: nothing is in memory.
            house.parts.for_you.forget()
            body = await page(viewer, body["next"])
            seen += ids(body)
        assert sorted(seen) == sorted(made)


async def test_feed_goes_on_while_another_transaction_is_open(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 4)
    assert len(await walk(ben)) == 4
    async with house.db.tx() as long:
        await long.execute("SELECT pg_current_xact_id()")
        (new,) = await shelf(house, ana, 1)
        body = await page(ben)
        await report(ben, signal(body, 0, "shown"))
        # What came after it waits for it; pages do not, and nothing that was taken back comes.
        await ana.delete(f"/api/clips/{ids(body)[0]}")
        assert sorted(await walk(ben)) == sorted(ids(body)[1:])
    assert sorted(await walk(ben)) == sorted([new, *ids(body)[1:]])
