"""Families: what a guardian sees of a young person, and sets for them."""

from __future__ import annotations

from datetime import timedelta

from tests.cell.house import House, refused
from tests.cell.people.kin import LIMITS, end, family, limit, pair, report, seen, today, told, two


async def test_a_guardian_sees_settings_and_minutes_and_nothing_else(house: House) -> None:
    paula, theo = await two(house, "16-17")
    pairing_id = await pair(paula, theo)
    own = {"limit_min": 60, "quiet_from": "22:00", "quiet_to": "06:30"}
    days = [(today(house, ago), 10 + ago) for ago in range(16)]
    assert (await report(theo, *days, own=own)).status_code == 204
    body = (await seen(paula, pairing_id)).json()
    assert set(body) == {
        *("pairing", "age_band", "protections", "own", "days", "reported_at", "changes"),
    }
    assert body["protections"] == {
        "is_private": True,
        "messages": "friends",
        "for_you_learns": False,
        "quiet_nights": True,
    }
    assert body["own"] == own
    assert [one["minutes"] for one in body["days"]] == [10 + ago for ago in range(14)]
    assert body["days"][0]["day"] == today(house)


async def test_below_sixteen_nobody_writes(house: House) -> None:
    paula, theo = await two(house)
    body = (await seen(paula, await pair(paula, theo))).json()
    assert body["protections"]["messages"] == "nobody"
    assert (body["own"], body["days"], body["reported_at"]) == (None, [], None)


async def test_devices_add_up_and_each_says_it_anew(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    tablet = house.visitor()
    body = {"handle": "theo", "password": "seven turquoise herons"}
    assert (await tablet.post("/api/sessions", json=body)).status_code in (200, 201)
    await report(theo, (today(house), 5))
    await report(theo, (today(house), 20), (today(house, 1), 7))
    await report(tablet, (today(house), 11))
    days = (await seen(paula, pairing_id)).json()["days"]
    assert [one["minutes"] for one in days] == [31, 7]
    # What a device reported goes with it; it says all of it again when it is back.
    assert (await tablet.delete("/api/sessions/current")).status_code == 204
    days = (await seen(paula, pairing_id)).json()["days"]
    assert [one["minutes"] for one in days] == [20, 7]


async def test_minutes_are_sealed_and_a_look_stands_in_the_journal(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await report(theo, (today(house), 37))
    (row,) = await house.rows("SELECT sealed FROM people.family_time")
    assert b"37" not in row["sealed"]
    assert today(house).encode() not in row["sealed"]

    async def looks() -> list[str]:
        items = (await theo.get("/api/me/journal")).json()["items"]
        return [one["purpose"] for one in items if one["class"] == "automated"]

    assert "family" not in await looks()
    await seen(paula, pairing_id)
    await seen(paula, pairing_id)
    # That the cell may open minutes, and who looked.
    assert (await looks()).count("family") == 2


async def test_the_journal_says_which_guardian_looked_once_a_day(house: House) -> None:
    paula, theo = await two(house)
    peter = await house.person("peter")
    hers, his = await pair(paula, theo), await pair(peter, theo)

    async def looks() -> list[tuple[str, list[str]]]:
        items = (await theo.get("/api/me/journal")).json()["items"]
        return [
            (one["actor"], one["columns"])
            for one in reversed(items)
            if (one["kind"], one["purpose"]) == ("read", "family")
        ]

    # As long as there is nothing to open, nothing is opened.
    await seen(paula, hers)
    assert await looks() == []
    await report(theo, (today(house), 37))
    for _ in range(2):
        await seen(peter, his)
        await seen(paula, hers)
    fields = ["family.time"]
    assert await looks() == [(his, fields), (hers, fields)]
    house.clock.advance(timedelta(days=1))
    await seen(paula, hers)
    assert await looks() == [(his, fields), (hers, fields), (hers, fields)]
    # Nobody else's look is one, and the young person's own is none.
    assert (await seen(theo, hers)).status_code == 404
    assert (await seen(await house.person("sam"), hers)).status_code == 404
    assert len(await looks()) == 3
    # By these ids the young person knows who it was.
    shown = (await theo.get("/api/me/family")).json()["pairings"]
    assert {one["id"]: one["person"]["handle"] for one in shown} == {hers: "paula", his: "peter"}


async def test_odd_reports_are_refused_or_left_out(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    twice = [(today(house), 5), (today(house), 6)]
    refused(await report(theo, *twice), 400, "bad-family-time")
    refused(await report(theo, (today(house), 1441)), 400, "invalid")
    odd = {"limit_min": 0, "quiet_from": "25:00", "quiet_to": "07:00"}
    refused(await report(theo, (today(house), 5), own=odd), 400, "bad-family-time")
    # A clock that goes wrong.
    await report(theo, (today(house, -2), 5), (today(house, -1), 6), (today(house, 14), 7))
    days = (await seen(paula, pairing_id)).json()["days"]
    assert [one["minutes"] for one in days] == [6]
    refused(await report(paula, (today(house), 5)), 409, "not-paired")


async def test_minutes_are_forgotten_after_14_days(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await report(theo, (today(house), 5))
    house.clock.advance(timedelta(days=13))
    assert len((await seen(paula, pairing_id)).json()["days"]) == 1
    house.clock.advance(timedelta(days=1))
    assert (await seen(paula, pairing_id)).json()["days"] == []
    async with house.db.tx() as tx:
        await house.parts.people.tidy(tx)
    assert await house.rows("SELECT person_id FROM people.family_time") == []


async def test_below_sixteen_limits_hold_at_once_and_are_told(house: House) -> None:
    paula, theo = await two(house)
    await theo.patch("/api/me", json={"is_private": False})
    pairing_id = await pair(paula, theo)
    answer = await limit(paula, pairing_id, **LIMITS)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["limits"], answer.json()["proposed"]) == (LIMITS, None)
    mine = await family(theo)
    assert mine["held"] == {
        "daily_min": 45,
        "sleep": [{"begins": "21:30", "ends": "07:00"}],
        "keeps_private": True,
        "for_you_off": False,
    }
    (change,) = mine["changes"]
    assert (change["by"], change["state"], change["limits"]) == ("paula", "in-force", LIMITS)
    assert await told(house, theo) == ["family-limits", "family-paired"]
    # Said again, it is no news.
    await limit(paula, pairing_id, **LIMITS)
    assert await told(house, theo) == ["family-limits", "family-paired"]
    # The account is private now, and stays so.
    assert (await theo.get("/api/me")).json()["is_private"] is True
    refused(await theo.patch("/api/me", json={"is_private": False}), 403, "family-keeps-private")
    await limit(paula, pairing_id, daily_min=90)
    assert [one["state"] for one in (await family(theo))["changes"]] == ["in-force", "replaced"]
    assert (await theo.patch("/api/me", json={"is_private": False})).status_code == 200


async def test_from_sixteen_on_limits_are_proposed(house: House) -> None:
    paula, theo = await two(house, "16-17")
    pairing_id = await pair(paula, theo)
    place = f"/api/me/family/pairings/{pairing_id}/answer"
    refused(await theo.put(place, json={"accept": True}), 409, "nothing-proposed")
    one = (await limit(paula, pairing_id, **LIMITS)).json()
    assert (one["limits"], one["proposed"]) == (None, LIMITS)
    assert (await family(theo))["held"]["daily_min"] is None
    mine = (await theo.put(place, json={"accept": True})).json()
    assert mine["held"]["daily_min"] == 45
    refused(await theo.put(place, json={"accept": True}), 409, "nothing-proposed")
    await limit(paula, pairing_id, daily_min=20)
    mine = (await theo.put(place, json={"accept": False})).json()
    assert mine["held"]["daily_min"] == 45
    assert [one["state"] for one in mine["changes"]] == ["declined", "in-force"]
    assert (await told(house, paula))[:2] == ["family-answered", "family-answered"]


async def test_a_newer_proposal_replaces_the_older(house: House) -> None:
    paula, theo = await two(house, "16-17")
    pairing_id = await pair(paula, theo)
    await limit(paula, pairing_id, daily_min=20)
    one = (await limit(paula, pairing_id, daily_min=30)).json()
    assert one["proposed"]["daily_min"] == 30
    assert [one["state"] for one in (await family(theo))["changes"]] == ["proposed", "replaced"]


async def test_limits_only_add_and_the_tightest_of_two_guardians_hold(house: House) -> None:
    paula, theo = await two(house)
    ben = await house.person("ben")
    first, second = await pair(paula, theo), await pair(ben, theo)
    await limit(paula, first, **LIMITS)
    await limit(ben, second, daily_min=90, sleep_from="23:00", sleep_to="08:00", for_you_off=True)
    assert (await family(theo))["held"] == {
        "daily_min": 45,
        "sleep": [{"begins": "21:30", "ends": "07:00"}, {"begins": "23:00", "ends": "08:00"}],
        "keeps_private": True,
        "for_you_off": True,
    }
    # No limits at all leave what the age band gives.
    await limit(paula, first)
    await limit(ben, second)
    assert (await family(theo))["held"] == {
        "daily_min": None,
        "sleep": [],
        "keeps_private": False,
        "for_you_off": False,
    }
    body = (await seen(paula, first)).json()
    assert body["protections"]["messages"] == "nobody"
    assert body["protections"]["quiet_nights"]
    # There is no word for opening anything.
    looser = {"is_private": False}
    refused(await limit(paula, first, **looser), 400, "invalid")


async def test_odd_limits_are_refused(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    for odd in (
        {"daily_min": 0},
        {"daily_min": 9},
        {"daily_min": 241},
        {"sleep_from": "22:00"},
        {"sleep_to": "07:00"},
        {"sleep_from": "22:00", "sleep_to": "22:00"},
        {"sleep_from": "24:00", "sleep_to": "07:00"},
        {"sleep_from": "2:00", "sleep_to": "7:00"},
        {"sleep_from": "16:00", "sleep_to": "06:01"},
    ):
        refused(await limit(paula, pairing_id, **odd), 400, "bad-family-limits")
    fourteen = {"sleep_from": "16:00", "sleep_to": "06:00", "daily_min": 240}
    assert (await limit(paula, pairing_id, **fourteen)).status_code == 200


async def test_for_you_waits_in_hours_of_sleep(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    # It is 09:00 in UTC, and 10:00 where the young person is.
    await limit(paula, pairing_id, sleep_from="09:30", sleep_to="10:30")
    place = "/api/feeds/for-you"
    # The cell does not know the hour of a device that has not said it.
    assert (await theo.get(place)).status_code == 200
    await report(theo, (today(house), 5))
    refused(await theo.get(place), 403, "family-sleep")
    assert (await theo.get("/api/feeds/latest")).status_code == 200
    assert (await paula.get(place)).status_code == 200
    house.clock.advance(timedelta(minutes=30))
    assert (await theo.get(place)).status_code == 200
    house.clock.advance(timedelta(hours=22, minutes=45))
    await limit(paula, pairing_id, sleep_from="23:30", sleep_to="09:30")
    refused(await theo.get(place), 403, "family-sleep")


async def test_for_you_is_off_where_a_family_has_set_so(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    assert (await theo.get("/api/feeds/for-you")).status_code == 200
    await limit(paula, pairing_id, for_you_off=True)
    refused(await theo.get("/api/feeds/for-you"), 403, "family-for-you-off")
    await end(paula, pairing_id)
    assert (await theo.get("/api/feeds/for-you")).status_code == 200
