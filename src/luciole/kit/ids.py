"""Identifiers: UUIDv7 (RFC 9562, section 5.7), so that rows made together lie together.

Made here rather than by the database, because PostgreSQL 15 has no uuidv7().
"""

from __future__ import annotations

import os
import secrets
import time
from uuid import UUID

# No id is above it: the place before the first of a list that begins with the newest.
LAST_ID = UUID(int=2**128 - 1)
# And none below this one.
FIRST_ID = UUID(int=0)


def new_id() -> UUID:
    """A time-ordered id: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    value |= (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62
    value |= random & 0x3FFFFFFFFFFFFFFF
    return UUID(int=value)


def new_token(size_bytes: int = 16) -> str:
    """An unguessable URL-safe name (128 bits by default)."""
    return secrets.token_urlsafe(size_bytes)
