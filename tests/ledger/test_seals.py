"""Seals: each day, merged each month, late ones first; and a witness that computes each anew."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.ledger.house import House, minute_of, person

from luciole.kit.clock import SetClock
from luciole.ledger import sealing
from luciole.ledger.entry import PersonEntry, Scope, SealEntry, decode
from luciole.ledger.seal import Cover, SealedIndex
from luciole.ledger.sequencer import Sequencer


def now_entry(house: House) -> bytes:
    return person(minute_of(house.clock.now()))


async def settle(sequencer: Sequencer) -> None:
    """Rounds until nothing is under way: seals are made beside the rounds."""
    for _ in range(4):
        await sequencer.round()
        if sequencer._sealing:
            await asyncio.wait([sequencer._sealing[1]])


def seals(entries: list[bytes]) -> list[tuple[int, Scope, int, int, int]]:
    """Index, scope, first, end and count of each seal."""
    return [
        (index, seal.scope, seal.first, seal.end, seal.count)
        for index, seal in enumerate(map(decode, entries))
        if isinstance(seal, SealEntry)
    ]


def replayed(entries: list[bytes]) -> Cover:
    """The cover as every mirror finds it; raises where a seal is wrong."""
    cover = Cover()
    for index, one in enumerate(entries):
        cover.take(index, one)
    return cover


async def test_no_seal_on_the_first_day_or_without_persons(house: House) -> None:
    sequencer = house.sequencer()
    await house.put(now_entry(house))
    await settle(sequencer)
    house.later(hours=11)
    await settle(sequencer)
    assert seals(house.published()) == []


async def test_seal_is_made_on_the_next_day(house: House) -> None:
    sequencer = house.sequencer()
    await house.put(*[now_entry(house) for _ in range(3)])
    await settle(sequencer)
    house.later(hours=12, minutes=1)
    await house.put(now_entry(house))
    await settle(sequencer)
    entries = house.published()
    # Entries went on while it was made.
    assert seals(entries) in ([(3, Scope.DAY, 0, 3, 3)], [(4, Scope.DAY, 0, 3, 3)])
    assert replayed(entries).end == 3
    await settle(sequencer)
    assert house.published() == entries
    assert house.near.statuses.count(200) == len(house.near.statuses)


async def test_quiet_day_needs_no_seal(house: House) -> None:
    sequencer = house.sequencer()
    await house.put(now_entry(house))
    await settle(sequencer)
    for _ in range(4):
        house.later(days=1)
        await settle(sequencer)
    assert len(seals(house.published())) == 1


async def test_late_seal_comes_before_everything_else(house: House) -> None:
    """The cell was off for days: else a person entry would wait beside a much newer one."""
    await house.put(*[now_entry(house) for _ in range(3)])
    await house.sequencer().round()
    house.later(days=3)
    fresh = now_entry(house)
    await house.put(fresh)
    sequencer = house.sequencer()
    assert await sequencer.round() == 2
    entries = house.published()
    assert seals(entries) == [(3, Scope.DAY, 0, 3, 3)]
    assert entries[4] == fresh
    cover = Cover()
    for index, one in enumerate(entries):
        cover.take(index, one)
        assert not cover.is_overdue
    # The newcomer waits for the next day.
    house.later(days=1)
    await settle(sequencer)
    assert seals(house.published())[-1][1:4] == (Scope.DAY, 0, 5)


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_days_become_months_and_months_years(house: House) -> None:
    """From November to the February after next: a person needs two ranges, and one for each year
    that is over."""
    house.clock = SetClock(datetime(2026, 11, 26, 0, 5, tzinfo=UTC))
    sequencer = house.sequencer()
    spans: dict[str, list[tuple[int, str]]] = {}
    count = 0
    while house.clock.now() < datetime(2028, 2, 3, tzinfo=UTC):
        await house.put(now_entry(house))
        count += 1
        await sequencer.round()
        house.later(days=1 if house.clock.now().day in (1, 2, 26, 27, 28, 29, 30, 31) else 8)
        await settle(sequencer)
        cover = replayed(house.published())
        spans[f"{house.clock.now():%Y-%m-%d}"] = [
            (span.seal.count, span.seal.scope.name) for span in cover.spans
        ]
        assert sum(span.seal.count for span in cover.spans) >= count
    shapes = {day: [scope for _, scope in span] for day, span in spans.items()}
    assert shapes["2026-11-27"] == ["DAY"]
    assert shapes["2026-12-01"] == ["MONTH"]
    assert shapes["2026-12-02"] == ["MONTH", "DAY"]
    # The year is over: its range stays as it is.
    assert shapes["2027-01-01"] == ["MONTH"]
    assert shapes["2027-01-02"] == ["MONTH", "DAY"]
    assert shapes["2027-02-01"] == ["MONTH", "MONTH"]
    assert shapes["2027-02-02"] == ["MONTH", "MONTH", "DAY"]
    assert shapes["2028-01-01"] == ["MONTH", "MONTH"]
    assert shapes["2028-02-02"] == ["MONTH", "MONTH", "MONTH", "DAY"]
    assert spans["2028-02-02"][0][0] == spans["2027-01-01"][0][0]
    assert set(house.near.statuses) == {200}


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type, misc]


def seal(scope: Scope, made: datetime, first: int, end: int) -> SealEntry:
    return SealEntry(scope, minute_of(made), first, end, 0, bytes(32))


@pytest.mark.parametrize(
    ("cover", "now", "expected"),
    [
        ([], at(2026, 11, 27), (Scope.DAY, 0)),
        ([seal(Scope.DAY, at(2026, 11, 27), 0, 5)], at(2026, 11, 28), (Scope.DAY, 0)),
        ([seal(Scope.DAY, at(2026, 11, 27), 0, 5)], at(2027, 3, 9), (Scope.MONTH, 0)),
        ([seal(Scope.MONTH, at(2026, 12, 1), 0, 5)], at(2026, 12, 2), (Scope.DAY, 5)),
        ([seal(Scope.MONTH, at(2026, 12, 1), 0, 5)], at(2027, 1, 1), (Scope.MONTH, 0)),
        ([seal(Scope.MONTH, at(2027, 1, 1), 0, 5)], at(2027, 2, 1), (Scope.MONTH, 5)),
        # The cell was off from November to March: the rest of the old year goes with the new.
        (
            [seal(Scope.MONTH, at(2026, 11, 1), 0, 5), seal(Scope.DAY, at(2026, 11, 9), 5, 8)],
            at(2027, 3, 4),
            (Scope.MONTH, 5),
        ),
    ],
)
def test_where_the_next_seal_begins(
    cover: list[SealEntry], now: datetime, expected: tuple[Scope, int]
) -> None:
    assert sealing.next_range(dict(enumerate(cover)), now) == expected


async def test_seal_of_another_sequencer_is_not_made_again(house: House) -> None:
    """Each has begun one; the cover is no longer what the second began with."""
    await house.put(*[now_entry(house) for _ in range(3)])
    first, second = house.sequencer(), house.sequencer()
    await first.round()
    house.later(hours=13)
    await second.round()  # begins a seal
    await settle(first)
    second.forget()
    await house.put(now_entry(house))
    for one in (second, first):
        await settle(one)
        one.forget()
    assert len(seals(house.published())) == 1
    replayed(house.published())


async def test_cover_that_changed_meanwhile_is_sealed_anew(house: House) -> None:
    await house.put(*[now_entry(house) for _ in range(3)])
    first, second = house.sequencer(), house.sequencer()
    await first.round()
    house.later(hours=13)
    await second.round()  # begins a seal over three
    await settle(first)
    house.later(hours=3)
    await house.put(now_entry(house))
    await first.round()
    house.later(days=1)
    await settle(second)
    entries = house.published()
    assert [one[2:] for one in seals(entries)] == [(0, 3, 3), (0, 5, 4)]
    replayed(entries)


async def test_stop_while_a_seal_is_made_is_no_loss(house: House) -> None:
    await house.put(*[now_entry(house) for _ in range(3)])
    sequencer = house.sequencer()
    await sequencer.round()
    house.later(hours=13)
    await sequencer.round()
    sequencer.forget()
    await settle(house.sequencer())
    assert len(seals(house.published())) == 1


async def test_seal_that_cannot_be_made_stops_the_log(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.put(*[now_entry(house) for _ in range(3)])
    sequencer = house.sequencer()
    await sequencer.round()
    house.later(days=3)

    def fail(labels: object) -> SealedIndex:
        raise MemoryError

    monkeypatch.setattr(SealedIndex, "build", fail)
    with pytest.raises(MemoryError):
        await sequencer.round()
    sequencer.forget()
    monkeypatch.undo()
    await settle(sequencer)
    assert len(seals(house.published())) == 1


def test_person_entries_of_tests_are_of_this_minute() -> None:
    made = decode(person(77))
    assert isinstance(made, PersonEntry)
    assert made.minute == 77
