"""Reports, reviews, decisions and appeals, and the rules about them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from luciole.cell.notices.model import LabelKind
from luciole.cell.people.model import RestrictedAct

What = Literal["clip", "comment", "person", "message"]
Decided = Literal["clip", "comment", "person"]
#: The categories of the EU's transparency database, in its second version.
Category = Literal[
    "animal-welfare",
    "consumer-information",
    "cyber-violence",
    "cyber-violence-against-women",
    "data-protection-and-privacy-violations",
    "illegal-or-harmful-speech",
    "intellectual-property-infringements",
    "negative-effects-on-civic-discourse-or-elections",
    "not-specified-notice",
    "other-violation-tc",
    "protection-of-minors",
    "risk-for-public-security",
    "scams-and-fraud",
    "self-harm",
    "unsafe-and-prohibited-products",
    "violence",
]
CATEGORIES: tuple[Category, ...] = get_args(Category)
ReportOutcome = Literal["waiting", "acted", "no-violation", "gone"]
ReviewState = Literal["open", "appealed", "decided", "gone"]
Act = Literal["remove", "adults", "label", "limit", "suspend"]
AppealOutcome = Literal["waiting", "upheld", "reversed"]
Via = Literal["account", "form", "message"]
Method = Literal["list", "rule", "copy"]
SuggestionOutcome = Literal["waiting", "confirmed", "dismissed", "gone"]

#: What is looked at first: 2 before 1 before 0, then by age.
SEVERITY: dict[Category, int] = {
    "protection-of-minors": 2,
    "self-harm": 2,
    "risk-for-public-security": 2,
    "violence": 1,
    "cyber-violence": 1,
    "cyber-violence-against-women": 1,
    "illegal-or-harmful-speech": 1,
    "not-specified-notice": 1,
}
ACTS_ON: dict[What, tuple[Act, ...]] = {
    "clip": ("remove", "adults", "label", "limit", "suspend"),
    "comment": ("remove", "limit", "suspend"),
    "person": ("limit", "suspend"),
    "message": ("limit", "suspend"),
}
#: Where it depends on who says so whether something is illegal: a right or data of their own.
NAME_NEEDED: tuple[Category, ...] = (
    "data-protection-and-privacy-violations",
    "intellectual-property-infringements",
)
MAX_EXPLANATION = 2000
#: Article 20(1) of Regulation (EU) 2022/2065: at least six months.
APPEAL_DAYS = 184
#: Within which another moderator answers an appeal. The interface shows the day.
APPEAL_ANSWERED_DAYS = 14
SHIFT_HOURS = 2
#: Between the end of a shift and the next one, on whichever device.
BREAK_MINUTES = 15
SHIFT_ASKED_MINUTES = 5
CASES_A_DAY = 100
#: A review that somebody took and left is given to the next after so long.
ASSIGNED_MINUTES = 30
LISTED = 50
#: How long who filled in the form stays known after the outcome.
NOTIFIER_KEPT_DAYS = APPEAL_DAYS
#: How long a mail about an outcome is tried.
MAIL_TRIED_DAYS = 7
SHIFT_KEPT_DAYS = 30
#: Of block lists: hashes in one, and in all that are loaded together.
MAX_HASHES = 250_000
MAX_HASHES_TOGETHER = 1_000_000
#: Below this quality a match of two stills says little.
LEAST_QUALITY = 50
FORMS_AN_HOUR = 10
#: Of the reason for which a moderator asks to read what was disclosed: the number of the report
#: stands before it in what is signed, which has at most 500 characters.
MAX_READ_REASON = 400
DISCLOSURE_KEPT_DAYS = 31


class Subject(msgspec.Struct, frozen=True):
    """What a review is about."""

    id: UUID
    review_id: UUID
    what: What
    person_id: UUID
    clip_id: UUID | None
    comment_id: UUID | None
    message_report_id: UUID | None


class Found(msgspec.Struct, frozen=True):
    """A thing that somebody reports, as it is."""

    what: What
    person_id: UUID
    clip_id: UUID | None = None
    comment_id: UUID | None = None
    message_report_id: UUID | None = None


class Report(msgspec.Struct, frozen=True):
    """A report as its maker sees it, and moderators without who that is."""

    id: UUID
    review_id: UUID
    what: What
    category: Category
    is_illegal: bool
    explanation: str
    made_at: datetime
    outcome: ReportOutcome
    answer: str
    decided_at: datetime | None


class Review(msgspec.Struct, frozen=True):
    """Something to look at and decide."""

    id: UUID
    state: ReviewState
    category: Category
    severity: int
    opened_at: datetime
    assigned_to: UUID | None
    assigned_at: datetime | None
    set_aside: tuple[UUID, ...]
    digest: bytes | None
    decided_at: datetime | None
    is_apart: bool
    """A moderator has parted it from another: machines put it to none."""


class Note(msgspec.Struct, frozen=True):
    id: UUID
    staff_id: UUID
    words: str
    made_at: datetime


class Disclosure(msgspec.Struct, frozen=True):
    """A read of one report of messages, that a moderator has asked for in a case. `ends_at` is
    until when it may be signed or, granted, be used."""

    read_id: UUID
    message_report_id: UUID
    asked_at: datetime
    signatures: int
    is_granted: bool
    ends_at: datetime


class Shift(msgspec.Struct, frozen=True):
    """A moderator at work."""

    id: UUID
    session_id: UUID
    person_id: UUID
    staff_id: UUID | None
    asked_at: datetime
    ends_at: datetime | None
    taken: int


class Wish(msgspec.Struct, frozen=True):
    """What a moderator decides, and why. `countries`: ISO 3166 codes or `*`; for `remove` and
    `adults`. `acts`: for `limit`."""

    act: Act
    category: Category
    is_illegal: bool
    ground: str
    explanation: str
    facts: str
    countries: tuple[str, ...] = ("*",)
    label: LabelKind | None = None
    acts: tuple[RestrictedAct, ...] = ()
    days: int | None = None


class Decision(msgspec.Struct, frozen=True):
    """A decision as it is stored. `statement` has the fields of the EU's database."""

    id: UUID
    review_id: UUID | None
    staff_id: UUID
    act: Act
    what: Decided
    person_id: UUID | None
    clip_id: UUID | None
    comment_id: UUID | None
    details: dict[str, Any]
    statement: dict[str, Any]
    nonce: bytes
    begun_at: datetime
    until: datetime | None
    appeal_until: datetime
    ended_at: datetime | None
    ended_why: Literal["", "reversed", "over"]


class Appeal(msgspec.Struct, frozen=True):
    id: UUID
    review_id: UUID
    decision_id: UUID | None
    report_id: UUID | None
    person_id: UUID | None
    explanation: str
    made_at: datetime
    due_at: datetime
    outcome: AppealOutcome
    answer: str
    staff_id: UUID | None
    decided_at: datetime | None


class BlockList(msgspec.Struct, frozen=True):
    """A version of a list of hashes. It points at clips of which a still is at most `near_bits`
    away from an entry. `checked_at`: when all clips were compared that were here before it."""

    id: UUID
    name: str
    version: str
    source: str
    category: Category
    near_bits: int
    size: int
    digest: bytes
    loaded_at: datetime
    checked_at: datetime | None


class Suggestion(msgspec.Struct, frozen=True):
    """That a machine has pointed at a clip, comment or person (`about_id`). It decides nothing.
    `decision_id`: for the method `copy`, the removal of the film that this one is like."""

    id: UUID
    review_id: UUID
    person_id: UUID
    about_id: UUID
    method: Method
    name: str
    version: str
    facts: dict[str, int]
    made_at: datetime
    outcome: SuggestionOutcome
    decided_at: datetime | None
    decision_id: UUID | None


class Measured(msgspec.Struct, frozen=True):
    """What moderators made of what a list or rule has pointed at so far."""

    method: Method
    name: str
    version: str
    confirmed: int
    dismissed: int


def appeal_until(report: Report) -> datetime | None:
    """Until when one may say that it was wrong to do nothing about a report; None where something
    was done, or is to be decided yet."""
    if report.outcome != "no-violation" or report.decided_at is None:
        return None
    return report.decided_at + timedelta(days=APPEAL_DAYS)


def severity_of(category: Category) -> int:
    return SEVERITY.get(category, 0)


def shift_text(shift: Shift, origin: str) -> dict[str, Any]:
    """What a moderator signs with a passkey to begin work."""
    return {
        "v": 1,
        "kind": "review-shift",
        "cell": origin,
        "shift": str(shift.id),
        "session": str(shift.session_id),
        "at": instant(shift.asked_at),
    }


def instant(at: datetime) -> str:
    """A time as entries of the log write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def appeal_due(now: datetime) -> datetime:
    return now + timedelta(days=APPEAL_ANSWERED_DAYS)
