"""The statement of reasons (Regulation (EU) 2022/2065, article 17) in the fields of the EU's
transparency database, and what the log `decisions` says of reports, decisions and appeals.

No field names anybody: facts and explanations are written by a moderator for everybody to read.
What the log holds of them is a commitment, so that an erasure can take the words away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, get_args
from uuid import UUID

import msgspec

from luciole.cell.safety.eu_database import Country, Source, Statement, Visibility
from luciole.cell.safety.model import (
    Act,
    Appeal,
    BlockList,
    Decided,
    Decision,
    Report,
    Suggestion,
    Via,
    What,
    Wish,
    instant,
)
from luciole.ledger.entry import canonical

EEA: tuple[str, ...] = get_args(Country)
CONTENT = {"clip": "VIDEO", "comment": "TEXT", "person": "OTHER"}
# What is added, letter for letter, is public with the log; the rest of a statement is not in it.
LOGGED = (
    "decision_visibility",
    "decision_provision",
    "decision_account",
    "decision_ground",
    "category",
    "content_type",
    "territorial_scope",
    "source_type",
    "automated_detection",
    "automated_decision",
    "application_date",
)


def scope_of(countries: Sequence[str]) -> list[str]:
    """The countries of the EEA among these, which is where the database wants to know of it."""
    return list(EEA) if "*" in countries else [code for code in EEA if code in countries]


def made(
    puid: UUID,
    wish: Wish,
    what: Decided,
    *,
    content_on: date,
    now: datetime,
    until: datetime | None,
    source: Source,
    is_suggested: bool,
) -> dict[str, Any]:
    """The statement of a decision, in the database's form unless it holds in no country of the EEA,
    which is none of theirs. `is_suggested`: a machine has pointed at what it is about. Raises
    msgspec.ValidationError."""
    kind = "illegal_content" if wish.is_illegal else "incompatible_content"
    said: dict[str, Any] = {
        "decision_facts": wish.facts,
        "decision_ground": f"DECISION_GROUND_{kind.upper()}",
        f"{kind}_legal_ground" if wish.is_illegal else f"{kind}_ground": wish.ground,
        f"{kind}_explanation": wish.explanation,
        "content_type": [f"CONTENT_TYPE_{CONTENT[what]}"],
        "category": "STATEMENT_CATEGORY_" + wish.category.upper().replace("-", "_"),
        "territorial_scope": scope_of(wish.countries),
        "content_date": content_on.isoformat(),
        "application_date": now.date().isoformat(),
        "source_type": source,
        # Machines may point at something; people decide, without exception.
        "automated_detection": "Yes" if is_suggested else "No",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": str(puid),
    }
    if what == "person":
        said["content_type_other"] = "account"
    match wish.act:
        case "suspend":
            said["decision_account"], of = "DECISION_ACCOUNT_SUSPENDED", "account"
        case "limit":
            said["decision_provision"], of = "DECISION_PROVISION_PARTIAL_SUSPENSION", "service"
        case _:
            said["decision_visibility"] = [_visibility(wish.act, wish.countries)]
            of = "visibility"
    if until is not None:
        said[f"end_date_{of}_restriction"] = until.date().isoformat()
    if said["territorial_scope"]:
        msgspec.convert(said, Statement)
    return said


def _visibility(act: Act, countries: Sequence[str]) -> Visibility:
    if act == "adults":
        return "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"
    if act == "label":
        return "DECISION_VISIBILITY_CONTENT_LABELLED"
    is_everywhere = "*" in countries
    return (
        "DECISION_VISIBILITY_CONTENT_REMOVED"
        if is_everywhere
        else "DECISION_VISIBILITY_CONTENT_DISABLED"
    )


def commitment(nonce: bytes, statement: dict[str, Any], key: str) -> bytes:
    """Stands in the log for a statement and for what it is about."""
    return sha256(b"luciole/statement/v1" + nonce + canonical(statement | {"about": key})).digest()


# --- entries of the log `decisions` --------------------------------------------------------------


def report_entry(report: Report, via: Via) -> bytes:
    """A notice was received (articles 16 and 24); nothing says from whom or about whom."""
    return canonical(
        {
            "v": 1,
            "kind": "report",
            "at": instant(report.made_at),
            "report": str(report.id),
            "via": via,
            "what": report.what,
            "category": report.category,
            "illegal": report.is_illegal,
        }
    )


def name_seen_entry(reports: Sequence[UUID], staff_id: UUID, now: datetime) -> bytes:
    """A moderator was shown the names under notices; nothing says which."""
    return canonical(
        {
            "v": 1,
            "kind": "name-seen",
            "at": instant(now),
            "reports": [str(one) for one in reports],
            "staff": str(staff_id),
        }
    )


def answered_entry(reports: Sequence[UUID], outcome: str, now: datetime) -> bytes:
    """What became of reports."""
    said = {"v": 1, "kind": "reports-decided", "at": instant(now), "outcome": outcome}
    return canonical(said | {"reports": [str(one) for one in reports]})


def decision_entry(decision: Decision, key: str) -> bytes:
    logged = {name: decision.statement[name] for name in LOGGED if name in decision.statement}
    said = {
        "v": 1,
        "kind": "decision",
        "at": instant(decision.begun_at),
        "decision": str(decision.id),
        "act": decision.act,
        "staff": str(decision.staff_id),
        "until": instant(decision.until) if decision.until else "",
        "commit": commitment(decision.nonce, decision.statement, key).hex(),
    }
    return canonical(said | {"statement": logged})


def ended_entry(decision_id: UUID, why: str, now: datetime) -> bytes:
    said = {"v": 1, "kind": "decision-ended", "at": instant(now), "decision": str(decision_id)}
    return canonical(said | {"why": why})


def appeal_entry(appeal: Appeal) -> bytes:
    about = {"decision": str(appeal.decision_id)} if appeal.decision_id else {}
    about |= {"report": str(appeal.report_id)} if appeal.report_id else {}
    said = {"v": 1, "kind": "appeal", "at": instant(appeal.made_at), "appeal": str(appeal.id)}
    return canonical(said | about)


def appeal_decided_entry(appeal_id: UUID, outcome: str, staff_id: UUID, now: datetime) -> bytes:
    said = {"v": 1, "kind": "appeal-decided", "at": instant(now), "appeal": str(appeal_id)}
    return canonical(said | {"outcome": outcome, "staff": str(staff_id)})


def suggestion_entry(one: Suggestion, what: What) -> bytes:
    """A machine has pointed at something, and put it before people."""
    said = {"v": 1, "kind": "suggestion", "at": instant(one.made_at), "suggestion": str(one.id)}
    by = {"method": one.method, "name": one.name, "version": one.version}
    return canonical(said | by | {"what": what})


def suggestions_entry(suggestions: Sequence[UUID], outcome: str, now: datetime) -> bytes:
    """What moderators made of suggestions."""
    said = {"v": 1, "kind": "suggestions-decided", "at": instant(now), "outcome": outcome}
    return canonical(said | {"suggestions": [str(one) for one in suggestions]})


def list_loaded_entry(one: BlockList) -> bytes:
    """From now on a list points. `digest`: SHA-256 over its sorted hashes."""
    said = {"v": 1, "kind": "list-loaded", "at": instant(one.loaded_at), "name": one.name}
    said |= {"version": one.version, "source": one.source, "category": one.category}
    return canonical(
        said | {"size": one.size, "near_bits": one.near_bits, "digest": one.digest.hex()}
    )


def list_removed_entry(one: BlockList, now: datetime) -> bytes:
    said = {"v": 1, "kind": "list-removed", "at": instant(now), "name": one.name}
    return canonical(said | {"version": one.version})


def active_entry(first: date, at_least: int | str, at_most: int | str, now: datetime) -> bytes:
    """How many people used their account in a month (article 24(2)); see `active`."""
    said = {"v": 1, "kind": "active", "at": instant(now), "month": f"{first:%Y-%m}"}
    return canonical(said | {"at_least": at_least, "at_most": at_most})
