"""A root in a token: SoftHSM, through the same library as a hardware security module."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from tests.unit.keys.persons import ANA, opened, sealed

from luciole.keys import AnotherRoot, KeyFileRefused, KeyStore, RootUnavailable, restore
from luciole.roots.choose import open_root
from luciole.roots.pkcs11 import Pkcs11Root

CELL = UUID("0190b6a5-3333-7000-8000-000000000003")
EPOCH = (7).to_bytes(8)
LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
MISSING = (
    "SoftHSM is not installed (on Debian: apt-get install softhsm2): the root in a PKCS#11 token "
    "was not tried."
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SoftHSM with one empty token. It reads its configuration once a process."""
    found = next((each for each in LIBRARIES if Path(each).exists()), None)
    program = shutil.which("softhsm2-util")
    if found is None or program is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        subprocess.run(
            [
                *(program, "--init-token", "--free", "--label", "luciole"),
                *("--so-pin", "4321", "--pin", "1234"),
            ],
            check=True,
            capture_output=True,
            env=os.environ,
        )
        yield found


@pytest.fixture
def name() -> str:
    """Of a key that no other test has."""
    return f"root-{uuid4()}"


def address(library: str, folder: Path, name: str) -> str:
    pin_file = folder / "pin"
    pin_file.write_text("1234\n")
    pin_file.chmod(0o600)
    return (
        f"pkcs11:token=luciole;object={quote(name)}"
        f"?module-path={quote(library)}&pin-source=file:{quote(str(pin_file))}"
    )


def root_of(library: str, folder: Path, name: str, cell_id: UUID = CELL) -> Pkcs11Root:
    return Pkcs11Root(address(library, folder, name), cell_id=cell_id, is_new=True)


def test_what_was_wrapped_unwraps_in_its_place_only(
    library: str, tmp_path: Path, name: str
) -> None:
    root = root_of(library, tmp_path, name)
    wrapped = root.wrap("share", b"s" * 32, b"one")
    assert len(wrapped) == 12 + 32 + 16
    assert name not in repr(root)
    assert root.unwrap("share", wrapped, b"one") == b"s" * 32
    assert root.wrap("share", b"s" * 32, b"one") != wrapped
    for label, context in (("share", b"two"), ("share", b""), ("secret", b"one")):
        with pytest.raises(AnotherRoot):
            root.unwrap(label, wrapped, context)
    with pytest.raises(AnotherRoot):
        root_of(library, tmp_path, name, uuid4()).unwrap("share", wrapped, b"one")
    with pytest.raises(AnotherRoot):
        root_of(library, tmp_path, f"{name}-2").unwrap("share", wrapped, b"one")
    for junk in (b"", b"x" * 60, wrapped[:-1]):
        with pytest.raises(AnotherRoot):
            root.unwrap("share", junk, b"one")


def test_key_of_a_retired_epoch_is_gone(library: str, tmp_path: Path, name: str) -> None:
    root = root_of(library, tmp_path, name)
    wrapped = root.wrap("epoch", b"e" * 32, EPOCH)
    assert root.unwrap("epoch", wrapped, EPOCH) == b"e" * 32
    root.retire(EPOCH)
    root.retire(EPOCH)
    with pytest.raises(AnotherRoot):
        root.unwrap("epoch", wrapped, EPOCH)
    root.wrap("epoch", b"f" * 32, EPOCH)
    with pytest.raises(AnotherRoot):
        root.unwrap("epoch", wrapped, EPOCH)


def test_no_key_leaves_the_token(library: str, tmp_path: Path, name: str) -> None:
    import pkcs11

    root = root_of(library, tmp_path, name)
    root.wrap("epoch", b"e" * 32, EPOCH)
    with root._session() as session:
        for label in (name, f"{name}-{CELL}-epoch-7"):
            key = root._find(session, label)
            assert not key[pkcs11.Attribute.EXTRACTABLE]
            assert key[pkcs11.Attribute.SENSITIVE]
            with pytest.raises(pkcs11.exceptions.PKCS11Error):
                key[pkcs11.Attribute.VALUE]


def test_store_under_a_token_lives_and_turns(library: str, tmp_path: Path, name: str) -> None:
    keys, kept, new = tmp_path / "keys", tmp_path / "backup", tmp_path / "new"
    where = address(library, tmp_path, name)
    with closing(KeyStore(keys, open_root(where, keys))) as store:
        store.enrol(ANA)
        field = sealed(store, ANA)
        store.backup(kept)
        whole_copy = shutil.copytree(kept, tmp_path / "copied")
        store.rotate()
        store.backup(kept)
        assert opened(store, ANA, field) == b"ana@example.org"
    # A copy of everything, epoch file included, opens nothing after the rotation.
    restore(whole_copy, new)
    with pytest.raises(AnotherRoot):
        KeyStore(new, open_root(where, new))
    for path in new.iterdir():
        path.unlink()
    restore(kept, new)
    with closing(KeyStore(new, open_root(where, new))) as store:
        assert opened(store, ANA, field) == b"ana@example.org"


def test_lost_key_of_the_token_is_not_made_anew(library: str, tmp_path: Path, name: str) -> None:
    keys = tmp_path / "keys"
    KeyStore(keys, open_root(address(library, tmp_path, name), keys)).close()
    for _ in range(2):
        with pytest.raises(RootUnavailable, match="holds no key"):
            open_root(address(library, tmp_path, f"{name}-2"), keys)


def test_absent_token_and_wrong_pin_are_told(library: str, tmp_path: Path, name: str) -> None:
    right = address(library, tmp_path, name)
    for where in (
        right.replace("token=luciole", "token=drawer"),
        right.replace(quote(library), "/lib/none.so"),
    ):
        with pytest.raises(RootUnavailable, match="cannot be used"):
            open_root(where, tmp_path / "keys")
    (tmp_path / "pin").write_text("9999")
    with pytest.raises(RootUnavailable, match=r"cannot be used \(PinIncorrect\)") as refusal:
        open_root(right, tmp_path / "keys")
    assert "9999" not in str(refusal.value)


def test_pin_that_others_may_read_is_refused(library: str, tmp_path: Path, name: str) -> None:
    where = address(library, tmp_path, name)
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        open_root(where, tmp_path / "keys")
    (tmp_path / "pin").unlink()
    with pytest.raises(KeyFileRefused, match="PIN"):
        open_root(where, tmp_path / "keys")


# Without SoftHSM


def test_address_without_its_parts_is_refused(tmp_path: Path) -> None:
    for where in ("pkcs11:", "pkcs11:token=luciole;object=root?module-path=/lib/p11.so"):
        with pytest.raises(RootUnavailable, match="expected pkcs11:token=NAME;object=NAME"):
            open_root(where, tmp_path / "keys")


def test_missing_library_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(RootUnavailable, match=r"pip install 'luciole\[pkcs11\]'"):
        open_root(address("/lib/p11.so", tmp_path, "root"), tmp_path / "keys")
