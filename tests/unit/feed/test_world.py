"""The world is a fold: how the log is cut, kept and taken back makes no difference."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.feed.people import (
    DAY,
    NOW,
    asked,
    clip,
    event,
    features,
    log_of,
    shown,
    uuid_of,
    world_of,
)  # fmt: skip

from luciole.cell.feed.ranking import counting, heads
from luciole.cell.feed.ranking.model import Event, Signal
from luciole.cell.feed.ranking.page import public
from luciole.cell.feed.ranking.paths import KEPT
from luciole.cell.feed.ranking.weights import parse, published, raw
from luciole.cell.feed.ranking.world import World

CLIPS = [clip(number) for number in range(60)]
LOG = log_of(CLIPS, 3_000, step_s=20)


def made(events: list[Event], cuts: list[int] | None = None) -> World:
    world = world_of(CLIPS, World(published()))
    start = 0
    for end in [*sorted(cuts or []), len(events)]:
        world.apply(events[start:end])
        start = end
    return world


@pytest.fixture(scope="module")
def whole() -> World:
    return made(LOG)


def test_log_that_is_long_enough_teaches(whole: World) -> None:
    assert whole.heads.blocks >= 2
    watch = whole.heads.coefficients[1]
    assert watch[1] > published().start["watch"]["clip_watch"] - 0.2
    assert not np.array_equal(watch, heads.start_of(published())[1])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, len(LOG)), max_size=30))
def test_cutting_the_log_into_batches_makes_no_difference(whole: World, cuts: list[int]) -> None:
    assert made(LOG, cuts).digest() == whole.digest()


def test_event_by_event_is_the_same_as_at_once() -> None:
    events = LOG[:900]
    assert made(events, list(range(900))).digest() == made(events).digest()


def test_order_in_which_clips_are_put_makes_no_difference(whole: World) -> None:
    mixed = random.Random(3).sample(CLIPS, len(CLIPS))
    other = world_of(mixed, World(published()))
    other.apply(LOG)
    assert other.digest() == whole.digest()
    for seed in range(20):
        assert public(other, asked(seed)).slots == public(whole, asked(seed)).slots


def test_filled_world_is_the_one_that_was_put_clip_by_clip(whole: World) -> None:
    # Not in the order of their age, and one of them was dropped.
    mixed = random.Random(5).sample(CLIPS, len(CLIPS))
    one, other = world_of(mixed, World(published())), World(published())
    one.drop(mixed[7].id)
    other.fill(one.shelf.packed())
    assert (other.clips, other.digest()) == (one.clips, one.digest()) == (59, one.digest())
    assert other.shelf.topic_names.clips == one.shelf.topic_names.clips
    assert other.shelf.topic_names.sizes.tolist() == one.shelf.topic_names.sizes.tolist()
    assert other.shelf.rows == one.shelf.rows
    for each in (one, other):
        each.put(msgspec.structs.replace(mixed[3], hashtags=("tea",)))
        each.put(mixed[7])
        each.put(clip(99))
        each.apply(LOG)
    assert other.digest() == one.digest() != whole.digest()
    for seed in range(20):
        assert public(other, asked(seed)).slots == public(one, asked(seed)).slots
    with pytest.raises(ValueError, match="has clips already"):
        other.fill(one.shelf.packed())


@pytest.mark.parametrize("at", [0, 1, 2_500, 6_000])
def test_loaded_world_goes_on_as_the_dumped_one(whole: World, at: int) -> None:
    before = made(LOG[:at])
    after = World.load(published(), before.dump())
    assert after.digest() == before.digest()
    after.apply(LOG[at:])
    assert after.digest() == whole.digest()
    assert after.dump() == World.load(published(), after.dump()).dump()
    assert public(after, asked()).slots == public(whole, asked()).slots


def test_loaded_world_takes_new_and_changed_clips() -> None:
    kept = made(LOG[:500])
    loaded = World.load(published(), kept.dump())
    for world in (kept, loaded):
        world_of([*CLIPS, clip(99), clip(3, hashtags=("other",))], world)
        world.drop(CLIPS[7].id)
        world.apply(LOG[500:700])
    assert loaded.digest() == kept.digest()
    assert loaded.clips == 60


def test_dump_of_other_weights_or_damaged_is_refused(whole: World) -> None:
    other = msgspec.structs.replace(published(), version=99)
    with pytest.raises(ValueError, match="other weights"):
        World.load(other, whole.dump())
    with pytest.raises(msgspec.DecodeError):
        World.load(published(), whole.dump()[:100])


def test_events_taken_back_leave_counters_as_if_they_never_were() -> None:
    theirs = log_of(CLIPS, 200, seed=9)
    back = [msgspec.structs.replace(each, sign=-1) for each in theirs]
    never, erased = made(LOG[:800]), made([*LOG[:800], *theirs, *back])
    for name in ("counts", "author_counts", "topic_counts", "sound_counts", "recent"):
        assert np.array_equal(getattr(never, name), getattr(erased, name)), name
    assert never.impressions_a_day(NOW + DAY) == erased.impressions_a_day(NOW + DAY)


def test_taken_back_steps_are_gone() -> None:
    a, b, c = CLIPS[:3]
    world = made([])
    ms = 10**6
    steps = [event(NOW, 1, a, Signal.WATCHED, ms), event(NOW + 1, 1, b, Signal.WATCHED, ms)]
    theirs = [event(NOW + 2, 2, a, Signal.WATCHED, ms), event(NOW + 3, 2, c, Signal.WATCHED, ms)]
    world.apply([*steps, *theirs])
    assert sorted(world.paths.out_of(0).tolist()) == [1, 2]
    back = [msgspec.structs.replace(each, sign=-1, session=uuid_of(4, 3)) for each in theirs]
    world.apply(back)
    assert world.paths.out_of(0).tolist() == [1]


def test_only_the_last_steps_out_of_a_clip_are_kept() -> None:
    world = made([])
    world.apply(
        [
            event(NOW + number, number, each, Signal.WATCHED, 10**6)
            for number in range(1, 41)
            for each in (CLIPS[0], CLIPS[number])
        ]
    )
    assert sorted(world.paths.out_of(0).tolist()) == list(range(41 - KEPT, 41))


def test_short_and_long_clips_are_graded_among_their_like() -> None:
    grades = World(published()).grades
    short, long = np.array([6_000]), np.array([300_000])
    assert grades.level(short, np.array([6_000])) == 6
    assert grades.level(long, np.array([6_000])) == 4
    assert grades.level(long, np.array([300_000])) == 8


def test_watch_is_graded_against_the_others_of_its_session() -> None:
    """Who watches everything to the end says little about each clip, who rarely does says much."""
    world = made([])
    ms = 10**6
    keen = [event(NOW + n, 1, CLIPS[n], Signal.WATCHED, ms) for n in range(20)]
    hasty = [event(NOW + n, 2, CLIPS[20 + n], Signal.WATCHED, 0) for n in range(20)]
    world.apply([*keen, *hasty, event(NOW + 50, 2, CLIPS[45], Signal.WATCHED, ms)])
    better = world.counts[:, counting.Count.RELATIVE]
    assert better[0] > better[1] > better[19] > 0
    assert better[45] > better[0] > 0 > better[39]


def test_like_that_comes_later_still_teaches_the_impression() -> None:
    world = made([])
    columns = features([1.0])
    shown_ = [event(NOW, n, CLIPS[n % 60], Signal.SHOWN, features=columns) for n in range(1_024)]
    liked = [event(NOW + 300, n, CLIPS[n % 60], Signal.LIKED) for n in range(1_024)]
    world.apply(shown_)
    world.apply(liked)
    assert world.heads.blocks == 0
    world.apply([event(NOW + 601, 9_999, CLIPS[0], Signal.SHOWN, features=columns)])
    assert world.heads.blocks == 1
    like = heads.HEADS.index("like")
    assert world.heads.coefficients[like, 0] > published().start["like"]["bias"]
    assert world.heads.size == 1


def test_block_moves_no_coefficient_further_than_stated() -> None:
    rule = published().learning
    before = heads.start_of(published())
    wild = [
        event(NOW, n, CLIPS[n % 60], Signal.SHOWN, features=features([60_000.0] * 18))
        for n in range(1_024)
    ]
    world = made([*wild, event(NOW + 700, 9_999, CLIPS[0], Signal.SHOWN)])
    assert world.heads.blocks == 1
    assert np.abs(world.heads.coefficients - before).max() <= rule.rate + 1e-9


def test_damaged_features_teach_nothing_and_stop_nothing() -> None:
    odd = [b"", b"\0", features([float("nan"), float("inf")])]
    world = made([event(NOW + n, n, CLIPS[n], Signal.SHOWN, features=odd[n]) for n in range(3)])
    assert world.heads.size == 1
    assert np.isfinite(world.heads.impressions()["features"]).all()


def test_events_of_unknown_clips_are_passed_over() -> None:
    world = made([])
    world.apply([event(NOW, 1, uuid_of(1, 12345), signal) for signal in Signal])
    assert not world.counts.any()
    assert world.events == len(Signal)
    empty = World(published())
    empty.apply([event(NOW, 1, CLIPS[0], Signal.WATCHED, 5_000)])
    assert public(empty, asked()).slots == []


def test_old_sessions_are_forgotten() -> None:
    world = made(LOG[:2_000])
    remembered = len(world.sessions)
    world.tidy(LOG[1_999].at)
    assert len(world.sessions) == remembered
    world.tidy(LOG[1_999].at + DAY + 1)
    assert not world.sessions
    assert not world.heads.open
    world.apply(LOG[2_000:2_010])
    assert len(world.session_last) >= 1


def test_dropped_clip_does_not_come_back_until_it_is_put() -> None:
    world = made(LOG[:100])
    world.drop(CLIPS[0].id)
    world.drop(uuid_of(1, 777))
    assert world.clips == 59
    everything: list[object] = []
    for seed in range(4):
        everything += shown(public(world, asked(seed, 30)))
    assert CLIPS[0].id not in everything
    counts = world.counts[0].copy()
    world.put(CLIPS[0])
    assert world.clips == 60
    assert np.array_equal(world.counts[0], counts)


def test_forgotten_clip_is_named_by_nothing_that_is_kept() -> None:
    world = made(LOG)
    before = world.digest()
    world.forget(CLIPS[7].id)
    data = world.dump()
    assert CLIPS[7].id.bytes not in data
    assert world.digest() != before
    other = World.load(published(), data)
    for each in (world, other):
        each.apply([event(NOW, 3, CLIPS[7], Signal.WATCHED, 5_000), *LOG[:300]])
        each.apply([event(NOW + 2, 3, CLIPS[8], Signal.WATCHED, 5_000)])
    assert world.digest() == other.digest()
    assert world.clips == other.clips == len(CLIPS) - 1


def test_loaded_world_lists_clips_in_the_order_of_one_that_saw_them_change() -> None:
    world = made(LOG)
    for number in (40, 3, 20):
        world.put(clip(number, hashtags=("chess", "sea")))
        world.put(clip(number, hashtags=("chess", "bikes")))
    world.drop(CLIPS[11].id)
    other = World.load(published(), world.dump())
    for names, same in (
        (world.shelf.authors, other.shelf.authors),
        (world.shelf.sounds, other.shelf.sounds),
        (world.shelf.topic_names, other.shelf.topic_names),
    ):
        for name, number in names.numbers.items():
            rows = names.latest(number, 99)
            assert rows.tolist() == same.latest(same.numbers[name], 99).tolist()
            assert (np.diff(world.shelf.published_at[rows]) > 0).all()
    topics = world.shelf.topics[:60]
    assert np.array_equal(world.shelf.rarity(topics), other.shelf.rarity(topics))


def test_weights_that_name_what_does_not_exist_are_refused() -> None:
    text = raw().replace(b'"clip_watch": 1.0', b'"clip_wtch": 1.0')
    with pytest.raises(msgspec.DecodeError, match="clip_wtch"):
        parse(text)
    with pytest.raises(msgspec.DecodeError):
        parse(raw().replace(b'"skip": -0.3', b'"skap": -0.5'))


def test_weights_never_count_seconds() -> None:
    text = Path(heads.__file__).with_name("weights.json").read_text(encoding="utf-8")
    assert "watch_ms" not in text
    assert "length" not in published().start["watch"]


def test_counts_of_a_clip_stay_small() -> None:
    tracemalloc.start()
    world = world_of([clip(number) for number in range(2_000)], World(published()))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size / world.clips < 3_000
