"""KuaiRand-Pure through the feed's own world: what its two ways would score a slate's clips."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from bench.feed_quality.kuairand import HISTORY_ENDS_MS, Array, Log
from luciole.cell.feed.ranking import features
from luciole.cell.feed.ranking.draw import shares
from luciole.cell.feed.ranking.heads import start_of
from luciole.cell.feed.ranking.model import Clip, Event, Signal, Source
from luciole.cell.feed.ranking.order import Ints
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.ranking.weights import HEADS, PUBLIC_FEATURES, published
from luciole.cell.feed.ranking.world import World

NIGHT_S = 86_400.0
CHUNK = 10
"""Histories have no times: so many videos in their order pass for a session."""
AT_ONCE = 256


def _uuid(kind: int, number: int) -> UUID:
    # The low bits must look random, as those of a UUIDv7 do.
    low = (number * 0x9E3779B97F4A7C15 + kind * 0xBF58476D1CE4E5B9) % (1 << 62)
    return UUID(int=(kind << 100) | (number << 64) | (1 << 63) | low)


class Replay:
    """The world after the histories, and tastes of all people."""

    def __init__(self, log: Log, people: set[int]) -> None:
        self.log, self.people = log, people
        self.long_view: Array = log.long_view
        self.world = World(published())
        start = HISTORY_ENDS_MS / 1000
        self.clips = [
            Clip(
                _uuid(1, video), _uuid(2, int(log.author[video])), (f"tag{log.tag[video]}",), "",
                _uuid(3, int(log.sound[video])), int(max(log.length_ms[video], 1_000)),
                start - 20 * NIGHT_S,
            )
            for video in range(len(log.author))
        ]  # fmt: skip
        for clip in self.clips:
            self.world.put(clip)
        self.tastes: dict[int, Taste] = {}
        number = 0
        for person, history in log.history.items():
            events = []
            for place, (video, is_long) in enumerate(history):
                if place % CHUNK == 0:
                    number += 1
                at = start - NIGHT_S - len(history) + place
                events += self._events(number, at, video, is_long, b"")
            self.world.apply(events)
            self._taste(person, events)
        self.frozen = World.load(published(), self.world.dump())
        self.taught = start_of(published())

    def _events(
        self, session: int, at: float, video: int, is_long: int, columns: bytes
    ) -> list[Event]:
        # Only whether a view was long is known of histories, so there are two grades, the same for
        # all lengths; and all count as seen to the end, so that no head but that of watching can
        # tell clips apart by what the label does not say.
        clip = self.clips[video]
        ms = int(self.world.grades.ratio(clip.duration_ms, 7 if is_long else 2) * clip.duration_ms)
        ms += 1
        name = _uuid(4, session)
        return [
            Event(at, name, clip.id, Signal.SHOWN, 0, 0, Source.REST, columns, 1.0),
            Event(at, name, clip.id, Signal.WATCHED, ms, 1, Source.REST, columns, 1.0),
        ]

    def _taste(self, person: int, events: list[Event]) -> None:
        if person not in self.people:
            return
        taste = self.tastes.setdefault(person, Taste())
        for event in events:
            taste.apply(event, self.clips[event.clip.int >> 64 & 0xFFFFFFFF])

    def scores(self, long_view: Array, slates: Array) -> dict[str, Array]:
        """Goes on with the stream, once. Scores of each slate by each way, with what was known when
        it was decided."""
        log, self.long_view = self.log, long_view
        names = ("no profile", "no profile, heads learn", "learning", "no profile, frozen")
        found = {name: np.zeros(slates.shape) for name in names}
        decided: dict[int, list[int]] = {}
        for slate, first in enumerate(slates[:, 0].tolist()):
            decided.setdefault(first, []).append(slate)
        width = len(PUBLIC_FEATURES)
        # The histories tell of watching only. To the other heads a clip that was watched often
        # would look like one that nobody ever liked, so they are left out.
        share = shares(published()) * (np.array(HEADS) == "watch")
        plain = np.einsum("h,hf->f", share, start_of(published()))
        pending: list[int] = []
        for row in range(log.size):
            if row in decided or len(pending) >= AT_ONCE:
                self._learn(pending)
                pending = []
            for slate in decided.get(row, ()):
                videos: Ints = log.video[slates[slate]].astype(np.int64)
                at = log.at_ms[row] / 1000
                public = features.of_clips(self.world, videos, at).astype(np.float64)
                old = features.of_clips(self.frozen, videos, at).astype(np.float64)
                taught = np.einsum("h,hf->f", share, self.world.heads.coefficients)
                person = int(log.person[row])
                taste = self.tastes.setdefault(person, Taste())
                last = log.history.get(person, [])[-10:]
                recent = np.array([video for video, good in last if good], np.int64)
                own = features.of_viewer(self.world, videos, taste, frozenset(), recent)
                found["no profile"][slate] = public @ plain[:width]
                found["no profile, heads learn"][slate] = public @ taught[:width]
                found["no profile, frozen"][slate] = old @ plain[:width]
                found["learning"][slate] = public @ plain[:width] + own @ plain[width:]
            pending.append(row)
        return found

    def _learn(self, rows: list[int]) -> None:
        if not rows:
            return
        log = self.log
        videos = log.video[rows].astype(np.int64)
        at = log.at_ms[rows[0]] / 1000
        columns = features.of_clips(self.world, videos, at)
        events = []
        for place, row in enumerate(rows):
            person, when = int(log.person[row]), log.at_ms[row] / 1000
            session = 10**7 + person * 40 + int((when - HISTORY_ENDS_MS / 1000) // NIGHT_S) + 2
            new = self._events(session, when, int(videos[place]), int(self.long_view[row]),
                               columns[place].tobytes())  # fmt: skip
            self._taste(person, new)
            events += new
        self.world.apply(events)
