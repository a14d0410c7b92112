"""Clips that are made from others: side by side with one, or after a part of one."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Invalid, NotAllowed

How = Literal["duet", "stitch"]
SHORTEST_QUOTE_MS = 500
LONGEST_QUOTE_MS = 5000


class NotQuotable(NotAllowed):
    code = "not-quotable"
    sentence = "No duet and no stitch can be made with this clip."
    next_step = "Choose a clip that is for everyone, and whose author lets others do this."


class QuotesClosed(NotAllowed):
    code = "quotes-closed"
    sentence = "Nobody can make duets or stitches with clips of people under 18."
    next_step = "Leave it closed; you can still make your own."


class BadQuote(Invalid):
    code = "bad-quote"
    sentence = (
        "A stitch begins with half a second to five seconds of the other clip, and neither it nor "
        "a duet has a sound of a third one."
    )
    next_step = "Choose another part of that clip, or leave out the sound."


class MadeFrom(msgspec.Struct, frozen=True):
    """The clip that one is made from, and the part of it that is shown."""

    first_id: UUID
    asset_id: UUID
    how: How
    start_ms: int
    end_ms: int


class Quotable(msgspec.Struct, frozen=True):
    """A clip that everybody may see; whether its author lets others quote it."""

    clip_id: UUID
    author_id: UUID
    asset_id: UUID
    lets_quote: bool


def part_of(how: How, start_ms: int, end_ms: int | None, duration_ms: int) -> tuple[int, int]:
    """Start and end of what is shown of a clip of that length: all of it beside, and at most five
    seconds before. No end: as much as may be. Raises BadQuote."""
    if how == "duet":
        return 0, duration_ms
    end_ms = min(start_ms + LONGEST_QUOTE_MS, duration_ms) if end_ms is None else end_ms
    if end_ms > duration_ms or not SHORTEST_QUOTE_MS <= end_ms - start_ms <= LONGEST_QUOTE_MS:
        raise BadQuote
    return start_ms, end_ms
