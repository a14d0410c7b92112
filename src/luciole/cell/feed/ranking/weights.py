"""The published weights: one versioned file says all that decides an order."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

HEADS = (
    "skip", "watch", "complete", "like", "comment", "share", "follow", "rejected", "reported",
)  # fmt: skip
"""What is predicted of an impression; the order in which heads stand in arrays."""

PUBLIC_FEATURES = (
    "bias", "clip_watch", "clip_skip", "clip_complete", "clip_like", "clip_comment", "clip_share",
    "clip_follow", "clip_rejected", "clip_reported", "author_watch", "author_rejected",
    "topic_watch", "sound_watch", "trend", "fresh", "evidence", "length",
)  # fmt: skip
"""What a clip is scored by for everybody. None of them says anything about who watches."""

VIEWER_FEATURES = (
    "followed", "taste_author", "taste_topic", "taste_sound", "taste_length", "watched_next",
    "neighbour", "avoided", "seen_before",
)  # fmt: skip
"""What is added for a person who opted in to learning."""


class WatchLevels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For clips shorter than `below_ms`: the watched shares of the clip that begin each level."""

    below_ms: int | None
    ratios: tuple[float, ...]


class Learning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Step of a block of impressions, and how strongly weights are drawn back to the file's."""

    rate: float
    pull: float


class Draw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How slots are drawn from scores."""

    temperature: float
    uncertainty: float
    diversity: float
    author_gap: int
    sound_gap: int
    floor_every: int


class BudgetRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept for new clips, and how many impressions each is meant to get in how long."""

    explore_share: float
    floor_wanted: int
    floor_hours: float


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most candidates of each source."""

    followed: int
    watched_next: int
    neighbour: int
    trending: int
    fresh: int
    floor: int
    rest: int


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `prior` holds for each head the expected rate and its strength in impressions;
    `caps` how far from what is expected a clip's log-odds may get, so that no number of made-up
    signals adds more than that."""

    version: int
    about: str
    heads: dict[str, float]
    start: dict[str, dict[str, float]]
    prior: dict[str, tuple[float, float]]
    caps: dict[str, float]
    watch_levels: tuple[WatchLevels, ...]
    learning: Learning
    draw: Draw
    budget: BudgetRule
    fresh_hours: float
    trend_deviations: float
    candidates: Quotas
    taste_half_life_days: float

    def __post_init__(self) -> None:
        names = set(HEADS)
        if any(set(of) != names for of in (self.heads, self.start, self.prior, self.caps)):
            raise ValueError("heads, start, prior and caps must name each head once")
        known = {*PUBLIC_FEATURES, *VIEWER_FEATURES}
        unknown = {name for head in self.start.values() for name in head} - known
        if unknown:
            raise ValueError(f"start names features that do not exist: {sorted(unknown)}")
        if any(len(level.ratios) != LEVELS for level in self.watch_levels):
            raise ValueError(f"each bucket of lengths has {LEVELS} levels")
        if self.watch_levels[-1].below_ms is not None:
            raise ValueError("the last bucket of lengths has no end")


LEVELS = 8


def parse(text: bytes) -> Weights:
    """Weights of a file. Raises msgspec.DecodeError where it is not one."""
    return msgspec.json.decode(text, type=Weights)


def raw() -> bytes:
    """The published file as it is."""
    return (Path(__file__).parent / "weights.json").read_bytes()


@functools.cache
def published() -> Weights:
    """The weights in force."""
    return parse(raw())
