"""How often a person may do what others have to carry, in memory only. Each API process counts for
itself."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from luciole.kit.errors import TooMany

MAX_BUCKETS = 50_000


class Rate(NamedTuple):
    """`most` acts, refilled evenly over `per_s` seconds."""

    name: str
    most: int
    per_s: int


DEVICE = Rate("device", 20, 86_400)
CLAIM = Rate("claim", 200, 3600)
OPEN = Rate("open", 60, 3600)
SEND = Rate("send", 120, 60)
SIGNAL = Rate("signal", 120, 60)
FILE = Rate("file", 60, 3600)
REPORT = Rate("report", 20, 86_400)


class Limits:
    """Token buckets by person; the longest untouched goes when there are too many."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, UUID], tuple[float, float]] = OrderedDict()

    def take(self, rate: Rate, person_id: UUID, count: int = 1) -> None:
        """Counts acts of a person. Raises TooMany."""
        now = self._monotonic()
        key = (rate.name, person_id)
        left, since = self._buckets.pop(key, (float(rate.most), now))
        left = min(rate.most, left + (now - since) * rate.most / rate.per_s)
        is_refused = left < count
        self._buckets[key] = (left if is_refused else left - count, now)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if is_refused:
            wait_s = math.ceil((count - left) * rate.per_s / rate.most)
            raise TooMany(retry_after_s=max(1, wait_s))
