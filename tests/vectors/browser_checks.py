"""Whole checks for the browser's verifier: receipts and journals, good and forged.

Each case changes the good one: `set` names places in it, and what stands there instead.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from tests.unit.ledger import test_proof
from tests.unit.ledger.parameters import parameters
from tests.vectors.stories import (
    ALONE,
    BORDER,
    BOTH,
    LOG,
    NEW,
    OLD,
    POLICY,
    STRANGER,
    line,
    three_days,
)

from luciole.ledger import merkle
from luciole.ledger.note import Checkpoint, from_base64, to_base64
from luciole.ledger.proof import Proof

STALE = 26 * 3600 + 1
STORY, ANA = three_days()
NOTE = STORY.checkpoint(OLD)

Case = dict[str, Any]


def case(name: str, verdict: str, code: str, *changes: tuple[list[Any], Any]) -> Case:
    return {"name": name, "verdict": verdict, "code": code, "set": [list(each) for each in changes]}


def receipt_cases() -> Any:
    index = ANA.indexes[2]
    path = tuple(merkle.inclusion_proof(STORY.leaves(), index))
    proof = Proof(index, path, NOTE)
    other = Proof(index, path, STORY.checkpoint(OLD, NEW))
    good = {
        "policy": POLICY,
        "now": STORY.now + 60,
        "receipt": str(proof),
        "entry": to_base64(STORY.entries[index]),
        "index": index,
        "label_key": to_base64(ANA.label_key),
        "n": 2,
    }
    short = replace(proof, path=path[:-1])
    cases = [
        case("good", "GREEN", "receipt.included"),
        case("years later", "GREEN", "receipt.included", (["now"], STORY.now + 10**8)),
        case(
            "extra data is ignored",
            "GREEN",
            "receipt.included",
            (["receipt"], str(replace(proof, extra=b"anything"))),
        ),
        case(
            "both kinds of witness",
            "GREEN",
            "receipt.included",
            (["policy"], BOTH),
            (["receipt"], str(other)),
        ),
        case("one of both", "RED", "witness.quorum", (["policy"], BOTH)),
        case("no entry known", "CANNOT TELL", "receipt.no-entry", (["entry"], None)),
        case("another number", "RED", "receipt.not-yours", (["n"], 3)),
        case("another person", "RED", "receipt.not-yours", (["label_key"], to_base64(bytes(32)))),
        case(
            "another entry",
            "RED",
            "receipt.inclusion",
            (["entry"], to_base64(STORY.entries[index + 1])),
        ),
        case("of nobody known", "RED", "receipt.not-yours", (["index"], index + 1)),
        case(
            "another index",
            "RED",
            "receipt.inclusion",
            (["receipt"], str(replace(proof, index=index + 1))),
            (["index"], index + 1),
        ),
        case("a path too short", "RED", "receipt.inclusion", (["receipt"], str(short))),
        *(
            case(f"malformed {n}", "RED", "receipt.format", (["receipt"], text))
            for n, text in enumerate(
                text.replace(test_proof.NOTE, NOTE)
                for text in parameters(test_proof.test_malformed_receipt_is_refused)
            )
            if "\r" not in text and text.count("\n") < 60
        ),
    ]
    return {"good": good, "cases": cases}


def journal_cases() -> Any:
    good = {
        "policy": POLICY,
        "now": STORY.now + 60,
        "label_key": to_base64(ANA.label_key),
        "openings": ANA.openings,
        "proofs": [STORY.journal(ANA, NOTE)],
    }
    return {"good": good, "cases": [*good_journals(), *bad_entries(), *bad_heads(), *bad_absence()]}


def proof_case(name: str, verdict: str, code: str, change: Any) -> Case:
    """A case whose proof `change` edits in place."""
    proof = copy.deepcopy(STORY.journal(ANA, NOTE))
    change(proof)
    changes = [
        (["proofs", 0, part], proof[part])
        for part in ("checkpoint", "entries", "absence")
        if proof[part] != STORY.journal(ANA, NOTE)[part]
    ]
    return case(name, verdict, code, *changes)


def good_journals() -> list[Case]:
    whole = STORY.journal(ANA, NOTE)
    parts = [
        {**whole, "entries": whole["entries"][:2], "absence": []},
        {**whole, "entries": whole["entries"][2:]},
    ]
    return [
        case("good", "GREEN", "journal.complete"),
        case("in parts", "GREEN", "journal.complete", (["proofs"], parts)),
        case("without openings", "GREEN", "journal.complete", (["openings"], None)),
        case(
            "both kinds of witness",
            "GREEN",
            "journal.complete",
            (["policy"], BOTH),
            (["proofs", 0, "checkpoint"], STORY.checkpoint(OLD, NEW)),
        ),
    ]


def bad_entries() -> list[Case]:
    openings = copy.deepcopy(ANA.openings)
    openings[1]["opening"] = openings[1]["opening"].replace("Chrome", "Safari")
    swapped = copy.deepcopy(ANA.openings)
    swapped[1]["n"], swapped[2]["n"] = 2, 1
    proof = STORY.journal(ANA, NOTE)

    def renumber(proof: dict[str, Any]) -> None:
        del proof["entries"][2]
        for n, each in enumerate(proof["entries"]):
            each["n"] = n

    def softer(proof: dict[str, Any]) -> None:
        leaf = bytearray(from_base64(proof["entries"][3]["leaf"]))
        leaf[2] = 1  # staff becomes self
        proof["entries"][3]["leaf"] = to_base64(bytes(leaf))

    return [
        case("no key", "CANNOT TELL", "journal.no-key", (["label_key"], None)),
        case("another key", "RED", "journal.label", (["label_key"], to_base64(bytes(32)))),
        case("an opening changed", "RED", "journal.opening", (["openings"], openings)),
        case("openings swapped", "RED", "journal.opening", (["openings"], swapped)),
        case(
            "an opening newer than the proof",
            "GREEN",
            "journal.complete",
            (["openings"], [*ANA.openings, {**ANA.openings[0], "n": len(ANA.openings)}]),
        ),
        case("an opening missing", "GREEN", "journal.complete", (["openings"], ANA.openings[:-1])),
        case(
            "an opening under another number",
            "RED",
            "journal.opening",
            (["openings"], [*ANA.openings, {**ANA.openings[0], "n": 1}]),
        ),
        proof_case("an entry left out", "RED", "journal.gap", lambda p: p["entries"].pop(2)),
        proof_case("left out and renumbered", "RED", "journal.label", renumber),
        hides_the_last(),
        proof_case("no entries", "RED", "journal.gap", lambda p: p["entries"].clear()),
        proof_case(
            "one twice", "RED", "journal.gap", lambda p: p["entries"].insert(1, p["entries"][0])
        ),
        proof_case("another class", "RED", "journal.inclusion", softer),
        proof_case(
            "another index",
            "RED",
            "journal.inclusion",
            lambda p: p["entries"][1].update(index=proof["entries"][1]["index"] + 1),
        ),
        proof_case(
            "a path cut", "RED", "journal.inclusion", lambda p: p["entries"][1]["path"].pop()
        ),
        proof_case(
            "a negative index", "RED", "journal.format", lambda p: p["entries"][1].update(index=-1)
        ),
        proof_case(
            "a seal for an entry",
            "RED",
            "journal.format",
            lambda p: p["entries"][1].update(leaf=p["absence"][0]["seal"]),
        ),
        case("no proof", "RED", "journal.format", (["proofs"], [])),
        case("a list", "RED", "journal.format", (["proofs"], [[]])),
    ]


def hides_the_last() -> Case:
    """With the absence that was made for one number more: the cell can make none for this one."""
    made = proof_case("the last left out", "RED", "journal.hidden", lambda p: p["entries"].pop())
    made["set"].append([["openings"], ANA.openings[:-1]])
    return made


def bad_heads() -> list[Case]:
    at = ["proofs", 0, "checkpoint"]
    text = str(STORY.head())
    bigger = str(Checkpoint(STORY.head().origin, STORY.head().size + 1, STORY.head().root))
    moved = str(Checkpoint(BORDER.verifier.name, STORY.head().size, STORY.head().root))
    future, early = STORY.now + 400, STORY.now - STALE
    border = BORDER.sign(moved) + line(OLD, moved, STORY.now)
    strange = STRANGER.line(text, STORY.now)
    return [
        case("policy malformed", "CANNOT TELL", "policy.format", (["policy"], "quorum\n")),
        case("policy without witnesses", "CANNOT TELL", "witness.none", (["policy"], ALONE)),
        case(
            "policy of another cell",
            "RED",
            "checkpoint.origin",
            (["policy"], POLICY.replace(f"log {LOG.verifier}\n", "")),
        ),
        case("no witness", "RED", "witness.quorum", (at, STORY.checkpoint())),
        case("a stranger's witness", "RED", "witness.quorum", (at, STORY.checkpoint() + strange)),
        case(
            "from the future",
            "RED",
            "witness.future",
            (at, STORY.checkpoint() + OLD.line(text, future)),
        ),
        case(
            "seen too long ago",
            "CANNOT TELL",
            "witness.stale",
            (at, STORY.checkpoint() + OLD.line(text, early)),
        ),
        case("a clock that is late", "GREEN", "journal.complete", (["now"], STORY.now - 300)),
        case(
            "a cosignature of another head",
            "RED",
            "witness.signature",
            (at, STORY.checkpoint() + OLD.line(bigger, STORY.now)),
        ),
        case(
            "another size",
            "RED",
            "checkpoint.signature",
            (at, NOTE.replace(f"\n{STORY.head().size}\n", "\n999\n")),
        ),
        case("another log of the cell", "RED", "checkpoint.origin", (at, border)),
        case(
            "signed by a witness only",
            "RED",
            "checkpoint.unknown-key",
            (at, f"{text}\n{OLD.line(text, STORY.now)}"),
        ),
        case("malformed", "RED", "checkpoint.format", (at, text)),
        case("extended", "RED", "checkpoint.format", (at, NOTE.replace("\n\n", "\nmore\n\n"))),
    ]


def bad_absence() -> list[Case]:
    def first(change: Any) -> Any:
        return lambda proof: change(proof["absence"][0])

    def below_zero(each: dict[str, Any]) -> None:
        each["leaves"][0][0] = -1

    other = to_base64(bytes(32))
    return [
        proof_case(
            "the first range left out", "RED", "journal.cover", lambda p: p["absence"].pop(0)
        ),
        proof_case(
            "the last range left out",
            "CANNOT TELL",
            "journal.unsealed",
            lambda p: p["absence"].pop(),
        ),
        proof_case("no ranges", "CANNOT TELL", "journal.unsealed", lambda p: p["absence"].clear()),
        proof_case("ranges swapped", "RED", "journal.cover", lambda p: p["absence"].reverse()),
        proof_case(
            "a range twice", "RED", "journal.cover", lambda p: p["absence"].append(p["absence"][1])
        ),
        proof_case(
            "a node changed",
            "RED",
            "journal.absence",
            first(lambda each: each["nodes"].__setitem__(0, other)),
        ),
        proof_case(
            "a node too many",
            "RED",
            "journal.absence",
            first(lambda each: each["nodes"].append(other)),
        ),
        proof_case(
            "a leaf left out", "RED", "journal.absence", first(lambda each: each["leaves"].pop(3))
        ),
        proof_case("a position below zero", "RED", "journal.format", first(below_zero)),
        proof_case(
            "a seal's path cut", "RED", "journal.inclusion", first(lambda each: each["path"].pop())
        ),
        proof_case(
            "another seal index",
            "RED",
            "journal.inclusion",
            first(lambda each: each.update(seal_index=each["seal_index"] + 1)),
        ),
        proof_case(
            "an entry for a seal",
            "RED",
            "journal.format",
            first(lambda each: each.update(seal=to_base64(STORY.entries[0]))),
        ),
        proof_case("no nodes", "RED", "journal.format", first(lambda each: each.pop("nodes"))),
    ]
