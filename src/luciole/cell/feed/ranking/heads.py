"""Heads that learn: impressions wait for what becomes of them, then teach in blocks of 1,024.

Blocks are cut by the log alone, so that how the log is cut into batches makes no difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import SHORT
from .counting import TRUST_ONE, WATCH_HEADS, Batch
from .model import Signal
from .order import Bools, Floats, Ints
from .weights import HEADS, LEVELS, PUBLIC_FEATURES, VIEWER_FEATURES, Weights

BLOCK = 1_024
WAIT_S = 600.0
"""A block is closed when its last impression is this old by the log's own clock."""
PUBLIC = len(PUBLIC_FEATURES)
WIDTH = PUBLIC + len(VIEWER_FEATURES)
KNOWN = 1 << len(HEADS)
"""Set where a watch was reported."""

_SIGNAL_BITS = np.zeros(len(Signal), np.int64)
for _signal, _head in (
    (Signal.LIKED, "like"), (Signal.COMMENTED, "comment"), (Signal.SHARED, "share"),
    (Signal.FOLLOWED, "follow"), (Signal.NOT_INTERESTED, "rejected"),
    (Signal.HID_AUTHOR, "rejected"), (Signal.HID_HASHTAG, "rejected"),
    (Signal.HID_SOUND, "rejected"), (Signal.REPORTED, "reported"),
):  # fmt: skip
    _SIGNAL_BITS[_signal] = 1 << HEADS.index(_head)
OPENED: Any = np.dtype(
    [
        ("features", np.float16, WIDTH), ("learning", np.bool_), ("trust", np.int16),
        ("bits", np.int32), ("level", np.int8), ("at", np.float64), ("clip", np.int32),
    ]
)  # fmt: skip


def start_of(weights: Weights) -> Floats:
    """Shape (heads, features): the coefficients of the published file."""
    names = (*PUBLIC_FEATURES, *VIEWER_FEATURES)
    return np.array([[weights.start[head].get(name, 0.0) for name in names] for head in HEADS])


class Heads:
    """Coefficients of all heads, and the impressions that have not taught them yet.

    The columns of the public features learn from everybody and see nothing of viewers; those of
    viewers' features learn from impressions of people who opted in.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._start = start_of(weights)
        self.coefficients = self._start.copy()
        self.squares: Floats = np.zeros_like(self._start)
        self.blocks = 0
        self.waiting: NDArray[Any] = np.zeros(64, OPENED)
        self.keys: list[tuple[int, int]] = []
        self.first = 0
        self._begin = 0
        self.open: dict[tuple[int, int], int] = {}
        """By session and clip: the number of the impression, counted from the log's beginning."""

    @property
    def size(self) -> int:
        return len(self.keys)

    @property
    def _end_of_block(self) -> float:
        return float(self.waiting["at"][self._begin + BLOCK - 1])

    def due(self, clock: float) -> bool:
        """Whether a block has to be learned before the event at that time."""
        return self.size >= BLOCK and clock > self._end_of_block + WAIT_S

    def next_due(self, clock: Floats, opens: Bools) -> int:
        """How many of the coming events may be taken before a block may be due."""
        missing = BLOCK - self.size
        if missing <= 0:
            least, last = 0, self._end_of_block
        else:
            openings = np.flatnonzero(opens)
            if len(openings) < missing:
                return len(clock)
            least = int(openings[missing - 1]) + 1
            last = float(clock[least - 1])
        return max(least, int(np.searchsorted(clock, last + WAIT_S, side="right")))

    def take(self, batch: Batch, at: slice, clock: Floats, sessions: list[int]) -> None:
        """Opens impressions and notes what became of open ones, for a part of the log."""
        opening = np.flatnonzero(batch.opens[at]) + at.start
        since = self.first + self.size
        if len(opening):
            self._open(batch, opening, clock, sessions)
        bits = _SIGNAL_BITS[batch.signal[at]]
        bits |= np.where(batch.watched[at], KNOWN, 0)
        bits |= np.where(batch.skipped[at], 1 << HEADS.index("skip"), 0)
        bits |= np.where(batch.completed[at], 1 << HEADS.index("complete"), 0)
        told = np.flatnonzero((bits != 0) & (batch.sign[at] > 0) & batch.known[at]) + at.start
        clips = batch.clip[told].tolist()
        get = self.open.get
        found = [
            get((sessions[event], clip), -1)
            for event, clip in zip(told.tolist(), clips, strict=True)
        ]
        place = np.array(found, np.int64) - self.first
        # An impression that this part opens hears only of what comes after.
        new = place + self.first - since
        opened = opening[np.maximum(new, 0)] if len(opening) else new
        hit = (place >= 0) & ((new < 0) | (opened < told))
        place, told = place[hit] + self._begin, told[hit]
        np.bitwise_or.at(self.waiting["bits"], place, bits[told - at.start].astype(np.int32))
        watched = batch.watched[told]
        self.waiting["level"][place[watched]] = batch.level[told[watched]]

    def _open(self, batch: Batch, opening: Ints, clock: Floats, sessions: list[int]) -> None:
        size = self.size
        if self._begin + size + len(opening) > len(self.waiting):
            self._make_room(size + len(opening))
        start = self._begin + size
        rows = np.zeros(len(opening), OPENED)
        # Behind a short row's features there are zeros.
        numbers = batch.features[opening].view("<f2")
        rows["features"] = np.nan_to_num(numbers, nan=0, posinf=0, neginf=0)
        rows["learning"] = batch.width[opening] > SHORT
        rows["trust"] = batch.trust[opening]
        rows["at"] = clock[opening]
        rows["clip"] = batch.clip[opening]
        self.waiting[start : start + len(rows)] = rows
        keys = [
            (sessions[event], clip)
            for event, clip in zip(opening.tolist(), batch.clip[opening].tolist(), strict=True)
        ]
        number = self.first + size
        for key in keys:
            # Of the same clip twice in a session, the first hears what becomes of it.
            self.open.setdefault(key, number)
            number += 1
        self.keys += keys

    def _make_room(self, rows: int) -> None:
        kept = self.waiting[self._begin : self._begin + self.size]
        if 2 * rows > len(self.waiting):
            self.waiting = np.zeros(2 * rows, OPENED)
        self.waiting[: len(kept)] = kept.copy()
        self._begin = 0

    def learn(self) -> None:
        """Learns from the oldest block and lets it go."""
        block = self.waiting[self._begin : self._begin + BLOCK]
        features = block["features"].astype(np.float64)
        happened = (block["bits"][:, None] >> np.arange(len(HEADS))) & 1
        labels = happened.astype(np.float64)
        watch = HEADS.index("watch")
        labels[:, watch] = block["level"] / LEVELS
        known = (block["bits"] & KNOWN) != 0
        trust = block["trust"] / TRUST_ONE
        mask = np.where(WATCH_HEADS[None, :], known[:, None], True) * trust[:, None]
        self._descend(features[:, :PUBLIC], labels, mask, slice(0, PUBLIC))
        learning = block["learning"]
        if learning.any():
            self._descend(features[learning], labels[learning], mask[learning],
                          slice(PUBLIC, WIDTH))  # fmt: skip
        for number, key in enumerate(self.keys[:BLOCK], self.first):
            if self.open.get(key) == number:
                del self.open[key]
        self.first += BLOCK
        self._begin += BLOCK
        del self.keys[:BLOCK]
        self.blocks += 1

    def _descend(self, features: Floats, labels: Floats, mask: Floats, columns: slice) -> None:
        """One AdaGrad step (Duchi, Hazan and Singer 2011) on the mean gradient of a block; only
        `columns` move. No coefficient moves by more than the rate and the pull together."""
        width = features.shape[1]
        # einsum adds in one order everywhere; a BLAS may not.
        logits = np.einsum("if,hf->ih", features, self.coefficients[:, :width])
        error = (1 / (1 + np.exp(-np.clip(logits, -30, 30))) - labels) * mask
        total = np.maximum(mask.sum(axis=0), 1e-9)
        gradient = np.einsum("ih,if->hf", error, features[:, columns]) / total[:, None]
        self.squares[:, columns] += gradient**2
        step = gradient / np.sqrt(self.squares[:, columns] + 1e-8)
        learning = self._weights.learning
        now = self.coefficients[:, columns]
        pulled = learning.pull * learning.rate * (now - self._start[:, columns])
        self.coefficients[:, columns] = now - learning.rate * step - pulled

    def impressions(self) -> NDArray[Any]:
        """Those that wait, oldest first."""
        return self.waiting[self._begin : self._begin + self.size]

    def restore(self, impressions: NDArray[Any], keys: list[tuple[int, int]]) -> None:
        """Puts waiting impressions back; a key of session 0 belongs to a session forgotten."""
        self.waiting, self._begin, self.first = impressions.copy(), 0, 0
        self.keys = keys
        self.open = {key: number for number, key in enumerate(keys) if key[0]}

    def forget(self, sessions: set[int]) -> None:
        """Impressions of these sessions still teach, but no more is noted of them."""
        for key in [key for key in self.open if key[0] in sessions]:
            del self.open[key]
