"""Growing arrays, and the best of a million by a key without sorting a million each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def grown(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with room for `rows` at least; new rows are zero."""
    if len(array) >= rows:
        return array
    bigger = np.zeros((max(rows, 2 * len(array), 64), *array.shape[1:]), array.dtype)
    bigger[: len(array)] = array
    return bigger


def distinct(rows: Ints, size: int) -> Ints:
    """Each of these rows (below `size`) once, in their order. Marking beats sorting where they are
    many."""
    if len(rows) < size // 64:
        return np.unique(rows)
    marked = np.zeros(size, np.bool_)
    marked[rows] = True
    return np.flatnonzero(marked)


class Ordered:
    """Rows by falling key. What it answers depends on the keys only, never on when they changed:
    a sorted list of some earlier time is walked without the rows that changed since, and those
    are merged in."""

    def __init__(self) -> None:
        self._keys = np.zeros(64, np.int64)
        self._changed = np.zeros(64, np.bool_)
        self._recent: list[Ints] = []
        self._recent_rows = 0
        self._sorted = np.zeros(0, np.int64)
        self._fallen = np.zeros(0, np.int64)
        self._size = 0

    def set(self, rows: Ints, keys: Ints) -> None:
        """Gives rows their keys. Keys should hold a tie-breaker in their low bits."""
        if not len(rows):
            return
        top = int(rows.max()) + 1
        if top > self._size:
            self._keys = grown(self._keys, top)
            self._changed = grown(self._changed, top)
            self._size = top
        self._keys[rows] = keys
        new = distinct(rows[~self._changed[rows]], self._size)
        self._changed[new] = True
        if len(new):
            self._recent.append(new)
            self._recent_rows += len(new)

    def settle(self) -> None:
        """Sorts anew when so many rows changed that merging them costs more: reading does so when
        it must, and whoever has changed many may do it before somebody waits."""
        if self._recent_rows > max(2_048, self._size // 16):
            keys = self._keys[: self._size]
            self._sorted = np.argsort(-keys, kind="stable")
            self._fallen = -keys[self._sorted]
            self._changed[:] = False
            self._recent, self._recent_rows = [], 0
        elif len(self._recent) > 1:
            self._recent = [np.concatenate(self._recent)]

    def best(self, most: int, allowed: Bools, least: int | None = None) -> Ints:
        """At most `most` allowed rows, best first; only those with a key of `least` or more."""
        return self._between(most, allowed, None, least)

    def cycle(self, most: int, allowed: Bools, start: int) -> Ints:
        """At most `most` allowed rows, walking down from key `start` and on from the top: a fair
        draw where keys are random and `start` is too."""
        below = self._between(most, allowed, start, None)
        if len(below) >= most:
            return below
        return np.concatenate([below, self._between(most - len(below), allowed, None, start + 1)])

    def count(self, least: int, allowed: Bools) -> int:
        """How many allowed rows have a key of `least` or more."""
        return len(self._between(self._size, allowed, None, least))

    def _between(self, most: int, allowed: Bools, high: int | None, low: int | None) -> Ints:
        """The best of the allowed rows with keys from `low` to `high`, both included."""
        self.settle()
        first = 0 if high is None else int(np.searchsorted(self._fallen, -high, "left"))
        end = len(self._sorted)
        if low is not None:
            end = int(np.searchsorted(self._fallen, -low, "right"))
        found: list[Ints] = []
        count, at, step = 0, first, max(256, 2 * most)
        while at < end and count < most:
            rows = self._sorted[at : min(at + step, end)]
            rows = rows[allowed[rows] & ~self._changed[rows]]
            found.append(rows)
            count += len(rows)
            at += step
            step = min(2 * step, 65_536)
        if self._recent:
            rows = self._recent[0]
            rows = rows[allowed[rows]]
            keys = self._keys[rows]
            if low is not None:
                rows, keys = rows[keys >= low], keys[keys >= low]
            if high is not None:
                rows, keys = rows[keys <= high], keys[keys <= high]
            if len(rows) > most > 0:
                rows = rows[np.argpartition(-keys, most - 1)[:most]]
            found.append(rows)
        if not found or not most:
            return np.zeros(0, np.int64)
        rows = np.concatenate(found)
        if self._recent:
            rows = rows[np.argsort(-self._keys[rows], kind="stable")]
        return rows[:most]
