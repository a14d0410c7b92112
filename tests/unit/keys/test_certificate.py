"""The certificates under which a cell signs what others read."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from luciole.keys import certificate
from luciole.keys.signing import Algorithm, SigningKey

KEY = SigningKey(Algorithm.ED25519, b"k" * 32)


def chain(seed: bytes = b"r" * 32, host: str = "cell.example") -> list[x509.Certificate]:
    made = certificate.chain(seed, KEY.public, host)
    return [x509.load_der_x509_certificate(one) for one in made]


def test_root_certifies_the_key_of_the_cell_and_itself() -> None:
    root, leaf = chain()
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    public = leaf.public_key()
    assert isinstance(public, Ed25519PublicKey)
    assert public.public_bytes_raw() == KEY.public
    names = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [one.value for one in names] == ["cell.example"]
    assert root.serial_number != leaf.serial_number


def test_key_of_the_cell_signs_and_certifies_nobody() -> None:
    root, leaf = chain()
    for one, is_root in ((root, True), (leaf, False)):
        basic = one.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = one.extensions.get_extension_for_class(x509.KeyUsage)
        assert basic.critical
        assert basic.value.ca is is_root
        assert usage.critical
        assert (usage.value.key_cert_sign, usage.value.digital_signature) == (is_root, not is_root)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]


def test_they_are_the_same_each_time_and_end_never() -> None:
    assert chain() == chain()
    assert chain(b"s" * 32)[0] != chain()[0]
    # Another name of the cell leaves the root as it is, so that films of before stay under it.
    (root, leaf), (root_too, leaf_too) = chain(), chain(host="n" * 200)
    assert (root == root_too, leaf == leaf_too) == (True, False)
    for one in (root, leaf):
        assert one.not_valid_before_utc < datetime(2026, 6, 1, tzinfo=UTC)
        assert one.not_valid_after_utc.year == 9999
