"""A made-up town: people with tastes, clips with quality, and a log of what they do.

Semi-synthetic: quality follows Beta(2.22, 4.65), fitted to the shares of long views of 3,377 videos
of KuaiRand-Pure; tastes, topics and all else are invented. Nothing measured here says how good a
feed is for people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from luciole.cell.feed.ranking.model import Clip, Event, Signal, Slot
from luciole.cell.feed.ranking.page import Asked, Drawn, Viewer, learning, public
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.ranking.weights import published
from luciole.cell.feed.ranking.world import World

DAY = 86_400.0
START = 1_800_000_000.0
TOPICS = 20
AUTHORS = 200
PEOPLE = 300
OLD_CLIPS = 1_500
PAGE = 10


def uuid_of(rng: np.random.Generator, number: int) -> UUID:
    low = int(rng.integers(0, 1 << 62))
    return UUID(int=(number << 80) | (7 << 76) | (1 << 63) | low)


@dataclass
class Town:
    """Everybody and everything of one seed, and the feed's world of it."""

    seed: int
    spread: float = 0.9
    """How far tastes differ: deviation of a person's log-odds for a topic."""
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.world = World(published())
        self.clips: dict[UUID, Clip] = {}
        self.quality: dict[UUID, float] = {}
        self.topic: dict[UUID, int] = {}
        self.tastes = self.rng.normal(0, self.spread, (PEOPLE, TOPICS))
        self.authors = [uuid_of(self.rng, 10**6 + n) for n in range(AUTHORS)]
        self.author_topic = self.rng.integers(0, TOPICS, AUTHORS)
        self.learned = [Taste() for _ in range(PEOPLE)]
        self.sessions: dict[int, tuple[UUID, list[UUID], list[UUID]]] = {}
        for _ in range(OLD_CLIPS):
            self.publish(START - float(self.rng.uniform(1, 20)) * DAY)
        self.waiting: list[tuple[float, list[Event]]] = []

    def publish(self, at: float, quality: float | None = None) -> Clip:
        author = int(self.rng.integers(0, AUTHORS))
        topic = int(self.author_topic[author])
        if self.rng.random() < 0.2:
            topic = int(self.rng.integers(0, TOPICS))
        clip = Clip(
            id=uuid_of(self.rng, len(self.clips)),
            author_id=self.authors[author],
            hashtags=(f"topic{topic}",),
            caption="",
            sound_id=None,
            duration_ms=int(self.rng.choice([7_000, 12_000, 25_000, 50_000, 100_000])),
            published_at=at,
        )
        self.clips[clip.id] = clip
        self.quality[clip.id] = float(self.rng.beta(2.22, 4.65)) if quality is None else quality
        self.topic[clip.id] = topic
        self.world.put(clip)
        return clip

    def likes(self, person: int, clip: UUID) -> float:
        """The true chance that a person watches a clip for long."""
        quality = min(max(self.quality[clip], 1e-3), 1 - 1e-3)
        odds = math.log(quality / (1 - quality)) + self.tastes[person, self.topic[clip]]
        return 1 / (1 + math.exp(-odds))

    def page(self, person: int, now: float, seed: int, way: str, limit: int = PAGE) -> Drawn:
        """The next page of a person's session of that day."""
        _, served, watched = self.session(person, now)
        asked = Asked(now, seed, limit, frozenset(served), tuple(served[-6:]))
        if way == "learning":
            viewer = Viewer(self.learned[person], frozenset(), tuple(watched[-10:]))
            return learning(self.world, asked, viewer)
        return public(self.world, asked)

    def session(self, person: int, now: float) -> tuple[UUID, list[UUID], list[UUID]]:
        day = int(now // DAY)
        key = person * 100_000 + day
        if key not in self.sessions:
            self.sessions[key] = (uuid_of(self.rng, 10**9 + key), [], [])
        return self.sessions[key]

    def watch(self, person: int, now: float, slots: list[Slot], is_kept: bool) -> int:
        """The person watches a page; what happened reaches the log some seconds later. Returns
        the number of long views."""
        session, served, watched = self.session(person, now)
        long_views = 0
        events: list[Event] = []
        for number, slot in enumerate(slots):
            clip = self.clips[slot.clip]
            served.append(clip.id)
            is_long = bool(self.rng.random() < self.likes(person, clip.id))
            long_views += is_long
            share = self.rng.uniform(1.0, 1.3) if is_long else self.rng.uniform(0, 0.15)
            at = now + 4 * number
            parts = [(Signal.SHOWN, 0), (Signal.WATCHED, int(share * clip.duration_ms))]
            if is_long:
                watched.append(clip.id)
                parts += [(Signal.LIKED, 0)] * (self.rng.random() < 0.05)
            for signal, value in parts:
                event = Event(at, session, clip.id, signal, value, 0, slot.source,
                              slot.features, 1.0)  # fmt: skip
                events.append(event)
                if is_kept:
                    self.learned[person].apply(event, clip)
        self.waiting.append((now + 60, events))
        return long_views

    def settle(self, now: float) -> None:
        """The log reaches the world."""
        while self.waiting and self.waiting[0][0] <= now:
            self.world.apply(self.waiting.pop(0)[1])
