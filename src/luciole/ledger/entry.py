"""What the entries of a cell's logs are made of.

In the log `access`, about persons, opaque to all but the person:

    person entry, 71 bytes   01 ‖ kind ‖ class ‖ minute (4) ‖ label (32) ‖ commitment (32)
    seal entry, 63 bytes     01 ‖ 80 ‖ scope ‖ minute (4) ‖ first (8) ‖ end (8) ‖ count (8) ‖
                             root (32)
    handover, 39 bytes       01 ‖ 81 ‖ kind of key ‖ minute (4) ‖ public key (32)

Numbers are big-endian; a minute is POSIX time divided by 60. In the logs `decisions` and `border`,
readable by all and without personal data: canonical JSON.

What the caller must still do: keep K_u and the openings sealed under the person's key. Whoever has
neither learns from a person entry its kind, class and minute only, and cannot link two of them.
"""

from __future__ import annotations

import hmac
import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Any

from luciole.ledger.merkle import Refused

VERSION = 1
SEAL = 0x80
HANDOVER = 0x81
ED25519_KEY = 0x01
NONCE_BYTES = 32
LABEL_KEY_BYTES = 32
# JSON numbers beyond this are rounded by some readers (RFC 8259 section 6).
MAX_NUMBER = 2**53 - 1

_PERSON = struct.Struct(">BBBI32s32s")
_SEAL = struct.Struct(">BBBIQQQ32s")
_HANDOVER = struct.Struct(">BBBI32s")


class BadEntry(Refused):
    """Bytes that are no entry of the log, or an opening that does not fit one."""


class Kind(IntEnum):
    """What a person entry is about."""

    ENROL = 1
    GRANT = 2
    READ = 3
    EXPORT = 4
    IMPORT = 5
    ERASE = 6
    DECISION = 7
    CROSSING = 8
    KEY = 9


class Class(IntEnum):
    """Who acted."""

    SELF = 1
    AUTOMATED = 2
    STAFF = 3
    LEGAL = 4
    EXPORT = 5


class Scope(IntEnum):
    """How long a seal reaches back. For readers only: the cover rule does not look at it."""

    DAY = 1
    MONTH = 2


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One entry about one person."""

    kind: Kind
    cls: Class
    minute: int
    label: bytes
    commit: bytes

    def encode(self) -> bytes:
        """Its 71 bytes."""
        return _PERSON.pack(VERSION, self.kind, self.cls, self.minute, self.label, self.commit)


@dataclass(frozen=True, slots=True)
class SealEntry:
    """The sorted index over the labels of all person entries with first <= index < end."""

    scope: Scope
    minute: int
    first: int
    end: int
    count: int
    root: bytes

    def encode(self) -> bytes:
        """Its 63 bytes."""
        numbers = (self.scope, self.minute, self.first, self.end, self.count)
        return _SEAL.pack(VERSION, SEAL, *numbers, self.root)


@dataclass(frozen=True, slots=True)
class HandoverEntry:
    """The last entry that an operator signs: the key of the next one (`ledger.handover`)."""

    minute: int
    key: bytes

    def encode(self) -> bytes:
        """Its 39 bytes."""
        return _HANDOVER.pack(VERSION, HANDOVER, ED25519_KEY, self.minute, self.key)


Entry = PersonEntry | SealEntry | HandoverEntry


def decode(entry: bytes) -> Entry:
    """The entry of the log `access` that the bytes are. Raises BadEntry."""
    made: Entry
    try:
        if entry[1:2] == bytes([SEAL]):
            version, _, scope, minute, first, end, count, root = _SEAL.unpack(entry)
            made = SealEntry(Scope(scope), minute, first, end, count, root)
        elif entry[1:2] == bytes([HANDOVER]):
            version, _, kind, minute, key = _HANDOVER.unpack(entry)
            if kind != ED25519_KEY:
                raise ValueError
            made = HandoverEntry(minute, key)
        else:
            version, kind, cls, minute, label, commit = _PERSON.unpack(entry)
            made = PersonEntry(Kind(kind), Class(cls), minute, label, commit)
    except (struct.error, ValueError):
        raise BadEntry("These bytes are no entry of the log.") from None
    if version != VERSION:
        raise BadEntry("The entry is of another version.")
    return made


def label_of(label_key: bytes, n: int) -> bytes:
    """The label of a person's entry number `n`: for n = 0, the enrolment, the commitment of the
    label key itself; else unlinkable for all who do not hold the key."""
    if len(label_key) != LABEL_KEY_BYTES or not 0 <= n < 2**64:
        raise ValueError("a label key has 32 bytes, and entries are numbered from 0")
    if n == 0:
        return sha256(b"luciole/label-key/v1" + label_key).digest()
    return hmac.digest(label_key, b"luciole/access/v1" + struct.pack(">Q", n), "sha256")


def commitment(nonce: bytes, opening: bytes) -> bytes:
    """What stands in the log for an opening. The nonce is drawn anew for each entry and erased
    with the opening; without it the commitment is 32 bytes that say nothing."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 32 bytes")
    return sha256(b"luciole/open/v1" + nonce + opening).digest()


def canonical(value: Any) -> bytes:
    """The one way to write a value as JSON here: UTF-8, keys sorted, no blanks, only what JSON
    escapes must escape; whole numbers below 2^53; keys of printable ASCII. Raises BadEntry."""
    _check(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise BadEntry("Text with half a character is no JSON.") from None


def parse_canonical(raw: bytes) -> dict[str, Any]:
    """The object that `raw` is, if it is written as `canonical` writes it. Raises BadEntry."""
    try:
        value = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise BadEntry("This is no JSON.") from None
    if not isinstance(value, dict) or canonical(value) != raw:
        raise BadEntry("This is no object of canonical JSON.")
    return value


def _check(value: Any) -> None:
    match value:
        case None | bool() | str():
            pass
        case int() if abs(value) <= MAX_NUMBER:
            pass
        case list() | tuple():
            for each in value:
                _check(each)
        case dict():
            for key, each in value.items():
                if not isinstance(key, str) or not key.isascii() or not key.isprintable():
                    raise BadEntry("A key of canonical JSON is printable ASCII.")
                _check(each)
        case _:
            raise BadEntry("Canonical JSON has no such value.")
