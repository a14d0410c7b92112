"""Receipts: written, read back, verified, and every way to be malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.ledger.parties import ORIGIN, policy, signed

from luciole.ledger import merkle
from luciole.ledger.merkle import BadProof, Refused, leaf_hash
from luciole.ledger.note import Checkpoint, to_base64
from luciole.ledger.policy import NotTrusted
from luciole.ledger.proof import Proof

LEAVES = [leaf_hash(str(index).encode()) for index in range(100)]
HEAD = Checkpoint(ORIGIN, 100, merkle.root_of(LEAVES))
NOTE = signed(HEAD)
PROOF = Proof(17, tuple(merkle.inclusion_proof(LEAVES, 17)), NOTE)
TEXT = str(PROOF)


def test_receipt_is_the_text_of_the_standard() -> None:
    lines = TEXT.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1] == "index 17"
    assert lines[2:9] == [to_base64(hash_) for hash_ in PROOF.path]
    assert lines[9] == ""
    assert "\n".join(lines[10:]) == NOTE


def test_receipt_proves_its_entry() -> None:
    trusted = Proof.parse(TEXT).verify(leaf_hash(b"17"), policy())
    assert trusted.checkpoint == HEAD
    assert trusted.cosigned == {"W1": 1001, "W2": 1002}


def test_receipt_proves_no_other_entry() -> None:
    with pytest.raises(BadProof):
        PROOF.verify(leaf_hash(b"18"), policy())
    with pytest.raises(BadProof):
        Proof.parse(TEXT.replace("index 17", "index 16")).verify(leaf_hash(b"17"), policy())


def test_receipt_without_enough_witnesses_proves_nothing() -> None:
    alone = Proof(17, PROOF.path, signed(HEAD, 0))
    with pytest.raises(NotTrusted):
        alone.verify(leaf_hash(b"17"), policy())


@given(st.none() | st.binary(max_size=100), st.integers(0, 2**63 - 1), st.integers(0, 63))
def test_receipt_is_read_back(extra: bytes | None, index: int, length: int) -> None:
    proof = Proof(index, tuple(LEAVES[:length]), NOTE, extra)
    assert Proof.parse(str(proof)) == proof


def test_receipt_of_a_log_of_one_entry_has_no_path() -> None:
    head = Checkpoint(ORIGIN, 1, LEAVES[0])
    proof = Proof(0, (), signed(head))
    assert Proof.parse(str(proof)).verify(LEAVES[0], policy()).checkpoint == head


HASH = to_base64(bytes(32))


# Named, since the signature of an ML-DSA witness is another one in each process.
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(TEXT[1:], id="beginning cut off"),
        pytest.param(TEXT.replace("@v1", "@v2"), id="another version"),
        pytest.param("c2sp.org/tlog-proof@v1\n\n" + NOTE, id="without index"),
        pytest.param("c2sp.org/tlog-proof@v1\nindex 0", id="without note"),
        pytest.param(f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH}\n{NOTE}", id="note without path"),
        pytest.param(TEXT.replace("index 17", "index"), id="index without number"),
        pytest.param(TEXT.replace("index 17", "index  17"), id="two spaces"),
        pytest.param(TEXT.replace("index 17", "index 017"), id="leading zero"),
        pytest.param(TEXT.replace("index 17", "index -17"), id="negative index"),
        pytest.param(TEXT.replace("index 17", f"index {2**63}"), id="index of 2**63"),
        pytest.param(TEXT.replace("index 17", "Index 17"), id="Index"),
        pytest.param(
            TEXT.replace("index 17", "extra AA==\nextra AA==\nindex 17"), id="extra twice"
        ),
        pytest.param(TEXT.replace("index 17", "index 17\nextra AA=="), id="extra behind index"),
        pytest.param(TEXT.replace("index 17", "extra\nindex 17"), id="extra without value"),
        pytest.param(TEXT.replace("index 17", "extra A\nindex 17"), id="extra not base64"),
        pytest.param(TEXT.replace("index 17", "extra AA=="), id="extra without index"),
        pytest.param(
            TEXT.replace("index 17\n", f"index 17\n{to_base64(bytes(31))}\n"), id="hash of 31 bytes"
        ),
        pytest.param(TEXT.replace("index 17\n", "index 17\nAA==\n"), id="hash of one byte"),
        pytest.param(TEXT.replace("index 17\n", f"index 17\n{HASH} \n"), id="space behind a hash"),
        pytest.param(
            TEXT.replace("index 17\n", "index 17\n" + f"{HASH}\n" * 60), id="60 hashes more"
        ),
        pytest.param(TEXT.replace("\n", "\r\n"), id="CRLF"),
    ],
)
def test_malformed_receipt_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        Proof.parse(text)


def test_receipt_with_a_changed_checkpoint_is_refused() -> None:
    with pytest.raises(Refused):
        Proof.parse(TEXT.replace("\n100\n", "\n101\n")).verify(leaf_hash(b"17"), policy())
    with pytest.raises(Refused):
        Proof.parse(TEXT + "\n").verify(leaf_hash(b"17"), policy())
