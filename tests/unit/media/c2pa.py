"""Content credentials as a camera or a generator would write them, without a signature that counts
(`signed` has those that do).

Written after C2PA 2.1 and ISO/IEC 19566-5, for tests: our reader is not its own witness, since the
same reader is put before boxes that the library of C2PA has written (`credentials/`).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
REST_OF_KIND = bytes.fromhex("00110010800000aa00389b71")
TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED = f"{TERMS}trainedAlgorithmicMedia"
COMPOSITE = f"{TERMS}compositeWithTrainedAlgorithmicMedia"
CAPTURED = f"{TERMS}digitalCapture"


def cbor(value: Any) -> bytes:
    """RFC 8949, definite lengths."""
    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
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
    raise TypeError(value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 26]) + number.to_bytes(4)


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data


def superbox(kind: bytes, label: str, *inside: bytes) -> bytes:
    about = kind + REST_OF_KIND + b"\x03" + label.encode() + b"\0"
    return box(b"jumb", box(b"jumd", about) + b"".join(inside))


def actions(*sources: str) -> bytes:
    """The assertion in which generators say where a film comes from."""
    said = [{"action": "c2pa.created", "digitalSourceType": source} for source in sources]
    return superbox(b"cbor", "c2pa.actions", box(b"cbor", cbor({"actions": said})))


def metadata(source: str) -> bytes:
    """The same said in JSON-LD with the words of IPTC."""
    said = {"@context": {}, "Iptc4xmpExt:DigitalSourceType": source}
    return superbox(b"json", "c2pa.metadata", box(b"json", json.dumps(said).encode()))


def manifest(
    *assertions: bytes, name: str = "urn:uuid:1", forged: bool = False, field: str = "assertions"
) -> bytes:
    """A manifest whose claim lists its assertions; `forged`: with hashes of something else."""
    listed = []
    for one in assertions:
        label = one[33:].partition(b"\0")[0].decode()
        digest = hashlib.sha256(b"other" if forged else one[8:]).digest()
        listed.append({"url": f"self#jumbf=c2pa.assertions/{label}", "hash": digest})
    claim = cbor({"alg": "sha256", "claim_generator": "test", field: listed})
    return superbox(
        b"c2ma",
        name,
        superbox(b"c2as", "c2pa.assertions", *assertions),
        superbox(b"c2cl", "c2pa.claim", box(b"cbor", claim)),
        superbox(b"c2cs", "c2pa.signature", box(b"cbor", cbor([b"", {}, b""]))),
    )


def store(*manifests: bytes) -> bytes:
    return superbox(b"c2pa", "c2pa", *manifests)


def in_film(film: bytes, stored: bytes, purpose: bytes = b"manifest") -> bytes:
    """The film with the box behind all others, so that no offset in it changes."""
    return film + box(b"uuid", UUID + bytes(4) + purpose + b"\0" + bytes(8) + stored)


def written(path: Path, film: bytes, manifests: Sequence[bytes]) -> Path:
    path.write_bytes(in_film(film, store(*manifests)))
    return path
