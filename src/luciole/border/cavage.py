"""Signatures as servers of the Fediverse made them before RFC 9421: draft-cavage-http-signatures-12
with RSA. Between cells they are not taken. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from urllib.parse import urlsplit

from luciole.border.fields import (
    MAX_COMPONENTS,
    MAX_HEADER_CHARS,
    BadSignature,
    PublicKey,
    check_time,
    from_base64,
    lower,
    quoted,
    to_base64,
)

# What a signature has to cover, so that it holds for this request alone.
NEEDED = ("(request-target)", "host")


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    sign: Callable[[bytes], bytes],
    created: int,
) -> dict[str, str]:
    """`headers` signed by draft-cavage-12 with an RSA key (`rsa-sha256`), for servers that verify
    nothing else."""
    made = lower(headers)
    parts = urlsplit(url)
    made["host"] = parts.netloc.lower()
    made["date"] = format_datetime(datetime.fromtimestamp(created, UTC), usegmt=True)
    covered = ["(request-target)", "host", "date"]
    if body:
        made["digest"] = f"SHA-256={to_base64(sha256(body).digest())}"
        covered.append("digest")
        if "content-type" in made:
            covered.append("content-type")
    message = _base(covered, method, url, made, {})
    made["signature"] = (
        f'keyId={quoted(key_id)},algorithm="rsa-sha256",headers="{" ".join(covered)}",'
        f'signature="{to_base64(sign(message))}"'
    )
    return made


_CAVAGE = re.compile(r'\s*([A-Za-z]+)=(?:"([^"]*)"|([0-9]+))\s*(?:,|$)')


def words_of(text: str) -> dict[str, str]:
    """The parameters of a Signature header, names in lower case. Raises BadSignature."""
    if len(text) > MAX_HEADER_CHARS:
        raise BadSignature("header-too-long")
    found, at = dict[str, str](), 0
    while at < len(text):
        match = _CAVAGE.match(text, at)
        if match is None or match.group(1).lower() in found:
            raise BadSignature("header-not-read")
        found[match.group(1).lower()] = match.group(2) if match.group(2) is not None else match[3]
        at = match.end()
    if not found.get("keyid") or not found.get("signature"):
        raise BadSignature("header-not-read")
    return found


def _base(
    covered: list[str],
    method: str,
    url: str,
    headers: Mapping[str, str],
    words: Mapping[str, str],
) -> bytes:
    lines = []
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    for name in covered:
        if name == "(request-target)":
            lines.append(f"{name}: {method.lower()} {target}")
        elif name in ("(created)", "(expires)"):
            value = words.get(name.strip("()"))
            if value is None:
                raise BadSignature("component-missing")
            lines.append(f"{name}: {value}")
        elif name in headers:
            lines.append(f"{name}: {headers[name].strip()}")
        else:
            raise BadSignature("component-missing")
    return "\n".join(lines).encode()


def verify(
    method: str,
    url: str,
    given: Mapping[str, str],
    body: bytes,
    key: PublicKey,
    now: int,
    skew_s: int,
) -> None:
    words = words_of(given["signature"])
    covered = words.get("headers", "date").lower().split()
    # 1. It covers this request, to this host, and its body.
    if not set(NEEDED) <= set(covered) or len(covered) > MAX_COMPONENTS:
        raise BadSignature("covers-too-little")
    if given.get("host", "").lower() != urlsplit(url).netloc.lower():
        raise BadSignature("another-host")
    if body:
        if "digest" not in covered:
            raise BadSignature("body-not-covered")
        _check_digest(given.get("digest", ""), body)
    # 2. It is of now.
    check_time(_time(covered, given, words), now, skew_s)
    expires = words.get("expires")
    if expires is not None and (not expires.isdigit() or int(expires) < now):
        raise BadSignature("expired")
    # 3. `hs2019` says that the key knows; other names have to be the key's own.
    if key.algorithm != "rsa-v1_5-sha256" or words.get("algorithm", "hs2019").lower() not in (
        "rsa-sha256",
        "hs2019",
    ):
        raise BadSignature("another-algorithm")
    # 4. And the key's holder has made it.
    message = _base(covered, method, url, given, words)
    if not key.verifies(from_base64(words["signature"]), message):
        raise BadSignature("wrong-signature")


def _time(covered: list[str], given: Mapping[str, str], words: Mapping[str, str]) -> int:
    if "(created)" in covered and words.get("created", "").isdigit():
        return int(words["created"])
    if "date" not in covered:
        raise BadSignature("no-time")
    try:
        said = parsedate_to_datetime(given.get("date", ""))
    except ValueError:
        raise BadSignature("no-time") from None
    return int((said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp())


def _check_digest(field: str, body: bytes) -> None:
    """The Digest field of RFC 3230, as far as it is used: SHA-256."""
    found = False
    for one in field.split(","):
        name, _, value = one.strip().partition("=")
        if name.lower() == "sha-256":
            if not hmac.compare_digest(from_base64(value), sha256(body).digest()):
                raise BadSignature("digest-of-other-bytes")
            found = True
    if not found:
        raise BadSignature("digest-unknown")
