"""Families: how a pairing ends, and who is told."""

from __future__ import annotations

from datetime import timedelta

from tests.cell.house import House, refused
from tests.cell.people.kin import (
    LIMITS,
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


async def test_a_guardian_ends_it_at_once(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await limit(paula, pairing_id, **LIMITS)
    await report(theo, (today(house), 5))
    assert (await end(paula, pairing_id)).json() == {"ends_at": None}
    refused(await end(paula, pairing_id), 404, "no-such-pairing")
    mine = await family(theo)
    assert (mine["pairings"], mine["held"], mine["changes"]) == ([], None, [])
    assert (await told(house, theo))[0] == "family-ended"
    for table in ("family_pairing", "family_limits", "family_time"):
        assert await house.rows(f"SELECT * FROM people.{table}") == []


async def test_from_sixteen_on_the_young_person_ends_it_alone(house: House) -> None:
    paula, theo = await two(house, "16-17")
    pairing_id = await pair(paula, theo)
    await report(theo, (today(house), 5))
    assert (await end(theo, pairing_id)).json() == {"ends_at": None}
    refused(await seen(paula, pairing_id), 404, "no-such-pairing")
    assert (await told(house, paula))[0] == "family-ended"


async def test_below_sixteen_the_guardian_has_a_day(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await limit(paula, pairing_id, daily_min=30)
    ends_at = (await end(theo, pairing_id)).json()["ends_at"]
    assert ends_at is not None
    # Asked again, it is not put off.
    house.clock.advance(timedelta(hours=2))
    assert (await end(theo, pairing_id)).json()["ends_at"] == ends_at
    assert (await told(house, paula))[0] == "family-ending"
    assert (await family(paula))["pairings"][0]["ends_at"] == ends_at
    # The guardian cannot take it back; the young person can.
    await confirm(paula, pairing_id)
    assert (await family(theo))["pairings"][0]["ends_at"] == ends_at
    assert (await confirm(theo, pairing_id)).json()["ends_at"] is None
    await end(theo, pairing_id)
    house.clock.advance(timedelta(hours=24))
    refused(await seen(paula, pairing_id), 404, "no-such-pairing")
    assert (await family(theo))["held"] is None
    async with house.db.tx() as tx:
        await house.parts.people.tidy(tx)
    assert await house.rows("SELECT id FROM people.family_pairing") == []
    assert (await told(house, theo))[0] == (await told(house, paula))[0] == "family-ended"


async def test_who_grows_up_has_no_guardians(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await limit(paula, pairing_id, **LIMITS)
    await theo.put("/api/me/age-band", json={"age_band": "16-17"})
    assert (await seen(paula, pairing_id)).json()["age_band"] == "16-17"
    # What held goes on; what comes now is proposed.
    assert (await limit(paula, pairing_id, daily_min=20)).json()["limits"] == LIMITS
    await theo.put("/api/me/age-band", json={"age_band": "18+"})
    refused(await seen(paula, pairing_id), 404, "no-such-pairing")
    assert (await told(house, paula))[0] == "family-ended"
    assert (await theo.patch("/api/me", json={"is_private": False})).status_code == 200


async def test_who_leaves_holds_it_and_who_is_erased_ends_it(house: House) -> None:
    paula, theo = await two(house)
    pairing_id = await pair(paula, theo)
    await limit(paula, pairing_id, **LIMITS)
    await report(theo, (today(house), 5))
    paula_id = await house.person_id("paula")
    async with house.db.tx() as tx:
        await house.parts.people.leave(tx, paula_id, house.clock.now() + timedelta(days=7))
    assert (await family(theo))["pairings"] == []
    assert (await theo.patch("/api/me", json={"is_private": False})).status_code == 200
    refused(await seen(paula, pairing_id), 404, "no-such-pairing")
    async with house.db.tx() as tx:
        await house.parts.people.leave(tx, paula_id, None)
    assert (await family(theo))["held"]["daily_min"] == 45
    async with house.db.tx() as tx:
        await tx.execute("DELETE FROM people.person WHERE id = $1", paula_id)
    assert (await family(theo))["pairings"] == []
    for table in ("family_pairing", "family_limits"):
        assert await house.rows(f"SELECT * FROM people.{table}") == []


async def test_a_code_of_somebody_who_is_leaving_is_nobodys(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(theo)
    async with house.db.tx() as tx:
        at = house.clock.now() + timedelta(days=7)
        await house.parts.people.leave(tx, await house.person_id("theo"), at)
    refused(await enter(paula, code), 404, "no-such-family-code")


async def test_an_adult_who_is_suspended_pairs_with_nobody(house: House) -> None:
    paula, theo = await two(house)
    code = await shown(theo)
    await house.rows(
        "INSERT INTO people.restriction (id, person_id, act, begun_at)"
        " VALUES (gen_random_uuid(), $1, 'everything', $2) RETURNING id",
        await house.person_id("paula"),
        house.clock.now(),
    )
    refused(await enter(paula, code), 403, "account-suspended")
    refused(await paula.post("/api/me/family/codes", json={}), 403, "account-suspended")


async def test_news_that_come_twice_are_told_once(house: House) -> None:
    paula, theo = await two(house)
    one = (await enter(paula, await shown(theo))).json()
    await confirm(paula, one["id"])
    await confirm(theo, one["id"])
    jobs = [job for job in await house._take() if job[0] == "people.family-told"]
    for name, body in jobs * 2:
        await house.parts.queue.run_once(name, body)
    assert await told(house, theo) == await told(house, paula) == ["family-paired"]
