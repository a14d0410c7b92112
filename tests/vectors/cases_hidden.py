"""Cases about journals that hide an entry, or that prove it wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.vectors.case import RED, case
from tests.vectors.log_writer import (
    Signer,
    absence,
    b64,
    labels_in,
    leaf_hash,
    mth,
    seal,
    sha256,
)
from tests.vectors.world import (
    LAST,
    MINUTE,
    OAK,
    SEEN,
    WINDOW,
    World,
    cover,
    origin,
    seal_many,
    split_seals,
)

Change = Callable[[dict[str, Any]], Any]


def proved(
    name: str, code: str, about: str, change: Change, lay: Callable[[World], None] = split_seals
) -> None:
    """A case whose journal proof is a good one, changed in one place."""

    @case(f"journal-{name}", RED, code, about=about)
    def _(world: World) -> None:
        lay(world)
        proof = world.journal("ana")
        change(proof)
        world.put_proof(proof)


# What is hidden


def hiding(world: World, at: int, last: int) -> dict[str, Any]:
    """Ana's journal without her last entries; the cell proves as well as it can."""
    proof = world.journal("ana")
    ana, entries = world.someone("ana"), world.entries["access"]
    proof["entries"] = proof["entries"][:last]
    coming = [ana.label(n) for n in range(last, last + WINDOW)]
    proof["absence"] = [absence(entries, index, coming, len(entries)) for index in cover(entries)]
    return proof


@case("journal-hidden", RED, "journal.hidden", about="Entry 3 is sealed, and the journal hides it.")
def _(world: World) -> None:
    world.put_proof(hiding(world, 14, 3))


@case(
    "journal-hidden-in-window", RED, "journal.hidden", about="Entry 9 is there, after a gap of 5."
)
def _(world: World) -> None:
    entries, ana = world.entries["access"], world.someone("ana")
    ana.entries += [(b"", b"", {})] * 5
    entries.append(ana.entry("read", "staff", LAST))
    entries.append(seal(entries, 0, 19, LAST + MINUTE))
    ana.entries = ana.entries[:4]
    world.journal("ana")


@case(
    "journal-hidden-from-root", RED, "journal.absence", about="It leaves the label out of the tree."
)
def _(world: World) -> None:
    proof = hiding(world, 14, 3)
    found = proof["absence"][0]
    label = b64(world.someone("ana").label(3))
    found["leaves"] = [leaf for leaf in found["leaves"] if leaf[1] != label]
    world.put_proof(proof)


@case("journal-hidden-behind-node", RED, "journal.absence", about="It shows the root and no leaf.")
def _(world: World) -> None:
    proof = hiding(world, 14, 3)
    entries = world.entries["access"]
    proof["absence"][0] |= {"leaves": [], "nodes": [b64(entries[14][31:])]}
    world.put_proof(proof)


@case("journal-hidden-between", RED, "journal.absence", about="It shows neighbours that are none.")
def _(world: World) -> None:
    proof = hiding(world, 14, 3)
    found, entries, ana = proof["absence"][0], world.entries["access"], world.someone("ana")
    label = b64(ana.label(3))
    others = [
        other
        for other in (ana.label(n) for n in range(4, 4 + WINDOW))
        if label not in str(absence(entries, 14, [other], len(entries))["leaves"])
    ]
    found |= absence(entries, 14, others, len(entries))
    world.put_proof(proof)


def small(world: World) -> list[bytes]:
    """A log of three entries, of which Ana's journal hides one; its label sorts between the other
    two."""
    entries, ana, gus = world.entries["access"], world.someone("ana"), world.someone("gus")
    ana.entries.clear()
    entries[:] = [
        ana.entry("enrol", "self", LAST),
        ana.entry("read", "staff", LAST),
        gus.entry("enrol", "self", LAST),
    ]
    assert gus.label(0) < ana.label(1) < ana.label(0)
    ana.entries.pop()
    return entries


@case("journal-hidden-disorder", RED, "journal.absence", about="Positions that go back and forth.")
def _(world: World) -> None:
    # The recursion takes the leaves at 0 and 2, and a node for the hidden label at 1. Made-up
    # leaves between them are passed over by it, and yet the hidden label has a neighbour at 1.
    entries = small(world)
    entries.append(seal(entries, 0, 3, LAST + MINUTE))
    proof, ana = world.journal("ana"), world.someone("ana")
    last = int.from_bytes(ana.label(0), "big")
    shown = [world.someone("gus").label(0)]
    shown += [(last - below).to_bytes(32, "big") for below in (2, 1, 0)]
    leaves = [[at, b64(label)] for at, label in zip((0, 1, 0, 2), shown, strict=True)]
    proof["absence"][0] |= {"leaves": leaves, "nodes": [b64(leaf_hash(ana.label(1)))]}
    world.put_proof(proof)


@case("journal-seal-unsorted", RED, "journal.absence", about="A seal over labels that descend.")
def _(world: World) -> None:
    entries = small(world)
    del entries[1]
    labels = labels_in(entries, 0, 2)
    assert labels[0] > labels[1]
    entries.append(seal(entries, 0, 2, LAST + MINUTE)[:31] + mth(labels))
    proof = world.journal("ana")
    leaves = [[at, b64(label)] for at, label in enumerate(labels)]
    proof["absence"][0] |= {"leaves": leaves, "nodes": []}
    world.put_proof(proof)


@case("journal-hidden-range", RED, "journal.cover", about="It leaves out the range of the entry.")
def _(world: World) -> None:
    split_seals(world)
    proof = world.journal("ana")
    proof["absence"] = proof["absence"][1:]
    world.put_proof(proof)


@case("journal-hidden-in-log", RED, "journal.hidden", about="Not sealed yet, but in the ledger.")
def _(world: World) -> None:
    entries, ana = world.entries["access"], world.someone("ana")
    entries.append(ana.entry("read", "staff", LAST + MINUTE))
    hidden = ana.entries.pop()
    world.ledger()
    world.journal("ana")
    ana.entries.append(hidden)


@case("journal-forked", RED, "history.forked", about="The journal is of another history.")
def _(world: World) -> None:
    world.ledger()
    entries = world.entries["access"]
    entries[15], entries[17] = entries[17], entries[15]
    world.journal("ana")


# What is missing or wrong in the proof

proved("gap", "journal.gap", "Entry 2 is missing.", lambda p: p["entries"].pop(2))
proved("no-enrolment", "journal.gap", "Entry 0 is missing.", lambda p: p["entries"].pop(0))
proved("empty", "journal.gap", "There is no entry.", lambda p: p["entries"].clear())
proved(
    "entry-twice",
    "journal.gap",
    "Entry 1 is there twice.",
    lambda p: p["entries"].insert(1, p["entries"][1]),
)
proved(
    "inclusion",
    "journal.inclusion",
    "Entry 1 has the path of entry 2.",
    lambda p: p["entries"][1].update(path=p["entries"][2]["path"]),
)
proved(
    "index",
    "journal.inclusion",
    "Entry 1 is said to be elsewhere.",
    lambda p: p["entries"][1].update(index=3),
)
proved(
    "far-index",
    "journal.inclusion",
    "Entry 1 is said to be beyond the log.",
    lambda p: p["entries"][1].update(index=1 << 40),
)
proved(
    "seal-elsewhere",
    "journal.inclusion",
    "The seal is not where it is said to be.",
    lambda p: p["absence"][1].update(seal_index=17),
)
proved(
    "seal-aliased",
    "journal.inclusion",
    "The log's last entry is said to be behind it; its path is the same.",
    lambda p: p["absence"][2].update(seal_index=p["absence"][2]["seal_index"] + 1),
)
proved(
    "seal-of-nobody",
    "journal.inclusion",
    "The seal is not in the log.",
    lambda p: p["absence"][0].update(
        seal=b64(b"\1\x80\1" + bytes(28) + sha256(b"")), leaves=[], nodes=[]
    ),
)
proved(
    "ranges-swapped",
    "journal.cover",
    "The ranges stand in another order.",
    lambda p: p["absence"].reverse(),
)
proved(
    "range-missing",
    "journal.cover",
    "The range in between is missing.",
    lambda p: p["absence"].pop(1),
)
proved(
    "node-more",
    "journal.absence",
    "A node is left over.",
    lambda p: p["absence"][0]["nodes"].append(b64(bytes(32))),
    seal_many,
)
proved(
    "node-less",
    "journal.absence",
    "A node is missing.",
    lambda p: p["absence"][0]["nodes"].pop(),
    seal_many,
)
proved(
    "node-wrong",
    "journal.absence",
    "A node is another.",
    lambda p: p["absence"][0]["nodes"].__setitem__(0, b64(bytes(32))),
    seal_many,
)
proved(
    "leaves-swapped",
    "journal.absence",
    "Leaves do not ascend.",
    lambda p: p["absence"][0]["leaves"].reverse(),
)
proved(
    "leaf-twice",
    "journal.absence",
    "A leaf is there twice.",
    lambda p: p["absence"][0]["leaves"].insert(0, p["absence"][0]["leaves"][0]),
)
proved(
    "leaf-moved",
    "journal.absence",
    "A leaf is at another place.",
    lambda p: p["absence"][0]["leaves"][0].__setitem__(0, 1),
)
proved(
    "leaf-beyond",
    "journal.absence",
    "A leaf is beyond the count.",
    lambda p: p["absence"][0]["leaves"].append([99, b64(b"\xff" * 32)]),
)
proved(
    "leaves-of-nothing",
    "journal.absence",
    "The last range has a leaf too many.",
    lambda p: p["absence"][2]["leaves"].append([1, b64(b"\xff" * 32)]),
)

BAD_SHAPES: dict[str, Change] = {
    "no-entries": lambda p: p.pop("entries"),
    "no-absence": lambda p: p.pop("absence"),
    "entries-null": lambda p: p.update(entries=None),
    "checkpoint-number": lambda p: p.update(checkpoint=7),
    "number-text": lambda p: p["entries"][1].update(n="1"),
    "number-true": lambda p: p["entries"][1].update(n=True),
    "number-fraction": lambda p: p["entries"][1].update(n=1.5),
    "number-negative": lambda p: p["entries"][1].update(index=-1),
    "leaf-short": lambda p: p["entries"][1].update(leaf=b64(bytes(70))),
    "leaf-seal": lambda p: p["entries"][1].update(leaf=p["absence"][0]["seal"]),
    "path-text": lambda p: p["entries"][1].update(path="AAAA"),
    "path-short": lambda p: p["entries"][1].update(path=["AAAA"]),
    "leaves-flat": lambda p: p["absence"][0].update(leaves=[1, 2]),
    "seal-short": lambda p: p["absence"][0].update(seal="AAAA"),
    "seal-kind": lambda p: p["absence"][0].update(seal=b64(bytes([1, 1]) + bytes(61))),
}
for name, change in BAD_SHAPES.items():
    proved(name, "journal.format", f"A malformed proof: {name}.", change)


@case("journal-not-json", RED, "journal.format", about="The proof is no JSON.")
def _(world: World) -> None:
    world.journal("ana")
    world.files["journal/proof.json"] = b"{"


@case("journal-second-enrolment", RED, "journal.label", about="Entry 1 enrols once more.")
def _(world: World) -> None:
    entries, dora = world.entries["access"], world.someone("dora")
    entries.append(dora.entry("enrol", "self", LAST))
    entries.append(dora.entry("enrol", "self", LAST))
    world.journal("dora")


@case("journal-never-enrolled", RED, "journal.label", about="Entry 0 is no enrolment.")
def _(world: World) -> None:
    entries, dora = world.entries["access"], world.someone("dora")
    entries.append(dora.entry("grant", "self", LAST))
    world.journal("dora")


@case("journal-resigned", RED, "checkpoint.unknown-key", about="Another key signs its checkpoint.")
def _(world: World) -> None:
    world.signers["access"] = [Signer.named(origin("access"), 1, "a thief")]
    world.journal("ana")


@case("journal-of-decisions", RED, "checkpoint.origin", about="Its checkpoint is of another log.")
def _(world: World) -> None:
    proof = world.journal("ana")
    world.put_proof(proof | {"checkpoint": world.note("decisions")})


@case("journal-few-witnesses", RED, "witness.quorum", about="One of two witnesses saw it.")
def _(world: World) -> None:
    world.witnesses = [(OAK, SEEN)]
    world.journal("ana")
