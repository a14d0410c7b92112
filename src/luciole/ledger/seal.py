"""Seals: the sorted index that lets a person see that no entry about them was left out.

A seal entry holds the root over all labels of a range of the log, sorted. For a label that is not
there, its two neighbours prove the absence; a multiproof shows that for many labels at once.

The cover rule, which every mirror and verifier applies: seals make up a list of adjacent ranges
that starts at 0. A seal may begin where a range of the list begins, or at the list's end, and
replaces all ranges from there on; it never ends earlier than the list or later than itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from luciole.ledger import merkle
from luciole.ledger.entry import PersonEntry, Scope, SealEntry, canonical, decode
from luciole.ledger.merkle import HASH_BYTES, Range, Refused
from luciole.ledger.note import from_base64, to_base64

LABEL_BYTES = 32
# A checkpoint with a person entry that waits longer for its seal is not to be trusted.
MAX_UNSEALED_MINUTES = 26 * 60
# Labels and rows below this height are not kept: eight labels are hashed in 10 µs.
_LOWEST = 3


class BadSeal(Refused):
    """A seal that breaks the cover rule, or a proof of absence that proves none."""


class SealedIndex:
    """The labels of one sealed range, sorted, with the tree over them: one run of bytes (labels,
    then the rows of hashes from height 3 up; 40 bytes a label) that can be stored and mapped."""

    __slots__ = ("_rows", "count", "data")

    def __init__(self, count: int, data: bytes | memoryview) -> None:
        """Reads the `data` that an index over `count` labels had. The caller stored it where
        nobody else writes, or compares `root()` with the seal and knows no more than that."""
        self.count = count
        self.data = memoryview(data)
        at, width = count * LABEL_BYTES, -(-count >> _LOWEST)
        self._rows = [at]
        while width > 1:
            at += width * HASH_BYTES
            self._rows.append(at)
            width = -(-width // 2)
        if len(self.data) != at + width * HASH_BYTES:
            raise BadSeal("The index has a wrong length.")

    @classmethod
    def build(cls, labels: Iterable[bytes]) -> SealedIndex:
        """The index over labels in any order. Raises BadSeal for a label that comes twice: it
        would be a second entry under a number that the person counts once."""
        ordered = sorted(labels)
        if any(map(bytes.__eq__, ordered, ordered[1:])):
            raise BadSeal("A label comes twice.")
        parts = [b"".join(ordered)]
        row = [merkle.leaf_hash(label) for label in ordered]
        for _ in range(_LOWEST):
            row = merkle.row_above(row)
        parts.append(b"".join(row))
        while len(row) > 1:
            row = merkle.row_above(row)
            parts.append(b"".join(row))
        return cls(len(ordered), b"".join(parts))

    def label(self, position: int) -> bytes:
        """The label at a position, from 0."""
        return bytes(self.data[position * LABEL_BYTES : (position + 1) * LABEL_BYTES])

    def position(self, label: bytes) -> int:
        """Where a label is, or would be."""
        return bisect_left(range(self.count), label, key=self.label)

    def __contains__(self, label: bytes) -> bool:
        position = self.position(label)
        return position < self.count and self.label(position) == label

    def labels(self) -> list[bytes]:
        """All labels, sorted."""
        run = bytes(self.data[: self.count * LABEL_BYTES])
        return [run[at : at + LABEL_BYTES] for at in range(0, len(run), LABEL_BYTES)]

    def root(self) -> bytes:
        """The root that the seal holds."""
        return self._hash((0, self.count))

    def absence(self, seal_index: int, seal: SealEntry, labels: Iterable[bytes]) -> Absence:
        """The proof that none of `labels` is here. Raises BadSeal if one is."""
        around: set[int] = set()
        for label in labels:
            if label in self:
                raise BadSeal("The label is there.")
            position = self.position(label)
            around.update((position - 1, position))
        positions = sorted(around - {-1, self.count})
        leaves = tuple((position, self.label(position)) for position in positions)
        nodes = tuple(self._hash(gap) for gap in _gaps(positions, 0, self.count))
        return Absence(seal_index, seal, leaves, nodes)

    def _hash(self, part: Range) -> bytes:
        start, end = part
        height = max(end - start - 1, 0).bit_length()
        if height < _LOWEST:
            return merkle.root_of(
                [merkle.leaf_hash(self.label(position)) for position in range(start, end)]
            )
        at = self._rows[height - _LOWEST] + (start >> height) * HASH_BYTES
        return bytes(self.data[at : at + HASH_BYTES])


def _gaps(positions: Sequence[int], start: int, end: int) -> Iterator[Range]:
    """The ranges without a position, left to right, as the recursion of the multiproof meets
    them."""
    if not positions and start < end:
        yield start, end
    elif end - start > 1:
        middle = start + merkle.left_part(end - start)
        cut = bisect_left(positions, middle)
        yield from _gaps(positions[:cut], start, middle)
        yield from _gaps(positions[cut:], middle, end)


@dataclass(frozen=True, slots=True)
class Absence:
    """A proof that labels are not in one sealed range: the neighbours of each by position, and the
    hashes over all between them, left to right.

    What the caller must still do: prove that the seal is in the log at its index, and that the
    ranges of all proofs together are a cover. That the index was sorted and complete is for those
    to say who replay the log (`Cover`): mirrors do before they cosign.
    """

    seal_index: int
    seal: SealEntry
    leaves: tuple[tuple[int, bytes], ...]
    nodes: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """The proof as a value of canonical JSON."""
        return {
            "seal_index": self.seal_index,
            "seal": to_base64(self.seal.encode()),
            "leaves": [[position, to_base64(label)] for position, label in self.leaves],
            "nodes": [to_base64(node) for node in self.nodes],
        }

    @classmethod
    def parse(cls, value: Any) -> Absence:
        """Raises BadSeal for anything but what `as_json` gives."""
        try:
            seal = decode(from_base64(str(value["seal"])))
            if isinstance(seal, SealEntry):
                leaves = tuple((int(at), from_base64(str(label))) for at, label in value["leaves"])
                nodes = tuple(from_base64(str(node)) for node in value["nodes"])
                made = cls(int(value["seal_index"]), seal, leaves, nodes)
                # Compared with what we would write: 1.0 is not 1, and nothing is left over.
                if canonical(value) == canonical(made.as_json()):
                    return made
        except (LookupError, OverflowError, TypeError, ValueError):
            pass
        raise BadSeal("The proof of absence is malformed.")

    def verify(self, labels: Iterable[bytes]) -> None:
        """Returns if none of `labels` is among those that the seal holds; else raises BadSeal."""
        # 1. The leaves stand in order, so that a search finds the neighbours of a label.
        positions = [position for position, _ in self.leaves]
        known = [label for _, label in self.leaves]
        if sorted(set(positions)) != positions or sorted(set(known)) != known:
            raise BadSeal("The leaves are not in order.")
        if positions and not 0 <= positions[0] <= positions[-1] < self.seal.count:
            raise BadSeal("A leaf lies outside the index.")
        if any(len(hash_) != HASH_BYTES for hash_ in (*known, *self.nodes)):
            raise BadSeal("Labels and hashes have 32 bytes.")
        # 2. Leaves and nodes lead to the seal's root, and nothing is left over.
        nodes = iter(self.nodes)
        root = _rebuilt(self.leaves, nodes, 0, self.seal.count)
        if root != self.seal.root or next(nodes, None) is not None:
            raise BadSeal("The proof leads to another root.")
        # 3. Each label falls between two neighbours, or before the first or behind the last.
        around = [-1, *positions, self.seal.count]
        for label in labels:
            at = bisect_left(known, label)
            if known[at : at + 1] == [label]:
                raise BadSeal("The label is there.")
            if around[at] + 1 != around[at + 1]:
                raise BadSeal("The proof does not show the neighbours of a label.")


def _rebuilt(
    leaves: Sequence[tuple[int, bytes]], nodes: Iterator[bytes], start: int, end: int
) -> bytes:
    if start == end:
        return merkle.EMPTY_ROOT
    if not leaves:
        return next(nodes, b"")  # too few: the root will differ
    if end - start == 1:
        return merkle.leaf_hash(leaves[0][1])
    middle = start + merkle.left_part(end - start)
    cut = bisect_left(leaves, (middle, b""))
    left = _rebuilt(leaves[:cut], nodes, start, middle)
    return merkle.node_hash(left, _rebuilt(leaves[cut:], nodes, middle, end))


# The cover rule


class Span(NamedTuple):
    """One range of the cover: its seal, where the seal stands, and the index it seals."""

    seal_index: int
    seal: SealEntry
    sealed: SealedIndex


@dataclass(slots=True)
class Cover:
    """What seals cover in a log, entry by entry in order. A mirror feeds it and cosigns nothing
    that it refuses; the log feeds it to make its seals."""

    size: int = 0
    spans: list[Span] = field(default_factory=list)
    # Person entries behind the cover: index, minute, label.
    unsealed: list[tuple[int, int, bytes]] = field(default_factory=list)
    newest_minute: int = 0

    @property
    def end(self) -> int:
        """Up to which index (exclusive) all person entries are sealed."""
        return self.spans[-1].seal.end if self.spans else 0

    @property
    def is_overdue(self) -> bool:
        """Whether a person entry has waited too long for a seal: the mark of a missing one."""
        oldest = min((minute for _, minute, _ in self.unsealed), default=self.newest_minute)
        return self.newest_minute - oldest > MAX_UNSEALED_MINUTES

    def take(self, index: int, entry: bytes) -> None:
        """The next entry of the log. Raises BadEntry, or BadSeal for a seal that breaks the rule;
        the cover is then as before."""
        if index != self.size:
            raise BadSeal(f"After {self.size} entries comes number {self.size}.")
        decoded = decode(entry)
        if isinstance(decoded, PersonEntry):
            self.unsealed.append((index, decoded.minute, decoded.label))
        elif isinstance(decoded, SealEntry):
            made, sealed = self.seal(decoded.scope, decoded.minute, decoded.first, decoded.end)
            if made != decoded:
                raise BadSeal("The seal's root or count is wrong.")
            self.spans = [*self._before(made.first), Span(index, made, sealed)]
            self.unsealed = [each for each in self.unsealed if each[0] >= made.end]
        self.size += 1
        self.newest_minute = max(self.newest_minute, decoded.minute)

    def seal(
        self, scope: Scope, minute: int, first: int, end: int
    ) -> tuple[SealEntry, SealedIndex]:
        """The seal over [first, end) that the rule allows next, and its index. Raises BadSeal."""
        if first not in {self.end, *(span.seal.first for span in self.spans)}:
            raise BadSeal("A seal begins where no range of the cover begins or ends.")
        if not self.end <= end <= self.size:
            raise BadSeal("A seal ends before the cover, or behind itself.")
        kept = self._before(first)
        labels = [label for at, _, label in self.unsealed if at < end]
        if any(label in span.sealed for span in kept for label in labels):
            raise BadSeal("A label comes twice.")
        for span in self.spans[len(kept) :]:
            labels += span.sealed.labels()
        index = SealedIndex.build(labels)
        return SealEntry(scope, minute, first, end, index.count, index.root()), index

    def _before(self, first: int) -> list[Span]:
        return [span for span in self.spans if span.seal.first < first]
