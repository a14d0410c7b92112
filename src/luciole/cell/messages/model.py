"""What the delivery service knows of messages, which is little, and its rules. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

Kind = Literal["pair", "group"]
Folder = Literal["inbox", "requests"]
EnvelopeKind = Literal["welcome", "commit", "message"]
Who = Literal["everyone", "friends", "nobody"]
Act = Literal["added", "revoked"]
Reason = Literal[
    "harassment", "threat", "sexual", "minor-at-risk", "spam", "fraud", "self-harm", "other"
]
SaidKind = Literal["text", "clip", "photo", "voice", "recall", "name", "unknown"]

MAX_DEVICES = 10
MAX_NAME_CHARS = 50
REVOKED_KEPT_DAYS = 365
MAX_KEY_PACKAGES = 100
MAX_KEY_PACKAGE_BYTES = 8 * 1024
MAX_PEOPLE = 32
MAX_SEATS = 200
MAX_CONVERSATIONS_LISTED = 500
MAX_MESSAGE_BYTES = 64 * 1024
# Of somebody whom the other has not accepted yet: room for text, none for a picture.
MAX_REQUEST_BYTES = 8 * 1024
MAX_REQUEST_MESSAGES = 3
# Commits, welcomes and what describes a group grow with its devices.
MAX_HANDSHAKE_BYTES = 256 * 1024
MAX_WELCOMES = 64
MAX_SIGNAL_BYTES = 1024
MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024
MAX_BACKUP_BYTES = 16 * 1024 * 1024
# So much of an inbox goes into one answer, or one envelope.
MAX_INBOX_BYTES = 2 * 1024 * 1024
KEPT_DAYS = 30
OBJECT_GRACE_HOURS = 1
MAX_REPORTED = 20
REPORT_KEPT_DAYS = 180
MAX_REPORTS_LISTED = 200

HASH_BYTES = 32
KEY_BYTES = 32
MAX_GROUP_ID_BYTES = 64
MAX_EPOCH = 2**62
# Since when an object waits that is to be deleted at once.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
REPORT_FIELD = "messages.report"
REPORT_VERSION = 1


class Device(msgspec.Struct, frozen=True):
    """A device of a person. `name` is for its owner only."""

    id: UUID
    person_id: UUID
    signature_key: bytes
    name: str
    made_at: datetime
    seen_on: date
    revoked_at: datetime | None


class LogEntry(msgspec.Struct, frozen=True):
    """What the log commits to about a device, in the open; `index` is None until it is placed."""

    device_id: UUID
    act: Act
    n: int
    leaf: bytes
    nonce: bytes
    opening: bytes
    index: int | None


class Claimed(msgspec.Struct, frozen=True):
    """A key package that was given out, and whose it is."""

    device_id: UUID
    person_id: UUID
    package: bytes


class Conversation(msgspec.Struct, frozen=True):
    """What is kept of a conversation."""

    id: UUID
    kind: Kind
    group_id: bytes
    epoch: int
    group_info: bytes
    knocks: int
    is_over: bool


class Member(msgspec.Struct, frozen=True):
    """Somebody in a conversation. `place` counts from 0, who began it."""

    person_id: UUID
    place: int
    folder: str
    is_muted: bool


class Listed(msgspec.Struct, frozen=True):
    """A conversation as one of its members sees it."""

    id: UUID
    kind: Kind
    folder: Folder
    epoch: int
    is_muted: bool
    is_over: bool
    updated_on: date


class Envelope(msgspec.Struct, frozen=True):
    """Opaque bytes that wait for a device, as its `n`-th."""

    n: int
    id: UUID
    conversation_id: UUID
    kind: EnvelopeKind
    epoch: int
    body: bytes
    at: datetime


class Between(msgspec.Struct, frozen=True):
    """How two people stand to each other, as far as messages ask."""

    is_apart: bool
    is_friend: bool
    follows_me: bool
    """The other one follows the one who writes."""
    restricts_me: bool
    is_minor: bool
    """Either of the two."""
    is_too_young: bool
    """The other one."""
    who: Who


class Settings(msgspec.Struct, frozen=True):
    """Who may begin to write to a person, and which marks they give and get."""

    who: Who = "everyone"
    typing: bool = False
    read_marks: bool = False


class Report(msgspec.Struct, frozen=True):
    """A report as it is kept; `about` is None where that person has gone or is leaving."""

    id: UUID
    about: str | None
    made_at: datetime
    sealed: bytes


class Opened(msgspec.Struct, frozen=True):
    """A report whose seal was opened."""

    id: UUID
    about: str | None
    made_at: datetime
    said: dict[str, Any]


class Kept(msgspec.Struct, frozen=True):
    """One report as it is kept, for who does not need to know about whom it is."""

    id: UUID
    made_at: datetime
    sealed: bytes


class Said(msgspec.Struct, frozen=True):
    """A message in words; `clip_id` where a clip was sent."""

    kind: SaidKind
    text: str
    clip_id: UUID | None = None


class Disclosed(msgspec.Struct, frozen=True):
    """What was disclosed in one report: why, and the messages in words."""

    reason: Reason
    messages: list[Said]


class Stored(msgspec.Struct, frozen=True):
    """An object: its key and its size."""

    object_key: str
    size_bytes: int


def may_begin(between: Between, *, is_minor: bool) -> bool:
    """Whether one may begin to write to the other: minors write to friends, and friends to them."""
    if between.is_apart or between.is_too_young or between.who == "nobody":
        return False
    if between.is_minor or is_minor or between.who == "friends":
        return between.is_friend
    return True


def folder_for(between: Between) -> Folder:
    """Where a conversation that one begins arrives at the other."""
    return "inbox" if between.follows_me and not between.restricts_me else "requests"
