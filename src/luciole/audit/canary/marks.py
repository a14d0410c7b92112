"""Marks: values that stand nowhere else in the world, and every form in which one may turn up.

A mark is drawn from the seed of a run by HMAC, so that the list can be committed to before and
shown afterwards. What a cell makes itself (session tokens, ids) is learnt while the run goes on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

# Of these many characters (70 bits) no two marks share any, and nothing else in a cell looks so.
TOKEN_CHARS = 14
# As many bytes of a hash are looked for, so that one which was cut short is found as well.
HASH_BYTES = 8
# Forms in which a person's own data may be handed to that person.
AS_WRITTEN = frozenset({"plain", "json", "html"})
HASHES = (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_256",
    "blake2b",
    "blake2s",
)
SALTED = ("md5", "sha1", "sha256")
NAMESPACES = (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)


class Mark(msgspec.Struct, frozen=True):
    """One value of one field of one person. `token` is the part that is unmistakable."""

    field: str
    person: str
    value: str
    token: str
    # Bytes that the value stands for, such as those of a UUID or of a credential.
    raw: bytes = b""


class Form(NamedTuple):
    """A pattern to look for. `is_folded`: in any mixture of capitals and small letters."""

    name: str
    pattern: bytes
    is_folded: bool


def token(seed: bytes, person: str, field: str) -> str:
    """TOKEN_CHARS small letters and digits (2 to 7), a letter first."""
    drawn = hmac.digest(seed, f"{person}/{field}".encode(), "sha256")
    return "q" + base64.b32encode(drawn).decode().lower()[: TOKEN_CHARS - 1]


def digits(seed: bytes, person: str, field: str, count: int) -> str:
    """So many digits, no zero first."""
    drawn = int.from_bytes(hmac.digest(seed, f"{person}/{field}".encode(), "sha256"))
    return str(10 ** (count - 1) + drawn % (9 * 10 ** (count - 1)))


def commitment(marks: Iterable[Mark]) -> str:
    """SHA-256 over all marks in order, in hex: said before the run, shown to be so after it."""
    lines = sorted(f"{mark.person}\t{mark.field}\t{mark.value}\n" for mark in marks)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def forms(mark: Mark, salts: Sequence[bytes]) -> Iterator[Form]:
    """Every form of a mark that is looked for; without duplicates."""
    seen = set[tuple[bytes, bool]]()
    for form in (*_written(mark), *_hashed(mark, salts)):
        pattern = form.pattern.lower() if form.is_folded else form.pattern
        if (pattern, form.is_folded) not in seen:
            seen.add((pattern, form.is_folded))
            yield Form(form.name, pattern, form.is_folded)


# Written out


def _written(mark: Mark) -> Iterator[Form]:
    for text in dict.fromkeys((mark.token, *_spellings(mark))):
        yield from _of_text(text)
    if mark.raw:
        yield Form("raw", mark.raw, False)
        yield Form("hex", mark.raw.hex().encode(), True)
        yield from _base64(mark.raw)


def _spellings(mark: Mark) -> Iterator[str]:
    """Other ways to write the whole value down that do not hold the token as it is."""
    if ":" in mark.token and len(mark.raw) == 16:
        # A network address: in full, and cut to the half that names the line.
        whole = ":".join(mark.raw.hex()[i : i + 4] for i in range(0, 32, 4))
        yield from (whole, whole[:19], mark.token.rsplit(":", 4)[0])
    elif len(mark.raw) == 16:
        yield mark.raw.hex()
    if mark.token.isdigit():
        # A telephone number in groups.
        for size in (2, 3):
            for gap in " .-":
                yield gap.join(mark.token[i : i + size] for i in range(0, len(mark.token), size))


def _of_text(text: str) -> Iterator[Form]:
    data = text.encode()
    yield Form("plain", data, True)
    yield Form("utf-16", text.encode("utf-16-le"), True)
    yield Form("utf-16", text.encode("utf-16-be"), True)
    yield Form("utf-32", text.encode("utf-32-le"), True)
    yield Form("hex", data.hex().encode(), True)
    yield Form("hex", data.hex(":").encode(), True)
    yield Form("hex", data.hex(" ").encode(), True)
    yield Form("octal", "".join(f"\\{byte:03o}" for byte in data).encode(), True)
    yield Form("numbers", ", ".join(str(byte) for byte in data).encode(), True)
    yield Form("numbers", ",".join(str(byte) for byte in data).encode(), True)
    yield Form("url", urllib.parse.quote(text, safe="").encode(), True)
    yield Form("url", "".join(f"%{byte:02x}" for byte in data).encode(), True)
    yield Form("json", json.dumps(text)[1:-1].encode(), True)
    yield Form("json", "".join(f"\\u{ord(one):04x}" for one in text).encode(), True)
    yield Form("html", html.escape(text).encode(), True)
    yield Form("html", "".join(f"&#{ord(one)};" for one in text).encode(), True)
    yield Form("html", "".join(f"&#x{ord(one):x};" for one in text).encode(), True)
    yield Form("quoted-printable", "".join(f"={byte:02x}" for byte in data).encode(), True)
    yield Form("reversed", text[::-1].encode(), True)
    yield Form("rot13", text.translate(_ROT13).encode(), True)
    yield from _base64(data)
    for shift in range(4):
        for name, encode in (("base85", base64.b85encode), ("ascii85", base64.a85encode)):
            # What lies in whole groups of 4 bytes does not depend on what stands before and after.
            whole = data[shift : shift + (len(data) - shift) // 4 * 4]
            yield from _if_long(name, encode(whole), False)


def _base64(data: bytes) -> Iterator[Form]:
    """base64 and base32 of data inside a longer text, at each alignment; the characters that
    depend on the neighbours are left out."""
    for shift in range(3):
        inner = base64.b64encode(data[shift : shift + (len(data) - shift) // 3 * 3])
        yield from _if_long("base64", inner, False)
        yield from _if_long("base64", inner.translate(_URL_SAFE), False)
    for shift in range(5):
        whole = data[shift : shift + (len(data) - shift) // 5 * 5]
        yield from _if_long("base32", base64.b32encode(whole), True)


def _if_long(name: str, pattern: bytes, is_folded: bool) -> Iterator[Form]:
    if len(pattern) >= 10:
        yield Form(name, pattern, is_folded)


_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM",
)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


# Hashed


def _hashed(mark: Mark, salts: Sequence[bytes]) -> Iterator[Form]:
    for data in dict.fromkeys(_hash_inputs(mark)):
        for name in HASHES:
            yield from _of_digest(name, hashlib.new(name, data, usedforsecurity=False).digest())
        yield from _of_digest("sha256 twice", _sha256(_sha256(data)))
        yield from _of_digest("sha256 twice", _sha256(_sha256(data).hex().encode()))
        for salt in salts:
            for name in SALTED:
                for salted in (salt + data, data + salt, salt + b":" + data, data + b":" + salt):
                    digest = hashlib.new(name, salted, usedforsecurity=False).digest()
                    yield from _of_digest(f"salted {name}", digest)
                yield from _of_digest(f"hmac {name}", hmac.digest(salt, data, name))
        for space in NAMESPACES:
            salted = space.bytes + data
            for name in ("md5", "sha1"):
                digest = hashlib.new(name, salted, usedforsecurity=False).digest()
                yield from _of_digest(f"uuid {name}", digest)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _hash_inputs(mark: Mark) -> Iterator[bytes]:
    """What a programmer would hash: the value as typed, in small letters, trimmed, its parts."""
    value = mark.value
    for text in (value, value.lower(), value.upper(), value.strip(), mark.token):
        yield text.encode()
    if value.startswith("+"):
        yield value[1:].encode()
        yield b"00" + value[1:].encode()
    if mark.field.endswith("handle"):
        yield b"@" + value.encode()
    if mark.raw:
        yield mark.raw
        yield mark.raw.hex().encode()


def _of_digest(name: str, digest: bytes) -> Iterator[Form]:
    head = digest[:HASH_BYTES]
    hexed = digest.hex()
    yield Form(name, head, False)
    yield Form(name, hexed[: 2 * HASH_BYTES].encode(), True)
    # As the text of a UUID; its version bits come later.
    yield Form(name, f"{hexed[:8]}-{hexed[8:12]}".encode(), True)
    encoded = base64.b64encode(digest[:12])
    yield Form(name, encoded, False)
    yield Form(name, encoded.translate(_URL_SAFE), False)
    yield Form(name, base64.b32encode(digest[:10]), True)
    for order in ("big", "little"):
        for is_signed in (False, True):
            number = str(int.from_bytes(head, order, signed=is_signed)).lstrip("-")
            if len(number) >= 15:
                yield Form(name, number.encode(), True)
