"""What may be kept in memory for a short time, and no longer: a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from luciole.kit.clock import Clock

K = TypeVar("K")
V = TypeVar("V")


class Warm(Generic[K, V]):
    """At most `most` values, each for `life` after it was put, however often it is read."""

    def __init__(self, clock: Clock, life: timedelta, most: int) -> None:
        self._clock = clock
        self._life = life
        self._most = most
        self._held: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        found = self._held.get(key)
        if found is None:
            return None
        if found[0] <= self._clock.now():
            del self._held[key]
            return None
        return found[1]

    def put(self, key: K, value: V) -> None:
        self._held[key] = (self._clock.now() + self._life, value)
        self._held.move_to_end(key)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def drop(self, key: K) -> None:
        self._held.pop(key, None)

    def drop_where(self, is_meant: Callable[[V], bool]) -> None:
        for key in [key for key, (_, value) in self._held.items() if is_meant(value)]:
            del self._held[key]
