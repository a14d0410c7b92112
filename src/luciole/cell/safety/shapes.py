"""What goes over the API about reports, statements, appeals and reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from luciole.cell.notices.model import LabelKind
from luciole.cell.people.model import RestrictedAct
from luciole.cell.safety.eu_database import Statement
from luciole.cell.safety.model import (
    Act,
    Appeal,
    AppealOutcome,
    Category,
    Decided,
    Decision,
    Method,
    Report,
    ReportOutcome,
    ReviewState,
    What,
    appeal_until,
)

Words = Annotated[str, msgspec.Meta(max_length=4000)]
Name = Annotated[str, msgspec.Meta(max_length=100)]


class ReportNew(msgspec.Struct):
    """A report. `name` is the id of a clip or comment, or the handle of a person."""

    what: Decided
    name: Name
    category: Category
    is_illegal: bool = False
    explanation: Words = ""


class FormBody(msgspec.Struct):
    """What the form for notices asks for. `takes_email`: the cell can write to who gives an
    address; without that it takes none."""

    takes_email: bool


class NoticeNew(msgspec.Struct):
    """A notice of something illegal, without an account (article 16). `address` is where it is: the
    address of a clip or a profile here. Name and e-mail may be left out; the e-mail is for a
    receipt and the outcome, in the language `locale`, and is refused where the cell sends no
    mail."""

    address: Annotated[str, msgspec.Meta(max_length=500)]
    category: Category
    explanation: Words
    is_in_good_faith: bool
    name: Name = ""
    email: Annotated[str, msgspec.Meta(max_length=254, pattern="^$|^[^@\\s]+@[^@\\s]+$")] = ""
    locale: Literal["en", "fr"] = "en"


class AppealNew(msgspec.Struct):
    explanation: Words


class AppealBody(msgspec.Struct):
    """An appeal. Another moderator answers it before `due_at`."""

    made_at: datetime
    due_at: datetime
    explanation: str
    outcome: AppealOutcome
    answer: str
    decided_at: datetime | None


class ReportBody(msgspec.Struct):
    """A report as its maker sees it. `may_appeal`: nothing was done, and one may say until
    `appeal_until` why that is wrong."""

    id: UUID
    what: What
    category: Category
    is_illegal: bool
    explanation: str
    made_at: datetime
    outcome: ReportOutcome
    answer: str
    decided_at: datetime | None
    may_appeal: bool
    appeal_until: datetime | None
    appeal: AppealBody | None


class ReportList(msgspec.Struct):
    items: list[ReportBody]


class NoticeMade(msgspec.Struct):
    """A receipt. `code` finds the outcome at `/report`; nobody can find it again. `is_mailed`: the
    mail server has taken a receipt for the address that was given."""

    code: str
    report: ReportBody
    is_mailed: bool = False


class StatementBody(msgspec.Struct):
    """A statement of reasons. `subject` (what it is about), `may_appeal` and `appeal` are for the
    person whom it is about; the rest is for everybody. `is_suggested`: a machine has pointed at it;
    a person decided."""

    id: UUID
    act: Act
    what: Decided
    is_in_force: bool
    ended_why: str
    begun_at: datetime
    until: datetime | None
    countries: list[str]
    label: LabelKind | None
    acts: list[RestrictedAct]
    is_illegal: bool
    ground: str
    explanation: str
    facts: str
    category: Category
    is_notice: bool
    is_report: bool
    is_suggested: bool
    appeal_until: datetime
    is_yours: bool
    subject: str
    commit: str
    nonce: str
    may_appeal: bool
    appeal: AppealBody | None


class StatementList(msgspec.Struct):
    items: list[StatementBody]


class StatementExport(msgspec.Struct):
    """Statements as the database of the Commission takes them (`POST /api/v2/statements`), each
    checked against its rules. `left_out`: the ids of those of this page that do not pass, which
    takes a change of the rules after the decision."""

    statements: list[Statement]
    next: str | None
    left_out: list[UUID]


class ShiftAsked(msgspec.Struct):
    """What a moderator signs to begin: `challenge` is the SHA-256 of `asked`, in base64url."""

    id: UUID
    asked: str
    challenge: str


class Signature(msgspec.Struct):
    """What `navigator.credentials.get` gave for the challenge, as JSON."""

    credential: dict[str, Any]


class QueueBody(msgspec.Struct):
    """What waits, by category; and what is left of the shift."""

    waiting: dict[str, int]
    appeals: int
    ends_at: datetime
    taken: int
    most: int


class AlikeBody(msgspec.Struct):
    """How a film is like another one of the same case: the distance of the nearest pair of stills,
    and how many of the shorter film's stills (`of`) are near to one of the other."""

    bits: int
    stills: int
    of: int


class SubjectBody(msgspec.Struct):
    """What a case is about. Film and poster are at `/api/staff/review/cases/…/clips/…`. `alike`:
    why it is one case with another film; none where it is alone, or of the same bytes."""

    what: What
    person: str
    clip_id: UUID | None
    comment_id: UUID | None
    message_report_id: UUID | None
    text: str
    alike: AlikeBody | None


class CaseReport(msgspec.Struct):
    """A report without who made it."""

    category: Category
    is_illegal: bool
    explanation: str
    made_at: datetime


class NamesBody(msgspec.Struct):
    """Who sent notices of a case without an account, as they call themselves."""

    names: list[str]


class SuggestionBody(msgspec.Struct):
    """That a machine has pointed at what the case is about. It decides nothing. Of a list (`name`,
    `version`): `facts` are `bits`, the distance of the nearest still (at `at_ms`) to an entry, of
    at most `near_bits`, and how many `stills` are as near. Of a copy (of what `decision_id`
    removed, the film `clip_id` if it is still there): the same, of the shorter film's `of` stills,
    and how many of `tried` pairs of different films were `wrong` when that was measured.
    `confirmed` and `dismissed`: what moderators made of what it has pointed at so far."""

    method: Method
    name: str
    version: str
    facts: dict[str, int]
    made_at: datetime
    confirmed: int
    dismissed: int
    decision_id: UUID | None
    clip_id: UUID | None


class NoteBody(msgspec.Struct):
    staff: UUID
    words: str
    made_at: datetime


class DecisionBody(msgspec.Struct):
    """A decision before, about the same people."""

    id: UUID
    act: Act
    category: Category
    begun_at: datetime
    ended_why: str


class CaseBody(msgspec.Struct):
    """`has_names`: whether it may count who sent a notice, and a name was given, for which one
    asks. `knows_countries`: whether the cell is told where people are; else everybody counts as
    being in its own country, and so a decision for a country holds for all or for nobody."""

    id: UUID
    state: ReviewState
    category: Category
    opened_at: datetime
    acts: list[Act]
    subjects: list[SubjectBody]
    reports: list[CaseReport]
    suggestions: list[SuggestionBody]
    notes: list[NoteBody]
    appeals: list[AppealBody]
    statements: list[StatementBody]
    before: list[DecisionBody]
    has_names: bool
    knows_countries: bool


class NextCase(msgspec.Struct):
    case: CaseBody | None


class PartingNew(msgspec.Struct):
    """Which clip of the case is another film, and becomes a case of its own."""

    clip_id: UUID


class NoteNew(msgspec.Struct):
    words: Words


class Answer(msgspec.Struct):
    """`answer` goes to whoever reported or appealed."""

    answer: Words


class DecisionNew(msgspec.Struct):
    """What is decided, and why. `countries`: ISO 3166 codes, or `*`. `answer` goes to those who
    reported."""

    act: Act
    category: Category
    is_illegal: bool
    ground: Annotated[str, msgspec.Meta(max_length=500)]
    explanation: Annotated[str, msgspec.Meta(max_length=2000)]
    facts: Annotated[str, msgspec.Meta(max_length=5000)]
    countries: Annotated[list[str], msgspec.Meta(min_length=1, max_length=250)]
    answer: Words = ""
    label: LabelKind | None = None
    acts: list[RestrictedAct] = []
    days: int | None = None


def appeal_body(appeal: Appeal | None) -> AppealBody | None:
    if appeal is None:
        return None
    return AppealBody(
        appeal.made_at,
        appeal.due_at,
        appeal.explanation,
        appeal.outcome,
        appeal.answer,
        appeal.decided_at,
    )


def report_body(report: Report, appeal: Appeal | None, now: datetime) -> ReportBody:
    until = appeal_until(report)
    return ReportBody(
        report.id,
        report.what,
        report.category,
        report.is_illegal,
        report.explanation,
        report.made_at,
        report.outcome,
        report.answer,
        report.decided_at,
        until is not None and until > now and appeal is None,
        until,
        appeal_body(appeal),
    )


def decision_body(one: Decision) -> DecisionBody:
    return DecisionBody(one.id, one.act, category_of(one), one.begun_at, one.ended_why)


def category_of(one: Decision) -> Category:
    text = one.statement["category"].removeprefix("STATEMENT_CATEGORY_")
    found: Category = msgspec.convert(text.lower().replace("_", "-"), Category)
    return found
