"""Signatures over HTTP requests: RFC 9421 with RFC 9530 digests, and for servers that know nothing
newer, draft-cavage-http-signatures-12 with RSA.

Pure: it holds no key and asks no clock. Who signs hands in `sign`, who verifies hands in `key_of`,
which finds a public key by its id. What the caller must still do: refuse what it has seen before
(a signature holds for as long as its window), and ask whether the owner of the key may say what the
body says (`luciole.border.activities`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256, sha512
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from luciole.border import cavage
from luciole.border.fields import (
    Algorithm,
    BadSignature,
    PublicKey,
    Told,
    check_time,
    dictionary,
    lower,
    quoted,
    to_base64,
)

__all__ = ["Algorithm", "BadSignature", "PublicKey", "Scheme", "signed", "verified"]

Scheme = Literal["rfc9421", "cavage"]

# Between cells: clocks that are set by NTP, and a message that is sent when it is signed.
CELL_SKEW_S = 300
# Toward others: what Mastodon and Loops allow a clock to be wrong.
FEDIVERSE_SKEW_S = 3600
LABEL = "sig1"
DEFAULT_PORTS = {"http": 80, "https": 443}
# What a signature has to cover, so that it holds for this request alone.
NEEDED = ("@method", "@target-uri")


class Claim(NamedTuple):
    """What a request says of its own signature, before anything is verified."""

    scheme: Scheme
    key_id: str


KeyOf = Callable[[str], PublicKey | None]
Sign = Callable[[bytes], bytes]


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    sign: Sign,
    created: int,
    algorithm: Algorithm = "ed25519",
    nonce: str = "",
) -> dict[str, str]:
    """`headers` with what RFC 9421 adds to them. The signature covers the method, the whole target
    and, with a body, its SHA-256 and its type. `created` is in seconds since 1970; a `nonce` lets
    the same request be made twice in one second."""
    made = lower(headers)
    covered = list(NEEDED)
    if body:
        made["content-digest"] = content_digest(body)
        covered.append("content-digest")
        if "content-type" in made:
            covered.append("content-type")
    inner = " ".join(f'"{name}"' for name in covered)
    told = f'({inner});created={created};keyid={quoted(key_id)};alg="{algorithm}"'
    if nonce:
        told += f";nonce={quoted(nonce)}"
    base = signature_base(covered, told, method, url, made)
    made["signature-input"] = f"{LABEL}={told}"
    made["signature"] = f"{LABEL}=:{to_base64(sign(base))}:"
    return made


def claim_of(headers: Mapping[str, str]) -> Claim:
    """Which key a request says it was signed with, so that the caller can look for the key. Raises
    BadSignature."""
    given = lower(headers)
    if "signature-input" in given:
        return Claim("rfc9421", _one(given)[1].key_id)
    if "signature" in given:
        return Claim("cavage", cavage.words_of(given["signature"])["keyid"])
    raise BadSignature("not-signed")


def verified(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    key_of: KeyOf,
    now: int,
    *,
    skew_s: int = CELL_SKEW_S,
    schemes: tuple[Scheme, ...] = ("rfc9421",),
) -> str:
    """The id of the key that signed this request. `url` is the address as the sender has to have
    known it: of the receiver's configuration, never of a header. Raises BadSignature."""
    given = lower(headers)
    claim = claim_of(given)
    if claim.scheme not in schemes:
        raise BadSignature("scheme-not-taken")
    key = key_of(claim.key_id)
    if key is None:
        raise BadSignature("unknown-key")
    if claim.scheme == "rfc9421":
        _verify(method, url, given, body, key, now, skew_s)
    else:
        cavage.verify(method, url, given, body, key, now, skew_s)
    return claim.key_id


# --- RFC 9530 ----------------------------------------------------------------------------------


def content_digest(body: bytes) -> str:
    """The field Content-Digest of a body (RFC 9530, section 2)."""
    return f"sha-256=:{to_base64(sha256(body).digest())}:"


def check_content_digest(field: str, body: bytes) -> None:
    """Raises BadSignature unless each digest that we know is the body's, and we know one."""
    known = {"sha-256": sha256, "sha-512": sha512}
    found = False
    for name, value in dictionary(field).items():
        if name in known:
            if not isinstance(value, bytes):
                raise BadSignature("digest-not-read")
            if not hmac.compare_digest(value, known[name](body).digest()):
                raise BadSignature("digest-of-other-bytes")
            found = True
    if not found:
        raise BadSignature("digest-unknown")


# --- RFC 9421 ----------------------------------------------------------------------------------


def signature_base(
    covered: list[str] | tuple[str, ...],
    told: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
) -> bytes:
    """What is signed (RFC 9421, section 2.5). `told` is the value of @signature-params as it stands
    in Signature-Input. Raises BadSignature."""
    lines = [f'"{name}": {_component(name, method, url, headers)}' for name in covered]
    lines.append(f'"@signature-params": {told}')
    return "\n".join(lines).encode()


def _component(name: str, method: str, url: str, headers: Mapping[str, str]) -> str:
    """The value of one component (RFC 9421, sections 2.1 and 2.2). Those that speak of answers and
    of single query parameters are not taken."""
    if not name.startswith("@"):
        if name not in headers:
            raise BadSignature("component-missing")
        return headers[name].strip()
    parts = urlsplit(url)
    path = parts.path or "/"
    if name == "@method":
        return method.upper()
    if name == "@target-uri":
        return url
    if name == "@authority":
        return _authority(url)
    if name == "@scheme":
        return parts.scheme.lower()
    if name == "@path":
        return path
    if name == "@query":
        return f"?{parts.query}"
    if name == "@request-target":
        return f"{path}?{parts.query}" if parts.query else path
    raise BadSignature("component-unknown")


def _authority(url: str) -> str:
    """Host in lower case; the port only where it is not the scheme's own (section 2.2.3)."""
    parts = urlsplit(url)
    host = parts.netloc.lower().rpartition("@")[2]
    default = DEFAULT_PORTS.get(parts.scheme.lower())
    return host.removesuffix(f":{default}")


def _one(given: Mapping[str, str]) -> tuple[str, Told, bytes]:
    """The one signature of a request. Several are refused: nobody needs them yet, and each would
    have to be looked at. Raises BadSignature."""
    inputs = dictionary(given["signature-input"])
    values = dictionary(given.get("signature", ""))
    if len(inputs) != 1 or values.keys() != inputs.keys():
        raise BadSignature("not-one-signature")
    ((label, told),) = inputs.items()
    value = values[label]
    if not isinstance(told, Told) or not isinstance(value, bytes):
        raise BadSignature("signature-not-read")
    return label, told, value


def _verify(
    method: str,
    url: str,
    given: Mapping[str, str],
    body: bytes,
    key: PublicKey,
    now: int,
    skew_s: int,
) -> None:
    _, told, value = _one(given)
    # 1. It covers this request, whole.
    has_target = set(NEEDED) <= set(told.covered)
    in_parts = {"@method", "@authority", "@path"} <= set(told.covered) and (
        "@query" in told.covered or not urlsplit(url).query
    )
    if not has_target and not in_parts:
        raise BadSignature("covers-too-little")
    if body:
        if "content-digest" not in told.covered:
            raise BadSignature("body-not-covered")
        check_content_digest(given.get("content-digest", ""), body)
    # 2. It is of now.
    created = told.parameters.get("created")
    if not isinstance(created, int):
        raise BadSignature("no-time")
    check_time(created, now, skew_s)
    expires = told.parameters.get("expires")
    if expires is not None and (not isinstance(expires, int) or expires < now):
        raise BadSignature("expired")
    # 3. The key is of the algorithm that the signature names, where it names one.
    if told.parameters.get("alg", key.algorithm) != key.algorithm:
        raise BadSignature("another-algorithm")
    # 4. And the key's holder has made it.
    if not key.verifies(value, signature_base(told.covered, told.text, method, url, given)):
        raise BadSignature("wrong-signature")
