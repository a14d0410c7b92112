"""How many people were here in a month: bounds that hold, in the log, of nobody in particular."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.cell.house import PASSWORD, House
from tests.cell.notices.court import decisions
from tests.cell.safety.bench import Pools
from tests.cell.safety.test_reports import next_month

from luciole.cell.people.months import service as people
from luciole.cell.safety.active import FEW, averages, count, shown
from luciole.cell.safety.transparency import counted


async def bounds(house: House, first: date) -> tuple[int, int]:
    async with house.db.read() as tx:
        return await people.in_month(tx, first)


def this_month(house: House) -> date:
    return house.clock.now().date().replace(day=1)


def to_day(house: House, day: int) -> None:
    """Noon of a day of the next month."""
    now = house.clock.now()
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=day, hour=12, minute=0)
    house.clock.advance(first - now)


async def test_each_person_counts_once_however_many_devices(house: House) -> None:
    await house.person("ana")
    await house.person("ben")
    first = this_month(house)
    assert await bounds(house, first) == (2, 2)
    other = house.visitor()
    body = {"handle": "ana", "password": PASSWORD}
    assert (await other.post("/api/sessions", json=body)).status_code == 201
    assert await bounds(house, first) == (2, 2)
    # One device of two is signed out: she is still seen.
    assert (await other.delete("/api/sessions/current")).status_code == 204
    assert await bounds(house, first) == (2, 2)
    assert await house.rows("SELECT FROM people.session_over") == []


async def test_who_signs_out_is_in_the_upper_number(house: House) -> None:
    ana, _ = await house.person("ana"), await house.person("ben")
    first = this_month(house)
    assert (await ana.delete("/api/sessions/current")).status_code == 204
    assert await bounds(house, first) == (1, 2)
    # What is kept of that is the month.
    rows = await house.rows("SELECT * FROM people.session_over")
    assert [set(row.keys()) for row in rows] == [{"n", "month"}]
    assert [row["month"] for row in rows] == [first]


async def test_many_sessions_that_end_together_are_one_person(house: House) -> None:
    await house.person("ana")
    for _ in range(3):
        body = {"handle": "ana", "password": PASSWORD}
        assert (await house.visitor().post("/api/sessions", json=body)).status_code == 201
    first = this_month(house)
    await house.rows("DELETE FROM people.session RETURNING id")
    assert await bounds(house, first) == (0, 1)


async def test_who_comes_in_the_next_month_before_it_is_counted_stays_in_the_upper_number(
    house: House,
) -> None:
    ana = await house.person("ana")
    await house.person("ben")
    to_day(house, 20)
    to_day(house, 20)
    assert (await ana.get("/api/me")).status_code == 401  # 30 days and more without a look
    await house.parts.queue.run_periodic("people.tidy")
    carl = await house.person("carl")
    first = this_month(house)
    assert await bounds(house, first) == (1, 1)
    to_day(house, 1)
    assert (await carl.get("/api/me")).status_code == 200
    await house.person("dora")  # new in the month that begins
    assert await bounds(house, first) == (0, 1)


async def test_month_is_said_once_and_not_below_ten(house: House, pools: Pools) -> None:
    await house.person("ana")
    first = this_month(house)
    await next_month(house)
    assert not await count(house.db, house.clock)
    (said,) = [one for one in await decisions(pools) if one["kind"] == "active"]
    assert said["month"] == f"{first:%Y-%m}"
    assert (said["at_least"], said["at_most"]) == (FEW, FEW)
    assert set(said) == {"v", "kind", "at", "month", "at_least", "at_most"}


async def test_month_before_the_cell_was_is_not_said(house: House, pools: Pools) -> None:
    await house.person("ana")
    assert not await count(house.db, house.clock)
    assert [one for one in await decisions(pools) if one["kind"] == "active"] == []


async def test_ten_people_are_a_number(house: House, pools: Pools) -> None:
    for number in range(10):
        await house.person(f"pat{number}")
    await next_month(house)
    (said,) = [one for one in await decisions(pools) if one["kind"] == "active"]
    assert (said["at_least"], said["at_most"]) == (10, 10)


async def test_what_months_were_made_with_is_forgotten(house: House) -> None:
    ana = await house.person("ana")
    assert (await ana.delete("/api/sessions/current")).status_code == 204
    to_day(house, 15)
    await house.parts.queue.run_periodic("people.tidy")
    assert len(await house.rows("SELECT FROM people.session_over")) == 1
    to_day(house, 1)
    await house.parts.queue.run_periodic("people.tidy")
    assert await house.rows("SELECT FROM people.session_over") == []


def entry(month: str, low: int | str, high: int | str) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{month}-01T00:07:00") + timedelta(days=31)
    said = {"v": 1, "kind": "active", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "month": month}
    return said | {"at_least": low, "at_most": high}


def test_average_is_over_six_months_and_of_those_that_are_known() -> None:
    entries = [entry(f"2026-{month:02}", 100 + month, 200 + month) for month in range(1, 9)]
    found = counted(entries, len(entries), None)
    assert list(found.active_at_most) == [f"2026-{month:02}" for month in range(1, 9)]
    # March to August: 103…108 and 203…208, the lower rounded down, the upper up.
    assert found.active_average == {"at-least": 105, "at-most": 206, "months": 6}
    # A month of which nothing is known makes the average one of fewer, never a longer reach.
    del entries[4]
    found = counted(entries, len(entries), None)
    assert found.active_average["months"] == 5
    # Numbers of December come in January, and are December's.
    entries = [entry("2025-12", 50, 60), entry("2026-01", 10, 20)]
    assert counted(entries, 2, 2025).active_average == {
        "at-least": 50, "at-most": 60, "months": 1,
    }  # fmt: skip
    assert counted([], 0, None).active_average == {}


def test_below_ten_nothing_is_said_and_the_bounds_still_hold() -> None:
    assert (shown(9), shown(10)) == (FEW, 10)
    at_least: dict[str, int | str] = {"2026-09": FEW, "2026-10": 31}
    at_most: dict[str, int | str] = {"2026-09": FEW, "2026-10": 31}
    assert averages(at_least, at_most) == {"at-least": 15, "at-most": 20, "months": 2}
    assert averages({"2026-09": FEW}, {"2026-09": FEW}) == {
        "at-least": FEW, "at-most": FEW, "months": 1,
    }  # fmt: skip
