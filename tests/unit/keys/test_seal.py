"""Sealing binds a value to its place; indexes and derived keys keep apart; nothing changes between
releases."""

from __future__ import annotations

import pickle
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.keys.persons import ANA, BEN

from luciole.keys import (
    AnotherRoot,
    CellSecret,
    KeyStore,
    RootKey,
    SealBroken,
    open_field,
    seal_field,
)

CELL = UUID("0190b6a5-3333-7000-8000-000000000003")
DATA_KEY = b"d" * 32
EMAIL = "contact.email"
SECRET = CellSecret(CELL, b"k" * 32)
ROOT = RootKey(CELL, b"k" * 32)

texts = st.binary(max_size=400)
versions = st.integers(min_value=0, max_value=2**32 - 1)


def sealed(plaintext: bytes, person: UUID = ANA, field: str = EMAIL, version: int = 7) -> bytes:
    return seal_field(
        DATA_KEY, plaintext, cell_id=CELL, person_id=person, field_id=field, version=version
    )


def opened(
    text: bytes,
    key: bytes = DATA_KEY,
    *,
    cell: UUID = CELL,
    person: UUID = ANA,
    field: str = EMAIL,
    version: int = 7,
) -> bytes:
    return open_field(key, text, cell_id=cell, person_id=person, field_id=field, version=version)


@given(plaintext=texts, person=st.uuids(), field=st.text(min_size=1, max_size=20), version=versions)
def test_what_is_sealed_opens_again_in_its_place(
    plaintext: bytes, person: UUID, field: str, version: int
) -> None:
    text = sealed(plaintext, person, field, version)
    assert len(text) == len(plaintext) + 29
    assert opened(text, person=person, field=field, version=version) == plaintext


@given(plaintext=texts, field=st.text(max_size=12), version=versions)
def test_moved_to_another_field_or_version_it_does_not_open(
    plaintext: bytes, field: str, version: int
) -> None:
    text = sealed(plaintext)
    if (field, version) == (EMAIL, 7):
        return
    with pytest.raises(SealBroken):
        opened(text, field=field, version=version)


def test_moved_to_another_person_cell_or_key_it_does_not_open() -> None:
    text = sealed(b"ana@example.org")
    with pytest.raises(SealBroken):
        opened(text, person=BEN)
    with pytest.raises(SealBroken):
        opened(text, cell=uuid4())
    with pytest.raises(SealBroken):
        opened(text, b"e" * 32)


@given(plaintext=texts, place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_breaks_the_seal(plaintext: bytes, place: int, bit: int) -> None:
    text = bytearray(sealed(plaintext))
    text[place % len(text)] ^= 1 << bit
    with pytest.raises(SealBroken):
        opened(bytes(text))


@given(junk=st.binary(max_size=80))
def test_junk_does_not_open(junk: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(junk)


def test_sealing_twice_gives_two_texts() -> None:
    assert sealed(b"ana") != sealed(b"ana")


# Derived keys


def test_an_index_is_stable_and_differs_by_kind_value_and_cell() -> None:
    here = SECRET.index("email", "ana@example.org")
    assert here == CellSecret(CELL, b"k" * 32).index("email", "ana@example.org")
    assert len(here) == 32
    others = [
        SECRET.index("phone", "ana@example.org"),
        SECRET.index("email", "ana@example.com"),
        CellSecret(CELL, b"x" * 32).index("email", "ana@example.org"),
        CellSecret(uuid4(), b"k" * 32).index("email", "ana@example.org"),
    ]
    assert here not in others


@given(one=st.text(max_size=20), other=st.text(max_size=20))
def test_derived_keys_keep_purposes_apart(one: str, other: str) -> None:
    assert (SECRET.derived(one) == SECRET.derived(other)) == (one == other)


def test_the_secret_shows_no_key_and_is_not_pickled() -> None:
    text = repr(SECRET) + str(SECRET) + f"{[SECRET]}"
    assert str(CELL) in text
    assert "k" * 8 not in text
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)


# Nothing changes between releases: a changed derivation or format would lose every index, every
# wrapped key and every sealed field. The values were made by version 0.1.0.


def test_derived_keys_and_indexes_are_those_of_the_first_release(tmp_path: Path) -> None:
    with closing(KeyStore(tmp_path / "keys", ROOT)) as store:
        assert store.secret.derived("cursors").hex() == (
            "e8adb914baeeb248b315ad05effa464a4520a7d23cd950c7af013bad6c72c0fd"
        )
        assert store.secret.index("email", "ana@example.org").hex() == (
            "f5a98fe5de260edf7d15394d0c6c48bddcdbb9c6ea90269b284f96903975fab3"
        )


def test_a_value_sealed_by_the_first_release_still_opens(tmp_path: Path) -> None:
    wrapped = bytes.fromhex(
        "fe23ab04ac4a5cf40106fa191236b852baefcc690bb7b83210f362a3788d209a58095a1c1c1cf4cd"
        "267b7eb7a4d263448382280d222ceaf987a7cbf7d50064085ad7ef5162"
    )
    text = bytes.fromhex(
        "01d1bfac3c9ca28efd23fcf6b11a7b937d7ed38d886a7268ece8b2073d8d4fe51e04dce08dcb3bab1c136bb7"
    )
    with closing(KeyStore(tmp_path / "keys", ROOT)) as store:
        store.adopt([(ANA, wrapped)])
        assert opened(text, store.data_key(ANA), version=1) == b"ana@example.org"


def test_what_this_release_wraps_under_a_root_file_the_next_ones_unwrap() -> None:
    wrapped = bytes.fromhex(
        "01898aa142960e25e96278ed79478dc3abf27edc0b83accb17e6a705c969d4904b041f40202133e3"
        "9e86f867f6cd2f45774b3a260dc3ac1c23a5ed43af"
    )
    assert ROOT.unwrap("epoch", wrapped, b"context") == b"e" * 32
    for label, context in (("share", b"context"), ("epoch", b"other")):
        with pytest.raises(AnotherRoot):
            ROOT.unwrap(label, wrapped, context)
