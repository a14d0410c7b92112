"""What safety stores."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.safety import store
from luciole.cell.safety.model import DISCLOSURE_KEPT_DAYS, NOTIFIER_KEPT_DAYS, SHIFT_KEPT_DAYS
from luciole.cell.safety.store import decisions, disclosures, suggestions
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

_WITH_REPORTER = "until the account of who reported is erased"
_WITH_SUBJECT = "until the account whom it is about is erased"

HELD: tuple[Held, ...] = (
    *columns(
        "safety.review",
        "id state category severity opened_at assigned_to assigned_at set_aside digest decided_at "
        "is_apart",
        DataClass.TELEMETRY,
        "which cases wait for a moderator, and which moderator has them; nobody else by name",
        "for ever, without whom it was about once they are erased",
        Border.NEVER,
    ),
    *columns(
        "safety.subject",
        "id review_id what person_id clip_id comment_id message_report_id",
        DataClass.PERSONAL,
        "what a case is about",
        _WITH_SUBJECT,
        Border.NEVER,
    ),
    *columns(
        "safety.report",
        "id review_id reporter_id code_hash what category is_illegal explanation made_at outcome "
        "answer decided_at subject_id",
        DataClass.PERSONAL,
        "what somebody has reported, and what became of it; moderators read it without the name",
        _WITH_REPORTER,
        Border.NEVER,
    ),
    *columns(
        "safety.notifier",
        "report_id name email locale told",
        DataClass.PERSONAL,
        "who has sent a notice without an account, where they wanted to say so, to write to them; "
        "and of which outcome they were told; a moderator may see the name where it counts",
        f"{NOTIFIER_KEPT_DAYS} days after the outcome, or until an appeal is answered",
        Border.NEVER,
    ),
    *columns(
        "safety.note",
        "id review_id person_id staff_id words made_at",
        DataClass.PERSONAL,
        "what moderators note of a case for each other",
        _WITH_SUBJECT,
        Border.NEVER,
    ),
    *columns(
        "safety.disclosure",
        "read_id review_id message_report_id person_id staff_id asked_at",
        DataClass.PERSONAL,
        "for which case a moderator has asked to read what somebody disclosed in a report",
        f"{DISCLOSURE_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "safety.shift",
        "id session_id person_id staff_id asked_at ends_at taken",
        DataClass.PERSONAL,
        "which moderator is at work on which device, and how much they have taken on",
        f"{SHIFT_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "safety.decision",
        "id review_id staff_id act what details statement begun_at until appeal_until ended_at "
        "ended_why",
        DataClass.PUBLIC,
        "decisions with their statements of reasons, which name nobody",
        "for ever, as the entry in the log",
        Border.PUBLISHED,
    ),
    *columns(
        "safety.decision",
        "person_id clip_id comment_id nonce",
        DataClass.PERSONAL,
        "whom and what a decision is about",
        _WITH_SUBJECT,
        Border.NEVER,
    ),
    *columns(
        "safety.appeal",
        "id review_id decision_id report_id person_id explanation made_at due_at outcome answer "
        "staff_id decided_at",
        DataClass.PERSONAL,
        "appeals, and what was answered",
        "until the account of who appealed is erased",
        Border.NEVER,
    ),
    *columns(
        "safety.list",
        "id name version source category near_bits size digest loaded_at checked_to checked_at "
        "removed_at",
        DataClass.TELEMETRY,
        "which block lists of hashes of pictures point, and since when",
        "for ever, as the entry in the log",
        Border.NEVER,
    ),
    *columns(
        "safety.list",
        "hashes",
        DataClass.TELEMETRY,
        "the hashes of a block list, which others keep, and which would say how to get around it",
        "until the list is removed",
        Border.NEVER,
    ),
    *columns(
        "safety.suggestion",
        "id review_id person_id about_id method name version facts made_at outcome decided_at "
        "decision_id",
        DataClass.PERSONAL,
        "that a list, a rule or a likeness to a removed film has pointed at something, and what a "
        "moderator made of it",
        _WITH_SUBJECT,
        Border.NEVER,
    ),
    *columns(
        "safety.counted_month",
        "month",
        DataClass.TELEMETRY,
        "of which months the log has how many people were here",
        "for ever, as the entry in the log",
        Border.NEVER,
    ),
    *columns(
        "safety.measured",
        "method name version confirmed dismissed",
        DataClass.TELEMETRY,
        "how often lists and rules were right",
        "for ever",
        Border.NEVER,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("safety.review"),
    Owned("safety.subject", ("person_id",)),
    Owned("safety.report", ("reporter_id",)),
    Owned("safety.notifier", ("report_id > safety.report.id > reporter_id",)),
    Owned("safety.note", ("person_id",)),
    Owned("safety.disclosure", ("person_id",)),
    Owned("safety.shift", stays="a moderator begins again after a restore"),
    Owned("safety.decision", ("person_id",), outlives="person_id"),
    Owned("safety.appeal", ("person_id",)),
    Owned("safety.list"),
    Owned("safety.suggestion", ("person_id",)),
    Owned("safety.measured"),
    Owned("safety.counted_month"),
)

_OF_CELL = "a decision is of one cell"
EXPORT: tuple[Exported, ...] = (
    Exported(
        "safety-reports",
        "what you have reported, and what became of it",
        of(
            "safety.report",
            "id what category is_illegal explanation made_at outcome answer decided_at",
        ),
        store.export,
        whose="safety.report.reporter_id",
        stays="a report is for the moderators of one cell",
    ),
    Exported(
        "decisions",
        "what moderators have decided about you and what is yours, with the reasons",
        of(
            "safety.decision",
            "id act what clip_id comment_id details statement nonce begun_at until appeal_until "
            "ended_at ended_why",
        ),
        decisions.export,
        whose="safety.decision.person_id",
        stays=_OF_CELL,
    ),
    Exported(
        "appeals",
        "your appeals, and what was answered",
        of(
            "safety.appeal",
            "id decision_id report_id explanation made_at due_at outcome answer decided_at",
        ),
        decisions.export_appeals,
        whose="safety.appeal.person_id",
        stays=_OF_CELL,
    ),
    Exported(
        "suggestions",
        "what machines have pointed at of yours, and what moderators made of it",
        of(
            "safety.suggestion",
            "id about_id method name version facts made_at outcome decided_at decision_id",
        ),
        suggestions.export,
        whose="safety.suggestion.person_id",
        stays=_OF_CELL,
    ),
)
_WORK = "how moderators work on a case; what it led to is in `decisions`"
NOT_EXPORTED = {
    **{
        f"safety.review.{name}": _WORK
        for name in (
            *("id", "state", "category", "severity", "opened_at", "assigned_to", "assigned_at"),
            *("set_aside", "digest", "decided_at", "is_apart"),
        )
    },
    **{
        f"safety.subject.{name}": "names nobody who reported, and would tell that somebody did"
        for name in (
            *("id", "review_id", "what", "person_id", "clip_id", "comment_id"),
            "message_report_id",
        )
    },
    **{
        f"safety.note.{name}": _WORK
        for name in ("id", "review_id", "person_id", "staff_id", "words", "made_at")
    },
    **{
        f"safety.disclosure.{name}": "each read is in your journal, with its reason and who signed"
        for name in (
            *("read_id", "review_id", "message_report_id", "person_id", "staff_id"),
            "asked_at",
        )
    },
    **{
        f"safety.shift.{name}": "of a moderator at work, for 30 days"
        for name in ("id", "session_id", "person_id", "staff_id", "asked_at", "ends_at", "taken")
    },
    **{
        f"safety.notifier.{name}": "of somebody without an account"
        for name in ("report_id", "name", "email", "locale", "told")
    },
    **{
        f"safety.list.{name}": "a list of the cell's, which is about nobody"
        for name in (
            *("id", "name", "version", "source", "category", "near_bits", "size", "digest"),
            *("hashes", "loaded_at", "checked_to", "checked_at", "removed_at"),
        )
    },
    **{
        f"safety.measured.{name}": "numbers over all of the cell"
        for name in ("method", "name", "version", "confirmed", "dismissed")
    },
    "safety.counted_month.month": "of all of the cell",
    "safety.suggestion.review_id": _WORK,
    "safety.report.review_id": _WORK,
    "safety.report.subject_id": _WORK,
    "safety.report.code_hash": "of who has no account, whose code finds it",
    "safety.decision.review_id": _WORK,
    "safety.decision.staff_id": "which of the staff, under a random id that is in the log",
    "safety.appeal.review_id": _WORK,
    "safety.appeal.staff_id": "which of the staff, under a random id that is in the log",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes reports, appeals and cases of the person; statements stay and name nobody."""
    counts = await decisions.erase(tx, person_id) | await store.erase(tx, person_id)
    counts["disclosures"] = await disclosures.erase(tx, person_id)
    counts["suggestions"] = await suggestions.erase(tx, person_id)
    return Removed({name: count for name, count in counts.items() if count})
