"""The cover rule: which seals a log may have, and every way to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.ledger import merkle
from luciole.ledger.entry import BadEntry, Class, Kind, PersonEntry, Scope, SealEntry
from luciole.ledger.merkle import leaf_hash, root_of
from luciole.ledger.seal import BadSeal, Cover, SealedIndex


def label(n: int) -> bytes:
    return sha256(b"%d" % n).digest()


DAY = 24 * 60


class Writer:
    """An honest log that feeds its cover."""

    def __init__(self) -> None:
        self.cover = Cover()
        self.entries: list[bytes] = []

    def put(self, entry: bytes) -> None:
        self.cover.take(len(self.entries), entry)
        self.entries.append(entry)

    def people(self, count: int, minute: int = DAY) -> None:
        for _ in range(count):
            made = PersonEntry(Kind.READ, Class.SELF, minute, label(len(self.entries)), bytes(32))
            self.put(made.encode())

    def seal(self, first: int, end: int | None = None, minute: int = DAY) -> SealEntry:
        end = len(self.entries) if end is None else end
        made, _ = self.cover.seal(Scope.DAY, minute, first, end)
        self.put(made.encode())
        return made

    def ranges(self) -> list[tuple[int, int, int]]:
        return [(each.seal.first, each.seal.end, each.seal.count) for each in self.cover.spans]


def test_days_months_and_years_are_covered() -> None:
    log = Writer()
    log.people(5)
    log.seal(0)
    log.people(5)
    log.seal(0)  # the month to date, from its start
    assert log.ranges() == [(0, 11, 10)]
    log.people(3)
    log.seal(11)  # the first day of the next month
    log.people(3)
    log.seal(11)
    assert log.ranges() == [(0, 11, 10), (11, 19, 6)]
    log.people(1)
    log.seal(0)  # the month merges into the year
    assert log.ranges() == [(0, 21, 17)]
    assert log.cover.end == 21
    assert log.cover.unsealed == []
    assert log.cover.size == 22


def test_seal_may_leave_newer_entries_to_the_next() -> None:
    log = Writer()
    log.people(5)
    log.seal(0, 3)
    assert [at for at, _, _ in log.cover.unsealed] == [3, 4]
    log.seal(3)
    assert log.ranges() == [(0, 3, 3), (3, 6, 2)]


def test_empty_range_may_be_sealed() -> None:
    log = Writer()
    log.seal(0)
    assert log.ranges() == [(0, 0, 0)]
    log.people(1)
    log.seal(0)
    assert log.ranges() == [(0, 2, 1)]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12))
def test_cover_is_always_adjacent_and_complete(days: list[tuple[int, int]]) -> None:
    log = Writer()
    for people, back in days:
        log.people(people)
        starts = [first for first, _, _ in log.ranges()] + [log.cover.end]
        log.seal(starts[max(0, len(starts) - 1 - back)])
    mirror = Cover()
    for index, entry in enumerate(log.entries):
        mirror.take(index, entry)
    ranges = [(each.seal.first, each.seal.end) for each in mirror.spans]
    assert [end for _, end in ranges[:-1]] == [first for first, _ in ranges[1:]]
    assert not ranges or ranges[0][0] == 0
    held = sorted(each for span in mirror.spans for each in span.sealed.labels())
    wanted = [label(n) for n, entry in enumerate(log.entries) if len(entry) == 71]
    assert held == sorted(wanted)


def ready() -> Writer:
    """Ranges [0, 6) and [6, 10), then two entries that are not sealed."""
    log = Writer()
    log.people(5)
    log.seal(0, 5)
    log.people(3)
    log.seal(5, 9)
    log.people(2)
    return log


def rightly(first: int, end: int) -> SealEntry:
    """A seal whose root and count are right, whatever its range."""
    labels = [label(n) for n, entry in enumerate(ready().entries) if len(entry) == 71]
    held = [each for n in range(first, end) for each in labels if each == label(n)]
    index = SealedIndex.build(held)
    return SealEntry(Scope.DAY, DAY, first, end, index.count, index.root())


def test_right_seal_is_taken() -> None:
    for first in (0, 5, 9):
        log = ready()
        log.put(rightly(first, 12).encode())
        assert log.ranges()[-1][:2] == (first, 12)


BROKEN: dict[str, Callable[[], SealEntry]] = {
    "from within a range": lambda: rightly(3, 12),
    "from behind the cover": lambda: rightly(10, 12),
    "ends before the cover": lambda: rightly(5, 8),
    "ends within an older range": lambda: rightly(0, 5),
    "ends behind itself": lambda: rightly(9, 13),
    "ends far ahead": lambda: rightly(9, 100),
    "a label left out": lambda: replace(rightly(9, 12), count=1, root=leaf_hash(label(10))),
    "wrong count": lambda: replace(rightly(9, 12), count=3),
    "wrong root": lambda: replace(rightly(9, 12), root=bytes(32)),
    "not sorted": lambda: replace(
        rightly(0, 12),
        root=root_of(
            [leaf_hash(label(n)) for n, entry in enumerate(ready().entries) if len(entry) == 71]
        ),
    ),
    "first behind end": lambda: replace(rightly(9, 9), first=9, end=5),
}


@pytest.mark.parametrize("case", BROKEN)
def test_seal_that_breaks_the_rule_is_refused(case: str) -> None:
    log = ready()
    before = log.ranges(), list(log.cover.unsealed), log.cover.size
    with pytest.raises(BadSeal):
        log.put(BROKEN[case]().encode())
    assert (log.ranges(), log.cover.unsealed, log.cover.size) == before
    log.put(rightly(9, 12).encode())


def test_entry_out_of_order_is_refused() -> None:
    log = ready()
    entry = log.entries[0]
    for index in (11, 13, 0, -1):
        with pytest.raises(BadSeal, match="comes number 12"):
            log.cover.take(index, entry)


def test_bytes_that_are_no_entry_are_refused() -> None:
    with pytest.raises(BadEntry):
        Cover().take(0, b"entry")


@pytest.mark.parametrize("where", ["the same range", "an older range"])
def test_second_entry_under_one_label_is_refused(where: str) -> None:
    """A cell could otherwise log twice under one number, and show the person one of both."""
    log = ready()
    known = label(11 if where == "the same range" else 0)
    log.put(PersonEntry(Kind.EXPORT, Class.LEGAL, DAY, known, bytes(32)).encode())
    with pytest.raises(BadSeal, match="twice"):
        log.seal(9)


def test_missing_seal_is_noticed() -> None:
    log = Writer()
    assert not log.cover.is_overdue
    log.people(1, minute=DAY)
    log.people(1, minute=DAY + 26 * 60)
    assert not log.cover.is_overdue
    log.people(1, minute=DAY + 26 * 60 + 1)
    assert log.cover.is_overdue
    log.seal(0, 1, minute=DAY + 26 * 60 + 1)
    assert not log.cover.is_overdue


def test_log_without_new_entries_is_not_overdue() -> None:
    log = Writer()
    log.people(3)
    log.seal(0, minute=100 * DAY)
    assert not log.cover.is_overdue


def test_seal_over_a_forest_of_proofs_fits_the_log() -> None:
    """What a person holds: absence in every range, and the seals' own places in the log."""
    log = ready()
    asked = [label(1000 + n) for n in range(64)]
    leaves = [leaf_hash(entry) for entry in log.entries]
    root = root_of(leaves)
    for span in log.cover.spans:
        span.sealed.absence(span.seal_index, span.seal, asked).verify(asked)
        path = merkle.inclusion_proof(leaves, span.seal_index)
        leaf = leaf_hash(span.seal.encode())
        merkle.verify_inclusion(span.seal_index, len(leaves), leaf, path, root)
