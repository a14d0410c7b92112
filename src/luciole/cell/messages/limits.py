"""How often a person may do what others have to carry. Each API process counts for itself, in
memory only."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from luciole.kit.errors import TooMany
from luciole.kit.rates import Buckets, Rate

DEVICE = Rate("device", 20, 86_400)
CLAIM = Rate("claim", 200, 3600)
OPEN = Rate("open", 60, 3600)
SEND = Rate("send", 120, 60)
SIGNAL = Rate("signal", 120, 60)
FILE = Rate("file", 60, 3600)
REPORT = Rate("report", 20, 86_400)


class Limits:
    """What is left to each person."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._buckets = Buckets(monotonic)

    def take(self, rate: Rate, person_id: UUID, count: int = 1) -> None:
        """Counts acts of a person. Raises TooMany."""
        for _ in range(count):
            if wait_s := self._buckets.wait_s(rate, str(person_id)):
                raise TooMany(retry_after_s=wait_s)
