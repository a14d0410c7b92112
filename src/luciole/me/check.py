"""Whether what a cell shows a person is what its log holds, and whether the log holds no more.

Everything is computed here from the answers; a cell that lies can only make it fail, as long as the
policy (whom to trust) is not the cell's own word.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from luciole.ledger import entry
from luciole.ledger.entry import PersonEntry, SealEntry
from luciole.ledger.merkle import Refused, leaf_hash, verify_inclusion
from luciole.ledger.note import VerifierKey
from luciole.ledger.policy import Policy
from luciole.ledger.seal import Absence

WINDOW = 64
_NO_END: Mapping[VerifierKey, int] = {}


class Wrong(Exception):
    """The cell showed something that is not so; the text says what."""


@dataclass
class Found:
    """What a check has established."""

    entries: int = 0
    cosigned: set[str] = field(default_factory=set)
    sealed_until: datetime | None = None
    """Up to then no entry is missing; None where the log has no seal yet."""


def journal(
    pages: Sequence[Any],
    opened: Mapping[int, Any],
    label_key: bytes,
    policy: Policy,
    ends: Mapping[VerifierKey, int] = _NO_END,
) -> Found:
    """Checks the pages of a journal proof, in their order, and the openings by their number.
    `ends`: up to where keys of former operators may have signed. Raises Wrong."""
    found = Found()
    try:
        for page in pages:
            trusted = policy.check(page["checkpoint"], ends)
            found.cosigned |= set(trusted.cosigned)
            head = trusted.checkpoint
            for each in page["entries"]:
                _entry(each, found.entries, head.size, head.root, label_key, opened)
                found.entries += 1
            if page is pages[-1]:
                _absence(page["absence"], found, head.size, head.root, label_key)
    except (Refused, KeyError, TypeError, ValueError) as error:
        raise Wrong(f"The proof does not hold ({type(error).__name__}: {error}).") from error
    return found


def _entry(
    each: Any,
    n: int,
    size: int,
    root: bytes,
    label_key: bytes,
    opened: Mapping[int, Any],
) -> None:
    if each["n"] != n:
        raise Wrong(f"Entry {n} is missing: the cell shows entry {each['n']} in its place.")
    raw = _bytes(each["leaf"])
    path = [_bytes(hash_) for hash_ in each["path"]]
    verify_inclusion(each["index"], size, leaf_hash(raw), path, root)
    leaf = entry.decode(raw)
    if not isinstance(leaf, PersonEntry) or leaf.label != entry.label_of(label_key, n):
        raise Wrong(f"Entry {n} is in the log, but it is not about this person.")
    shown = opened.get(n)
    if shown is None:
        raise Wrong(f"The cell does not say what entry {n} means.")
    opening = shown["opening"].encode()
    if leaf.commit != entry.commitment(_bytes(shown["nonce"]), opening):
        raise Wrong(f"What the cell says about entry {n} is not what the log committed to.")
    said = entry.parse_canonical(opening)
    names = (leaf.kind.name.lower(), leaf.cls.name.lower())
    if said["n"] != n or (said["kind"], said["class"]) != names:
        raise Wrong(f"Entry {n} says one thing in the log and another in its opening.")


def _absence(proofs: Sequence[Any], found: Found, size: int, root: bytes, label_key: bytes) -> None:
    labels = [entry.label_of(label_key, found.entries + after) for after in range(WINDOW)]
    end, minute = 0, 0
    for each in proofs:
        absence = Absence.parse({name: each[name] for name in each if name != "path"})
        path = [_bytes(hash_) for hash_ in each["path"]]
        seal: SealEntry = absence.seal
        verify_inclusion(absence.seal_index, size, leaf_hash(seal.encode()), path, root)
        if seal.first != end:
            raise Wrong("The sealed ranges of the log leave a gap.")
        absence.verify(labels)
        end, minute = seal.end, seal.minute
    if proofs:
        found.sealed_until = datetime.fromtimestamp(minute * 60, UTC)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
