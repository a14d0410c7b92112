"""The state is a fold over the log: restarts, several processes, late commits, expiry, replay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.cell.feed.walks import (
    FOR_YOU,
    digest,
    follower_of,
    ids,
    live_digest,
    page,
    report,
    shelf,
    signal,
)
from tests.cell.house import Browser, House

from luciole import feed_console
from luciole.cell.feed.model import NewEvent
from luciole.cell.feed.ranking.model import Clip, Event, Signal, Source
from luciole.cell.feed.snapshots import Snapshots
from luciole.cell.feed.store import log as store
from luciole.kit.db import Tx

EVENTS = "SELECT seq, signal FROM feed.event ORDER BY seq"


async def busy(house: House, viewer: Browser, pages: int = 2) -> None:
    """Some pages, shown and watched."""
    body = await page(viewer)
    for _ in range(pages):
        house.clock.advance(timedelta(seconds=30))
        sent = []
        for at in range(len(body["items"])):
            sent.append(signal(body, at, "shown"))
            sent.append(signal(body, at, "watched", ms=1_000 + 900 * at))
        await report(viewer, *sent)
        body = await page(viewer, body["next"])


def event(clip: str, at: float, session: UUID | None = None) -> NewEvent:
    """A good watch of a clip, as signals would note it."""
    told = Event(
        at, session or uuid4(), UUID(clip), Signal.WATCHED, 9_900, 0, Source.REST, b"", 1.0
    )
    return NewEvent(None, told, 1.0)


async def test_restart_comes_to_the_same(house: House, ana: Browser, ben: Browser) -> None:
    made = await shelf(house, ana, 40, ["cats"])
    await busy(house, ben)
    # Without a snapshot, from the first row; then from one.
    assert await digest(house) == await live_digest(house)
    snapshots = Snapshots(house.db, house.parts.for_you.follower, house.clock)
    taken = await snapshots.take()
    assert taken is not None
    assert await snapshots.take(at_once=True) is None
    await ana.delete(f"/api/clips/{made[0]}")
    await shelf(house, ben, 5)
    await busy(house, ana)
    assert taken.digest != await live_digest(house)
    assert await digest(house) == await live_digest(house)


async def test_start_without_a_snapshot_reads_each_clip_once(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await shelf(house, ana, 12, ["cats"])
    await busy(house, ben, 1)
    asked: list[UUID] = []
    read = store.clips

    async def noted(tx: Tx, of: Sequence[UUID]) -> dict[UUID, Clip]:
        asked.extend(of)
        return await read(tx, of)

    monkeypatch.setattr(store, "clips", noted)
    follower = follower_of(house)
    assert (await follower.caught_up()).clips == 12
    assert not asked
    # What changes after the start is read as ever.
    change = {"caption": "About #tea", "audience": "everyone"}
    assert (await ana.patch(f"/api/clips/{made[3]}", json=change)).is_success
    assert (await ana.delete(f"/api/clips/{made[4]}")).is_success
    state = await follower.caught_up()
    assert set(asked) == {UUID(made[3]), UUID(made[4])}
    assert state.clips == 11
    assert await state.digest() == await live_digest(house)


async def test_snapshot_that_cannot_be_read_is_passed_over(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 12)
    await busy(house, ben, 1)
    await Snapshots(house.db, house.parts.for_you.follower, house.clock).take()
    await house.rows("UPDATE feed.snapshot SET data = 'x'")
    assert await digest(house) == await live_digest(house)


async def test_two_processes_agree_whatever_commits_first(house: House, ana: Browser) -> None:
    one, two, three, four = await shelf(house, ana, 4)
    first, second = (
        follower_of(house),
        follower_of(house),
    )
    await first.caught_up()
    at = house.clock.now().timestamp()
    session = uuid4()
    async with house.db.tx() as late:
        await store.add(late, [event(one, at, session)])
        # This one has a later number and commits first.
        async with house.db.tx() as early:
            await store.add(early, [event(two, at + 1, session), event(three, at + 2, session)])
        held_back = await first.caught_up()
        assert held_back.events == 0, "a row below it may still commit"
        async with house.db.tx() as rolled_back:
            await store.add(rolled_back, [event(four, at + 3, session)])
            with contextlib.suppress(ZeroDivisionError):
                raise ZeroDivisionError
            await rolled_back.execute("ROLLBACK; BEGIN")
    assert (await first.caught_up()).events == 3
    assert (await second.caught_up()).events == 3
    assert await first.now().digest() == await second.now().digest()
    assert await first.now().mark() == await second.now().mark()


async def test_cutting_the_log_into_other_batches_changes_nothing(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf(house, ana, 30)
    await busy(house, ben)
    whole = await digest(house)
    monkeypatch.setattr("luciole.cell.feed.ranking_state.ROWS_AT_ONCE", 7)
    assert await digest(house) == whole


async def test_listening_process_reads_by_itself(house: House, ana: Browser, ben: Browser) -> None:
    follower = follower_of(house)
    async with follower.running():
        made = await shelf(house, ana, 3)
        body = await page(ben)
        await report(ben, signal(body, 0, "shown"))
        for _ in range(200):
            await asyncio.sleep(0.02)
            with contextlib.suppress(AssertionError):
                if follower.now().events == 1 and follower.now().clips == len(made):
                    break
        else:
            raise AssertionError("it has not heard")


async def test_after_a_day_only_totals_are_left(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 12)
    await busy(house, ben, 1)
    house.clock.advance(timedelta(hours=23))
    await house.parts.queue.run_periodic("feed.tidy")
    assert len(await house.rows("SELECT 1 FROM feed.session")) == 1
    house.clock.advance(timedelta(days=4))
    await house.parts.queue.run_periodic("feed.tidy")
    for table in ("session", "page", "event", "allowance"):
        assert await house.rows(f"SELECT 1 FROM feed.{table}") == [], table
    fold = await follower_of(house).caught_up()
    assert fold.events == 20
    assert await fold.digest() == await live_digest(house)


async def test_rows_that_no_snapshot_has_stay(house: House, ana: Browser, ben: Browser) -> None:
    await shelf(house, ana, 12)
    await busy(house, ben, 1)
    house.clock.advance(timedelta(days=5))
    async with house.db.tx() as tx:
        await house.parts.for_you.tidy(tx)
    assert len(await house.rows("SELECT 1 FROM feed.event WHERE signal IS NOT NULL")) == 20


async def test_page_follows_from_what_was_logged_of_it(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 30, ["cats"])
    hidden = await shelf(house, ben, 30)
    viewer = await house.person("dora")
    body = await page(viewer, limit=30)
    of_ben = next(at for at, one in enumerate(ids(body)) if one in hidden)
    await report(viewer, signal(body, of_ben, "hid-author"))
    house.clock.advance(timedelta(seconds=20))
    following = await page(viewer, body["next"], limit=30)
    for one in (body, following):
        found = await feed_console.replay(house.db, UUID(one["page"]))
        assert found.is_well, found.lines
        assert len(found.lines) == len(one["items"]) + 2
    await house.rows("UPDATE feed.page SET inputs = 'x' WHERE id = $1", UUID(body["page"]))
    with pytest.raises(feed_console.CannotReplay):
        await feed_console.replay(house.db, UUID(body["page"]))
    with pytest.raises(feed_console.NoSuchPage):
        await feed_console.replay(house.db, uuid4())


async def test_learners_page_is_not_replayed_by_an_operator(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 3)
    await ben.put(f"{FOR_YOU}/mode", json={"mode": "learning"})
    body = await page(ben)
    with pytest.raises(feed_console.PageSealed):
        await feed_console.replay(house.db, UUID(body["page"]))


async def test_snapshot_names_no_author_and_no_word(
    house: House, ana: Browser, ben: Browser
) -> None:
    await shelf(house, ana, 12, ["lighthouse"])
    await busy(house, ben, 1)
    taken = await Snapshots(house.db, house.parts.for_you.follower, house.clock).take()
    assert taken is not None
    person_id = await house.person_id("ana")
    for word in (str(person_id), person_id.hex, "lighthouse"):
        assert word.encode() not in taken.data
    assert person_id.bytes not in taken.data


async def test_snapshot_is_taken_anew_as_soon_as_a_clip_is_gone(house: House, ana: Browser) -> None:
    made = await shelf(house, ana, 3)
    snapshots = Snapshots(house.db, house.parts.for_you.follower, house.clock)
    assert await snapshots.take() is not None
    house.clock.advance(timedelta(minutes=1))
    await shelf(house, ana, 1)
    assert await snapshots.take() is None, "a minute later one more clip is no reason"
    body = await page(ana)
    at = ids(body).index(made[0])
    await report(ana, signal(body, at, "shown"), signal(body, at, "not-interested"))
    await live_digest(house)
    await ana.delete(f"/api/clips/{made[0]}")
    # Told late of a clip that is gone: the same for who knew it and who did not.
    await report(ana, signal(body, at, "liked"))
    taken = await snapshots.take()
    assert taken is not None
    assert len(await house.rows("SELECT 1 FROM feed.snapshot")) == 1
    assert UUID(made[0]).bytes not in taken.data
    assert await house.rows("SELECT 1 FROM feed.event WHERE clip_id = $1", UUID(made[0])) == []
    assert await house.rows("SELECT 1 FROM feed.hidden") == []
    await report(ana, signal(body, at, "shared"))
    assert await digest(house) == await live_digest(house)
