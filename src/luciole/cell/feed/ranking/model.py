"""What goes into ranking and what comes out of it."""

from __future__ import annotations

import enum
from typing import Literal
from uuid import UUID

import msgspec

Mode = Literal["public", "learning"]

SKIP_BELOW_MS = 2_000
"""A clip left before this long, and before half of it had run, was skipped."""


class Signal(enum.IntEnum):
    """What may happen to a clip in a slot of a page. Numbers are kept in the log: never reused."""

    SHOWN = 0
    WATCHED = 1
    REPLAYED = 2
    LIKED = 3
    COMMENTED = 4
    SHARED = 5
    FOLLOWED = 6
    NOT_INTERESTED = 7
    HID_AUTHOR = 8
    HID_HASHTAG = 9
    HID_SOUND = 10
    REPORTED = 11


class Source(enum.IntEnum):
    """Why a clip was a candidate. Numbers are kept in the log: never reused."""

    FOLLOWED = 0
    WATCHED_NEXT = 1
    NEIGHBOUR = 2
    TRENDING = 3
    FRESH = 4
    FLOOR = 5
    REST = 6
    KNOWN = 7


class Clip(msgspec.Struct, frozen=True):
    """What ranking may know of a clip; everything of it is public. Times in seconds (Unix)."""

    id: UUID
    author_id: UUID
    hashtags: tuple[str, ...]
    caption: str
    sound_id: UUID | None
    duration_ms: int
    published_at: float


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One row of the event log, in the order of the log.

    `session` is random and lives 24 hours; `features` are the little-endian float16 numbers by
    which the slot was scored; `trust` says how much the account behind the session may weigh
    (0 to 1), and `sign` is -1 where an erased person's event is taken back.
    """

    at: float
    session: UUID
    clip: UUID
    signal: Signal
    value: int
    """Milliseconds in view for WATCHED, else 0."""
    loops: int
    source: Source
    features: bytes
    trust: float
    sign: int = 1


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A term of a score: the public name of what it is about, and what it adds."""

    name: str
    adds: float


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A place of a page: the clip, why it was a candidate, and what its score is made of.

    `parts` add up to the score by which the slot was drawn; `propensity` is the chance that this
    clip was drawn here, given the slots above.
    """

    clip: UUID
    source: Source
    because: str
    """What the source went by: a hashtag, the id of a clip watched or of an author, else empty."""
    parts: tuple[Part, ...]
    features: bytes
    propensity: float
