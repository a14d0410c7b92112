"""Sealing binds a value to its place; indexes and derived keys keep apart."""

from __future__ import annotations

import pickle
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.keys import Keyring, RootKey, SealBroken, WrongRootKey

PERSON = UUID("0190b6a5-1111-7000-8000-000000000001")
OTHER = UUID("0190b6a5-2222-7000-8000-000000000002")
CELL = UUID("0190b6a5-3333-7000-8000-000000000003")
RING = Keyring(RootKey(CELL, b"k" * 32))
WRAPPED = RING.new_data_key(PERSON)

texts = st.binary(max_size=400)
places = st.tuples(
    st.uuids(), st.text(min_size=1, max_size=20), st.integers(min_value=0, max_value=2**32 - 1)
)


@given(plaintext=texts, place=places)
def test_what_is_sealed_opens_again_in_its_place(
    plaintext: bytes, place: tuple[UUID, str, int]
) -> None:
    person, field, version = place
    wrapped = RING.new_data_key(person)
    sealed = RING.seal(wrapped, plaintext, person_id=person, field_id=field, version=version)
    assert len(sealed) == len(plaintext) + 29
    opened = RING.open(wrapped, sealed, person_id=person, field_id=field, version=version)
    assert opened == plaintext


@given(plaintext=texts, field=st.text(max_size=12), version=st.integers(0, 2**32 - 1))
def test_a_sealed_value_opens_in_no_other_field_or_version(
    plaintext: bytes, field: str, version: int
) -> None:
    sealed = RING.seal(WRAPPED, plaintext, person_id=PERSON, field_id="contact.email", version=7)
    if (field, version) == ("contact.email", 7):
        return
    with pytest.raises(SealBroken):
        RING.open(WRAPPED, sealed, person_id=PERSON, field_id=field, version=version)


@given(plaintext=texts, place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_breaks_the_seal(plaintext: bytes, place: int, bit: int) -> None:
    sealed = bytearray(RING.seal(WRAPPED, plaintext, person_id=PERSON, field_id="f", version=1))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        RING.open(WRAPPED, bytes(sealed), person_id=PERSON, field_id="f", version=1)


@given(junk=st.binary(max_size=80))
def test_junk_does_not_open(junk: bytes) -> None:
    with pytest.raises(SealBroken):
        RING.open(WRAPPED, junk, person_id=PERSON, field_id="f", version=1)


def test_a_sealed_value_moved_to_another_person_does_not_open() -> None:
    sealed = RING.seal(WRAPPED, b"ana", person_id=PERSON, field_id="f", version=1)
    with pytest.raises(SealBroken):  # with the other's own key
        RING.open(RING.new_data_key(OTHER), sealed, person_id=OTHER, field_id="f", version=1)
    with pytest.raises(SealBroken):  # with the data key moved along
        RING.open(WRAPPED, sealed, person_id=OTHER, field_id="f", version=1)


def test_a_sealed_value_moved_to_another_cell_does_not_open() -> None:
    same_key_elsewhere = Keyring(RootKey(uuid4(), b"k" * 32))
    sealed = RING.seal(WRAPPED, b"ana", person_id=PERSON, field_id="f", version=1)
    with pytest.raises(WrongRootKey):
        same_key_elsewhere.open(WRAPPED, sealed, person_id=PERSON, field_id="f", version=1)


def test_the_root_id_does_not_stand_in_for_the_root_key() -> None:
    stranger = Keyring(RootKey(CELL, b"x" * 32))
    relabelled = stranger.root_id + WRAPPED[8:]
    with pytest.raises(SealBroken):
        stranger.seal(relabelled, b"ana", person_id=PERSON, field_id="f", version=1)


def test_a_changed_data_key_does_not_unwrap() -> None:
    for place in range(8, len(WRAPPED)):
        changed = bytearray(WRAPPED)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            RING.seal(bytes(changed), b"", person_id=PERSON, field_id="f", version=1)


def test_sealing_twice_gives_two_texts() -> None:
    once, again = (
        RING.seal(WRAPPED, b"ana", person_id=PERSON, field_id="f", version=1) for _ in range(2)
    )
    assert once != again


def test_each_person_gets_another_data_key() -> None:
    assert RING.new_data_key(PERSON)[21:] != RING.new_data_key(PERSON)[21:]


def test_an_index_is_stable_and_differs_by_kind_value_and_cell() -> None:
    here = RING.index("email", "ana@example.org")
    assert here == Keyring(RootKey(CELL, b"k" * 32)).index("email", "ana@example.org")
    assert len(here) == 32
    others = [
        RING.index("phone", "ana@example.org"),
        RING.index("email", "ana@example.com"),
        Keyring(RootKey(CELL, b"x" * 32)).index("email", "ana@example.org"),
        Keyring(RootKey(uuid4(), b"k" * 32)).index("email", "ana@example.org"),
    ]
    assert here not in others


@given(one=st.text(max_size=20), other=st.text(max_size=20))
def test_derived_keys_keep_purposes_apart(one: str, other: str) -> None:
    assert (RING.derived(one) == RING.derived(other)) == (one == other)


def test_derived_keys_do_not_change_between_releases() -> None:
    # A changed derivation would lose every index and every wrapped key: a golden value.
    assert RING.derived("cursors").hex() == (
        "e8adb914baeeb248b315ad05effa464a4520a7d23cd950c7af013bad6c72c0fd"
    )


def test_a_value_sealed_by_the_first_release_still_opens() -> None:
    wrapped = bytes.fromhex(
        "fe23ab04ac4a5cf40106fa191236b852baefcc690bb7b83210f362a3788d209a58095a1c1c1cf4cd"
        "267b7eb7a4d263448382280d222ceaf987a7cbf7d50064085ad7ef5162"
    )
    sealed = bytes.fromhex(
        "01d1bfac3c9ca28efd23fcf6b11a7b937d7ed38d886a7268ece8b2073d8d4fe51e04dce08dcb3bab1c136bb7"
    )
    opened = RING.open(wrapped, sealed, person_id=PERSON, field_id="contact.email", version=1)
    assert opened == b"ana@example.org"


def test_the_ring_shows_no_key_and_is_not_pickled() -> None:
    text = repr(RING) + str(RING) + f"{[RING]}"
    for secret in (b"k" * 32, RING.derived("wrap")):
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text
    with pytest.raises(TypeError):
        pickle.dumps(RING)
