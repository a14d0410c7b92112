"""Cases at the edge of each limit: the last moment that is right, and the first that is not."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import seal
from tests.vectors.world import (
    DAY,
    ELM,
    FIRST_DAY,
    HOUR,
    LAST,
    MINUTE,
    NOW,
    OAK,
    World,
    statement,
    text,
)

DUE = 26 * HOUR


def seen(world: World, at: int) -> None:
    world.witnesses = [(OAK, at), (ELM, at)]


@case("edge-clock", GREEN, about="Witnesses five minutes ahead.")
def _(world: World) -> None:
    seen(world, NOW + 5 * MINUTE)
    world.ledger()


@case("edge-clock-over", RED, "witness.future", about="Witnesses five minutes and a second ahead.")
def _(world: World) -> None:
    seen(world, NOW + 5 * MINUTE + 1)
    world.ledger()


@case("edge-fresh", GREEN, about="Witnesses saw it 26 hours ago.")
def _(world: World) -> None:
    seen(world, NOW - DUE)
    world.ledger()


@case("edge-fresh-over", UNSURE, "witness.stale", about="Witnesses saw it a second before.")
def _(world: World) -> None:
    seen(world, NOW - DUE - 1)
    world.ledger()


@case("edge-future", GREEN, about="An entry five minutes ahead.")
def _(world: World) -> None:
    world.entries["border"].append(text(NOW + 5 * MINUTE, "out"))
    world.ledger()


@case("edge-future-over", RED, "entry.future", about="An entry five minutes and a second ahead.")
def _(world: World) -> None:
    world.entries["border"].append(text(NOW + 5 * MINUTE + 1, "out"))
    world.ledger()


@case("edge-disorder", GREEN, about="An entry that was overtaken for an hour.")
def _(world: World) -> None:
    world.entries["border"] += [text(LAST, "out"), text(LAST - HOUR, "out")]
    world.ledger()


@case("edge-disorder-over", RED, "entry.back-dated", about="An hour and a second.")
def _(world: World) -> None:
    world.entries["border"] += [text(LAST, "out"), text(LAST - HOUR - 1, "out")]
    world.ledger()


def unsealed(world: World, minutes: int) -> None:
    """One entry that is not sealed, and the newest so much later."""
    entries, cleo = world.entries["access"], world.someone("cleo")
    del entries[15:]
    at = FIRST_DAY + 2 * DAY + 11 * HOUR + 30 * MINUTE
    entries[14] = cleo.entry("grant", "self", at)
    entries.insert(14, seal(entries, 0, 14, at))
    del entries[16:]
    entries.append(cleo.entry("grant", "self", at + minutes * MINUTE))


@case("edge-seal", GREEN, about="26 hours without a seal.", now=NOW + 3 * HOUR)
def _(world: World) -> None:
    unsealed(world, 26 * 60)
    seen(world, NOW + 2 * HOUR)
    world.ledger()


@case("edge-seal-over", RED, "seal.missing", about="A minute more.", now=NOW + 3 * HOUR)
def _(world: World) -> None:
    unsealed(world, 26 * 60 + 1)
    seen(world, NOW + 2 * HOUR)
    world.ledger()


# In the good journal the last seal is of 00:05 of the last day.
SEALED = FIRST_DAY + 3 * DAY + 5 * MINUTE


@case("edge-journal", GREEN, about="A journal whose last seal is 26 hours old.", now=NOW + DAY)
def _(world: World) -> None:
    seen(world, SEALED + DUE)
    world.journal("ana")


@case("edge-journal-over", UNSURE, "journal.unsealed", about="A second older.", now=NOW + DAY)
def _(world: World) -> None:
    seen(world, SEALED + DUE + 1)
    world.journal("ana")


@case("edge-journal-ahead", GREEN, about="Witnesses five minutes behind the seal.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    entries.append(seal(entries, 0, 18, LAST))
    entries.append(cleo.entry("grant", "self", LAST))
    seen(world, LAST - 5 * MINUTE)
    world.journal("ana")


@case("edge-journal-ahead-over", UNSURE, "journal.unsealed", about="A second more.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    entries.append(seal(entries, 0, 18, LAST))
    entries.append(cleo.entry("grant", "self", LAST))
    seen(world, LAST - 5 * MINUTE - 1)
    world.journal("ana")


def hidden_at(world: World, ahead: int) -> None:
    """An entry so many numbers after Ana's last one, which the journal does not show."""
    entries, ana = world.entries["access"], world.someone("ana")
    shown = list(ana.entries)
    ana.entries += [(b"", b"", {})] * (ahead - 1)
    entries.append(ana.entry("read", "staff", LAST))
    entries.append(seal(entries, 0, 19, LAST + MINUTE))
    ana.entries = shown
    world.journal("ana")


@case("edge-window", RED, "journal.hidden", about="The 64th number after the last one is taken.")
def _(world: World) -> None:
    hidden_at(world, 64)


@case("edge-window-over", GREEN, about="The 65th is: what no verifier is asked to look for.")
def _(world: World) -> None:
    hidden_at(world, 65)


@case("edge-statement", GREEN, about="A second before one o'clock.", now=NOW + 14 * HOUR)
def _(world: World) -> None:
    seen(world, FIRST_DAY + 4 * DAY + HOUR - 1)
    world.ledger()


@case("edge-statement-over", RED, "statement.gap", about="At one o'clock.", now=NOW + 14 * HOUR)
def _(world: World) -> None:
    seen(world, FIRST_DAY + 4 * DAY + HOUR)
    world.ledger()


@case("edge-end-of-day", GREEN, about="A statement that was made at midnight.")
def _(world: World) -> None:
    world.entries["decisions"][3] = statement(FIRST_DAY + 2 * DAY, {"at": "2026-11-26T00:00:00Z"})
    world.ledger()
