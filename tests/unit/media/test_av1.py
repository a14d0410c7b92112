"""AV1 of our own renditions: smaller at the same quality, cut into the same seconds, clean."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.corpus import mp4
from tests.unit.media import films

from luciole.cell.media import av1, encode, fence, packaging, probe, quality
from luciole.cell.media.encode import Encoded
from luciole.cell.media.rungs import Cut
from luciole.cell.media.soundtrack import Track

needs_fence = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.mark.parametrize(
    ("names", "made"),
    [
        ({"540", "720", "1080"}, ["720", "540"]),
        ({"540", "720"}, ["540"]),
        ({"540"}, []),
        ({"540", "1080"}, ["540"]),
        (set(), []),
        ({"whatever"}, []),
    ],
)
def test_only_sizes_below_the_largest_are_made(names: set[str], made: list[str]) -> None:
    assert [rung.name for rung in av1.rungs(names)] == made


async def made(folder: Path, *, seconds: float = 2.4) -> tuple[Path, list[Encoded], list[Encoded]]:
    """A film of 720 lines, its renditions in H.264, and in AV1."""
    source = films.make(folder / "a.mp4", size="720x1280", seconds=seconds, rate=15)
    film = await probe.probe(source, folder)
    cut = Cut(0, film.duration_ms)
    first, _ = await encode.first_playable(source, film, cut, folder)
    (largest,) = await encode.ladder(source, film, cut, folder, track=Track(first.path, "ready"))
    film = await probe.probe(largest.path, folder)
    rungs = av1.rungs({"540", "720"})
    track = Track(first.path, "ready")
    cut = Cut(0, film.duration_ms)
    found = await av1.made(largest.path, film, cut, rungs, 40, folder, track)
    return source, [first, largest], found


@needs_fence
async def test_rendition_is_av1_in_seconds_with_the_same_sound(tmp_path: Path) -> None:
    _, (first, _), (one,) = await made(tmp_path)
    assert (one.name, one.width, one.height) == ("540", 540, 960)
    assert abs(one.duration_ms - first.duration_ms) <= 100
    (packed,) = await packaging.pack([one], tmp_path)
    assert packed.index.codecs == "av01.0.04M.08,mp4a.40.2"
    assert list(packed.index.durations_ms[:2]) == [1000, 1000]
    assert len(packed.index.sizes) == 3
    assert films.key_frames(packed.path) == [0, 1, 2]
    heard = films.digest(packed.path, "a")
    assert heard == films.digest(first.path, "a")[: len(heard)]
    assert len(heard) > 100


@needs_fence
async def test_rendition_says_nothing_about_where_it_comes_from(tmp_path: Path) -> None:
    _, _, (one,) = await made(tmp_path, seconds=0.6)
    (packed,) = await packaging.pack([one], tmp_path)
    mp4.nothing_private(packed.path.read_bytes(), is_in_segments=True)
    for word in (b"SVT", b"Lavc libsvt", b"x264"):
        assert word not in packed.path.read_bytes()


@needs_fence
async def test_quality_is_searched_with_the_encoder_that_will_be_used(tmp_path: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=2, rate=30)
    film = await probe.probe(source, tmp_path)
    (rung,) = av1.rungs({"540", "720"})
    found = [
        await quality.crf_for(
            source, film, Cut(0, film.duration_ms), rung, tmp_path, target, av1.SCALE
        )
        for target in (97.0, 60.0)
    ]
    assert av1.SCALE.least <= found[0] < found[1] <= av1.SCALE.most


def test_bounds_of_the_search_are_those_of_the_encoder() -> None:
    assert quality.read_off([99, 98], 50, av1.SCALE) == av1.SCALE.most
    assert quality.read_off([60, 40], 95, av1.SCALE) == av1.SCALE.least
    assert quality.read_off([97, 83], 90, av1.SCALE) == 37
