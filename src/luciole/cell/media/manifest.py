"""The content credentials that this cell writes: C2PA 2.2, as bytes.

Written here and not by the standard's library, so that no more than these lines stands between what
is said and what is signed, and so that it weighs 2 KB, not 12. That library is the tests' witness.
A manifest names no person, no clip and no time: whoever has a copy learns which cell made it, out
of what kind of film.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from luciole.cell.media.model import Ai, Credentials

# ISO/IEC 19566-5 and C2PA 2.2, 11.1: kinds are four letters and these bytes.
KIND = bytes.fromhex("00110010800000aa00389b71")
USER = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCES: dict[Ai, str] = {
    "made": f"{TERMS}trainedAlgorithmicMedia",
    "partly": f"{TERMS}compositeWithTrainedAlgorithmicMedia",
}
BINDING = "c2pa.hash.bmff.v3"
# The posters and the preview of a film, each by its SHA-256: a parameter of our own.
PICTURES = "org.luciole.pictures"
# What the binding leaves out (18.6.2): this box itself, and what may be written anew beside it.
LEFT_OUT = [
    {"xpath": "/uuid", "data": [{"offset": 8, "value": USER}]},
    {"xpath": "/ftyp"},
    {"xpath": "/mfra"},
]
EDDSA, ALGORITHM, CHAIN, SIGN1 = -8, 1, 33, 18
SIGNATURE_BYTES = 64

Sign = Callable[[bytes], Awaitable[bytes]]


class Told(msgspec.Struct, frozen=True):
    """What is said of a film: what AI had to do with it by the word of its author or of sound
    credentials, what credentials it came with, whether its author has edited it here, and the
    pictures that were made of it, by kind, each with its SHA-256."""

    author_says_ai: bool = False
    file_says_ai: Ai | None = None
    came_with: Credentials | None = None
    is_edited: bool = False
    pictures: tuple[tuple[str, bytes], ...] = ()

    @property
    def source(self) -> str | None:
        """The term of IPTC for where it comes from; None where nobody says."""
        if self.came_with is not None and self.came_with.count and self.file_says_ai:
            return SOURCES[self.file_says_ai]
        return SOURCES["made"] if self.author_says_ai else None


class Maker(msgspec.Struct, frozen=True):
    """Who signs: the program, its version, and the certificate (DER) of the cell."""

    version: str
    certificate: bytes


async def box(
    label: str, instance: str, told: Told, binding: bytes, by: Maker, sign: Sign
) -> bytes:
    """The box with the signed manifest. `label` and `instance` are new for each file; `binding` is
    the hash of the file. The size depends on neither it nor the signature."""
    ingredient = assertion("c2pa.ingredient.v3", _ingredient(told))
    actions = assertion("c2pa.actions.v2", {"actions": _actions(told, reference(ingredient), by)})
    bound = {"exclusions": LEFT_OUT, "alg": "sha256", "hash": binding, "name": "the film"}
    made = [actions, ingredient, assertion(BINDING, bound)]
    claim = cbor(
        {
            "instanceID": instance,
            "claim_generator_info": {"name": "Luciole", "version": by.version},
            "signature": f"self#jumbf=/c2pa/{label}/c2pa.signature",
            "created_assertions": [reference(one) for one in made],
            "alg": "sha256",
        }
    )
    head = cbor({ALGORITHM: EDDSA, CHAIN: by.certificate})
    signature = await sign(to_be_signed(head, claim))
    store = superbox(
        b"c2pa",
        "c2pa",
        superbox(
            b"c2ma",
            label,
            superbox(b"c2as", "c2pa.assertions", *made),
            superbox(b"c2cl", "c2pa.claim.v2", plain(b"cbor", claim)),
            superbox(
                b"c2cs",
                "c2pa.signature",
                plain(b"cbor", tagged(SIGN1, [head, {}, None, signature])),
            ),
        ),
    )
    return plain(b"uuid", USER + bytes(4) + b"manifest\0" + bytes(8) + store)


def to_be_signed(head: bytes, claim: bytes) -> bytes:
    """The Sig_structure of COSE (RFC 9052, 4.4)."""
    return cbor(["Signature1", head, b"", claim])


def _ingredient(told: Told) -> dict[str, Any]:
    said: dict[str, Any] = {"relationship": "parentOf"}
    found = told.came_with
    if found is not None:
        # Not the manifest itself: it names people, devices and places.
        said["description"] = f"Came with content credentials: {found.state} ({found.code})."
    return said


def _actions(told: Told, parent: dict[str, Any], by: Maker) -> list[dict[str, Any]]:
    opened: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredients": [parent]}}
    if told.source is not None:
        opened["digitalSourceType"] = told.source
    agent = {"name": "Luciole", "version": by.version}
    edited = [{"action": "c2pa.edited", "softwareAgent": agent}] if told.is_edited else []
    done: dict[str, Any] = {"action": "c2pa.transcoded", "softwareAgent": agent}
    if told.pictures:
        # In letters, so that who has a picture finds what `sha256sum` says of it.
        done["parameters"] = {PICTURES: {kind: digest.hex() for kind, digest in told.pictures}}
    return [opened, *edited, done]


def assertion(label: str, said: dict[str, Any]) -> bytes:
    """An assertion in CBOR, whose label `reference` reads again."""
    return superbox(b"cbor", label, plain(b"cbor", cbor(said)))


def reference(made: bytes) -> dict[str, Any]:
    """How the claim, or another assertion, points to an assertion: by name and hash."""
    label = made[33:].partition(b"\0")[0].decode()
    digest = hashlib.sha256(made[8:]).digest()
    return {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": digest}


def superbox(kind: bytes, label: str, *inside: bytes) -> bytes:
    """ISO/IEC 19566-5, A.2: a box with its description, which can be asked for by its label."""
    about = plain(b"jumd", kind + KIND + b"\x03" + label.encode() + b"\0")
    return plain(b"jumb", about + b"".join(inside))


def plain(name: bytes, data: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    return struct.pack(">I4s", len(data) + 8, name) + data


def tagged(tag: int, value: Any) -> bytes:
    """A value with a tag (RFC 8949, 3.4)."""
    return _head(6, tag) + cbor(value)


def cbor(value: Any) -> bytes:
    """RFC 8949, definite lengths, with the keys of maps in the order given."""
    match value:
        case None:
            return b"\xf6"
        case int() if value < 0:
            return _head(1, -1 - value)
        case int():
            return _head(0, value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(cbor(one) for one in value)
        case dict():
            pairs = b"".join(cbor(key) + cbor(one) for key, one in value.items())
            return _head(5, len(value)) + pairs
    raise TypeError(type(value))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + number.to_bytes(2)
