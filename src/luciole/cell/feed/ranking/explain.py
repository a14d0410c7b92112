"""Why a clip is in a slot, read off the parts of its score."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from .model import Part, Slot, Source

CODES = {
    "clip_watch": "watched-well", "clip_skip": "rarely-skipped", "clip_complete": "seen-to-the-end",
    "clip_like": "liked", "clip_comment": "talked-about", "clip_share": "shared",
    "clip_follow": "wins-followers", "clip_rejected": "rarely-rejected",
    "clip_reported": "rarely-reported", "author_watch": "author-watched-well",
    "author_rejected": "author-rarely-rejected", "topic_watch": "topic-watched-well",
    "sound_watch": "sound-watched-well", "trend": "trending", "fresh": "fresh",
    "evidence": "well-known", "length": "length", "uncertainty": "little-known",
    "diversity": "variety", "followed": "you-follow", "taste_author": "you-like-author",
    "taste_topic": "you-like-topic", "taste_sound": "you-like-sound",
    "taste_length": "you-like-length", "watched_next": "watched-after-yours",
    "neighbour": "like-what-you-watched", "avoided": "you-avoid", "seen_before": "you-saw-it",
}  # fmt: skip
"""A code for each part that a score may have."""
SOURCES = {
    Source.FOLLOWED: "followed", Source.WATCHED_NEXT: "watched-next",
    Source.NEIGHBOUR: "neighbour", Source.TRENDING: "trending", Source.FRESH: "fresh",
    Source.FLOOR: "new-clips-turn", Source.REST: "chance",
    Source.KNOWN: "known",
}  # fmt: skip
"""A code for each source."""


class Reason(msgspec.Struct, frozen=True):
    """A part of the score with its code, and its share of all that was added or taken (0 to 1)."""

    code: str
    name: str
    adds: float
    share: float


class Explained(msgspec.Struct, frozen=True):
    """Why a clip is in a slot. Of a slot for new clips (`exploring`) the score decided nothing."""

    source: str
    because: str
    exploring: bool
    chance: float
    score: float
    reasons: list[Reason]


def score_of(parts: Sequence[Part]) -> float:
    """The score that the parts add up to."""
    return math.fsum(part.adds for part in parts)


def explained(slot: Slot) -> Explained:
    """The parts of a slot's score, what weighed most first."""
    total = math.fsum(abs(part.adds) for part in slot.parts) or 1.0
    reasons = [
        Reason(CODES[part.name], part.name, part.adds, abs(part.adds) / total)
        for part in sorted(slot.parts, key=lambda part: (-abs(part.adds), part.name))
    ]
    return Explained(
        source=SOURCES[slot.source],
        because=slot.because,
        exploring=slot.source == Source.FLOOR,
        chance=slot.propensity,
        score=score_of(slot.parts),
        reasons=reasons,
    )
