"""A log, its proofs and its signatures, compared with a second implementation by other hands
(`tlog-scales`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ledger.parties import LOG, ORIGIN, WITNESSES
from tlog_scales import backend, reader, signing, tlog, writer

from luciole.ledger import merkle, tiles
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer, VerifierKey
from luciole.ledger.tiles import Edge

STEPS = (1, 0, 14, 240, 1, 1, 255, 256, 700, 3)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log that the other implementation wrote, with each of its partial tiles."""
    home = tmp_path_factory.mktemp("oracle") / "log"
    signer = signing.PlainEd25519Signer(ORIGIN, b"l" * 32)
    made = writer.TilesWriter.create(home, ORIGIN)
    for step in STEPS:
        for _ in range(step):
            made.add_leaf(entry(made.size + len(made.pending)))
        made.commit([signer], gc=False)
    return home


def entry(index: int) -> bytes:
    return b"%d," % index * (index % 50)


def test_log_has_the_same_objects(log: Path) -> None:
    edge, stored = Edge(), dict[str, bytes]()
    for step in STEPS:
        edge, objects = edge.append([entry(edge.size + at) for at in range(step)])
        stored |= objects
    theirs = {
        path.relative_to(log).as_posix(): path.read_bytes()
        for path in (log / "tile").rglob("*")
        if path.is_file()
    }
    # It writes the level of the entries as `entries` too; both name all objects alike.
    assert stored == theirs
    note = (log / "checkpoint").read_text()
    assert note == LOG.sign(str(Checkpoint(ORIGIN, edge.size, edge.root())))
    Note.parse(note).verify([LOG.verifier])


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_proofs_are_the_same(log: Path, data: st.DataObject) -> None:
    theirs = reader.TilesReader(backend.LocalBackend(log))
    size = theirs.get_checkpoint().size
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))

    def made(ranges: list[merkle.Range]) -> list[bytes]:
        read = lambda tile: (log / tile.path).read_bytes()  # noqa: E731
        return [tiles.range_hash(low, high, size, read) for low, high in ranges]

    path = made(merkle.inclusion_ranges(index, size))
    assert path == theirs.get_inclusion_proof(index, size).node_hashes
    proof = made(merkle.consistency_ranges(old, size))
    assert proof == theirs.get_consistency_proof(old, size).node_hashes
    root = theirs.calculate_root_hash()
    tlog.InclusionProof(index, size, path).check(merkle.leaf_hash(entry(index)), root)
    merkle.verify_inclusion(index, size, merkle.leaf_hash(entry(index)), path, root)
    merkle.verify_consistency(old, size, theirs.mth(0, old), root, proof)


HEAD = Checkpoint(ORIGIN, 15, bytes(range(32)))


@pytest.mark.parametrize("signer", [LOG, *WITNESSES], ids=lambda each: each.verifier.name)
def test_they_accept_our_signatures(signer: Signer) -> None:
    is_log = signer.verifier.kind is KeyKind.ED25519
    line = signer.line(str(HEAD), 0 if is_log else 77)
    theirs = tlog.Checkpoint.from_text(f"{HEAD}\n{line}")
    theirs.verify(signing.Vkey.from_string(str(signer.verifier)))


@pytest.mark.parametrize(
    "signer",
    [
        signing.PlainEd25519Signer("n.example/1", b"1" * 32),
        signing.MLDSA44CosignatureSigner("n.example/6", b"6" * 32),
    ],
    ids=["Ed25519", "ML-DSA-44"],
)
def test_we_accept_their_signatures(signer: signing.CheckpointSigner) -> None:
    theirs = tlog.Checkpoint.make_signed(HEAD.origin, HEAD.size, HEAD.root, [signer])
    key = VerifierKey.parse(signer.vkey.serialize())
    (found,) = Note.parse(theirs.serialize()).verify([key])
    assert str(found.key) == signer.vkey.serialize()
    assert (found.time > 0) == (key.kind is KeyKind.SUBTREE)
