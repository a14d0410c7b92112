"""Signed notes, checkpoints and cosignatures (C2SP signed-note 1.0, tlog-checkpoint 1.0,
tlog-cosignature 1.1).

    <text, ends with a newline>
    <empty line>
    — <key name> base64(key id (4) ‖ signature)          one line for each signature

Three kinds of signature: Ed25519 over the text (0x01, of a log), and two of a cosigner, each with
the time at which it was made: Ed25519 (0x04) and ML-DSA-44 (0x06). Others are ignored, as the
standard asks, so that a log can change keys and gain witnesses.

What the caller must still do: ignore the text of a note until `verify` has named the keys that
signed it, and decide whether these are enough (`luciole.ledger.policy`).
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

from luciole.keys.signing import Algorithm, SigningKey, verifies
from luciole.ledger.merkle import HASH_BYTES, Refused

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
MAX_NAME_BYTES = 255  # what a cosignature can bind
MAX_NUMBER = 2**63 - 1

# White_Space of Unicode, written out so that every verifier draws the same line, other control
# characters, and the plus.
_NOT_A_NAME = re.compile("[\x00- +\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_NUMBER = re.compile("0|[1-9][0-9]{0,18}")
_LINE = re.compile("— ([^ ]+) ([^ ]+)")


class BadNote(Refused):
    """A note, key or checkpoint that is malformed, or not signed by whom it should be."""


class KeyKind(IntEnum):
    """Signature types and their identifier bytes."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    SUBTREE = 0x06

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm below it."""
        return Algorithm.ML_DSA_44 if self is KeyKind.SUBTREE else Algorithm.ED25519


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and the kind of signature it makes. The text form (vkey) is

    <name>+<key id, 8 hex digits>+base64(kind ‖ public key)
    """

    name: str
    kind: KeyKind
    public: bytes
    # The key id: 4 bytes that tell keys of one name apart, and no more than that.
    id: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if _NOT_A_NAME.search(self.name) or not 0 < len(self.name.encode()) <= MAX_NAME_BYTES:
            raise BadNote("A key name has no space and no plus, and 1 to 255 bytes.")
        if len(self.public) != self.kind.algorithm.public_bytes:
            raise BadNote("The public key has a wrong length.")
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        object.__setattr__(self, "id", sha256(named).digest()[:4])

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key that a vkey names. Raises BadNote, also for kinds that are not used here."""
        name, key_id, encoded = [*text.split("+", 2), "", ""][:3]
        material = from_base64(encoded)
        if not material or material[0] not in set(KeyKind):
            raise BadNote("The verifier key is of no kind that is used here.")
        key = cls(name, KeyKind(material[0]), material[1:])
        if key_id != key.id.hex():
            raise BadNote("The key id does not fit the verifier key.")
        return key


class Signature(NamedTuple):
    """A verified signature: by whom, and for cosignatures when (POSIX seconds, else 0)."""

    key: VerifierKey
    time: int


class Signer:
    """Signs notes under one name with one key."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, kind: KeyKind, seed: bytes) -> None:
        self._key = SigningKey(kind.algorithm, seed)
        self.verifier = VerifierKey(name, kind, self._key.public)

    def line(self, text: str, time: int = 0) -> str:
        """The signature line for a note's text. A cosigner gives the `time` (POSIX seconds, at
        least 1) and signs a checkpoint; it has checked and stored its consistency before."""
        if (time == 0) != (self.verifier.kind is KeyKind.ED25519):
            raise ValueError("cosignatures carry a time, other signatures do not")
        stamp = struct.pack(">Q", time) if time else b""
        signature = self._key.sign(_message(self.verifier, text, time))
        return f"— {self.verifier.name} {to_base64(self.verifier.id + stamp + signature)}\n"

    def sign(self, text: str) -> str:
        """The whole note: `text`, which ends with a newline, with this one signature."""
        return f"{Note(text, ()).text}\n{self.line(text)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart and not verified. `lines` are its signatures as (name, key id,
    signature)."""

    text: str
    lines: tuple[tuple[str, bytes, bytes], ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise BadNote("A note's text ends with a newline and has no other control character.")

    @classmethod
    def parse(cls, note: str | bytes) -> Note:
        """Raises BadNote for everything that is no signed note."""
        try:
            raw = note.encode() if isinstance(note, str) else note
            text, separator, signatures = raw.decode().rpartition("\n\n")
        except UnicodeError:
            raise BadNote("A note is UTF-8.") from None
        if not separator or len(raw) > MAX_NOTE_BYTES:
            raise BadNote("A note has an empty line before its signatures, and is not long.")
        return cls(text + "\n", tuple(parse_lines(signatures)))

    def verify(self, keys: Iterable[VerifierKey]) -> list[Signature]:
        """The signatures by `keys`, in the order of the note; at least one. Signatures by others
        are ignored. Raises BadNote if one by a known key is wrong: somebody changed the note."""
        known = {(key.name, key.id): key for key in keys}
        found = []
        for name, key_id, signature in self.lines:
            if key := known.get((name, key_id)):
                found.append(_verified(key, self.text, signature))
        if not found:
            raise BadNote("No known key signed this note.")
        return found


def parse_lines(signatures: str) -> list[tuple[str, bytes, bytes]]:
    """Signature lines, at least one, as (name, key id, signature). A witness answers with these
    alone."""
    *lines, rest = signatures.split("\n")
    if rest or not 0 < len(lines) <= MAX_SIGNATURES:
        raise BadNote(f"A note has 1 to {MAX_SIGNATURES} lines of signatures.")
    found = []
    for line in lines:
        parts = _LINE.fullmatch(line)
        raw = from_base64(parts[2]) if parts else b""
        if not parts or _NOT_A_NAME.search(parts[1]) or len(raw) <= 4:
            raise BadNote("A line of signatures is malformed.")
        found.append((parts[1], raw[:4], raw[4:]))
    return found


def _verified(key: VerifierKey, text: str, signature: bytes) -> Signature:
    time = 0
    if key.kind is not KeyKind.ED25519:
        # timestamped_signature: the time, then the signature. A time of 0 would say that the tree
        # is not claimed to be the newest; a cosignature on a checkpoint does claim it.
        time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        if not 0 < time <= MAX_NUMBER:
            raise BadNote("A cosignature has a time.")
    if not verifies(key.kind.algorithm, key.public, signature, _message(key, text, time)):
        raise BadNote(f"The signature by {key.name} is wrong.")
    return Signature(key, time)


def _message(key: VerifierKey, text: str, time: int) -> bytes:
    """What a key signs for a note's text; for cosigners, a checkpoint."""
    if key.kind is KeyKind.ED25519:
        return text.encode()
    head = Checkpoint.parse(text)
    if key.kind is KeyKind.COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{head}".encode()
    return subtree_message(key.name, time, head.origin, 0, head.size, head.root)


def subtree_message(
    cosigner: str, time: int, origin: str, start: int, end: int, root: bytes
) -> bytes:
    """What an ML-DSA-44 cosigner signs (`cosigned_message`) for the subtree over [start, end); a
    checkpoint is the one from 0. It binds the cosigner's name, so that one key serves one name."""
    name, log = cosigner.encode(), origin.encode()
    if max(len(name), len(log)) > MAX_NAME_BYTES:
        raise BadNote("A name that is cosigned has at most 255 bytes.")
    if start and time:
        raise BadNote("A subtree that does not start at 0 is cosigned without a time.")
    head = b"subtree/v1\n\0%c%b%b" % (len(name), name, struct.pack(">Q", time))
    return head + b"%c%b%b%b" % (len(log), log, struct.pack(">QQ", start, end), root)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's head: its origin, how many entries, and the root over them. Lines that extend a
    checkpoint are refused: no cosignature of kind 0x06 covers them, and no cell writes any."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint that a note's text is. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise BadNote("A checkpoint has three lines.")
        root = from_base64(lines[2])
        if len(root) != HASH_BYTES:
            raise BadNote("A root has 32 bytes.")
        return cls(lines[0], parse_number(lines[1]), root)


def parse_number(text: str) -> int:
    """A decimal number without leading zeroes, at most 2^63 - 1. Raises BadNote."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_NUMBER:
        raise BadNote("A number is malformed.")
    return int(text)


def to_base64(raw: bytes) -> str:
    """RFC 4648 section 4."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes:
    """The bytes, if `text` is the one way to write them. Raises BadNote: a second spelling of the
    same signature would be a second note."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise BadNote("Base64 is malformed.") from None
    if to_base64(raw) != text:
        raise BadNote("Base64 is malformed.")
    return raw
