"""Cases about the daily statements."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, case
from tests.vectors.log_writer import seal
from tests.vectors.world import (
    DAY,
    ELM,
    FIRST_DAY,
    HOUR,
    NOW,
    OAK,
    OTHER_CELL,
    World,
    statement,
)

# Daily statements. In the good decisions log they stand at 1, 2 and 3.


def stated(
    name: str, verdict: str, *codes: str, about: str, day: int = 1, **changes: object
) -> None:
    """A case whose statement for one day says something else."""

    @case(name, verdict, *codes, about=about)
    def _(world: World) -> None:
        world.entries["decisions"][day + 1] = statement(FIRST_DAY + day * DAY, **changes)
        world.ledger()


stated(
    "statement-other-cell", RED, "statement.format", about="About another cell.", cell=OTHER_CELL
)
stated(
    "statement-sums",
    RED,
    "statement.format",
    about="The sum of crossings is another.",
    crossings={"clip": 1, "total": 2},
)
stated(
    "statement-negative",
    RED,
    "statement.format",
    about="A negative count.",
    crossings={"a": -1, "b": 1, "total": 0},
)
stated("statement-word", RED, "statement.format", about="A count in words.", staff_reads="one")
stated(
    "statement-lies",
    RED,
    "statement.counts",
    about="No staff read, where the log shows one.",
    staff_reads=0,
)
stated(
    "statement-more", GREEN, about="More reads than the log shows by its minutes.", staff_reads=2
)
stated(
    "statement-early",
    RED,
    "statement.early",
    about="Made before its day was over.",
    at="2026-11-24T23:59:59Z",
)


@case("statement-lies-of-legal", RED, "statement.counts", about="A legal read that is not told.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    at = FIRST_DAY + 2 * DAY + 12 * HOUR
    entries.insert(14, cleo.entry("read", "legal", at))
    entries[15] = seal(entries, 0, 15, at + 12 * HOUR)
    world.ledger()


def restated(name: str, verdict: str, *codes: str, about: str, days: list[int]) -> None:
    """A case with statements for these days, counted from the first, in this order."""

    @case(name, verdict, *codes, about=about)
    def _(world: World) -> None:
        world.entries["decisions"][1:] = [statement(FIRST_DAY + day * DAY) for day in days]
        world.ledger()


restated(
    "statement-missing", RED, "statement.gap", about="A day in between is missing.", days=[0, 2]
)
restated(
    "statement-missing-first", RED, "statement.gap", about="The first day is missing.", days=[1, 2]
)
restated("statement-missing-last", RED, "statement.gap", about="Yesterday is missing.", days=[0, 1])
restated("statement-missing-all", RED, "statement.gap", about="There is none at all.", days=[])
restated("statement-twice", RED, "statement.gap", about="A day has two.", days=[0, 1, 1, 2])


@case("statement-before", GREEN, about="Statements began two days before the first entry.")
def _(world: World) -> None:
    days = [statement(FIRST_DAY + day * DAY, staff_reads=1) for day in range(-2, 3)]
    world.entries["decisions"][:1] = []
    world.entries["decisions"][:3] = days
    world.ledger()


@case("statement-impossible-day", RED, "statement.format", about="For the 31st of November.")
def _(world: World) -> None:
    made = world.entries["decisions"]
    made[2] = made[2].replace(b'"day":"2026-11-24"', b'"day":"2026-11-31"')
    world.ledger()


@case(
    "statement-late",
    RED,
    "statement.gap",
    about="Past one o'clock, yesterday's is missing.",
    now=NOW + DAY // 2 + 3 * HOUR,
)
def _(world: World) -> None:
    world.witnesses = [(one, NOW + DAY // 2 + 2 * HOUR) for one in (OAK, ELM)]
    world.ledger()


@case(
    "statement-of-old-copy",
    GREEN,
    about="An old copy judged for its day needs no later ones.",
    now=NOW - DAY,
)
def _(world: World) -> None:
    access = world.entries["access"]
    world.entries["access"] = access[:14]
    world.entries["decisions"] = world.entries["decisions"][:3]
    world.entries["border"] = world.entries["border"][:2]
    world.witnesses = [(one, NOW - DAY - HOUR) for one in (OAK, ELM)]
    world.ledger()
