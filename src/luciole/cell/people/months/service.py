"""How many people used their account in a month: a bound from below and one from above.

What is read is what sessions say anyway, the last day of each, and how many people's last session
of a month is over, without whose.
"""

from __future__ import annotations

from datetime import date, timedelta

from luciole.cell.people.store import active
from luciole.kit.db import Tx


async def in_month(tx: Tx, first: date) -> tuple[int, int]:
    """At least and at most so many people, in the month that begins on `first` and is over. Ask
    soon after its end: whoever comes in the next month is seen in this one no more, so the lower
    number sinks and the upper one stays."""
    return await active.in_month(tx, first)


async def tidy(tx: Tx, today: date) -> None:
    """Forgets what months were made with that are counted, or will not be."""
    await active.tidy(tx, month_before(today))


def month_before(day: date) -> date:
    """The first day of the month before that of a day."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
