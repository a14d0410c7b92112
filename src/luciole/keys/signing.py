"""Signatures: Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204), each from a seed of 32 bytes.

The only importer of `cryptography` for signatures. What is signed, under which name and with which
prefix is the caller's business (`luciole.ledger.note`). What the caller must still do: sign with
one key for one purpose only, and never log a seed.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

SEED_BYTES = 32


class Algorithm(Enum):
    """A signature algorithm: its name, the bytes of a public key, the bytes of a signature."""

    ED25519 = ("Ed25519", 32, 64)
    ML_DSA_44 = ("ML-DSA-44", 1312, 2420)

    def __init__(self, title: str, public_bytes: int, signature_bytes: int) -> None:
        self.title = title
        self.public_bytes = public_bytes
        self.signature_bytes = signature_bytes


class SigningKey:
    """A private key, made from its seed. It shows itself to nobody and is not pickled."""

    __slots__ = ("_key", "algorithm", "public")

    def __init__(self, algorithm: Algorithm, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed has 32 bytes")
        self._key: Ed25519PrivateKey | MLDSA44PrivateKey
        if algorithm is Algorithm.ED25519:
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        else:
            self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.algorithm = algorithm
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm.title}, seed=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is not pickled")

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`. Ed25519 gives the same one each time, ML-DSA-44 another."""
        return self._key.sign(message)


def verifies(algorithm: Algorithm, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` was made over `message` by the holder of `public`. Bytes of a wrong
    length, or that are no key, verify nothing."""
    try:
        _public_key(algorithm, public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(64)  # an ML-DSA-44 key takes longer to read than a signature to check
def _public_key(algorithm: Algorithm, public: bytes) -> Ed25519PublicKey | MLDSA44PublicKey:
    if algorithm is Algorithm.ED25519:
        return Ed25519PublicKey.from_public_bytes(public)
    return MLDSA44PublicKey.from_public_bytes(public)
