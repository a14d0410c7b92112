"""A witness's copy of a log: its seals, and its own folder after a crash or damage."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from tests.ledger.house import NOON, House, minute_of, person
from tests.ledger.shown import SIGNER, Shown, Watch

from luciole.kit.blobs import Moved
from luciole.ledger.entry import Scope, SealEntry
from luciole.ledger.merkle import EMPTY_ROOT
from luciole.ledger.seal import SealedIndex
from luciole.witness.cosigner import Witness
from luciole.witness.mirror import Refusal

# Seals


def sealed(log: Shown, first: int, end: int, scope: Scope = Scope.DAY) -> SealEntry:
    index = SealedIndex.build([one[7:39] for one in log.entries[first:end] if len(one) == 71])
    return SealEntry(scope, minute_of(NOON), first, end, index.count, index.root())


async def test_right_seals_are_cosigned_also_by_a_witness_that_begins_again(
    watch: Watch, log: Shown
) -> None:
    await watch.witness.see(log.head())
    log.add(sealed(log, 0, 300).encode(), *[person() for _ in range(5)])
    await watch.witness.see(log.head())
    assert [path.name for path in watch.folder.glob("index/*")] == ["0-300"]
    watch.again()
    log.add(sealed(log, 300, 306, Scope.DAY).encode())
    await watch.witness.see(log.head())
    watch.again()
    log.add(sealed(log, 0, 307, Scope.MONTH).encode(), person())
    await watch.witness.see(log.head())
    assert [path.name for path in watch.folder.glob("index/*")] == ["0-307"]


async def test_seal_over_nothing_is_right(tmp_path: Path) -> None:
    log = Shown()
    log.add(SealEntry(Scope.DAY, 5, 0, 0, 0, EMPTY_ROOT).encode())
    watch = Watch(tmp_path / "watch", log)
    await watch.witness.see(log.head())
    watch.again()
    log.add(person())
    await watch.witness.see(log.head())


@pytest.mark.parametrize(
    "flaw", ["root", "count", "first", "end", "label twice", "no entry", "seal of nothing"]
)
async def test_bad_seal_is_never_cosigned(watch: Watch, log: Shown, flaw: str) -> None:
    await watch.witness.see(log.head())
    good = sealed(log, 0, 300)
    if flaw == "label twice":
        log.add(log.entries[3])
        bad = good.encode()
    else:
        bad = {
            "root": SealEntry(good.scope, 1, 0, 300, 300, bytes(32)),
            "count": SealEntry(good.scope, 1, 0, 300, 299, good.root),
            "first": SealEntry(good.scope, 1, 1, 300, 300, good.root),
            "end": SealEntry(good.scope, 1, 0, 302, 300, good.root),
            "no entry": good,
            "seal of nothing": SealEntry(good.scope, 1, 0, 0, 0, EMPTY_ROOT),
        }[flaw].encode()
    if flaw == "no entry":
        bad = b"{}"
    if flaw == "seal of nothing":
        log.add(sealed(log, 0, 300).encode())
    if flaw == "label twice":
        bad = SealEntry(good.scope, 1, 0, 301, 301, good.root).encode()
    log.add(bad, person())
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (422, "bad-seal")
    assert str(refused).startswith("BAD SEAL")
    assert watch.evidence() == ["bad-seal/ours", "bad-seal/theirs"]
    assert watch.told == [f"{refused} (in {watch.folder})"]
    # Not by asking again either, nor later. Evidence is kept ten times, not for ever.
    for _ in range(12):
        assert (await watch.refused_sight(log.head())).code == "bad-seal"
        log.add(person())
    assert len(watch.evidence()) == 20
    assert len(watch.told) == 10


async def test_other_logs_have_no_seals(tmp_path: Path) -> None:
    log = Shown([b"{}", b'{"kind":"release"}'])
    watch = Watch(tmp_path / "watch", log, has_seals=False)
    await watch.witness.see(log.head())
    watch.again()
    log.add(b"{}")
    await watch.witness.see(log.head())


# The witness's own folder


@pytest.mark.parametrize("what", ["tile/0/001.p/44", "tile/entries/001.p/44", "index/0-300"])
@pytest.mark.parametrize("how", ["lost", "changed"])
async def test_damaged_mirror_cosigns_nothing(
    watch: Watch, log: Shown, what: str, how: str
) -> None:
    log.add(sealed(log, 0, 300).encode())
    what = what.replace(".p/44", ".p/45")
    await watch.witness.see(log.head())
    path = watch.folder / what
    if how == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-32] + bytes(32))
    watch.again()
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (503, "mirror-damaged")


async def test_another_process_in_the_same_folder_is_noticed(watch: Watch, log: Shown) -> None:
    first = watch.witness
    await first.see(log.head())
    second = watch.again()
    log.add(person())
    await second.see(log.head())
    # What the first remembers is old; it looks into the folder first.
    log.add(person())
    refused = await refused_by(first, log.request(300))
    assert (refused.status, refused.body) == (409, "301\n")
    await first.add_checkpoint(log.request(301))


async def refused_by(witness: Witness, request: bytes) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await witness.add_checkpoint(request)
    return refused.value


async def test_another_process_at_the_same_moment_is_noticed(
    watch: Watch, log: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.witness.see(log.head())
    mirror = watch.witness._mirrors[SIGNER.verifier.name]

    async def moved(*_given: object) -> None:
        raise Moved

    monkeypatch.setattr(mirror.blobs, "exchange", moved)
    log.add(person())
    refused = await watch.refused_sight(log.head())
    assert (refused.status, refused.code) == (503, "busy")


async def test_crash_before_the_state_is_kept_costs_nothing(
    watch: Watch, log: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles of a head that was not reached lie about, and of another history at that."""
    await watch.witness.see(log.head())
    mirror = watch.witness._mirrors[SIGNER.verifier.name]
    true, edge = dict(log.objects), log.edge
    log.add(*[person() for _ in range(400)])
    lie = log.head()

    async def crash(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mirror.blobs, "exchange", crash)
    with pytest.raises(KeyboardInterrupt):
        await watch.witness.see(lie)
    monkeypatch.undo()
    log.objects, log.edge, log.entries = true, edge, log.entries[:300]
    log.add(*[person() for _ in range(500)])
    watch.again()
    await watch.witness.see(log.head())
    for path in ("tile/0/001", "tile/0/002", "tile/entries/002", "tile/0/003.p/32"):
        assert await watch.witness.read(f"{watch.folder.name}/{path}") == log.objects[path]


async def test_witness_of_a_house_mirrors_the_archive(house: House) -> None:
    sequencer = house.sequencer()
    for count in (3, 500):
        await house.put(*[person() for _ in range(count)])
        await sequencer.round()
    name = sha256(house.signer.verifier.name.encode()).hexdigest()
    for path in house.folder.rglob("*"):
        if path.is_file() and path.name not in ("pending", "checkpoint") and "#" not in path.name:
            relative = path.relative_to(house.folder).as_posix()
            assert await house.witness.read(f"{name}/{relative}") == path.read_bytes(), relative
