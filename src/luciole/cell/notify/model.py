"""What people are told and when, and how it looks on its way to the open page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

import msgspec

NotificationKind = Literal[
    "like",
    "follow",
    "follow-request",
    "follow-accepted",
    "data-read",
    "operator-change",
    "comment",
    "comment-reply",
    "comment-like",
    "comment-held",
    "mention",
    "repost",
    "clip-reply",
    "message-request",
    "withheld",
    "withheld-ended",
    "report-decided",
    "decision",
    "appeal-decided",
    "family-paired",
    "family-limits",
    "family-answered",
    "family-ending",
    "family-ended",
]
LineKind = NotificationKind | Literal["digest"]
# What the cell itself tells whatever the person wants: that staff have read of their data, that
# something of theirs is withheld, that the cell gets another operator, what changes in a family.
CellKind = Literal[
    "withheld",
    "withheld-ended",
    "report-decided",
    "decision",
    "appeal-decided",
    "family-paired",
    "family-limits",
    "family-answered",
    "family-ending",
    "family-ended",
]
ChosenKind = Literal[
    "like",
    "follow",
    "follow-request",
    "follow-accepted",
    "comment",
    "comment-reply",
    "comment-like",
    "comment-held",
    "mention",
    "repost",
    "clip-reply",
    "message-request",
]
EventKind = Literal[
    "clip",
    "like",
    "follow",
    "follow-accepted",
    "new-clip",
    "comment",
    "message",
    "signal",
    "notification",
    "hidden",
]
WokenFor = Literal["news", "message"]
CHOSEN_KINDS: tuple[ChosenKind, ...] = get_args(ChosenKind)
# Kinds of which a day's acts about the same thing make one line.
GROUPED: frozenset[NotificationKind] = frozenset(
    ("like", "follow", "follow-request", "comment", "comment-like", "comment-held", "repost")
)
# Those lines are about one comment; the others of a group about the clip, or about the person.
ABOUT_ONE: frozenset[NotificationKind] = frozenset(("comment-like",))

CHANNEL = "luciole_live"
# An event bridges a lost connection; what matters for longer is a notification.
EVENT_KEPT_MINUTES = 60
NOTIFICATION_KEPT_DAYS = 90
# By the clock of the person: nobody is told anything then who wants quiet nights, and no minor.
NIGHT_BEGINS = 22
NIGHT_ENDS = 7
DIGEST_HOURS = range(NIGHT_ENDS, NIGHT_BEGINS)
# As far as clocks are from UTC, in minutes.
OFFSETS = (-840, 840)


# A device that was woken is left alone for so long, unless its person looks.
WAKES_AGAIN_AFTER: dict[WokenFor, timedelta] = {
    "news": timedelta(hours=1),
    "message": timedelta(minutes=1),
}


class Shown(NamedTuple):
    """An event of an act, for the open page. Nothing personal goes into `body`: it holds states and
    counts."""

    kind: EventKind
    body: Mapping[str, Any]


class Actor(msgspec.Struct, frozen=True):
    """The person who did it, as others see them."""

    handle: str
    display_name: str
    avatar_key: str | None


class Notification(msgspec.Struct, frozen=True):
    """One line of the list that a person reads: what `people` did, the newest three by name (none
    where the cell itself tells). `counts` is what is in a digest."""

    id: UUID
    kind: LineKind
    by: tuple[Actor, ...]
    people: int
    clip_id: UUID | None
    about_id: UUID | None
    made_at: datetime
    is_read: bool
    counts: Mapping[str, int]


class Event(msgspec.Struct, frozen=True):
    """Something that the open page shows at once. `person_id` None is for everybody.

    `horizon` is a transaction before which a page that got this event has got all others: a client
    that comes back with it gets everything since, some of it twice.
    """

    id: UUID
    person_id: UUID | None
    kind: EventKind
    by: Actor | None
    clip_id: UUID | None
    body: dict[str, Any]
    horizon: int


class NotificationPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of the list ended."""

    id: UUID


class Wishes(msgspec.Struct, frozen=True):
    """What a person wants to be told, and when; `digest_at` None is at once."""

    off: frozenset[str]
    digest_at: int | None
    quiet_nights: bool
    offset_minutes: int | None
    is_minor: bool

    @property
    def has_quiet_nights(self) -> bool:
        return self.quiet_nights or self.is_minor

    def is_quiet_at(self, now: datetime) -> bool:
        return self.has_quiet_nights and is_night(now, self.offset_minutes)


class Device(msgspec.Struct, frozen=True):
    """A device that is to be woken; its address is sealed."""

    id: UUID
    sealed: bytes
    offset_minutes: int
    woken_for: WokenFor | None
    woken_at: datetime | None

    def wakes_at(self, now: datetime, why: WokenFor, *, has_quiet_nights: bool) -> datetime:
        """When it may be woken: now, or when its person's night is over, or a while after it was
        woken for the like, as long as they have not looked."""
        at = now
        if self.woken_at is not None and (self.woken_for == "message" or why == "news"):
            at = max(at, self.woken_at + WAKES_AGAIN_AFTER[why])
        if has_quiet_nights and is_night(at, self.offset_minutes):
            at = morning(at, self.offset_minutes)
        return at


def is_night(now: datetime, offset_minutes: int | None) -> bool:
    """Whether it is night on a clock that is so far ahead of UTC; False where that is not known."""
    if offset_minutes is None:
        return False
    hour = (now + timedelta(minutes=offset_minutes)).hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


def morning(now: datetime, offset_minutes: int) -> datetime:
    """When the night that it is on that clock is over."""
    offset = timedelta(minutes=offset_minutes)
    there = now + offset
    ends = there.replace(hour=NIGHT_ENDS, minute=0, second=0, microsecond=0)
    return (ends if there < ends else ends + timedelta(days=1)) - offset
