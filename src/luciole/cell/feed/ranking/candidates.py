"""Where candidates come from, each with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .budget import under_floor
from .counting import Count
from .fold import Fold
from .model import Source
from .order import Bools, Ints
from .shelf import CHANCE, Names
from .taste import Taste

AN_AUTHOR = 8
"""Clips of one author that a source may bring, so that who publishes most does not fill it."""
RECENT = 10
"""Clips watched last of which neighbours and steps are looked up."""
SEEDS = 24
"""Likings of which neighbours are looked up."""


class Found:
    """Candidates in the making: of several reasons the first stays."""

    def __init__(self, allowed: Bools) -> None:
        self.allowed = allowed
        self.rows: list[Ints] = []
        self.sources: list[int] = []
        self.because: list[str] = []
        self.size = 0
        self._taken: Bools = np.zeros(len(allowed), np.bool_)

    def add(self, source: Source, rows: Ints, because: str = "") -> None:
        """Takes rows that are allowed and not taken yet; `rows` must be without repeats."""
        rows = rows[self.allowed[rows] & ~self._taken[rows]]
        if len(rows):
            self._taken[rows] = True
            self.rows.append(rows)
            self.sources += [source] * len(rows)
            self.because += [because] * len(rows)
            self.size += len(rows)

    def all_rows(self) -> Ints:
        return np.concatenate(self.rows) if self.rows else np.zeros(0, np.int64)


def spread(rows: Ints, authors: NDArray[np.int32], most: int) -> Ints:
    """The first `most` rows with AN_AUTHOR of each author at most, in their order."""
    author = authors[rows]
    order = np.argsort(author, kind="stable")
    sorted_ = author[order]
    starts = np.flatnonzero(np.append(True, sorted_[1:] != sorted_[:-1])) if len(rows) else rows
    sizes = np.diff(np.append(starts, len(rows)))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - np.repeat(starts, sizes)
    return rows[rank < AN_AUTHOR][:most]


def for_everybody(
    world: Fold, found: Found, now: float, seed: int, least: int
) -> tuple[Ints, Ints]:
    """Adds trending, fresh and chance clips. Returns rows of new clips that lack impressions and
    how many each lacks; those are added too."""
    shelf, quotas, allowed = world.shelf, world.weights.candidates, found.allowed
    lacking, lack = under_floor(world, allowed, now, quotas.floor)
    start = _chance(seed)
    _watched(world, found)
    sources: tuple[tuple[Source, int, Callable[[int], Ints]], ...] = (
        (Source.FRESH, quotas.fresh, lambda most: shelf.by_age.best(most, allowed)),
        (Source.REST, quotas.rest, lambda most: shelf.by_chance.cycle(most, allowed, start)),
    )
    for source, quota, best in sources:
        found.add(source, spread(best(2 * quota), shelf.author, quota))
        if source == Source.FRESH:
            found.add(source, lacking)
    if found.size < least:
        found.add(Source.REST, shelf.by_chance.cycle(found.size + least, allowed, start))
    return lacking, lack


def _watched(world: Fold, found: Found) -> None:
    """Adds what was watched best. Only where that is better than usual beyond doubt is it called a
    trend, and what nobody has watched comes by other ways."""
    shelf, quota = world.shelf, world.weights.candidates.trending
    rows = spread(world.trending.best(2 * quota, found.allowed), shelf.author, quota)
    if not len(rows):
        return
    bound = world.trend(rows)
    usual, _ = world.weights.prior["watch"]
    found.add(Source.TRENDING, rows[bound > usual])
    found.add(Source.KNOWN, rows[(bound <= usual) & (world.counts[rows, Count.WATCHED] > 0)])


def _chance(seed: int) -> int:
    """Where in the order of chance a page begins to look."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]) & CHANCE


def for_viewer(
    world: Fold, found: Found, taste: Taste, followed: frozenset[int], recent: Ints
) -> None:
    """Adds clips of followed people, what was watched next, and neighbours."""
    shelf, quotas = world.shelf, world.weights.candidates
    _followed(world, found, followed)
    quota = found.size + quotas.watched_next
    for row in recent[::-1][:RECENT].tolist():
        steps, counts = np.unique(world.paths.out_of(row), return_counts=True)
        steps = steps[np.argsort(-counts, kind="stable")]
        found.add(Source.WATCHED_NEXT, steps[: quota - found.size], str(shelf.id_of(row)))
    quota = found.size + quotas.neighbour
    liked = taste.liked(SEEDS)
    each = max(quotas.neighbour // 8, 1)
    for names in (shelf.authors, shelf.topic_names, shelf.sounds):
        numbers = sorted(names.by_key[key] for key in liked if key in names.by_key)
        for number in numbers:
            _neighbours(found, names, number, min(each, quota - found.size))
    for row in recent[::-1][:3].tolist():
        for topic in _rarest(shelf.topic_names, shelf.topics[row]):
            _neighbours(found, shelf.topic_names, topic, min(each, quota - found.size))


def _followed(world: Fold, found: Found, followed: frozenset[int]) -> None:
    shelf, quota = world.shelf, world.weights.candidates.followed
    if not followed:
        return
    rows = np.concatenate([shelf.authors.latest(number, AN_AUTHOR) for number in sorted(followed)])
    rows = rows[found.allowed[rows]]
    rows = rows[np.lexsort((shelf.hashes[rows], -shelf.published_at[rows]))][:quota]
    for number in np.unique(shelf.author[rows]).tolist():
        found.add(Source.FOLLOWED, rows[shelf.author[rows] == number], shelf.authors.names[number])


def _neighbours(found: Found, names: Names, number: int, most: int) -> None:
    if most > 0:
        rows = names.latest(number, 4 * most)
        rows = rows[found.allowed[rows]][::-1]
        found.add(Source.NEIGHBOUR, rows[:most], names.names[number])


def _rarest(names: Names, topics: NDArray[np.int32]) -> list[int]:
    """The three topics of a clip that the fewest clips have, and another clip has."""
    numbers = [topic for topic in topics.tolist() if topic >= 0 and len(names.clips[topic]) > 1]
    return sorted(numbers, key=lambda topic: (len(names.clips[topic]), names.names[topic]))[:3]
