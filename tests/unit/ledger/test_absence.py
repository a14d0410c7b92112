"""Sealed indexes and proofs of absence, with every forgery we thought of."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luciole.ledger.entry import Class, Kind, PersonEntry, Scope, SealEntry, canonical
from luciole.ledger.merkle import leaf_hash, root_of
from luciole.ledger.note import to_base64
from luciole.ledger.seal import Absence, BadSeal, SealedIndex


def label(n: int) -> bytes:
    return sha256(b"%d" % n).digest()


def sealed(labels: list[bytes]) -> tuple[SealEntry, SealedIndex]:
    index = SealedIndex.build(labels)
    return SealEntry(Scope.DAY, 1, 0, 9, index.count, index.root()), index


# The index


@given(st.integers(0, 300))
@example(0)
@example(1)
@example(8)
@example(9)
def test_root_is_that_of_the_sorted_labels(count: int) -> None:
    labels = [label(n) for n in range(count)]
    index = SealedIndex.build(labels)
    assert index.root() == root_of([leaf_hash(each) for each in sorted(labels)])
    assert index.labels() == sorted(labels)
    again = SealedIndex(count, memoryview(bytes(index.data)))
    assert again.root() == index.root()
    assert all(each in again for each in labels)
    assert label(-1) not in again


def test_label_that_comes_twice_is_refused() -> None:
    with pytest.raises(BadSeal, match="twice"):
        SealedIndex.build([label(1), label(2), label(1)])


@pytest.mark.parametrize(("count", "length"), [(0, 1), (1, 32), (1, 96), (16, 16 * 32 + 64)])
def test_stored_index_of_another_length_is_refused(count: int, length: int) -> None:
    with pytest.raises(BadSeal, match="length"):
        SealedIndex(count, bytes(length))


# Absence


@given(st.integers(0, 60), st.integers(0, 20))
@example(0, 3)
@example(1, 3)
@example(2, 0)
def test_absence_is_proved(count: int, asked: int) -> None:
    seal, index = sealed([label(n) for n in range(count)])
    absent = [label(1000 + n) for n in range(asked)]
    proof = index.absence(5, seal, absent)
    proof.verify(absent)
    assert Absence.parse(json.loads(canonical(proof.as_json()))) == proof
    for n in range(count):
        with pytest.raises(BadSeal):
            proof.verify([label(n)])
        with pytest.raises(BadSeal, match="there"):
            index.absence(5, seal, [*absent, label(n)])


def test_empty_range_proves_all_absent() -> None:
    seal, index = sealed([])
    proof = index.absence(5, seal, [label(1)])
    assert (proof.leaves, proof.nodes) == ((), ())
    proof.verify([label(1), label(2)])
    with pytest.raises(BadSeal):
        replace(proof, seal=replace(seal, root=bytes(32))).verify([label(1)])


def test_ends_of_the_index_need_one_neighbour() -> None:
    seal, index = sealed([label(n) for n in range(20)])
    low, high = bytes(32), b"\xff" * 32
    proof = index.absence(5, seal, [low, high])
    assert [position for position, _ in proof.leaves] == [0, 19]
    proof.verify([low, high])


def test_proof_says_nothing_about_labels_not_asked_for() -> None:
    seal, index = sealed([label(n) for n in range(200)])
    proof = index.absence(5, seal, [label(1000)])
    others = [label(n) for n in range(1001, 1050)]
    refused = 0
    for other in others:
        try:
            proof.verify([other])
        except BadSeal:
            refused += 1
    assert refused > 40  # some lie in the same gap


LABELS = sorted(label(n) for n in range(21))
SEAL, INDEX = sealed(LABELS)
HIDDEN = LABELS[10]
BETWEEN = [bytes([*LABELS[10][:31], LABELS[10][31] ^ 1])]
GOOD = INDEX.absence(5, SEAL, BETWEEN)
LAST = INDEX.absence(5, SEAL, [b"\xff" * 32])


def without_the_hidden() -> Absence:
    """Made from another index, as if the label had never been there."""
    _, index = sealed([each for each in LABELS if each != HIDDEN])
    return index.absence(5, SEAL, [HIDDEN])


def hidden_between_neighbours_of_a_neighbour() -> Absence:
    """Positions 9 and 11, with all between as nodes."""
    around = [LABELS[9], LABELS[11]]
    proof = INDEX.absence(5, SEAL, [bytes([*each[:31], each[31] ^ 1]) for each in around])
    leaves = tuple(each for each in proof.leaves if each[1] != HIDDEN)
    nodes = [leaf_hash(HIDDEN), *proof.nodes]
    return replace(proof, leaves=leaves, nodes=tuple(nodes))


def two_labels_at_one_place() -> Absence:
    """A leaf before the first: only one of both would be hashed."""
    first = INDEX.absence(5, SEAL, [bytes(32)])
    leaves = ((-1, LABELS[0]), (0, b"\xff" * 32))
    return replace(first, leaves=leaves)


FORGERIES: dict[str, tuple[Absence, bytes]] = {
    "from an index without the label": (without_the_hidden(), HIDDEN),
    "two neighbours that are not adjacent": (hidden_between_neighbours_of_a_neighbour(), HIDDEN),
    "a position below zero": (two_labels_at_one_place(), LABELS[1]),
    "a position beyond the end": (
        replace(GOOD, leaves=(*GOOD.leaves, (21, b"\xff" * 32))),
        BETWEEN[0],
    ),
    "positions out of order": (replace(GOOD, leaves=GOOD.leaves[::-1]), BETWEEN[0]),
    "labels out of order": (
        replace(
            GOOD,
            leaves=(
                (GOOD.leaves[0][0], GOOD.leaves[1][1]),
                (GOOD.leaves[1][0], GOOD.leaves[0][1]),
            ),
        ),
        BETWEEN[0],
    ),
    "one position twice": (replace(GOOD, leaves=(GOOD.leaves[0], *GOOD.leaves)), BETWEEN[0]),
    "shifted positions": (
        replace(GOOD, leaves=tuple((at + 1, each) for at, each in GOOD.leaves)),
        BETWEEN[0],
    ),
    "a leaf left out": (replace(GOOD, leaves=GOOD.leaves[:1]), BETWEEN[0]),
    "no leaves": (replace(GOOD, leaves=(), nodes=(SEAL.root,)), BETWEEN[0]),
    "a node left out": (replace(GOOD, nodes=GOOD.nodes[:-1]), BETWEEN[0]),
    "a node too many": (replace(GOOD, nodes=(*GOOD.nodes, GOOD.nodes[0])), BETWEEN[0]),
    "no nodes": (replace(GOOD, nodes=()), BETWEEN[0]),
    "a short node": (
        replace(GOOD, nodes=(GOOD.nodes[0][:31], *GOOD.nodes[1:])),
        BETWEEN[0],
    ),
    "a longer label": (
        replace(GOOD, leaves=((GOOD.leaves[0][0], GOOD.leaves[0][1] + b"\0"), *GOOD.leaves[1:])),
        BETWEEN[0],
    ),
    "another count": (replace(LAST, seal=replace(SEAL, count=22)), b"\xff" * 32),
    "a smaller count": (replace(LAST, seal=replace(SEAL, count=20)), b"\xff" * 32),
    "a count of none": (replace(GOOD, seal=replace(SEAL, count=0), leaves=(), nodes=()), HIDDEN),
    "a huge count": (replace(GOOD, seal=replace(SEAL, count=2**64 - 1)), BETWEEN[0]),
    "another root": (replace(GOOD, seal=replace(SEAL, root=bytes(32))), BETWEEN[0]),
}


def test_what_is_forged_was_right_before() -> None:
    GOOD.verify(BETWEEN)
    assert HIDDEN in INDEX


@pytest.mark.parametrize("case", FORGERIES)
def test_forged_absence_is_refused(case: str) -> None:
    proof, asked = FORGERIES[case]
    with pytest.raises(BadSeal):
        proof.verify([asked])


JSON = GOOD.as_json()
PERSON = PersonEntry(Kind.READ, Class.STAFF, 1, HIDDEN, HIDDEN)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "proof",
        {},
        {**JSON, "more": 1},
        {name: value for name, value in JSON.items() if name != "nodes"},
        {**JSON, "seal_index": -1.0},
        {**JSON, "seal_index": "5"},
        {**JSON, "seal_index": True},
        {**JSON, "seal_index": None},
        {**JSON, "seal_index": float("inf")},
        {**JSON, "seal": 5},
        {**JSON, "seal": to_base64(SEAL.encode()[:-1])},
        {**JSON, "seal": to_base64(PERSON.encode())},
        {**JSON, "leaves": 5},
        {**JSON, "leaves": [[1]]},
        {**JSON, "leaves": [[1, 2, 3]]},
        {**JSON, "leaves": {"1": "a"}},
        {**JSON, "leaves": [[1.5, to_base64(HIDDEN)]]},
        {**JSON, "leaves": [[1, to_base64(HIDDEN).rstrip("=")]]},
        {**JSON, "nodes": None},
        {**JSON, "nodes": "AAAA"},
        {**JSON, "nodes": [5]},
    ],
    ids=lambda value: repr(value)[-60:],
)
def test_malformed_absence_is_refused(value: Any) -> None:
    assert Absence.parse(JSON) == GOOD
    with pytest.raises(BadSeal):
        Absence.parse(value)
