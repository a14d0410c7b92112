"""The sound of another film in the place of a film's own, or with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.unit.media import films

from luciole.cell.media import encode, fence, probe
from luciole.cell.media.rungs import Cut
from luciole.cell.media.soundtrack import Track

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
OWN_HZ, OTHER_HZ = 440, 1500
RATE = 48_000


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


async def other(tmp_path: Path, seconds: float = 1.0) -> Path:
    """A rendition of ours with another tone."""
    source, folder = tmp_path / "tone.mp4", tmp_path / "tone"
    folder.mkdir()
    films.run(
        "-f", "lavfi", "-i", f"testsrc2=s=90x160:r=10:d={seconds}",
        "-f", "lavfi", "-i", f"sine={OTHER_HZ}:d={seconds}", str(source),
    )  # fmt: skip
    film = await probe.probe(source, folder)
    made, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), folder)
    return made.path


def tones(path: Path, start_s: float = 0.0, seconds: float | None = None) -> set[int]:
    """Which of the two tones are heard."""
    span = ["-t", str(seconds)] if seconds else []
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-ss", str(start_s), "-i", str(path), *span,
         "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"],
        check=True, capture_output=True,
    )  # fmt: skip
    wave = np.frombuffer(answer.stdout, "<f4")
    strength = np.abs(np.fft.rfft(wave)) / len(wave)
    at = np.fft.rfftfreq(len(wave), 1 / RATE)
    near = {hz: strength[np.abs(at - hz) < 8].max() for hz in (OWN_HZ, OTHER_HZ)}
    return {hz for hz, found in near.items() if found > 0.01}


async def test_other_sound_takes_the_place_of_the_films_own(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="90x160", seconds=1)
    film = await probe.probe(source, out)
    track = Track(await other(tmp_path), "replace")
    made, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), out, track=track)
    assert tones(made.path) == {OTHER_HZ}
    text = films.described(made.path)
    assert text.count("Audio: aac (LC)") == 1
    assert text.count("Video: ") == 1


async def test_both_sounds_are_heard_where_they_are_mixed(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="90x160", seconds=1)
    film = await probe.probe(source, out)
    track = Track(await other(tmp_path), "mix")
    made, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), out, track=track)
    assert tones(made.path) == {OWN_HZ, OTHER_HZ}


@pytest.mark.parametrize("mode", ["replace", "mix"])
async def test_silent_film_gets_the_other_sound(tmp_path: Path, out: Path, mode: str) -> None:
    source = films.make(tmp_path / "a.mp4", size="90x160", seconds=1, sound=False)
    film = await probe.probe(source, out)
    track = Track(await other(tmp_path), "mix" if mode == "mix" else "replace")
    made, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), out, track=track)
    assert tones(made.path) == {OTHER_HZ}


@pytest.mark.parametrize("seconds", [0.5, 4.0])
async def test_sound_is_as_long_as_the_picture(tmp_path: Path, out: Path, seconds: float) -> None:
    source = films.make(tmp_path / "a.mp4", size="90x160", seconds=3, sound=False)
    film = await probe.probe(source, out)
    track = Track(await other(tmp_path, seconds), "replace")
    made, _ = await encode.first_playable(source, film, Cut(500, 2000), out, track=track)
    assert made.duration_ms == pytest.approx(2000, abs=100)
    # Begun again, it is still there at the end.
    assert tones(made.path, 1.4, 0.5) == {OTHER_HZ}


async def test_ladder_sounds_as_the_first_rendition(tmp_path: Path, out: Path) -> None:
    source = films.make(tmp_path / "a.mp4", size="720x1280", seconds=1)
    film = await probe.probe(source, out)
    cut = Cut(0, film.duration_ms)
    track = Track(await other(tmp_path), "replace")
    made, _ = await encode.first_playable(source, film, cut, out, track=track)
    (higher,) = await encode.ladder(source, film, cut, out, track=Track(made.path, "ready"))
    assert higher.name == "720"
    assert tones(higher.path) == {OTHER_HZ}


async def test_silenced_rendition_keeps_its_picture(tmp_path: Path, out: Path) -> None:
    loud = await other(tmp_path)
    quiet = await encode.silenced(loud, "540", (90, 160), out)
    text = films.described(quiet.path)
    assert "Video: h264" in text
    assert "Audio" not in text
    assert films.frame(quiet.path, 0.3) == films.frame(loud, 0.3)
    data = quiet.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "plays before it has arrived"
