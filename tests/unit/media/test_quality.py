"""Each film gets as many bytes as it needs for the target, and no more."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.media import films

from luciole.cell.media import encode, fence, probe, quality
from luciole.cell.media.quality import TARGET_VMAF, X264, read_off
from luciole.cell.media.rungs import REST, Cut

needs_fence = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
SCORE = st.floats(0, 100)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_quality_is_read_off_the_line_between_both_tries() -> None:
    assert read_off([93.5, 86.5], TARGET_VMAF) == 24.5
    assert read_off([90, 80], TARGET_VMAF) == 21
    assert read_off([97, 90], TARGET_VMAF) == 28


def test_film_that_is_good_or_bad_at_any_quality_gets_the_nearer_end() -> None:
    assert read_off([99.9, 99.8], TARGET_VMAF) == 28
    assert read_off([60.1, 60.0], TARGET_VMAF) == 21
    assert read_off([70, 40], TARGET_VMAF) == X264.least
    assert read_off([99, 97], TARGET_VMAF) == X264.most


@given(better=SCORE, worse=SCORE, target=SCORE)
def test_quality_stays_within_bounds(better: float, worse: float, target: float) -> None:
    assert X264.least <= read_off([better, worse], target) <= X264.most


@given(better=st.floats(80, 100), drop=st.floats(1, 20), gain=st.floats(0, 5))
def test_better_looking_film_never_gets_more_bytes(better: float, drop: float, gain: float) -> None:
    scores = [better, better - drop]
    assert read_off([each + gain for each in scores], 90) >= read_off(scores, 90)


@given(start_ms=st.integers(0, 10_000), length_ms=st.integers(100, 180_000))
def test_tried_parts_lie_in_what_is_kept(start_ms: int, length_ms: int) -> None:
    cut = Cut(start_ms, length_ms)
    parts = quality.parts(cut)
    for part in parts:
        assert start_ms <= part.start_ms
        assert part.start_ms + part.length_ms <= start_ms + length_ms
    for before, after in itertools.pairwise(parts):
        assert before.start_ms + before.length_ms <= after.start_ms


@needs_fence
async def test_film_with_grain_gets_more_than_a_smooth_one(tmp_path: Path, out: Path) -> None:
    found = {}
    for name, look in (("smooth", "gradients=s=360x640:r=30:seed=4:d=2"),
                       ("grain", "testsrc2=s=360x640:r=30:d=2,noise=alls=35:allf=t")):  # fmt: skip
        source = tmp_path / f"{name}.mp4"
        films.run("-f", "lavfi", "-i", look, "-c:v", "libx264", "-qp", "8", "-pix_fmt", "yuv420p",
                  str(source))  # fmt: skip
        film = await probe.probe(source, out)
        cut = Cut(0, film.duration_ms)
        found[name] = await quality.crf_for(source, film, cut, REST[-1], out)
    assert found["grain"] < found["smooth"]


@needs_fence
async def test_shortest_film_is_tried_as_a_whole(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="180x320", seconds=0.2)
    film = await probe.probe(source, out)
    crf = await quality.crf_for(source, film, Cut(0, film.duration_ms), REST[-1], out)
    assert X264.least <= crf <= X264.most


@needs_fence
async def test_ladder_is_made_in_the_quality_that_was_found(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=0.5, sound=False)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms)
    sizes = []
    for crf in (20.0, 30.0):
        (made,) = await encode.ladder(source, film, cut, out, crf=crf)
        sizes.append(made.size_bytes)
    assert sizes[1] < sizes[0] * 0.7


@needs_fence
async def test_rungs_own_quality_where_nothing_can_be_tried(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="180x320", seconds=0.3)
    film = await probe.probe(source, out)
    source.write_bytes(b"gone")
    crf = await quality.crf_for(source, film, Cut(0, film.duration_ms), REST[-1], out)
    assert crf == REST[-1].crf
