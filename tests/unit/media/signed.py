"""Films whose content credentials are sound: signed by the library of the standard, as a camera or
a generator has them, with keys and certificates made here.

The library is not the witness of the library's own check alone: bytes are changed in the tests.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGAN, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)
QUIET = {
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


@dataclass(frozen=True)
class Maker:
    """Who signs: a certificate under a root of their own."""

    root: str
    leaf: str
    key: Ed25519PrivateKey

    @classmethod
    def named(cls, name: str) -> Maker:
        above, own = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        root = _certificate(above, above, name, name, is_root=True)
        leaf = _certificate(own, above, name, name, is_root=False)
        return cls(_pem(root), _pem(leaf), own)

    def signs(self, film: bytes, *sources: str, assertions: Sequence[Any] = ()) -> bytes:
        """The film with credentials that say where it comes from."""
        done = [{"action": "c2pa.created", "digitalSourceType": source} for source in sources]
        manifest = {
            "claim_generator_info": [{"name": "A test"}],
            "format": "video/mp4",
            "assertions": [{"label": "c2pa.actions", "data": {"actions": done}}, *assertions],
        }
        into = io.BytesIO()
        kind, chain = c2pa.C2paSigningAlg.ED25519, self.leaf + self.root
        with (
            c2pa.Builder(manifest, c2pa.Context.from_dict(QUIET)) as builder,
            c2pa.Signer.from_callback(self.key.sign, kind, chain) as signer,
        ):
            builder.sign(signer, "video/mp4", io.BytesIO(film), into)
        return into.getvalue()


@functools.cache
def camera() -> Maker:
    """A maker whom a test may trust or not."""
    return Maker.named("Camera Works")


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _certificate(
    key: Ed25519PrivateKey, by: Ed25519PrivateKey, name: str, issuer: str, *, is_root: bool
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])

    usage = x509.KeyUsage(
        digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name if not is_root else f"{issuer} root"))
        .issuer_name(named(f"{issuer} root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGAN)
        .not_valid_after(ENDS)
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not is_root:
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(purposes, critical=False)
    return made.sign(by, None)
