"""A taste is of one person, small, and made of that person's events only."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from tests.unit.feed.people import DAY, NOW, clip, event, log_of

from luciole.cell.feed.ranking.model import Event, Signal
from luciole.cell.feed.ranking.taste import LIKES, SEEN, Taste, keys_of

CLIPS = [clip(number) for number in range(300)]
BY_ID = {each.id: each for each in CLIPS}


def taste_from(log: list[Event]) -> Taste:
    taste = Taste()
    for each in log:
        taste.apply(each, BY_ID[each.clip])
    return taste


def felt(taste: Taste, number: int) -> float:
    return float(taste.feelings(np.array([keys_of(CLIPS[number])[0]], np.uint32))[0])


def test_taste_of_a_busy_person_fits_into_4_kb() -> None:
    log = log_of(CLIPS, 700)
    taste_from(log)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [taste_from(log) for _ in range(5)]
    gc.collect()
    size = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    assert size <= 4_096
    assert len(kept[0].dump()) <= 4_096


def test_same_events_give_the_same_taste() -> None:
    log = log_of(CLIPS, 200)
    assert taste_from(log).dump() == taste_from(log).dump()


def test_new_taste_feels_nothing() -> None:
    taste = Taste()
    assert taste.is_new
    assert felt(taste, 1) == 0
    assert not taste.liked(10)
    assert not taste.has_seen([CLIPS[0].id.int]).any()
    assert not taste.lengths().any()


@pytest.mark.parametrize(
    ("signal", "is_liked"),
    [
        (Signal.LIKED, True), (Signal.SHARED, True), (Signal.FOLLOWED, True),
        (Signal.REPLAYED, True), (Signal.COMMENTED, True), (Signal.NOT_INTERESTED, False),
        (Signal.HID_AUTHOR, False), (Signal.REPORTED, False),
    ],
)  # fmt: skip
def test_signal_says_liked_or_not(signal: Signal, is_liked: bool) -> None:
    taste = Taste()
    taste.apply(event(NOW, 1, CLIPS[1], signal), CLIPS[1])
    assert (felt(taste, 1) > 0) is is_liked
    assert not taste.is_new


def test_watch_counts_within_its_kind_of_length() -> None:
    short, long = clip(1, duration_ms=6_000), clip(2, duration_ms=300_000)
    taste = Taste()
    for number in range(10):
        taste.apply(event(NOW + number, 1, short, Signal.WATCHED, 9_000), short)
        taste.apply(event(NOW + number, 1, long, Signal.WATCHED, 9_000), long)
    keys = np.array([keys_of(short)[0], keys_of(long)[0]], np.uint32)
    of_short, of_long = taste.feelings(keys)
    # Equal seconds: fine for the short clip, little for the long one.
    assert of_short > of_long


def test_feelings_fade() -> None:
    taste = Taste()
    taste.apply(event(NOW, 1, CLIPS[1], Signal.LIKED), CLIPS[1])
    fresh = felt(taste, 1)
    taste.apply(event(NOW + 20 * DAY, 1, CLIPS[2], Signal.SHOWN), CLIPS[2])
    assert felt(taste, 1) == pytest.approx(fresh / 2, rel=1e-3)


def test_taken_back_feeling_is_gone() -> None:
    taste = Taste()
    liked = event(NOW, 1, CLIPS[1], Signal.LIKED)
    taste.apply(liked, CLIPS[1])
    taste.apply(event(NOW, 1, CLIPS[1], Signal.LIKED, sign=-1), CLIPS[1])
    assert felt(taste, 1) == 0


def test_strong_feelings_outlast_many_weak_ones() -> None:
    taste = Taste()
    taste.apply(event(NOW, 1, CLIPS[1], Signal.FOLLOWED), CLIPS[1])
    for number in range(2 * LIKES):
        other = clip(1_000 + number, author_id=CLIPS[number % 300].id, hashtags=(f"t{number}",))
        taste.apply(event(NOW + 1, 1, other, Signal.REPLAYED), other)
    assert felt(taste, 1) > 0


def test_last_clips_are_remembered_as_seen() -> None:
    taste = Taste()
    for number in range(SEEN + 10):
        of = clip(number)
        taste.apply(event(NOW + number, 1, of, Signal.SHOWN), of)
    assert taste.has_seen([clip(SEEN).id.int, clip(9).id.int]).tolist() == [True, False]


def test_hidden_sound_says_nothing_of_the_author() -> None:
    taste = Taste()
    with_sound = CLIPS[1]
    taste.apply(event(NOW, 1, with_sound, Signal.HID_SOUND), with_sound)
    assert felt(taste, 1) == 0
    sound = np.array([keys_of(with_sound)[2]], np.uint32)
    assert taste.feelings(sound)[0] < 0
