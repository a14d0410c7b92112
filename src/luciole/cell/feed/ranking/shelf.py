"""Clips as ranking knows them: rows of arrays, and lists of clips by what they have in common."""

from __future__ import annotations

import re
import zlib
from array import array
from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from .model import Clip
from .order import Bools, Ints, Ordered, distinct, grown
from .packed import CLIP_COLUMNS, Clips, Packed, numbers_of, wide

TOPICS = 8
WORD = re.compile(r"[^\W\d_]{4,24}")
NOBODY = 0
"""Stands in place of the number of a clip that was forgotten."""
HASH_BITS = 22
HASH_MASK = (1 << HASH_BITS) - 1
CHANCE = (1 << 62) - 1
"""The low bits of a UUIDv7, which are random."""
AGE_STEPS = 100
"""Ages are told apart by hundredths of a second."""


def key_of(kind: str, name: str) -> int:
    """32 bits that stand for an author, a topic or a sound, the same in each process."""
    return zlib.crc32(f"{kind}:{name}".encode()) or 1


class Names:
    """Numbers for things of one kind with names, and for each number the clips that have it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.numbers: dict[str, int] = {}
        self.names: list[str] = []
        self.clips: list[array[int]] = []
        self.by_key: dict[int, int] = {}
        self._keys: array[int] = array("I")
        self.sizes: NDArray[np.int32] = np.zeros(64, np.int32)

    def number(self, name: str) -> int:
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = len(self.names)
            self.names.append(name)
            self.clips.append(array("I"))
            key = key_of(self.kind, name)
            self._keys.append(key)
            self.by_key.setdefault(key, found)
        return found

    def list(self, number: int, row: int, key: Callable[[int], tuple[float, int]]) -> None:
        """A clip has the name now; lists are in the order of their clips' keys."""
        rows = self.clips[number]
        if rows and key(rows[-1]) > key(row):
            insort(rows, row, key=key)
        else:
            rows.append(row)
        if number >= len(self.sizes):
            self.sizes = grown(self.sizes, number + 1)
        self.sizes[number] += 1

    def list_all(self, numbers: NDArray[Any], rows: Ints) -> None:
        """Clips, in the order of their keys, have these names, where none has any yet; -1 is
        none."""
        has = numbers >= 0
        numbers, rows = numbers[has], rows[has].astype(np.uint32)
        by_name = np.argsort(numbers, kind="stable")
        packed = rows[by_name].tobytes()
        sizes = np.bincount(numbers, minlength=len(self.names))
        ends = np.cumsum(sizes) * rows.itemsize
        start = 0
        for number, end in enumerate(ends.tolist()):
            if start < end:
                self.clips[number].frombytes(packed[start:end])
            start = end
        self.sizes = grown(sizes.astype(np.int32), 64)

    def unlist(self, number: int, row: int) -> None:
        """A clip has it no more."""
        self.clips[number].remove(row)
        self.sizes[number] -= 1

    def latest(self, number: int, most: int) -> Ints:
        """Rows of the youngest clips under a number."""
        return np.array(self.clips[number][-most:], np.int64)

    def keys(self, numbers: NDArray[Any]) -> NDArray[np.uint32]:
        """Keys of numbers; 0 for -1."""
        if not self.names:
            return np.zeros(numbers.shape, np.uint32)
        found: NDArray[np.uint32] = np.where(
            numbers >= 0, np.frombuffer(self._keys, np.uint32)[numbers], 0
        )
        return found


def topics_of(clip: Clip) -> list[str]:
    """Hashtags (`#cats`) in their order, then the longest words of the caption; at most TOPICS."""
    return topics_in(clip.hashtags, clip.caption)


def topics_in(hashtags: Iterable[str], caption: str) -> list[str]:
    """The same of what a clip says."""
    found = dict.fromkeys(f"#{tag.lower()}" for tag in hashtags)
    words = sorted(set(WORD.findall(caption.lower())), key=lambda word: (-len(word), word))
    plain = [word for word in words if f"#{word}" not in found]
    tags = list(found)[: TOPICS - 2] if plain else list(found)[:TOPICS]
    return [*tags, *plain[: TOPICS - len(tags)]]


def age_key(published_at: float, number: int = 0) -> int:
    """A key for Ordered: younger clips first, ties broken by a clip's random bits."""
    return (round(published_at * AGE_STEPS) << HASH_BITS) | (number & HASH_MASK)


class Shelf:
    """All clips that were put. Rows are never used again; `alive` says which count."""

    def __init__(self) -> None:
        self.size = 0
        self.count = 0
        """How many of the rows count."""
        self.rows: dict[int, int] = {}
        self.numbers: list[int] = []
        self.alive: Bools = np.zeros(64, np.bool_)
        self.author: NDArray[np.int32] = np.zeros(64, np.int32)
        self.sound: NDArray[np.int32] = np.zeros(64, np.int32)
        self.topics: NDArray[np.int32] = np.zeros((64, TOPICS), np.int32)
        self.duration_ms: NDArray[np.int64] = np.zeros(64, np.int64)
        self.published_at: NDArray[np.float64] = np.zeros(64, np.float64)
        self.hashes: Ints = np.zeros(64, np.int64)
        self.authors, self.sounds = Names("author"), Names("sound")
        self.topic_names = Names("topic")
        self._by_age, self._by_chance = Ordered(), Ordered()
        self._unplaced: list[int] = []

    @property
    def by_age(self) -> Ordered:
        """Rows, the youngest first; keys are of `age_key`."""
        self._place()
        return self._by_age

    @property
    def by_chance(self) -> Ordered:
        """Rows in the order of their random bits."""
        self._place()
        return self._by_chance

    def _place(self) -> None:
        if self._unplaced:
            rows = distinct(np.array(self._unplaced, np.int64), self.size)
            self._unplaced = []
            hashes = self.hashes[rows]
            age = np.rint(self.published_at[rows] * AGE_STEPS).astype(np.int64)
            self._by_age.set(rows, (age << HASH_BITS) | (hashes & HASH_MASK))
            self._by_chance.set(rows, hashes)

    def id_of(self, row: int) -> UUID:
        return UUID(int=self.numbers[row])

    def put(self, clip: Clip) -> int | None:
        """Takes in a clip that is new or changed; its row, or None where nothing changed.

        Author and sound are kept as text; missing sounds and unused places for topics are -1.
        """
        author = self.authors.number(str(clip.author_id))
        sound = -1 if clip.sound_id is None else self.sounds.number(str(clip.sound_id))
        topics = [self.topic_names.number(name) for name in topics_of(clip)]
        topics += [-1] * (TOPICS - len(topics))
        number = clip.id.int
        row = self.rows.get(number)
        if row is None:
            row = self._new_row(number)
        else:
            if (
                self.alive[row]
                and self.author[row] == author
                and self.sound[row] == sound
                and self.topics[row].tolist() == topics
                and self.duration_ms[row] == clip.duration_ms
                and self.published_at[row] == clip.published_at
            ):
                return None
            if self.alive[row]:
                self._unlist(row)
                self.count -= 1
        self.count += 1
        self.author[row], self.sound[row], self.topics[row] = author, sound, topics
        self.duration_ms[row] = clip.duration_ms
        self.published_at[row] = clip.published_at
        self.alive[row] = True
        self._list(row)
        self._unplaced.append(row)
        return row

    def fill(self, clips: Clips) -> None:
        """Takes in all clips at once, where there are none yet: the same as putting each in this
        order. Raises ValueError where there are some."""
        if self.size:
            raise ValueError("a shelf that has clips already cannot be filled")
        self.numbers = numbers_of(clips.ids)
        self.size = len(self.numbers)
        for name, packed in zip(CLIP_COLUMNS, clips.columns, strict=True):
            setattr(self, name, packed.array())
        for names, given in (
            (self.authors, clips.authors),
            (self.sounds, clips.sounds),
            (self.topic_names, clips.topics),
        ):
            for each in given:
                names.number(each)
        ids = np.frombuffer(clips.ids, ">u8").reshape(-1, 2)
        self.hashes = (ids[:, 1] & CHANCE).astype(np.int64)
        self.rows = {number: row for row, number in enumerate(self.numbers) if number != NOBODY}
        self.count = int(self.alive[: self.size].sum())
        self._unplaced = list(range(self.size))
        # Lists are in the order of `_age`.
        rows = np.lexsort((ids[:, 1], ids[:, 0], self.published_at[: self.size]))
        rows = rows[self.alive[rows]]
        self.authors.list_all(self.author[rows], rows)
        self.sounds.list_all(self.sound[rows], rows)
        topics = self.topics[rows]
        self.topic_names.list_all(topics.ravel(), np.repeat(rows, topics.shape[1]))

    def packed(self) -> Clips:
        """All rows, for `fill`."""
        return Clips(
            wide(self.numbers),
            [Packed.of(getattr(self, name)[: self.size]) for name in CLIP_COLUMNS],
            self.authors.names,
            self.sounds.names,
            self.topic_names.names,
        )

    def _new_row(self, number: int) -> int:
        row = self.size
        self.size += 1
        if self.size > len(self.alive):
            for name in (
                "alive", "author", "sound", "topics", "duration_ms", "published_at", "hashes",
            ):  # fmt: skip
                setattr(self, name, grown(getattr(self, name), self.size))
        self.rows[number] = row
        self.numbers.append(number)
        self.hashes[row] = number & CHANCE
        return row

    def _age(self, row: int) -> tuple[float, int]:
        return float(self.published_at[row]), self.numbers[row]

    def _list(self, row: int) -> None:
        self.authors.list(int(self.author[row]), row, self._age)
        if self.sound[row] >= 0:
            self.sounds.list(int(self.sound[row]), row, self._age)
        for topic in self.topics[row].tolist():
            if topic >= 0:
                self.topic_names.list(topic, row, self._age)

    def _unlist(self, row: int) -> None:
        self.authors.unlist(int(self.author[row]), row)
        if self.sound[row] >= 0:
            self.sounds.unlist(int(self.sound[row]), row)
        for topic in self.topics[row].tolist():
            if topic >= 0:
                self.topic_names.unlist(topic, row)

    def rarity(self, topics: NDArray[np.int32]) -> NDArray[np.float64]:
        """From 0 (every clip has the topic) to 1 (one has); 0 for -1."""
        if not self.topic_names.names:
            return np.zeros(topics.shape)
        many = np.log1p(self.count)
        size = np.log(np.maximum(self.topic_names.sizes[topics], 1))
        found: NDArray[np.float64] = np.where(topics >= 0, np.maximum(1 - size / many, 0), 0)
        return found

    def drop(self, clip_id: UUID) -> None:
        """The clip counts no more. Nothing happens where it is unknown."""
        row = self.rows.get(clip_id.int)
        if row is not None and self.alive[row]:
            self._unlist(row)
            self.alive[row] = False
            self.count -= 1

    def forget(self, clip_id: UUID) -> None:
        """Drops the clip and its id: what follows is of a clip that nobody knows."""
        self.drop(clip_id)
        row = self.rows.pop(clip_id.int, None)
        if row is not None:
            self.numbers[row] = NOBODY

    def allowed(self, without: list[int]) -> Bools:
        """One truth per row: alive, and not among the numbers of clips that are left out."""
        mask = self.alive[: self.size].copy()
        rows = [row for row in map(self.rows.get, without) if row is not None]
        mask[rows] = False
        return mask

    def rows_of(self, ids: list[UUID]) -> Ints:
        """Rows of the clips that are known and alive, in the order given."""
        found = [self.rows.get(each.int, -1) for each in ids]
        rows = np.array([row for row in found if row >= 0], np.int64)
        return rows[self.alive[rows]]
