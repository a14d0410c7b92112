"""The world as bytes, and a digest by which two processes see that they know the same."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from .fold import HOUR_S, SESSION_S, Fold
from .heads import OPENED
from .order import Ints
from .packed import CLIP_COLUMNS, Clips, Packed, numbers_of, wide

FORMAT = 1
CLIP_TYPES = ("?", "<i4", "<i4", "<i4", "<i8", "<f8")


class _Dump(msgspec.Struct, frozen=True):
    format: int
    weights_version: int
    clock: float
    epoch: int | None
    events: int
    hours: dict[int, int]
    numbers: bytes
    clips: list[Packed]
    authors: list[str]
    sounds: list[str]
    topics: list[str]
    counted: Packed
    counts: list[Packed]
    groups: list[Packed]
    coefficients: Packed
    squares: Packed
    blocks: int
    waiting: bytes
    waiting_keys: bytes
    sessions: bytes
    session_last: Packed
    session_sums: Packed
    session_at: Packed


def dump(world: Fold) -> bytes:
    """The whole state, for `load`."""
    shelf, size = world.shelf, world.shelf.size
    clips = shelf.packed()
    counted = np.flatnonzero(
        world.counts[:size].any(axis=1) | (world.paths.to[:size] != 0).any(axis=1)
    )
    sessions = sorted(world.sessions)
    rows = [world.sessions[number] for number in sessions]
    heads = world.heads
    open_keys = [
        key if heads.open.get(key) == number else (0, key[1])
        for number, key in enumerate(heads.keys, heads.first)
    ]
    return msgspec.msgpack.encode(
        _Dump(
            format=FORMAT,
            weights_version=world.weights.version,
            clock=world.clock,
            epoch=world.epoch,
            events=world.events,
            hours=world.hours,
            numbers=clips.ids,
            clips=clips.columns,
            authors=clips.authors,
            sounds=clips.sounds,
            topics=clips.topics,
            counted=Packed.of(counted),
            counts=[
                Packed.of(array[counted])
                for array in (world.counts, world.recent, world.paths.to, world.paths.head)
            ],
            groups=[
                Packed.of(world.author_counts[: len(shelf.authors.names)]),
                Packed.of(world.sound_counts[: len(shelf.sounds.names)]),
                Packed.of(world.topic_counts[: len(shelf.topic_names.names)]),
            ],
            coefficients=Packed.of(heads.coefficients),
            squares=Packed.of(heads.squares),
            blocks=heads.blocks,
            waiting=zlib.compress(heads.impressions().tobytes(), 1),
            waiting_keys=wide([session for session, _ in open_keys]),
            sessions=wide(sessions),
            session_last=Packed.of(world.session_last[rows]),
            session_sums=Packed.of(world.session_sums[rows]),
            session_at=Packed.of(world.session_at[rows]),
        )
    )


def load(world: Fold, data: bytes) -> None:
    """Fills a new world with what was dumped. Raises as `World.load`."""
    kept = msgspec.msgpack.decode(data, type=_Dump)
    if kept.format != FORMAT or kept.weights_version != world.weights.version:
        raise ValueError("the dump is of another format, or was made with other weights")
    world.fill(Clips(kept.numbers, kept.clips, kept.authors, kept.sounds, kept.topics))
    counted = kept.counted.array()
    targets: tuple[NDArray[Any], ...] = (
        world.counts,
        world.recent,
        world.paths.to,
        world.paths.head,
    )
    for target, packed in zip(targets, kept.counts, strict=True):
        target[counted] = packed.array()
    groups = (world.author_counts, world.sound_counts, world.topic_counts)
    for target, packed in zip(groups, kept.groups, strict=True):
        array = packed.array()
        target[: len(array)] = array
    world.clock, world.epoch, world.events = kept.clock, kept.epoch, kept.events
    world.hours = dict(kept.hours)
    world.heads.coefficients = kept.coefficients.array()
    world.heads.squares = kept.squares.array()
    world.heads.blocks = kept.blocks
    waiting = np.frombuffer(bytearray(zlib.decompress(kept.waiting)), OPENED)
    clips = waiting["clip"].tolist()
    keys = list(zip(numbers_of(kept.waiting_keys), clips, strict=True))
    world.heads.restore(waiting, keys)
    sessions = numbers_of(kept.sessions)
    world.sessions = {number: row for row, number in enumerate(sessions)}
    world.session_last, world.session_at = kept.session_last.array(), kept.session_at.array()
    world.session_sums = kept.session_sums.array()
    world.rank_all()


def digest(world: Fold) -> str:
    """SHA-256 (hex) over the state in the order of ids, whatever order clips were put in.

    Clips that count no more are left out, and so are sessions that are 24 hours old by the log's
    clock, which some processes may have forgotten already.
    """
    shelf, size = world.shelf, world.shelf.size
    by_id = [row for row in sorted(range(size), key=shelf.numbers.__getitem__) if shelf.alive[row]]
    rows = np.array(by_id, np.int64)
    rank = np.zeros(size + 1, np.int64)
    rank[rows + 1] = np.arange(1, len(rows) + 1)
    hashed = hashlib.sha256()

    def add(array: NDArray[Any], kind: str) -> None:
        hashed.update(np.ascontiguousarray(array, np.dtype(kind)).tobytes())

    hashed.update(wide([shelf.numbers[row] for row in by_id]))
    for name, kind in zip(CLIP_COLUMNS, CLIP_TYPES, strict=True):
        if name in ("duration_ms", "published_at"):
            add(getattr(shelf, name)[rows], kind)
    add(world.counts[rows], "<i8")
    add(world.recent[rows], "<i4")
    add(_paths_in_order(world, rows, rank), "<i8")
    for names, counts in (
        (shelf.authors, world.author_counts),
        (shelf.sounds, world.sound_counts),
        (shelf.topic_names, world.topic_counts),
    ):
        for name in sorted(names.names):
            row = counts[names.numbers[name]]
            if row.any():
                hashed.update(name.encode())
                add(row, "<i8")
    heads = world.heads
    add(heads.coefficients, "<f8")
    add(heads.squares, "<f8")
    waiting = heads.impressions()
    for field, kind in (("features", "<f2"), ("bits", "<i4"), ("level", "i1"), ("at", "<f8")):
        add(waiting[field], kind)
    add(rank[waiting["clip"].astype(np.int64) + 1], "<i8")
    recent = [
        (number, row)
        for number, row in sorted(world.sessions.items())
        if world.session_at[row] >= world.clock - SESSION_S
    ]
    hashed.update(wide([number for number, _ in recent]))
    session_rows = [row for _, row in recent]
    add(rank[world.session_last[session_rows]], "<i8")
    add(world.session_sums[session_rows], "<i8")
    add(world.session_at[session_rows], "<f8")
    since = world.clock / HOUR_S - 26
    hours = {hour: n for hour, n in sorted(world.hours.items()) if hour > since and n}
    hashed.update(
        msgspec.json.encode([hours, world.epoch, world.events, heads.blocks,
                             world.weights.version])
    )  # fmt: skip
    return hashed.hexdigest()


def _paths_in_order(world: Fold, rows: Ints, rank: Ints) -> Ints:
    """Steps out of each clip, oldest first, as ranks; steps to clips that count no more and
    empty places are left out."""
    to, head = world.paths.to[rows], world.paths.head[rows].astype(np.int64)
    used = np.flatnonzero(to.any(axis=1))
    to, head = to[used], head[used]
    places = (np.arange(to.shape[1]) + head[:, None]) % to.shape[1]
    steps = rank[np.take_along_axis(to, places, axis=1).astype(np.int64)]
    full = np.take_along_axis(steps, np.argsort(steps == 0, axis=1, kind="stable"), axis=1)
    return np.concatenate([used, full.reshape(-1)])
