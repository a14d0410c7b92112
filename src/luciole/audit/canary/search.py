"""Finds any of a hundred thousand byte strings in gigabytes, by numpy.

Every occurrence of a string of at least 15 bytes holds a whole word of 8 bytes that begins at a
multiple of 8, wherever the occurrence begins. So the words at all 8 offsets of each pattern go into
a table, and only the words at multiples of 8 of the text are looked up: one look for 8 bytes.
Shorter patterns (7 to 14 bytes) do the same with words of 4. Hits of the table are then compared
in full, so nothing is found that is not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

SHORTEST_BYTES = 7
CHUNK_BYTES = 8 * 1024 * 1024
# Any odd number with well-mixed bits; the top bits of the product choose the place in the table.
MIX = 0x9E37_79B9_7F4A_7C15
TABLE_BITS = 24


class Hit(NamedTuple):
    """Pattern number `pattern` begins at byte `at`."""

    pattern: int
    at: int


class _Words:
    """The patterns of one length class, by the words in them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._patterns: dict[int, bytes] = {}
        self._found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._table: Any = None

    def add(self, number: int, pattern: bytes) -> None:
        self._patterns[number] = pattern
        for offset in range(self._size):
            word = int.from_bytes(pattern[offset : offset + self._size], "little")
            self._found[word].append((number, offset))

    def seal(self) -> None:
        self._table = np.zeros(1 << TABLE_BITS, dtype=np.bool_)
        words = np.fromiter(self._found, dtype=np.uint64, count=len(self._found))
        self._table[_places(words)] = True
        self._sorted = np.sort(words)

    def hits(self, text: bytes) -> Iterator[Hit]:
        if not self._patterns:
            return
        whole = len(text) - len(text) % self._size
        kind = np.dtype(f"<u{self._size}")
        words = np.frombuffer(text, dtype=kind, count=whole // self._size).astype(np.uint64)
        likely = np.flatnonzero(self._table[_places(words)])
        if not len(likely):
            return
        near = np.searchsorted(self._sorted, words[likely])
        near[near == len(self._sorted)] = 0
        for index in likely[self._sorted[near] == words[likely]]:
            for number, offset in self._found[int(words[index])]:
                start = int(index) * self._size - offset
                if start >= 0 and text.startswith(self._patterns[number], start):
                    yield Hit(number, start)


def _places(words: Any) -> Any:
    """Where each word lies in the table."""
    return (words * np.uint64(MIX)) >> np.uint64(64 - TABLE_BITS)


class Search:
    """All patterns at once. Build it once, then `hits` any number of texts."""

    def __init__(self, patterns: Iterable[bytes]) -> None:
        """Patterns have numbers from 0 in their order. Raises ValueError for one that is too short
        to be a finding rather than chance."""
        self._long, self._short = _Words(8), _Words(4)
        self.longest = 0
        for number, pattern in enumerate(patterns):
            if len(pattern) < SHORTEST_BYTES:
                raise ValueError(f"a pattern of {len(pattern)} bytes would be found by chance")
            (self._long if len(pattern) >= 15 else self._short).add(number, pattern)
            self.longest = max(self.longest, len(pattern))
        self._long.seal()
        self._short.seal()

    def hits(self, text: bytes) -> Iterator[Hit]:
        """Every occurrence, in pieces so that memory stays bounded. Each is told once."""
        step = CHUNK_BYTES
        for start in range(0, max(len(text), 1), step):
            # The overlap holds whatever begins in this piece and ends in the next.
            piece = text[start : start + step + self.longest]
            for words in (self._long, self._short):
                for hit in words.hits(piece):
                    if hit.at < step:
                        yield Hit(hit.pattern, start + hit.at)
