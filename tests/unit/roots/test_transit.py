"""A root in a transit engine: a small one always, OpenBao itself where its program is found."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from tests.unit.keys.persons import ANA, opened, sealed
from tests.unit.keys.transit_server import Engine, SmallEngine, find_bao, openbao, small_engine

from luciole.keys import AnotherRoot, KeyFileRefused, KeyStore, Root, RootUnavailable, restore
from luciole.roots.choose import open_root
from luciole.roots.transit import TransitRoot

CELL = UUID("0190b6a5-3333-7000-8000-000000000003")
EPOCH = (7).to_bytes(8)
MISSING = (
    "OpenBao is not installed: the tests of the root in a transit engine ran against the small "
    "stand-in only. .ci/run installs it (requirements/roots.lock)."
)


@pytest.fixture(scope="module", params=["small", "openbao"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    if request.param == "small":
        with small_engine(folder) as small:
            yield small
        return
    program = find_bao()
    if program is None:
        pytest.skip(MISSING)
    with openbao(program, folder) as bao:
        yield bao


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallEngine]:
    with small_engine(tmp_path) as engine:
        yield engine


def token_file(folder: Path, token: str) -> Path:
    path = folder / "root.token"
    path.write_text(f"{token}\n")
    path.chmod(0o600)
    return path


def root_of(engine: Engine, folder: Path, cell_id: UUID = CELL, **changes: object) -> TransitRoot:
    words = {"token_file": token_file(folder, engine.token), "ca_file": engine.ca_file, **changes}
    return TransitRoot(engine.address, cell_id=cell_id, **words)  # type: ignore[arg-type]


def opened_root(engine: Engine, folder: Path, keys: Path) -> Root:
    return open_root(
        f"transit:{engine.address}",
        keys,
        token_file=token_file(folder, engine.token),
        ca_file=engine.ca_file,
    )


def test_what_was_wrapped_unwraps_in_its_place_only(engine: Engine, tmp_path: Path) -> None:
    root = root_of(engine, tmp_path)
    wrapped = root.wrap("share", b"s" * 32, b"one")
    assert b"s" * 8 not in wrapped
    assert root.unwrap("share", wrapped, b"one") == b"s" * 32
    for label, context in (("share", b"two"), ("share", b""), ("secret", b"one")):
        with pytest.raises(AnotherRoot):
            root.unwrap(label, wrapped, context)
    with pytest.raises(AnotherRoot):
        root_of(engine, tmp_path, uuid4()).unwrap("share", wrapped, b"one")
    for junk in (b"", b"vault:v1:junk", wrapped[:-8] + b"AAAAAAA=", b"\xff"):
        with pytest.raises(AnotherRoot):
            root.unwrap("share", junk, b"one")


def test_key_of_a_retired_epoch_is_gone(engine: Engine, tmp_path: Path) -> None:
    root = root_of(engine, tmp_path)
    wrapped, next_one = (root.wrap("epoch", b"e" * 32, each) for each in (EPOCH, b"8"))
    assert root.unwrap("epoch", wrapped, EPOCH) == b"e" * 32
    root.retire(EPOCH)
    with pytest.raises(AnotherRoot):
        root.unwrap("epoch", wrapped, EPOCH)
    root.retire(EPOCH)
    assert root.unwrap("epoch", next_one, b"8") == b"e" * 32
    # The number may come again, after a restore; what was wrapped before stays shut.
    root.wrap("epoch", b"f" * 32, EPOCH)
    with pytest.raises(AnotherRoot):
        root.unwrap("epoch", wrapped, EPOCH)


def test_epochs_of_two_cells_have_keys_of_their_own(engine: Engine, tmp_path: Path) -> None:
    one, other = (root_of(engine, tmp_path, uuid4()) for _ in range(2))
    wrapped = one.wrap("epoch", b"e" * 32, EPOCH)
    other.wrap("epoch", b"f" * 32, EPOCH)
    other.retire(EPOCH)
    assert one.unwrap("epoch", wrapped, EPOCH) == b"e" * 32


def test_store_under_a_transit_root_lives_and_turns(engine: Engine, tmp_path: Path) -> None:
    keys, kept, new = tmp_path / "keys", tmp_path / "backup", tmp_path / "new"
    with closing(KeyStore(keys, opened_root(engine, tmp_path, keys))) as store:
        store.enrol(ANA)
        field = sealed(store, ANA)
        derived = store.secret.derived("cursors")
        store.backup(kept)
        whole_copy = shutil.copytree(kept, tmp_path / "copied")
    root = opened_root(engine, tmp_path, keys)
    with closing(KeyStore(keys, root)) as store:
        assert (store.cell_id, store.secret.derived("cursors")) == (root.cell_id, derived)
        store.rotate()
        store.backup(kept)
        assert opened(store, ANA, field) == b"ana@example.org"
    # A copy of everything, epoch file included, opens nothing after the rotation.
    restore(whole_copy, new)
    with pytest.raises(AnotherRoot):
        KeyStore(new, opened_root(engine, tmp_path, new))
    for path in new.iterdir():
        path.unlink()
    restore(kept, new)
    with closing(KeyStore(new, opened_root(engine, tmp_path, new))) as store:
        assert opened(store, ANA, field) == b"ana@example.org"


def test_lost_cell_id_is_not_drawn_anew(engine: Engine, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    KeyStore(keys, opened_root(engine, tmp_path, keys)).close()
    text = (keys / "cell.id").read_text()
    for damaged in ("", "luciole-cell-v1 junk", text.replace("v1", "v9")):
        (keys / "cell.id").write_text(damaged)
        with pytest.raises(KeyFileRefused, match=r"cell\.id,? is (missing|damaged)"):
            opened_root(engine, tmp_path, keys)
    (keys / "cell.id").unlink()
    with pytest.raises(KeyFileRefused, match=r"cell\.id,? is (missing|damaged)"):
        opened_root(engine, tmp_path, keys)


def test_wrong_token_is_told_what_it_needs(engine: Engine, tmp_path: Path) -> None:
    root = root_of(engine, tmp_path)
    wrapped = root.wrap("share", b"s" * 32)
    token_file(tmp_path, "another token")
    for act in (
        lambda: root.wrap("share", b"s" * 32),
        lambda: root.unwrap("share", wrapped),
        lambda: root.retire(EPOCH),
    ):
        with pytest.raises(RootUnavailable, match="LUCIOLE_KEYS_TOKEN_FILE"):
            act()
    token_file(tmp_path, engine.token)
    assert root.unwrap("share", wrapped) == b"s" * 32


def test_sealed_engine_is_unavailable_and_comes_back(engine: Engine, tmp_path: Path) -> None:
    root = root_of(engine, tmp_path)
    wrapped = root.wrap("share", b"s" * 32)
    engine.seal()
    try:
        with pytest.raises(RootUnavailable, match="Unseal it"):
            root.unwrap("share", wrapped)
    finally:
        engine.unseal()
    assert root.unwrap("share", wrapped) == b"s" * 32


def test_stranger_at_the_address_is_refused(engine: Engine, tmp_path: Path) -> None:
    root = root_of(engine, tmp_path, ca_file=None)  # whom the system does not trust
    with pytest.raises(RootUnavailable, match="SSLCertVerificationError"):
        root.wrap("share", b"s" * 32)


def test_name_in_the_certificate_has_to_fit(small: SmallEngine, tmp_path: Path) -> None:
    small_elsewhere = small.address.replace("127.0.0.1", "localhost")
    root = TransitRoot(
        small_elsewhere,
        cell_id=CELL,
        token_file=token_file(tmp_path, small.token),
        ca_file=small.ca_file,
    )
    with pytest.raises(RootUnavailable, match="SSLCertVerificationError"):
        root.wrap("share", b"s" * 32)


def test_slow_engine_is_given_up(small: SmallEngine, tmp_path: Path) -> None:
    root = root_of(small, tmp_path, timeout_s=0.2)
    small.delay_s = 1.0
    with pytest.raises(RootUnavailable, match=r"does not answer \(TimeoutError\)"):
        root.wrap("share", b"s" * 32)


def test_engine_that_breaks_off_is_unavailable(small: SmallEngine, tmp_path: Path) -> None:
    root = root_of(small, tmp_path)
    small.breaks_off = True
    with pytest.raises(RootUnavailable, match="does not answer"):
        root.wrap("share", b"s" * 32)


def test_nobody_at_the_address_is_unavailable(tmp_path: Path) -> None:
    with small_engine(tmp_path) as engine:
        root = root_of(engine, tmp_path)
    with socket.socket() as held:
        # So that nobody else comes to that port; who listens there is nobody.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", urlsplit(engine.address).port or 0))
        with pytest.raises(RootUnavailable, match=r"does not answer \(ConnectionRefusedError\)"):
            root.wrap("share", b"s" * 32)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_refusals_name_the_engine_and_no_secret(
    small: SmallEngine, tmp_path: Path, status: int
) -> None:
    root = root_of(small, tmp_path)
    small.status = status
    with pytest.raises(RootUnavailable, match=rf"refuses 'encrypt' \({status}\)") as refusal:
        root.wrap("share", b"s" * 32)
    assert small.token not in str(refusal.value) + repr(root)


@pytest.mark.parametrize(
    "address",
    [
        "http://bao.example/v1/transit/keys/luciole",
        "https://bao.example/v1/transit/luciole",
        "https:///v1/transit/keys/luciole",
        "https://bao.example/v1/keys/luciole",
        "https://bao.example/v1/transit/keys/",
        "https://bao.example:none/v1/transit/keys/luciole",
        "",
    ],
)
def test_address_of_another_form_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(RootUnavailable, match="LUCIOLE_KEYS_ROOT cannot be used"):
        open_root(f"transit:{address}", tmp_path / "keys")


def test_missing_certificates_are_named(small: SmallEngine, tmp_path: Path) -> None:
    with pytest.raises(RootUnavailable, match="LUCIOLE_KEYS_CA_FILE"):
        root_of(small, tmp_path, ca_file=tmp_path / "none.pem")


def test_token_that_others_may_read_is_refused(small: SmallEngine, tmp_path: Path) -> None:
    root = root_of(small, tmp_path)
    (tmp_path / "root.token").chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        root.wrap("share", b"s" * 32)


def test_missing_token_is_told_where_it_belongs(small: SmallEngine, tmp_path: Path) -> None:
    root = root_of(small, tmp_path)
    (tmp_path / "root.token").unlink()
    with pytest.raises(KeyFileRefused, match="LUCIOLE_KEYS_TOKEN_FILE"):
        root.wrap("share", b"s" * 32)
