"""How often somebody may do something, in memory only: who it was never reaches a disk.

Token buckets, keyed by HMAC under a key that is drawn at the start of the process, so that not
even a memory dump lists whom they are about. Each process counts for itself.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from luciole.kit.errors import TooMany

MAX_BUCKETS = 50_000


class Rate:
    """`count` acts, refilled evenly over `per_s` seconds."""

    __slots__ = ("count", "name", "per_s")

    def __init__(self, name: str, count: int, per_s: float) -> None:
        self.name = name
        self.count = count
        self.per_s = per_s


class Rates:
    """The buckets of one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        # Bucket → tokens left and when that was so; the longest untouched first.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, rate: Rate, whom: str) -> None:
        """Counts an act of somebody. Raises TooMany, which says when there is room again."""
        now = self._monotonic()
        bucket = hmac.digest(self._key, f"{rate.name}\0{whom}".encode(), hashlib.sha256)
        left, since = self._buckets.pop(bucket, (float(rate.count), now))
        left = min(rate.count, left + (now - since) * rate.count / rate.per_s)
        refused = left < 1
        self._buckets[bucket] = (left if refused else left - 1, now)
        # An attacker with many names pushes out the oldest buckets; memory stays bounded.
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if refused:
            wait_s = math.ceil((1 - left) * rate.per_s / rate.count)
            raise TooMany(retry_after_s=max(1, wait_s))
