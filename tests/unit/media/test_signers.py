"""The doctor looks at the operator's list of signers before a film asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from luciole import config, doctor, signers


def certificate(days: int) -> str:
    """One that ends in so many days."""
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A maker of cameras")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(key.public_key()).serial_number(1)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = made.not_valid_before(now - timedelta(days=90))
    signed = made.not_valid_after(now + timedelta(days=days)).sign(key, None)
    return signed.public_bytes(Encoding.PEM).decode()


def found(folder: Path, text: str | None) -> list[tuple[str, str]]:
    place = folder / "signers.pem"
    if text is not None:
        place.write_text(text)
    settings = config.load({"LUCIOLE_MEDIA_TRUST_ANCHORS": str(place)})
    return [
        (one.verdict, one.sentence.replace(str(place), "P")) for one in signers.looked(settings)
    ]


def test_doctor_looks_at_the_list() -> None:
    assert signers.looked in doctor.CHECKS


def test_nothing_is_said_where_no_list_is_set() -> None:
    assert list(signers.looked(config.load({}))) == []


def test_list_that_is_good_is_counted(tmp_path: Path) -> None:
    assert found(tmp_path, certificate(1) + certificate(9)) == [("OK", "2 in P")]


def test_signer_whose_time_is_over_is_counted(tmp_path: Path) -> None:
    assert found(tmp_path, certificate(1) + certificate(-1)) == [("WARN", "1 of 2 in P are over")]


def test_list_that_is_not_there_is_said(tmp_path: Path) -> None:
    said = "P cannot be read, so no film counts as trusted"
    assert found(tmp_path, None) == [("WARN", said)]


def test_text_that_is_no_list_is_said(tmp_path: Path) -> None:
    said = "P is no list of certificates (PEM), so no film counts as trusted"
    assert found(tmp_path, "Dear operator") == [("WARN", said)]


def test_list_that_films_would_not_be_checked_by_is_said(tmp_path: Path) -> None:
    text = certificate(1) + "#" * (4 << 20)
    assert found(tmp_path, text) == [("WARN", "P is larger than 4 MiB and is not used")]
