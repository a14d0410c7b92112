"""Cases about the daily statements."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import seal
from tests.vectors.world import (
    DAY,
    ELM,
    FIRST_DAY,
    HOUR,
    MINUTE,
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
        said = {name.rstrip("_"): value for name, value in changes.items()}
        world.entries["decisions"][day + 1] = statement(FIRST_DAY + day * DAY, said)
        world.ledger()


stated(
    "statement-other-cell", RED, "statement.format", about="About another cell.", cell=OTHER_CELL
)
stated("statement-no-ranges", RED, "statement.format", about="Without ranges.", ranges={})
stated("statement-impossible-day", RED, "statement.format", about="No such day.", day_="2026-11-31")
stated(
    "statement-early",
    RED,
    "statement.early",
    about="Made before its day was over.",
    at="2026-11-24T23:59:59Z",
)


def counted(name: str, about: str, **changes: object) -> None:
    stated(f"statement-{name}", RED, "statement.counts", about=about, **changes)


# On the second day the access log has the entries 5 to 9: a seal, an enrolment, two grants, a read
# by staff. The border has one entry.
KINDS = {"enrol": 1, "grant": 2, "read": 1}
counted("lies", "No staff read, where the log has one.", staff_reads=0)
counted("more", "A staff read more than the log has.", staff_reads=2)
counted("word", "A count in words.", staff_reads="one")
counted("true", "A count that is no number.", staff_reads=True)
counted("legal", "A legal read that the log does not have.", legal_reads=1)
counted("erasures", "An erasure that the log does not have.", erasures=1)
counted("seals", "No seal, where the log has one.", seals=0)
counted("kind-missing", "A kind is left out.", entries={"access": {"enrol": 1, "grant": 2}})
counted("kind-fewer", "A grant less.", entries={"access": KINDS | {"grant": 1}})
counted("kind-more", "A kind that the log does not have.", entries={"access": KINDS | {"key": 1}})
counted("crossings", "A crossing more.", crossings={"out": 2, "total": 2})
counted("crossing-kind", "A crossing of another kind.", crossings={"in": 1, "total": 1})
counted("sums", "The sum of crossings is another.", crossings={"out": 1, "total": 2})
counted(
    "ranges-apart", "An entry is left out between.", ranges={"access": [6, 10], "border": [1, 2]}
)
counted("ranges-twice", "An entry is counted twice.", ranges={"access": [4, 10], "border": [1, 2]})
counted("border-apart", "A crossing is left out.", ranges={"access": [5, 10], "border": [2, 3]})
counted(
    "ranges-back",
    "A range that ends before it begins.",
    ranges={"access": [5, 4], "border": [1, 2]},
    seals=0,
    staff_reads=0,
    entries={"access": {}},
)
counted(
    "border-back",
    "A range of the border that ends before it begins.",
    ranges={"access": [5, 10], "border": [1, 0]},
    crossings={"total": -1},
)


def beyond(name: str, **changes: object) -> None:
    """The last statement counts entries that the log does not have."""
    about = f"Beyond the end of the log: {name}."

    @case(f"statement-{name}-beyond", RED, "statement.counts", about=about)
    def _(world: World) -> None:
        world.entries["decisions"][3] = statement(FIRST_DAY + 2 * DAY, changes)
        world.ledger()


beyond(
    "ranges",
    ranges={"access": [10, 19], "border": [2, 3]},
    entries={"access": {"grant": 4, "read": 2}},
    staff_reads=2,
    seals=2,
)
beyond("border", ranges={"access": [10, 14], "border": [2, 4]}, crossings={"out": 1, "total": 2})


@case("statement-lies-of-legal", RED, "statement.counts", about="A legal read that is not told.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    at = FIRST_DAY + 2 * DAY + 12 * HOUR
    entries.insert(14, cleo.entry("read", "legal", at))
    entries[15] = seal(entries, 0, 15, at + 12 * HOUR)
    world.entries["decisions"][3] = statement(FIRST_DAY + 2 * DAY, {"legal_reads": 0})
    world.ledger()


@case("statement-of-all", GREEN, about="Reads by staff and the law, and an erasure, all told.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    at = FIRST_DAY + 2 * DAY + 12 * HOUR
    entries[14:14] = [
        cleo.entry("read", "legal", at),
        cleo.entry("read", "staff", at),
        cleo.entry("erase", "self", at),
    ]
    entries[17] = seal(entries, 0, 17, at + 12 * HOUR)
    world.ledger()


@case("statement-late-entry", GREEN, about="What came after midnight counts to the next day.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    at = FIRST_DAY + 2 * DAY
    entries.insert(11, cleo.entry("read", "staff", at - MINUTE))
    entries[15] = seal(entries, 0, 15, at + DAY)
    world.ledger()


@case(
    "statement-without-access",
    UNSURE,
    "tree.missing",
    about="A copy without the access log's entries.",
)
def _(world: World) -> None:
    world.ledger()
    del world.files["ledger/access/tile/entries/000.p/18"]


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
    days = [statement(FIRST_DAY + day * DAY) for day in range(-2, 3)]
    world.entries["decisions"][:1] = []
    world.entries["decisions"][:3] = days
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
