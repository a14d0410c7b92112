"""What a witness cosigns, what it refuses and in which words, and what it keeps as evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ledger.house import person
from tests.ledger.shown import COSIGNERS, SIGNER, Shown, Watch, body

from luciole.kit.blobs import Missing
from luciole.ledger.merkle import EMPTY_ROOT, consistency_proof, leaf_hash
from luciole.ledger.note import Checkpoint, KeyKind, Note, Signer


async def test_first_head_is_cosigned_with_both_keys(watch: Watch, log: Shown) -> None:
    lines = await watch.witness.add_checkpoint(log.request(0))
    note = Note.parse(log.head() + lines.encode())
    signatures = note.verify([one.verifier for one in COSIGNERS])
    assert [(one.key, one.time) for one in signatures] == [
        (signer.verifier, 1_800_000_000) for signer in COSIGNERS
    ]


async def test_log_is_mirrored_and_shown(watch: Watch, log: Shown) -> None:
    lines = await watch.witness.add_checkpoint(log.request(0))
    name = watch.folder.name
    assert await watch.witness.read(f"{name}/checkpoint") == log.head() + lines.encode()
    for path in ("tile/0/000", "tile/entries/000", "tile/0/001.p/44", "tile/1/000.p/1"):
        assert await watch.witness.read(f"{name}/{path}") == log.objects[path]
    for path in ("", "x", f"{name}/state", f"{name}/../keys.json", f"{name}/tile/9/9", name):
        with pytest.raises(Missing):
            await watch.witness.read(path)


async def test_log_grows_and_the_witness_with_it(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    for count in (1, 210, 1, 4000):
        old = len(log.entries)
        log.add(*[person() for _ in range(count)])
        await watch.witness.add_checkpoint(log.request(old))
    assert (await watch.witness.read(f"{watch.folder.name}/tile/1/000.p/17"))[:32]
    # A partial tile that was kept for an older head is gone, since the full one is there.
    assert not list(watch.folder.glob("tile/0/001.p/*"))


async def test_witness_that_begins_again_remembers(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    watch.again()
    refused = await watch.refusal(log.request(0))
    assert (refused.status, refused.body) == (409, "300\n")
    log.add(person())
    await watch.witness.add_checkpoint(log.request(300))


async def test_empty_log_is_cosigned(watch: Watch) -> None:
    log = watch.log = Shown()
    watch.again()
    await watch.witness.add_checkpoint(log.request(0))
    log.add(person())
    await watch.witness.add_checkpoint(log.request(0))
    assert await watch.witness.see(log.head())


async def test_same_head_is_cosigned_again(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    assert await watch.witness.add_checkpoint(log.request(300))


# Refusals, in the order of the protocol


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"old 0\n",
        b"old 0\n\nno note",
        b"\xff\n\n",
        b"old 0\n\nno\nhead\n\n" + "— a AAAAAAAA\n".encode(),
    ],
)
async def test_nonsense_is_400(watch: Watch, request_: bytes) -> None:
    assert (await watch.refusal(request_)).status == 400


@pytest.mark.parametrize("first", ["0", "old", "old 01", "old -1", "old 1\nAA", "old 1\n?"])
async def test_malformed_lines_are_400(watch: Watch, log: Shown, first: str) -> None:
    assert (await watch.refusal(first.encode() + b"\n\n" + log.head())).status == 400


async def test_old_size_larger_than_the_head_is_400(watch: Watch, log: Shown) -> None:
    assert (await watch.refusal(body(301, [], log.head()))).status == 400


async def test_more_than_63_lines_of_proof_are_400(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    log.add(person())
    assert (await watch.refusal(body(300, [bytes(32)] * 64, log.head()))).status == 400
    assert (await watch.refusal(body(300, [bytes(32)] * 63, log.head()))).status == 422


async def test_unknown_log_is_404(watch: Watch) -> None:
    other = Signer("another/log", KeyKind.ED25519, b"o" * 32)
    note = other.sign(str(Checkpoint("another/log", 0, EMPTY_ROOT))).encode()
    assert (await watch.refusal(body(0, [], note))).status == 404


async def test_head_without_the_logs_signature_is_403(watch: Watch, log: Shown) -> None:
    other = Signer(SIGNER.verifier.name, KeyKind.ED25519, b"o" * 32)
    text = log.head().decode().partition("\n\n")[0] + "\n"
    assert (await watch.refusal(body(0, [], other.sign(text).encode()))).status == 403
    changed = log.head().replace(b"\n300\n", b"\n299\n")
    assert (await watch.refusal(body(0, [], changed))).status == 403


async def test_other_old_size_is_409_with_the_size(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    log.add(person())
    for old in (0, 299, 301):
        refused = await watch.refusal(body(old, [], log.head()))
        assert (refused.status, refused.body) == (409, "300\n")
    assert watch.evidence() == []


async def test_smaller_head_is_409(watch: Watch, log: Shown) -> None:
    """A rollback. What it shows is true and stale, which is no contradiction."""
    await watch.witness.add_checkpoint(log.request(0))
    refused = await watch.refusal(log.request(200, 290))
    assert (refused.status, refused.body) == (409, "300\n")
    assert watch.evidence() == []
    seen = await watch.refused_sight(log.head(290))
    assert seen.code == "rollback"
    assert str(seen).startswith("ROLLBACK")


@pytest.mark.parametrize("flaw", ["wrong", "missing", "superfluous", "for nothing"])
async def test_wrong_proof_is_422(watch: Watch, log: Shown, flaw: str) -> None:
    if flaw == "for nothing":
        assert (await watch.refusal(body(0, [bytes(32)], log.head()))).status == 422
        return
    await watch.witness.add_checkpoint(log.request(0))
    log.add(person())
    proof = consistency_proof([leaf_hash(one) for one in log.entries], 300)
    proof = {"wrong": [bytes(32), *proof[1:]], "missing": proof[1:]}.get(flaw, [*proof, bytes(32)])
    refused = await watch.refusal(body(300, proof, log.head()))
    assert (refused.status, refused.code) == (422, "no-proof")


async def test_empty_head_with_another_root_is_422(watch: Watch, log: Shown) -> None:
    assert (await watch.refusal(body(0, [], log.signed(0, bytes(32))))).status == 422


# Forks


async def test_two_heads_of_one_size_are_a_fork(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    theirs = log.signed(300, bytes(32))
    assert (await watch.refusal(body(300, [], theirs))).status == 422
    assert watch.evidence() == ["fork/ours", "fork/theirs"]
    (told,) = watch.told
    assert told.startswith("FORK")
    folder = next(watch.folder.glob("evidence/fork-*"))
    assert (folder / "theirs").read_bytes() == theirs
    assert (folder / "ours").read_bytes() == log.head()
    # Nothing has changed for the log that it knows.
    log.add(person())
    await watch.witness.add_checkpoint(log.request(300))


async def test_smaller_head_that_contradicts_is_a_fork(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    assert (await watch.refusal(body(0, [], log.signed(299, bytes(32))))).status == 409
    assert watch.evidence() == ["fork/ours", "fork/theirs"]
    assert (await watch.refused_sight(log.signed(7, bytes(32)))).code == "fork"


async def test_empty_head_that_contradicts_is_a_fork(watch: Watch, log: Shown) -> None:
    await watch.witness.add_checkpoint(log.request(0))
    assert (await watch.refused_sight(log.signed(0, bytes(32)))).code == "fork"
    assert (await watch.refused_sight(log.signed(0, EMPTY_ROOT))).code == "rollback"


async def test_larger_head_over_other_entries_is_a_fork(tmp_path: Path, log: Shown) -> None:
    """The log shows us another history from its first entry on, and all of it fits together."""
    watch = Watch(tmp_path / "watch", log)
    await watch.witness.see(log.head())
    other = Shown([person() for _ in range(700)])
    log.objects, log.entries = other.objects, other.entries
    seen = await watch.refused_sight(other.head())
    assert seen.code == "fork"
    assert watch.evidence() == ["fork/ours", "fork/theirs"]
    assert len(watch.told) == 1


# What a log shows that does not fit its heads


async def test_missing_entries_are_said_to_be_missing(watch: Watch, log: Shown) -> None:
    held = log.objects.pop("tile/entries/000")
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (503, "entries-missing")
    log.objects["tile/entries/000"] = held
    assert await watch.witness.see(log.head())


@pytest.mark.parametrize("begun", [False, True])
async def test_entries_that_do_not_give_the_root_are_no_fork(
    watch: Watch, log: Shown, begun: bool
) -> None:
    """Somebody on the way changed them, or a disk; the log's own tiles say what is right."""
    if begun:
        await watch.witness.see(log.head())
        log.add(*[person() for _ in range(10)])
    name = "tile/entries/001.p/54" if begun else "tile/entries/001.p/44"
    held = log.objects[name]
    log.objects[name] = held[:-1] + b"?"
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (503, "entries-wrong")
    assert watch.evidence() == []
    assert watch.told == []
    log.objects[name] = held
    assert await watch.witness.see(log.head())


async def test_changed_entries_and_tiles_are_no_fork(watch: Watch, log: Shown) -> None:
    await watch.witness.see(log.head())
    head = log.head()
    log.add(person())
    other = Shown([person() for _ in range(301)])
    log.objects = other.objects
    assert (await watch.refused_sight(log.head())).code == "entries-wrong"
    assert await watch.witness.see(head)


async def test_malformed_bundle_is_said_to_be_nonsense(watch: Watch, log: Shown) -> None:
    log.objects["tile/entries/000"] = b"\0\1"
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (503, "entries-wrong")
