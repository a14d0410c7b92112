"""A large town of people out of a seed: names, follows, clips with captions, likes.

Who is followed and what is liked is skewed as in real networks: the n-th of N is chosen in
proportion to n^-0.8, which gives the first of 1,000,000 people about one follow in sixteen.
`filling` puts it into a cell.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bench.captions import Captions

SKEW = 0.8
MONTHS = 24
DAY = timedelta(days=1)
Numbers = NDArray[np.int64]
PERSON, CLIP, ASSET = 1, 2, 3
#: An id as PostgreSQL takes it.
ID: Any = np.dtype([("high", ">u8"), ("low", ">u8")])


def id_of(kind: int, number: int) -> UUID:
    """The id of the n-th thing of a kind: it begins with the time, as the cell's own do."""
    mixed = (number * 0x9E3779B97F4A7C15 + kind) & ((1 << 62) - 1)
    at = 1_700_000_000_000 + number * 60
    return UUID(int=at << 80 | 7 << 76 | kind << 64 | 2 << 62 | mixed)


def ids_of(kind: int, numbers: Numbers) -> NDArray[Any]:
    """The same of many, as an array of `ID`."""
    found = np.empty(len(numbers), ID)
    plain = numbers.astype(np.uint64)
    found["high"] = (1_700_000_000_000 + plain * 60) << 16 | (7 << 12 | kind)
    found["low"] = (plain * 0x9E3779B97F4A7C15 + kind) & ((1 << 62) - 1) | (2 << 62)
    return found


class Skewed:
    """Draws 0 … n-1, the first the most often."""

    def __init__(self, n: int) -> None:
        self._n = n

    def draw(self, dice: random.Random) -> int:
        # The inverse of the cumulative share x^(1 - SKEW).
        return min(self._n - 1, int(self._n * dice.random() ** (1 / (1 - SKEW))))

    def many(self, dice: np.random.Generator, count: int) -> Numbers:
        """The same, so many times."""
        drawn = self._n * dice.random(count) ** (1 / (1 - SKEW))
        return np.minimum(drawn.astype(np.int64), self._n - 1)


def pairs(seed: int, count: int, first: int, second: int, kind: int) -> tuple[Numbers, Numbers]:
    """Who follows whom (kind PERSON), or who likes what (kind CLIP), in the order in which they
    came to do so: each pair once."""
    dice = np.random.default_rng(seed)
    known = Skewed(second)
    keys = np.empty(0, np.int64)
    while len(keys) < count:
        more = (count - len(keys)) * 5 // 4 + 16
        one, other = dice.integers(first, size=more), known.many(dice, more)
        drawn = one * second + other
        keys = np.concatenate([keys, drawn[one != other] if kind == PERSON else drawn])
        _, places = np.unique(keys, return_index=True)
        keys = keys[np.sort(places)]
    return keys[:count] // second, keys[:count] % second


def people(seed: int, first: int, last: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of people.person for people `first` … `last - 1`."""
    words = Captions(seed)
    words.shuffle(seed + first)
    for number in range(first, last):
        name = f"{words.word('fr').title()} {words.word('es').title()}"[:50]
        yield (
            id_of(PERSON, number), f"townsman{number}", name, "", None, "en", "18+", False,
            now - DAY * 700,
        )  # fmt: skip


def clips(
    seed: int, first: int, last: int, of: int, authors: Numbers, likes: Numbers, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Rows of clips.clip for clips `first` … `last - 1` of so many, the oldest first. `authors` and
    `likes` are those of these clips."""
    drawn = Captions(seed)
    drawn.shuffle(seed + first)
    whose, liked = authors.tolist(), likes.tolist()
    for number in range(first, last):
        caption = drawn.draw(number * MONTHS // of)
        at = now - DAY * 30 * MONTHS * (of - number) / of
        yield (
            id_of(CLIP, number), id_of(PERSON, whose[number - first]), id_of(ASSET, number),
            caption.text[:2200], caption.hashtags, "everyone", "published",
            liked[number - first], at, at,
        )  # fmt: skip
