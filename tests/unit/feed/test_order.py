"""The best of many, whenever their keys changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luciole.cell.feed.ranking.order import Ordered, distinct


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 200))
def test_best_are_those_of_a_full_sort(seed: int, rounds: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    ordered, keys = Ordered(), np.zeros(6_000, np.int64)
    ordered.set(np.arange(6_000), keys)
    for _ in range(rounds):
        rows = np.unique(rng.integers(0, 6_000, rng.integers(1, 2_000)))
        # Unique keys: the tie-breaker is the row.
        keys[rows] = rng.integers(0, 1_000, len(rows)) * 10_000 + rows
        ordered.set(rows, keys[rows])
        allowed = rng.random(6_000) < rng.random()
        allowed &= keys > 0
        fallen = np.argsort(-keys, kind="stable")
        fallen = fallen[allowed[fallen]]
        assert ordered.best(most, allowed).tolist() == fallen[:most].tolist()
        least = int(rng.integers(0, 10_000_000))
        above = fallen[keys[fallen] >= least]
        assert ordered.best(most, allowed, least).tolist() == above[:most].tolist()
        assert ordered.count(least, allowed) == len(above)
        start = int(rng.integers(0, 10_000_000))
        below, rest = fallen[keys[fallen] <= start], fallen[keys[fallen] > start]
        cycle = np.concatenate([below, rest])[:most]
        assert ordered.cycle(most, allowed, start).tolist() == cycle.tolist()


def test_nothing_is_the_best_of_nothing() -> None:
    ordered = Ordered()
    nothing = np.zeros(0, np.bool_)
    assert len(ordered.best(5, nothing)) == 0
    assert len(ordered.cycle(5, nothing, 3)) == 0


@pytest.mark.parametrize("size", [10, 10_000])
def test_each_row_comes_once_however_many_they_are(size: int) -> None:
    """Few are sorted, many are marked."""
    rows = np.array([7, 3, 3, 9, 0, 7], np.int64)
    assert distinct(rows, size).tolist() == [0, 3, 7, 9]


def test_world_that_settled_draws_the_same() -> None:
    """Sorting before somebody asks changes no page."""
    lazy, settled = Ordered(), Ordered()
    rng = np.random.default_rng(5)
    for _ in range(40):
        rows, keys = rng.integers(0, 9_000, 700), rng.integers(0, 1 << 40, 700)
        for one in (lazy, settled):
            one.set(rows, keys)
        settled.settle()
    every = np.ones(9_000, np.bool_)
    assert lazy.best(50, every).tolist() == settled.best(50, every).tolist()
