"""Proofs inside documents: the vectors of the FEPs and of RFC 8785, what a live Fedify sent, and
every way to be refused."""

from __future__ import annotations

import json
import os
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luciole.border import documents, proofs
from luciole.border.documents import BadDocument, jcs, parsed
from luciole.border.proofs import BadProof
from luciole.keys.signing import Algorithm, SigningKey, verifies

CORPUS = os.environ.get("LUCIOLE_CORPUS")
corpus = pytest.mark.skipif(not CORPUS, reason="LUCIOLE_CORPUS names no folder of documents")

KEY = SigningKey(Algorithm.ED25519, bytes(range(32)))
OTHER = SigningKey(Algorithm.ED25519, bytes(32))
METHOD = "https://us.example/ap/people/1#ed25519-key"
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/activitystreams", proofs.CONTEXT],
    "id": "https://us.example/ap/activities/1",
    "type": "Create",
    "actor": "https://us.example/ap/people/1",
    "object": {"type": "Note", "content": "Bonjour « ici »", "duration": 1.5},
}


def by(public: bytes) -> Any:
    return lambda signature, message: verifies(Algorithm.ED25519, public, signature, message)


def file(name: str) -> Any:
    return json.loads((Path(str(CORPUS)) / "activitypub" / name).read_text())


# --- vectors ------------------------------------------------------------------------------------

# FEP-8b32, test vectors of eddsa-jcs-2022.
FEP_KEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
FEP_DOCUMENT = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v2",
    ],
    "id": "https://server.example/activities/1",
    "type": "Create",
    "actor": "https://server.example/users/alice",
    "object": {
        "id": "https://server.example/objects/1",
        "type": "Note",
        "attributedTo": "https://server.example/users/alice",
        "content": "Hello world",
        "location": {"type": "Place", "longitude": -71.184902, "latitude": 25.273962},
    },
    "proof": {
        "@context": [
            "https://www.w3.org/ns/activitystreams",
            "https://w3id.org/security/data-integrity/v2",
        ],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": "https://server.example/users/alice#ed25519-key",
        "proofPurpose": "assertionMethod",
        "proofValue": (
            "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL"
        ),
        "created": "2023-02-24T23:36:38Z",
    },
}


def test_vector_of_fep_8b32() -> None:
    key = proofs.key_in(FEP_KEY)
    assert key is not None
    proofs.verify(FEP_DOCUMENT, by(key), AT)
    assert proofs.method_of(FEP_DOCUMENT) == "https://server.example/users/alice#ed25519-key"
    # Whatever others put beside it is no part of it; whatever they change in it is.
    proofs.verify({**FEP_DOCUMENT, "signature": {"type": "RsaSignature2017"}}, by(key))
    with pytest.raises(BadProof) as refused:
        proofs.verify({**FEP_DOCUMENT, "published": "2023-02-24T23:36:38Z"}, by(key))
    assert refused.value.code == "wrong-proof"


def test_vector_of_fep_c390() -> None:
    """An identity proof: the key is in the name of the method (did:key)."""
    statement = {
        "type": "VerifiableIdentityStatement",
        "subject": f"did:key:{FEP_KEY}",
        "alsoKnownAs": "https://server.example/users/alice",
        "proof": {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": "2023-02-24T23:36:38Z",
            "verificationMethod": f"did:key:{FEP_KEY}",
            "proofPurpose": "assertionMethod",
            "proofValue": (
                "z26W7TfJYD9DrGqnem245zNbeCbTwjb8avpduzi1JPhFrwML99CpP6gGXSKSXAcQdpGFBXF4kx7VwtXKhu7VDZJ54"
            ),
        },
    }
    key = proofs.key_in(proofs.method_of(statement))
    assert key is not None
    proofs.verify(statement, by(key))


@corpus
def test_what_a_live_fedify_sent_is_verified() -> None:
    """Captured documents with a proof and an RsaSignature2017 beside it."""
    actor = file("fedify/live_fedify_2.3.6_actor.json")
    keys = {one["id"]: proofs.key_in(one["publicKeyMultibase"]) for one in actor["assertionMethod"]}
    # The first key is RSA, which no proof of ours is checked with.
    assert sorted(key is None for key in keys.values()) == [False, True]
    sent = file("fedify/live_fedify_2.3.6_activities.json")
    assert len(sent) == 3
    for document in sent:
        assert "signature" in document
        key = keys[proofs.method_of(document)]
        assert key is not None
        proofs.verify(document, by(key), AT)
        with pytest.raises(BadProof):
            proofs.verify({**document, "id": document["id"] + "x"}, by(key))
        with pytest.raises(BadProof):
            proofs.verify(document, by(OTHER.public))


@corpus
def test_vectors_are_those_of_the_feps() -> None:
    found = (
        file("fep-examples/fep-8b32-feature-2.json"),
        file("fep-examples/fep-8b32-feature-3.json"),
    )
    assert FEP_DOCUMENT in found


# RFC 8785, appendix B: IEEE 754 doubles and how they are written.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_are_written_as_rfc_8785_does(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert jcs(value).decode() == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back(value: float) -> None:
    assert float(jcs(value)) == value


def test_names_and_text_are_written_as_rfc_8785_does() -> None:
    """Sections 3.2.2 and 3.2.3."""
    assert jcs(
        {
            "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": '\u20ac$\u000f\nA\'B"\\\\"/',
            "literals": [None, True, False],
        }
    ).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    names = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert [*json.loads(jcs(names)).values()] == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, "\ud800", b"", [{1}]])
def test_what_json_cannot_say_is_not_written(value: Any) -> None:
    with pytest.raises(BadDocument):
        jcs(value)


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not-json"),
        (b"[]", "not-an-object"),
        (b'"x"', "not-an-object"),
        (b'{"a":1,"a":2}', "name-twice"),
        (b'{"a":{"b":1,"b":1}}', "name-twice"),
        (b'{"a":1,"\\u0061":2}', "name-twice"),
        (b'{"a":NaN}', "not-a-number"),
        (b'{"a":-Infinity}', "not-a-number"),
        (b'{"a":1e999}', "not-a-number"),
        (b'{"a":9007199254740992}', "number-too-large"),
        (b'{"a":' + b"9" * 5000 + b"}", "number-too-large"),
        (b'{"a":"\\ud800"}', "half-a-character"),
        (b'{"\\udfff":1}', "half-a-character"),
        (b'{"a":"\xff"}', "not-utf-8"),
        (b'{"a":' * 25 + b"1" + b"}" * 25, "too-deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too-deep"),
        (b'{"a":[' + b"1," * 20_000 + b"1]}", "too-many-values"),
        (b'{"a":"' + b"x" * documents.MAX_BYTES + b'"}', "too-large"),
    ],
)
def test_document_with_too_much_or_two_meanings_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(BadDocument) as refused:
        parsed(raw)
    assert refused.value.code == code


def test_document_within_the_limits_is_read() -> None:
    raw = b'{"a":' * 22 + b'[9007199254740991,-1.5,"\\ud83d\\ude00",null]' + b"}" * 22
    assert jcs(parsed(raw)).decode().startswith('{"a":{"a":')


# --- ours -----------------------------------------------------------------------------------------


def test_what_we_prove_is_verified_and_any_change_is_not() -> None:
    proved = proofs.proved(DOCUMENT, METHOD, KEY.sign, AT)
    assert {**proved, "proof": None} == {**DOCUMENT, "proof": None}
    assert proofs.method_of(proved) == METHOD
    proofs.verify(proved, by(KEY.public), AT)
    proofs.verify({**proved, "proof": [proved["proof"]]}, by(KEY.public), AT)
    # Contexts may be added after those under which it was proved, not before.
    wider = [*proved["@context"], "https://w3id.org/identity/v1"]
    proofs.verify({**proved, "@context": wider}, by(KEY.public))

    def with_proof(**words: Any) -> dict[str, Any]:
        return {**proved, "proof": {**proved["proof"], **words}}

    without = {name: value for name, value in proved.items() if name != "proof"}
    for wrong, code in (
        (without, "not-one-proof"),
        ({**proved, "proof": [proved["proof"]] * 2}, "not-one-proof"),
        ({**proved, "actor": "https://us.example/ap/people/2"}, "wrong-proof"),
        ({**proved, "@context": wider[1:]}, "another-context"),
        (with_proof(created="2026-11-26T12:00:01Z"), "wrong-proof"),
        (with_proof(created="2026-11-26T12:10:00Z"), "not-of-now"),
        (with_proof(created="soon"), "no-time"),
        (with_proof(created=None), "no-created"),
        (with_proof(cryptosuite="eddsa-rdfc-2022"), "unknown-suite"),
        (with_proof(type="Ed25519Signature2020"), "unknown-suite"),
        (with_proof(proofPurpose="authentication"), "another-purpose"),
        (with_proof(proofValue="u" + proved["proof"]["proofValue"][1:]), "value-not-read"),
        (with_proof(proofValue=proved["proof"]["proofValue"] + "0"), "value-not-read"),
        (with_proof(proofValue=proved["proof"]["proofValue"][:-4]), "value-not-read"),
        (with_proof(proofValue="z" + "1" * 2000), "value-not-read"),
        (with_proof(proofValue=""), "no-proofvalue"),
    ):
        with pytest.raises(BadProof) as refused:
            proofs.verify(wrong, by(KEY.public), AT)
        assert refused.value.code == code, wrong


@given(st.binary(max_size=80))
def test_base58_reads_back(data: bytes) -> None:
    assert proofs.unbase58(proofs.base58(data)) == data


def test_names_of_keys_and_digests() -> None:
    assert proofs.key_in(proofs.multikey(KEY.public)) == KEY.public
    assert proofs.multikey(proofs.key_in(FEP_KEY) or b"") == FEP_KEY
    # FEP-1311's example.
    name = "zQmaeDPzhNL32WQZnnzB1H6QJWvvFNEHdViDB71yrxyXU1t"
    assert proofs.digest_multibase(proofs.digest_in(name)) == name
    for wrong in ("", "x", "z", "zQm", "z0"):
        with pytest.raises(BadProof):
            proofs.digest_in(wrong)
    for wrong in ("", "m6Mk", "z" + proofs.base58(proofs.ED25519 + bytes(31))):
        with pytest.raises(BadProof):
            proofs.key_in(wrong)
    assert proofs.key_in("z" + proofs.base58(b"\x85\x24" + bytes(270))) is None
