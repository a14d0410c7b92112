"""Orders of governments: counted in public as in the log, told when their gag is over."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cell.house import Browser, House
from tests.cell.notices.court import (
    COURT,
    DECISIONS,
    SETTLE,
    Pools,
    decisions,
    lift,
    order,
    report,
    settle,
    withhold,
)
from tests.cell.people.test_staff import signed, staffed

from luciole.config import DatabaseSettings, Settings
from verifier import luciole_verify


@pytest.fixture
def settings(empty_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=empty_url))


async def test_orders_are_counted_in_public_as_in_the_log(house: House, pools: Pools) -> None:
    first = await order(house)
    second = await order(house, country="DE", persons=1)
    await settle(house, first, "partly")
    found = (await house.visitor().get("/api/orders")).json()
    assert [one["order"] for one in found["items"]] == [str(second.id), str(first.id)]
    assert found["counts"] == {
        "orders": 2,
        "gagged": 0,
        "persons": 3,
        "by_country": {"DE": 1, "FR": 1},
        "by_asks_for": {"data": 2},
        "by_outcome": {"partly": 1, "pending": 1},
    }
    entries = await decisions(pools)
    assert [one["kind"] for one in entries] == ["order", "order", "order-settled"]
    assert (entries[0]["by"], entries[0]["persons"]) == ("Police nationale", 2)


async def test_gag_holds_until_its_day_and_then_everything_is_told(
    house: House, pools: Pools
) -> None:
    today = house.clock.now().date()
    secret = await order(house, gag_until=today + timedelta(days=90))
    await settle(house, secret, "refused")
    await house.parts.queue.run_periodic(SETTLE)
    for text in (
        msgspec.json.encode(await report(house)).decode(),
        msgspec.json.encode(await decisions(pools)).decode(),
        (await house.visitor().get("/api/orders")).text,
    ):
        assert "Police" not in text
        assert "refused" not in text
        assert "60-1" not in text
    counts = (await report(house))["counts"]
    assert (counts["orders"], counts["gagged"], counts["persons"]) == (1, 1, 0)
    house.clock.advance(timedelta(days=90))
    for _ in range(2):
        await house.parts.queue.run_periodic(SETTLE)
    entries = await decisions(pools)
    assert [one["kind"] for one in entries] == ["order-gagged", "order-told", "order-settled"]
    facts = {
        name: entries[1][name]
        for name in ("order", "received", "by", "country", "law", "asks_for", "persons")
    }
    text = msgspec.json.encode(dict(sorted(facts.items())))
    opened = b"luciole/order/v1" + bytes.fromhex(entries[1]["nonce"]) + text
    assert hashlib.sha256(opened).hexdigest() == entries[0]["commit"]
    (told,) = (await report(house))["orders"]
    assert (told["by"], told["outcome"]) == ("Police nationale", "refused")


async def test_order_of_a_court_counts_as_an_order(house: House, ana: Browser) -> None:
    notice = await withhold(house, "person", "ana")
    (counted,) = (await report(house))["orders"]
    assert (counted["order"], counted["asks_for"]) == (str(notice.request_id), "withhold")
    assert (counted["by"], counted["outcome"]) == (COURT.ordered_by, "complied")
    # One that is there already is not counted twice.
    await withhold(house, "cell", "sg", request_id=notice.request_id)
    assert (await report(house))["counts"]["orders"] == 1


# The verifier


async def test_verifier_agrees_with_the_cell_and_with_nothing_else(
    house: House, settings: Settings, ana: Browser, pools: Pools, tmp_path: Path
) -> None:
    (eve, eves), (max_, his) = [await staffed(house, settings, name) for name in ("eve", "max")]
    ended = await withhold(house, "person", "ana")
    await withhold(house, "cell", "sg", until=house.clock.now() + timedelta(days=400))
    own = await withhold(house, "person", "eve", ground="rules", ordered_by="This cell")
    for browser, key in ((eve, eves), (max_, his)):
        (asked,) = (await browser.get("/api/staff/notices")).json()["items"]
        place = f"/api/staff/notices/{own.id}/signatures"
        assert (await browser.post(place, json=signed(asked, key))).is_success
    await lift(house, ended)
    secret = await order(house, gag_until=house.clock.now().date() + timedelta(days=9))
    await order(house, gag_until=house.clock.now().date() + timedelta(days=200))
    await settle(house, await order(house, persons=7), "partly")
    await settle(house, secret, "refused")
    house.clock.advance(timedelta(days=10))
    await house.parts.queue.run_periodic(SETTLE)
    house.clock.advance(timedelta(hours=1))
    said, now = await report(house), int(house.clock.now().timestamp())
    async with pools[0].read() as tx:
        logged = [luciole_verify.text_of(row["entry"]) for row in await tx.fetch(DECISIONS)]
    kept = luciole_verify.Log(None, [], [], now)

    def check(changed: dict[str, Any]) -> str:
        path = tmp_path / "report.json"
        path.write_bytes(msgspec.json.encode(changed))
        try:
            luciole_verify.check_grounds(logged, now)
            return str(luciole_verify.check_notices(path, kept, logged)[0])
        except luciole_verify.Finding as found:
            return found.code

    orders = 5  # three, and those of the two courts
    assert check(said) == f"{3 + orders} notices and orders are as in the log; 0 are too new."
    for name, changed in {
        "notices.missing": said | {"notices": said["notices"][1:]},
        "notices.counts": said | {"counts": said["counts"] | {"persons": 0}},
    }.items():
        assert check(changed) == name
