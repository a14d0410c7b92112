"""A database that was put back to an earlier state never makes the log contradict itself."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.ledger.house import House, minute_of, person, said

from luciole.kit.db import UniqueViolation
from luciole.ledger import store
from luciole.ledger.archive import Stopped
from luciole.ledger.entry import Kind, SealEntry, decode


async def restores(house: House) -> list[dict[str, object]]:
    rows = await house.rows("SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id")
    return [json.loads(row[0]) for row in rows]


async def test_restored_database_is_moved_on_and_nothing_comes_twice(house: House) -> None:
    before = [person() for _ in range(300)]
    await house.put(*before, first_ref=1)
    await house.sequencer().round()
    waiting = [person() for _ in range(5)]
    await house.put(*waiting, first_ref=301)
    held = await house.backup()
    after = [person() for _ in range(400)]
    await house.put(*after, first_ref=306)
    sequencer = house.sequencer()
    await sequencer.round()
    published = house.published()

    await house.restore(held)
    again = person()
    await house.put(again, first_ref=306)
    sequencer = house.sequencer()
    assert await sequencer.round() == 0  # recovers
    assert house.published() == published
    assert await sequencer.round() == 1
    assert house.published() == [*published, again]
    # What came back with the restore has its place again; what is lost is lost to this database.
    rows = await house.rows("SELECT ref, idx FROM ledger.place WHERE ref > 300 ORDER BY ref")
    assert rows == [(301 + n, 300 + n) for n in range(5)] + [(306, 705)]
    # So that the journals of those whom it was about can tell.
    lost = await house.rows("SELECT label, leaf, idx FROM ledger.taken ORDER BY idx")
    assert lost == [(leaf[7:39], leaf, 305 + at) for at, leaf in enumerate(after)]
    assert await restores(house) == [
        {
            "v": 1,
            "kind": "restore",
            "at": "2026-11-26T12:00:00Z",
            "log": "access",
            "from": 300,
            "to": 705,
            "came-back": 5,
            "set-aside": 0,
            "taken-over": 400,
        }
    ]


async def test_process_that_lives_through_a_restore_recovers_too(house: House) -> None:
    sequencer = house.sequencer()
    await house.put(person())
    await sequencer.round()
    held = await house.backup()
    await house.put(*[person() for _ in range(3)])
    await sequencer.round()
    await house.restore(held)
    made = person()
    await house.put(made)
    await sequencer.round()
    await sequencer.round()
    assert house.published()[4:] == [made]


async def test_empty_database_learns_a_whole_log(house: House) -> None:
    nothing = await house.backup()
    made = [person() for _ in range(700)]
    await house.put(*made)
    await house.sequencer().round()
    await house.restore(nothing)
    await house.sequencer().round()
    (row,) = await house.rows("SELECT size, unsealed_minute FROM ledger.state")
    assert row == (700, minute_of(house.clock.now()))
    await house.sequencer().round()
    assert house.published() == made


async def test_head_that_was_never_published_binds_all_the_same(house: House) -> None:
    """`pending` was shown to a witness; the database forgot it."""
    await house.put(person())
    await house.sequencer().round()
    held = await house.backup()
    house.near.is_away = True
    shown = person()
    await house.put(shown)
    await house.sequencer(patience_s=0.1).round()
    assert said((house.folder / "pending").read_bytes())[0] == 2
    assert len(house.published()) == 1
    await house.restore(held)
    house.near.is_away = False
    other = person()
    await house.put(other)
    sequencer = house.sequencer()
    await sequencer.round()
    await sequencer.round()
    assert house.published()[1:] == [shown, other]


async def test_restore_twice_in_a_row(house: House) -> None:
    kept: list[bytes] = []
    for _ in range(3):
        held = await house.backup()
        made = [person() for _ in range(50)]
        await house.put(*made)
        sequencer = house.sequencer()
        await sequencer.round()
        await sequencer.round()
        kept += made
        await house.restore(held)
    await house.sequencer().round()
    assert house.published() == kept
    assert [one["taken-over"] for one in await restores(house)] == [150]


async def test_equal_entries_are_counted(decisions: House) -> None:
    """Two acts may read alike in a readable log."""
    held = await decisions.backup()
    await decisions.put(b"{}", b"{}", b'{"a":1}')
    waiting = await decisions.backup()
    await decisions.put(b"{}")
    await decisions.sequencer().round()
    assert decisions.published() == [b"{}", b"{}", b'{"a":1}', b"{}"]
    await decisions.restore(waiting)
    await decisions.put(b"{}", b"{}")
    sequencer = decisions.sequencer()
    for _ in range(2):
        await sequencer.round()
    # Of the four that wait now, three are in the log already.
    published = decisions.published()
    assert published[:5] == [b"{}", b"{}", b'{"a":1}', b"{}", b"{}"]
    assert json.loads(published[5])["came-back"] == 4
    assert len(published) == 6
    assert held["state"] == []


async def test_number_that_was_given_out_again_is_refused_or_set_aside(house: House) -> None:
    """The person's numbers went back with the restore: their next act gets a label that the log
    has already. Two entries with one label could not be sealed."""
    held = await house.backup()
    lost = person()
    await house.put(lost, first_ref=1)
    await house.sequencer().round()
    published = house.published()
    await house.restore(held)
    too_early = lost[:39] + bytes(32)
    await house.put(too_early, first_ref=1)
    await house.sequencer().round()
    with pytest.raises(UniqueViolation):
        await house.put(lost[:39] + bytes(32))
    await house.sequencer().round()
    assert house.published() == published
    assert (await restores(house))[0]["set-aside"] == 1
    assert await house.rows("SELECT * FROM ledger.place") == []


async def test_enrolment_that_the_database_forgot_stays_taken(house: House) -> None:
    held = await house.backup()
    enrolled = person(kind=Kind.ENROL)
    await house.put(enrolled)
    await house.sequencer().round()
    await house.restore(held)
    await house.sequencer().round()
    with pytest.raises(UniqueViolation):
        await house.put(enrolled)


async def test_act_in_progress_waits_for_the_recovery(house: House) -> None:
    """A writer that began before the recovery and commits after it is seen by it."""
    held = await house.backup()
    lost = person()
    await house.put(lost)
    await house.sequencer().round()
    await house.restore(held)
    came_back = lost
    async with house.api.tx() as tx:
        await store.put(tx, "access", came_back)
        recovering = asyncio.create_task(house.sequencer().round())
        done, _ = await asyncio.wait({recovering}, timeout=0.3)
        assert not done
    await recovering
    await house.sequencer().round()
    assert house.published() == [lost]


async def test_seals_that_the_database_forgot_are_known_again(house: House) -> None:
    old = minute_of(house.clock.now())
    await house.put(*[person(old) for _ in range(4)])
    await house.sequencer().round()
    held = await house.backup()
    house.later(days=1)
    sequencer = house.sequencer()
    for _ in range(3):
        await sequencer.round()
    fresh = person(minute_of(house.clock.now()))
    await house.put(fresh)
    await sequencer.round()
    assert isinstance(decode(house.published()[4]), SealEntry)
    cover = await house.rows("SELECT idx, entry FROM ledger.seal")
    assert [row[0] for row in cover] == [4]
    await house.restore(held)
    await house.sequencer().round()
    assert await house.rows("SELECT idx, entry FROM ledger.seal") == cover
    (row,) = await house.rows("SELECT unsealed_minute FROM ledger.state")
    assert row == (minute_of(house.clock.now()),)


async def test_archive_of_another_history_is_refused(house: House) -> None:
    nothing = await house.backup()
    await house.put(*[person() for _ in range(3)])
    await house.sequencer().round()
    mine = await house.backup()
    await house.restore(nothing)
    theirs = House(house.db, house.api, house.owner, house.home / "other", "access")
    await theirs.put(*[person() for _ in range(5)])
    await theirs.sequencer().round()
    published = theirs.published()
    await theirs.restore(mine)
    with pytest.raises(Stopped) as stopped:
        await theirs.sequencer().round()
    assert stopped.value.code == "log-forked"
    assert theirs.published() == published


async def test_database_of_another_history_that_is_ahead_is_refused(house: House) -> None:
    nothing = await house.backup()
    await house.put(*[person() for _ in range(3)])
    await house.sequencer().round()
    await house.owner.execute("UPDATE ledger.checkpoint SET note = NULL")
    mine = await house.backup()
    await house.restore(nothing)
    theirs = House(house.db, house.api, house.owner, house.home / "other", "access")
    await theirs.put(person())
    await theirs.sequencer().round()
    await theirs.restore(mine)
    with pytest.raises(Stopped) as stopped:
        await theirs.sequencer().round()
    assert stopped.value.code in ("log-forked", "archive-damaged")


async def test_archive_with_nonsense_is_not_taken_over(house: House) -> None:
    nothing = await house.backup()
    await house.put(*[person() for _ in range(3)])
    await house.sequencer().round()
    await house.restore(nothing)
    bundle = house.folder / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes().replace(b"\0\x47\1\2", b"\0\x47\7\2"))
    with pytest.raises(Stopped) as stopped:
        await house.sequencer().round()
    assert stopped.value.code == "archive-damaged"
