"""Clips are about equally loud, and none of them is louder than full scale."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.media import films

from luciole.cell.media import encode, fence, loudness, probe
from luciole.cell.media.loudness import Loudness
from luciole.cell.media.rungs import Cut
from luciole.cell.media.soundtrack import Track

needs_fence = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=90x160:r=10:d=6")
# What a tone, a hall of many voices and a drum are like, as FFmpeg draws them.
VOICES = "anoisesrc=color=pink:d=6:seed=5,highpass=f=120,tremolo=f=3:d=0.7"
DRUM = "aevalsrc='exp(-30*mod(t,1))*sin(2*PI*90*t)':d=6"


def sounding(path: Path, sound: str, *options: str) -> Path:
    films.run(*PICTURE, "-f", "lavfi", "-i", sound, "-c:a", "pcm_s16le", *options, str(path))
    return path


def heard(path: Path) -> Loudness:
    """The loudness of a file, by FFmpeg."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-nostats", "-i", str(path), "-vn", "-af",
         "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
        check=True, capture_output=True,
    )  # fmt: skip
    found = loudness.parsed(answer.stderr)
    assert found is not None
    return found


async def made(source: Path, out: Path, track: Track | None = None) -> Path:
    out.mkdir(exist_ok=True)
    film = await probe.probe(source, out)
    first, _ = await encode.first_playable(source, film, Cut(0, film.duration_ms), out, track=track)
    return first.path


@needs_fence
@pytest.mark.parametrize("volume_db", [-12, -4, 12])
async def test_quiet_and_loud_sounds_come_out_alike(tmp_path: Path, volume_db: int) -> None:
    source = sounding(tmp_path / "a.mov", f"{VOICES},volume={volume_db}dB")
    before = heard(source)
    after = heard(await made(source, tmp_path / "out"))
    assert abs(before.lufs - loudness.TARGET_LUFS) > 3 or volume_db == 12
    assert after.lufs == pytest.approx(loudness.TARGET_LUFS, abs=1)
    assert after.peak_db <= -0.5


@needs_fence
async def test_strokes_are_not_squashed(tmp_path: Path) -> None:
    source = sounding(tmp_path / "a.mov", f"{DRUM},volume=-3dB")
    before = heard(source)
    after = heard(await made(source, tmp_path / "out"))
    assert before.lufs < after.lufs < loudness.TARGET_LUFS
    assert after.peak_db <= -0.5


@needs_fence
async def test_silence_stays_silence(tmp_path: Path) -> None:
    source = sounding(tmp_path / "a.mov", "anoisesrc=d=6:a=0.0003:seed=1")
    before = heard(source)
    assert before.lufs < loudness.SILENCE_LUFS
    assert heard(await made(source, tmp_path / "out")).lufs <= before.lufs + 1


@needs_fence
async def test_two_sounds_together_are_as_loud_as_one(tmp_path: Path) -> None:
    other = await made(sounding(tmp_path / "o.mov", "sine=1500:d=6"), tmp_path / "other")
    source = sounding(tmp_path / "a.mov", f"{VOICES},volume=-10dB")
    mixed = heard(await made(source, tmp_path / "out", Track(other, "mix")))
    assert mixed.lufs == pytest.approx(loudness.TARGET_LUFS, abs=1.5)
    assert mixed.peak_db <= -0.5


@needs_fence
async def test_only_what_is_kept_of_the_film_counts(tmp_path: Path) -> None:
    loud_then_quiet = f"{VOICES},volume='if(lt(t,3),1,0.5)':eval=frame"
    source = sounding(tmp_path / "a.mov", loud_then_quiet)
    out = tmp_path / "out"
    out.mkdir()
    film = await probe.probe(source, out)
    quiet, _ = await encode.first_playable(source, film, Cut(3000, 3000), out)
    assert heard(quiet.path).lufs == pytest.approx(loudness.TARGET_LUFS, abs=1)


@given(lufs=st.floats(-70, 0), peak_db=st.floats(-70, 6))
def test_gain_has_bounds(lufs: float, peak_db: float) -> None:
    found = Loudness(lufs, peak_db)
    assert found.gain_db <= loudness.MOST_GAIN_DB
    assert found.gain_db == 0 or lufs + found.gain_db <= loudness.TARGET_LUFS + 0.01
    over_db = peak_db + found.gain_db - loudness.PEAK_DB
    assert over_db <= loudness.MOST_LIMITED_DB + 0.01 or found.gain_db == 0


def test_words_of_another_form_say_nothing() -> None:
    assert loudness.parsed(b"") is None
    assert loudness.parsed(b"\n    I:  nan LUFS\n    Peak: 3.0 dBFS") is None
    assert loudness.parsed(b"\n    I:         -23.1 LUFS\n\n    Peak:        -inf dBFS") == (
        Loudness(-23.1, -99.0)
    )


@needs_fence
async def test_what_can_hardly_be_heard_is_not_blown_up(tmp_path: Path) -> None:
    source = sounding(tmp_path / "a.mov", f"{VOICES},volume=-26dB")
    before = heard(source)
    after = heard(await made(source, tmp_path / "out"))
    assert after.lufs == pytest.approx(before.lufs + loudness.MOST_GAIN_DB, abs=1)
