"""A log in memory, with clips and events by a seed, and what may be asked of a state over it."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import numpy as np

from luciole.cell.feed.fold import Fold
from luciole.cell.feed.model import Mark, Snapshot
from luciole.cell.feed.ranker import Asked, Drawn, Viewer, published
from luciole.cell.feed.ranking.model import Clip, Event, Signal, Source
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.ranking.shelf import Shelf
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.ranking_state import Grown, Here, State, here, read_on
from luciole.cell.feed.rows import NO_FEATURES, ROW, Loaded

SINCE_1970 = 946_684_800_000_000
NOW = 1_795_000_000.0
HASHTAGS = ("cats", "dogs", "trains", "bread", "rain")
AUTHORS = 40


@dataclass
class Logbook:
    """Implements `ranking_state.Source`."""

    seed: int = 4
    shelf: list[Clip] = field(default_factory=list)
    rows: list[tuple[Mark, UUID, Event | None]] = field(default_factory=list)
    taken: Snapshot | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._seq = 0

    async def snapshot(self) -> Snapshot | None:
        return self.taken

    async def clips(self) -> tuple[Clips, int]:
        shelf = Shelf()
        for clip in self.shelf:
            shelf.put(clip)
        return shelf.packed(), 0

    async def grown(self, since: Mark, loaded: Loaded | None = None) -> Grown:
        later = [row for row in self.rows if row[0] > since]
        known = {clip.id: clip for clip in self.shelf}
        changed = {clip for _, clip, event in later if event is None}
        return Grown(
            packed(later),
            {each: known[each] for each in changed & set(known)},
            changed - set(known),
        )

    def add_clips(self, count: int) -> None:
        """New clips, each with its row of the log."""
        for _ in range(count):
            self._seq += 1
            clip_id = UUID(int=(self._seq << 80) | (7 << 76) | self._random.getrandbits(62))
            self.shelf.append(
                Clip(
                    clip_id,
                    UUID(int=self._random.randrange(1, AUTHORS)),
                    tuple(self._random.sample(HASHTAGS, 2)),
                    f"A caption about {self._random.choice(HASHTAGS)} at night",
                    None,
                    self._random.randrange(4_000, 90_000),
                    NOW - 90_000 + self._seq,
                )
            )
            self._row(clip_id, None)

    def add_events(self, count: int) -> None:
        """What sessions did with clips that they were shown."""
        for _ in range(count):
            clip = self._random.choice(self.shelf).id
            session = UUID(int=self._random.randrange(1, 60))
            signal = self._random.choice(
                (Signal.SHOWN, Signal.SHOWN, Signal.WATCHED, Signal.LIKED, Signal.SHARED)
            )
            watched = self._random.randrange(500, 40_000) if signal == Signal.WATCHED else 0
            at = NOW - 3_600 + self._seq / 100
            features = struct.pack("<18e", *(self._random.random() for _ in range(18)))
            event = Event(at, session, clip, signal, watched, 0, Source.FRESH, features, 1.0)
            self._row(clip, event)

    def remove_clip(self) -> None:
        """A clip is gone; the log says that it changed."""
        gone = self.shelf.pop(self._random.randrange(len(self.shelf)))
        self._row(gone.id, None)

    async def take_snapshot(self) -> None:
        """What came of the log by now."""
        saved = await (await self.state()).save()
        taken_at = datetime.fromtimestamp(NOW, UTC)
        version = published().version
        self.taken = Snapshot(taken_at, saved.mark, version, saved.digest, saved.data)

    async def state(self) -> State:
        """The state of a process that reads the log now."""
        state = await here(self)
        await read_on(state, self)
        return state

    async def live(self) -> Here:
        """The state of a process that began with an empty log."""
        state = Here(Fold(published()))
        await read_on(state, self)
        return state

    def _row(self, clip: UUID, event: Event | None) -> None:
        self._seq += 1
        self.rows.append((Mark(self._seq // 7, self._seq), clip, event))


def packed(rows: list[tuple[Mark, UUID, Event | None]]) -> bytes:
    """Rows as the database packs them."""
    table = np.zeros(len(rows), ROW)
    for row, (mark, clip, event) in zip(table, rows, strict=True):
        row["xid"], row["seq"], row["clip"], row["signal"] = mark.xid, mark.seq, clip.bytes, -1
        if event is not None:
            row["at"] = round(event.at * 1e6) - SINCE_1970
            row["session"], row["signal"] = event.session.bytes, int(event.signal)
            row["value"], row["loops"], row["trust"] = event.value, event.loops, event.trust
            row["sign"], row["width"] = event.sign, len(event.features)
            row["features"] = event.features.ljust(len(NO_FEATURES), b"\0")
    return table.tobytes()


def viewer(book: Logbook) -> Viewer:
    """A person who opted in, and has liked a few things."""
    taste, seen = Taste(), book.shelf[3:40:5]
    for number, clip in enumerate(seen):
        at = NOW - 600 + number
        watched = Event(
            at, UUID(int=1), clip.id, Signal.WATCHED, clip.duration_ms, 0, Source.FRESH, b"", 1.0
        )
        taste.apply(watched, clip)
        taste.apply(msgspec.structs.replace(watched, signal=Signal.LIKED, value=0), clip)
    followed = frozenset(clip.author_id for clip in seen[:3])
    return Viewer(taste, followed, tuple(clip.id for clip in seen))


async def pages(state: State, book: Logbook, seeds: range = range(6)) -> list[bytes]:
    """Pages of one session for everybody and of one for a learner, as bytes with all that they
    were computed from."""
    found: list[Drawn] = []
    for who in (None, viewer(book)):
        served: tuple[UUID, ...] = ()
        for seed in seeds:
            asked = Asked(NOW, seed, 10, frozenset(served), served[-6:])
            found.append(await state.draw(asked, who))
            served += tuple(slot.clip for slot in found[-1].slots)
    assert all(len(drawn.slots) == 10 for drawn in found)
    return [msgspec.msgpack.encode(drawn) for drawn in found]
