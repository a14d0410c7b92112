"""Each mood can be heard, does not clip, and begins and ends in silence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from luciole.demo.music import MOODS, SAMPLES_PER_SECOND, burst_times, compose, pendulum_hertz
from luciole.demo.reel import CLIPS

LOUDEST = 10 ** (-3 / 20)


@pytest.mark.parametrize("mood", sorted(MOODS))
def test_mood_is_heard_and_does_not_clip(mood: str) -> None:
    samples = compose(mood, 1.5, 7)
    assert samples.shape == (int(1.5 * SAMPLES_PER_SECOND), 2)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= LOUDEST
    assert np.sqrt(np.mean(samples**2)) > 0.03
    assert np.abs(samples[:48]).max() < 0.02
    assert np.abs(samples[-48:]).max() < 0.02


def test_other_seed_plays_other_notes() -> None:
    one, same, other = (compose("harp", 1.5, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_fireworks_are_where_picture_and_sound_agree() -> None:
    times = burst_times(8.0, 5)
    assert times == burst_times(8.0, 5)
    assert len(times) > 5
    assert all(0 < at < 8 for at, _ in times)


def test_pendulums_meet_again() -> None:
    swings = [12 * pendulum_hertz(number) for number in range(15)]
    assert all(swing == pytest.approx(round(swing)) for swing in swings)
    assert all(b - a == pytest.approx(1) for a, b in itertools.pairwise(swings))


def test_every_mood_of_the_reel_exists() -> None:
    assert {clip.mood for clip in CLIPS} <= set(MOODS)
