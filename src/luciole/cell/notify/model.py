"""What people are told, and how it looks on its way to the open page."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

NotificationKind = Literal[
    "like",
    "follow",
    "follow-request",
    "follow-accepted",
    "data-read",
    "comment",
    "comment-reply",
    "comment-like",
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

CHANNEL = "luciole_live"
# An event bridges a lost connection; what matters for longer is a notification.
EVENT_KEPT_MINUTES = 60
NOTIFICATION_KEPT_DAYS = 90


class Actor(msgspec.Struct, frozen=True):
    """The person who did it, as others see them."""

    handle: str
    display_name: str
    avatar_key: str | None


class Notification(msgspec.Struct, frozen=True):
    """One line of the list that a person reads. `by` is None where the cell itself tells."""

    id: UUID
    kind: NotificationKind
    by: Actor | None
    clip_id: UUID | None
    made_at: datetime
    is_read: bool


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
