"""What a moderator wishes to decide: whether it is whole, and what it is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from luciole.cell.notices import model as notices_model
from luciole.cell.notices.model import EVERYWHERE
from luciole.cell.safety import refusals
from luciole.cell.safety.eu_database import Source
from luciole.cell.safety.model import Decided, Report, Subject, Wish

GROUND = range(2, 501)
EXPLANATION = range(10, 2001)
FACTS = range(10, 5001)
DAYS = range(1, 3651)
ABOUT_PEOPLE = ("limit", "suspend")


def target(wish: Wish, subject: Subject) -> tuple[Decided, UUID | None, UUID | None]:
    """Limits and suspensions are about the person, whatever was reported."""
    if wish.act in ABOUT_PEOPLE or subject.what in ("person", "message"):
        return "person", None, None
    return ("clip" if subject.what == "clip" else "comment"), subject.clip_id, subject.comment_id


def each(wish: Wish, subjects: Sequence[Subject]) -> list[Subject]:
    """Each thing once; each person once where it is about them."""
    if wish.act in ABOUT_PEOPLE:
        return list({one.person_id: one for one in subjects}.values())
    return list({(one.clip_id, one.comment_id): one for one in subjects}.values())


def source_of(reports: Sequence[Report]) -> Source:
    """Whether a notice under article 16 led to it, another report, or nobody's."""
    if any(one.is_illegal for one in reports):
        return "SOURCE_ARTICLE_16"
    return "SOURCE_TYPE_OTHER_NOTIFICATION" if reports else "SOURCE_VOLUNTARY"


def clean(wish: Wish) -> Wish:
    """Raises BadDecision."""
    texts = {name: _long(getattr(wish, name)) for name in ("ground", "explanation", "facts")}
    limits = {"ground": GROUND, "explanation": EXPLANATION, "facts": FACTS}
    try:
        countries = notices_model.clean_countries(wish.countries)
    except notices_model.BadCountry:
        raise refusals.BadDecision from None
    is_about_view = wish.act in ("remove", "adults")
    if (
        any(len(texts[name]) not in limits[name] for name in limits)
        or (wish.act == "label") != (wish.label is not None)
        or (wish.act == "limit") != bool(wish.acts)
        or "everything" in wish.acts
        or (wish.days is not None and wish.days not in DAYS)
        or (not is_about_view and countries != (EVERYWHERE,))
    ):
        raise refusals.BadDecision
    acts = tuple(dict.fromkeys(wish.acts))
    return msgspec.structs.replace(wish, countries=countries, acts=acts, **texts)


def _long(text: str) -> str:
    words = "".join(one for one in text.replace("\r\n", "\n") if one == "\n" or one.isprintable())
    return words.strip()
