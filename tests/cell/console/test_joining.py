"""Who may join, as the operator decides at the console: each answer is an act there and an entry of
the log, which names nobody; and an auditor sees how many."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.cell.console.bench import CONSOLE, at_work, page
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import Pools, decisions

from luciole.cell.people.joining import model

NOWHERE = "0190b6a5-1111-7000-8000-000000000001"
JOINING = f"{CONSOLE}/joining"
WORDS = "I film herons at the quay."


async def by(house: House, mode: model.Mode) -> None:
    async with house.db.tx() as tx:
        await house.parts.people.joining.set_mode(tx, mode, by=None)


async def asks(house: House, name: str) -> str:
    """Somebody asks for an account; their ticket."""
    body = {"name": name, "words": WORDS}
    answer = await house.visitor().post("/api/sign-up/requests", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


async def state_of(house: House, ticket: str) -> Any:
    answer = await house.visitor().post("/api/sign-up/requests/state", json={"ticket": ticket})
    return answer.json()


async def joins(house: House, handle: str, code: str) -> Any:
    body = {
        "handle": handle,
        "display_name": handle.title(),
        "age_band": "18+",
        "locale": "en",
        "password": "seven turquoise herons",
        "invitation": code,
    }
    return await house.visitor().post("/api/sign-up", json=body)


async def entries(pools: Pools, *kinds: str) -> list[dict[str, Any]]:
    return [one for one in await decisions(pools) if one["kind"] in kinds]


async def staff_id(house: House, handle: str) -> str:
    (row,) = await house.rows(
        "SELECT id FROM custody.office WHERE person_id = $1", await house.person_id(handle)
    )
    return str(row["id"])


async def test_the_operator_answers_who_waits_and_the_log_says_that_and_not_whom(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await by(house, "approval")
    hers, his = await asks(house, "Ana Luz"), await asks(house, "Ben Oak")
    found = await page(eve, "joining")
    assert (found["registration"], found["waiting"]) == ("approval", 2)
    assert [(one["name"], one["words"]) for one in found["requests"]] == [
        ("Ana Luz", WORDS),
        ("Ben Oak", WORDS),
    ]
    ana, ben = (f"{JOINING}/requests/{one['id']}" for one in found["requests"])
    assert (await eve.post(f"{ana}/approval")).status_code == 204
    refused(await eve.post(f"{ben}/refusal", json={"reason": " \n"}), 400, "reason-needed")
    answer = await eve.post(f"{ben}/refusal", json={"reason": "We know no Ben."})
    assert answer.status_code == 204, answer.text
    assert await state_of(house, his) == {"state": "refused", "reason": "We know no Ben."}
    assert (await joins(house, "ana", hers)).status_code == 201
    # Each is answered once, whatever was said.
    refused(await eve.post(f"{ana}/approval"), 404, "nobody-waits")
    refused(await eve.post(f"{ben}/approval"), 404, "nobody-waits")
    refused(await eve.post(f"{ben}/refusal", json={"reason": "No."}), 404, "nobody-waits")
    assert (await page(eve, "joining"))["requests"] == []

    # Of each answer, the log has that it was given, and by whom of the staff.
    hers_at_work = await staff_id(house, "eve")
    said = await entries(pools, "admission")
    assert [(one["act"], one["staff"]) for one in said] == [
        ("approve", hers_at_work),
        ("refuse", hers_at_work),
    ]
    acts = [one for one in await entries(pools, "console") if one["act"] != "begin"]
    assert [(one["act"], one["staff"], one["what"]) for one in acts] == [
        ("approve", hers_at_work, ""),
        ("refuse", hers_at_work, ""),
    ]
    told = json.dumps(await decisions(pools))
    for secret in ("Ana Luz", "Ben", "herons", ana.split("/")[-1], ben.split("/")[-1]):
        assert secret not in told


async def test_the_operator_invites_and_takes_it_back(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await by(house, "invitation")
    wish = {"uses": 2, "days": 3, "note": "the choir"}
    answer = await eve.post(f"{JOINING}/invitations", json=wish)
    assert answer.status_code == 201, answer.text
    place, _, code = answer.json()["link"].partition("#")
    assert place.endswith("/sign-up")
    assert (await joins(house, "ana", code)).status_code == 201
    found = await page(eve, "joining")
    assert (found["invitations"], found["places"]) == (1, 1)
    (one,) = found["invited"]
    assert (one["uses_left"], one["note"]) == (1, "the choir")
    # Who came by it is nowhere, and its code was shown once.
    assert code not in json.dumps(found)
    assert (await eve.delete(f"{JOINING}/invitations/{one['id']}")).status_code == 204
    refused(await joins(house, "ben", code), 403, "invitation-spent")
    refused(await eve.delete(f"{JOINING}/invitations/{one['id']}"), 404, "no-such-invitation")
    assert (await page(eve, "joining"))["invited"] == []
    said = await entries(pools, "admission")
    assert [(one["act"], one.get("uses"), one.get("days")) for one in said] == [
        ("invite", 2, 3),
        ("withdraw", None, None),
    ]
    acts = [(one["act"], one["what"]) for one in await entries(pools, "console")]
    assert acts == [("begin", ""), ("invite", "2"), ("withdraw", "")]
    assert "choir" not in json.dumps(await decisions(pools))


async def test_an_invitation_that_has_run_out_or_is_used_up_is_not_counted(
    house: House, owner_url: str
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    links = []
    for days in (1, 2):
        answer = await eve.post(f"{JOINING}/invitations", json={"days": days})
        assert answer.status_code == 201, answer.text
        links.append(answer.json()["link"])
    house.clock.advance(timedelta(days=1))
    eve = await at_work(house, owner_url, "mia", "operator")
    assert (await page(eve, "joining"))["invitations"] == 1
    assert (await joins(house, "ana", links[-1].partition("#")[2])).status_code == 201
    found = await page(eve, "joining")
    assert (found["invitations"], found["places"], found["invited"]) == (0, 0, [])


@pytest.mark.parametrize("wish", [{"uses": 0}, {"uses": 10_001}, {"days": 0}, {"days": 366}])
async def test_an_invitation_for_too_many_or_too_long_is_refused(
    house: House, owner_url: str, pools: Pools, wish: dict[str, int]
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    refused(await eve.post(f"{JOINING}/invitations", json=wish), 400, "bad-invitation")
    assert await entries(pools, "admission") == []


async def test_an_auditor_sees_how_many_and_lets_nobody_in(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    max_ = await at_work(house, owner_url, "max", "moderator")
    await by(house, "approval")
    await asks(house, "Ana Luz")
    wish = {"uses": 5, "note": "the choir"}
    assert (await eve.post(f"{JOINING}/invitations", json=wish)).status_code == 201
    found = await page(eve, "joining")
    request_id, invitation_id = found["requests"][0]["id"], found["invited"][0]["id"]
    assert await page(zoe, "joining") == {
        "registration": "approval",
        "as_set": "open",
        "waiting": 1,
        "invitations": 1,
        "places": 5,
        "requests": [],
        "invited": [],
    }
    refused(await max_.get(JOINING), 403, "not-in-this-role")
    for one in (zoe, max_):
        for answer in (
            await one.post(f"{JOINING}/requests/{request_id}/approval"),
            await one.post(f"{JOINING}/requests/{request_id}/refusal", json={"reason": "No."}),
            await one.post(f"{JOINING}/invitations", json={}),
            await one.delete(f"{JOINING}/invitations/{invitation_id}"),
        ):
            refused(answer, 403, "not-in-this-role")
    assert [one["act"] for one in await entries(pools, "admission")] == ["invite"]
    assert (await page(eve, "joining"))["waiting"] == 1


async def test_each_look_at_who_waits_is_in_the_list_of_acts(
    house: House, ana: Browser, owner_url: str
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await page(eve, "joining")
    acts = (await page(eve, "acts"))["items"]
    assert [(one["act"], one["what"]) for one in acts] == [
        ("look", "acts"),
        ("look", "joining"),
        ("begin", ""),
    ]
    refused(await ana.get(JOINING), 403, "not-staff")
    refused(await ana.post(f"{JOINING}/requests/{NOWHERE}/approval"), 403, "not-staff")
    refused(await house.visitor().get(JOINING), 401, "not-signed-in")


async def test_the_operator_says_how_the_cell_takes_people(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    changed = f"{JOINING}/registration"
    assert (await eve.put(changed, json={"mode": "closed"})).status_code == 204
    # In the very next answer.
    refused(await joins(house, "ana", ""), 403, "registration-closed")
    assert (await house.visitor().get("/api/sign-up")).json()["registration"] == "closed"
    found = await page(eve, "joining")
    assert (found["registration"], found["as_set"]) == ("closed", "open")
    # What is so already is no change.
    assert (await eve.put(changed, json={"mode": "closed"})).status_code == 204
    assert (await eve.put(changed, json={"mode": None})).status_code == 204
    assert (await page(eve, "joining"))["registration"] == "open"
    assert (await joins(house, "ana", "")).status_code == 201

    hers = await staff_id(house, "eve")
    said = await entries(pools, "registration")
    assert [(one["mode"], one["staff"]) for one in said] == [("closed", hers), ("open", hers)]
    acts = [one for one in await entries(pools, "console") if one["act"] != "begin"]
    assert [(one["act"], one["what"]) for one in acts] == [
        ("registration", "closed"),
        ("registration", "closed"),
        ("registration", "as-set"),
    ]


async def test_what_is_no_way_to_take_people_is_refused(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    for wish in ({}, {"mode": "ajar"}, {"mode": 1}, {"mode": "open", "until": "2027-01-01"}):
        answer = await eve.put(f"{JOINING}/registration", json=wish)
        assert answer.status_code == 400, answer.text
    for role, name in (("auditor", "zoe"), ("moderator", "max")):
        one = await at_work(house, owner_url, name, role)
        answer = await one.put(f"{JOINING}/registration", json={"mode": "closed"})
        refused(answer, 403, "not-in-this-role")
    assert await entries(pools, "registration") == []


async def test_two_who_change_it_at_once_are_both_in_the_log(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    joining = house.parts.people.joining
    async with house.db.tx() as first:
        await joining.set_mode(first, "closed", by=None)
        second = asyncio.create_task(eve.put(f"{JOINING}/registration", json={"mode": None}))
        # It waits, and then sees what the first one did.
        await asyncio.sleep(0.2)
        assert not second.done()
    assert (await second).status_code == 204
    assert [one["mode"] for one in await entries(pools, "registration")] == ["closed", "open"]
    assert (await page(eve, "joining"))["registration"] == "open"
