"""A backup of people whose keys have a guardian comes back with the halves that it lends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cell.copies.support import back_up, contents_of, restore_of
from tests.cell.house import Browser, House
from tests.cell.rights.log import Log

from luciole.keys import Half, HalfNeeded


async def test_backup_of_guarded_people_is_restored_with_what_the_guardian_lends(
    house: House,
    log: Log,
    ana: Browser,
    owner_url: str,
    elsewhere: str,
    tmp_path: Path,
) -> None:
    await log.take()
    await back_up(house, owner_url, tmp_path / "backup")
    store, half = house.vault.store, Half.new()
    store.guard(await house.person_id("ana"), half)
    place = (house, tmp_path / "backup", elsewhere, house.parts.blobs, tmp_path / "work")
    with pytest.raises(HalfNeeded):
        restore_of(*place)
    store.lend({half.handle: half.secret})
    done = await restore_of(*place).run()
    assert (done.persons, done.erased, done.skipped_rows) == (1, 0, 0)
    rows = await contents_of(elsewhere, "SELECT handle FROM people.person")
    assert [row["handle"] for row in rows] == ["ana"]
