"""Families: codes, pairings, limits, minutes. Pure: no database, no clock."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.people.family import refusals
from luciole.cell.people.model import AgeBand

Side = Literal["guardian", "teen"]
LimitsState = Literal["proposed", "in-force", "declined", "replaced"]
News = Literal["family-paired", "family-limits", "family-answered", "family-ending", "family-ended"]

# Without what is read as something else: 0 and O, 1, I and L.
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_CHARS = 8
CODE_LIFE = timedelta(minutes=10)
CONFIRM_WITHIN = timedelta(minutes=15)
MAX_GUARDIANS = 2
MAX_TEENS = 6
# Below 16 a pairing ends so long after the young person wanted that, and the guardian was told.
NOTICE = timedelta(hours=24)
DAYS = 14
MAX_SLEEP_MINUTES = 14 * 60
DAILY_MINUTES = (10, 240)
CHANGES_SHOWN = 20

TIME_FIELD = "family.time"
PURPOSE = "family"
NEWS_JOB = "people.family-told"

_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_BLANKS = re.compile(r"[\s-]")


class FamilyLimits(msgspec.Struct, frozen=True):
    """What a guardian sets. Each part adds to what the age band gives; none takes from it."""

    daily_min: int | None = None
    """Minutes of clips a day."""
    sleep_from: str | None = None
    sleep_to: str | None = None
    keeps_private: bool = False
    for_you_off: bool = False


class Change(msgspec.Struct, frozen=True):
    """Limits that were set or proposed once, and what became of them."""

    id: UUID
    pairing_id: UUID
    state: LimitsState
    limits: FamilyLimits
    made_at: datetime
    answered_at: datetime | None


class Pairing(msgspec.Struct, frozen=True):
    """Two who are paired, or about to be. `teen_band` is the young person's age band."""

    id: UUID
    guardian_id: UUID
    teen_id: UUID
    teen_band: AgeBand
    made_at: datetime
    expires_at: datetime | None
    guardian_agreed_at: datetime | None
    teen_agreed_at: datetime | None
    ends_at: datetime | None

    @property
    def paired_at(self) -> datetime | None:
        if self.guardian_agreed_at is None or self.teen_agreed_at is None:
            return None
        return max(self.guardian_agreed_at, self.teen_agreed_at)

    def side(self, person_id: UUID) -> Side:
        return "guardian" if person_id == self.guardian_id else "teen"

    def other(self, person_id: UUID) -> UUID:
        return self.teen_id if person_id == self.guardian_id else self.guardian_id


class SleepHours(msgspec.Struct, frozen=True):
    """Times of day, on the clock of the person; it may lie around midnight."""

    begins: str
    ends: str


class Held(msgspec.Struct, frozen=True):
    """What holds for a young person: the tightest of what their guardians have set."""

    daily_min: int | None = None
    sleep: tuple[SleepHours, ...] = ()
    keeps_private: bool = False
    for_you_off: bool = False


class Own(msgspec.Struct, frozen=True):
    """What a young person has set on their own device."""

    limit_min: int = 0
    quiet_from: str | None = None
    quiet_to: str | None = None


class Day(msgspec.Struct, frozen=True, array_like=True):
    """Minutes of clips on one day, by the device's calendar."""

    day: date
    minutes: int


class Report(msgspec.Struct, frozen=True):
    """What a device reports, as it is sealed."""

    days: tuple[Day, ...]
    own: Own


class SealedReport(msgspec.Struct, frozen=True):
    """The same as it is stored."""

    version: int
    sealed: bytes
    reported_at: datetime


# --- codes -------------------------------------------------------------------------------------


def new_code() -> str:
    """Forty bits, in two groups of four."""
    drawn = "".join(secrets.choice(LETTERS) for _ in range(CODE_CHARS))
    return f"{drawn[:4]}-{drawn[4:]}"


def code_of(typed: str) -> str | None:
    """The one form of a code that was typed or scanned; None for what cannot be one."""
    plain = _BLANKS.sub("", typed).upper()
    return plain if len(plain) == CODE_CHARS and set(plain) <= set(LETTERS) else None


# --- limits ------------------------------------------------------------------------------------


def minute_of(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)


def checked(limits: FamilyLimits) -> FamilyLimits:
    """The limits, where they can be ones. Raises BadFamilyLimits."""
    least, most = DAILY_MINUTES
    if limits.daily_min is not None and not least <= limits.daily_min <= most:
        raise refusals.BadFamilyLimits
    begins, ends = limits.sleep_from, limits.sleep_to
    if begins is None and ends is None:
        return limits
    if begins is None or ends is None:
        raise refusals.BadFamilyLimits
    if not _TIME_OF_DAY.fullmatch(begins) or not _TIME_OF_DAY.fullmatch(ends):
        raise refusals.BadFamilyLimits
    if not 0 < (minute_of(ends) - minute_of(begins)) % 1440 <= MAX_SLEEP_MINUTES:
        raise refusals.BadFamilyLimits
    return limits


def together(several: Iterable[FamilyLimits]) -> Held:
    """The tightest of what several guardians have set."""
    found = list(several)
    daily = [one.daily_min for one in found if one.daily_min is not None]
    windows = {
        SleepHours(one.sleep_from, one.sleep_to)
        for one in found
        if one.sleep_from is not None and one.sleep_to is not None
    }
    return Held(
        min(daily, default=None),
        tuple(sorted(windows, key=lambda one: (one.begins, one.ends))),
        any(one.keeps_private for one in found),
        any(one.for_you_off for one in found),
    )


def is_asleep(held: Held, now: datetime, offset_minutes: int | None) -> bool:
    """Whether it is an hour of sleep on a clock so far ahead of UTC; False where that is not
    known."""
    if offset_minutes is None:
        return False
    there = now + timedelta(minutes=offset_minutes)
    minute = there.hour * 60 + there.minute

    def since(begins: str, at: int) -> int:
        return (at - minute_of(begins)) % 1440

    return any(
        since(one.begins, minute) < since(one.begins, minute_of(one.ends)) for one in held.sleep
    )


def sets_at_once(band: AgeBand) -> bool:
    """Whether a guardian's limits hold at once; from 16 on they are proposed."""
    return band in ("under-13", "13-15")


def ends_alone(band: AgeBand) -> bool:
    """Whether the young person ends a pairing at once; below 16 the guardian has notice."""
    return band not in ("under-13", "13-15")


# --- minutes -----------------------------------------------------------------------------------


def reported(days: Sequence[Day], own: Own, today: date) -> Report:
    """What is kept of a report: the days that a guardian sees, by a calendar that may be a day
    ahead of ours or behind. Raises BadFamilyTime."""
    if len({one.day for one in days}) < len(days):
        raise refusals.BadFamilyTime
    if any(not 0 <= one.minutes <= 1440 for one in days):
        raise refusals.BadFamilyTime
    for time_of_day in (own.quiet_from, own.quiet_to):
        if time_of_day is not None and not _TIME_OF_DAY.fullmatch(time_of_day):
            raise refusals.BadFamilyTime
    # A clock that goes wrong is nobody's fault: its other days are left out.
    first, last = today - timedelta(days=DAYS), today + timedelta(days=1)
    kept = sorted((one for one in days if first < one.day <= last), key=lambda one: one.day)
    return Report(tuple(kept[-DAYS:]), own)


def summed(reports: Iterable[Report], today: date) -> list[Day]:
    """Minutes of all devices together, the last 14 days, the newest first."""
    sums: dict[date, int] = {}
    for report in reports:
        for one in report.days:
            sums[one.day] = min(1440, sums.get(one.day, 0) + one.minutes)
    first = today - timedelta(days=DAYS)
    return [Day(day, sums[day]) for day in sorted(sums, reverse=True) if day > first][:DAYS]
