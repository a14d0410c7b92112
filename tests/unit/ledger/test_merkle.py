"""Trees and proofs: against the vectors of transparency-dev, and for trees of every small size."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.ledger.corpus import MERKLE, needs_corpus

from luciole.ledger import merkle
from luciole.ledger.merkle import BadProof, Frontier, Refused, leaf_hash, root_of

LEAVES = [leaf_hash(str(index).encode()) for index in range(600)]


def mth(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return merkle.node_hash(mth(leaves[:k]), mth(leaves[k:]))


# Vectors


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def inclusion(v: dict[str, Any], proof: list[bytes]) -> None:
    merkle.verify_inclusion(v["leafIdx"], v["treeSize"], raw(v["leafHash"]), proof, raw(v["root"]))


def consistency(v: dict[str, Any], proof: list[bytes]) -> None:
    merkle.verify_consistency(v["size1"], v["size2"], raw(v["root1"]), raw(v["root2"]), proof)


def subtreeinclusion(v: dict[str, Any], proof: list[bytes]) -> None:
    leaf, root = raw(v["leafHash"]), raw(v["root"])
    merkle.verify_subtree_inclusion(v["leafIdx"], v["start"], v["end"], leaf, proof, root)


def subtreeconsistency(v: dict[str, Any], proof: list[bytes]) -> None:
    roots = raw(v["root1"]), raw(v["root2"])
    merkle.verify_subtree_consistency(v["start"], v["end"], v["size"], *roots, proof)


VECTORS: dict[Callable[..., None], int] = {
    inclusion: 98,
    consistency: 98,
    subtreeinclusion: 204,
    subtreeconsistency: 118,
}


@needs_corpus
@pytest.mark.parametrize("verify", VECTORS, ids=lambda verify: verify.__name__)
def test_vectors_are_answered_as_they_say(verify: Callable[..., None]) -> None:
    wrong, seen = [], 0
    for path in sorted(Path(MERKLE / verify.__name__).rglob("*.json")):
        vector = json.loads(path.read_text())
        proof = [raw(hash_) for hash_ in vector["proof"] or []]
        try:
            verify(vector, proof)
            is_refused = False
        except BadProof:
            is_refused = True
        seen += 1
        if is_refused != vector["wantErr"]:
            wrong.append(f"{path.relative_to(MERKLE)}: {vector['desc']}")
    assert not wrong, "\n".join(wrong)
    assert seen == VECTORS[verify]


# Properties

sizes = st.integers(1, len(LEAVES))


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 511, 513])
def test_root_is_that_of_the_definition(size: int) -> None:
    assert root_of(LEAVES[:size]) == mth(LEAVES[:size]) == Frontier().append(LEAVES[:size]).root()


@pytest.mark.parametrize("size", range(1, 34))
def test_every_subtree_of_small_trees_is_proved(size: int) -> None:
    root = mth(LEAVES[:size])
    for start in range(size + 1):
        for end in range(start, size + 1):
            width = 1 << max(end - start - 1, 0).bit_length()
            if start % width:
                with pytest.raises(BadProof):
                    merkle.consistency_ranges(end, size, start)
                continue
            proof = [mth(LEAVES[a:b]) for a, b in merkle.consistency_ranges(end, size, start)]
            part = mth(LEAVES[start:end])
            merkle.verify_subtree_consistency(start, end, size, part, root, proof)
            if end - start < 2 or (start, end) == (0, size):
                continue
            with pytest.raises(BadProof):
                merkle.verify_subtree_consistency(start, end, size, LEAVES[500], root, proof)


@given(st.data(), sizes)
def test_inclusion_holds_and_nothing_else_does(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    path, root = merkle.inclusion_proof(leaves, index), root_of(leaves)
    merkle.verify_inclusion(index, size, leaves[index], path, root)
    other = data.draw(st.integers(0, size).filter(lambda at: at != index))
    with pytest.raises(BadProof):
        merkle.verify_inclusion(other, size, leaves[index], path, root)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, LEAVES[(index + 1) % 600], path, root)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, leaves[index], [*path, root], root)
    if path:
        changed = [*path]
        changed[data.draw(st.integers(0, len(path) - 1))] = root
        for wrong in (path[:-1], path[1:], changed):
            with pytest.raises(BadProof):
                merkle.verify_inclusion(index, size, leaves[index], wrong, root)


@given(st.data(), sizes)
def test_consistency_holds_and_nothing_else_does(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(LEAVES[:size], old)
    old_root, root = root_of(LEAVES[:old]), root_of(LEAVES[:size])
    merkle.verify_consistency(old, size, old_root, root, proof)
    forked = root_of([*LEAVES[: old - 1], LEAVES[-1] if old < 600 else LEAVES[0]])
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, size, forked, root, proof)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, size, old_root, forked, proof)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, size, old_root, root, [*proof, root])
    if proof:
        with pytest.raises(BadProof):
            merkle.verify_consistency(old, size, old_root, root, proof[:-1])


@given(st.lists(st.integers(0, 70), max_size=8))
@example([1, 1, 254, 256, 1])
def test_frontier_grows_as_the_tree_does(steps: list[int]) -> None:
    frontier = Frontier()
    for step in steps:
        frontier = frontier.append(LEAVES[frontier.size : frontier.size + step])
    assert frontier.root() == mth(LEAVES[: frontier.size])
    assert len(frontier.hashes) == frontier.size.bit_count()


# Refusals


@pytest.mark.parametrize(
    ("size", "hashes"), [(-1, ()), (2, ()), (1, (b"short",)), (3, (bytes(32),))]
)
def test_frontier_of_another_shape_is_refused(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused):
        Frontier(size, hashes)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, -1)])
def test_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])
    with pytest.raises(BadProof):
        merkle.inclusion_ranges(index, size)


def test_entry_is_proved_within_a_subtree() -> None:
    leaves, path = LEAVES[8:14], merkle.inclusion_proof(LEAVES[8:14], 2)
    merkle.verify_subtree_inclusion(10, 8, 14, LEAVES[10], path, mth(leaves))
    for index, start, end in ((10, 9, 14), (11, 8, 14), (10, 8, 12), (7, 8, 14)):
        with pytest.raises(BadProof):
            merkle.verify_subtree_inclusion(index, start, end, LEAVES[10], path, mth(leaves))


def test_empty_tree_proves_nothing() -> None:
    root = mth(LEAVES[:5])
    with pytest.raises(BadProof, match="no proof"):
        merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, root, [])
    merkle.verify_subtree_consistency(4, 4, 5, merkle.EMPTY_ROOT, root, [])
    for part, proof in ((root, []), (merkle.EMPTY_ROOT, [root])):
        with pytest.raises(BadProof, match="empty"):
            merkle.verify_subtree_consistency(4, 4, 5, part, root, proof)


def test_smaller_tree_is_no_successor() -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(3, 2, mth(LEAVES[:3]), mth(LEAVES[:2]), [])


def test_two_short_hashes_are_not_one_long() -> None:
    """A node over 31 and 33 bytes would hash as one over 32 and 32."""
    left, right = LEAVES[:2]
    root = mth(LEAVES[:2])
    merkle.verify_inclusion(0, 2, left, [right], root)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(0, 2, left + right[:1], [right[1:]], root)
