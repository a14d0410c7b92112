"""Proofs inside documents: FEP-8b32 with the cryptosuite eddsa-jcs-2022 (W3C Data Integrity EdDSA
Cryptosuites 1.0, section 3.3), and the names of keys that go with them (Multikey, FEP-521a).

Pure: who signs hands in `sign`, who verifies hands in the key. A proof says that the holder of a
key has made the document, whoever brought it. What the caller must still do: ask whether that key
is one of the actor's for whom the document speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256

from luciole.border.documents import Document, jcs

SUITE = "eddsa-jcs-2022"
CONTEXT = "https://w3id.org/security/data-integrity/v1"
ED25519_SIGNATURE_BYTES = 64
# Multicodec of an Ed25519 public key, and of SHA-256 with its length (multihash).
ED25519 = b"\xed\x01"
SHA_256 = b"\x12\x20"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_BASE58_CHARS = 1024
# What others write beside the document's own words: their proof, and the older signature
# (RsaSignature2017) that many add after it. Neither is part of what a proof covers.
BESIDE = ("proof", "signature")


class BadProof(Exception):
    """A document without a proof that holds. `code` says why, in words for a log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Jcs = Callable[[Document], bytes]


def options_of(document: Document, method: str, created: datetime) -> Document:
    """What a proof by the key named `method` says of itself, but for its value."""
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": f"{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    if "@context" in document:
        options["@context"] = document["@context"]
    return options


def to_sign(document: Document, options: Document, written: Jcs = jcs) -> bytes:
    """What a proof signs: SHA-256 of the options ‖ SHA-256 of the document, each in its canonical
    form, which `written` makes."""
    return sha256(written(options)).digest() + sha256(written(document)).digest()


def with_proof(document: Document, options: Document, signature: bytes) -> Document:
    """The document with its proof."""
    return {**document, "proof": {**options, "proofValue": "z" + base58(signature)}}


def proved(
    document: Document, method: str, sign: Callable[[bytes], bytes], created: datetime
) -> Document:
    """The document with a proof by the key named `method`. It must name CONTEXT in its @context."""
    options = options_of(document, method, created)
    return with_proof(document, options, sign(to_sign(document, options)))


def method_of(document: Document) -> str:
    """By which key a document says that it was proved. Raises BadProof."""
    return _text(_proof(document), "verificationMethod")


def verify(
    document: Document,
    verifies: Callable[[bytes, bytes], bool],
    now: datetime | None = None,
    skew_s: int = 300,
    written: Jcs = jcs,
) -> None:
    """Raises BadProof unless the document's proof was made by the key of
    `verifies(signature, message)`. With `now`, a proof of later than that is refused."""
    proof = _proof(document)
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if now is not None:
        _check_time(options, now, skew_s)
    unsecured = {name: value for name, value in document.items() if name not in BESIDE}
    if "@context" in options:
        # The proof names the contexts under which it was made; the document's begin with them.
        made_under, given = _list(options["@context"]), _list(document.get("@context", []))
        if given[: len(made_under)] != made_under:
            raise BadProof("another-context")
        unsecured["@context"] = options["@context"]
    value = _text(proof, "proofValue")
    if not value.startswith("z"):
        raise BadProof("value-not-read")
    signature = unbase58(value[1:])
    if len(signature) != ED25519_SIGNATURE_BYTES:
        raise BadProof("value-not-read")
    if not verifies(signature, to_sign(unsecured, options, written)):
        raise BadProof("wrong-proof")


def _proof(document: Document) -> Document:
    proof = document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        proof = proof[0]
    if not isinstance(proof, dict):
        raise BadProof("not-one-proof")
    if proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != SUITE:
        raise BadProof("unknown-suite")
    if proof.get("proofPurpose") != "assertionMethod":
        raise BadProof("another-purpose")
    return proof


def _check_time(options: Document, now: datetime, skew_s: int) -> None:
    try:
        created = datetime.fromisoformat(_text(options, "created")[:19] + "+00:00")
    except ValueError:
        raise BadProof("no-time") from None
    if (created - now).total_seconds() > skew_s:
        raise BadProof("not-of-now")


def _text(words: Document, name: str) -> str:
    value = words.get(name)
    if not isinstance(value, str) or not value:
        raise BadProof(f"no-{name.lower()}")
    return value


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


# --- names of keys and digests ------------------------------------------------------------------


def multikey(public: bytes) -> str:
    """An Ed25519 public key as Multikey names it: z6Mk…"""
    return "z" + base58(ED25519 + public)


def key_in(name: str) -> bytes | None:
    """The Ed25519 public key in a Multikey or did:key; None for other kinds of keys. Raises
    BadProof for what is none."""
    text = name.removeprefix("did:key:")
    if not text.startswith("z"):
        raise BadProof("key-not-read")
    raw = unbase58(text[1:])
    if not raw.startswith(ED25519):
        return None
    if len(raw) != len(ED25519) + 32:
        raise BadProof("key-not-read")
    return raw[len(ED25519) :]


def digest_multibase(digest: bytes) -> str:
    """A SHA-256 as FEP-1311 names it: zQm…"""
    return "z" + base58(SHA_256 + digest)


def digest_in(name: str) -> bytes:
    """The SHA-256 in a digestMultibase. Raises BadProof."""
    raw = unbase58(name[1:]) if name.startswith("z") else b""
    if not raw.startswith(SHA_256) or len(raw) != len(SHA_256) + 32:
        raise BadProof("digest-not-read")
    return raw[len(SHA_256) :]


def base58(data: bytes) -> str:
    """Base58 with Bitcoin's alphabet; each leading zero byte is a `1`."""
    number, text = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def unbase58(text: str) -> bytes:
    """Raises BadProof."""
    if len(text) > MAX_BASE58_CHARS:
        raise BadProof("value-not-read")
    number = 0
    for sign in text:
        digit = ALPHABET.find(sign)
        if digit < 0:
            raise BadProof("value-not-read")
        number = number * 58 + digit
    zeroes = len(text) - len(text.lstrip("1"))
    return bytes(zeroes) + number.to_bytes((number.bit_length() + 7) // 8)
