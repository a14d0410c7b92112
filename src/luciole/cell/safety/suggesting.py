"""What machines suggest: that somebody looks at something. They decide nothing, and what they
point at stays as visible as it was; what moderators make of it is counted, and said with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from luciole.cell.safety import statement, store
from luciole.cell.safety.model import (
    Category,
    Found,
    Measured,
    Method,
    Subject,
    Suggestion,
    SuggestionOutcome,
    severity_of,
)
from luciole.cell.safety.store import suggestions
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger

LOG = "decisions"
# Which outcomes a new one takes the place of: one who reported may appeal, and be right after all.
_BEFORE: dict[SuggestionOutcome, tuple[SuggestionOutcome, ...]] = {
    "confirmed": ("waiting", "dismissed"),
    "dismissed": ("waiting",),
    "gone": ("waiting",),
}


async def suggest(
    tx: Tx,
    found: Found,
    *,
    method: Method,
    name: str,
    version: str,
    facts: dict[str, int],
    category: Category,
    since: datetime,
    now: datetime,
    decision_id: UUID | None = None,
) -> tuple[UUID, bool] | None:
    """Points at something: the case that it is in now, and whether that one is new. None where the
    same list or rule has pointed at it since, or waits for an answer."""
    about_id = found.clip_id or found.comment_id or found.person_id
    await store.hold(tx, f"{about_id}")
    if await suggestions.made_since(tx, about_id, method, name, since):
        return None
    review_id = await store.open_of(tx, found)
    is_new = review_id is None
    if review_id is None:
        review_id = new_id()
        await store.open_review(tx, review_id, category, severity_of(category), now)
        await store.add_subject(tx, new_id(), review_id, found)
    else:
        await store.raise_severity(tx, review_id, category, severity_of(category))
    one = Suggestion(
        new_id(),
        review_id,
        found.person_id,
        about_id,
        method,
        name,
        version,
        facts,
        now,
        "waiting",
        None,
        decision_id,
    )
    await suggestions.add(tx, one)
    await ledger.put(tx, LOG, statement.suggestion_entry(one, found.what))
    return review_id, is_new


async def of_case(tx: Tx, review_id: UUID) -> list[tuple[Suggestion, Measured]]:
    """What machines have pointed at of a case, each with what is measured of its list or rule."""
    found = await suggestions.of_review(tx, review_id)
    keys = [(one.method, one.name, one.version) for one in found]
    measured = {
        (one.method, one.name, one.version): one
        for one in await suggestions.measured(tx, sorted(set(keys)))
    }
    return [
        (one, measured.get(key, Measured(*key, 0, 0))) for one, key in zip(found, keys, strict=True)
    ]


async def pointing_at(
    tx: Tx, review_id: UUID
) -> Callable[[Subject, Literal["thing", "person"]], bool]:
    """Tells of each subject of a review whether a machine pointed at it, or at anything of its
    person."""
    found = await suggestions.of_review(tx, review_id)
    things, persons = {one.about_id for one in found}, {one.person_id for one in found}

    def is_pointed_at(subject: Subject, by: Literal["thing", "person"]) -> bool:
        about_id = subject.clip_id or subject.comment_id or subject.person_id
        return subject.person_id in persons if by == "person" else about_id in things

    return is_pointed_at


async def settle(tx: Tx, review_id: UUID, outcome: SuggestionOutcome, now: datetime) -> None:
    """Notes what a moderator made of what a review was suggested for."""
    await _count(tx, review_id, outcome, now, _BEFORE[outcome])


async def reverse(tx: Tx, review_id: UUID, now: datetime) -> None:
    """Another moderator has reversed what was decided: so the machine was wrong."""
    await _count(tx, review_id, "dismissed", now, ("confirmed",))


async def _count(
    tx: Tx,
    review_id: UUID,
    outcome: SuggestionOutcome,
    now: datetime,
    before: Sequence[SuggestionOutcome],
) -> None:
    settled = await suggestions.settle(tx, review_id, outcome, now, before)
    for one in settled:
        confirmed = (outcome == "confirmed") - (one.was == "confirmed")
        dismissed = (outcome == "dismissed") - (one.was == "dismissed")
        if confirmed or dismissed:
            await suggestions.count(tx, one.method, one.name, one.version, confirmed, dismissed)
    if settled:
        ids = sorted(one.id for one in settled)
        await ledger.put(tx, LOG, statement.suggestions_entry(ids, outcome, now))
