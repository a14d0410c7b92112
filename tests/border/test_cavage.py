"""Signatures as servers made them before RFC 9421, and RSA: the vectors of draft-cavage, and every
way to be refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from tests.border.test_signatures import BODY, BOTH, HEADERS, ID, KEY, NOW, RFC_BODY, URL, ed25519

from luciole.border import cavage, signatures
from luciole.border.signatures import BadSignature, PublicKey
from luciole.keys.rsa import RsaKey, rsa_verifies

CAVAGE_PEM = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----"""
CAVAGE_HEADERS = {
    "Host": "example.com",
    "Date": "Sun, 05 Jan 2014 21:31:40 GMT",
    "Content-Type": "application/json",
    "Digest": "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
    "Content-Length": "18",
}
CAVAGE_NOW = 1388957500
CAVAGE_URL = "https://example.com/foo?param=value&pet=dog"


def short_key_verifies(signature: bytes, message: bytes) -> bool:
    """The draft's key has 1,024 bits, which we take from nobody."""
    key = load_pem_public_key(CAVAGE_PEM.encode())
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg]
    except Exception:
        return False
    return True


def test_vectors_of_draft_cavage() -> None:
    """Appendix C.2 and C.3 (draft 10 and later with rsa-sha256)."""
    basic = (
        'keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date",signature="'
        "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3"
        'HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="'
    )
    everything = (
        'keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date content-type '
        'digest content-length",signature="vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8r'
        "gOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8k"
        'nRmPnYePbF5MOkR0Zkly4zKH7s1dE="'
    )

    def read(words: str, body: bytes) -> str:
        return signatures.verified(
            "POST",
            CAVAGE_URL,
            {**CAVAGE_HEADERS, "Signature": words},
            body,
            {"Test": PublicKey("rsa-v1_5-sha256", short_key_verifies)}.get,
            CAVAGE_NOW,
            schemes=("cavage",),
        )

    assert read(basic, b"") == "Test"
    assert read(everything, RFC_BODY) == "Test"
    for words, body, code in (
        (basic, RFC_BODY, "body-not-covered"),
        (everything, RFC_BODY + b" ", "digest-of-other-bytes"),
        (everything.replace("host ", ""), RFC_BODY, "covers-too-little"),
        (everything.replace("vSdrb", "vSdrc"), RFC_BODY, "wrong-signature"),
    ):
        with pytest.raises(BadSignature) as refused:
            read(words, body)
        assert refused.value.code == code


# --- RSA, toward servers that know nothing newer --------------------------------------------------


@pytest.fixture(scope="module")
def rsa() -> RsaKey:
    return RsaKey(RsaKey.generate())


def rsa_of(key: RsaKey) -> PublicKey:
    return PublicKey("rsa-v1_5-sha256", lambda s, m: rsa_verifies(key.public.decode(), s, m))


def test_both_schemes_hold_with_rsa(rsa: RsaKey) -> None:
    key_of = {ID: rsa_of(rsa)}.get
    new = signatures.signed("POST", URL, HEADERS, BODY, ID, rsa.sign, NOW, "rsa-v1_5-sha256")
    old = cavage.signed("POST", URL, HEADERS, BODY, ID, rsa.sign, NOW)
    assert 'algorithm="rsa-sha256"' in old["signature"]
    assert "signature-input" not in old
    for headers in (new, old):
        assert signatures.verified("POST", URL, headers, BODY, key_of, NOW, schemes=BOTH) == ID
        for change in ({"host": "eu.example"}, {"content-type": "x/y"}):
            if "signature-input" in headers and "host" in change:
                continue
            with pytest.raises(BadSignature):
                signatures.verified(
                    "POST", URL, {**headers, **change}, BODY, key_of, NOW, schemes=BOTH
                )
    # Between cells the old one is not taken, whatever it covers.
    with pytest.raises(BadSignature) as refused:
        signatures.verified("POST", URL, old, BODY, key_of, NOW)
    assert refused.value.code == "scheme-not-taken"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda said: said.replace("(request-target) ", ""), "covers-too-little"),
        (lambda said: said.replace(" digest", ""), "body-not-covered"),
        (lambda said: said.replace(" date", ""), "no-time"),
        (lambda said: said.replace(" date", " (created)"), "no-time"),
        (lambda said: said.replace(" date", " (created) date"), "component-missing"),
        (lambda said: said.replace(" date", " date date-of-birth"), "component-missing"),
        (lambda said: said.replace("rsa-sha256", "hmac-sha256"), "another-algorithm"),
        (lambda said: said.replace(ID, "x"), "unknown-key"),
        (lambda said: said + ',keyId="y"', "header-not-read"),
        (lambda said: said + f",expires={NOW - 1}", "expired"),
        (lambda said: 'keyId="x"', "header-not-read"),
        (lambda said: "x" * 9000, "header-too-long"),
    ],
)
def test_old_signature_has_to_cover_the_request(
    rsa: RsaKey, change: Callable[[str], str], code: str
) -> None:
    headers = cavage.signed("POST", URL, HEADERS, BODY, ID, rsa.sign, NOW)
    headers["signature"] = change(headers["signature"])
    with pytest.raises(BadSignature) as refused:
        signatures.verified(
            "POST", URL, headers, BODY, {ID: rsa_of(rsa)}.get, NOW, schemes=("cavage",)
        )
    assert refused.value.code == code


def test_old_signature_of_an_ed25519_key_or_of_another_time_is_refused(rsa: RsaKey) -> None:
    headers = cavage.signed("POST", URL, HEADERS, BODY, ID, KEY.sign, NOW)
    for key_of, now, code in (
        ({ID: ed25519(KEY)}.get, NOW, "another-algorithm"),
        ({ID: rsa_of(rsa)}.get, NOW + 3601, "not-of-now"),
    ):
        with pytest.raises(BadSignature) as refused:
            signatures.verified(
                "POST", URL, headers, BODY, key_of, now, skew_s=3600, schemes=("cavage",)
            )
        assert refused.value.code == code
    for date in ("", "yesterday"):
        with pytest.raises(BadSignature):
            signatures.verified(
                "POST",
                URL,
                {**headers, "date": date},
                BODY,
                {ID: rsa_of(rsa)}.get,
                NOW,
                schemes=("cavage",),
            )
