"""The equation of fair chances, and what a slot says of itself."""

from __future__ import annotations

import pytest
from tests.unit.feed.people import DAY, NOW, clip, event, uuid_of, world_of

from luciole.cell.feed.ranking.budget import budget, floor_of
from luciole.cell.feed.ranking.draw import DIVERSITY, NAMES, UNCERTAINTY
from luciole.cell.feed.ranking.explain import CODES, SOURCES, explained, score_of
from luciole.cell.feed.ranking.model import Part, Signal, Slot, Source
from luciole.cell.feed.ranking.weights import published
from luciole.cell.feed.ranking.world import World


@pytest.mark.parametrize(
    ("new", "impressions", "floor"),
    [(20, 6_000, 30), (100, 6_000, 6), (200, 6_000, 3), (0, 0, 30), (5, 0, 1), (1, 10**9, 30)],
)
def test_floor_is_what_the_equation_leaves(new: int, impressions: int, floor: int) -> None:
    assert floor_of(new, impressions, 0.1, 30) == floor
    if floor > 1:
        assert floor * new <= 0.1 * impressions or new == 0


def test_budget_counts_the_last_day() -> None:
    clips = [clip(n, published_at=NOW - n * 3600) for n in range(48)]
    world = world_of(clips, World(published()))
    world.apply([event(NOW - 40 * 3600 + n * 60, n, clips[47], Signal.SHOWN) for n in range(2_400)])
    found = budget(world, NOW)
    assert found.new_clips_a_day == 25
    # Counted by the hour, so the first hour may be cut off.
    assert 1_380 <= found.impressions_a_day <= 1_440
    assert found.floor == int(0.1 * found.impressions_a_day / 25)
    assert not found.is_met
    assert budget(world, NOW + 3 * DAY).impressions_a_day == 0


def test_every_part_and_source_has_a_code() -> None:
    assert set(CODES) == {*NAMES, UNCERTAINTY, DIVERSITY} - {"bias"}
    assert set(SOURCES) == set(Source)
    assert len(set(CODES.values())) == len(CODES)


def test_explanation_says_what_weighed_most_first() -> None:
    parts = (Part("fresh", 0.2), Part("avoided", -1.0), Part("clip_watch", 0.6), Part("trend", 0.2))
    slot = Slot(uuid_of(1, 1), Source.NEIGHBOUR, "#cats", parts, b"", 0.25)
    found = explained(slot)
    codes = [reason.code for reason in found.reasons]
    assert codes == ["you-avoid", "watched-well", "fresh", "trending"]
    assert sum(reason.share for reason in found.reasons) == pytest.approx(1)
    assert sum(reason.adds for reason in found.reasons) == pytest.approx(found.score)
    assert found.score == score_of(parts) == pytest.approx(0)
    assert (found.source, found.because, found.exploring) == ("neighbour", "#cats", False)


def test_slot_for_new_clips_says_that_it_explores() -> None:
    found = explained(Slot(uuid_of(1, 1), Source.FLOOR, "", (), b"", 0.5))
    assert found.exploring
    assert found.source == "new-clips-turn"
    assert found.reasons == []
