"""The verifier against vectors of others: proofs of transparency-dev, a log that Tessera wrote."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ledger.corpus import MERKLE, TESSERA, needs_corpus
from verifier.luciole_verify import ED25519, Finding, Folder, Log, Point

from verifier import luciole_verify as verifier

# The leaves under the vectors of transparency-dev, as its README and Certificate Transparency have
# them.
LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
] + [bytes(range(0x60, 0x70))]
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def vectors(kind: str) -> Iterator[dict[str, Any]]:
    for path in sorted((MERKLE / kind).rglob("*.json")):
        yield json.loads(path.read_text())


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def path_of(vector: dict[str, Any]) -> list[bytes]:
    return [raw(node) for node in vector["proof"] or []]


@needs_corpus
def test_inclusion_proofs_are_judged_as_the_vectors_say() -> None:
    seen = 0
    for vector in vectors("inclusion"):
        seen += 1
        point = Point("", b"", "", vector["treeSize"], raw(vector["root"]), [])
        leaf = raw(vector["leafHash"])
        if vector["desc"] == "empty root and leaf":
            continue  # nothing hashes to nothing
        found = verifier.included(vector["leafIdx"], leaf, path_of(vector), point)
        assert found != vector["wantErr"], vector["desc"]
    assert seen == 98


@needs_corpus
def test_subtrees_that_are_trees_are_judged_as_the_vectors_say() -> None:
    # Cosignatures under checkpoints are of whole trees; other subtrees the verifier never meets.
    seen = 0
    for vector in vectors("subtreeinclusion"):
        if vector["start"] == 0:
            seen += 1
            point = Point("", b"", "", vector["end"], raw(vector["root"]), [])
            leaf = raw(vector["leafHash"])
            if vector["desc"].startswith("empty root and leaf"):
                continue  # nothing hashes to nothing
            found = verifier.included(vector["leafIdx"], leaf, path_of(vector), point)
            assert found != vector["wantErr"], vector["desc"]
    assert seen == 101


@needs_corpus
def test_histories_of_the_consistency_vectors_are_told_apart() -> None:
    # The verifier reads no consistency proof: it has all entries, and takes the root of the first
    # ones. So what counts of a vector is whether the two trees are of one history.
    hashes = [verifier.leaf_hash(leaf) for leaf in LEAVES]
    roots = {size: verifier.root_of(hashes[:size]) for size in range(9)}
    seen = right = 0
    for vector in vectors("consistency"):
        old, new = vector["size1"], vector["size2"]
        if roots.get(new) != raw(vector["root2"]):
            # No tree of these leaves; one happy vector is about roots that nobody cares about.
            assert vector["wantErr"] or raw(vector["root2"]) == b"don't care 2"
            continue
        seen += 1
        log = Log(Point("", b"", "", new, roots[new], []), hashes[:new], LEAVES[:new], None)
        try:
            verifier.check_history(Point("", b"", "", old, raw(vector["root1"]), []), log)
            accepts = True
        except Finding:
            accepts = False
        assert accepts == (old <= new and raw(vector["root1"]) == roots.get(old)), vector["desc"]
        assert accepts or vector["wantErr"]
        right += accepts and not vector["wantErr"]
    assert (seen, right) == (69, 5)


@needs_corpus
def test_log_of_tessera_is_read_whole() -> None:
    key = verifier.key_of(TESSERA_KEY, (ED25519,))
    notes = sorted(TESSERA.glob("checkpoint*"))
    assert len(notes) == 17
    for note in notes:
        point = verifier.point_of(note.read_bytes())
        (signature,) = verifier.signatures_by(key, point)
        assert verifier.is_signed(key, signature, point.body)
        assert not verifier.is_signed(key, signature, point.body + b"\n")
        source = Folder(str(TESSERA))
        _, (_, entries) = verifier.check_tree(source, ".", point)
        assert len(entries) == point.size
        assert entries[:3] == [b"one", b"two", b"three"][: point.size]


@needs_corpus
def test_damaged_log_of_tessera_is_noticed(tmp_path: Path) -> None:
    point = verifier.point_of((TESSERA / "checkpoint.15").read_bytes())
    for level, code in (("entries", "tree.root"), ("0", "tree.tile")):
        for kind in ("entries", "0"):
            data = bytearray((TESSERA / f"tile/{kind}/000.p/15").read_bytes())
            if kind == level:
                data[-1] ^= 1
            place = tmp_path / level / "tile" / kind / "000.p"
            place.mkdir(parents=True)
            (place / "15").write_bytes(data)
        with pytest.raises(Finding) as caught:
            verifier.check_tree(Folder(str(tmp_path / level)), ".", point)
        assert caught.value.code == code
