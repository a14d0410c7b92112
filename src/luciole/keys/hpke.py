"""Sealing to somebody whose public key is known: HPKE (RFC 9180), base mode, with the hybrid KEM
MLKEM768-X25519, HKDF-SHA256 and AES-256-GCM.

Who breaks one of ML-KEM and X25519 only opens nothing. A public key is the ML-KEM key (1184 bytes)
‖ the X25519 key (32). `info` binds what is sealed to what it is for; the other side gives the same.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from luciole.keys.seal import SealBroken

MLKEM_BYTES, X25519_BYTES = 1184, 32
PUBLIC_BYTES = MLKEM_BYTES + X25519_BYTES
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Receiver:
    """A private key, made from 32 random bytes. It shows itself to nobody and is not pickled."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        drawn = HKDF(SHA256(), 96, salt=None, info=b"luciole/hpke/v1").derive(seed)
        kem = MLKEM768PrivateKey.from_seed_bytes(drawn[:64])
        curve = X25519PrivateKey.from_private_bytes(drawn[64:])
        self._key = MLKEM768X25519PrivateKey(kem, curve)
        self.public: bytes = (
            kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        )

    def __repr__(self) -> str:
        return "Receiver(key=hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return bytes(_SUITE.decrypt(sealed, self._key, info))
        except (InvalidTag, ValueError):
            raise SealBroken("This was not sealed to this key for this purpose.") from None


class Sealer:
    """Seals to the holder of a public key."""

    def __init__(self, public: bytes) -> None:
        """Raises ValueError for bytes that are no key."""
        if len(public) != PUBLIC_BYTES:
            raise ValueError(f"a public key has {PUBLIC_BYTES} bytes")
        self._key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:MLKEM_BYTES]),
            X25519PublicKey.from_public_bytes(public[MLKEM_BYTES:]),
        )

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """1136 bytes longer than the plaintext."""
        return bytes(_SUITE.encrypt(plaintext, self._key, info))
