"""Signatures from seeds, against vectors and against changed bytes."""

from __future__ import annotations

import pickle

import pytest

from luciole.keys.signing import Algorithm, SigningKey, verifies

BOTH = pytest.mark.parametrize("algorithm", Algorithm, ids=lambda each: each.title)
# RFC 8032 section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_ed25519_signs_as_the_rfc_says() -> None:
    key = SigningKey(Algorithm.ED25519, SEED)
    assert key.public == PUBLIC
    assert key.sign(b"\x72") == SIGNATURE
    assert verifies(Algorithm.ED25519, PUBLIC, SIGNATURE, b"\x72")


@BOTH
def test_signature_verifies_and_a_changed_one_does_not(algorithm: Algorithm) -> None:
    key = SigningKey(algorithm, SEED)
    signature = key.sign(b"message")
    assert len(key.public) == algorithm.public_bytes
    assert len(signature) == algorithm.signature_bytes
    assert verifies(algorithm, key.public, signature, b"message")
    other = SigningKey(algorithm, bytes(32))
    for public, changed, message in (
        (key.public, signature, b"massage"),
        (key.public, bytes([signature[0] ^ 1]) + signature[1:], b"message"),
        (key.public, signature + b"\0", b"message"),
        (key.public, b"", b"message"),
        (other.public, signature, b"message"),
        (b"no key", signature, b"message"),
    ):
        assert not verifies(algorithm, public, changed, message)


@BOTH
def test_same_seed_gives_the_same_key(algorithm: Algorithm) -> None:
    assert SigningKey(algorithm, SEED).public == SigningKey(algorithm, SEED).public


@BOTH
def test_seed_of_another_length_is_refused(algorithm: Algorithm) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey(algorithm, SEED[:31])


def test_p256_verifies_what_the_rfc_signed() -> None:
    """RFC 6979, A.2.5: P-256 with SHA-256, message "sample"."""
    public = bytes.fromhex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    )
    signature = bytes.fromhex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )
    assert verifies(Algorithm.P_256, public, signature, b"sample")
    assert not verifies(Algorithm.P_256, public, signature, b"test")
    # The same point, compressed: one form only is taken.
    assert not verifies(Algorithm.P_256, b"\x03" + public[1:33], signature, b"sample")


def test_key_is_neither_shown_nor_pickled() -> None:
    key = SigningKey(Algorithm.ED25519, SEED)
    assert repr(key) == "SigningKey(Ed25519, seed=hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
