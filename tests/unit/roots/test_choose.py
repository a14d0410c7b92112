"""The root that the settings name, and the cell secret beside a store that is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from luciole.keys import AnotherRoot, CellSecret, KeyFileRefused, KeyStore, RootKey, RootUnavailable
from luciole.roots.choose import open_root, open_secret


def test_unknown_kind_of_root_is_refused(folder: Path) -> None:
    with pytest.raises(RootUnavailable, match="no such kind of root"):
        open_root("cloud:somewhere", folder)


def test_root_file_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    here = open_root("file:", folder)
    there = open_root(f"file:{tmp_path / 'safe' / 'root.key'}", folder)
    assert here.cell_id != there.cell_id
    assert open_root("file:", folder).cell_id == here.cell_id


def test_without_keys_there_is_no_secret_and_none_is_made(folder: Path) -> None:
    assert open_secret("file:", folder) is None
    assert open_secret("transit:https://bao.example/v1/transit/keys/luciole", folder) is None
    assert not folder.exists()


def test_secret_of_an_open_store_is_the_stores(folder: Path, store: KeyStore) -> None:
    secret = open_secret("file:", folder)
    assert secret is not None
    assert secret.derived("cursors") == store.secret.derived("cursors")
    assert secret.cell_id == store.cell_id


def test_secret_of_the_first_version_is_in_its_root_key(folder: Path, root: RootKey) -> None:
    secret = open_secret("file:", folder)
    assert secret is not None
    first = CellSecret(root.cell_id, root.secret())
    assert secret.derived("cursors") == first.derived("cursors")


def test_secret_under_another_root_is_refused(folder: Path, store: KeyStore) -> None:
    (folder / "root.key").unlink()
    RootKey.load_or_make(folder / "root.key")
    with pytest.raises(AnotherRoot):
        open_secret("file:", folder)


def test_secret_of_a_machine_is_not_drawn_anew(folder: Path, store: KeyStore) -> None:
    with pytest.raises(KeyFileRefused, match=r"cell\.id, is missing"):
        open_secret("transit:https://bao.example/v1/transit/keys/luciole", folder)
