"""Each scene draws pictures of the right size that show something and move."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.conftest import later

from luciole.demo.draw import FRAMES_PER_SECOND, HEIGHT, WIDTH
from luciole.demo.reel import CLIPS
from luciole.demo.scenes import SCENES, Take

SIZES = {(WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2)}
LOOKS = sorted({(clip.scene, clip.look) for clip in CLIPS})


def drawn(scene: str, look: str, seed: int = 3) -> list[NDArray[np.uint8]]:
    """The luma of each frame of a take of 0.3 seconds."""
    frames = []
    for frame in SCENES[scene](Take(0.3, seed, look)):
        assert frame.size in SIZES
        assert frame.u.shape == frame.v.shape == (frame.size[1] // 2, frame.size[0] // 2)
        assert sum(len(plane.tobytes()) for plane in frame.data()) == frame.y.size * 3 // 2
        frames.append(frame.y.copy())
    return frames


# A third of them each time, all of them in the long run.
TRIED = [one if number % 3 == 0 else later(*one) for number, one in enumerate(LOOKS)]


@pytest.mark.parametrize(("scene", "look"), TRIED)
def test_scene_shows_something_that_moves(scene: str, look: str) -> None:
    frames = drawn(scene, look)
    assert len(frames) == round(0.3 * FRAMES_PER_SECOND)
    for luma in frames:
        assert luma.std() > 4
        assert len(np.unique(luma)) > 40
        assert luma.min() >= 8
        assert luma.max() <= 236
    moved = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames)]
    assert max(moved) > 0.01


def test_same_seed_draws_the_same() -> None:
    for one, other in zip(drawn("bubbles", ""), drawn("bubbles", ""), strict=True):
        assert np.array_equal(one, other)


def test_other_seed_draws_otherwise() -> None:
    assert not np.array_equal(drawn("bubbles", "", 3)[0], drawn("bubbles", "", 4)[0])


def test_every_scene_is_in_the_reel() -> None:
    assert set(SCENES) == {clip.scene for clip in CLIPS}
