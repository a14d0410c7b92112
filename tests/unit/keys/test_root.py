"""The root key file: made once, refused when it cannot be trusted."""

from __future__ import annotations

import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from luciole.keys import KeyFileRefused, RootKey


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "root.key"


def test_first_start_makes_a_private_file_that_the_next_start_reads(path: Path) -> None:
    made = RootKey.load_or_make(path)
    again = RootKey.load_or_make(path)
    assert (again.cell_id, again.secret()) == (made.cell_id, made.secret())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["root.key"]


def test_two_cells_have_two_keys(tmp_path: Path) -> None:
    one, other = (RootKey.load_or_make(tmp_path / name) for name in ("one", "other"))
    assert one.secret() != other.secret()
    assert one.cell_id != other.cell_id


def test_processes_that_start_together_agree_on_one_key(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = {key.secret() for key in pool.map(RootKey.load_or_make, [path] * 16)}
    assert len(keys) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_loose_permissions_are_refused_with_the_cure(path: Path, mode: int) -> None:
    RootKey.load_or_make(path)
    path.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        RootKey.load(path)
    path.chmod(0o600)
    RootKey.load(path)


def test_stricter_permissions_are_fine(path: Path) -> None:
    RootKey.load_or_make(path)
    path.chmod(0o400)
    RootKey.load(path)


def test_a_link_in_place_of_the_file_is_refused(path: Path, tmp_path: Path) -> None:
    RootKey.load_or_make(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(KeyFileRefused, match="plain file"):
        RootKey.load(link)


def test_a_folder_or_pipe_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyFileRefused, match="not a plain file"):
            RootKey.load(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account_is_refused(path: Path) -> None:
    RootKey.load_or_make(path)
    os.chown(path, 12345, -1)
    with pytest.raises(KeyFileRefused, match="another account"):
        RootKey.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "luciole-root-key-v1",
        "luciole-root-key-v2 0190b6a5-0000-7000-8000-000000000000 " + "A" * 43 + "=",
        "luciole-root-key-v1 not-a-uuid " + "A" * 43 + "=",
        "luciole-root-key-v1 0190b6a5-0000-7000-8000-000000000000 c2hvcnQ=",
        "luciole-root-key-v1 0190b6a5-0000-7000-8000-000000000000 !!!",
        "\xff\xfe",
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="damaged") as refusal:
        RootKey.load_or_make(path)
    assert path.read_text(encoding="latin-1") == text
    assert "AAAA" not in str(refusal.value)


def test_the_key_shows_in_no_text_and_no_pickle() -> None:
    key = RootKey.generate()
    for text in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert key.secret().hex() not in text
        assert repr(key.secret()) not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        RootKey(RootKey.generate().cell_id, b"short")
