"""What the Commission's database takes: our model and the schema that was written by hand, held
together; a wrong value is red in both, rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any, get_args
from uuid import uuid4

import jsonschema_rs
import msgspec
import pytest

from luciole.cell.safety import model, statement
from luciole.cell.safety.eu_database import Statement, StatementCategory
from luciole.cell.safety.model import Act, Decided, Wish

SCHEMA = msgspec.json.decode(
    (files("luciole.cell.safety") / "eu_statement.schema.json").read_bytes()
)
BY_SCHEMA = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)
GONE = object()
RIGHT: dict[str, Any] = {
    "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
    "decision_facts": "Somebody is threatened with a beating.",
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "Terms, section 4",
    "incompatible_content_explanation": "The terms allow no threats.",
    "content_type": ["CONTENT_TYPE_VIDEO"],
    "category": "STATEMENT_CATEGORY_VIOLENCE",
    "territorial_scope": ["DE", "FR"],
    "content_date": "2026-11-20",
    "application_date": "2026-11-26",
    "end_date_visibility_restriction": "2026-11-26",
    "source_type": "SOURCE_ARTICLE_16",
    "automated_detection": "No",
    "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
    "puid": "6f1c2f0e-7a52-4b39-93c5-0d1d1f7c6e11",
}
ILLEGAL: dict[str, Any] = {
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "illegal_content_legal_ground": "Criminal code, article 1",
    "illegal_content_explanation": "It is a threat.",
    "incompatible_content_ground": GONE,
    "incompatible_content_explanation": GONE,
}
OTHER_VISIBILITY = ["DECISION_VISIBILITY_OTHER"]
REQUIRED = (
    *("decision_facts", "decision_ground", "content_type", "category", "territorial_scope"),
    *("content_date", "application_date", "source_type", "automated_detection"),
    *("automated_decision", "puid"),
)
WRONG: dict[str, dict[str, Any]] = {
    **{f"without {name}": {name: GONE} for name in REQUIRED},
    "a field of nobody": {"decision_mood": "bad"},
    "our own id": {"id": 7},
    "no decision": {"decision_visibility": GONE, "end_date_visibility_restriction": GONE},
    "an empty decision": {"decision_visibility": [], "end_date_visibility_restriction": GONE},
    "unknown visibility": {"decision_visibility": ["DECISION_VISIBILITY_HIDDEN"]},
    "visibility that is no list": {"decision_visibility": "DECISION_VISIBILITY_CONTENT_REMOVED"},
    "visibility twice": {"decision_visibility": RIGHT["decision_visibility"] * 2},
    "other visibility without words": {"decision_visibility": OTHER_VISIBILITY},
    "words without other visibility": {"decision_visibility_other": "Shown in grey"},
    "words of other visibility too long": {
        "decision_visibility": OTHER_VISIBILITY,
        "decision_visibility_other": "x" * 501,
    },
    "words of other visibility empty": {
        "decision_visibility": OTHER_VISIBILITY,
        "decision_visibility_other": "",
    },
    "unknown monetary decision": {"decision_monetary": "DECISION_MONETARY_FINE"},
    "other monetary decision without words": {"decision_monetary": "DECISION_MONETARY_OTHER"},
    "words without other monetary decision": {
        "decision_monetary": "DECISION_MONETARY_SUSPENSION",
        "decision_monetary_other": "Half",
    },
    "unknown provision": {"decision_provision": "DECISION_PROVISION_PAUSE"},
    "unknown account decision": {"decision_account": "DECISION_ACCOUNT_DELETED"},
    "unknown type of account": {"account_type": "ACCOUNT_TYPE_PUBLIC"},
    "empty facts": {"decision_facts": ""},
    "facts too long": {"decision_facts": "x" * 5001},
    "unknown ground": {"decision_ground": "DECISION_GROUND_TASTE"},
    "incompatible without its ground": {"incompatible_content_ground": GONE},
    "incompatible without its explanation": {"incompatible_content_explanation": GONE},
    "incompatible with a law": {"illegal_content_legal_ground": "Criminal code, article 1"},
    "ground too long": {"incompatible_content_ground": "x" * 501},
    "explanation too long": {"incompatible_content_explanation": "x" * 2001},
    "illegal without its law": {**ILLEGAL, "illegal_content_legal_ground": GONE},
    "illegal without its explanation": {**ILLEGAL, "illegal_content_explanation": GONE},
    "illegal with terms": {**ILLEGAL, "incompatible_content_ground": "Terms, section 4"},
    "illegal, and incompatible as well": {**ILLEGAL, "incompatible_content_illegal": "Yes"},
    "illegal as well, perhaps": {"incompatible_content_illegal": "Perhaps"},
    "no type of content": {"content_type": []},
    "unknown type of content": {"content_type": ["CONTENT_TYPE_FILM"]},
    "type of content twice": {"content_type": ["CONTENT_TYPE_VIDEO"] * 2},
    "other content without words": {"content_type": ["CONTENT_TYPE_OTHER"]},
    "words without other content": {"content_type_other": "account"},
    "category of the first version": {
        "category": "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT"
    },
    "category as we write it": {"category": "violence"},
    "unknown second category": {"category_addition": ["STATEMENT_CATEGORY_NOISE"]},
    "no country": {"territorial_scope": []},
    "country outside of the EEA": {"territorial_scope": ["FR", "US"]},
    "all countries as we write it": {"territorial_scope": ["*"]},
    "country twice": {"territorial_scope": ["FR", "FR"]},
    "language as a word": {"content_language": "French"},
    "no day": {"content_date": "26/11/2026"},
    "a day that is none": {"content_date": "2026-02-30"},
    "a time": {"application_date": "2026-11-26T12:00:00Z"},
    "content before 2000": {"content_date": "1999-12-31"},
    "decided before 2020": {
        "application_date": "2019-12-31",
        "end_date_visibility_restriction": GONE,
    },
    "end of a monetary decision that is none": {"end_date_monetary_restriction": "2026-12-01"},
    "end of a service decision that is none": {"end_date_service_restriction": "2026-12-01"},
    "end of an account decision that is none": {"end_date_account_restriction": "2026-12-01"},
    "end of a visibility decision that is none": {
        "decision_visibility": GONE,
        "decision_account": "DECISION_ACCOUNT_SUSPENDED",
    },
    "unknown source": {"source_type": "SOURCE_RUMOUR"},
    "identity too long": {"source_identity": "x" * 501},
    "detection as a boolean": {"automated_detection": True},
    "decision of a machine as a word": {"automated_decision": "No"},
    "puid with a space": {"puid": "a b"},
    "puid too long": {"puid": "x" * 501},
}
# What compares two days, which a schema cannot.
WRONG_DAYS = {"end before it began": {"end_date_visibility_restriction": "2026-11-25"}}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (RIGHT | changes).items() if value is not GONE}


def is_right(one: dict[str, Any]) -> bool:
    try:
        msgspec.convert(one, Statement)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "changes",
    [
        {},
        ILLEGAL,
        {"decision_visibility": OTHER_VISIBILITY, "decision_visibility_other": "Shown in grey"},
        {"decision_monetary": "DECISION_MONETARY_OTHER", "decision_monetary_other": "Half"},
        {"content_type": ["CONTENT_TYPE_OTHER"], "content_type_other": "account"},
        {"category_addition": ["STATEMENT_CATEGORY_SELF_HARM"], "content_language": "FR"},
        {"incompatible_content_illegal": "Yes"},
    ],
)
def test_what_the_rules_allow_passes(changes: dict[str, Any]) -> None:
    one = changed(changes)
    assert BY_SCHEMA.is_valid(one), list(map(str, BY_SCHEMA.iter_errors(one)))
    # Nothing is lost or added on the way through the model.
    assert msgspec.to_builtins(msgspec.convert(one, Statement)) == one


@pytest.mark.parametrize("name", WRONG)
def test_wrong_value_is_red_in_the_model_and_the_schema(name: str) -> None:
    one = changed(WRONG[name])
    assert not is_right(one)
    assert not BY_SCHEMA.is_valid(one)


@pytest.mark.parametrize("name", WRONG_DAYS)
def test_days_are_compared_by_the_model(name: str) -> None:
    assert not is_right(changed(WRONG_DAYS[name]))


def test_model_and_schema_have_the_same_fields() -> None:
    fields = {field.name: field.required for field in msgspec.structs.fields(Statement)}
    assert set(fields) == set(SCHEMA["properties"])
    assert {name for name, needed in fields.items() if needed} == set(SCHEMA["required"])


def test_each_of_our_categories_is_one_of_theirs() -> None:
    ours = {"STATEMENT_CATEGORY_" + one.upper().replace("-", "_") for one in model.CATEGORIES}
    assert ours == set(get_args(StatementCategory)) == set(SCHEMA["properties"]["category"]["enum"])


@pytest.mark.parametrize("is_illegal", [False, True])
@pytest.mark.parametrize("days", [None, 3])
@pytest.mark.parametrize(
    ("act", "what"),
    [
        *((act, "clip") for act in ("remove", "adults", "label")),
        ("remove", "comment"),
        *((act, "person") for act in ("limit", "suspend")),
    ],
)
def test_each_decision_makes_a_statement_that_both_take(
    act: Act, what: Decided, days: int | None, is_illegal: bool
) -> None:
    now = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
    wish = Wish(act, "self-harm", is_illegal, "Section 4", "Because of it.", "What is seen.")
    said = statement.made(
        uuid4(),
        wish,
        what,
        content_on=date(2026, 11, 26),
        now=now,
        until=now + timedelta(days=days) if days else None,
        source="SOURCE_VOLUNTARY",
        is_suggested=True,
    )
    assert BY_SCHEMA.is_valid(said), list(map(str, BY_SCHEMA.iter_errors(said)))
    assert msgspec.to_builtins(msgspec.convert(said, Statement)) == said
