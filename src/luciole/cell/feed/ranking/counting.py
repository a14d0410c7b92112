"""What happened to clips, counted in whole numbers, so that taking an event back is exact."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import LONG, SHORT, Columns, numbers
from .model import SKIP_BELOW_MS, Signal
from .order import Bools, Floats, Ints
from .weights import HEADS, LEVELS, Weights

TRUST_ONE = 64
"""An event of full trust counts this much; less trust counts less, in whole steps."""
GOOD_LEVEL = 5
"""From this level on a watch was a good one: better than five ninths of its kind."""


STEPS = 16
"""Steps of a level in which a watch is graded against its session's others."""
USUAL, USUAL_STRENGTH = LEVELS / 2, 2
"""What is usual in a session of which nothing is known, and how many watches that is worth."""


class Count(IntEnum):
    """Columns of a clip's counts. SEEN counts impressions, the others are weighed by trust.
    RELATIVE sums how much better watches were than is usual in their session (`relative`)."""

    SEEN = 0
    SHOWN = 1
    WATCHED = 2
    LEVEL = 3
    SKIPPED = 4
    COMPLETED = 5
    REPLAYED = 6
    LIKED = 7
    COMMENTED = 8
    SHARED = 9
    FOLLOWED = 10
    REJECTED = 11
    REPORTED = 12
    RELATIVE = 13


SIGNAL_COUNTS = np.array(
    [
        Count.SHOWN, Count.WATCHED, Count.REPLAYED, Count.LIKED, Count.COMMENTED, Count.SHARED,
        Count.FOLLOWED, Count.REJECTED, Count.REJECTED, Count.REJECTED, Count.REJECTED,
        Count.REPORTED,
    ]
)  # fmt: skip
HAPPENED = (
    Count.SKIPPED, Count.LEVEL, Count.COMPLETED, Count.LIKED, Count.COMMENTED, Count.SHARED,
    Count.FOLLOWED, Count.REJECTED, Count.REPORTED,
)  # fmt: skip
"""For each head the column of what it predicts."""
WATCH_HEADS = np.array([head in ("skip", "watch", "complete") for head in HEADS])
"""Heads that are known only where a watch was reported; the others are out of all impressions."""


class Grades:
    """Says how good a watch was among watches of clips of about the same length."""

    def __init__(self, weights: Weights) -> None:
        ends = [level.below_ms for level in weights.watch_levels[:-1]]
        self._ends = np.array(ends, np.int64)
        self._ratios = np.array([level.ratios for level in weights.watch_levels])

    def bucket(self, duration_ms: Ints) -> Ints:
        """Which bucket of lengths a clip belongs to, from 0."""
        found: Ints = np.searchsorted(self._ends, duration_ms, side="right")
        return found

    def level(self, duration_ms: Ints, value_ms: Ints) -> Ints:
        """0 to 8: of how many levels of its bucket a watch reached the beginning."""
        ratio = value_ms / np.maximum(duration_ms, 1)
        found: Ints = (self._ratios[self.bucket(duration_ms)] <= ratio[:, None]).sum(axis=1)
        return found

    def ratio(self, duration_ms: int, level: int) -> float:
        """The watched share of a clip from which on a watch has the level (1 to 8)."""
        return float(self._ratios[self.bucket(np.array([duration_ms]))[0], level - 1])


class Batch:
    """Events as columns; `clip` is a row of the shelf, or -1 where the clip is unknown."""

    def __init__(
        self, events: Columns, rows: dict[int, int], duration_ms: Ints, grades: Grades
    ) -> None:
        get = rows.get
        self.size = len(events)
        self.at = events.at
        self.clip: Ints = np.array([get(clip, -1) for clip in numbers(events.clip)], np.int64)
        self.signal, self.value, self.loops = events.signal, events.value, events.loops
        self.trust: Ints = np.rint(np.clip(events.trust, 0, 1) * TRUST_ONE).astype(np.int64)
        self.sign, self.width, self.features = events.sign, events.width, events.features
        self.known: Bools = self.clip >= 0
        duration = duration_ms[np.maximum(self.clip, 0)] if len(rows) else self.value
        self.watched: Bools = self.known & (self.signal == Signal.WATCHED)
        self.level: Ints = np.where(self.watched, grades.level(duration, self.value), 0)
        # Filled in part by part, as the sessions come to know what is usual in them.
        self.relative: Ints = np.zeros(self.size, np.int64)
        self.good: Bools = self.watched & (self.level >= GOOD_LEVEL)
        self.completed: Bools = self.watched & (
            (self.loops > 0) | (self.value * 20 >= duration * 19)
        )
        self.skipped: Bools = (
            self.watched
            & (self.value < SKIP_BELOW_MS)
            & (self.value * 2 < duration)
            & (self.loops == 0)
        )
        self.opens: Bools = (
            self.known
            & (self.signal == Signal.SHOWN)
            & (self.sign > 0)
            & ((self.width == SHORT) | (self.width == LONG))
        )


def relative(sums: NDArray[Any], sessions: Ints, batch: Batch, at: slice) -> None:
    """Grades each watch of a part against what was usual in its session before it, in steps of
    1/STEPS of a level: `sums` (shape (sessions, 2): levels and watches so far) goes on.

    Some people watch everything to the end, others hardly anything, and clips do not meet both
    equally often. On KuaiRand-Pure this tells good clips apart better than the plain mean does
    (bench/results/feed-quality.md).
    """
    watched = np.flatnonzero(batch.watched[at]) + at.start
    if not len(watched):
        return
    order = watched[np.argsort(sessions[watched], kind="stable")]
    session, level = sessions[order], batch.level[order]
    rows, starts, sizes = np.unique(session, return_index=True, return_counts=True)
    before = np.cumsum(level) - level
    before += np.repeat(sums[rows, 0] - before[starts], sizes)
    watches = np.arange(len(order)) + np.repeat(sums[rows, 1] - starts, sizes)
    usual = (before + USUAL * USUAL_STRENGTH) / (watches + USUAL_STRENGTH)
    batch.relative[order] = np.rint((level - usual) * STEPS).astype(np.int64)
    sums[rows, 0] += np.add.reduceat(level, starts)
    sums[rows, 1] += sizes


def count(counts: NDArray[Any], batch: Batch, at: slice) -> None:
    """Adds a part of a batch to the counts of clips (shape (clips, columns)), in place."""
    known = batch.known[at]
    clip, signal = batch.clip[at][known], batch.signal[at][known]
    sign = batch.sign[at][known]
    weight = batch.trust[at][known] * sign
    flat, width = counts.reshape(-1), counts.shape[1]
    np.add.at(flat, clip * width + SIGNAL_COUNTS[signal], weight)
    shown = signal == Signal.SHOWN
    np.add.at(flat, clip[shown] * width + Count.SEEN, sign[shown])
    watched = batch.watched[at][known]
    if watched.any():
        base, weight = clip[watched] * width, weight[watched]
        np.add.at(flat, base + Count.RELATIVE, weight * batch.relative[at][known][watched])
        np.add.at(flat, base + Count.LEVEL, weight * batch.level[at][known][watched])
        for column, happened in (
            (Count.SKIPPED, batch.skipped), (Count.COMPLETED, batch.completed),
        ):  # fmt: skip
            np.add.at(flat, base + column, weight * happened[at][known][watched])


# Of authors, topics and sounds.
GROUP_WATCHED, GROUP_RELATIVE, GROUP_SHOWN, GROUP_REJECTED = range(4)


def count_groups(groups: NDArray[Any], numbers: Ints, batch: Batch, at: slice, each: Ints) -> None:
    """Adds to counts of groups (shape (groups, 4)): event `each[i]` of the part to `numbers[i]`."""
    signal = batch.signal[at][each]
    weight = batch.trust[at][each] * batch.sign[at][each]
    flat, width = groups.reshape(-1), groups.shape[1]
    base = numbers * width
    watched = signal == Signal.WATCHED
    np.add.at(flat, base[watched] + GROUP_WATCHED, weight[watched])
    better = batch.relative[at][each][watched]
    np.add.at(flat, base[watched] + GROUP_RELATIVE, weight[watched] * better)
    shown = signal == Signal.SHOWN
    np.add.at(flat, base[shown] + GROUP_SHOWN, weight[shown])
    rejected = signal >= Signal.NOT_INTERESTED
    np.add.at(flat, base[rejected] + GROUP_REJECTED, weight[rejected])


def log_odds(share: Floats) -> Floats:
    share = np.clip(share, 1e-6, 1 - 1e-6)
    found: Floats = np.log(share / (1 - share))
    return found


def watch_share(watched: Floats, better: Floats, prior: tuple[float, float]) -> Floats:
    """The mean grade (0 to 1) that so many watches and their RELATIVE sum make expected."""
    mean, strength = prior
    share = mean + better / (STEPS * LEVELS) / (np.maximum(watched, 0) + strength)
    found: Floats = np.clip(share, 0.02, 0.98)
    return found


def rates(counts: NDArray[Any], weights: Weights) -> Floats:
    """Shape (clips, heads): log-odds of each head's posterior mean, less those of its prior, within
    the published caps."""
    table = counts.astype(np.float64) / TRUST_ONE
    found = np.empty((len(table), len(HEADS)))
    for column, head in enumerate(HEADS):
        mean, strength = weights.prior[head]
        total = np.maximum(table[:, Count.WATCHED if WATCH_HEADS[column] else Count.SHOWN], 0)
        if head == "watch":
            share = watch_share(total, table[:, Count.RELATIVE], weights.prior[head])
        else:
            happened = np.maximum(table[:, HAPPENED[column]], 0)
            share = (happened + mean * strength) / (np.maximum(total, happened) + strength)
        found[:, column] = log_odds(share) - np.log(mean / (1 - mean))
    caps = np.array([weights.caps[head] for head in HEADS])
    return np.clip(found, -caps, caps)


def group_rates(groups: NDArray[Any], weights: Weights) -> tuple[Floats, Floats]:
    """Log-odds of a good watch and of a rejection of each group, less those of the prior."""
    table = groups.astype(np.float64) / TRUST_ONE
    prior = weights.prior["watch"]
    liked = log_odds(watch_share(table[:, GROUP_WATCHED], table[:, GROUP_RELATIVE], prior))
    bad_mean, bad_strength = weights.prior["rejected"]
    bad, shown = np.maximum(table[:, GROUP_REJECTED], 0), np.maximum(table[:, GROUP_SHOWN], 0)
    avoided = log_odds((bad + bad_mean * bad_strength) / (np.maximum(shown, bad) + bad_strength))
    return liked - np.log(prior[0] / (1 - prior[0])), avoided - np.log(bad_mean / (1 - bad_mean))
