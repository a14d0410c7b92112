"""The Merkle tree of RFC 6962 and RFC 9162: hashes, proofs, and the edge that grows.

    leaf hash   SHA-256(0x00 ‖ entry)                 MTH of one entry, RFC 9162 section 2.1.1
    node hash   SHA-256(0x01 ‖ left ‖ right)          the left part is the largest power of two
    empty tree  SHA-256("")

A *range* (first, end) stands for the subtree over the entries with first <= index < end. Proofs
are made as lists of ranges, so that the hashes can come from tiles (`luciole.ledger.tiles`), from
a list, or from nowhere when somebody only wants to know which ones are needed.

What the caller must still do: take roots and sizes from a checkpoint whose signatures were
verified (`luciole.ledger.policy`), and compute the leaf hash from the entry itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]


class Refused(ValueError):
    """What was given is malformed or does not prove what it should. The parent of every refusal
    of the ledger's pure part; its text is for logs and auditors and quotes no entry."""


class BadProof(Refused):
    """A proof that does not lead from what is claimed to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def row_above(row: Sequence[bytes]) -> list[bytes]:
    """The hashes one level higher. A last one without a partner moves up unchanged, which gives
    the same tree as the recursion of the RFC."""
    pairs = iter(row)
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs)]  # noqa: B905
    if len(row) & 1:
        above.append(row[-1])
    return above


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (MTH)."""
    row = leaf_hashes
    while len(row) > 1:
        row = row_above(row)
    return row[0] if row else EMPTY_ROOT


# Verifying


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Returns if the entry with the hash `leaf` stands at `index` of the tree of `size` entries
    under `root`; else raises BadProof. RFC 9162 section 2.1.3.2: the proof is that the subtree of
    this one entry is part of the tree."""
    _check_lengths(leaf)
    verify_subtree_consistency(index, index + 1, size, leaf, root, path)


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """As `verify_inclusion`, for the root of the subtree over [start, end) alone.
    draft-ietf-plants-merkle-tree-certs section 4.3."""
    _check_subtree(start, end, end)
    verify_inclusion(index - start, end - start, leaf, path, root)


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns if the tree of `size` begins with the same entries as the tree of `old_size`; else
    raises BadProof. RFC 9162 section 2.1.4.2.

    An empty old tree is refused, since a proof about it would say nothing: the caller accepts
    any tree as the first it sees, with an empty proof, and knows that it did.
    """
    if old_size == 0:
        raise BadProof("Every tree is consistent with the empty one; no proof can add to that.")
    verify_subtree_consistency(0, old_size, size, old_root, root, proof)


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns if the subtree over [start, end) with its root is part of the tree of `size`; else
    raises BadProof. draft-ietf-plants-merkle-tree-certs section 4.4.3. An empty subtree is part
    of every tree."""
    _check_subtree(start, end, size)
    if start == end:
        if proof or subtree_root != EMPTY_ROOT:
            raise BadProof("An empty subtree has the empty root and needs no proof.")
        return
    if proof:  # without one, only equality of the roots is asked
        _check_lengths(subtree_root, *proof)
    first, last, top = start, end - 1, size - 1
    # 1. Skip the levels in which the subtree is a whole node, or touches the tree's right edge.
    while first != last and (last == top or last & 1):
        first, last, top = first >> 1, last >> 1, top >> 1
    # 2. Start from the subtree itself if it is one node, else from the proof's first hash.
    rest = iter(proof)
    part = whole = subtree_root if first == last else next(rest, b"")
    # 3. Climb, rebuilding the subtree's root and the tree's root at once.
    for hash_ in rest:
        if top == 0:
            raise BadProof("The proof is too long.")
        if last & 1 or last == top:
            if first < last:
                part = node_hash(hash_, part)
            whole = node_hash(hash_, whole)
            while not last & 1:
                first, last, top = first >> 1, last >> 1, top >> 1
        else:
            whole = node_hash(whole, hash_)
        first, last, top = first >> 1, last >> 1, top >> 1
    if top != 0:
        raise BadProof("The proof is too short.")
    if part != subtree_root or whole != root:
        raise BadProof("The proof leads to other roots.")


def _check_subtree(start: int, end: int, size: int) -> None:
    width = 1 << max(end - start - 1, 0).bit_length()
    if not 0 <= start <= end <= size or start % width:
        raise BadProof(f"[{start}, {end}) is no subtree of a tree of {size}.")


def _check_lengths(*hashes: bytes) -> None:
    if any(len(hash_) != HASH_BYTES for hash_ in hashes):
        raise BadProof("A hash has 32 bytes.")


# Making


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes are the inclusion path of the entry at `index`, its sibling first.
    RFC 9162 section 2.1.3.1."""
    return consistency_ranges(index + 1, size, index)


def consistency_ranges(end: int, size: int, start: int = 0) -> list[Range]:
    """The ranges whose hashes prove that the subtree [start, end) is part of the tree of `size`;
    with start 0 the consistency proof of RFC 9162 section 2.1.4.1. Raises BadProof."""
    _check_subtree(start, end, size)
    ranges: list[Range] = []
    low, high, is_known = 0, size, True
    while start != end and (low, high) != (start, end):
        middle = low + left_part(high - low)
        if end <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            if start < middle:  # the subtree is cut in two: its right part has to be shown
                start, is_known = middle, False
            low = middle
    if not is_known:
        ranges.append((low, high))
    return ranges[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion path from a list; for small trees."""
    return [root_of(leaf_hashes[a:b]) for a, b in inclusion_ranges(index, len(leaf_hashes))]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The consistency proof from the tree of `old_size`, from a list; for small trees."""
    return [root_of(leaf_hashes[a:b]) for a, b in consistency_ranges(old_size, len(leaf_hashes))]


def left_part(size: int) -> int:
    """The largest power of two smaller than `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def whole_parts(start: int, end: int) -> list[Range]:
    """[start, end), a range of a proof, cut into whole subtrees, the largest first."""
    parts = []
    while start < end:
        step = 1 << ((end - start).bit_length() - 1)
        parts.append((start, start + step))
        start += step
    return parts


@dataclass(frozen=True, slots=True)
class Frontier:
    """The least that a growing tree must remember: its size and the roots of its whole subtrees,
    the largest first (one for each bit of the size)."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise Refused("A frontier holds one hash for each bit of its size.")
        _check_lengths(*self.hashes)

    def append(self, leaf_hashes: Iterable[bytes]) -> Frontier:
        """The frontier with more leaves."""
        size, hashes = self.size, list(self.hashes)
        for hash_ in leaf_hashes:
            size += 1
            for _ in range((size & -size).bit_length() - 1):
                hash_ = node_hash(hashes.pop(), hash_)
            hashes.append(hash_)
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.hashes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """One hash over the roots of whole subtrees that lie side by side, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    folded = hashes[-1]
    for hash_ in reversed(hashes[:-1]):
        folded = node_hash(hash_, folded)
    return folded
