"""Sequential models that only count: what a learned one has to beat.

All are deterministic. `popularity` is the same list for everybody; `cosine` and `transitions` are
tables from item to item, as Luciole's own transition store keeps them; `ease` is the closed form of
Steck (2019), "Embarrassingly Shallow Autoencoders", equation 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.feed_quality.leave_last_out import Items, Log

Table = npt.NDArray[np.float32]


def popularity(log: Log) -> npt.NDArray[np.float64]:
    """How many people met each item in training."""
    return np.bincount(np.concatenate(log.training()), minlength=log.item_count).astype(np.float64)


def together(log: Log) -> npt.NDArray[np.float64]:
    """For each pair of items how many people met both in training."""
    size = log.item_count
    counts = np.zeros(size * size)
    for items in log.training():
        # A person's items differ from each other, so no cell is meant twice.
        counts[(items[:, None] * size + items[None, :]).ravel()] += 1
    return counts.reshape(size, size)


@dataclass(frozen=True)
class Popular:
    counts: npt.NDArray[np.float64]

    def score(self, shown: Sequence[Items]) -> npt.NDArray[np.float64]:
        return np.tile(self.counts, (len(shown), 1))


@dataclass(frozen=True)
class FromTable:
    """The sum of the rows of the items shown, times `fade` for each place before the last."""

    table: Table
    fade: float

    def score(self, shown: Sequence[Items]) -> Table:
        scores = np.empty((len(shown), self.table.shape[1]), np.float32)
        for row, items in enumerate(shown):
            weights = np.float32(self.fade) ** np.arange(len(items) - 1, -1, -1, dtype=np.float32)
            kept = weights > 1e-4
            scores[row] = weights[kept] @ self.table[items[kept]]
        return scores


def cosine_table(log: Log) -> Table:
    counts = together(log)
    met = np.sqrt(np.maximum(np.diag(counts), 1))
    counts /= met[:, None] * met[None, :]
    np.fill_diagonal(counts, 0)
    return counts.astype(np.float32)


def transition_table(log: Log, within: int, damp: float) -> Table:
    """What came next, up to `within` places later, nearer ones more (1 / distance), and rarer ones:
    divided by popularity to the power of `damp`."""
    size = log.item_count
    counts = np.zeros(size * size, np.float32)
    for items in log.training():
        for distance in range(1, min(within, len(items) - 1) + 1):
            counts[items[:-distance] * size + items[distance:]] += 1 / distance
    counts = counts.reshape(size, size)
    counts /= np.maximum(popularity(log), 1).astype(np.float32)[None, :] ** np.float32(damp)
    return counts


def ease_table(log: Log, ridge: float) -> Table:
    gram = together(log)
    gram[np.diag_indices_from(gram)] += ridge
    inverse = np.linalg.inv(gram)
    inverse /= -np.diag(inverse)[None, :]
    np.fill_diagonal(inverse, 0)
    return inverse.astype(np.float32)
