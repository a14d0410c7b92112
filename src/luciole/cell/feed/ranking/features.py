"""What clips are scored by, as numbers with public names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .counting import TRUST_ONE, Count, group_rates, log_odds, rates, watch_share
from .fold import Fold
from .order import Floats, Ints
from .taste import Taste
from .weights import HEADS, PUBLIC_FEATURES, VIEWER_FEATURES

HOUR_S = 3600.0
_CLIP_COLUMNS = [PUBLIC_FEATURES.index(f"clip_{head}") for head in HEADS]
_PUBLIC = {name: column for column, name in enumerate(PUBLIC_FEATURES)}
_VIEWER = {name: column for column, name in enumerate(VIEWER_FEATURES)}


def of_clips(world: Fold, rows: Ints, now: float) -> NDArray[np.float16]:
    """Shape (rows, public features). Log-odds of rates are those above what is usual, so that 0
    means nothing is known."""
    shelf, weights = world.shelf, world.weights
    found = np.zeros((len(rows), len(PUBLIC_FEATURES)))
    found[:, _PUBLIC["bias"]] = 1
    counts = world.counts[rows]
    found[:, _CLIP_COLUMNS] = rates(counts, weights)
    author = shelf.author[rows]
    liked, rejected = group_rates(world.author_counts[author], weights)
    found[:, _PUBLIC["author_watch"]] = liked
    found[:, _PUBLIC["author_rejected"]] = rejected
    topics = shelf.topics[rows]
    has = topics >= 0
    liked, _ = group_rates(world.topic_counts[np.maximum(topics, 0)].reshape(-1, 4), weights)
    sums = np.where(has, liked.reshape(topics.shape), 0).sum(axis=1)
    found[:, _PUBLIC["topic_watch"]] = sums / np.maximum(has.sum(axis=1), 1)
    sound = shelf.sound[rows]
    liked, _ = group_rates(world.sound_counts[np.maximum(sound, 0)], weights)
    found[:, _PUBLIC["sound_watch"]] = np.where(sound >= 0, liked, 0)
    found[:, _PUBLIC["trend"]] = _recent(world, rows)
    age_h = np.maximum(now - shelf.published_at[rows], 0) / HOUR_S
    found[:, _PUBLIC["fresh"]] = 0.5 ** (age_h / weights.fresh_hours)
    found[:, _PUBLIC["evidence"]] = np.log1p(np.maximum(counts[:, Count.SEEN], 0)) / 10
    length_s = np.maximum(shelf.duration_ms[rows], 1_000) / 1_000
    found[:, _PUBLIC["length"]] = np.log(length_s / 30) / 3
    return found.astype(np.float16)


def _recent(world: Fold, rows: Ints) -> Floats:
    """Log-odds of a good watch lately, less those of the prior."""
    recent = world.recent[rows].sum(axis=1) / TRUST_ONE
    prior = world.weights.prior["watch"]
    share = watch_share(recent[:, 0], recent[:, 1], prior)
    found: Floats = log_odds(share) - np.log(prior[0] / (1 - prior[0]))
    return found


def uncertainty(world: Fold, rows: Ints) -> Floats:
    """About a deviation of what is not known yet of a clip's watches, in log-odds: 2/sqrt of the
    impressions that counted and of the prior's strength."""
    shown = np.maximum(world.counts[rows, Count.SHOWN], 0) / TRUST_ONE
    found: Floats = 2 / np.sqrt(shown + world.weights.prior["watch"][1])
    return found


def squashed(values: NDArray[Any]) -> Floats:
    """Any feeling to between -1 and 1, so that one strong liking cannot outweigh all."""
    found: Floats = values / (1 + np.abs(values))
    return found


def of_viewer(
    world: Fold, rows: Ints, taste: Taste, followed: frozenset[int], recent: Ints
) -> NDArray[np.float16]:
    """Shape (rows, viewer features). `followed` are numbers of authors, `recent` rows of clips
    that were watched in this session, the last one last."""
    shelf = world.shelf
    found = np.zeros((len(rows), len(VIEWER_FEATURES)))
    author, topics, sound = shelf.author[rows], shelf.topics[rows], shelf.sound[rows]
    found[:, _VIEWER["followed"]] = np.isin(author, np.array(list(followed), np.int64))
    felt_author = taste.feelings(shelf.authors.keys(author))
    felt_topics = taste.feelings(shelf.topic_names.keys(topics))
    felt_sound = np.where(sound >= 0, taste.feelings(shelf.sounds.keys(sound)), 0)
    rarity = shelf.rarity(topics)
    felt_topic = (felt_topics * rarity).sum(axis=1)
    found[:, _VIEWER["taste_author"]] = squashed(np.maximum(felt_author, 0))
    found[:, _VIEWER["taste_topic"]] = squashed(np.maximum(felt_topic, 0))
    found[:, _VIEWER["taste_sound"]] = squashed(np.maximum(felt_sound, 0))
    against = np.minimum(felt_author, 0) + np.minimum(felt_topic, 0) + np.minimum(felt_sound, 0)
    found[:, _VIEWER["avoided"]] = squashed(-against)
    bucket = world.grades.bucket(shelf.duration_ms[rows])
    found[:, _VIEWER["taste_length"]] = taste.lengths()[bucket]
    if len(recent):
        steps = np.concatenate([world.paths.out_of(row) for row in recent.tolist()])
        steps = np.sort(steps)
        counted = np.searchsorted(steps, rows, "right") - np.searchsorted(steps, rows, "left")
        found[:, _VIEWER["watched_next"]] = np.log1p(counted)
        near = shelf.topics[recent]
        shared = np.isin(topics, near[near >= 0]) * rarity
        near_author = np.isin(author, shelf.author[recent])
        found[:, _VIEWER["neighbour"]] = squashed(shared.sum(axis=1)) + near_author
    seen = taste.has_seen([shelf.numbers[row] for row in rows.tolist()])
    found[:, _VIEWER["seen_before"]] = seen
    return found.astype(np.float16)
