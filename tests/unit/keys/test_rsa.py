"""RSA signatures, for servers of others."""

from __future__ import annotations

import pickle
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from luciole.keys.rsa import KEY_FILE, RsaKey, rsa_verifies
from luciole.keys.seal import SealBroken
from luciole.keys.secret import CellSecret


@pytest.fixture(scope="module")
def key() -> RsaKey:
    return RsaKey(RsaKey.generate())


def pem(public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_what_is_signed_is_verified_by_this_key_only(key: RsaKey) -> None:
    signature = key.sign(b"words")
    assert rsa_verifies(key.public.decode(), signature, b"words")
    assert not rsa_verifies(key.public.decode(), signature, b"other words")
    assert not rsa_verifies(key.public.decode(), signature[:-1], b"words")
    other = RsaKey(RsaKey.generate())
    assert not rsa_verifies(other.public.decode(), signature, b"words")


def test_keys_of_other_kinds_and_lengths_verify_nothing(key: RsaKey) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the short one
    for text in (
        "",
        "x" * 5000,
        key.public.decode().replace("PUBLIC", "PRIVATE"),
        pem(short.public_key()),
        pem(ec.generate_private_key(ec.SECP256R1()).public_key()),
    ):
        assert not rsa_verifies(text, key.sign(b"words"), b"words")


def test_key_of_a_cell_is_drawn_once_and_opens_with_its_secret_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    secret = CellSecret(UUID(int=1), bytes(32))
    first = RsaKey.kept(tmp_path, secret)
    assert RsaKey.kept(tmp_path, secret).public == first.public
    assert b"PRIVATE" not in (tmp_path / KEY_FILE).read_bytes()
    for other in (CellSecret(UUID(int=2), bytes(32)), CellSecret(UUID(int=1), b"1" * 32)):
        with pytest.raises(SealBroken):
            RsaKey.kept(tmp_path, other)


def test_private_key_is_not_shown_and_not_pickled(key: RsaKey) -> None:
    assert repr(key) == "RsaKey(hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
