"""Which films are likely copies of each other, by the hashes of their stills. Pure.

Two films are alike if, of the shorter one's stills, at least two and at least two fifths are each
within 31 bits of one of the other's. One still alone says little: a title card, a flag, a face in
front of the same wall. Of the shorter one, since a copy that was trimmed is all there, and the film
that it was cut from is not. Not all stills, since a trim moves the seconds at which they are taken.
How often that is wrong was measured (`bench.copies`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import msgspec
import numpy as np

from luciole.cell.safety.likeness import (
    HASH_BYTES,
    MAX_NEAR_BITS,
    Likeness,
    Numbers,
    all_within,
    lanes_of,
)

VERSION = "1"
LEAST_STILLS = 2
LEAST_SHARE = 0.4
#: Of so many pairs of different films, how many the rule took for copies (bench/results/copies.md).
#: It is said beside each suggestion.
WRONG, TRIED = 0, 900
#: Of a shelf: what came since its index was made is compared with one by one, up to so much.
FEW_STILLS = 8192


class Alike(msgspec.Struct, frozen=True):
    """How two films are alike: the nearest pair of stills (`still`: its place in the first film),
    and how many of the shorter one's `of` stills have one that is near."""

    bits: int
    still: int
    stills: int
    of: int


def alike(one: bytes, other: bytes) -> Alike | None:
    """How two films are alike, by their stills of 32 bytes each; None where they are not."""
    if not one or not other:
        return None
    mine, theirs, bits = all_within(lanes_of(one), lanes_of(other), MAX_NEAR_BITS)
    return _judged(mine, theirs, bits, len(one) // HASH_BYTES, len(other) // HASH_BYTES)


def _judged(
    mine: Numbers, theirs: Numbers, bits: Numbers, size: int, their_size: int
) -> Alike | None:
    of = min(size, their_size)
    stills = len(np.unique(mine if size <= their_size else theirs))
    if stills < max(LEAST_STILLS, LEAST_SHARE * of):
        return None
    nearest = int(np.argmin(bits))
    return Alike(int(bits[nearest]), int(mine[nearest]), stills, of)


class Shelf:
    """Films by the ids of their clips, to be asked which of them another is like. Its index is made
    anew only when an eighth has come or half have gone, so that one more film costs little however
    many there are."""

    def __init__(self) -> None:
        self._films: dict[UUID, bytes] = {}
        self._fresh: set[UUID] = set()
        self._index: Likeness | None = None
        self._keys: list[UUID] = []
        self._of: Numbers = np.empty(0, np.int64)

    def __contains__(self, key: UUID) -> bool:
        return key in self._films

    def __len__(self) -> int:
        return len(self._films)

    def hold(self, wanted: Collection[UUID], new: Mapping[UUID, bytes]) -> None:
        """From now on the wanted films, of which the new ones were not there."""
        self._films = {key: one for key, one in self._films.items() if key in wanted} | {**new}
        self._fresh = (self._fresh & self._films.keys()) | new.keys()
        fresh = sum(len(self._films[key]) for key in self._fresh) // HASH_BYTES
        indexed = len(self._films) - len(self._fresh)
        known = len(self._index) if self._index else 0
        if fresh > max(FEW_STILLS, known // 8) or 2 * indexed < len(self._keys):
            self._keys = [key for key, one in self._films.items() if one]
            joined = self._joined(self._keys)
            self._index = Likeness(joined) if joined else None
            self._fresh = set()
            self._of = self._owners(self._keys)

    def like(self, stills: bytes, without: Collection[UUID] = ()) -> list[tuple[UUID, Alike]]:
        """The films that one is like, those first that are more so."""
        if not stills:
            return []
        found: dict[UUID, Alike] = {}
        if self._index:
            pairs = self._index.pairs(stills, MAX_NEAR_BITS)
            # Of what is indexed, some may be gone by now, or be there anew.
            known = self._films.keys() - self._fresh
            self._judge(stills, pairs, self._keys, self._of, known, found)
        fresh = [key for key in self._fresh if self._films[key]]
        if fresh:
            others = lanes_of(self._joined(fresh))
            pairs = all_within(lanes_of(stills), others, MAX_NEAR_BITS)
            self._judge(stills, pairs, fresh, self._owners(fresh), self._fresh, found)
        ranked = [(key, one) for key, one in found.items() if key not in without]
        return sorted(ranked, key=lambda pair: (-pair[1].stills / pair[1].of, pair[1].bits))

    def _judge(
        self,
        stills: bytes,
        pairs: tuple[Numbers, Numbers, Numbers],
        keys: Sequence[UUID],
        owners: Numbers,
        known: Collection[UUID],
        found: dict[UUID, Alike],
    ) -> None:
        mine, theirs, bits = pairs
        whose = owners[theirs]
        size = len(stills) // HASH_BYTES
        for owner in np.unique(whose):
            key = keys[owner]
            if key in known:
                of_it = whose == owner
                their_size = len(self._films[key]) // HASH_BYTES
                one = _judged(mine[of_it], theirs[of_it], bits[of_it], size, their_size)
                if one:
                    found[key] = one

    def _joined(self, keys: Iterable[UUID]) -> bytes:
        return b"".join(self._films[key] for key in keys)

    def _owners(self, keys: Sequence[UUID]) -> Numbers:
        """Of each still in the order of films, the place of its film."""
        sizes = [len(self._films[key]) // HASH_BYTES for key in keys]
        return np.repeat(np.arange(len(keys), dtype=np.int64), sizes)
