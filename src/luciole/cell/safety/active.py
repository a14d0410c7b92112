"""How many people used the cell in a month (Regulation (EU) 2022/2065, article 24(2)).

Once a month, two numbers go into the log: at least and at most so many people used an account of
theirs (`people.months`). Visitors without an account are in neither, since nothing tells one from
another; where people are is not known, so all count as if they were in the Union. Below ten, no
number is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from luciole.cell.people.months import service as people
from luciole.cell.safety import statement
from luciole.cell.safety.store import active
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger import store as ledger

LOG = "decisions"
FEWEST = 10
FEW = f"fewer than {FEWEST}"
Number = int | str
#: Article 24(2): an average over the past six months.
AVERAGED = 6


async def count(db: Database, clock: Clock) -> bool:
    """Puts the numbers of the month before into the log, unless they are there; whether it did."""
    now = clock.now()
    first = people.month_before(now.date())
    async with db.tx() as tx:
        if not await active.begin(tx, first):
            return False
        at_least, at_most = await people.in_month(tx, first)
        if at_most == 0:
            return False
        entry = statement.active_entry(first, shown(at_least), shown(at_most), now)
        await ledger.put(tx, LOG, entry)
    return True


def shown(number: int) -> Number:
    """A number of people as it may be said."""
    return number if number >= FEWEST else FEW


def averages(at_least: Mapping[str, Number], at_most: Mapping[str, Number]) -> dict[str, int | str]:
    """Over the six months up to the newest that was counted, and of how many of these there are
    numbers; nothing where none was. A number that was not said counts as 0 from below and as 9
    from above."""
    if not at_most:
        return {}
    months = [month for month in _six_until(max(at_most)) if month in at_most]
    low = sum(_read(at_least[month], 0) for month in months) // len(months)
    high = -(-sum(_read(at_most[month], FEWEST - 1) for month in months) // len(months))
    return {"at-least": shown(low), "at-most": shown(high), "months": len(months)}


def _read(number: Number, unsaid: int) -> int:
    return number if isinstance(number, int) else unsaid


def _six_until(newest: str) -> Sequence[str]:
    year, month = int(newest[:4]), int(newest[5:])
    last = year * 12 + month - 1
    return [f"{one // 12:04}-{one % 12 + 1:02}" for one in range(last - AVERAGED + 1, last + 1)]
