"""How much room a person and the cell may take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.cell.media.support import TUS, Cell, Person, refused

from luciole.cell.media.model import Edit
from luciole.cell.media.quota import ClipsOfTheDay
from luciole.kit.errors import Problem

MakeCell = Callable[..., Cell]
MB = 1_000_000


async def begin(person: Person, size_bytes: int) -> Any:
    return await person.post("/api/uploads", headers={**TUS, "upload-length": str(size_bytes)})


async def test_a_person_has_so_much_room_and_hears_how_much_is_left(make_cell: MakeCell) -> None:
    cell = make_cell(person_bytes=10 * MB)
    ana, ben = await cell.person(), await cell.person()
    assert (await begin(ana, 7 * MB)).status_code == 201
    answer = await begin(ana, 4 * MB)
    refused(answer, 507, "no-room-left")
    assert "has 4 MB, and of the 10 MB" in answer.json()["sentence"]
    assert "you have 3 MB left" in answer.json()["sentence"]
    assert (await begin(ana, 3 * MB)).status_code == 201
    assert (await begin(ben, 10 * MB)).status_code == 201
    assert (await ana.get("/api/me/room")).json() == {
        "stored_bytes": 10 * MB,
        "most_bytes": 10 * MB,
        "clips_of_the_day": 0,
        "most_clips_a_day": None,
    }


async def test_a_cancelled_upload_gives_its_room_back(make_cell: MakeCell) -> None:
    ana = await make_cell(person_bytes=10 * MB).person()
    place = (await begin(ana, 10 * MB)).headers["location"]
    refused(await begin(ana, 1), 507, "no-room-left")
    assert (await ana.delete(place, headers=TUS)).status_code == 204
    assert (await begin(ana, 10 * MB)).status_code == 201


async def test_the_cell_has_so_much_room(make_cell: MakeCell) -> None:
    cell = make_cell(cell_bytes=10 * MB)
    ana, ben = await cell.person(), await cell.person()
    assert (await begin(ana, 8 * MB)).status_code == 201
    cell.clock.advance(timedelta(minutes=2))
    answer = await begin(ben, 3 * MB)
    refused(answer, 507, "cell-full")
    assert (await begin(ben, 2 * MB)).status_code == 201


async def test_so_many_clips_in_a_day_and_then_the_next_when_the_first_is_a_day_old(
    make_cell: MakeCell, small_film: bytes
) -> None:
    cell = make_cell(clips_per_day=2)
    ana = await cell.person()

    async def make() -> Problem | None:
        upload_id = await cell.upload(ana, small_film)
        try:
            async with cell.db.tx() as tx:
                # As `Clips.publish` does.
                await cell.media.quota.require_clip(tx, ana.person_id)
                await cell.media.begin(tx, ana.person_id, upload_id, Edit(), is_public=True)
        except Problem as problem:
            return problem
        return None

    assert await make() is None
    cell.clock.advance(timedelta(hours=1))
    assert await make() is None
    third = await make()
    assert isinstance(third, ClipsOfTheDay)
    assert third.retry_after_s == 23 * 3600
    assert (await ana.get("/api/me/room")).json()["clips_of_the_day"] == 2
    cell.clock.advance(timedelta(hours=23))
    assert await make() is None


async def test_without_limits_there_are_none(cell: Cell, ana: Person) -> None:
    told = (await ana.get("/api/me/room")).json()
    assert (told["most_bytes"], told["most_clips_a_day"]) == (None, None)
