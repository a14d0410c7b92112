"""The key store: who is in it, what opens, and that what is shredded does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.unit.keys.persons import ANA, BEN, LABEL_KEY, first_wrap, opened, sealed

from luciole.keys import (
    AnotherRoot,
    CellSecret,
    Half,
    HalfNeeded,
    KeyFileRefused,
    KeysInUse,
    KeyStore,
    NoKey,
    RootKey,
    SealBroken,
    WrongRootKey,
)
from luciole.keys.root import cell_id_in, name_cell
from luciole.keys.wraps import Row
from luciole.kit.clock import SetClock


def test_enrolled_person_has_a_data_key_and_their_label_key(store: KeyStore) -> None:
    assert store.enrol(ANA, LABEL_KEY)
    assert len(store.data_key(ANA)) == 32
    assert store.label_key(ANA) == LABEL_KEY


def test_enrolling_again_changes_nothing(store: KeyStore) -> None:
    store.enrol(ANA, LABEL_KEY)
    key = store.data_key(ANA)
    assert not store.enrol(ANA, b"M" * 32)
    assert (store.data_key(ANA), store.label_key(ANA)) == (key, LABEL_KEY)
    assert store.persons() == 1


def test_person_without_a_label_key_gets_one(store: KeyStore) -> None:
    store.enrol(ANA)
    assert len(store.label_key(ANA)) == 32


def test_each_person_has_keys_of_their_own(store: KeyStore) -> None:
    store.enrol(ANA)
    store.enrol(BEN)
    assert store.data_key(ANA) != store.data_key(BEN)
    assert store.label_key(ANA) != store.label_key(BEN)


def test_keys_are_the_same_after_a_start(
    folder: Path, root: RootKey, store: KeyStore, clock: SetClock
) -> None:
    store.enrol(ANA, LABEL_KEY)
    before = store.data_key(ANA), store.secret.derived("cursors")
    store.close()
    with closing(KeyStore(folder, root, clock=clock)) as again:
        assert (again.data_key(ANA), again.secret.derived("cursors")) == before
        assert again.label_key(ANA) == LABEL_KEY


def test_a_stranger_has_no_key(store: KeyStore) -> None:
    for ask in (store.data_key, store.label_key):
        with pytest.raises(NoKey):
            ask(uuid4())


def test_what_was_sealed_for_a_shredded_person_does_not_open(store: KeyStore) -> None:
    store.enrol(ANA)
    store.enrol(BEN)
    field = sealed(store, ANA)
    assert opened(store, ANA, field) == b"ana@example.org"
    assert store.shred(ANA)
    with pytest.raises(NoKey):
        opened(store, ANA, field)
    with pytest.raises(SealBroken):
        opened(store, BEN, field)
    store.enrol(ANA)  # the same id again is another person to the keys
    with pytest.raises(SealBroken):
        opened(store, ANA, field)


def test_shredding_twice_is_fine(store: KeyStore) -> None:
    store.enrol(ANA)
    assert store.shred(ANA)
    assert not store.shred(ANA)


def test_a_shredded_row_is_overwritten_in_the_file(folder: Path, store: KeyStore) -> None:
    store.enrol(ANA)
    row = store._wraps.get(ANA.bytes)
    assert row is not None
    path = folder / "wraps-1.sqlite"
    assert row[1] in path.read_bytes()
    store.shred(ANA)
    content = path.read_bytes() + path.with_suffix(".sqlite-journal").read_bytes()
    assert row[1] not in content
    assert row[2] not in content
    assert ANA.bytes not in content


def test_no_key_lies_in_the_folder_in_the_clear(folder: Path, store: KeyStore) -> None:
    store.enrol(ANA, LABEL_KEY)
    secrets = (store.data_key(ANA), LABEL_KEY, store.secret.derived("cursors"))
    for path in folder.iterdir():
        assert not any(secret in path.read_bytes() for secret in secrets), path
        assert path.stat().st_mode & 0o077 == 0, path


# Sign-ups that were never stored


def test_unconfirmed_persons_are_found_by_age(store: KeyStore, clock: SetClock) -> None:
    store.enrol(ANA)
    clock.advance(timedelta(minutes=30))
    store.enrol(BEN)
    assert store.unconfirmed(clock.now()) == [ANA]
    assert store.unconfirmed(clock.now() - timedelta(hours=1)) == []
    clock.advance(timedelta(minutes=1))
    assert store.unconfirmed(clock.now()) == [ANA, BEN]
    assert store.unconfirmed(clock.now(), limit=1) == [ANA]
    store.confirm(ANA)
    assert store.unconfirmed(clock.now()) == [BEN]
    store.shred(BEN)
    assert store.unconfirmed(clock.now()) == []
    store.confirm(uuid4())  # of somebody who was shredded meanwhile


# Cells of the first version


def test_keys_of_the_first_version_move_in(root: RootKey, store: KeyStore) -> None:
    data_key, wrapped = b"d" * 32, first_wrap(root, ANA, b"d" * 32)
    assert store.adopt([(ANA, wrapped), (BEN, first_wrap(root, BEN))]) == 2
    assert store.data_key(ANA) == data_key
    assert store.unconfirmed(store._clock.now() + timedelta(days=1)) == []
    key = store.data_key(ANA), store.label_key(ANA)
    assert store.adopt([(ANA, wrapped)]) == 0
    assert (store.data_key(ANA), store.label_key(ANA)) == key


def test_keys_of_another_cell_do_not_move_in(root: RootKey, store: KeyStore) -> None:
    ours, theirs = first_wrap(root, ANA), first_wrap(RootKey.generate(), BEN)
    with pytest.raises(WrongRootKey):
        store.adopt([(ANA, ours), (BEN, theirs)])
    with pytest.raises(SealBroken):
        store.adopt([(BEN, ours)])
    assert store.persons() == 0


# Refusals


def test_two_brokers_at_once_are_refused(folder: Path, root: RootKey, store: KeyStore) -> None:
    with pytest.raises(KeysInUse, match="Stop the other one"):
        KeyStore(folder, root)
    store.close()
    KeyStore(folder, root).close()


def test_a_store_of_another_root_is_refused(folder: Path, store: KeyStore) -> None:
    store.close()
    for stranger in (RootKey.generate(), RootKey(store.cell_id, b"x" * 32)):
        with pytest.raises(AnotherRoot, match="another root"):
            KeyStore(folder, stranger)
    KeyStore(folder, RootKey.load(folder / "root.key")).close()  # the lock is free again


@pytest.mark.parametrize(
    "name", ["current", "secret.wrapped", "share.wrapped", "epoch-1.wrapped", "wraps-1.sqlite"]
)
def test_a_file_that_others_may_open_is_refused_with_the_cure(
    folder: Path, root: RootKey, store: KeyStore, name: str
) -> None:
    store.close()
    (folder / name).chmod(0o640)
    with pytest.raises(KeyFileRefused, match=f"chmod 600 .*{name}"):
        KeyStore(folder, root)
    (folder / name).chmod(0o600)
    KeyStore(folder, root).close()


def test_a_folder_that_others_may_enter_is_refused_with_the_cure(
    folder: Path, root: RootKey, store: KeyStore
) -> None:
    store.close()
    folder.chmod(0o750)
    with pytest.raises(KeyFileRefused, match="chmod 700"):
        KeyStore(folder, root)
    folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_is_refused(folder: Path, root: RootKey) -> None:
    os.chown(folder, 12345, -1)
    with pytest.raises(KeyFileRefused, match="another account"):
        KeyStore(folder, root)


def test_a_change_that_fails_half_way_changes_nothing(store: KeyStore) -> None:
    store.enrol(ANA)
    row = store._wraps.get(ANA.bytes)
    assert row is not None

    def rows() -> Iterator[Row]:
        yield (BEN.bytes, *row[1:])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store._wraps:
        store._wraps.add(rows())
    assert store.persons() == 1
    store.enrol(BEN)


@pytest.mark.parametrize(
    "name", ["current", "secret.wrapped", "share.wrapped", "epoch-1.wrapped", "wraps-1.sqlite"]
)
def test_a_missing_file_is_not_made_anew(
    folder: Path, root: RootKey, clock: SetClock, name: str
) -> None:
    store = KeyStore(folder, root, clock=clock)
    store.enrol(ANA)
    store.rotate()
    store.close()
    path = folder / name.replace("1", "2")
    path.unlink()
    with pytest.raises(KeyFileRefused, match="missing"):
        KeyStore(folder, root)
    assert not path.exists()


def test_everybody_who_has_keys_is_named(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("luciole.keys.store.PAGE", 2)
    people = {uuid4() for _ in range(5)}
    for person_id in people:
        store.enrol(person_id, None)
    assert set(store.everybody()) == people


# A cell that comes from another operator


def test_keys_of_the_former_operator_are_taken_in_once(
    store: KeyStore, tmp_path: Path, clock: SetClock
) -> None:
    store.enrol(ANA, LABEL_KEY)
    store.enrol(BEN, LABEL_KEY)
    field, persons = sealed(store, ANA), [(ANA, store.data_key(ANA), store.label_key(ANA))]
    persons.append((BEN, store.data_key(BEN), store.label_key(BEN)))
    folder = tmp_path / "buyer"
    root = RootKey.load_or_make(folder / "root.key")
    name_cell(folder, store.cell_id)
    CellSecret.bring(folder, root, b"s" * 32)
    assert cell_id_in(folder) == store.cell_id
    secret = CellSecret.load(folder, root, is_new=False)
    assert secret.derived("cursors") == CellSecret(root.cell_id, b"s" * 32).derived("cursors")
    other = RootKey.load_or_make(tmp_path / "new" / "root.key")
    with closing(KeyStore(tmp_path / "new", other, clock=clock)) as taken:
        assert taken.take(persons[:1]) == 1
        assert taken.take(persons) == 1
        assert taken.data_key(ANA) == persons[0][1]
        assert taken.label_key(BEN) == LABEL_KEY
        assert taken.persons() == 2
    assert opened(store, ANA, field) == b"ana@example.org"


def test_half_that_was_lent_opens_while_the_store_is_open(store: KeyStore) -> None:
    half = Half.new()
    store.enrol(ANA, LABEL_KEY, half)
    with pytest.raises(HalfNeeded):
        store.data_key(ANA)
    store.lend({half.handle: half.secret})
    assert store.data_key(ANA) == store.data_key(ANA, half.secret)
