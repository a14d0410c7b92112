"""How often somebody may try, in memory only: nothing about a network address reaches a disk.

Token buckets, keyed by HMAC under a key that is drawn at the start of the process, so that not
even a memory dump lists addresses. Each API process counts for itself.
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

from luciole.config import PeopleSettings
from luciole.kit.errors import TooMany

MAX_BUCKETS = 50_000


class Rate:
    """`count` acts, refilled evenly over `per_s` seconds."""

    __slots__ = ("count", "name", "per_s")

    def __init__(self, name: str, count: int, per_s: float) -> None:
        self.name = name
        self.count = count
        self.per_s = per_s


class Limits:
    """The limits of sign-up and sign-in."""

    def __init__(
        self, settings: PeopleSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sign_up = Rate("sign-up", settings.sign_ups_per_hour, 3600)
        self._sign_in = Rate("sign-in", settings.sign_ins_per_minute, 60)
        self._monotonic = monotonic
        self._key = secrets.token_bytes(32)
        # Bucket → tokens left and when that was so; the longest untouched first.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def sign_up(self, address: str) -> None:
        """Counts a sign-up from a network address. Raises TooMany."""
        self._take(self._sign_up, _network(address))

    def sign_in(self, address: str) -> None:
        """Counts an attempt to get in from a network address. Raises TooMany."""
        self._take(self._sign_in, _network(address))

    def guess(self, handle: str, device: str | None = None) -> None:
        """Counts a password tried on a handle: by a device on which its owner has signed in before,
        else by all the others together, so that these do not keep the owner out. Raises TooMany.
        The right one is counted too, else a full bucket would tell it from the wrong ones."""
        self._take(self._sign_in, f"@{handle}" if device is None else f"@{handle}/{device}")

    def _take(self, rate: Rate, whom: str) -> None:
        now = self._monotonic()
        bucket = hmac.digest(self._key, f"{rate.name}\0{whom}".encode(), hashlib.sha256)
        left, since = self._buckets.pop(bucket, (float(rate.count), now))
        left = min(rate.count, left + (now - since) * rate.count / rate.per_s)
        refused = left < 1
        self._buckets[bucket] = (left if refused else left - 1, now)
        # An attacker with many addresses pushes out the oldest buckets; memory stays bounded.
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if refused:
            wait_s = math.ceil((1 - left) * rate.per_s / rate.count)
            raise TooMany(retry_after_s=max(1, wait_s))


def _network(address: str) -> str:
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
