"""Whose film is made next, and how long one waits. Pure.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996, section 2), with films for packets
and authors for flows: a film's turn is the later of now, in turns, and the one after its author's
last. The lowest turn is served first. So an author's hundred films take a hundred turns, one film
of each other author may stand before every one of them, and none waits for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

MOST = 999_999_999
# Jobs of one kind with a lower turn have a higher priority; all kinds stay within 32 bits.
BANDS = {"media.prepare": 0, "media.ladder": -1_000_000_000}
# Before anything is known of this cell, and of a film on which work has just begun.
FIRST_GUESS_MS = 15_000
KNOWN_FROM_PERCENT = 15
# Weight of the newest film in the mean.
NEWEST = 0.2


class Work(msgspec.Struct, frozen=True):
    """A film on its way: `progress` in percent, `started_at` None before the work has begun."""

    state: str
    progress: int
    started_at: datetime | None
    turn: int
    waits_for: Literal["disk", "store"] | None


def turn(now: int, authors_last: int | None) -> int:
    """The turn of a new film; `now` is the lowest that waits, or else the last that was served."""
    return min(MOST, now if authors_last is None else max(now, authors_last + 1))


def priority(job: str, turn: int) -> int:
    """Of that job for a film with that turn; higher runs first."""
    return BANDS[job] - turn


def mean_ms(before: int | None, newest_ms: int) -> int:
    """How long a film takes, after one more has been made."""
    newest_ms = max(1, newest_ms)
    return newest_ms if before is None else max(1, round(before + (newest_ms - before) * NEWEST))


def left_s(
    film: Work, ahead: int, at_work: Sequence[Work], pace_ms: int | None, now: datetime
) -> int:
    """About how many seconds until a film can be played. `ahead` wait before it; `at_work` are all
    films that are being made, on however many machines."""
    pace_ms = pace_ms or FIRST_GUESS_MS
    if film.state != "queued":
        return math.ceil(_rest_ms(film, pace_ms, now) / 1000)
    lanes = max(1, len(at_work))
    rest_ms = sum(_rest_ms(each, pace_ms, now) for each in at_work)
    return math.ceil(((rest_ms + ahead * pace_ms) / lanes + pace_ms) / 1000)


def _rest_ms(film: Work, pace_ms: int, now: datetime) -> float:
    if film.started_at is None:
        return pace_ms
    gone_ms = max(0.0, (now - film.started_at).total_seconds() * 1000)
    if film.progress >= KNOWN_FROM_PERCENT:
        return gone_ms * (100 - film.progress) / film.progress
    # Slower than most: it will take at least as long again as a small part of it.
    return max(pace_ms - gone_ms, pace_ms / 10)
