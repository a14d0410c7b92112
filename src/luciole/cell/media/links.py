"""Addresses of files, and the signatures under those of restricted ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Literal
from uuid import UUID

Verdict = Literal["good", "expired", "forged"]

SIGNATURE_BYTES = 16


class Links:
    """Signs with one key. A signature holds for one file, one session and a few minutes."""

    def __init__(self, key: bytes, good_for_s: int, delivery_url: str = "") -> None:
        """`delivery_url`: where files for everybody are fetched from; empty: from the cell."""
        self._key = key
        self._good_for_s = good_for_s
        self._delivery = delivery_url.rstrip("/")

    def url(self, key: str, session_id: UUID | None, now: datetime) -> str:
        """The address of `key`. Without a session a restricted one is of no use to anybody."""
        if key.startswith("p/") and self._delivery and not key.endswith(".m3u8"):
            return f"{self._delivery}/{key}"
        if not key.startswith("r/") or session_id is None:
            return f"/media/{key}"
        expires = int(now.timestamp()) + self._good_for_s
        return f"/media/{key}?exp={expires}&sig={self._sign(key, expires, session_id)}"

    def check(
        self, key: str, expires: int, signature: str, session_id: UUID | None, now: datetime
    ) -> Verdict:
        """Whether a signature is ours, for this file and this session, and when."""
        if session_id is None or not 0 <= expires < 1 << 40:
            return "forged"
        expected = self._sign(key, expires, session_id)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return "forged"
        # Never good for longer than it can have been signed for, whatever the setting was then.
        remaining_s = expires - now.timestamp()
        return "good" if 0 < remaining_s <= self._good_for_s + 1 else "expired"

    def _sign(self, key: str, expires: int, session_id: UUID) -> str:
        text = f"{key}|{expires}|{session_id}".encode()
        digest = hmac.digest(self._key, text, hashlib.sha256)[:SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
