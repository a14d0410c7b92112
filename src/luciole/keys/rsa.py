"""RSA signatures (PKCS #1 v1.5 with SHA-256, RFC 8017 section 8.2), for servers of others that know
nothing newer. Nothing of the cell itself rests on them.

What the caller must still do: keep the private key wrapped, and take a public key from its owner's
own server only.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from luciole.keys import private, seal
from luciole.keys.secret import CellSecret

KEY_FILE = "fediverse.wrapped"
BITS = 2048
# Shorter keys can be broken, longer ones keep a server busy.
LEAST_BITS, MOST_BITS = 2048, 8192
MOST_PEM_CHARS = 4096


class RsaKey:
    """A private key. It shows itself to nobody and is not pickled."""

    __slots__ = ("_key", "public")

    def __init__(self, der: bytes) -> None:
        """From what `generate` gave."""
        key = load_der_private_key(der, None)
        assert isinstance(key, RSAPrivateKey)
        self._key = key
        spki = PublicFormat.SubjectPublicKeyInfo
        # As PEM text, which is how servers of the Fediverse give it to each other.
        self.public: bytes = key.public_key().public_bytes(Encoding.PEM, spki)

    def __repr__(self) -> str:
        return "RsaKey(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")

    @staticmethod
    def generate() -> bytes:
        """A new key, as PKCS #8 in DER: to be wrapped at once."""
        key = generate_private_key(65537, BITS)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, PKCS1v15(), SHA256())

    @classmethod
    def kept(cls, folder: Path, secret: CellSecret) -> RsaKey:
        """The cell's key in a key folder, drawn at the first use; sealed under a key that is
        derived from the cell secret. Raises KeyFileRefused, seal.SealBroken."""
        path, key = folder / KEY_FILE, secret.derived("wrap/fediverse")
        where = b"luciole/fediverse/v1\0" + secret.cell_id.bytes
        if not path.exists():
            private.write(path, seal.seal_at(key, cls.generate(), where))
        return cls(seal.open_at(key, private.needed(path, "key for the Fediverse"), where))


def rsa_verifies(public_pem: str, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the key (PEM, of 2048 bits or more) signed `message`. What is no such
    key verifies nothing."""
    try:
        key = _public_key(public_pem)
        key.verify(signature, message, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(256)
def _public_key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode()) if len(pem) <= MOST_PEM_CHARS else None
    if not isinstance(key, RSAPublicKey) or not LEAST_BITS <= key.key_size <= MOST_BITS:
        raise ValueError("no RSA key of a length that is taken")
    return key
