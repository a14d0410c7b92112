"""Asking to be forgotten, thinking it over, and being forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cell.house import PASSWORD, Browser, House, refused
from tests.cell.rights.support import forget, leave, report

# Asking, and keeping the account


async def test_asking_needs_a_proof_of_the_last_minutes(house: House, ana: Browser) -> None:
    house.clock.advance(timedelta(minutes=11))
    refused(await ana.post("/api/me/erasure", json={}), 403, "proof-needed")
    assert (await ana.get("/api/me")).json()["leaving_at"] is None
    proof = await ana.post("/api/sessions/current/proof", json={"password": PASSWORD})
    assert proof.status_code == 204
    await leave(ana)


async def test_recovery_code_proves_it_once(house: House) -> None:
    body = {
        "handle": "kim",
        "display_name": "Kim",
        "age_band": "18+",
        "locale": "en",
        "password": PASSWORD,
    }
    kim = house.visitor()
    code = (await kim.post("/api/sign-up", json=body)).json()["recovery_codes"][0]
    house.clock.advance(timedelta(minutes=11))
    prove = {"recovery_code": code}
    assert (await kim.post("/api/sessions/current/proof", json=prove)).status_code == 204
    await leave(kim)
    refused(await kim.post("/api/sessions/current/proof", json=prove), 403, "wrong-recovery-code")


async def test_who_leaves_is_nobody_to_others_at_once(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await ana.follow(ben)
    await ben.follow(ana)
    await ben.put(f"/api/clips/{made['id']}/like")
    film = made["renditions"][0]["url"]
    visitor = house.visitor()
    shown = [
        "/api/people/ana",
        f"/api/clips/{made['id']}",
        "/api/people/ana/clips",
        "/api/people/ana/followers",
        film,
    ]
    for path in shown:
        assert (await visitor.get(path)).status_code == 200, path
    await leave(ana)
    for path in shown:
        assert (await visitor.get(path)).status_code == 404, path
        assert (await ben.get(path)).status_code == 404, path
    for path in ("latest", "following", "friends"):
        assert (await ben.get(f"/api/feeds/{path}")).json()["items"] == [], path
    for path in ("/api/people/ben/followers", "/api/people/ben/following", "/api/notifications"):
        assert (await ben.get(path)).json()["items"] == [], path
    assert (await ben.get("/api/notifications/unread")).json() == {"unread": False}
    refused(await ben.put(f"/api/clips/{made['id']}/like"), 404, "no-such-clip")
    refused(await ben.put("/api/people/ana/follow"), 404, "no-such-person")


async def test_account_can_be_kept_and_is_as_it_was(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await ben.follow(ana)
    ticket = await leave(ana)
    house.clock.advance(timedelta(days=29))
    again = house.visitor()
    signed_in = await again.post("/api/sessions", json={"handle": "ana", "password": PASSWORD})
    assert signed_in.status_code == 201
    state = (await again.get("/api/me/erasure")).json()
    assert state["state"] == "waiting"
    assert state["due_at"] == signed_in.json()["me"]["leaving_at"]
    assert (await report(house, ticket))["state"] == "waiting"
    assert (await again.delete("/api/me/erasure")).status_code == 204
    refused(await again.get("/api/me/erasure"), 404, "not-leaving")
    refused(await again.delete("/api/me/erasure"), 404, "not-leaving")
    refused(await again.get(f"/api/erasures/{ticket}"), 404, "no-such-erasure")
    visitor = house.visitor()
    for path in ("/api/people/ana", f"/api/clips/{made['id']}", made["renditions"][0]["url"]):
        assert (await visitor.get(path)).status_code == 200, path
    assert len((await ben.get("/api/feeds/following")).json()["items"]) == 1


async def test_feed_with_somebody_who_leaves_is_a_whole_page(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    eve = await house.person("eve")
    first = await ana.clip(house, tiny_film)
    for _ in range(3):
        await eve.clip(house, tiny_film)
    for author in (ana, eve):
        await ben.follow(author)
    await leave(eve)
    page = (await ben.get("/api/feeds/following", params={"limit": 1})).json()
    assert [clip["id"] for clip in page["items"]] == [first["id"]]


async def test_asking_again_gives_another_ticket_and_day(house: House, ana: Browser) -> None:
    first = await leave(ana)
    second = await leave(ana, now=True)
    refused(await house.visitor().get(f"/api/erasures/{first}"), 404, "no-such-erasure")
    assert (await report(house, second))["state"] == "waiting"


@pytest.mark.parametrize("ticket", ["x", "0" * 43, "%00", "é" * 20])
async def test_made_up_ticket_finds_nothing(house: House, ana: Browser, ticket: str) -> None:
    await leave(ana)
    assert (await house.visitor().get(f"/api/erasures/{ticket}")).status_code == 404


# Being forgotten


async def test_account_is_erased_when_its_day_has_come(house: House, ana: Browser) -> None:
    ticket = await leave(ana)
    due = house.parts.leaving.put_due
    house.clock.advance(timedelta(days=29, hours=23))
    async with house.db.tx() as tx:
        await due(tx)
    assert await house.work() == 0
    house.clock.advance(timedelta(hours=1))
    async with house.db.tx() as tx:
        await due(tx)
    await house.work()
    told = await report(house, ticket)
    assert told["state"] == "erased"
    assert told["unreadable_by"] > told["done_at"]
    sign_in = await house.visitor().post(
        "/api/sessions", json={"handle": "ana", "password": PASSWORD}
    )
    refused(sign_in, 401, "wrong-sign-in")


async def test_erased_person_is_signed_out_and_never_comes_back(house: House, ana: Browser) -> None:
    await forget(house, ana)
    refused(await ana.get("/api/me"), 401, "not-signed-in")
    refused(await house.visitor().get("/api/people/ana"), 404, "no-such-person")
    body = {
        "handle": "a_n_a",
        "display_name": "Not Ana",
        "age_band": "18+",
        "locale": "en",
        "password": PASSWORD,
    }
    refused(await house.visitor().post("/api/sign-up", json=body), 409, "handle-taken")


async def test_counts_of_others_are_right_afterwards(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    eve = await house.person("eve")
    made = await ben.clip(house, tiny_film)
    for person in (ana, eve):
        await person.follow(ben)
        await ben.follow(person)
        await person.put(f"/api/clips/{made['id']}/like")
    told = await forget(house, ana)
    assert told["removed"]["likes"] == 1
    assert told["removed"]["following"] == told["removed"]["followers"] == 1
    seen = (await eve.get("/api/people/ben")).json()
    assert (seen["followers"], seen["following"]) == (1, 1)
    assert (await ben.get(f"/api/clips/{made['id']}")).json()["likes"] == 1
    assert await house.rows("SELECT FROM clips.liked WHERE clip_id = $1", made["id"])


async def test_report_says_what_was_removed_and_names_nobody(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film)
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    person_id = await house.person_id("ana")
    told = await forget(house, ana)
    removed = told["removed"]
    assert removed["clips"] == removed["films"] == removed["addresses"] == removed["sessions"] == 1
    assert removed["files"] >= 2
    assert "ana" not in str(told)
    assert str(person_id) not in str(told)
    (row,) = await house.rows("SELECT person_id FROM rights.erasure")
    assert row["person_id"] is None
    assert await house.rows("SELECT FROM rights.emptied_place") == []
