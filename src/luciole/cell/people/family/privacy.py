"""What families store."""

from __future__ import annotations

from luciole.cell.people.family import store
from luciole.cell.people.family.model import CODE_LIFE, DAYS
from luciole.kit.catalogue import Border, DataClass, Held, Owned, columns
from luciole.kit.exported import Exported, of

_PAIRED = "until the pairing ends, or one of the two erases the account"
_CODE = f"{CODE_LIFE.seconds // 60} minutes, or until it is entered, and the next tidying"
_TIME = f"{DAYS} days, or until the device signs out or no family is paired"

HELD: tuple[Held, ...] = (
    *columns(
        "people.family_code",
        "person_id expires_at",
        DataClass.PERSONAL,
        "says who shows a code to be paired with, and until when",
        _CODE,
        Border.NEVER,
    ),
    Held(
        "people.family_code.code_hash",
        DataClass.SECRET,
        "finds who shows a code, by a keyed hash",
        _CODE,
        Border.NEVER,
    ),
    *columns(
        "people.family_pairing",
        "id guardian_id teen_id made_at expires_at guardian_agreed_at teen_agreed_at ends_at",
        DataClass.PERSONAL,
        "which adult's account and which young person's are paired, as both confirmed",
        _PAIRED,
        Border.NEVER,
    ),
    Held(
        "people.family_pairing.seen_on",
        DataClass.PERSONAL,
        "the last day on which the guardian looked at minutes: once a day it is in the journal",
        _PAIRED,
        Border.NEVER,
    ),
    *columns(
        "people.family_limits",
        "id pairing_id state daily_min sleep_from sleep_to keeps_private for_you_off made_at "
        "answered_at",
        DataClass.PERSONAL,
        "the limits that a guardian has set or proposed, and what became of them",
        _PAIRED,
        Border.NEVER,
    ),
    *columns(
        "people.family_time",
        "session_id person_id version reported_at",
        DataClass.PERSONAL,
        "which device of a young person reports minutes to the family, and when it last did",
        _TIME,
        Border.NEVER,
    ),
    Held(
        "people.family_time.offset_minutes",
        DataClass.PERSONAL,
        "how far that device's clock is from UTC: hours of sleep are by it",
        _TIME,
        Border.NEVER,
    ),
    Held(
        "people.family_time.sealed",
        DataClass.PERSONAL,
        "minutes of clips a day and the device's own limits, sealed with the person's data key",
        _TIME,
        Border.NEVER,
    ),
    Held(
        "cache:family codes tried",
        DataClass.TELEMETRY,
        "slows guessing of codes down; who tries as an HMAC under a key of the process",
        "in memory only, until the process ends or 50,000 newer ones have come",
        Border.NEVER,
    ),
)

_BOTH = (
    "pairing_id > people.family_pairing.id > guardian_id",
    "pairing_id > people.family_pairing.id > teen_id",
)
OWNED: tuple[Owned, ...] = (
    Owned("people.family_code", stays="good for minutes"),
    Owned("people.family_pairing", ("guardian_id", "teen_id")),
    Owned("people.family_limits", _BOTH),
    Owned("people.family_time", stays="goes with its session; the device sends it again"),
)

_ANEW = "a family is paired in each cell anew, by both"
EXPORT: tuple[Exported, ...] = (
    Exported(
        "family",
        "whose account is paired with yours in a family",
        {
            **of(
                "people.family_pairing",
                "id guardian_id teen_id made_at expires_at guardian_agreed_at teen_agreed_at "
                "ends_at seen_on",
            ),
            "guardian": "people.person.handle",
            "teen": "people.person.handle",
        },
        store.export_pairings,
        whose="people.family_pairing.guardian_id people.family_pairing.teen_id",
        stays=_ANEW,
    ),
    Exported(
        "family-limits",
        "the limits that were set or proposed in your family, and what became of them",
        of(
            "people.family_limits",
            "id pairing_id state daily_min sleep_from sleep_to keeps_private for_you_off made_at "
            "answered_at",
        ),
        store.export_limits,
        whose="people.family_pairing.guardian_id people.family_pairing.teen_id",
        stays=_ANEW,
    ),
    Exported(
        "family-time",
        "the minutes a day that your devices have reported to your family, opened; sealed where "
        "they are stored",
        {
            **of("people.family_time", "version offset_minutes reported_at"),
            "minutes": "people.family_time.sealed",
        },
        store.export_time,
        whose="people.family_time.person_id",
        stays=_ANEW,
    ),
)
NOT_EXPORTED = {
    "people.family_code.person_id": "your own id, beside a code that is good for minutes",
    "people.family_code.expires_at": "of a code that is good for minutes",
    "people.family_time.session_id": "a number of a session, which is in `sessions` without it",
}
