"""How often somebody may try to come in. Each API process counts for itself, in memory only."""

from __future__ import annotations

import time
from collections.abc import Callable

from luciole.config import PeopleSettings
from luciole.kit.rates import Buckets, Rate, network


class Limits:
    """The limits of sign-up and sign-in."""

    def __init__(
        self, settings: PeopleSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sign_up = Rate("sign-up", settings.sign_ups_per_hour, 3600)
        self._sign_in = Rate("sign-in", settings.sign_ins_per_minute, 60)
        self._buckets = Buckets(monotonic)

    def sign_up(self, address: str) -> None:
        """Counts a sign-up from a network address. Raises TooMany."""
        self._buckets.take(self._sign_up, network(address))

    def sign_in(self, address: str) -> None:
        """Counts an attempt to get in from a network address. Raises TooMany."""
        self._buckets.take(self._sign_in, network(address))

    def guess(self, handle: str, device: str | None = None) -> None:
        """Counts a password tried on a handle: by a device on which its owner has signed in before,
        else by all the others together, so that these do not keep the owner out. Raises TooMany.
        The right one is counted too, else a full bucket would tell it from the wrong ones."""
        self._buckets.take(self._sign_in, f"@{handle}" if device is None else f"@{handle}/{device}")
