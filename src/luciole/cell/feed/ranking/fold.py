"""How clips and the event log are folded into what ranking knows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from . import counting
from .columns import Columns, numbers
from .counting import TRUST_ONE, Batch, Count, Grades
from .heads import Heads
from .model import Clip, Event, Signal
from .order import Bools, Floats, Ints, Ordered, distinct, grown
from .packed import Clips
from .paths import Paths
from .shelf import HASH_BITS, HASH_MASK, Shelf
from .weights import Weights

SESSION_S = 24 * 3600.0
EPOCH_S = 6 * 3600.0
"""Recent counts hold this stretch of the log's clock and the one before."""
HOUR_S = 3600.0
TAKEN_BACK = (1 << 128) - 1
RECENT_WATCHED, RECENT_RELATIVE = range(2)


class Fold:
    """Counts of clips, steps between them, and heads that learn. Not safe for several threads.

    The state depends on the clips that were put and on the events in their order, never on how
    these were cut into batches. Events of clips that were never put are passed over, so put clips
    before their events.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.grades = Grades(weights)
        self.shelf = Shelf()
        self.counts: NDArray[np.int64] = np.zeros((64, len(Count)), np.int64)
        self.recent: NDArray[np.int32] = np.zeros((64, 2, 2), np.int32)
        self.author_counts: NDArray[np.int64] = np.zeros((64, 4), np.int64)
        self.topic_counts: NDArray[np.int64] = np.zeros((64, 4), np.int64)
        self.sound_counts: NDArray[np.int64] = np.zeros((64, 4), np.int64)
        self.paths = Paths()
        self.heads = Heads(weights)
        self._trending = Ordered()
        self._unranked: list[int] = []
        self.sessions: dict[int, int] = {}
        self.session_last: NDArray[np.int32] = np.zeros(64, np.int32)
        self.session_sums: NDArray[np.int64] = np.zeros((64, 2), np.int64)
        self.session_at: Floats = np.zeros(64, np.float64)
        self._free_sessions: list[int] = []
        self.hours: dict[int, int] = {}
        self.clock = -math.inf
        self.epoch: int | None = None
        self.events = 0

    @property
    def clips(self) -> int:
        """How many clips count now."""
        return self.shelf.count

    def put(self, clip: Clip) -> None:
        """Takes in a clip that is new or changed; the same clip twice changes nothing."""
        row = self.shelf.put(clip)
        if row is None:
            return
        self.make_room()
        self._unranked.append(row)

    def fill(self, clips: Clips) -> None:
        """Takes in all clips at once, where there are none yet: the same as putting each."""
        self.shelf.fill(clips)
        self.make_room()
        self._unranked = list(range(self.shelf.size))

    @property
    def trending(self) -> Ordered:
        """Rows of clips, best first, by the lower bound of `trend`."""
        if self._unranked:
            self._rank(distinct(np.array(self._unranked, np.int64), self.shelf.size))
            self._unranked = []
        return self._trending

    def make_room(self) -> None:
        """Has a row of counts for each clip, author, topic and sound of the shelf."""
        shelf = self.shelf
        if shelf.size > len(self.counts):
            self.counts = grown(self.counts, shelf.size)
            self.recent = grown(self.recent, shelf.size)
        self.paths.make_room(shelf.size)
        self.author_counts = grown(self.author_counts, len(shelf.authors.names))
        self.topic_counts = grown(self.topic_counts, len(shelf.topic_names.names))
        self.sound_counts = grown(self.sound_counts, len(shelf.sounds.names))

    def rank_all(self) -> None:
        """Gives every clip its place among trending ones."""
        self._rank(np.arange(self.shelf.size))

    def drop(self, clip_id: UUID) -> None:
        """The clip was removed, or is not for everyone any more. Its counts stay until it is put
        again."""
        self.shelf.drop(clip_id)

    def forget(self, clip_id: UUID) -> None:
        """The clip was deleted: nothing names it any more. What came of it stays in the totals."""
        self.shelf.forget(clip_id)

    def apply(self, events: Sequence[Event] | Columns) -> None:
        """Takes the next events of the log, in its order."""
        if not len(events):
            return
        columns = events if isinstance(events, Columns) else Columns.of(events)
        self.events += len(columns)
        batch = Batch(columns, self.shelf.rows, self.shelf.duration_ms, self.grades)
        ids = numbers(columns.session)
        # Events that are taken back go by sessions of their own, in which the same is usual.
        for at in np.flatnonzero(columns.sign < 0).tolist():
            ids[at] ^= TAKEN_BACK
        sessions = self._session_rows(ids)
        clock = np.maximum.accumulate(np.maximum(batch.at, self.clock))
        start = 0
        while start < batch.size:
            self._turn(float(clock[start]))
            end = self._next_turn(clock[start:], batch.opens[start:])
            part = slice(start, start + max(end, 1))
            self._fold(batch, part, clock, sessions, ids)
            start = part.stop
        self.clock = float(clock[-1])
        self._rank(np.unique(batch.clip[batch.known]))

    def settle(self) -> None:
        """Sorts what many new clips have left unsorted, which a page would wait for (5 s where a
        million were loaded)."""
        for order in (self.trending, self.shelf.by_age, self.shelf.by_chance):
            order.settle()

    def tidy(self, now: float) -> None:
        """Forgets sessions of which nothing came in for 24 hours, and settles. `now` in seconds
        (Unix)."""
        self.settle()
        old = {
            number: row
            for number, row in self.sessions.items()
            if self.session_at[row] < now - SESSION_S
        }
        for number, row in old.items():
            del self.sessions[number]
            self.session_last[row] = 0
            self.session_sums[row] = 0
        self._free_sessions += sorted(old.values(), reverse=True)
        if old:
            self.heads.forget(set(old))

    def impressions_a_day(self, now: float) -> int:
        """Impressions of the 24 hours before now."""
        last = int(now // HOUR_S)
        return max(sum(self.hours.get(hour, 0) for hour in range(last - 23, last + 1)), 0)

    def _session_rows(self, ids: list[int]) -> Ints:
        known = self.sessions
        for number in dict.fromkeys(ids):
            if number not in known:
                row = self._free_sessions.pop() if self._free_sessions else len(known)
                known[number] = row
                if row >= len(self.session_last):
                    self.session_last = grown(self.session_last, row + 1)
                    self.session_sums = grown(self.session_sums, row + 1)
                    self.session_at = grown(self.session_at, row + 1)
        return np.array([known[number] for number in ids], np.int64)

    def _turn(self, clock: float) -> None:
        """What is due before the event at that time."""
        epoch = math.floor(clock / EPOCH_S)
        if self.epoch is None:
            self.epoch = epoch
        if epoch > self.epoch:
            size = self.shelf.size
            if epoch == self.epoch + 1:
                self.recent[:size, 1] = self.recent[:size, 0]
            else:
                self.recent[:size, 1] = 0
            self.recent[:size, 0] = 0
            self.epoch = epoch
            hour = math.floor(clock / HOUR_S)
            self.hours = {at: n for at, n in self.hours.items() if at > hour - 26}
            self.rank_all()
        while self.heads.due(clock):
            self.heads.learn()

    def _next_turn(self, clock: Floats, opens: Bools) -> int:
        assert self.epoch is not None
        next_epoch = (self.epoch + 1) * EPOCH_S
        return min(
            int(np.searchsorted(clock, next_epoch, side="left")),
            self.heads.next_due(clock, opens),
        )

    def _fold(self, batch: Batch, at: slice, clock: Floats, sessions: Ints, ids: list[int]) -> None:
        counting.relative(self.session_sums, sessions, batch, at)
        counting.count(self.counts, batch, at)
        self._count_recent(batch, at)
        known = np.flatnonzero(batch.known[at])
        clip = batch.clip[at][known]
        counting.count_groups(self.author_counts, self.shelf.author[clip].astype(np.int64), batch,
                              at, known)  # fmt: skip
        sound = self.shelf.sound[clip].astype(np.int64)
        has = sound >= 0
        counting.count_groups(self.sound_counts, sound[has], batch, at, known[has])
        topics = self.shelf.topics[clip].astype(np.int64)
        which, place = np.nonzero(topics >= 0)
        counting.count_groups(self.topic_counts, topics[which, place], batch, at, known[which])
        self.paths.step(self.session_last, sessions, batch, at)
        np.maximum.at(self.session_at, sessions[at], clock[at])
        self.heads.take(batch, at, clock, ids)
        shown = batch.known[at] & (batch.signal[at] == Signal.SHOWN)
        hours = np.floor(batch.at[at][shown] / HOUR_S).astype(np.int64)
        found, inverse = np.unique(hours, return_inverse=True)
        sums = np.bincount(inverse, batch.sign[at][shown], len(found)).astype(np.int64)
        for hour, sum_ in zip(found.tolist(), sums.tolist(), strict=True):
            self.hours[hour] = self.hours.get(hour, 0) + sum_

    def _count_recent(self, batch: Batch, at: slice) -> None:
        assert self.epoch is not None
        watched = np.flatnonzero(batch.watched[at]) + at.start
        ago = self.epoch - np.floor(batch.at[watched] / EPOCH_S).astype(np.int64)
        ago = np.maximum(ago, 0)
        watched, ago = watched[ago < 2], ago[ago < 2]
        weight = batch.trust[watched] * batch.sign[watched]
        clip = batch.clip[watched]
        np.add.at(self.recent, (clip, ago, RECENT_WATCHED), weight)
        np.add.at(self.recent, (clip, ago, RECENT_RELATIVE), weight * batch.relative[watched])

    def _rank(self, rows: Ints) -> None:
        """Gives rows their place among trending clips."""
        keys = np.rint(self.trend(rows) * (1 << 16)).astype(np.int64)
        self._trending.set(rows, (keys << HASH_BITS) | (self.shelf.hashes[rows] & HASH_MASK))

    def trend(self, rows: Ints) -> Floats:
        """Lower confidence bound of the mean level of a watch, 0 to 1: recent watches count in
        full, older ones a quarter, rejections against it."""
        counts = self.counts[rows].astype(np.float64)
        recent = self.recent[rows].sum(axis=1).astype(np.float64)
        prior = self.weights.prior["watch"]
        watched = np.maximum(0.75 * recent[:, 0] + 0.25 * counts[:, Count.WATCHED], 0) / TRUST_ONE
        better = (0.75 * recent[:, 1] + 0.25 * counts[:, Count.RELATIVE]) / TRUST_ONE
        bad = np.maximum(counts[:, Count.REJECTED] + 3 * counts[:, Count.REPORTED], 0) / TRUST_ONE
        total = watched + prior[1]
        share = counting.watch_share(watched, better, prior) * total / (total + bad)
        # A share's deviation; Wald's bound, of a posterior that begins at the prior.
        found: Floats = share - self.weights.trend_deviations * np.sqrt(
            np.maximum(share * (1 - share), 0) / total
        )
        return found

    def allowed(self, without: Iterable[UUID]) -> Bools:
        """One truth per row of the shelf: counts now and is not left out."""
        return self.shelf.allowed([each.int for each in without])
