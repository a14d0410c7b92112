"""Probing and encoding of drawn films, through the fence."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from tests.unit.media import films

from luciole.cell.media import encode, fence, probe
from luciole.cell.media.encode import Encoded
from luciole.cell.media.model import Edit
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.rungs import Cut

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


async def first(source: Path, out: Path, cut: Cut | None = None) -> tuple[Probe, Encoded]:
    film = await probe.probe(source, out)
    made, _ = await encode.first_playable(source, film, cut or Cut(0, film.duration_ms), out)
    return film, made


async def refusal_of(source: Path, out: Path) -> str:
    with pytest.raises(Unreadable) as reason:
        await probe.probe(source, out)
    return reason.value.code


async def test_portrait_film_becomes_a_540_mp4(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=2)
    told: list[int] = []
    film = await probe.probe(source, out)
    made, _ = await encode.first_playable(source, film, Cut(0, 2000), out, told.append)
    assert (made.width, made.height) == (540, 960)
    assert made.duration_ms == pytest.approx(2000, abs=60)
    assert told == sorted(told)
    assert told[-1] >= 90
    text = films.described(made.path)
    assert "h264 (High)" in text
    assert "yuv420p(tv, bt709" in text
    assert "aac (LC)" in text
    assert "stereo" in text
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "plays before it has arrived"


async def test_ladder_has_no_rung_above_the_source(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="1080x1920", seconds=0.5)
    film = await probe.probe(source, out)
    made = await encode.ladder(source, film, Cut(0, film.duration_ms), out)
    assert [(each.name, each.width, each.height) for each in made] == [
        ("1080", 1080, 1920),
        ("720", 720, 1280),
    ]
    small = films.make(tmp_path / "b.mp4", size="540x960", seconds=0.5)
    film = await probe.probe(small, out)
    assert await encode.ladder(small, film, Cut(0, film.duration_ms), out) == []


async def test_small_film_is_not_scaled_up(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="180x320", seconds=0.5)
    _, made = await first(source, out)
    assert (made.width, made.height) == (180, 320)


async def test_odd_sizes_become_even(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", "-pix_fmt", "yuv444p", size="161x121", seconds=0.5)
    _, made = await first(source, out)
    assert (made.width, made.height) == (160, 120)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
async def test_film_lies_as_a_player_shows_it(
    tmp_path: Path, out: Path, degrees: int, mirrored: bool
) -> None:
    plain = films.make(tmp_path / "a.mp4", size="320x240", seconds=0.3, sound=False)
    source = films.turned(tmp_path / "b.mp4", plain, degrees, mirrored=mirrored)
    _, made = await first(source, out)
    assert (made.width, made.height) == ((240, 320) if degrees % 180 else (320, 240))
    expected, shown = films.frame(source), films.frame(made.path)
    difference = sum(abs(a - b) for a, b in zip(expected, shown, strict=True)) / len(shown)
    assert difference < 8
    assert "Display Matrix" not in films.described(made.path)


async def test_wide_pixels_become_square(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", "-vf", "setsar=2", size="200x200", seconds=0.3)
    _, made = await first(source, out)
    assert (made.width, made.height) == (400, 200)
    assert "SAR 1:1" in films.described(made.path)


async def test_trim_is_exact(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", "-g", "300", seconds=4)
    film = await probe.probe(source, out)
    start_ms, length_ms = probe.check_length(film, Edit(1500, 2500), 180_000)
    assert (start_ms, length_ms) == (1500, 1000)
    made, _ = await encode.first_playable(source, film, Cut(start_ms, length_ms), out)
    assert made.duration_ms == pytest.approx(1000, abs=60)
    expected, shown = films.frame(source, 1.5), films.frame(made.path)
    assert sum(abs(a - b) for a, b in zip(expected, shown, strict=True)) / len(shown) < 8


async def test_poster_is_the_chosen_frame(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=2)
    film = await probe.probe(source, out)
    for cut, at_s in ((Cut(0, 2000, 1500), 1.5), (Cut(1000, 900, 300), 1.3), (Cut(0, 2000), 0),
                      (Cut(0, 2000, 999_999), 1.9)):  # fmt: skip
        made, still = await encode.first_playable(source, film, cut, out)
        assert (still.width, still.height) == (made.width, made.height)
        assert still.path.read_bytes()[8:12] == b"WEBP"
        expected, shown = films.frame(source, at_s), films.frame(still.path)
        assert sum(abs(a - b) for a, b in zip(expected, shown, strict=True)) / len(shown) < 12


async def test_poster_is_the_first_frame_where_none_comes_late_enough(
    tmp_path: Path, out: Path
) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=4, rate=1, sound=False)
    film = await probe.probe(source, out)
    _, still = await encode.first_playable(source, film, Cut(0, 4000, 3500), out)
    expected, shown = films.frame(source), films.frame(still.path)
    assert sum(abs(a - b) for a, b in zip(expected, shown, strict=True)) / len(shown) < 12


async def test_key_frame_each_second(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=3.2, rate=25)
    _, made = await first(source, out)
    film = await probe.probe(made.path, out)
    assert film.facts.frames == 80
    keys = films.key_frames(made.path)
    assert keys == pytest.approx([0, 1, 2, 3], abs=0.05)


async def test_fast_films_are_halved_for_the_first_rendition(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", seconds=1, rate=60)
    _, made = await first(source, out)
    film = await probe.probe(made.path, out)
    assert film.facts.frames == pytest.approx(30, abs=1)


async def test_uneven_frames_are_all_kept_with_their_times(tmp_path: Path, out: Path) -> None:
    # Ten frames within a third of a second, then one each half second: 4 a second on average.
    source = films.make(
        tmp_path / "uneven.mp4",
        "-vf", "setpts='if(lt(N,10),N/30,0.3+(N-9)/2)/TB'", "-fps_mode", "vfr",
        "-enc_time_base", "1:90000", seconds=0.6, sound=False,
    )  # fmt: skip
    _, made = await first(source, out)
    assert times(made.path) == pytest.approx(times(source), abs=0.002)
    assert len(times(source)) == 18
    assert made.duration_ms / 1000 > times(made.path)[-1]


def times(path: Path) -> list[float]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as file:
        return [frame.time for frame in file.decode(video=0) if frame.time is not None]


async def test_metadata_is_gone(tmp_path: Path, out: Path) -> None:
    marks = ("location=+48.8584+002.2945/", "title=secret-title", "make=secret-phone",
             "creation_time=2026-01-02T03:04:05Z")  # fmt: skip
    options = [part for mark in marks for part in ("-metadata", mark)]
    source = films.make(tmp_path / "a.mp4", *options, "-movflags", "use_metadata_tags", seconds=0.5)
    assert b"secret-title" in source.read_bytes()
    film = await probe.probe(source, out)
    made, still = await encode.first_playable(source, film, Cut(0, film.duration_ms), out)
    for path in (made.path, still.path):
        data = path.read_bytes()
        for word in (b"secret", b"48.85", b"2026", b"x264 - core", b"\xa9xyz"):
            assert word not in data


async def test_silent_film_has_no_sound_track(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.webm", "-c:v", "libvpx", sound=False)
    film, made = await first(source, out)
    assert not film.has_audio
    assert "Audio" not in films.described(made.path)


async def test_hdr_becomes_tagged_sdr(tmp_path: Path, out: Path) -> None:
    source = films.make(
        tmp_path / "a.mp4", "-vf", "format=yuv420p10le", "-c:v", "libx265", "-pix_fmt",
        "yuv420p10le", "-tag:v", "hvc1", "-x265-params",
        "log-level=none:transfer=arib-std-b67:colorprim=bt2020:colormatrix=bt2020nc", seconds=0.5,
    )  # fmt: skip
    film, made = await first(source, out)
    assert film.is_hdr
    assert "yuv420p(tv, bt709" in films.described(made.path)


async def test_what_is_no_film_is_refused(tmp_path: Path, out: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no film\n" * 1000)
    assert await refusal_of(text, out) == "not-a-video"
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert await refusal_of(empty, out) == "not-a-video"
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    assert await refusal_of(playlist, out) == "not-a-video"
    concat = tmp_path / "concat.mp4"
    concat.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    assert await refusal_of(concat, out) == "not-a-video"


async def test_cut_off_and_garbled_files_are_refused(tmp_path: Path, out: Path) -> None:
    whole = films.make(tmp_path / "a.mp4", seconds=5)
    assert await refusal_of(films.cut_off(tmp_path / "b.mp4", whole, 0.6), out) == "damaged"
    early = films.make(tmp_path / "c.mp4", "-movflags", "+faststart", seconds=5)
    assert await refusal_of(films.cut_off(tmp_path / "d.mp4", early, 0.3), out) == "damaged"


async def test_sound_alone_and_stills_are_refused(tmp_path: Path, out: Path) -> None:
    films.run("-f", "lavfi", "-i", "sine=d=1", str(tmp_path / "a.m4a"))
    assert await refusal_of(tmp_path / "a.m4a", out) == "no-picture"
    still = films.make(tmp_path / "b.mp4", "-frames:v", "1", sound=False)
    assert await refusal_of(still, out) == "still-picture"


async def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="4112x32", seconds=0.2, sound=False)
    assert await refusal_of(source, out) == "too-large-picture"


async def test_length_after_trimming_counts(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="32x32", seconds=200, rate=2, sound=False)
    film = await probe.probe(source, out)
    with pytest.raises(Unreadable, match="too-long"):
        probe.check_length(film, Edit(), 180_000)
    assert probe.check_length(film, Edit(10_000, 190_000), 180_000) == (10_000, 180_000)
    with pytest.raises(Unreadable, match="too-short"):
        probe.check_length(film, Edit(300_000), 180_000)
