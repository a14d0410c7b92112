"""Hints and hashes of how a film looks: their formats, and what they are good for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.unit.media import films

from luciole.cell.media import encode, fence, looks, pdq, pictures, probe, thumbhash
from luciole.cell.media.rungs import Cut

needs_fence = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
# Of the pictures that `waves` draws, by pdqhash 0.2.8, the published code.
PUBLISHED = {
    (512, 512): "cf0bb8e6ac4dad08aa8af301b29f6375f5a726743bdeaee50e0d5dda100481d8",
    (200, 300): "974b130c745cd2752d8b8be3e45068b4c82ff40b736beec073a5f08dec6b6852",
    (1000, 130): "21bdaf085cc65d46b8e7157ef560db140a15d543017f6e85ff00d54af708eac5",
}


def waves(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    grey = (np.sin(x / 17) + np.cos(y / 23) + np.sin((x + y) / 40) + 3) * 25
    grey += (x // 16 * 37 + y // 16 * 101 + (x // 16) * (y // 16) * 13) % 97
    return grey.clip(0, 255).astype(np.uint8)


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture with shapes of many sizes."""
    random = np.random.default_rng(seed)
    grey = np.zeros((512, 512))
    for side in (4, 8, 16, 32):
        blocks = random.normal(0, 256 / side, (side, side))
        grey += np.kron(blocks, np.ones((512 // side, 512 // side)))
    return (128 + grey).clip(0, 255).astype(np.uint8)


def smaller(picture: NDArray[np.uint8], side: int, quality: int) -> NDArray[np.uint8]:
    """The same picture, shrunk, saved as JPEG and brought back."""
    from io import BytesIO

    file = BytesIO()
    Image.fromarray(picture).resize((side, side)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).resize((512, 512)))


@pytest.mark.parametrize("size", PUBLISHED)
def test_hash_is_the_one_that_the_published_code_gives(size: tuple[int, int]) -> None:
    made = pdq.hashed(waves(*size))
    assert pdq.distance(made.pdq, bytes.fromhex(PUBLISHED[size])) <= 2
    assert made.quality == 100


@pytest.mark.parametrize("seed", range(5))
def test_hash_stays_near_when_a_picture_is_shrunk_squeezed_and_brightened(seed: int) -> None:
    picture = scene(seed)
    before = pdq.hashed(picture).pdq
    bright = (picture * 0.8 + 30).astype(np.uint8)
    for other in (smaller(picture, 160, 40), bright, np.roll(picture, 2, axis=1)):
        assert pdq.distance(before, pdq.hashed(other).pdq) <= pdq.NEAR_BITS


def test_other_pictures_differ_in_about_half_of_the_bits() -> None:
    hashes = [pdq.hashed(scene(seed)).pdq for seed in range(12)]
    apart = [pdq.distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 2 * pdq.NEAR_BITS
    assert np.mean(apart) == pytest.approx(128, abs=12)


def test_mirrored_picture_is_another_one() -> None:
    picture = scene(1)
    mirrored = pdq.hashed(picture[:, ::-1]).pdq
    assert pdq.distance(pdq.hashed(picture).pdq, mirrored) > pdq.NEAR_BITS


def test_hash_of_nothing_says_that_it_is_worth_nothing() -> None:
    assert pdq.hashed(np.full((512, 512), 90, np.uint8)).quality == 0


def slope(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    red, green, blue = x * 255 / (width - 1), y * 255 / (height - 1), 255 - x * 255 / (width - 1)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def test_hint_has_the_form_that_clients_read() -> None:
    hint = thumbhash.hashed(slope(40, 60))
    head = int.from_bytes(hint[:5], "little")
    assert head >> 39 == 1, "wider than high"
    assert head >> 24 & 7 == 5, "waves down: 7 · 40 / 60"
    assert head & 63 == 31 or head & 63 == 32, "half as light as white"
    waves_there = 5 + (7 * 5 + 7) // 2 - 3
    assert 18 <= len(hint) <= 5 + waves_there


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 128, 255), (0, 0, 0), (255, 255, 255)])
def test_hint_of_one_colour_is_that_colour(colour: tuple[int, int, int]) -> None:
    hint = thumbhash.hashed(np.full((32, 32, 3), colour, np.uint8))
    head = int.from_bytes(hint[:5], "little")
    light, yellow, rose = (
        (head & 63) / 63,
        (head >> 6 & 63) / 31.5 - 1,
        (head >> 12 & 63) / 31.5 - 1,
    )
    blue = light - yellow * 2 / 3
    red = (3 * light - blue + rose) / 2
    found = np.array([red, red - rose, blue]) * 255
    assert np.abs(found - colour).max() < 14


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@needs_fence
async def test_film_is_seen_once_a_second(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=3.5, sound=False)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms)
    made, _ = await encode.first_playable(source, film, cut, out)
    found = looks.seen(out, made.width, made.height, cut)
    assert [still.at_ms for still in found.stills] == [0, 1000, 2000, 3000]
    assert len({still.pdq for still in found.stills}) == 4
    assert 15 <= len(found.thumbhash) <= 25
    again = await encode.glance(made.path, await probe.probe(made.path, out), cut, out)
    assert [still.at_ms for still in again.stills] == [0, 1000, 2000, 3000]
    for before, after in zip(found.stills, again.stills, strict=True):
        assert pdq.distance(before.pdq, after.pdq) <= pdq.NEAR_BITS


@needs_fence
async def test_long_film_is_seen_sixty_times(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="64x64", seconds=120, rate=2, sound=False)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms)
    made, _ = await encode.first_playable(source, film, cut, out)
    found = looks.seen(out, made.width, made.height, cut)
    assert len(found.stills) == pytest.approx(60, abs=1)
    assert found.stills[1].at_ms == 2000


@needs_fence
async def test_shortest_film_is_seen_too(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=0.2, sound=False)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms)
    made, _ = await encode.first_playable(source, film, cut, out)
    assert len(looks.seen(out, made.width, made.height, cut).stills) == 1


@needs_fence
@pytest.mark.parametrize(
    ("seconds", "at_ms"), [(0.4, [0]), (1.0, [0]), (3.5, [0, 1000, 2000, 3000])]
)
async def test_film_that_is_cut_between_two_frames_is_seen_from_its_start(
    tmp_path: Path, out: Path, seconds: float, at_ms: list[int]
) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=seconds, rate=10, sound=False)
    film = await probe.probe(source, out)
    cut = Cut(40, film.duration_ms - 40)
    made, _ = await encode.first_playable(source, film, cut, out)
    found = looks.seen(out, made.width, made.height, cut)
    assert [still.at_ms for still in found.stills] == at_ms
    begun = await encode.glance(made.path, await probe.probe(made.path, out), Cut(0, 10_000), out)
    assert pdq.distance(found.stills[0].pdq, begun.stills[0].pdq) <= pdq.NEAR_BITS


def test_pixels_of_another_size_are_not_looked_at(out: Path) -> None:
    (out / looks.TINY).write_bytes(bytes(64 * 36 * 3))
    (out / looks.STILLS).write_bytes(bytes(looks.STILL_SIDE * looks.STILL_SIDE - 1))
    with pytest.raises(looks.NoLooks):
        looks.seen(out, 540, 960, Cut(0, 1000))
    (out / looks.STILLS).unlink()
    (out / looks.STILLS).symlink_to("/etc/hostname")
    with pytest.raises(looks.NoLooks):
        looks.seen(out, 540, 960, Cut(0, 1000))


@needs_fence
@pytest.mark.parametrize("cover_ms", [0, 1500, 3900])
async def test_small_pictures_show_the_moment_of_the_poster(
    tmp_path: Path, out: Path, cover_ms: int
) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=4)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms, cover_ms)
    _, poster = await encode.first_playable(source, film, cut, out)
    still, moving = await pictures.small(source, film, cut, out)
    expected, shown = films.frame(poster.path), films.frame(still.path)
    assert sum(abs(a - b) for a, b in zip(expected, shown, strict=True)) / len(shown) < 8
    with Image.open(still.path) as picture:
        assert (picture.format, picture.size) == ("AVIF", (still.width, still.height))
    with Image.open(moving.path) as picture:
        assert picture.is_animated  # type: ignore[attr-defined]
        assert picture.n_frames == pytest.approx(16, abs=1)  # type: ignore[attr-defined]
        assert min(picture.size) == 240
        assert not {"exif", "xmp"} & set(picture.info)


@needs_fence
async def test_film_of_one_frame_in_two_seconds_has_small_pictures(
    tmp_path: Path, out: Path
) -> None:
    source = films.make(
        tmp_path / "a.mp4", "-vf", "setpts='if(lt(N,2),N/30,10)/TB'", "-fps_mode", "vfr",
        "-enc_time_base", "1:90000", seconds=0.1, sound=False,
    )  # fmt: skip
    film = await probe.probe(source, out)
    made = await pictures.small(source, film, Cut(0, film.duration_ms, 5000), out)
    assert [each.name for each in made] == [pictures.AVIF_POSTER, pictures.PREVIEW]
