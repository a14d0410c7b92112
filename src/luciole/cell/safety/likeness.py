"""Which hashes of a list are close to some stills: exact, and quick because of an index.

Two hashes that differ in at most 31 of their 256 bits differ in at most one bit of at least one of
their sixteen words of 16 bits (16 words that differ in two or more would make 32). So looking up
each word of a still, and the sixteen words that are one bit away, finds every close hash
(multi-index hashing: Norouzi, Punjani, Fleet, CVPR 2012). What it finds is then compared in full.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32
#: The index finds nothing that is further away for certain.
MAX_NEAR_BITS = 31
WORDS, WORD_BITS, LANES = 16, 16, 4
_VALUES = 1 << WORD_BITS
# A word itself, and what is one bit away.
_AROUND = np.concatenate([[0], 1 << np.arange(WORD_BITS)]).astype(np.uint16)
_COMPARED_AT_ONCE = 1 << 18

Lanes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


class Close(msgspec.Struct, frozen=True):
    """What is close of some stills: the nearest pair, and how many stills have one."""

    bits: int
    still: int
    """Its place among the stills."""
    stills: int


class Likeness:
    """The hashes of one list. `hashes`: 32 bytes each, one after the other."""

    def __init__(self, hashes: bytes) -> None:
        words = np.frombuffer(hashes, np.uint16).reshape(-1, WORDS)
        self._lanes = lanes_of(hashes)
        self._order = np.empty((WORDS, len(words)), np.int32)
        # Of each word and value, where its hashes begin in the order; they end where the next ones
        # begin.
        self._starts = np.zeros((WORDS, _VALUES + 1), np.int32)
        for word in range(WORDS):
            self._order[word] = np.argsort(words[:, word], kind="stable")
            counted = np.bincount(words[:, word], minlength=_VALUES)
            self._starts[word, 1:] = np.cumsum(counted)

    def __len__(self) -> int:
        return len(self._lanes)

    def close(self, stills: bytes, near_bits: int) -> Close | None:
        """What is at most `near_bits` (up to 31) away from any of the stills, of 32 bytes each."""
        found, _, bits = self.pairs(stills, near_bits)
        if not len(found):
            return None
        nearest = int(np.argmin(bits))
        return Close(int(bits[nearest]), int(found[nearest]), len(np.unique(found)))

    def pairs(self, stills: bytes, near_bits: int) -> tuple[Numbers, Numbers, Numbers]:
        """What is at most `near_bits` (up to 31) away from what: places among the stills, places
        among the hashes, and how far. A pair may be there several times."""
        if near_bits > MAX_NEAR_BITS:
            raise ValueError("the index does not reach so far")
        if not stills or not len(self):
            nothing = np.empty(0, np.int64)
            return nothing, nothing, nothing
        return self._within(stills, near_bits)

    def _within(self, stills: bytes, near_bits: int) -> tuple[Numbers, Numbers, Numbers]:
        """Pairs, each once for every word by which it was found."""
        words = np.frombuffer(stills, np.uint16).reshape(-1, WORDS)
        lanes = lanes_of(stills)
        sought = words[:, :, None] ^ _AROUND
        word = np.arange(WORDS)[None, :, None]
        starts = self._starts[word, sought]
        counts = self._starts[word, sought.astype(np.int32) + 1] - starts
        if counts.sum(dtype=np.int64) > len(words) * len(self):
            # A list of which many entries share words: comparing with all of them is less.
            return all_within(lanes, self._lanes, near_bits)
        has_some = np.flatnonzero(counts.ravel())
        counts = counts.ravel()[has_some]
        # Where each run of candidates begins in the flattened order of all words.
        begins = (starts + word * len(self)).ravel()[has_some]
        still = has_some // (WORDS * len(_AROUND))
        ends = np.cumsum(counts, dtype=np.int64)
        found, which, bits = [], [], []
        first = 0
        while first < len(counts):
            before = int(ends[first - 1]) if first else 0
            last = int(np.searchsorted(ends, before + _COMPARED_AT_ONCE, side="left")) + 1
            some = counts[first:last]
            within = np.arange(some.sum()) - np.repeat(np.cumsum(some) - some, some)
            candidates = self._order.ravel()[np.repeat(begins[first:last], some) + within]
            whose = np.repeat(still[first:last], some)
            far = _far(lanes[whose], self._lanes[candidates])
            is_near = far <= near_bits
            found.append(whose[is_near])
            which.append(candidates[is_near].astype(np.int64))
            bits.append(far[is_near])
            first = last
        return _joined(found), _joined(which), _joined(bits)


def lanes_of(hashes: bytes) -> Lanes:
    """Hashes of 32 bytes each, as numbers that can be compared."""
    return np.frombuffer(hashes, np.uint64).reshape(-1, LANES)


def all_within(lanes: Lanes, others: Lanes, near_bits: int) -> tuple[Numbers, Numbers, Numbers]:
    """The same as `Likeness.pairs`, each pair once, by comparing all with all."""
    found, which, bits = [], [], []
    for place, still in enumerate(lanes):
        far = _far(still[None, :], others)
        near = np.flatnonzero(far <= near_bits)
        found.append(np.full(len(near), place, np.int64))
        which.append(near)
        bits.append(far[near])
    return _joined(found), _joined(which), _joined(bits)


def _joined(parts: list[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _far(one: Lanes, other: Lanes) -> Numbers:
    """In how many bits the rows differ."""
    bits: Numbers = np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64)
    return bits
