"""An authority that only a test believes, and a certificate by it for an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Made:
    """Three files in PEM."""

    authority: Path
    certificate: Path
    key: Path


def made(folder: Path, *addresses: str) -> Made:
    """One certificate for all the addresses, good for a day, and who vouches for it."""
    above, below = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("an authority of a test")
    authority = (
        _begun(issuer, issuer, above.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(above, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(one)) for one in addresses])
    certificate = (
        _begun(_name("a door of a test"), issuer, below.public_key())
        .add_extension(names, critical=False)
        .sign(above, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = Made(*(folder / f"{name}.pem" for name in ("authority", "certificate", "key")))
    files.authority.write_bytes(authority.public_bytes(pem))
    files.certificate.write_bytes(certificate.public_bytes(pem))
    form, sealing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files.key.write_bytes(below.private_bytes(pem, form, sealing))
    return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _begun(
    whose: x509.Name, by: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now, day = datetime.now(UTC), timedelta(days=1)
    return x509.CertificateBuilder(
        by, whose, key, x509.random_serial_number(), now - day, now + day
    )
