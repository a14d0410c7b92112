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
    """A time-ordered id: 48 bits of Unix milliseconds, 12 bits of the time within the millisecond
    (section 6.2, method 3), then 62 random bits."""
    milliseconds, within = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    # What one process makes within a millisecond is in the order in which it was made.
    value |= (within << 12) // 1_000_000 << 64
    value |= 0b10 << 62
    value |= int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=value)


def new_token(size_bytes: int = 16) -> str:
    """An unguessable URL-safe name (128 bits by default)."""
    return secrets.token_urlsafe(size_bytes)
