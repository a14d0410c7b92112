"""What the HTTP API of families takes and gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.people.family.model import (
    Change,
    FamilyLimits,
    Held,
    LimitsState,
    Side,
    SleepHours,
)
from luciole.cell.people.model import AgeBand

Minutes = Annotated[int, Meta(ge=0, le=1440)]
TimeOfDay = Annotated[str, Meta(max_length=5, description="hours and minutes, such as 22:30")]
Code = Annotated[str, Meta(max_length=32, description="as it is shown, with or without its dash")]
Offset = Annotated[int, Meta(ge=-840, le=840, description="minutes ahead of UTC")]
WhoWrites = Literal["nobody", "friends", "everyone"]


class EnteredFamilyCode(msgspec.Struct, forbid_unknown_fields=True):
    code: Code


class LimitsWish(msgspec.Struct, forbid_unknown_fields=True):
    """All limits of a pairing; what is left out is none. None of them can take away from what the
    age band gives."""

    daily_min: Annotated[int, Meta(ge=0, le=1440)] | None = None
    sleep_from: TimeOfDay | None = None
    sleep_to: TimeOfDay | None = None
    keeps_private: bool = False
    for_you_off: bool = False


class ProposalAnswer(msgspec.Struct, forbid_unknown_fields=True):
    accept: bool


class FamilyDay(msgspec.Struct, forbid_unknown_fields=True):
    day: date
    minutes: Minutes


class OwnLimits(msgspec.Struct, forbid_unknown_fields=True):
    """What a young person has set on their own device."""

    limit_min: Minutes = 0
    quiet_from: TimeOfDay | None = None
    quiet_to: TimeOfDay | None = None


class TimeReport(msgspec.Struct, forbid_unknown_fields=True):
    days: Annotated[list[FamilyDay], Meta(max_length=31)]
    offset_minutes: Offset
    own: OwnLimits = msgspec.field(default_factory=OwnLimits)


class FamilyCode(msgspec.Struct):
    code: str
    expires_at: datetime


class FamilyMember(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None


class LimitsChange(msgspec.Struct):
    """Limits that were set or proposed by `by`, and what became of them."""

    id: UUID
    by: str
    state: LimitsState
    limits: FamilyLimits
    made_at: datetime
    answered_at: datetime | None


class PairingBody(msgspec.Struct):
    """`side` is the other one's. `i_agreed`, `they_agreed`: who has confirmed so far."""

    id: UUID
    person: FamilyMember
    side: Side
    sets_at_once: bool
    """Whether the guardian's limits hold at once; else they are proposed."""
    ends_alone: bool
    """Whether the young person's wish to end it ends it at once; else a day later."""
    i_agreed: bool
    they_agreed: bool
    paired_at: datetime | None
    expires_at: datetime | None
    ends_at: datetime | None
    limits: FamilyLimits | None
    proposed: FamilyLimits | None


class FamilyHeld(msgspec.Struct):
    """What holds for a young person: the tightest of what their guardians have set."""

    daily_min: int | None
    sleep: list[SleepHours]
    keeps_private: bool
    for_you_off: bool


class FamilyBody(msgspec.Struct):
    """`side` is one's own. `held`: for a young person who is paired."""

    side: Side
    pairings: list[PairingBody]
    held: FamilyHeld | None
    changes: list[LimitsChange]


class TeenProtections(msgspec.Struct):
    """What protects a young person here."""

    is_private: bool
    messages: WhoWrites
    for_you_learns: bool
    quiet_nights: bool


class SeenBody(msgspec.Struct):
    """All that a guardian sees of a young person."""

    pairing: PairingBody
    age_band: AgeBand
    protections: TeenProtections
    own: OwnLimits | None
    days: list[FamilyDay]
    reported_at: datetime | None
    changes: list[LimitsChange]


class PairingEnd(msgspec.Struct):
    ends_at: datetime | None
    """None: it has ended."""


def held_of(held: Held) -> FamilyHeld:
    return FamilyHeld(held.daily_min, list(held.sleep), held.keeps_private, held.for_you_off)


def change_of(change: Change, by: str) -> LimitsChange:
    return LimitsChange(
        change.id, by, change.state, change.limits, change.made_at, change.answered_at
    )
