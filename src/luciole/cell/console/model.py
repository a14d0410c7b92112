"""Shifts at the console, who sees which page, and the rules about them. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

Role = Literal["operator", "moderator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
Page = Literal[
    "overview",
    "people",
    "joining",
    "clips",
    "queue",
    "jobs",
    "storage",
    "keys",
    "policies",
    "ledger",
    "acts",
]
Act = Literal[
    "begin",
    "end",
    "look",
    "retry",
    "heal",
    "approve",
    "refuse",
    "invite",
    "withdraw",
    "registration",
]
#: Who sees what. An auditor sees what was done, and nothing that does anything; a moderator sees
#: how much waits, and of a case what `safety` shows who has it in hand.
PAGES: dict[Page, tuple[Role, ...]] = {
    "overview": ("operator",),
    "people": ("operator",),
    # Who waits and has no account yet is named to operators; an auditor sees how many.
    "joining": ("operator", "auditor"),
    "clips": ("operator",),
    "queue": ("operator", "moderator"),
    "jobs": ("operator",),
    "storage": ("operator",),
    "keys": ("operator",),
    "policies": ("operator", "moderator", "auditor"),
    "ledger": ("operator", "auditor"),
    "acts": ("operator", "auditor"),
}
#: Who asks for reads, signs them and notices, and looks at what two have signed.
SIGNS: tuple[Role, ...] = ("operator",)
#: Of pages that some only look at: who does what is done there.
DOES: dict[Page, tuple[Role, ...]] = {"joining": ("operator",)}
SHIFT_HOURS = 2
SHIFT_ASKED_MINUTES = 5
SHIFT_KEPT_DAYS = 30
ACTS_KEPT_DAYS = 400
ACTS_AT_ONCE = 50
DAYS_SHOWN = 31
#: What a page is shown at most of: stuck jobs, films that wait.
SHOWN = 100
#: A film that cannot be played after so long has an author who wonders.
LATE_MINUTES = 15
#: Figures are counted every five minutes; who has not counted for so long does not run.
COUNTED_WITHIN_MINUTES = 20


class Shift(msgspec.Struct, frozen=True):
    """One of the staff at work in one role."""

    id: UUID
    session_id: UUID
    person_id: UUID
    role: Role
    staff_id: UUID | None
    asked_at: datetime
    ends_at: datetime | None


class Done(msgspec.Struct, frozen=True):
    """One act at the console: when, who by the random id, as what, and what."""

    id: UUID
    at: datetime
    staff_id: UUID
    role: Role
    act: Act
    what: str


class Day(msgspec.Struct, frozen=True):
    """How many acts a day had, and a digest over them."""

    day: date
    acts: int
    sha256: bytes


class Figure(msgspec.Struct, frozen=True):
    """A number that was counted, and when."""

    name: str
    value: int
    counted_at: datetime


class Terms(msgspec.Struct, frozen=True):
    """A version of the terms, and how many have agreed to it."""

    version: str
    first_shown_at: datetime
    agreed: int


class Guarding(msgspec.Struct, frozen=True):
    """Who holds the other halves of keys."""

    peer: str
    is_on: bool
    since: datetime
    held: int


def shift_text(shift: Shift, origin: str) -> dict[str, Any]:
    """What one of the staff signs with a passkey to begin work at the console."""
    return {
        "v": 1,
        "kind": "console-shift",
        "cell": origin,
        "shift": str(shift.id),
        "session": str(shift.session_id),
        "role": shift.role,
        "at": instant(shift.asked_at),
    }


def line_of(done: Done) -> dict[str, Any]:
    """An act as the digest over a day has it."""
    return {
        "id": str(done.id),
        "at": instant(done.at),
        "staff": str(done.staff_id),
        "role": done.role,
        "act": done.act,
        "what": done.what,
    }


def instant(at: datetime) -> str:
    """A time as entries of the log write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
