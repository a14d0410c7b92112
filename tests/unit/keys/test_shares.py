"""A key of which a guardian holds the other half: what opens it, and what goes on without."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from luciole.keys import Half, HalfNeeded, KeyStore, NoKey, RootKey, SealBroken, shares
from luciole.keys.backup import restore
from luciole.kit.clock import SetClock

ANA, BEN = UUID(int=1), UUID(int=2)
LABEL_KEY = b"L" * 32


def test_guarded_key_opens_with_its_half_only(store: KeyStore) -> None:
    half = Half.new()
    assert store.enrol(ANA, LABEL_KEY, half)
    assert not store.enrol(ANA, b"M" * 32, Half.new())
    key = store.data_key(ANA, half.secret)
    assert len(key) == 32
    assert store.data_key(ANA, half.secret) == key
    with pytest.raises(HalfNeeded):
        store.data_key(ANA)
    for other in (Half.new().secret, half.secret[:31], half.secret + b"\0", half.handle):
        with pytest.raises(SealBroken):
            store.data_key(ANA, other)


def test_card_and_labels_need_no_half(store: KeyStore) -> None:
    half = Half.new()
    store.enrol(ANA, LABEL_KEY, half)
    store.enrol(BEN, LABEL_KEY)
    card = store.card(ANA)
    assert card is not None
    assert (card.handle, card.label_key) == (half.handle, LABEL_KEY)
    assert store.label_key(ANA) == LABEL_KEY
    assert store.card(BEN) is None
    assert store.guarded() == 1
    assert "L" * 8 not in repr(card)
    assert repr(half.secret) not in repr(half)
    with pytest.raises(NoKey):
        store.card(UUID(int=9))


def test_what_is_put_in_a_box_only_the_data_key_takes_out(store: KeyStore) -> None:
    half = Half.new()
    store.enrol(ANA, None, half)
    card = store.card(ANA)
    assert card is not None
    sealed = shares.put_in_box(card.box, b"said", b"here")
    key = store.data_key(ANA, half.secret)
    assert shares.open_box(store.cell_id, key, sealed, b"here") == b"said"
    assert card.box == shares.box_of(store.cell_id, key)
    for secret, where, text in (
        (key, b"there", sealed),
        (b"k" * 32, b"here", sealed),
        (key, b"here", sealed[:-1]),
        (key, b"here", sealed[:9]),
        (key, b"here", b""),
    ):
        with pytest.raises(SealBroken):
            shares.open_box(store.cell_id, secret, text, where)


def test_key_moves_under_a_guardian_and_back(store: KeyStore) -> None:
    store.enrol(ANA, LABEL_KEY)
    key, half = store.data_key(ANA), Half.new()
    store.guard(ANA, half)
    with pytest.raises(HalfNeeded):
        store.data_key(ANA)
    with pytest.raises(HalfNeeded):
        store.guard(ANA, None)
    with pytest.raises(SealBroken):
        store.guard(ANA, None, Half.new().secret)
    assert (store.data_key(ANA, half.secret), store.label_key(ANA)) == (key, LABEL_KEY)
    store.guard(ANA, None, half.secret)
    assert (store.data_key(ANA), store.label_key(ANA), store.guarded()) == (key, LABEL_KEY, 0)
    with pytest.raises(NoKey):
        store.guard(BEN, half)


def test_rotation_backup_restore_and_shredding_go_without_halves(
    store: KeyStore, folder: Path, root: RootKey, clock: SetClock, tmp_path: Path
) -> None:
    half = Half.new()
    store.enrol(ANA, LABEL_KEY, half)
    store.enrol(BEN)
    keys = store.data_key(ANA, half.secret), store.data_key(BEN)
    store.rotate()
    assert (store.data_key(ANA, half.secret), store.data_key(BEN)) == keys
    store.backup(tmp_path / "copy")
    clock.advance(timedelta(hours=1))
    store.close()
    with closing(KeyStore(folder, root, clock=clock)) as again:
        assert again.data_key(ANA, half.secret) == keys[0]
        assert again.shred(ANA)
        with pytest.raises(NoKey):
            again.card(ANA)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "root.key").write_bytes((folder / "root.key").read_bytes())
    (elsewhere / "root.key").chmod(0o600)
    restore(tmp_path / "copy", elsewhere)
    with closing(KeyStore(elsewhere, root, clock=clock)) as put_back:
        assert put_back.data_key(ANA, half.secret) == keys[0]
        assert put_back.label_key(ANA) == LABEL_KEY
        with pytest.raises(HalfNeeded):
            put_back.data_key(ANA)


def test_wraps_of_before_the_guardian_die_with_their_epoch(
    store: KeyStore, folder: Path, root: RootKey, clock: SetClock, tmp_path: Path
) -> None:
    store.enrol(ANA)
    key = store.data_key(ANA)
    store.backup(tmp_path / "copy")
    half = Half.new()
    store.guard(ANA, half)
    store.rotate()
    store.backup(tmp_path / "copy")
    left = sorted(path.name for path in (tmp_path / "copy").glob("*.sqlite"))
    assert [name.split("-")[1] for name in left] == ["2"]
    assert store.data_key(ANA, half.secret) == key


def test_file_of_before_guardians_is_taken_over(
    store: KeyStore, folder: Path, root: RootKey, clock: SetClock
) -> None:
    store.enrol(ANA, LABEL_KEY)
    key = store.data_key(ANA)
    store.close()
    with closing(sqlite3.connect(folder / "wraps-1.sqlite")) as db, db:
        db.execute("ALTER TABLE wrap DROP COLUMN card")
    with closing(KeyStore(folder, root, clock=clock)) as again:
        assert (again.data_key(ANA), again.label_key(ANA)) == (key, LABEL_KEY)
        again.guard(ANA, Half.new())
        assert again.guarded() == 1
