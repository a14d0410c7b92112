"""Cases about seals of the access log."""

from __future__ import annotations

from tests.vectors.case import GREEN, RED, case
from tests.vectors.log_writer import labels_in, mth, seal
from tests.vectors.world import HOUR, LAST, MINUTE, World

# Seals. In the good access log they stand at 5, 10 and 14; 15 to 17 are not sealed yet.


@case("seal-missing", RED, "seal.missing", about="The seal of the last midnight is missing.")
def _(world: World) -> None:
    entries = world.entries["access"]
    del entries[[i for i, entry in enumerate(entries) if entry[1] == 0x80][-1]]
    world.ledger()


@case("seal-never", RED, "seal.missing", about="Three days without a seal.")
def _(world: World) -> None:
    world.entries["access"] = [entry for entry in world.entries["access"] if entry[1] != 0x80]
    world.ledger()


def last_seal(world: World) -> tuple[list[bytes], int]:
    entries = world.entries["access"]
    return entries, max(i for i, entry in enumerate(entries) if entry[1] == 0x80)


@case("seal-wrong-root", RED, "seal.root", about="A seal leaves out a label and counts it.")
def _(world: World) -> None:
    entries, at = last_seal(world)
    entries[at] = entries[at][:31] + seal(entries[1:], 0, at - 1, LAST)[31:]
    world.ledger()


@case("seal-wrong-count", RED, "seal.root", about="A seal counts one label less.")
def _(world: World) -> None:
    entries, at = last_seal(world)
    count = int.from_bytes(entries[at][23:31], "big") - 1
    entries[at] = entries[at][:23] + count.to_bytes(8, "big") + entries[at][31:]
    world.ledger()


@case("seal-not-sorted", RED, "seal.root", about="The labels of a seal stand in the log's order.")
def _(world: World) -> None:
    entries, at = last_seal(world)
    entries[at] = entries[at][:31] + mth(labels_in(entries, 0, at))
    world.ledger()


def resealed(name: str, verdict: str, *codes: str, about: str, first: int, end: int) -> None:
    """A case with one more seal at its end."""

    @case(name, verdict, *codes, about=about)
    def _(world: World) -> None:
        entries = world.entries["access"]
        entries.append(seal(entries, first, end, LAST + 5 * MINUTE))
        world.ledger()


resealed(
    "seal-inside", RED, "seal.cover", about="A seal begins within a sealed range.", first=3, end=18
)
resealed("seal-gap", RED, "seal.cover", about="A seal leaves out an entry.", first=15, end=18)
resealed("seal-shrinks", RED, "seal.cover", about="A seal covers less than before.", first=0, end=9)
resealed("seal-ahead", RED, "seal.cover", about="A seal covers itself.", first=0, end=19)
resealed("seal-again", GREEN, about="A seal of the whole, a second time.", first=0, end=18)
resealed("seal-next", GREEN, about="A seal that follows the one before it.", first=14, end=18)
resealed("seal-nothing", GREEN, about="A seal of no entry at all.", first=14, end=14)


@case("seal-huge", RED, "seal.cover", about="A seal whose range ends at 2^64 - 1.")
def _(world: World) -> None:
    entries = world.entries["access"]
    made = seal(entries, 0, 18, LAST + 5 * MINUTE)
    entries.append(made[:15] + b"\xff" * 8 + made[23:])
    world.ledger()


@case("seal-merged", GREEN, about="A month goes into the year; the next month has its own seals.")
def _(world: World) -> None:
    entries, ana = world.entries["access"], world.someone("ana")
    entries.append(seal(entries, 0, len(entries), LAST + 5 * MINUTE, scope=2))
    entries.append(ana.entry("grant", "automated", LAST + 6 * MINUTE))
    entries.append(seal(entries, 18, len(entries), LAST + 7 * MINUTE))
    entries.append(ana.entry("read", "legal", LAST + 8 * MINUTE))
    entries.append(seal(entries, 18, len(entries), LAST + 9 * MINUTE))
    entries.append(seal(entries, 0, len(entries), LAST + 10 * MINUTE, scope=2))
    world.ledger()


@case(
    "seal-before-backlog", GREEN, about="After a standstill the seal goes first, then what waited."
)
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    del entries[15:]
    entries.append(seal(entries, 0, 15, LAST + 20 * MINUTE))
    entries.append(cleo.entry("grant", "self", LAST - 2 * HOUR))
    entries.append(cleo.entry("grant", "self", LAST + 20 * MINUTE))
    world.ledger()
