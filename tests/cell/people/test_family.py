"""Families: how two are paired by a code."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.cell.house import House, refused
from tests.cell.people.kin import (
    confirm,
    end,
    enter,
    family,
    limit,
    pair,
    report,
    seen,
    shown,
    today,
    told,
    two,
)


async def test_two_are_paired_once_both_have_confirmed(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(theo)
    assert len(code) == 9
    assert code[4] == "-"
    answer = await enter(paula, f" {code.lower().replace('-', ' ')} ")
    assert answer.status_code == 201, answer.text
    one = answer.json()
    assert (one["person"]["handle"], one["side"]) == ("theo", "teen")
    assert (one["i_agreed"], one["they_agreed"], one["paired_at"]) == (False, False, None)
    # Not yet: nothing is seen, nothing set, nothing told.
    refused(await seen(paula, one["id"]), 404, "no-such-pairing")
    refused(await limit(paula, one["id"], daily_min=30), 404, "no-such-pairing")
    refused(await report(theo, (today(house), 3)), 409, "not-paired")
    one = (await confirm(paula, one["id"])).json()
    assert (one["i_agreed"], one["they_agreed"], one["paired_at"]) == (True, False, None)
    refused(await seen(paula, one["id"]), 404, "no-such-pairing")
    (waiting,) = (await family(theo))["pairings"]
    assert waiting["person"]["handle"] == "paula"
    assert (waiting["i_agreed"], waiting["they_agreed"]) == (False, True)
    assert await told(house, theo) == []
    one = (await confirm(theo, one["id"])).json()
    assert one["paired_at"] is not None
    assert one["expires_at"] is None
    assert (await seen(paula, one["id"])).status_code == 200
    # Said twice, it is told once.
    assert (await confirm(theo, one["id"])).status_code == 200
    assert await told(house, theo) == await told(house, paula) == ["family-paired"]


async def test_the_adult_may_show_the_code_as_well(house: House) -> None:
    paula, theo = await two(house)
    one = (await enter(theo, await shown(paula))).json()
    assert (one["person"]["handle"], one["side"]) == ("paula", "guardian")
    await confirm(theo, one["id"])
    assert (await confirm(paula, one["id"])).json()["paired_at"] is not None
    assert (await family(theo))["side"] == "teen"
    assert (await family(paula))["side"] == "guardian"


async def test_a_code_is_good_once_and_for_ten_minutes(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(theo)
    house.clock.advance(timedelta(minutes=10))
    refused(await enter(paula, code), 404, "no-such-family-code")
    former, code = await shown(theo), await shown(theo)
    refused(await enter(paula, former), 404, "no-such-family-code")
    assert (await enter(paula, code)).status_code == 201
    refused(await enter(paula, code), 404, "no-such-family-code")


async def test_the_own_code_is_for_the_other_one(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(paula)
    refused(await enter(paula, code), 409, "own-family-code")
    # It is not used up by that.
    assert (await enter(theo, code)).status_code == 201


async def test_guesses_are_few(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(theo)
    for number in range(6):
        refused(await enter(paula, f"AAAA-AAA{number + 2}"), 404, "no-such-family-code")
    answer = await enter(paula, code)
    refused(answer, 429, "pace-family-code")
    assert "entered 6 codes in an hour" in answer.json()["sentence"]
    # Counted in the database, so that another process knows of it too; an hour later there are six
    # again, and the right one is among them.
    (row,) = await house.rows("SELECT act, done FROM people.pace")
    assert (row["act"], row["done"]) == ("family-code", 6)
    house.clock.advance(timedelta(hours=1, seconds=1))
    assert (await enter(paula, await shown(theo))).status_code == 201


async def test_what_is_no_code_is_not_found(house: House) -> None:
    paula, _ = await two(house)
    for typed in ("", "1", "AAAA-AAA0", "ÄÄÄÄ-ÄÄÄÄ"):
        refused(await enter(paula, typed), 404, "no-such-family-code")


async def test_only_an_adult_and_a_young_person_are_a_family(house: House) -> None:
    paula, theo = await two(house)
    ben = await house.person("ben")
    tess = await house.person("tess", age_band="16-17")
    refused(await enter(ben, await shown(paula)), 409, "not-a-family")
    refused(await enter(tess, await shown(theo)), 409, "not-a-family")
    assert (await enter(ben, await shown(tess))).status_code == 201


async def test_an_unconfirmed_pairing_runs_out(house: House) -> None:
    paula, theo = await two(house)
    one = (await enter(paula, await shown(theo))).json()
    await confirm(paula, one["id"])
    house.clock.advance(timedelta(minutes=15))
    refused(await confirm(theo, one["id"]), 404, "no-such-pairing")
    assert (await family(theo))["pairings"] == []
    async with house.db.tx() as tx:
        await house.parts.people.tidy(tx)
    assert await house.rows("SELECT id FROM people.family_pairing") == []
    assert await told(house, paula) == []
    await pair(paula, theo)


async def test_a_no_ends_what_waits_and_tells_nobody(house: House) -> None:
    paula, theo = await two(house)
    one = (await enter(paula, await shown(theo))).json()
    await confirm(paula, one["id"])
    assert (await end(theo, one["id"])).json() == {"ends_at": None}
    refused(await confirm(paula, one["id"]), 404, "no-such-pairing")
    assert await told(house, paula) == []


async def test_two_are_not_paired_twice(house: House) -> None:
    paula, theo = await two(house)
    await pair(paula, theo)
    refused(await enter(theo, await shown(paula)), 409, "already-paired")


async def test_a_young_person_has_two_guardians_at_most(house: House) -> None:
    paula, theo = await two(house)
    ben, cleo = await house.person("ben"), await house.person("cleo")
    await pair(paula, theo)
    # The third one was entered while there was room, and is refused at the end.
    waiting = (await enter(cleo, await shown(theo))).json()
    await pair(ben, theo)
    refused(await enter(cleo, await shown(theo)), 409, "guardians-too-many")
    refused(await confirm(theo, waiting["id"]), 409, "guardians-too-many")
    assert {one["person"]["handle"] for one in (await family(theo))["pairings"]} >= {"paula", "ben"}


async def test_an_adult_has_six_young_people_at_most(house: House) -> None:
    paula = await house.person("paula")
    for number in range(6):
        await pair(paula, await house.person(f"teen{number}", age_band="16-17"))
    last = await house.person("teen6", age_band="16-17")
    refused(await enter(last, await shown(paula)), 409, "teens-too-many")


async def test_of_two_who_enter_a_code_at_once_one_is_let_in(house: House) -> None:
    paula, theo = await two(house)
    ben = await house.person("ben")
    code = await shown(theo)
    answers = await asyncio.gather(enter(paula, code), enter(ben, code))
    assert sorted(answer.status_code for answer in answers) == [201, 404]


async def test_a_block_keeps_a_code_from_being_found_and_ends_a_pairing(house: House) -> None:
    paula, theo = await two(house)
    assert (await theo.put("/api/people/paula/away/block")).status_code in (200, 204)
    refused(await enter(paula, await shown(theo)), 404, "no-such-family-code")
    await theo.delete("/api/people/paula/away/block")
    pairing_id = await pair(paula, theo)
    await report(theo, (today(house), 3))
    # Below sixteen, too: who has to get away from a guardian is away at once.
    await theo.put("/api/people/paula/away/block")
    refused(await seen(paula, pairing_id), 404, "no-such-pairing")
    assert (await family(theo))["pairings"] == []
    assert await house.rows("SELECT person_id FROM people.family_time") == []
    assert await told(house, paula) == ["family-ended", "family-paired"]


async def test_a_block_after_the_code_keeps_it_from_being_confirmed(house: House) -> None:
    paula, theo = await two(house)
    one = (await enter(paula, await shown(theo))).json()
    await confirm(paula, one["id"])
    await paula.put("/api/people/theo/away/block")
    refused(await confirm(theo, one["id"]), 404, "no-such-pairing")
    assert await told(house, theo) == []


async def test_others_find_no_pairing(house: House) -> None:
    paula, theo = await two(house)
    ben = await house.person("ben")
    pairing_id = await pair(paula, theo)
    refused(await seen(ben, pairing_id), 404, "no-such-pairing")
    refused(await limit(ben, pairing_id, daily_min=30), 404, "no-such-pairing")
    refused(await confirm(ben, pairing_id), 404, "no-such-pairing")
    refused(await end(ben, pairing_id), 404, "no-such-pairing")
    # Nor does the young person look as a guardian does, or the guardian answer.
    refused(await seen(theo, pairing_id), 404, "no-such-pairing")
    refused(await limit(theo, pairing_id, daily_min=30), 404, "no-such-pairing")
    place = f"/api/me/family/pairings/{pairing_id}/answer"
    refused(await paula.put(place, json={"accept": True}), 404, "no-such-pairing")
    refused(await house.visitor().get("/api/me/family"), 401, "not-signed-in")
