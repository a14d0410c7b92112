"""Handing a log over to another operator: the last entry that the old key signs names the new one.

    access               01 ‖ 81 ‖ 01 ‖ minute (4) ‖ public key (32)      Ed25519, of the same name
    decisions, border    {"at": …, "key": "<vkey>", "kind": "handover", "v": 1}

The head that ends with it is the largest that the old key may sign. It is kept beside the log, in
`handover`, with both keys, so that a reader who knows the first key only comes to the last:

    [{"from": "<vkey>", "to": "<vkey>", "head": "<signed note>"}, …]

Only the sequencer writes such an entry, when its operator tells it; one that comes by the inbox is
dropped, because whoever could put it there would take the log over.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from luciole.ledger.entry import (
    HANDOVER,
    BadEntry,
    HandoverEntry,
    canonical,
    decode,
    parse_canonical,
)
from luciole.ledger.merkle import Refused
from luciole.ledger.note import BadNote, Checkpoint, KeyKind, Note, VerifierKey
from luciole.ledger.policy import Party, Policy

NAME = "handover"
_MARK = b'"kind":"handover"'


class Handover(NamedTuple):
    """One change of keys: from whom, to whom, and the last head of the old one, signed."""

    old: VerifierKey
    new: VerifierKey
    head: str

    @property
    def size(self) -> int:
        """How many entries the old key may have signed at most."""
        return Checkpoint.parse(Note.parse(self.head).text).size


def entry_of(key: VerifierKey, at: datetime) -> bytes:
    """The entry that hands the log over whose name the key has."""
    if key.name.endswith("/access"):
        return HandoverEntry(int(at.timestamp()) // 60, key.public).encode()
    said = {"v": 1, "kind": NAME, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "key": str(key)}
    return canonical(said)


def named_by(origin: str, entry: bytes) -> VerifierKey | None:
    """The key that an entry hands a log over to; None for another entry. Raises Refused for one
    that is no handover of this log although it says so."""
    if origin.endswith("/access"):
        # Most entries are about persons, and are not taken apart for this.
        made = decode(entry) if entry[1:2] == bytes([HANDOVER]) else None
        if isinstance(made, HandoverEntry):
            return VerifierKey(origin, KeyKind.ED25519, made.key)
        return None
    if _MARK not in entry:
        return None
    said = parse_canonical(entry)
    if said.get("kind") != NAME:
        return None
    key = VerifierKey.parse(str(said.get("key")))
    if (key.name, key.kind) != (origin, KeyKind.ED25519):
        raise BadEntry("A log is handed over to a key of its own name.")
    return key


def is_one(origin: str, entry: bytes) -> bool:
    """Whether an entry hands a log over, rightly or not."""
    try:
        return named_by(origin, entry) is not None
    except Refused:
        return True


def listed(handovers: Iterable[Handover]) -> bytes:
    """The file `handover`."""
    shape = [{"from": str(one.old), "to": str(one.new), "head": one.head} for one in handovers]
    return json.dumps(shape, indent=1, ensure_ascii=False).encode() + b"\n"


def parse(raw: bytes) -> list[Handover]:
    """The changes of keys of a log, each signed by the key before. Whether its last entry names the
    next key is for those to say who read it. Raises BadNote."""
    try:
        shape = json.loads(raw)
        if not isinstance(shape, list):
            raise TypeError
        found = [
            Handover(VerifierKey.parse(one["from"]), VerifierKey.parse(one["to"]), one["head"])
            for one in shape
        ]
        for one in found:
            Note.parse(one.head).verify([one.old])
            one.size  # noqa: B018 - raises where it is no head
    except (LookupError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise BadNote("The list of handovers is malformed.") from error
    if any(one.new != then.old for one, then in itertools.pairwise(found)):
        raise BadNote("The handovers do not follow each other.")
    return found


def known_by(
    policy: Policy, handovers: Iterable[Handover]
) -> tuple[Policy, dict[VerifierKey, int]]:
    """A policy with the keys that came before and after one that it names, and up to which size
    those of before may have signed: for `Policy.check`."""
    logs, ends = list(policy.logs), dict[VerifierKey, int]()
    for one in handovers:
        known = {party.key for party in logs}
        if known & {one.old, one.new}:
            logs += [Party(key, None) for key in (one.old, one.new) if key not in known]
            ends[one.old] = one.size
    return Policy(logs, policy.witnesses, policy.groups, policy.quorum), ends
