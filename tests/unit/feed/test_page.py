"""Pages: the same for everybody, exact in their chances, fair to new clips, and repeatable."""

from __future__ import annotations

import random
import typing
from collections import Counter
from uuid import UUID

import msgspec
import numpy as np
import pytest
from tests.unit.feed.people import (
    DAY,
    NOW,
    asked,
    clip,
    event,
    log_of,
    shown,
    uuid_of,
    world_of,
)  # fmt: skip

from luciole.cell.feed.ranking import candidates, page
from luciole.cell.feed.ranking.budget import budget
from luciole.cell.feed.ranking.draw import Draw, decode
from luciole.cell.feed.ranking.model import Event, Signal, Source
from luciole.cell.feed.ranking.page import Asked, Viewer, learning, public, recompute
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.ranking.weights import PUBLIC_FEATURES, VIEWER_FEATURES, Weights, published
from luciole.cell.feed.ranking.world import World

CLIPS = [clip(number) for number in range(400)]


@pytest.fixture(scope="module")
def world() -> World:
    made = world_of(CLIPS, World(published()))
    made.apply(log_of(CLIPS, 4_000, step_s=15))
    return made


def viewer(likes: int = 40) -> Viewer:
    taste = Taste()
    cats = [each for each in CLIPS if "cats" in each.hashtags][:likes]
    for number, each in enumerate(cats):
        taste.apply(event(NOW + number, 1, each, Signal.LIKED), each)
    recent = tuple(each.id for each in cats[-3:])
    return Viewer(taste, frozenset({uuid_of(2, 5)}), recent)


def types_within(kind: object, seen: set[object]) -> set[object]:
    if kind in seen:
        return seen
    seen.add(kind)
    for inner in typing.get_args(kind):
        types_within(inner, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            types_within(field.type, seen)
    return seen


def test_public_page_takes_nothing_about_a_viewer() -> None:
    hints = typing.get_type_hints(public)
    assert set(hints) == {"world", "asked", "return"}
    found = types_within(hints["asked"], set()) | types_within(hints["world"], set())
    assert not found & {Viewer, Taste}
    assert set(Asked.__struct_fields__) == {"now", "seed", "limit", "excluded", "before"}


def test_public_page_carries_no_viewer_column(world: World) -> None:
    drawn = public(world, asked())
    assert all(len(slot.features) == 2 * len(PUBLIC_FEATURES) for slot in drawn.slots)
    names = {part.name for slot in drawn.slots for part in slot.parts}
    assert not names & set(VIEWER_FEATURES)


def test_same_instant_and_seed_give_the_same_page(world: World) -> None:
    assert public(world, asked(5)) == public(world, asked(5))
    assert shown(public(world, asked(5))) != shown(public(world, asked(6)))


@pytest.mark.parametrize("limit", [1, 7, 10, 30])
def test_page_is_recomputed_from_its_inputs(world: World, limit: int) -> None:
    for seed in range(5):
        for drawn in (
            public(world, asked(seed, limit)),
            learning(world, asked(seed, limit), viewer()),
        ):
            assert len(drawn.slots) == limit
            assert recompute(drawn.inputs, published()) == drawn.slots


def test_recomputing_with_other_weights_or_damage_is_refused(world: World) -> None:
    inputs = public(world, asked()).inputs
    with pytest.raises(ValueError, match="version"):
        recompute(inputs, msgspec.structs.replace(published(), version=7))
    with pytest.raises(ValueError, match="not the inputs"):
        recompute(inputs[:50], published())


def test_chances_of_a_slot_add_up_to_one(world: World) -> None:
    drawn = learning(world, asked(3), viewer())
    draw = Draw(decode(drawn.inputs), published())
    for slot in drawn.slots:
        chances, _, _ = draw.chances(slot.source == Source.FLOOR)
        assert chances.sum() == pytest.approx(1)
        assert (chances >= 0).all()
        at = next(i for i in range(len(chances)) if draw.id_of(i) == slot.clip)
        assert chances[at] == pytest.approx(slot.propensity)
        draw.take(at)


def test_clips_come_as_often_as_their_chance_says(world: World) -> None:
    few = world_of(CLIPS[:6], World(published()))
    few.apply([each for each in log_of(CLIPS[:6], 300) if each.trust == 1])
    first = [public(few, asked(seed, 1, now=NOW + 9 * DAY)).slots[0] for seed in range(1_500)]
    ordinary = [slot for slot in first if slot.source != Source.FLOOR]
    count = Counter(slot.clip for slot in ordinary)
    chance = {slot.clip: slot.propensity for slot in ordinary}
    assert sum(chance.values()) == pytest.approx(1, abs=0.01)  # A rare one may not have come.
    for each, share in chance.items():
        error = (share * (1 - share) / len(ordinary)) ** 0.5
        assert abs(count[each] / len(ordinary) - share) < 4 * error


def test_parts_add_up_to_the_score_by_which_a_slot_was_drawn(world: World) -> None:
    drawn = learning(world, asked(4), viewer())
    draw = Draw(decode(drawn.inputs), published())
    for slot in drawn.slots:
        at = next(i for i in range(draw.size) if draw.id_of(i) == slot.clip)
        assert sum(part.adds for part in slot.parts) == pytest.approx(draw.scores()[at], abs=1e-9)
        draw.take(at)


def ablated(weights: Weights, name: str) -> Weights:
    start = {
        head: {key: value for key, value in names.items() if key != name}
        for head, names in weights.start.items()
    }
    return msgspec.structs.replace(weights, start=start)


@pytest.mark.parametrize("name", ["clip_watch", "fresh", "taste_topic", "followed", "taste_author"])
def test_without_a_stated_factor_the_order_changes_as_stated(name: str) -> None:
    """Scores without the factor are the scores less the stated part, so the order is the one that
    the stated parts foretell."""
    events = log_of(CLIPS, 600)
    scores: dict[bool, dict[UUID, float]] = {}
    foretold: dict[UUID, float] = {}
    for without in (False, True):
        weights = ablated(published(), name) if without else published()
        made = world_of(CLIPS, World(weights))
        made.apply(events)
        drawn = learning(made, asked(1), viewer())
        draw = Draw(decode(drawn.inputs), weights)
        scores[without] = {draw.id_of(at): float(score) for at, score in enumerate(draw.scores())}
        if not without:
            for at in range(draw.size):
                adds = {part.name: part.adds for part in draw.parts(at)}
                foretold[draw.id_of(at)] = scores[False][draw.id_of(at)] - adds.get(name, 0.0)
    common = sorted(set(scores[True]) & set(foretold))
    assert len(common) > 150
    for each in common:
        assert scores[True][each] == pytest.approx(foretold[each], abs=1e-9)

    def order(of: dict[UUID, float]) -> list[UUID]:
        return sorted(common, key=lambda each: (-round(of[each], 6), each))

    assert order(scores[True]) == order(foretold) != order(scores[False])


def test_gaps_between_authors_and_sounds_hold_across_pages(world: World) -> None:
    by_id = {each.id: each for each in CLIPS}
    served: list[UUID] = []
    for seed in range(8):
        drawn = public(
            world, asked(seed, 10, excluded=frozenset(served), before=tuple(served[-6:]))
        )
        served += shown(drawn)
    assert len(set(served)) == len(served) == 80
    for at, each in enumerate(served):
        last_authors = [by_id[other].author_id for other in served[max(0, at - 5) : at]]
        assert by_id[each].author_id not in last_authors
        last_sounds = [by_id[other].sound_id for other in served[max(0, at - 3) : at]]
        assert by_id[each].sound_id is None or by_id[each].sound_id not in last_sounds


def endless(world: World, limit: int) -> list[UUID]:
    served: list[UUID] = []
    for seed in range(10_000):
        drawn = public(
            world, asked(seed, limit, excluded=frozenset(served), before=tuple(served[-6:]))
        )
        if not drawn.slots:
            break
        served += shown(drawn)
    return served


def test_endless_session_reaches_every_clip_once(world: World) -> None:
    served = endless(world, 10)
    assert len(served) == len(set(served)) == len(CLIPS)


def test_one_author_alone_still_fills_pages() -> None:
    alone = [clip(number, author_id=uuid_of(2, 1), sound_id=uuid_of(3, 1)) for number in range(95)]
    served = endless(world_of(alone, World(published())), 30)
    assert len(set(served)) == 95


def test_new_clips_get_their_floor_within_a_day() -> None:
    """24 simulated hours: 40 new clips, 6,000 impressions; the equation leaves 15 for each."""
    rng = random.Random(4)
    new = [
        clip(1_000 + n, published_at=NOW + n * 3600 * 24 / 40, author_id=uuid_of(2, 100 + n))
        for n in range(80)
    ]
    old = [clip(number, published_at=NOW - 5 * DAY) for number in range(400)]
    made = world_of(old, World(published()))
    yesterday = [
        event(NOW - DAY + n * 14.4, 10**6 + n, CLIPS[n % 400], Signal.SHOWN) for n in range(6_000)
    ]
    made.apply(yesterday)
    waiting = list(new)
    floors = []
    late: list[Event] = []
    for number in range(1_150):
        now = NOW + number * 144
        while waiting and waiting[0].published_at <= now:
            made.put(waiting.pop(0))
        drawn = public(made, asked(number, 10, now=now))
        floors.append(budget(made, now).floor)
        made.apply(late)
        late = []
        for slot in drawn.slots:
            late.append(event(now + 9, number, slot.clip, Signal.SHOWN, features=slot.features))
            watched = rng.randrange(0, 30_000)
            late.append(event(now + 20, number, slot.clip, Signal.WATCHED, watched))
        late.sort(key=lambda each: each.at)
    made.apply(late)
    floor = min(floors[500:])
    assert floor >= 10
    for each in new[:40]:
        row = made.shelf.rows[each.id.int]
        assert made.counts[row, 0] >= floor


def test_one_slot_in_ten_is_for_new_clips(world: World) -> None:
    new = [clip(2_000 + n, published_at=NOW + DAY - 60) for n in range(5)]
    made = world_of(new, World.load(published(), world.dump()))
    for seed in range(10):
        sources = Counter(slot.source for slot in public(made, asked(seed, 10)).slots)
        assert sources[Source.FLOOR] == 1
        sources = Counter(slot.source for slot in public(made, asked(seed, 30)).slots)
        assert sources[Source.FLOOR] == 3


def test_learning_finds_what_the_person_likes_and_says_so(world: World) -> None:
    def share(drawn: page.Drawn) -> float:
        by_id = {each.id: each for each in CLIPS}
        return np.mean(["cats" in by_id[slot.clip].hashtags for slot in drawn.slots])

    person = viewer()
    plain = np.mean([share(public(world, asked(seed))) for seed in range(30)])
    learned = np.mean([share(learning(world, asked(seed), person)) for seed in range(30)])
    assert learned > plain + 0.02
    slots = [slot for seed in range(30) for slot in learning(world, asked(seed), person).slots]
    followed = [slot for slot in slots if slot.source == Source.FOLLOWED]
    assert followed
    assert {slot.because for slot in followed} == {str(uuid_of(2, 5))}
    near = [slot for slot in slots if slot.source == Source.NEIGHBOUR]
    assert near
    for slot in slots:
        if slot.source == Source.WATCHED_NEXT:
            assert UUID(slot.because) in person.recent


def test_new_persons_page_comes_from_the_same_candidates_as_everybodys(world: World) -> None:
    new = learning(world, asked(2), Viewer(Taste()))
    everybodys = public(world, asked(2))
    assert decode(new.inputs).ids == decode(everybodys.inputs).ids
    assert shown(new) == shown(everybodys)


def test_no_number_of_made_up_signals_adds_more_than_the_published_caps() -> None:
    made = world_of(CLIPS[:30], World(published()))
    kinds = (Signal.SHOWN, Signal.LIKED, Signal.COMMENTED, Signal.SHARED, Signal.FOLLOWED)
    made.apply([event(NOW, n, CLIPS[0], kind) for n in range(2_000) for kind in kinds])
    draw = Draw(decode(public(made, asked()).inputs), published())
    at = next(at for at in range(draw.size) if draw.id_of(at) == CLIPS[0].id)
    adds = {part.name: part.adds for part in draw.parts(at)}
    for head in ("like", "comment", "share", "follow"):
        most = published().heads[head] * published().caps[head]
        assert adds[f"clip_{head}"] == pytest.approx(most, rel=0.01)


def test_ranking_stays_small_at_the_seams() -> None:
    with pytest.raises(ValueError, match="slots"):
        asked(limit=31)
    with pytest.raises(ValueError, match="seed"):
        Asked(now=NOW, seed=-1, limit=10)
    rows = np.arange(40)
    authors = np.zeros(40, np.int32)
    assert len(candidates.spread(rows, authors, 30)) == candidates.AN_AUTHOR


def test_nothing_is_called_a_trend_before_enough_people_have_watched_it_well() -> None:
    clips = [clip(number, published_at=NOW - 9 * DAY) for number in range(40)]
    new = world_of(clips, World(published()))

    def sources() -> Counter[Source]:
        return Counter(slot.source for slot in public(new, asked(limit=30)).slots)

    assert not sources().keys() & {Source.TRENDING, Source.KNOWN}
    half = clips[0].duration_ms
    for number, each in enumerate(clips[:2]):
        for person in range(40 if number else 2):
            at = NOW - 3600 + person
            new.apply([event(at, 100 * number + person, each, Signal.WATCHED, value=2 * half)])
    by_clip = {slot.clip: slot.source for slot in public(new, asked(limit=30)).slots}
    assert by_clip.get(clips[0].id, Source.KNOWN) == Source.KNOWN
    assert by_clip[clips[1].id] == Source.TRENDING
    assert Source.TRENDING not in {by_clip[each.id] for each in clips[2:] if each.id in by_clip}
