"""Whether there is room to keep another page of For You, with the walk that it belongs to.

A kept page can be given again, explained, recomputed and reported on. It takes about 15 kB for a
day, and anybody may ask for one; so beyond these limits pages are drawn and not kept. Who watches
notices only that such a page has no "Why this clip?" and teaches the feed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from luciole.cell.feed.pages import Asker
from luciole.config import FeedSettings
from luciole.kit.metrics import Counter
from luciole.kit.rates import Buckets, Rate, network

not_kept = Counter("luciole_feed_pages_not_kept", "Pages of For You beyond the limits.")


class Room:
    """Counts the pages of this process that are kept."""

    def __init__(
        self, settings: FeedSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._each = Rate("each", settings.pages_per_hour, 3600)
        self._visitors = Rate("visitors", settings.visitor_pages_per_day, 86_400)
        self._buckets = Buckets(monotonic)

    def take(self, asker: Asker) -> bool:
        """Takes room for one page; False where there is none left. An account has room of its own,
        visitors share that of their network address and that of all visitors."""
        is_visitor = asker.person_id is None
        whom = network(asker.address) if is_visitor else str(asker.person_id)
        has_room = not self._buckets.wait_s(self._each, whom)
        if has_room and is_visitor:
            has_room = not self._buckets.wait_s(self._visitors, "")
        if not has_room:
            not_kept.inc()
        return has_room
