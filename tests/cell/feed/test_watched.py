"""Which clips get AV1: by totals of a day, of public clips only, and nothing of who watched."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
from tests.cell.feed.test_log import event
from tests.cell.feed.walks import shelf
from tests.cell.house import Browser, House

from luciole.cell.feed.model import NewEvent
from luciole.cell.feed.ranking.model import Signal
from luciole.cell.feed.store import log as store
from luciole.cell.feed.watched import Watched

WANTED = """
SELECT c.id FROM clips.clip c JOIN media.asset a ON a.id = c.asset_id WHERE a.av1 = 'wanted'
"""


async def seen(
    house: House, clip: str, times: int, *, ago: timedelta = timedelta(), trust: float = 1.0
) -> None:
    """So many watches, each in a session of its own, as signals note them."""
    at = (house.clock.now() - ago).timestamp()
    made = []
    for _ in range(times):
        one = event(clip, at, uuid4())
        told = msgspec.structs.replace(one.event, trust=trust)
        made.append(NewEvent(uuid4().bytes, told, 1.0))
    async with house.db.tx() as tx:
        await store.add(tx, made)


async def wanted(house: House, least: int = 3) -> set[str]:
    async with house.db.tx() as tx:
        await Watched(house.parts.clips, house.clock, least).note(tx)
    return {str(row["id"]) for row in await house.rows(WANTED)}


async def test_clips_with_enough_watches_in_a_day_are_noted(house: House, ana: Browser) -> None:
    often, seldom, once_often = await shelf(house, ana, 3)
    await seen(house, often, 3)
    await seen(house, seldom, 2)
    await seen(house, once_often, 5, ago=timedelta(hours=25))
    assert await wanted(house) == {often}
    assert await wanted(house) == {often}


async def test_setting_of_0_notes_none(house: House, ana: Browser) -> None:
    (clip,) = await shelf(house, ana, 1)
    await seen(house, clip, 9)
    assert await wanted(house, 0) == set()


async def test_watches_that_are_trusted_little_count_little(house: House, ana: Browser) -> None:
    (clip,) = await shelf(house, ana, 1)
    await seen(house, clip, 5, trust=0.5)
    assert await wanted(house) == set()
    await seen(house, clip, 1, trust=0.5)
    assert await wanted(house) == {clip}


async def test_other_signals_are_no_watches(house: House, ana: Browser) -> None:
    (clip,) = await shelf(house, ana, 1)
    await seen(house, clip, 2)
    shown = event(clip, house.clock.now().timestamp(), uuid4())
    told = msgspec.structs.replace(shown.event, signal=Signal.SHOWN, value=0)
    async with house.db.tx() as tx:
        await store.add(tx, [NewEvent(uuid4().bytes, told, 1.0)])
    assert await wanted(house) == set()


async def test_clips_that_are_not_for_everybody_by_now_are_left(house: House, ana: Browser) -> None:
    private, friends, listed, public = await shelf(house, ana, 4)
    for clip in (private, friends, listed, public):
        await seen(house, clip, 4)
    await house.rows("UPDATE clips.clip SET audience = 'only-me' WHERE id = $1", UUID(private))
    await house.rows("UPDATE clips.clip SET audience = 'friends' WHERE id = $1", UUID(friends))
    await house.rows(
        "UPDATE clips.clip SET audience_list = 'hide-from' WHERE id = $1", UUID(listed)
    )
    assert await wanted(house) == {public}
    await house.rows("UPDATE media.asset SET av1 = 'no'")
    await house.rows("UPDATE people.person SET is_private = true")
    assert await wanted(house) == set()


async def test_job_of_the_worker_asks_for_it_and_names_nobody(house: House, ana: Browser) -> None:
    (clip,) = await shelf(house, ana, 1)
    await seen(house, clip, 100)
    await house.parts.queue.run_periodic("feed.watched")
    assert {str(row["id"]) for row in await house.rows(WANTED)} == {clip}
    assert await house.rows("SELECT 1 FROM queue.pgqueuer WHERE entrypoint LIKE 'feed%'") == []
