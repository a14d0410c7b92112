"""Rotation: afterwards the old epoch opens nothing, and a kill at any step leaves a whole store."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.rules.source import ROOT
from tests.unit.keys.persons import ANA, BEN, CAT, LABEL_KEY, opened, sealed

from luciole import broker
from luciole.keys import (
    KeyFileRefused,
    KeyStore,
    NoKey,
    RootKey,
    RootUnavailable,
    SealBroken,
    epochs,
)
from luciole.kit.clock import SetClock

STEPS = ("drawn", "copied", "written", "switched", "retired", "key destroyed", "destroyed")
FIRST = ["epoch-1.wrapped", "wraps-1.sqlite"]
SECOND = ["epoch-2.wrapped", "wraps-2.sqlite"]


def files(folder: Path) -> list[str]:
    """Files of epochs, without journals."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name.lstrip(".").startswith(("epoch", "wraps")) and path.suffix != ".sqlite-journal"
    )


def test_rotation_keeps_the_keys_and_changes_every_wrap(
    folder: Path, store: KeyStore, clock: SetClock
) -> None:
    store.enrol(ANA, LABEL_KEY)
    store.enrol(BEN)
    store.confirm(ANA)
    keys = store.data_key(ANA), store.data_key(BEN)
    before = store._wraps.get(ANA.bytes)
    clock.advance(timedelta(days=7))
    rotated = store.rotate()
    assert (rotated.epoch, rotated.destroyed, rotated.persons) == (2, 1, 2)
    assert (store.epoch, store.epoch_began) == (2, clock.now())
    assert (store.data_key(ANA), store.data_key(BEN)) == keys
    assert store.label_key(ANA) == LABEL_KEY
    assert store.unconfirmed(clock.now()) == [BEN]
    after = store._wraps.get(ANA.bytes)
    assert before is not None
    assert after is not None
    assert before[1] != after[1]
    assert files(folder) == SECOND


def test_after_a_start_the_new_epoch_is_used(
    folder: Path, root: RootKey, store: KeyStore, clock: SetClock
) -> None:
    store.enrol(ANA)
    field = sealed(store, ANA)
    store.rotate()
    store.rotate()
    store.close()
    with closing(KeyStore(folder, root, clock=clock)) as again:
        assert again.epoch == 3
        assert opened(again, ANA, field) == b"ana@example.org"


def test_changes_during_a_rotation_are_not_lost(
    folder: Path, root: RootKey, clock: SetClock
) -> None:
    def meanwhile(step: str) -> None:
        if step == "copied":
            store.shred(ANA)
            store.confirm(BEN)
            store.enrol(CAT, LABEL_KEY)

    with closing(KeyStore(folder, root, clock=clock, reached=meanwhile)) as store:
        store.enrol(ANA)
        store.enrol(BEN)
        key = store.data_key(BEN)
        store.rotate()
        with pytest.raises(NoKey):
            store.data_key(ANA)
        assert store.data_key(BEN) == key
        assert store.label_key(CAT) == LABEL_KEY
        assert store.unconfirmed(clock.now() + timedelta(hours=1)) == [CAT]


def test_many_pages_are_copied_while_others_read_and_write(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.keys.store.PAGE", 7)
    persons = [RootKey.generate().cell_id for _ in range(100)]
    for person in persons:
        store.enrol(person)
    keys = {person: store.data_key(person) for person in persons}
    wrong: list[object] = []

    def use() -> None:
        wrong.extend(person for person in persons[::2] if store.data_key(person) != keys[person])
        for person in persons[1::2]:
            store.shred(person)

    other = threading.Thread(target=use)
    other.start()
    store.rotate()
    other.join()
    assert not wrong
    assert store.persons() == 50
    assert all(store.data_key(person) == keys[person] for person in persons[::2])


def test_the_old_epoch_refuses_afterwards(
    folder: Path, root: RootKey, store: KeyStore, tmp_path: Path
) -> None:
    store.enrol(ANA)
    old = store._wraps.get(ANA.bytes)
    shutil.copy(folder / "wraps-1.sqlite", tmp_path / "kept.sqlite")
    store.rotate()
    assert old is not None
    with pytest.raises(SealBroken):  # in today's store
        store._outer.unwrap(old[0], old[1])
    # A kept copy put back in place of the new file, or beside a `current` that names it.
    store.close()
    (folder / "wraps-2.sqlite").unlink()
    shutil.copy(tmp_path / "kept.sqlite", folder / "wraps-2.sqlite")
    (folder / "wraps-2.sqlite").chmod(0o600)
    with closing(KeyStore(folder, root)) as again, pytest.raises(SealBroken):
        again.data_key(ANA)
    shutil.copy(tmp_path / "kept.sqlite", folder / "wraps-1.sqlite")
    (folder / "wraps-1.sqlite").chmod(0o600)
    epochs.switch(folder, 1, store.epoch_began)
    with pytest.raises(KeyFileRefused, match=r"epoch-1\.wrapped, is missing"):
        KeyStore(folder, root)


def test_old_files_are_overwritten_before_their_names_go(
    folder: Path, store: KeyStore, tmp_path: Path
) -> None:
    store.enrol(ANA)
    for name in FIRST:  # a second name shows what is left of the content
        (tmp_path / name).hardlink_to(folder / name)
    store.rotate()
    for name in FIRST:
        assert set((tmp_path / name).read_bytes()) == {0}, name


def test_no_person_moves_to_another_in_the_store(store: KeyStore) -> None:
    store.enrol(ANA)
    store.enrol(BEN)
    ana = store._wraps.get(ANA.bytes)
    assert ana is not None
    store._wraps.add([(BEN.bytes, *ana[1:])])
    with pytest.raises(SealBroken):
        store.data_key(BEN)


def test_a_root_that_does_not_answer_stops_a_rotation_before_it_begins(
    folder: Path, root: RootKey, store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise RootUnavailable("The key service is away.")

    store.enrol(ANA)
    with monkeypatch.context() as patch:
        patch.setattr(RootKey, "wrap", away)
        with pytest.raises(RootUnavailable, match="away"):
            store.rotate()
    assert (store.epoch, files(folder)) == (1, FIRST)
    # It goes away between the switch and the end of the old epoch.
    with monkeypatch.context() as patch:
        patch.setattr(RootKey, "retire", away)
        with pytest.raises(RootUnavailable):
            store.rotate()
    assert (store.epoch, files(folder)) == (2, sorted(FIRST + SECOND))
    # The broker tries again each hour, and rotates when the week is over.
    week, clock = timedelta(days=7), store._clock
    assert broker.turn(store, week, clock) == [1]
    assert files(folder) == SECOND
    assert broker.turn(store, week, clock) == []
    store.epoch_began -= week
    assert broker.turn(store, week, clock) == [2]
    assert len(store.data_key(ANA)) == 32


CHILD = """
import os, signal, sys
from pathlib import Path
from luciole.keys import KeyStore, RootKey

folder, last = Path(sys.argv[1]), sys.argv[2]

def reached(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

KeyStore(folder, RootKey.load(folder / "root.key"), reached=reached).rotate()
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_the_next_start_is_whole(
    folder: Path, root: RootKey, store: KeyStore, clock: SetClock, step: str
) -> None:
    store.enrol(ANA, LABEL_KEY)
    field = sealed(store, ANA)
    store.close()
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, folder, step],
        env={"PYTHONPATH": str(ROOT / "src")},
        timeout=60,
    )
    assert killed.returncode == -9
    epoch = 1 if STEPS.index(step) < STEPS.index("switched") else 2
    with closing(KeyStore(folder, root, clock=clock)) as again:
        assert again.epoch == epoch
        assert files(folder) == (FIRST if epoch == 1 else SECOND)
        assert opened(again, ANA, field) == b"ana@example.org"
        assert again.label_key(ANA) == LABEL_KEY
        # And the next rotation, after the same number was begun before, is a whole one.
        assert again.rotate().epoch == epoch + 1
        assert opened(again, ANA, field) == b"ana@example.org"


# The first start


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 5])
def test_killed_first_start_is_taken_over(
    tmp_path: Path, root: RootKey, store: KeyStore, clock: SetClock, kept: int
) -> None:
    store.close()
    order = ["secret.wrapped", "share.wrapped", "epoch-1.wrapped", "wraps-1.sqlite", "current"]
    half = tmp_path / "half"
    half.mkdir(mode=0o700)
    for name in order[:kept]:
        shutil.copy2(store.folder / name, half / name)
    for name in (".wraps-1.sqlite", ".epoch-1.wrapped.0f", ".of-somebody-else"):
        (half / name).write_bytes(b"a draft")
    with closing(KeyStore(half, root, clock=clock)) as again:
        again.enrol(ANA)
        assert (again.epoch, files(half)) == (1, FIRST)
        assert (half / ".of-somebody-else").exists()


def test_lost_name_of_the_epoch_makes_no_new_store(
    folder: Path, root: RootKey, store: KeyStore
) -> None:
    store.enrol(ANA)
    store.rotate()
    store.close()
    (folder / "current").unlink()
    with pytest.raises(KeyFileRefused, match="current, is missing"):
        KeyStore(folder, root)
    assert files(folder) == SECOND


@pytest.mark.parametrize("text", ["", "luciole-epoch-v1 two 2026-11-26T12:00:00+00:00", "v9 1 2"])
def test_damaged_name_of_the_epoch_is_refused(
    folder: Path, root: RootKey, store: KeyStore, text: str
) -> None:
    store.close()
    (folder / "current").write_text(text)
    with pytest.raises(KeyFileRefused, match="damaged"):
        KeyStore(folder, root)
