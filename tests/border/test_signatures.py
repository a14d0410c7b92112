"""Signatures over requests: the vectors of RFC 9421 and of draft-cavage, and every way to be
refused, each beside the request that is taken."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.border import signatures
from luciole.border.signatures import BadSignature, PublicKey
from luciole.keys.signing import Algorithm, SigningKey, verifies

# --- vectors ------------------------------------------------------------------------------------

# RFC 9421, appendix B.1.4, and the request of B.2.
RFC_SEED = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
RFC_PUBLIC = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
RFC_URL = "http://example.com/foo?param=Value&Pet=dog"
RFC_BODY = b'{"hello": "world"}'
RFC_HEADERS = {
    "Host": "example.com",
    "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "Content-Type": "application/json",
    "Content-Digest": (
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwE"
        "mTHWXvJwew==:"
    ),
    "Content-Length": "18",
}
RFC_CREATED = 1618884473


def test_vector_of_rfc_9421_with_ed25519() -> None:
    """Appendix B.2.6; Ed25519 gives the same signature each time."""
    names = ("date", "@method", "@path", "@authority", "content-type", "content-length")
    told = f"({' '.join(f'{chr(34)}{name}{chr(34)}' for name in names)});created=1618884473"
    told += ';keyid="test-key-ed25519"'
    headers = {name.lower(): value for name, value in RFC_HEADERS.items()}
    base = signatures.signature_base(names, told, "POST", RFC_URL, headers)
    assert base.decode().splitlines() == [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        f'"@signature-params": {told}',
    ]
    key = SigningKey(Algorithm.ED25519, RFC_SEED)
    assert key.public == RFC_PUBLIC
    assert base64.b64encode(key.sign(base)).decode() == (
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("@method", "POST"),
        ("@target-uri", "https://www.example.com/path?param=value"),
        ("@authority", "www.example.com"),
        ("@scheme", "https"),
        ("@request-target", "/path?param=value"),
        ("@path", "/path"),
        ("@query", "?param=value"),
    ],
)
def test_derived_components_are_those_of_rfc_9421(component: str, value: str) -> None:
    """Sections 2.2.1 to 2.2.7, with the request of their examples."""
    base = signatures.signature_base(
        [component], "()", "POST", "https://www.example.com/path?param=value", {}
    )
    assert base.decode().splitlines()[0] == f'"{component}": {value}'


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://EXAMPLE.com:443/", "example.com"),
        ("http://example.com:80/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
    ],
)
def test_authority_is_normalised(url: str, authority: str) -> None:
    base = signatures.signature_base(["@authority"], "()", "GET", url, {})
    assert base.decode().splitlines()[0] == f'"@authority": {authority}'


def test_digests_are_those_of_rfc_9530() -> None:
    digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert signatures.content_digest(RFC_BODY) == digest
    for field in (digest, RFC_HEADERS["Content-Digest"], f"{digest}, md5=:AA==:"):
        signatures.check_content_digest(field, RFC_BODY)
    for field in ("", "md5=:AA==:", digest, f"{digest}, {RFC_HEADERS['Content-Digest']}"):
        with pytest.raises(BadSignature):
            signatures.check_content_digest(field, RFC_BODY + b" ")


# --- what we sign, and what we refuse -------------------------------------------------------------

KEY = SigningKey(Algorithm.ED25519, bytes(range(32)))
OTHER = SigningKey(Algorithm.ED25519, bytes(32))
URL = "https://sg.example/border/inbox?a=1"
HEADERS = {"Content-Type": "application/activity+json", "Host": "sg.example"}
BODY = b'{"type":"Follow"}'
NOW = 1_790_000_000
BOTH: tuple[signatures.Scheme, ...] = ("rfc9421", "cavage")
ID = "https://us.example/cell#border"


def ed25519(key: SigningKey) -> PublicKey:
    def checks(signature: bytes, message: bytes) -> bool:
        return verifies(Algorithm.ED25519, key.public, signature, message)

    return PublicKey("ed25519", checks)


def made(key: SigningKey = KEY, body: bytes = BODY, created: int = NOW) -> dict[str, str]:
    return signatures.signed("POST", URL, HEADERS, body, ID, key.sign, created)


def read(
    headers: dict[str, str],
    body: bytes = BODY,
    method: str = "POST",
    url: str = URL,
    now: int = NOW,
) -> str:
    return signatures.verified(method, url, headers, body, {ID: ed25519(KEY)}.get, now)


@pytest.mark.parametrize("body", [BODY, b""])
def test_what_is_signed_is_verified(body: bytes) -> None:
    assert read(made(body=body), body) == ID
    assert signatures.claim_of(made(body=body)) == ("rfc9421", ID)


def changed(name: str, change: Callable[[str], str]) -> dict[str, str]:
    headers = made()
    headers[name] = change(headers[name])
    return headers


def signed_as(told: str, key: SigningKey = KEY) -> dict[str, str]:
    """Headers with whatever parameters, and a signature that holds for them."""
    headers = {**made(), "signature-input": f"sig1={told}"}
    covered = [word.strip('"') for word in told[1:].partition(")")[0].split()]
    base = signatures.signature_base(covered, told, "POST", URL, headers)
    return {**headers, "signature": f"sig1=:{base64.b64encode(key.sign(base)).decode()}:"}


FULL = '("@method" "@target-uri" "content-digest")'
IN_PARTS = '("@method" "@authority" "@path" "content-digest")'
NAMED = f'created={NOW};keyid="{ID}"'
INPUT = "signature-input"
OF_OTHER_BYTES = signatures.content_digest(b"x")


def covering(also: str) -> dict[str, str]:
    """One more component is named than was signed."""
    return changed(INPUT, lambda said: said.replace('"@method"', f'"@method" {also}'))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "not-signed"),
        (made(key=OTHER), "wrong-signature"),
        (made(created=NOW - 301), "not-of-now"),
        (made(created=NOW + 301), "not-of-now"),
        (changed("content-digest", lambda _: OF_OTHER_BYTES), "digest-of-other-bytes"),
        (changed("content-type", lambda _: "text/html"), "wrong-signature"),
        (changed(INPUT, lambda said: said.replace(";alg=", ";xyz=")), "wrong-signature"),
        (changed(INPUT, lambda said: said + ", sig2=()"), "not-one-signature"),
        (changed(INPUT, lambda said: said + ", " + said), "header-not-read"),
        (changed(INPUT, lambda said: said + ","), "header-not-read"),
        (changed(INPUT, lambda said: said.replace("sig1=(", "sig1=((")), "header-not-read"),
        (changed(INPUT, lambda _: "sig1=" + "(" * 9000), "header-too-long"),
        (changed(INPUT, lambda _: "sig1=1"), "signature-not-read"),
        (changed(INPUT, lambda _: ""), "not-one-signature"),
        (changed("signature", lambda said: said.replace("sig1", "sig2")), "not-one-signature"),
        (changed("signature", lambda _: "sig1=:!:"), "header-not-read"),
        (changed("signature", lambda _: "sig1=:A:"), "header-not-read"),
        (changed("signature", lambda _: 'sig1="x"'), "signature-not-read"),
        (signed_as(f"{FULL};{NAMED}", OTHER), "wrong-signature"),
        (signed_as(f'("@method" "content-digest");{NAMED}'), "covers-too-little"),
        (signed_as(f'("@target-uri" "content-digest");{NAMED}'), "covers-too-little"),
        (signed_as(f"{IN_PARTS};{NAMED}"), "covers-too-little"),
        (signed_as(f'("@method" "@target-uri");{NAMED}'), "body-not-covered"),
        (signed_as(f'{FULL};keyid="{ID}"'), "no-time"),
        (signed_as(f'{FULL};created="{NOW}";keyid="{ID}"'), "no-time"),
        (signed_as(f"{FULL};created={NOW}"), "no-key-id"),
        (signed_as(f'{FULL};created={NOW};keyid="{ID}x"'), "unknown-key"),
        (signed_as(f"{FULL};{NAMED};expires={NOW - 1}"), "expired"),
        (signed_as(f'{FULL};{NAMED};alg="rsa-v1_5-sha256"'), "another-algorithm"),
        (changed(INPUT, lambda said: said.replace('"@method"', '"x";req')), "component-unknown"),
        (changed(INPUT, lambda said: said.replace('"@method"', '"@status"')), "covers-too-little"),
        (covering('"@status"'), "component-unknown"),
        (covering('"date"'), "component-missing"),
        (covering('"@method"'), "header-not-read"),
        (covering('"Date"'), "header-not-read"),
        ({**made(), "x-strange": "a\r\nb"}, "header-not-read"),
    ],
)
def test_what_is_not_signed_as_it_has_to_be_is_refused(headers: dict[str, str], code: str) -> None:
    with pytest.raises(BadSignature) as refused:
        read(headers)
    assert refused.value.code == code


def test_other_forms_of_a_whole_signature_are_taken() -> None:
    for told in (
        f"{FULL};{NAMED}",
        f'{FULL};{NAMED};alg="ed25519";expires={NOW + 1};nonce="x";tag="y"',
        f'("@method" "@authority" "@path" "@query" "content-digest");{NAMED}',
    ):
        assert read(signed_as(told)) == ID


def test_signature_holds_for_one_request_only() -> None:
    headers = made()
    for change in (
        {"method": "PUT"},
        {"url": URL + "1"},
        {"url": URL.replace("sg.", "eu.")},
        {"url": URL.replace("https", "http")},
    ):
        with pytest.raises(BadSignature) as refused:
            read(headers, **change)  # type: ignore[arg-type]
        assert refused.value.code == "wrong-signature"
    with pytest.raises(BadSignature) as refused:
        read(headers, body=BODY + b" ")
    assert refused.value.code == "digest-of-other-bytes"


@given(st.text(max_size=200), st.text(max_size=200))
def test_strange_headers_are_refused_and_nothing_else_happens(told: str, value: str) -> None:
    for headers in (
        {"Signature-Input": told, "Signature": value},
        {"Signature-Input": f"sig1={told}", "Signature": f"sig1={value}"},
        {"Signature": told},
    ):
        with pytest.raises(BadSignature):
            signatures.verified(
                "POST",
                URL,
                headers,
                BODY,
                lambda _: ed25519(KEY),
                NOW,
                schemes=("rfc9421", "cavage"),
            )
