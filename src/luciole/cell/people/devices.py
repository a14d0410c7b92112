"""A mark in the browser of who has signed in there before, so that strangers who guess at a handle
do not keep its owner out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

A mark is `random ‖ "." ‖ base64url(mac)`, where the mac is HMAC-SHA256(key, random ‖ 0 ‖ handle).
It lets nobody in and names nobody. The cell keeps none; another handle needs another mark, which
the next sign-in gives.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

RANDOM_BYTES = 16
MAX_CHARS = 128


class Devices:
    """Makes and checks marks under one key of the cell."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mark(self, handle: str) -> str:
        """A new mark for the browser on which the owner of `handle` has just proved to be it."""
        random = secrets.token_urlsafe(RANDOM_BYTES)
        return f"{random}.{self._mac(random, handle)}"

    def known(self, mark: str | None, handle: str) -> str | None:
        """A name for the device that sent this mark, or None where it is not one for `handle`."""
        if not mark or len(mark) > MAX_CHARS:
            return None
        random, _, mac = mark.partition(".")
        expected = self._mac(random, handle)
        is_ours = hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode())
        return random if is_ours else None

    def _mac(self, random: str, handle: str) -> str:
        text = f"{random}\0{handle}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, text, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
