"""Signatures: Ed25519 (RFC 8032), ML-DSA-44 (FIPS 204) and ECDSA over P-256 with SHA-256 (FIPS
186-5), each from a seed of 32 bytes.

The only importer of `cryptography` for signatures. What is signed, under which name and with which
prefix is the caller's business (`luciole.ledger.note`). What the caller must still do: sign with
one key for one purpose only, and never log a seed.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from hashlib import sha512

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED_BYTES = 32
# The order of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3).
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_HALF_BYTES = 32


class Algorithm(Enum):
    """A signature algorithm: its name, the bytes of a public key, the bytes of a signature."""

    ED25519 = ("Ed25519", 32, 64)
    ML_DSA_44 = ("ML-DSA-44", 1312, 2420)
    # A public key is the uncompressed point, a signature r ‖ s, as JOSE has both (RFC 7518).
    P_256 = ("ECDSA P-256", 65, 64)

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
        self._key: Ed25519PrivateKey | MLDSA44PrivateKey | _P256Key
        if algorithm is Algorithm.ED25519:
            self._key = Ed25519PrivateKey.from_private_bytes(seed)
        elif algorithm is Algorithm.ML_DSA_44:
            self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        else:
            self._key = _P256Key(seed)
        self.algorithm = algorithm
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm.title}, seed=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is not pickled")

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`. Ed25519 gives the same one each time, the others do not."""
        return self._key.sign(message)


class _P256Key:
    """ECDSA over P-256 in the words of the other two."""

    def __init__(self, seed: bytes) -> None:
        # FIPS 186-5, A.2.1: many more bits than the order has, so that no key is likelier.
        drawn = int.from_bytes(sha512(b"luciole/p-256/v1\0" + seed).digest())
        self._key = ec.derive_private_key(drawn % (P256_ORDER - 1) + 1, ec.SECP256R1())

    def public_key(self) -> _P256Public:
        return _P256Public(self._key.public_key())

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(P256_HALF_BYTES) + s.to_bytes(P256_HALF_BYTES)


class _P256Public:
    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key

    def public_bytes_raw(self) -> bytes:
        return self._key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def verify(self, signature: bytes, message: bytes) -> None:
        if len(signature) != 2 * P256_HALF_BYTES:
            raise InvalidSignature
        r = int.from_bytes(signature[:P256_HALF_BYTES])
        s = int.from_bytes(signature[P256_HALF_BYTES:])
        self._key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


def verifies(algorithm: Algorithm, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` was made over `message` by the holder of `public`. Bytes of a wrong
    length, or that are no key, verify nothing."""
    try:
        _public_key(algorithm, public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(64)  # an ML-DSA-44 key takes longer to read than a signature to check
def _public_key(
    algorithm: Algorithm, public: bytes
) -> Ed25519PublicKey | MLDSA44PublicKey | _P256Public:
    if algorithm is Algorithm.ED25519:
        return Ed25519PublicKey.from_public_bytes(public)
    if algorithm is Algorithm.ML_DSA_44:
        return MLDSA44PublicKey.from_public_bytes(public)
    if len(public) != algorithm.public_bytes:
        raise ValueError("a compressed point is not taken")
    return _P256Public(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))
