"""Cases about a person's journal: when it is whole, and what the export tells beside the proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.vectors.case import GREEN, RED, UNSURE, case
from tests.vectors.log_writer import b64, canonical, seal, sha256
from tests.vectors.world import (
    CELL,
    DAY,
    ELM,
    HOUR,
    LAST,
    MINUTE,
    NOW,
    OAK,
    OTHER_CELL,
    World,
    good,
    policy_of,
    seal_many,
    split_seals,
)


@case("journal-good", GREEN, about="All entries about Ana, and the proof that there is no other.")
def _(world: World) -> None:
    world.journal("ana")


@case("journal-good-ranges", GREEN, about="The same over three sealed ranges.")
def _(world: World) -> None:
    split_seals(world)
    world.journal("ana")


@case("journal-good-many", GREEN, about="A range so wide that its proof needs nodes.")
def _(world: World) -> None:
    seal_many(world)
    proof = world.journal("ana")
    assert len(proof["absence"][0]["nodes"]) > 9


@case("journal-good-no-range", GREEN, about="A seal of no entry at all, after one of all.")
def _(world: World) -> None:
    entries = world.entries["access"]
    entries.append(seal(entries, 0, 18, LAST + MINUTE))
    entries.append(seal(entries, 18, 18, LAST + 2 * MINUTE))
    world.journal("ana")


@case("journal-good-empty-range", GREEN, about="A sealed range without any entry about people.")
def _(world: World) -> None:
    entries = world.entries["access"]
    entries.append(seal(entries, 0, 18, LAST + MINUTE))
    entries.append(seal(entries, 18, 19, LAST + 2 * MINUTE))
    world.journal("ana")


@case("journal-good-proof-alone", GREEN, about="The proof as the API gives it, without openings.")
def _(world: World) -> None:
    world.journal("ana")
    del world.files["journal/journal.jsonl"]


@case(
    "journal-good-with-ledger", GREEN, about="The journal of an hour ago, held against the ledger."
)
def _(world: World) -> None:
    world.ledger()
    world.journal("ana", 16)


@case(
    "journal-of-other-cell",
    GREEN,
    about="A journal and a receipt of one cell, the ledger of another.",
)
def _(world: World) -> None:
    world.entries["access"] = world.entries["access"][:14]
    world.ledger()
    other = good(OTHER_CELL)
    other.policy = policy_of(OAK, ELM, cells=(CELL, OTHER_CELL))
    other.journal("ana")
    other.receipt("access", 0, 8)
    world.files |= other.files


@case(
    "journal-good-first-day",
    GREEN,
    about="No seal yet, but the whole log is here.",
    now=NOW - 3 * DAY,
)
def _(world: World) -> None:
    first_day(world)
    world.ledger()
    world.journal("ana")


def first_day(world: World) -> None:
    """The world on its first evening: nothing is sealed, no statement is due."""
    world.entries["access"] = world.entries["access"][:5]
    world.entries["decisions"] = world.entries["decisions"][:1]
    world.entries["border"] = world.entries["border"][:1]
    world.witnesses = [(one, NOW - 3 * DAY - MINUTE) for one, _ in world.witnesses]


@case(
    "journal-quiet",
    GREEN,
    about="Nothing happened since the last seal, three days ago.",
    now=NOW + 3 * DAY,
)
def _(world: World) -> None:
    entries = world.entries["access"]
    entries.append(seal(entries, 0, 18, LAST + MINUTE))
    world.witnesses = [(one, NOW + 3 * DAY - HOUR) for one, _ in world.witnesses]
    world.journal("ana")


@case(
    "journal-unsealed",
    UNSURE,
    "journal.unsealed",
    about="No seal yet, and no ledger.",
    now=NOW - 3 * DAY,
)
def _(world: World) -> None:
    first_day(world)
    world.journal("ana")


@case(
    "journal-stale-seal",
    UNSURE,
    "journal.unsealed",
    about="The last seal is two days old.",
    now=NOW + DAY,
)
def _(world: World) -> None:
    world.witnesses = [(one, NOW + DAY - HOUR) for one, _ in world.witnesses]
    world.journal("ana")


@case(
    "journal-stale",
    UNSURE,
    "witness.stale",
    about="The journal of the day before yesterday.",
    now=NOW + 2 * DAY,
)
def _(world: World) -> None:
    world.journal("ana")


@case("journal-seal-ahead", UNSURE, "journal.unsealed", about="The last seal is dated ahead.")
def _(world: World) -> None:
    entries, cleo = world.entries["access"], world.someone("cleo")
    entries.append(seal(entries, 0, 18, NOW + DAY))
    entries.append(cleo.entry("grant", "self", LAST))
    world.journal("ana")


@case("journal-without-key", UNSURE, "journal.no-key", about="The label key's file is noise.")
def _(world: World) -> None:
    world.journal("ana")
    world.files["journal/label-key.txt"] = b"\xff\xfe"


@case("journal-short-key", UNSURE, "journal.no-key", about="The label key has 31 bytes.")
def _(world: World) -> None:
    world.journal("ana")
    world.files["journal/label-key.txt"] = b64(bytes(31)).encode()


@case("journal-raw-key", GREEN, about="The label key as 32 bytes.")
def _(world: World) -> None:
    world.journal("ana")
    world.files["journal/label-key.txt"] = world.someone("ana").label_key


@case("journal-key-of-another", RED, "journal.label", about="The label key is Ben's.")
def _(world: World) -> None:
    world.journal("ana")
    world.files["journal/label-key.txt"] = b64(world.someone("ben").label_key).encode()


# What the entries are said to mean


def told(
    name: str, verdict: str, *codes: str, about: str, change: Callable[[dict[str, Any]], Any]
) -> None:
    """A case whose export tells something else of entry 1."""

    @case(f"opening-{name}", verdict, *codes, about=about)
    def _(world: World) -> None:
        world.journal("ana")
        lines = [json.loads(line) for line in world.files["journal/journal.jsonl"].splitlines()]
        change(lines[1])
        world.files["journal/journal.jsonl"] = b"".join(canonical(line) + b"\n" for line in lines)


def reworded(line: dict[str, Any]) -> None:
    line["opening"] = line["opening"].replace("session", "ranking")


@case("opening-good-later", GREEN, about="The export tells of a newer entry than its proof.")
def _(world: World) -> None:
    world.journal("ana")
    lines = world.files["journal/journal.jsonl"]
    world.journal("ana", 15)
    assert lines != world.files["journal/journal.jsonl"]
    world.files["journal/journal.jsonl"] = lines


told("reworded", RED, "journal.opening", about="Another purpose than was logged.", change=reworded)
told(
    "other-nonce",
    RED,
    "journal.opening",
    about="Another nonce.",
    change=lambda e: e.update(nonce=b64(bytes(32))),
)
told(
    "short-nonce",
    RED,
    "journal.opening",
    about="A nonce of 3 bytes.",
    change=lambda e: e.update(nonce="AAAA"),
)
told(
    "of-another",
    RED,
    "journal.opening",
    about="The opening of entry 1 as that of entry 2.",
    change=lambda e: e.update(n=2),
)
told(
    "no-json",
    RED,
    "journal.opening",
    about="An opening that cannot be read.",
    change=lambda e: e.update(opening="?"),
)


@case(
    "opening-missing", UNSURE, "journal.no-opening", about="The export does not tell of one entry."
)
def _(world: World) -> None:
    world.journal("ana")
    lines = world.files["journal/journal.jsonl"].splitlines(keepends=True)
    world.files["journal/journal.jsonl"] = b"".join(lines[:2] + lines[3:])


def lost(name: str, verdict: str, *codes: str, about: str, **said: object) -> None:
    """A case whose export says of entry 2 that its meaning is lost."""

    @case(f"opening-lost{name}", verdict, *codes, about=about)
    def _(world: World) -> None:
        world.journal("ana")
        lines = [json.loads(line) for line in world.files["journal/journal.jsonl"].splitlines()]
        opening = json.loads(lines[2]["opening"])
        kept = {name: opening[name] for name in ("v", "n", "at", "kind", "class")}
        opening = kept | {"note": "lost in a restore"} | said
        lines[2] |= {"nonce": "", "opening": canonical(opening).decode()}
        world.files["journal/journal.jsonl"] = b"".join(canonical(e) + b"\n" for e in lines)


lost("", UNSURE, "journal.lost", about="What an entry means was lost in a restore.")
lost(
    "-of-another-kind",
    RED,
    "journal.opening",
    about="What an entry means is said to be lost, and its kind is another than the log's.",
    kind="erase",
)
lost(
    "-of-another-class",
    RED,
    "journal.opening",
    about="A read by staff said to be a lost act of the person's own.",
    **{"class": "legal"},
)


def misnamed(field: str, value: object) -> None:
    """A case whose opening calls a staff read something else than the entry does; rightly
    committed to, so that only the comparison with the entry tells."""

    @case(f"opening-wrong-{field}", RED, "journal.opening", about=f"It names another {field}.")
    def _(world: World) -> None:
        entries, dora = world.entries["access"], world.someone("dora")
        entries.append(dora.entry("enrol", "self", LAST))
        said = {"kind": "grant", "class": "self", "n": 1} | {field: value}
        entries.append(dora.entry("grant", "self", LAST, actor="you"))
        leaf, nonce, opening = dora.entries.pop()
        commit = sha256(b"luciole/open/v1" + nonce + canonical(opening | said))
        entries[-1] = leaf[:39] + commit
        dora.entries.append((entries[-1], nonce, opening | said))
        world.journal("dora")


misnamed("kind", "read")
misnamed("class", "staff")
misnamed("n", 5)
misnamed("at", "2026-11-26T11:29:59Z")
