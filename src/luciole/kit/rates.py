"""How often somebody may do something, in memory only: nothing of a network address reaches a disk.

Token buckets, keyed by HMAC under a key that is drawn at the start of the process, so that not
even a memory dump lists addresses. Each process counts for itself.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from luciole.kit.errors import TooMany

MAX_BUCKETS = 50_000


class Rate:
    """`count` acts, refilled evenly over `per_s` seconds."""

    __slots__ = ("count", "name", "per_s")

    def __init__(self, name: str, count: int, per_s: float) -> None:
        self.name = name
        self.count = count
        self.per_s = per_s


class Buckets:
    """The acts that are left to each who acts."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        # Bucket → tokens left and when that was so; the longest untouched first.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait_s(self, rate: Rate, whom: str, acts: int = 1) -> int:
        """Takes so many acts; gives 0, or, where fewer were left, the seconds until there are."""
        if not rate.count:
            return math.ceil(rate.per_s)
        now = self._monotonic()
        bucket = hmac.digest(self._key, f"{rate.name}\0{whom}".encode(), hashlib.sha256)
        left, since = self._buckets.pop(bucket, (float(rate.count), now))
        left = min(rate.count, left + (now - since) * rate.count / rate.per_s)
        refused = left < acts
        self._buckets[bucket] = (left if refused else left - acts, now)
        # An attacker with many addresses pushes out the oldest buckets; memory stays bounded.
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return max(1, math.ceil((acts - left) * rate.per_s / rate.count)) if refused else 0

    def take(
        self, rate: Rate, whom: str, acts: int = 1, *, refusal: type[TooMany] = TooMany
    ) -> None:
        """Takes so many acts. Raises `refusal`, which says when there are as many again."""
        wait_s = self.wait_s(rate, whom, acts)
        if wait_s:
            raise refusal(retry_after_s=wait_s)

    def __len__(self) -> int:
        return len(self._buckets)


def network(address: str) -> str:
    """Who shares a limit: one IPv4 address, or the /64 that a household has in IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return parsed.packed[:8].hex()
    return str(parsed)
