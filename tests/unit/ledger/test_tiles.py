"""Tiles and bundles: against a log written by Tessera, and for appends in any steps."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.ledger.corpus import TESSERA, needs_corpus

from luciole.ledger import merkle, tiles
from luciole.ledger.merkle import leaf_hash, root_of
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.tiles import ENTRIES, BadTile, Edge, Tile

PATHS = {
    Tile(0, 1067, 12): "tile/0/x001/067.p/12",
    Tile(0, 0): "tile/0/000",
    Tile(ENTRIES, 1234067): "tile/entries/x001/x234/067",
    Tile(63, 999, 255): "tile/63/999.p/255",
    Tile(10, 1000): "tile/10/x001/000",
}


def entry(index: int) -> bytes:
    return f"entry {index}".encode() * (index % 7)


@pytest.mark.parametrize(("tile", "path"), PATHS.items(), ids=PATHS.values())
def test_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.of_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/64/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/٠٠٠",
        "tile/entries/x001",
        "tile/0/" + "x999/" * 7 + "999",
    ],
)
def test_path_that_no_log_writes_is_refused(path: str) -> None:
    with pytest.raises(BadTile):
        Tile.of_path(path)


# The log of 15 entries, written by Tessera


@needs_corpus
def test_tessera_log_is_written_alike() -> None:
    bundle = (TESSERA / "tile/entries/000.p/15").read_bytes()
    entries = tiles.entries_of(bundle, 15)
    edge = Edge()
    for size, each in enumerate(entries, 1):
        edge, objects = edge.append([each])
        assert set(objects) == {Tile(0, 0, size).path, Tile(ENTRIES, 0, size).path}
        for path, content in objects.items():
            assert (TESSERA / path).read_bytes() == content, path
        head = Checkpoint.parse(Note.parse((TESSERA / f"checkpoint.{size}").read_bytes()).text)
        assert (edge.size, edge.root()) == (head.size, head.root)
        assert Edge.load(size, lambda tile: (TESSERA / tile.path).read_bytes()) == edge


# Properties

steps = st.lists(st.integers(0, 600), min_size=1, max_size=5)


@settings(max_examples=30)
@given(steps, st.data())
@example([255, 1, 1, 256, 257], None)
def test_appends_in_any_steps_give_one_log(steps: list[int], data: st.DataObject | None) -> None:
    edge, stored = Edge(), dict[str, bytes]()
    entries: list[bytes] = []
    for step in steps:
        new = [entry(len(entries) + at) for at in range(step)]
        edge, objects = edge.append(new)
        entries += new
        assert all(stored.get(path, content) == content for path, content in objects.items())
        stored |= objects
        size = len(entries)
        leaves = [leaf_hash(each) for each in entries]
        assert edge.root() == root_of(leaves)
        assert edge.frontier() == merkle.Frontier().append(leaves)
        assert Edge.load(size, lambda tile: stored[tile.path]) == edge  # noqa: B023
    for path in stored:
        assert Tile.of_path(path).path == path
    # Written at once, the same log needs the same objects and fewer partial ones.
    at_once = Edge().append(entries)[1]
    assert at_once.items() <= stored.items()
    if entries and data:
        index = data.draw(st.integers(0, size - 1))
        path_ = proved(merkle.inclusion_ranges(index, size), size, at_once)
        merkle.verify_inclusion(index, size, leaves[index], path_, edge.root())
        old = data.draw(st.integers(1, size))
        proof = proved(merkle.consistency_ranges(old, size), size, at_once)
        merkle.verify_consistency(old, size, root_of(leaves[:old]), edge.root(), proof)


def proved(ranges: list[merkle.Range], size: int, stored: dict[str, bytes]) -> list[bytes]:
    """A proof made from those tiles only that were announced."""
    fetched = {tile: stored[tile.path] for tile in tiles.tiles_needed(ranges, size)}
    return [tiles.range_hash(low, high, size, fetched.__getitem__) for low, high in ranges]


def test_three_levels_are_written() -> None:
    size = 65_536 + 256 + 1
    edge, stored = Edge().append([b""] * size)
    assert {Tile(2, 0, 1).path, Tile(1, 1, 1).path, Tile(0, 257, 1).path} <= stored.keys()
    assert Edge.load(size, lambda tile: stored[tile.path]) == edge
    assert edge.root() == root_of([leaf_hash(b"")] * size)
    levels = set()
    for index in (0, 65_536, 65_792):
        ranges = merkle.inclusion_ranges(index, size)
        levels |= {tile.level for tile in tiles.tiles_needed(ranges, size)}
        path = proved(ranges, size, stored)
        merkle.verify_inclusion(index, size, leaf_hash(b""), path, edge.root())
    assert levels == {0, 1, 2}


def test_whole_levels_leave_no_partial_tile() -> None:
    edge, stored = Edge().append([b""] * 65_536)
    assert Edge.tiles(65_536) == [Tile(2, 0, 1)]
    assert Edge.load(65_536, lambda tile: stored[tile.path]) == edge


# Refusals


def test_entry_beyond_two_bytes_of_length_is_refused() -> None:
    tiles.bundle_of([bytes(65_535)])
    with pytest.raises(BadTile):
        tiles.bundle_of([bytes(65_536)])
    with pytest.raises(BadTile):
        Edge().append([bytes(65_536)])


@pytest.mark.parametrize(
    ("bundle", "width"),
    [
        (b"\x00\x01a\x00", 2),
        (b"\x00\x01a\x00\x02b", 2),
        (b"\x00", 0),
        (b"\x00\x01a", 2),
        (b"\x00\x01a\x00\x01b", 1),
        (b"\xff\xffa", 1),
    ],
)
def test_bundle_that_ends_early_or_late_is_refused(bundle: bytes, width: int) -> None:
    with pytest.raises(BadTile):
        tiles.entries_of(bundle, width)


@pytest.mark.parametrize(("tile", "width"), [(b"", 1), (bytes(31), 1), (bytes(64), 1)])
def test_tile_of_another_width_is_refused(tile: bytes, width: int) -> None:
    with pytest.raises(BadTile):
        tiles.hashes_of(tile, width)


def test_tile_that_a_tree_lacks_is_refused() -> None:
    with pytest.raises(BadTile):
        tiles.tile_of(0, 1, 256)


def test_edge_of_a_changed_bundle_is_refused() -> None:
    stored = Edge().append([b"a", b"b"])[1]
    stored[Tile(ENTRIES, 0, 2).path] = tiles.bundle_of([b"a", b"c"])
    with pytest.raises(BadTile):
        Edge.load(2, lambda tile: stored[tile.path])
