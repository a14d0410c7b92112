"""Shapes of the API of messages. Bytes are base64 in JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.messages import model
from luciole.cell.messages.model import Act, EnvelopeKind, Folder, Kind, Reason, Who

Handle = Annotated[str, Meta(max_length=50)]
Key = Annotated[bytes, Meta(min_length=model.KEY_BYTES, max_length=model.KEY_BYTES)]
Hash = Annotated[bytes, Meta(min_length=model.HASH_BYTES, max_length=model.HASH_BYTES)]
Package = Annotated[bytes, Meta(min_length=1, max_length=model.MAX_KEY_PACKAGE_BYTES)]
Handshake = Annotated[bytes, Meta(min_length=1, max_length=model.MAX_HANDSHAKE_BYTES)]
MessageBytes = Annotated[bytes, Meta(min_length=1, max_length=model.MAX_MESSAGE_BYTES)]
SignalBytes = Annotated[bytes, Meta(min_length=1, max_length=model.MAX_SIGNAL_BYTES)]
Epoch = Annotated[int, Meta(ge=0, lt=model.MAX_EPOCH)]


class DeviceNew(msgspec.Struct):
    """An Ed25519 public key, and what its owner calls the device."""

    signature_key: Key
    name: Annotated[str, Meta(max_length=200)] = ""


class DeviceMade(msgspec.Struct):
    id: UUID
    person_id: UUID


class DeviceBody(msgspec.Struct):
    """A device as its owner sees it."""

    id: UUID
    name: str
    signature_key: bytes
    made_at: datetime
    seen_on: date
    revoked_at: datetime | None


class DeviceList(msgspec.Struct):
    items: list[DeviceBody]


class LogEntryBody(msgspec.Struct):
    """An entry of the log `access` about a device, and what it commits to: `opening` says which
    device and key. `index` and `receipt` (a tlog-proof) are null until a published head has it."""

    act: Act
    n: int
    leaf: bytes
    nonce: bytes
    opening: str
    index: int | None
    receipt: str | None


class DirectoryDevice(msgspec.Struct):
    """A device as others check it."""

    id: UUID
    signature_key: bytes
    made_at: datetime
    revoked_at: datetime | None
    entries: list[LogEntryBody]


class Directory(msgspec.Struct):
    """A person's devices, also those that were removed in the last year."""

    person_id: UUID
    handle: str
    items: list[DirectoryDevice]


class KeyPackages(msgspec.Struct):
    """MLSMessages that hold key packages; the one of last resort is given out again and again."""

    packages: Annotated[list[Package], Meta(max_length=model.MAX_KEY_PACKAGES)]
    last_resort: Package | None = None


class KeyPackagesLeft(msgspec.Struct):
    left: int


class Claim(msgspec.Struct):
    """Whose devices are to be welcomed. One's own handle gives one's own devices, but for
    `device_id`, which asks."""

    handles: Annotated[list[Handle], Meta(min_length=1, max_length=model.MAX_PEOPLE)]
    device_id: UUID | None = None


class ClaimedPackage(msgspec.Struct):
    handle: str
    person_id: UUID
    device_id: UUID
    package: bytes


class ClaimedPackages(msgspec.Struct):
    items: list[ClaimedPackage]


class WelcomeBody(msgspec.Struct):
    device_ids: Annotated[list[UUID], Meta(min_length=1, max_length=model.MAX_SEATS)]
    body: Handshake


Welcomes = Annotated[list[WelcomeBody], Meta(max_length=model.MAX_WELCOMES)]
Handles = Annotated[list[Handle], Meta(max_length=model.MAX_PEOPLE)]


class ConversationNew(msgspec.Struct):
    """Who is in it besides oneself. `group_info` is an MLSMessage of the epoch that the welcomes
    lead into."""

    device_id: UUID
    kind: Kind
    members: Annotated[list[Handle], Meta(min_length=1, max_length=model.MAX_PEOPLE)]
    welcomes: Welcomes
    group_info: Handshake


class MemberBody(msgspec.Struct):
    person_id: UUID
    handle: str
    display_name: str
    avatar_url: str | None


class ConversationBody(msgspec.Struct):
    """A conversation as one of its members sees it; `is_over` where the other one of a pair has
    left. The first of the members has been in it longest."""

    id: UUID
    kind: Kind
    folder: Folder
    members: list[MemberBody]
    epoch: int
    is_muted: bool
    is_over: bool
    updated_on: date


class ConversationList(msgspec.Struct):
    items: list[ConversationBody]


class MessageNew(msgspec.Struct):
    """A sealed message; `recall_hash` is the SHA-256 of a token that takes it back."""

    device_id: UUID
    epoch: Epoch
    body: MessageBytes
    recall_hash: Hash


class MessageMade(msgspec.Struct):
    id: UUID
    at: datetime


class Recall(msgspec.Struct):
    token: Annotated[bytes, Meta(min_length=16, max_length=64)]


class CommitNew(msgspec.Struct):
    """A commit of the epoch `epoch`, and the group info of the next one. `removes` may name people
    who are gone already."""

    device_id: UUID
    epoch: Epoch
    commit: Handshake
    group_info: Handshake
    welcomes: Welcomes = []
    adds: Handles = []
    removes: Handles = []


class CommitMade(msgspec.Struct):
    """The epoch that has begun, and the message id under which the commit is in the inboxes."""

    epoch: int
    id: UUID


class GroupInfo(msgspec.Struct):
    epoch: int
    group_info: bytes


class EnvelopeBody(msgspec.Struct):
    """Opaque bytes. Of a device's own messages and commits it gets its own copy, by which it sees
    that they were taken."""

    n: int
    conversation_id: UUID
    kind: EnvelopeKind
    epoch: int
    body: bytes
    at: datetime
    message_id: UUID


class Inbox(msgspec.Struct):
    items: list[EnvelopeBody]


class Ack(msgspec.Struct):
    """All envelopes up to this number are the device's now."""

    up_to: Annotated[int, Meta(ge=0, lt=2**62)]


class SignalNew(msgspec.Struct):
    device_id: UUID
    body: SignalBytes


class FileMade(msgspec.Struct):
    id: UUID


class SettingsBody(msgspec.Struct):
    """Who may begin to write, and whether typing and read marks are given and taken. `is_off`:
    the person is too young for messages."""

    who: Who
    typing: bool
    read_marks: bool
    is_off: bool


class SettingsChange(msgspec.Struct):
    who: Who | None = None
    typing: bool | None = None
    read_marks: bool | None = None


class DisclosedBody(msgspec.Struct):
    """A message as its device signed it: FramedContentTBS (RFC 9420, section 6.1)."""

    device_id: UUID
    content: Annotated[bytes, Meta(min_length=1, max_length=2 * model.MAX_MESSAGE_BYTES)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class ReportNew(msgspec.Struct):
    conversation_id: UUID
    reason: Reason
    items: Annotated[list[DisclosedBody], Meta(min_length=1, max_length=model.MAX_REPORTED)]


class ReportMade(msgspec.Struct):
    id: UUID
