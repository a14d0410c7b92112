"""What the Commission's transparency database takes (`POST /api/v2/statement`): fields, rules.

Source: the database's own documentation of its API, version 2, in force since 1 July 2025
(transparency.dsa.ec.europa.eu, page `api-documentation`; repository
digital-services-act/transparency-database). Two fields that we never fill are left out,
`category_specification` (keywords) and `content_id` (EAN-13), and any other field is refused. The
same rules, but for those that compare two days, are in `eu_statement.schema.json` beside this file;
a test holds them together.

Where the database would silently drop a field, such as a ground that is not the decision's, this
refuses it: what we say is either meant or wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec

Visibility = Literal[
    "DECISION_VISIBILITY_CONTENT_REMOVED",
    "DECISION_VISIBILITY_CONTENT_DISABLED",
    "DECISION_VISIBILITY_CONTENT_DEMOTED",
    "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_LABELLED",
    "DECISION_VISIBILITY_OTHER",
]
Monetary = Literal[
    "DECISION_MONETARY_SUSPENSION", "DECISION_MONETARY_TERMINATION", "DECISION_MONETARY_OTHER"
]
Provision = Literal[
    "DECISION_PROVISION_PARTIAL_SUSPENSION",
    "DECISION_PROVISION_TOTAL_SUSPENSION",
    "DECISION_PROVISION_PARTIAL_TERMINATION",
    "DECISION_PROVISION_TOTAL_TERMINATION",
]
Account = Literal["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"]
AccountType = Literal["ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"]
Ground = Literal["DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"]
ContentType = Literal[
    "CONTENT_TYPE_APP",
    "CONTENT_TYPE_AUDIO",
    "CONTENT_TYPE_IMAGE",
    "CONTENT_TYPE_PRODUCT",
    "CONTENT_TYPE_SYNTHETIC_MEDIA",
    "CONTENT_TYPE_TEXT",
    "CONTENT_TYPE_VIDEO",
    "CONTENT_TYPE_OTHER",
]
StatementCategory = Literal[
    "STATEMENT_CATEGORY_ANIMAL_WELFARE",
    "STATEMENT_CATEGORY_CONSUMER_INFORMATION",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE",
    "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN",
    "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE",
    "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
    "STATEMENT_CATEGORY_PROTECTION_OF_MINORS",
    "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
    "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
    "STATEMENT_CATEGORY_SELF_HARM",
    "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
    "STATEMENT_CATEGORY_VIOLENCE",
]
# The EU's members, then Iceland, Liechtenstein, Norway.
# fmt: off
Country = Literal[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO",
]
# fmt: on
Source = Literal[
    "SOURCE_ARTICLE_16",
    "SOURCE_TRUSTED_FLAGGER",
    "SOURCE_TYPE_OTHER_NOTIFICATION",
    "SOURCE_VOLUNTARY",
]
Automation = Literal[
    "AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"
]
YesNo = Literal["Yes", "No"]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Long = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Facts = Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]
Puid = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,500}$")]

FIRST_CONTENT = date(2000, 1, 1)
FIRST_APPLICATION = date(2020, 1, 1)


class Statement(msgspec.Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """One statement as the database of the Commission takes it. Decoding or converting one raises
    `msgspec.ValidationError` where a field, a code or a rule is broken."""

    decision_visibility: list[Visibility] = []
    decision_visibility_other: Short | None = None
    decision_monetary: Monetary | None = None
    decision_monetary_other: Short | None = None
    decision_provision: Provision | None = None
    decision_account: Account | None = None
    account_type: AccountType | None = None
    decision_facts: Facts
    decision_ground: Ground
    decision_ground_reference_url: Short | None = None
    illegal_content_legal_ground: Short | None = None
    illegal_content_explanation: Long | None = None
    incompatible_content_ground: Short | None = None
    incompatible_content_explanation: Long | None = None
    incompatible_content_illegal: YesNo | None = None
    content_type: list[ContentType]
    content_type_other: Short | None = None
    category: StatementCategory
    category_addition: list[StatementCategory] = []
    territorial_scope: list[Country]
    content_language: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    content_date: date
    application_date: date
    end_date_visibility_restriction: date | None = None
    end_date_monetary_restriction: date | None = None
    end_date_service_restriction: date | None = None
    end_date_account_restriction: date | None = None
    source_type: Source
    source_identity: Short | None = None
    automated_detection: YesNo
    automated_decision: Automation
    puid: Puid

    def __post_init__(self) -> None:
        broken = next(_broken(self), None)
        if broken is not None:
            raise ValueError(broken)


def _broken(one: Statement) -> Iterator[str]:
    """The rules about several fields that a statement breaks."""
    ends = (
        (one.decision_visibility, one.end_date_visibility_restriction, "visibility"),
        (one.decision_monetary, one.end_date_monetary_restriction, "monetary"),
        (one.decision_provision, one.end_date_service_restriction, "service"),
        (one.decision_account, one.end_date_account_restriction, "account"),
    )
    if not any(decided for decided, _, _ in ends):
        yield "one of the four decisions is needed"
    for name, codes in (
        ("decision_visibility", one.decision_visibility),
        ("content_type", one.content_type),
        ("category_addition", one.category_addition),
        ("territorial_scope", one.territorial_scope),
    ):
        if len(set(codes)) != len(codes):
            yield f"{name} says something twice"
    for name, others in (
        ("content_type", one.content_type),
        ("territorial_scope", one.territorial_scope),
    ):
        if not others:
            yield f"{name} is needed"
    yield from _other("decision_visibility", one.decision_visibility, one.decision_visibility_other)
    monetary = [one.decision_monetary] if one.decision_monetary else []
    yield from _other("decision_monetary", monetary, one.decision_monetary_other)
    yield from _other("content_type", one.content_type, one.content_type_other)
    yield from _grounds(one)
    if one.content_date < FIRST_CONTENT:
        yield f"content_date is before {FIRST_CONTENT}"
    if one.application_date < FIRST_APPLICATION:
        yield f"application_date is before {FIRST_APPLICATION}"
    for decided, end, name in ends:
        if end is not None and not decided:
            yield f"end_date_{name}_restriction ends what was not decided"
        if end is not None and end < one.application_date:
            yield f"end_date_{name}_restriction is before application_date"


def _other(name: str, codes: Sequence[str], words: str | None) -> Iterator[str]:
    if any(code.endswith("_OTHER") for code in codes) != (words is not None):
        yield f"{name}_other goes with {name} OTHER, and only with it"


def _grounds(one: Statement) -> Iterator[str]:
    illegal = (one.illegal_content_legal_ground, one.illegal_content_explanation)
    incompatible = (one.incompatible_content_ground, one.incompatible_content_explanation)
    is_illegal = one.decision_ground == "DECISION_GROUND_ILLEGAL_CONTENT"
    needed, foreign = (illegal, incompatible) if is_illegal else (incompatible, illegal)
    if None in needed:
        yield "decision_ground needs its ground and its explanation"
    if any(text is not None for text in foreign):
        yield "a ground is given that is not decision_ground"
    if is_illegal and one.incompatible_content_illegal is not None:
        yield "incompatible_content_illegal is of content that is incompatible"
