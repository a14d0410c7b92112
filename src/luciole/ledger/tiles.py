"""Tiles and entry bundles (C2SP tlog-tiles): how a log lies in an object store and on HTTP.

    tile/<level>/<index>[.p/<width>]     256 hashes of 32 bytes, fewer in a partial tile
    tile/entries/<index>[.p/<width>]     256 entries, each behind its length (2 bytes, big-endian)

Level 0 holds leaf hashes; a hash of level n + 1 is the root of a full tile of level n. Written
tiles never change; a partial one is followed by a wider one under another name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from luciole.ledger import merkle
from luciole.ledger.merkle import HASH_BYTES, Range, Refused

WIDTH = 256
ENTRIES = -1
MAX_LEVEL = 63

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class BadTile(Refused):
    """A path, tile or bundle that no log of this kind has."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The name of a tile, or of an entry bundle (level ENTRIES). `width` is how many hashes or
    entries it holds: 256, or fewer at the right edge."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies, below the log's prefix."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *high, low = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{''.join(f'x{group}/' for group in high)}{low}{partial}"

    @classmethod
    def of_path(cls, path: str) -> Tile:
        """The tile that a path names. Raises BadTile where no log writes such a path."""
        if found := _PATH.fullmatch(path):
            level = ENTRIES if found[1] == "entries" else int(found[1])
            tile = cls(level, int(re.sub("[x/]", "", found[2])), int(found[3] or WIDTH))
            # Compared with what we would write, so that each tile has one path only.
            if level <= MAX_LEVEL and 0 < tile.width <= WIDTH and tile.path == path:
                return tile
        raise BadTile("No tile has this path.")


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile at `index` of a level as a tree of `size` entries has it, full or partial."""
    width = min((size >> 8 * max(level, 0)) - index * WIDTH, WIDTH)
    if width < 1:
        raise BadTile(f"A tree of {size} has no tile {index} at level {level}.")
    return Tile(level, index, width)


def hashes_of(tile: bytes, width: int) -> list[bytes]:
    """The hashes of a tile that must hold `width` of them."""
    if len(tile) != width * HASH_BYTES:
        raise BadTile(f"The tile does not hold {width} hashes.")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle holds them. Raises BadTile for one of more than 65,535 bytes."""
    try:
        return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])
    except OverflowError:
        raise BadTile("An entry has at most 65,535 bytes.") from None


def entries_of(bundle: bytes, width: int) -> list[bytes]:
    """The entries of a bundle that must hold `width` of them. The caller compares their hashes
    with the tile of level 0."""
    entries, at = [], 0
    while at < len(bundle):
        begin = at + 2
        at = begin + int.from_bytes(bundle[at:begin], "big")
        entries.append(bundle[begin:at])
    if at != len(bundle) or len(entries) != width:
        raise BadTile(f"The bundle does not hold {width} whole entries.")
    return entries


# Reading


def tiles_needed(ranges: Iterable[Range], size: int) -> list[Tile]:
    """The tiles of a tree of `size` that hold what `range_hash` asks for; to fetch them at once."""
    parts = [part for start, end in ranges for part in merkle.whole_parts(start, end)]
    return sorted({tile_of(*_place(low, high)[:2], size) for low, high in parts})


def range_hash(start: int, end: int, size: int, read: Callable[[Tile], bytes]) -> bytes:
    """The hash over a range of a proof (`merkle.inclusion_ranges`, `merkle.consistency_ranges`)
    in a tree of `size`; `read` gives the content of a tile. Tiles are trusted here: whoever does
    not trust them verifies the proof that comes out. Raises BadTile for one of a wrong length."""
    hashes = []
    for low, high in merkle.whole_parts(start, end):
        level, index, height, offset = _place(low, high)
        tile = tile_of(level, index, size)
        hashes.append(_rows(read(tile), tile.width)[height][offset])
    return merkle.fold(hashes)


def _place(low: int, high: int) -> tuple[int, int, int, int]:
    """Where the hash of a whole subtree is: tile level, tile index, height above the tile's
    hashes, and position in the row at that height."""
    level, height = divmod((high - low).bit_length() - 1, 8)
    position = low >> 8 * level
    return level, position // WIDTH, height, position % WIDTH >> height


@lru_cache(128)  # 128 tiles of 255 inner nodes are about 4 MB
def _rows(tile: bytes, width: int) -> list[list[bytes]]:
    """A tile's hashes and the rows above them."""
    rows = [hashes_of(tile, width)]
    while len(rows[-1]) > 1:
        rows.append(merkle.row_above(rows[-1]))
    return rows


# Writing


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a log: its size, the hashes in the partial tile of each level, and the
    partial entry bundle. All that is needed to go on writing."""

    size: int = 0
    rows: tuple[tuple[bytes, ...], ...] = ()
    bundle: bytes = b""

    @staticmethod
    def tiles(size: int) -> list[Tile]:
        """The partial tiles of a tree of `size`, level by level, then its partial bundle: what
        `load` reads."""
        tiles, level = [], 0
        while size >> 8 * level:
            index, width = divmod(size >> 8 * level, WIDTH)
            if width:
                tiles.append(Tile(level, index, width))
            level += 1
        if size % WIDTH:
            tiles.append(Tile(ENTRIES, size // WIDTH, size % WIDTH))
        return tiles

    @classmethod
    def load(cls, size: int, read: Callable[[Tile], bytes]) -> Edge:
        """The edge of a log as its tiles tell it. The caller compares `root()` with the signed
        checkpoint of that size before it appends. Raises BadTile."""
        rows: list[tuple[bytes, ...]] = []
        bundle = b""
        for tile in cls.tiles(size):
            content = read(tile)
            if tile.level == ENTRIES:
                bundle = content
                if tuple(map(merkle.leaf_hash, entries_of(content, tile.width))) != rows[0]:
                    raise BadTile("The partial bundle and the partial tile differ.")
            else:
                rows += [()] * (tile.level - len(rows))
                rows.append(tuple(hashes_of(content, tile.width)))
        return cls(size, tuple(rows), bundle)

    def frontier(self) -> merkle.Frontier:
        """The same edge in the least space."""
        hashes: list[bytes] = []
        for row in reversed(self.rows):
            hashes += [
                merkle.root_of(row[low:high]) for low, high in merkle.whole_parts(0, len(row))
            ]
        return merkle.Frontier(self.size, tuple(hashes))

    def root(self) -> bytes:
        """The root of the tree."""
        return self.frontier().root()

    def append(self, entries: Sequence[bytes]) -> tuple[Edge, dict[str, bytes]]:
        """The edge with more entries, and the objects to write before a checkpoint of the new
        size may be shown, by path: full tiles and bundles, then the new partial ones."""
        size = self.size + len(entries)
        objects: dict[str, bytes] = {}
        # 1. Bundles. What was a partial bundle starts the first of them.
        bundle, index, room = self.bundle, self.size // WIDTH, WIDTH - self.size % WIDTH
        at = 0
        while len(entries) - at >= room:
            bundle += bundle_of(entries[at : at + room])
            objects[Tile(ENTRIES, index).path] = bundle
            at, bundle, index, room = at + room, b"", index + 1, WIDTH
        if at < len(entries):
            bundle += bundle_of(entries[at:])
            objects[Tile(ENTRIES, index, size % WIDTH).path] = bundle
        # 2. Tiles, level by level: each full one gives a hash to the level above.
        hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
        rows: list[tuple[bytes, ...]] = []
        while hashes:
            level = len(rows)
            row = [*(self.rows[level] if level < len(self.rows) else ()), *hashes]
            index = (self.size >> 8 * level) // WIDTH
            hashes = []
            for start in range(0, len(row) - WIDTH + 1, WIDTH):
                full = row[start : start + WIDTH]
                objects[Tile(level, index + len(hashes)).path] = b"".join(full)
                hashes.append(merkle.root_of(full))
            row = row[len(hashes) * WIDTH :]
            if row:
                objects[Tile(level, index + len(hashes), len(row)).path] = b"".join(row)
            rows.append(tuple(row))
        return Edge(size, (*rows, *self.rows[len(rows) :]), bundle), objects
