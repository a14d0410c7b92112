"""A receipt that proves an entry offline (C2SP tlog-proof), kept in a file `….tlog-proof`.

    c2sp.org/tlog-proof@v1
    extra <base64>                 optional, authenticated by nothing
    index <index>
    <base64 of a hash>…            the path, the leaf's sibling first
    <empty line>
    <the checkpoint with its signatures>

What the caller must still do: compute the leaf hash from the entry it knows, never from the proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from luciole.ledger.merkle import HASH_BYTES, BadProof, verify_inclusion
from luciole.ledger.note import from_base64, parse_number, to_base64
from luciole.ledger.policy import Policy, Trusted

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof: the entry's index, its path, and a signed checkpoint, verbatim."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines += [f"index {self.index}", *map(to_base64, self.path), "", self.checkpoint]
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Raises BadProof or BadNote; signatures and path are not verified yet."""
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines.pop(0) != HEADER:
            raise BadProof("This is no proof of a transparency log.")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = from_base64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise BadProof("A proof names the index of its entry.")
        index = parse_number(lines.pop(0).removeprefix("index "))
        path = tuple(map(from_base64, lines))
        if len(path) > MAX_PATH or any(len(hash_) != HASH_BYTES for hash_ in path):
            raise BadProof(f"A path has at most {MAX_PATH} hashes of 32 bytes.")
        return cls(index, path, checkpoint, extra)

    def verify(self, leaf: bytes, policy: Policy) -> Trusted:
        """The checkpoint under which the entry with the hash `leaf` is in the log. Raises BadNote,
        NotTrusted, BadProof."""
        trusted = policy.check(self.checkpoint)
        checkpoint = trusted.checkpoint
        verify_inclusion(self.index, checkpoint.size, leaf, self.path, checkpoint.root)
        return trusted
