"""Certificates (RFC 5280) for what a cell signs in files that others read: a root of its own, and
one for the signing key under it.

Both come out of the same bytes each time, since Ed25519 draws nothing and their times are fixed:
nothing is kept, and a cell that comes back from its backup has the same ones. They end in no year
(RFC 5280, 4.1.2.5): a film outlives every date that could stand here, and nothing stamps a time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
# As C2PA 2.2, 14.5.1 asks of who signs claims.
PURPOSE = ExtendedKeyUsageOID.EMAIL_PROTECTION
MOST_NAME = 64
_NOT = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
) | {"encipher_only": False, "decipher_only": False}


def chain(root_seed: bytes, signer: bytes, host: str) -> tuple[bytes, bytes]:
    """The root and the signer's certificate (DER). `signer` is an Ed25519 public key, `host` the
    name under which people know the cell."""
    key = Ed25519PrivateKey.from_private_bytes(root_seed)
    number = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]
    above = _name("Luciole", f"Luciole cell {number}")
    return (
        _made(key, key.public_key(), above, above, is_root=True),
        _made(
            key,
            Ed25519PublicKey.from_public_bytes(signer),
            above,
            _name(host[:MOST_NAME], host[:MOST_NAME]),
            is_root=False,
        ),
    )


def _name(organization: str, common: str) -> x509.Name:
    attributes = ((NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes])


def _made(
    key: Ed25519PrivateKey,
    public: Ed25519PublicKey,
    issuer: x509.Name,
    subject: x509.Name,
    *,
    is_root: bool,
) -> bytes:
    named = x509.SubjectKeyIdentifier.from_public_key(public)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    usage = x509.KeyUsage(not is_root, key_cert_sign=is_root, crl_sign=is_root, **_NOT)
    made = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        # Of the key, so that no two certificates of a root share one; its first bit is 0.
        .serial_number(int.from_bytes(named.digest[:16]) >> 1 | 1)
        .not_valid_before(BEGAN)
        .not_valid_after(NEVER)
        .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(named, critical=False)
        .add_extension(by, critical=False)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([PURPOSE]), critical=False)
    return made.sign(key, None).public_bytes(Encoding.DER)
