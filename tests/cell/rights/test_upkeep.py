"""When what the database remembers of erased people is removed."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.cell.house import Browser, House
from tests.cell.rights.support import leave, report

from luciole import upkeep
from luciole.reach import Reached

# At night, when a table may be busy, and by day.
NIGHT, DAY = 3, 15


def at(moment: datetime, days: int, hour: int) -> datetime:
    return (moment + timedelta(days=days)).replace(hour=hour)


async def test_remains_are_removed_within_a_week_and_only_where_somebody_was_erased(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    place, now = Reached(owner_url, owner_url, is_cell_running=True), house.clock.now()
    assert not await upkeep.is_due(place, at(now, 30, NIGHT))
    ticket = await leave(ana, now=True)
    await house.work()
    told = await report(house, ticket)
    assert told["state"] == "erased"
    assert told["remains_gone_at"] is None
    assert not await upkeep.is_due(place, at(now, 5, NIGHT))
    assert not await upkeep.is_due(place, at(now, 6, DAY))
    assert await upkeep.is_due(place, at(now, 7, NIGHT))
    assert await upkeep.is_due(place, at(now, 8, DAY))
    assert await upkeep.overdue(owner_url, at(now, 7, DAY)) == 0
    assert await upkeep.overdue(owner_url, at(now, 10, DAY)) == 3
    house.clock.advance(timedelta(days=7))
    said: list[str] = []
    done = await upkeep.run(place, house.clock, said.append)
    assert done.tables == len(said) > 20
    assert any(line.startswith("people.person: ") for line in said)
    assert (await report(house, ticket))["remains_gone_at"] is not None
    assert not await upkeep.is_due(place, at(now, 30, NIGHT))
    assert await upkeep.overdue(owner_url, at(now, 30, DAY)) == 0


async def test_whatever_else_keeps_deleted_rows_is_told(house: House, owner_url: str) -> None:
    """The tests' own server removes files of its log; its owner may not begin another."""
    (found,) = await upkeep.keepers(owner_url)
    assert "may not begin another file" in found[0]
    assert "pg_checkpoint" in found[1]
