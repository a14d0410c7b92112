"""The short backup: what it holds, for how long, and what opens from it."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.keys.persons import ANA, BEN, LABEL_KEY, opened, sealed

from luciole import cli
from luciole.keys import KeyFileRefused, KeyStore, NoKey, RootKey, SealBroken, restore
from luciole.kit.clock import SetClock


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def field(store: KeyStore) -> bytes:
    store.enrol(ANA, LABEL_KEY)
    return sealed(store, ANA)


@pytest.fixture
def elsewhere(tmp_path: Path, root: RootKey) -> Path:
    """The key folder of a new machine, with the operator's copy of the root key."""
    folder = tmp_path / "new" / "keys"
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy2(tmp_path / "keys" / "root.key", folder)
    return folder


def generations(kept: Path) -> list[str]:
    return sorted(path.name for path in kept.glob("wraps-*"))


def test_backup_opens_on_another_machine(
    kept: Path, elsewhere: Path, root: RootKey, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    path = store.backup(kept)
    assert path.name == "wraps-1-20261126T120000Z.sqlite"
    assert restore(kept, elsewhere) == path
    with closing(KeyStore(elsewhere, root, clock=clock)) as again:
        assert opened(again, ANA, field) == b"ana@example.org"
        assert again.label_key(ANA) == LABEL_KEY
        assert again.secret.derived("cursors") == store.secret.derived("cursors")
        # Who was erased since then is asked for, and a rotation is due at once: the other disk may
        # be found again.
        assert again.unconfirmed(clock.now() - timedelta(days=365)) == [ANA]
        assert again.epoch_began < clock.now() - timedelta(days=7)
        assert again.rotate().epoch == 2


def test_everything_in_a_backup_is_private(kept: Path, store: KeyStore, field: bytes) -> None:
    store.backup(kept)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (kept, *kept.iterdir()))


def test_backups_are_kept_for_a_day(
    kept: Path, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    for _ in range(30):
        store.backup(kept)
        clock.advance(timedelta(hours=1))
    assert len(generations(kept)) == 25
    assert generations(kept)[-1] == "wraps-1-20261127T170000Z.sqlite"
    clock.advance(timedelta(days=30))  # the machine was off
    store.backup(kept)
    assert generations(kept) == ["wraps-1-20261227T180000Z.sqlite"]


def test_rotation_ends_the_backups_of_the_old_epoch(
    kept: Path, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    store.backup(kept)
    store.rotate()
    store.backup(kept)
    assert generations(kept) == ["wraps-2-20261126T120000Z.sqlite"]
    assert sorted(path.name for path in kept.iterdir()) == [
        "epoch-2.wrapped",
        "secret.wrapped",
        "share.wrapped",
        "wraps-2-20261126T120000Z.sqlite",
    ]


def test_an_old_backup_opens_nothing_after_rotation(
    kept: Path, elsewhere: Path, root: RootKey, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    carried_away = elsewhere.parent / store.backup(kept).name
    shutil.copy2(kept / carried_away.name, carried_away)
    store.shred(ANA)
    store.rotate()
    clock.advance(timedelta(hours=1))
    store.backup(kept)
    # 1. Alone, or beside the small files of today, it lacks its epoch key.
    shutil.copy2(carried_away, kept / "wraps-9-20261126T120000Z.sqlite")
    with pytest.raises(KeyFileRefused, match=r"epoch-9\.wrapped, is missing"):
        restore(kept, elsewhere)
    # 2. Under today's epoch key it does not open.
    (kept / "wraps-9-20261126T120000Z.sqlite").unlink()
    shutil.copy2(carried_away, kept / "wraps-2-20261127T120000Z.sqlite")
    restore(kept, elsewhere)
    with closing(KeyStore(elsewhere, root, clock=clock)) as again:
        with pytest.raises(SealBroken):
            again.data_key(ANA)


def test_who_kept_the_epoch_file_too_can_still_open_it(
    kept: Path, elsewhere: Path, root: RootKey, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    """The limit that the docs name: with a root in a file, a whole copy stays a copy."""
    store.backup(kept)
    copied = shutil.copytree(kept, elsewhere.parent / "copied")
    store.shred(ANA)
    store.rotate()
    restore(copied, elsewhere)
    with closing(KeyStore(elsewhere, root, clock=clock)) as again:
        assert opened(again, ANA, field) == b"ana@example.org"


def test_erased_person_is_not_in_a_later_backup(
    kept: Path, elsewhere: Path, root: RootKey, store: KeyStore, field: bytes, clock: SetClock
) -> None:
    store.enrol(BEN)
    store.shred(ANA)
    store.backup(kept)
    restore(kept, elsewhere)
    with closing(KeyStore(elsewhere, root, clock=clock)) as again:
        assert again.persons() == 1
        with pytest.raises(NoKey):
            again.data_key(ANA)


def test_restore_writes_over_no_store(kept: Path, folder: Path, store: KeyStore) -> None:
    store.backup(kept)
    with pytest.raises(KeyFileRefused, match="Move its files away first"):
        restore(kept, folder)


def test_restore_without_a_backup_says_so(kept: Path, elsewhere: Path) -> None:
    kept.mkdir()
    (kept / "wraps-junk.sqlite").write_bytes(b"")
    with pytest.raises(KeyFileRefused, match="no backup"):
        restore(kept, elsewhere)


def test_open_backup_folder_is_refused(kept: Path, store: KeyStore) -> None:
    kept.mkdir(mode=0o755)
    with pytest.raises(KeyFileRefused, match="chmod 700"):
        store.backup(kept)
    assert list(kept.iterdir()) == []


def test_restore_keys_is_a_command(
    kept: Path,
    elsewhere: Path,
    store: KeyStore,
    field: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store.backup(kept)
    monkeypatch.setenv("LUCIOLE_DATA_DIR", str(elsewhere.parent))
    assert cli.main(["restore-keys", str(kept)]) == 0
    assert "wraps-1-20261126T120000Z.sqlite is in" in capsys.readouterr().out
    assert cli.main(["restore-keys", str(kept)]) == 1
    assert "What to do: Move its files away first" in capsys.readouterr().err
