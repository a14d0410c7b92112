"""A tiny writer of ledgers: enough of the formats to make good and bad vectors, and no more.

Written from the specifications and shares no code with the running log or with the verifier. Trees
follow the recursive definitions of RFC 6962, one line each, where both others go row by row.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

KINDS = ["", "enrol", "grant", "read", "export", "import", "erase", "decision", "crossing", "key"]
CLASSES = ["", "self", "automated", "staff", "legal", "export"]
KNOWN_SIGNATURES = Path(__file__).with_name("ml-dsa-44.json")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def seconds(text: str) -> int:
    """Unix seconds of `2026-11-23 09:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# Trees: RFC 6962, section 2.1


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry)


def half(count: int) -> int:
    """The largest power of two below a count."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def mth(entries: list[bytes]) -> bytes:
    if len(entries) < 2:
        return leaf_hash(entries[0]) if entries else sha256(b"")
    k = half(len(entries))
    return sha256(b"\1" + mth(entries[:k]) + mth(entries[k:]))


def audit_path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = half(len(entries))
    if m < k:
        return [*audit_path(m, entries[:k]), mth(entries[k:])]
    return [*audit_path(m - k, entries[k:]), mth(entries[:k])]


# Signatures


@dataclass(frozen=True)
class Signer:
    """A key with a name. Kinds: 1 log, 4 witness by Ed25519, 6 witness by ML-DSA-44."""

    name: str
    kind: int
    seed: bytes

    @classmethod
    def named(cls, name: str, kind: int, seed: str = "") -> Signer:
        return cls(name, kind, sha256(f"{seed or name} {kind}".encode()))

    def _private(self) -> Any:
        if self.kind == 6:
            return MLDSA44PrivateKey.from_seed_bytes(self.seed)
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def public(self) -> bytes:
        return bytes([self.kind]) + self._private().public_key().public_bytes_raw()

    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + self.public())[:4]

    def vkey(self) -> str:
        return f"{self.name}+{self.key_id().hex()}+{b64(self.public())}"

    def line(self, signature: bytes) -> str:
        return f"— {self.name} {b64(self.key_id() + signature)}\n"

    def sign(self, message: bytes) -> bytes:
        """Ed25519 is deterministic. ML-DSA draws randomness, so its signatures are kept."""
        private = self._private()
        if self.kind != 6:
            signed: bytes = private.sign(message)
            return signed
        known = json.loads(KNOWN_SIGNATURES.read_text()) if KNOWN_SIGNATURES.exists() else {}
        place = sha256(self.public() + message).hex()
        if place not in known:
            known[place] = b64(private.sign(message))
            KNOWN_SIGNATURES.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")
        return base64.b64decode(known[place])

    def signed(self, body: str) -> str:
        """A log's signature line."""
        return self.line(self.sign(body.encode()))

    def cosigned(self, body: str, at: int) -> str:
        """A witness's signature line."""
        if self.kind == 4:
            signature = self.sign(f"cosignature/v1\ntime {at}\n{body}".encode())
        else:
            origin, size, root, _ = body.split("\n")
            signature = self.sign(
                b"subtree/v1\n\0"
                + bytes([len(self.name)])
                + self.name.encode()
                + at.to_bytes(8, "big")
                + bytes([len(origin)])
                + origin.encode()
                + bytes(8)
                + int(size).to_bytes(8, "big")
                + base64.b64decode(root)
            )
        return self.line(at.to_bytes(8, "big") + signature)


# Entries


@dataclass
class Someone:
    """A person, by name: their label key and what the log got about them."""

    name: str
    entries: list[tuple[bytes, bytes, dict[str, Any]]] = field(default_factory=list)

    @property
    def label_key(self) -> bytes:
        return sha256(f"label key of {self.name}".encode())

    def label(self, n: int) -> bytes:
        if n == 0:
            return sha256(b"luciole/label-key/v1" + self.label_key)
        message = b"luciole/access/v1" + n.to_bytes(8, "big")
        return hmac.new(self.label_key, message, "sha256").digest()

    def entry(self, kind: str, cls: str, at: int, **said: Any) -> bytes:
        """Their next entry."""
        n = len(self.entries)
        nonce = sha256(f"nonce {n} of {self.name}".encode())
        opening = {"v": 1, "n": n, "at": iso(at), "kind": kind, "class": cls, **said}
        commit = sha256(b"luciole/open/v1" + nonce + canonical(opening))
        head = bytes([1, KINDS.index(kind), CLASSES.index(cls)]) + (at // 60).to_bytes(4, "big")
        leaf = head + self.label(n) + commit
        self.entries.append((leaf, nonce, opening))
        return leaf


def seal(entries: list[bytes], first: int, end: int, at: int, scope: int = 1) -> bytes:
    """A seal over the range [first, end)."""
    labels = sorted(labels_in(entries, first, end))
    head = bytes([1, 0x80, scope]) + (at // 60).to_bytes(4, "big")
    numbers = b"".join(number.to_bytes(8, "big") for number in (first, end, len(labels)))
    return head + numbers + mth(labels)


def text_of_handover(log: str, to: Signer, at: int) -> bytes:
    """The entry that hands a log over."""
    if log != "access":
        return canonical({"v": 1, "at": iso(at), "kind": "handover", "key": to.vkey()})
    return bytes([1, 0x81, 1]) + (at // 60).to_bytes(4, "big") + to.public()[1:]


def labels_in(entries: list[bytes], first: int, end: int) -> list[bytes]:
    return [entry[7:39] for entry in entries[first:end] if entry[1] < 0x80]


def absence(entries: list[bytes], at: int, wanted: Iterable[bytes], size: int) -> dict[str, Any]:
    """That labels are not in the seal at an index; proved against the tree of a size. A label that
    is there after all shows up among the leaves."""
    first, end = (int.from_bytes(entries[at][i : i + 8], "big") for i in (7, 15))
    labels = sorted(labels_in(entries, first, end))
    shown = set()
    for label in wanted:
        below = sum(known < label for known in labels)
        shown |= {place for place in (below - 1, below) if 0 <= place < len(labels)}
    nodes: list[str] = []

    def walk(low: int, high: int) -> None:
        if not any(low <= place < high for place in shown):
            nodes.append(b64(mth(labels[low:high])))
        elif high - low > 1:
            middle = low + half(high - low)
            walk(low, middle)
            walk(middle, high)

    if labels:
        walk(0, len(labels))
    return {
        "seal_index": at,
        "seal": b64(entries[at]),
        "leaves": [[place, b64(labels[place])] for place in sorted(shown)],
        "nodes": nodes,
        "path": [b64(node) for node in audit_path(at, entries[:size])],
    }


# Files


def tile_path(level: str, index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def tile_files(entries: list[bytes]) -> dict[str, bytes]:
    """Entry bundles and hash tiles of a log (tlog-tiles)."""
    files = {}
    for start in range(0, len(entries), 256):
        part = entries[start : start + 256]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        files[tile_path("entries", start // 256, len(part))] = bundle
    level, each = 0, 1
    while len(entries) >= each:
        whole = [mth(entries[i * each : (i + 1) * each]) for i in range(len(entries) // each)]
        for start in range(0, len(whole), 256):
            part = whole[start : start + 256]
            files[tile_path(str(level), start // 256, len(part))] = b"".join(part)
        level, each = level + 1, each * 256
    return files
