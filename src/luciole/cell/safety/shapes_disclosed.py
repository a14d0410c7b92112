"""Shapes of what moderators read of reported messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from luciole.cell.messages.model import Reason, SaidKind
from luciole.cell.safety.model import MAX_READ_REASON


class DisclosureNew(msgspec.Struct):
    """Which report of the case is to be read, for how long, and why: who reported reads that."""

    message_report_id: UUID
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)]
    reason: Annotated[str, msgspec.Meta(max_length=MAX_READ_REASON)]


class DisclosureBody(msgspec.Struct):
    """A read that was asked for. `ends_at`: until when it may be signed or, granted, be used."""

    id: UUID
    message_report_id: UUID
    asked_at: datetime
    signatures: int
    is_granted: bool
    ends_at: datetime


class DisclosureList(msgspec.Struct):
    items: list[DisclosureBody]


class DisclosedMessage(msgspec.Struct):
    """A message of the reported person in words. Photos and recordings stay sealed."""

    kind: SaidKind
    text: str
    clip_id: UUID | None


class DisclosedBody(msgspec.Struct):
    """What was disclosed, and which reason was given for it; not by whom."""

    reason: Reason
    made_at: datetime
    messages: list[DisclosedMessage]
