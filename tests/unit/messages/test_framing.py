"""What the delivery service reads of MLS, against the vectors of the working group."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.audit.canary import phone
from luciole.cell.messages import framing
from luciole.keys.signing import Algorithm, verifies

VECTORS = Path(__file__).parents[2] / "vectors" / "mls"


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return found


def test_signature_with_label_is_that_of_the_working_group() -> None:
    given_ = vectors("crypto-basics.json")["sign_with_label"]
    signed = framing.sign_content(given_["label"], bytes.fromhex(given_["content"]))
    key, signature = bytes.fromhex(given_["pub"]), bytes.fromhex(given_["signature"])
    assert verifies(Algorithm.ED25519, key, signature, signed)
    other = framing.sign_content("FramedContentTBS", bytes.fromhex(given_["content"]))
    assert not verifies(Algorithm.ED25519, key, signature, other)


def test_group_info_of_the_working_group_is_read() -> None:
    found = framing.group_info(bytes.fromhex(vectors("delivery.json")["mls_group_info"]))
    assert (found.group_id.hex(), found.epoch) == ("57f89bad9b38b906d15100f720422e90", 0)


@pytest.mark.parametrize("name", ["delivery.json", "welcome.json"])
def test_key_package_of_the_working_group_is_read(name: str) -> None:
    given_ = vectors(name)
    one = given_[0] if isinstance(given_, list) else given_
    text = one.get("mls_key_package") or one["key_package"]
    found = framing.key_package(bytes.fromhex(text))
    assert len(found.signature_key) == 32
    assert found.not_after > 1_600_000_000
    assert found.signature_key.hex() in text
    assert found.identity.hex() in text


@pytest.mark.parametrize("name", ["mls_key_package", "mls_group_info"])
def test_every_cut_and_every_addition_is_refused(name: str) -> None:
    whole = bytes.fromhex(vectors("delivery.json")[name])
    read = framing.key_package if name == "mls_key_package" else framing.group_info
    for size in range(len(whole)):
        with pytest.raises(framing.Malformed):
            read(whole[:size])
    with pytest.raises(framing.Malformed):
        read(whole + b"\0")
    with pytest.raises(framing.Malformed):
        (framing.group_info if read is framing.key_package else framing.key_package)(whole)


def test_signed_message_says_its_group_and_content() -> None:
    text = phone.to_be_signed(b"group", 7, b"hello")
    assert framing.application_message(text) == (b"group", 7, b"hello")


@pytest.mark.parametrize("at", [1, 3, 4, 5, 17, 18, 23, 24])
def test_signed_bytes_of_something_else_are_refused(at: int) -> None:
    text = bytearray(phone.to_be_signed(b"group", 7, b"hello"))
    text[at] ^= 1
    with pytest.raises(framing.Malformed):
        framing.application_message(bytes(text))


def test_length_has_one_form() -> None:
    whole = phone.group_info(b"g", 1)
    place = whole.index(framing.vector(b"g"))
    longer = whole[:place] + b"\x40\x01g" + whole[place + 2 :]
    with pytest.raises(framing.Malformed):
        framing.group_info(longer)
    with pytest.raises(framing.Malformed):
        framing.group_info(whole[:place] + b"\xc0" + whole[place + 1 :])


@pytest.mark.parametrize("size", [0, 63, 64, 16_383, 16_384])
def test_vectors_are_read_as_they_are_written(size: int) -> None:
    text = phone.to_be_signed(b"group", 0, bytes(size))
    assert framing.application_message(text).content == bytes(size)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (framing.key_package, framing.group_info, framing.application_message):
        with contextlib.suppress(framing.Malformed):
            read(data)


def test_identity_is_the_person_and_the_device() -> None:
    person, device = UUID(int=1), UUID(int=2)
    assert framing.identity_of(person, device) == bytes(15) + b"\1" + bytes(15) + b"\2"
