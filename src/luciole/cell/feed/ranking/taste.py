"""What one person who opted in seems to like; made of that person's own events only."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .counting import GOOD_LEVEL, Grades
from .model import Clip, Event, Signal
from .shelf import key_of, topics_of
from .weights import LEVELS, Weights, published

LIKES = 160
"""Authors, topics and sounds that are kept, those of the strongest feeling."""
SEEN = 320
"""Clips that are remembered as seen, the last ones."""
BUCKETS = 8
DAY_S = 86_400.0
_FEELING = {
    Signal.REPLAYED: 0.5, Signal.LIKED: 1.5, Signal.COMMENTED: 1.0, Signal.SHARED: 1.5,
    Signal.FOLLOWED: 2.0, Signal.NOT_INTERESTED: -2.0, Signal.HID_AUTHOR: -6.0,
    Signal.HID_HASHTAG: -2.0, Signal.HID_SOUND: -2.0, Signal.REPORTED: -3.0,
}  # fmt: skip


def keys_of(clip: Clip) -> tuple[int, list[int], int]:
    """Keys of a clip's author, topics and sound (0 where it has none)."""
    sound = 0 if clip.sound_id is None else key_of("sound", str(clip.sound_id))
    topics = [key_of("topic", name) for name in topics_of(clip)]
    return key_of("author", str(clip.author_id)), topics, sound


class Taste:
    """A new person's taste; `apply` folds in that person's events in their order. At most 4 kB.

    Feelings fade by half in the published time. A person's usual grade of a watch is kept, so
    that what counts is what they watched better than they usually do.
    """

    __slots__ = ("_at", "_filled", "_keys", "_lengths", "_seen", "_seen_at", "_values")

    def __init__(self) -> None:
        self._keys: NDArray[np.uint32] = np.zeros(LIKES, np.uint32)
        self._values: NDArray[np.float32] = np.zeros(LIKES, np.float32)
        self._lengths: NDArray[np.float32] = np.zeros((BUCKETS, 2), np.float32)
        self._seen: NDArray[np.uint32] = np.zeros(SEEN, np.uint32)
        self._seen_at = 0
        self._at = 0.0
        self._filled = 0

    @property
    def is_new(self) -> bool:
        return self._at == 0.0

    def apply(self, event: Event, clip: Clip, weights: Weights | None = None) -> None:
        """Takes one event of the person, about this clip."""
        weights = weights or published()
        if self._at and event.at > self._at:
            fade = 0.5 ** ((event.at - self._at) / (weights.taste_half_life_days * DAY_S))
            self._values *= np.float32(fade)
            self._lengths *= np.float32(fade)
        self._at = max(self._at, event.at)
        if event.signal == Signal.SHOWN:
            self._seen[self._seen_at % SEEN] = clip.id.int & 0xFFFFFFFF
            self._seen_at += 1
            return
        if event.signal == Signal.WATCHED:
            feeling = self._watched(event, clip, weights)
        else:
            feeling = _FEELING[event.signal]
        feeling *= event.sign
        author, topics, sound = keys_of(clip)
        if event.signal == Signal.HID_SOUND:
            self._feel([sound] if sound else [], [feeling] if sound else [])
            return
        keys, feelings = [author], [feeling]
        for key in topics:
            keys.append(key)
            feelings.append(feeling / max(len(topics), 1) ** 0.5)
        if sound:
            keys.append(sound)
            feelings.append(feeling * 0.5)
        self._feel(keys, feelings)

    def _watched(self, event: Event, clip: Clip, weights: Weights) -> float:
        grades = _grades(weights)
        duration = np.array([clip.duration_ms])
        level = int(grades.level(duration, np.array([event.value]))[0])
        bucket = int(grades.bucket(duration)[0])
        total, count = (float(each) for each in self._lengths.sum(axis=0))
        usual = (total + 0.5 * 4) / (count + 4)
        self._lengths[bucket] += (level / LEVELS, 1)
        return level / LEVELS - usual + (0.1 if level >= GOOD_LEVEL else 0)

    def _feel(self, keys: list[int], feelings: list[float]) -> None:
        for key, feeling in zip(keys, feelings, strict=True):
            found = np.flatnonzero(self._keys[: self._filled] == key)
            if len(found):
                place = int(found[0])
            elif self._filled < LIKES:
                place = self._filled
                self._filled += 1
                self._keys[place], self._values[place] = key, 0
            else:
                # The weakest feeling gives way.
                place = int(np.argmin(np.abs(self._values)))
                self._keys[place], self._values[place] = key, 0
            self._values[place] += np.float32(feeling)

    def feelings(self, keys: NDArray[Any]) -> NDArray[np.float64]:
        """What is felt for each key, 0 where nothing is; the shape of `keys` stays."""
        if not self._filled:
            return np.zeros(keys.shape)
        known = self._keys[: self._filled]
        order = np.argsort(known)
        place = np.searchsorted(known[order], keys)
        place = order[np.minimum(place, len(order) - 1)]
        felt: NDArray[np.float64] = np.where(known[place] == keys, self._values[place], 0.0)
        return felt.astype(np.float64)

    def lengths(self) -> NDArray[np.float64]:
        """Shape (8,): the person's mean grade of watches in each bucket of lengths, less that
        over all, drawn to 0 where there are few."""
        total, count = self._lengths.sum(axis=0).astype(np.float64)
        usual = (total + 2) / (count + 4)
        sums, counts = self._lengths.astype(np.float64).T
        return np.asarray((sums - usual * counts) / (counts + 5), np.float64)

    def has_seen(self, numbers: list[int]) -> NDArray[np.bool_]:
        """Which of the clips (ids as whole numbers) are remembered as seen."""
        low = np.array([number & 0xFFFFFFFF for number in numbers], np.uint32)
        return np.isin(low, self._seen[: min(self._seen_at, SEEN)])

    def liked(self, most: int) -> set[int]:
        """Keys of the strongest likings."""
        values = self._values[: self._filled]
        best = np.argsort(-values, kind="stable")[:most]
        return {int(self._keys[place]) for place in best if values[place] > 0}

    def dump(self) -> bytes:
        """All of it as bytes; equal tastes give equal bytes."""
        return msgspec.msgpack.encode(
            [self._at, self._seen_at, self._filled, self._keys.tobytes(), self._values.tobytes(),
             self._lengths.tobytes(), self._seen.tobytes()]
        )  # fmt: skip


_GRADES: dict[int, Grades] = {}


def _grades(weights: Weights) -> Grades:
    if weights.version not in _GRADES:
        _GRADES[weights.version] = Grades(weights)
    return _GRADES[weights.version]
