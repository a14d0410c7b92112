"""Shifts at the console, what is noted of them, and the digests that the log has."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_acts
from tests.cell.console.bench import CONSOLE, at_work, begin, page, signed, staff
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import Pools, decisions
from tests.cell.safety.bench import settings_of
from tests.cell.test_glass import publish

from luciole import staffing
from luciole.cell.console import model
from luciole.cell.console.logs import Reader
from luciole.ledger.entry import canonical
from verifier import luciole_verify

AUDITOR = ["joining", "policies", "ledger", "acts"]


@pytest.fixture(autouse=True)
def nothing_read_yet(house: House) -> None:
    house.parts.console.looking._reader = Reader(house.parts.blobs)


async def acts_of(pools: Pools) -> list[dict[str, Any]]:
    return [one for one in await decisions(pools) if one["kind"].startswith("console")]


async def test_a_passkey_opens_the_console_in_one_role(
    house: House, ana: Browser, owner_url: str
) -> None:
    refused(await house.visitor().get(f"{CONSOLE}/shift"), 401, "not-signed-in")
    refused(await ana.get(f"{CONSOLE}/shift"), 403, "not-staff")
    refused(await ana.post(f"{CONSOLE}/shifts", json={"role": "operator"}), 403, "not-staff")
    refused(await ana.delete(f"{CONSOLE}/shift"), 403, "not-staff")
    eve, hers = await staff(house, owner_url, "eve", "operator", "auditor")
    seen = (await eve.get(f"{CONSOLE}/shift")).json()
    assert seen == {"roles": ["operator", "auditor"], "role": None, "ends_at": None, "pages": []}
    refused(await eve.get(f"{CONSOLE}/overview"), 403, "console-shift-needed")
    refused(
        await eve.post(f"{CONSOLE}/shifts", json={"role": "moderator"}), 403, "not-in-this-role"
    )
    begun = await begin(eve, hers, "auditor")
    assert (begun["role"], begun["pages"]) == ("auditor", AUDITOR)
    refused(await eve.get(f"{CONSOLE}/overview"), 403, "not-in-this-role")
    # In another role, with another signature, in the place of the first.
    begun = await begin(eve, hers, "operator")
    assert begun["pages"] == list(model.PAGES)
    await page(eve, "overview")
    assert (await eve.delete(f"{CONSOLE}/shift")).status_code == 204
    refused(await eve.get(f"{CONSOLE}/overview"), 403, "console-shift-needed")
    assert (await eve.delete(f"{CONSOLE}/shift")).status_code == 204


async def test_shift_is_of_one_person_on_one_device_for_two_hours(
    house: House, owner_url: str
) -> None:
    (eve, hers), (max_, his) = [
        await staff(house, owner_url, name, "operator") for name in ("eve", "max")
    ]
    asked = (await eve.post(f"{CONSOLE}/shifts", json={"role": "operator"})).json()
    place = f"{CONSOLE}/shifts/{asked['id']}/signature"
    # Another's passkey begins nobody's shift, and nobody begins another's.
    refused(await eve.post(place, json=signed(asked, his)), 403, "not-in-this-role")
    refused(await max_.post(place, json=signed(asked, his)), 403, "console-shift-needed")
    house.clock.advance(timedelta(minutes=model.SHIFT_ASKED_MINUTES, seconds=1))
    refused(await eve.post(place, json=signed(asked, hers)), 403, "console-shift-needed")
    await begin(eve, hers, "operator")
    await page(eve, "overview")
    other = house.visitor(cookie=f"luciole_session={max_.token}")
    refused(await other.get(f"{CONSOLE}/overview"), 403, "console-shift-needed")
    house.clock.advance(timedelta(hours=model.SHIFT_HOURS, seconds=1))
    refused(await eve.get(f"{CONSOLE}/overview"), 403, "console-shift-needed")
    await begin(eve, hers, "operator")
    await staffing.change(settings_of(owner_url), "remove", "eve", house.clock)
    refused(await eve.get(f"{CONSOLE}/overview"), 403, "not-staff")


async def test_role_that_was_taken_away_ends_the_shift(house: House, owner_url: str) -> None:
    eve, hers = await staff(house, owner_url, "eve", "operator")
    await begin(eve, hers, "operator")
    settings = settings_of(owner_url)
    await staffing.change(settings, "remove", "eve", house.clock)
    await staffing.change(settings, "add", "eve", house.clock, ("auditor",))
    refused(await eve.get(f"{CONSOLE}/jobs"), 403, "console-shift-needed")


async def test_each_look_is_noted_and_each_act_is_in_the_log(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    await page(eve, "people")
    refused(await eve.post(f"{CONSOLE}/jobs/1/retry"), 409, "job-not-stuck")
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    refused(await zoe.get(f"{CONSOLE}/people"), 403, "not-in-this-role")
    found = await page(zoe, "acts")
    seen = [(one["role"], one["act"], one["what"]) for one in found["items"]]
    assert seen == [
        ("auditor", "look", "acts"),
        ("auditor", "begin", ""),
        ("operator", "look", "people"),
        ("operator", "begin", ""),
    ]
    assert (found["next"], found["days"]) == (None, [])
    logged = await acts_of(pools)
    assert [(one["role"], one["act"]) for one in logged] == [
        ("operator", "begin"),
        ("auditor", "begin"),
    ]
    # By the id under which the log has who came, and no other.
    staff_ids = {one["staff"] for one in await decisions(pools) if one["kind"] == "staff"}
    assert {one["staff_id"] for one in found["items"]} == staff_ids


async def test_many_acts_come_page_by_page(house: House, owner_url: str) -> None:
    eve = await at_work(house, owner_url, "eve", "operator")
    for _ in range(model.ACTS_AT_ONCE):
        await page(eve, "queue")
    first = await page(eve, "acts")
    assert len(first["items"]) == model.ACTS_AT_ONCE
    rest = await page(eve, f"acts?before={first['next']}")
    assert [one["act"] for one in rest["items"]] == ["look", "begin"]
    assert rest["next"] is None


async def test_a_changed_list_of_acts_does_not_match_the_log(
    house: House, owner_url: str, pools: Pools
) -> None:
    eve, hers = await staff(house, owner_url, "eve", "operator")
    await begin(eve, hers, "operator")
    await page(eve, "people")
    close = house.parts.queue._periodic["console.close"][0]
    await close()
    assert [one["kind"] for one in await acts_of(pools)] == ["console"]
    house.clock.advance(timedelta(days=1, hours=2))
    for _ in range(2):  # again changes nothing
        await close()
    (closed,) = [one for one in await acts_of(pools) if one["kind"] == "console-day"]
    assert closed["acts"] == 2
    await begin(eve, hers, "operator")
    assert [one["state"] for one in (await page(eve, "acts"))["days"]] == ["waiting"]
    await publish(house, {"decisions": list(await decisions(pools))})
    (day,) = (await page(eve, "acts"))["days"]
    assert (day["day"], day["acts"], day["state"]) == (closed["day"], 2, "kept")
    assert day["sha256"] == closed["sha256"]
    # Whoever has the database can take a line out, and is seen.
    async with pools[0].tx() as tx:
        await tx.execute("DELETE FROM console.act WHERE act = 'look' AND what = 'people'")
    (day,) = (await page(eve, "acts"))["days"]
    assert (day["acts"], day["state"]) == (1, "changed")


async def test_an_auditor_takes_the_list_along_and_the_verifier_matches_it_with_the_log(
    house: House, owner_url: str, pools: Pools, tmp_path: Path
) -> None:
    eve, hers = await staff(house, owner_url, "eve", "operator")
    await begin(eve, hers, "operator")
    await page(eve, "people")
    house.clock.advance(timedelta(days=1, hours=2))
    await house.parts.queue._periodic["console.close"][0]()
    zoe = await at_work(house, owner_url, "zoe", "auditor")
    await publish(house, {"decisions": list(await decisions(pools))})

    async def judged() -> str:
        answer = await zoe.get(f"{CONSOLE}/acts/list")
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        (tmp_path / "list").write_bytes(answer.content)
        entries = [luciole_verify.text_of(canonical(one)) for one in await decisions(pools)]
        origin = f"luciole/{house.vault.store.secret.cell_id}/decisions"
        point = luciole_verify.Point("", b"", origin, len(entries), b"", [])
        log = luciole_verify.Log(point, [], [], int(house.clock.now().timestamp()))
        claims: list[dict[str, str]] = []
        luciole_verify.claim(
            claims, "acts", luciole_acts.check_acts, tmp_path / "list", log, entries
        )
        return claims[0]["code"]

    assert await judged() == "green"
    *_, mine = (tmp_path / "list").read_text().splitlines()
    assert '"act":"look"' in mine
    assert '"what":"acts"' in mine
    async with pools[0].tx() as tx:
        await tx.execute("DELETE FROM console.act WHERE act = 'look' AND what = 'people'")
    assert await judged() == "acts.changed"


async def test_old_shifts_and_acts_are_forgotten(
    house: House, owner_url: str, pools: Pools
) -> None:
    await at_work(house, owner_url, "eve", "operator")
    close = house.parts.queue._periodic["console.close"][0]

    async def left() -> tuple[int, int]:
        async with pools[0].read() as tx:
            return (
                len(await tx.fetch("SELECT 1 FROM console.shift")),
                len(await tx.fetch("SELECT 1 FROM console.act")),
            )

    house.clock.advance(timedelta(days=model.SHIFT_KEPT_DAYS, hours=1))
    await close()
    assert await left() == (0, 1)
    house.clock.advance(timedelta(days=model.ACTS_KEPT_DAYS))
    await close()
    assert await left() == (0, 0)
