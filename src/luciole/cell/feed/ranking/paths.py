"""What people who watched a clip watched next: the last few steps out of each clip."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .counting import Batch
from .order import Ints, grown

KEPT = 16
"""Steps that are kept out of each clip; the oldest gives way."""
LEAST_TRUST = 8
"""Accounts that weigh less than an eighth leave no steps."""


class Paths:
    """Rings of shape (clips, KEPT): `to` holds a row plus one, or 0 where nothing is."""

    def __init__(self) -> None:
        self.to: NDArray[np.int32] = np.zeros((64, KEPT), np.int32)
        self.head: NDArray[np.int8] = np.zeros(64, np.int8)

    def make_room(self, clips: int) -> None:
        self.to, self.head = grown(self.to, clips), grown(self.head, clips)

    def step(self, last: NDArray[Any], sessions: Ints, batch: Batch, at: slice) -> None:
        """Takes the good watches of a part of the log; `sessions` numbers all events of the batch
        and `last` keeps for each session the clip (plus one) of its last good watch."""
        good = np.flatnonzero(batch.good[at] & (batch.trust[at] >= LEAST_TRUST)) + at.start
        if not len(good):
            return
        turns = np.flatnonzero(np.diff(batch.sign[good])) + 1
        for run in np.split(good, turns):
            session, clip = sessions[run], batch.clip[run]
            order = np.argsort(session, kind="stable")
            session, clip = session[order], clip[order]
            first = np.ones(len(order), np.bool_)
            first[1:] = session[1:] != session[:-1]
            before = np.empty(len(order), np.int64)
            before[1:] = clip[:-1] + 1
            before[first] = last[session[first]]
            ends = np.append(first[1:], True)
            last[session[ends]] = clip[ends] + 1
            log_order = np.argsort(order, kind="stable")
            pairs = np.stack([before[log_order] - 1, clip[log_order]])
            pairs = pairs[:, (pairs[0] >= 0) & (pairs[0] != pairs[1])]
            if batch.sign[run[0]] > 0:
                self._push(pairs[0], pairs[1])
            else:
                self._take_back(pairs)

    def _push(self, here: Ints, there: Ints) -> None:
        order = np.argsort(here, kind="stable")
        here, there = here[order], there[order]
        rows, starts, sizes = np.unique(here, return_index=True, return_counts=True)
        rank = np.arange(len(here)) - np.repeat(starts, sizes)
        # Of more steps than there is room for, the last stay.
        stays = rank >= np.repeat(sizes, sizes) - KEPT
        place = (self.head[here[stays]].astype(np.int64) + rank[stays]) % KEPT
        self.to[here[stays], place] = there[stays] + 1
        self.head[rows] = (self.head[rows] + sizes) % KEPT

    def _take_back(self, pairs: Ints) -> None:
        for here, there in pairs.T.tolist():
            ring = np.roll(self.to[here], -int(self.head[here]))
            found = np.flatnonzero(ring == there + 1)
            if len(found):
                # The ring closes up, as if the step had never been.
                ring = np.concatenate([[0], np.delete(ring, found[-1])])
                self.to[here] = np.roll(ring, int(self.head[here]))

    def out_of(self, row: int) -> Ints:
        """Rows that were watched after this one, each as often as it is kept."""
        ring = self.to[row]
        found: Ints = ring[ring > 0].astype(np.int64) - 1
        return found
