"""A film is a whole file with picture and sound, or no file at all."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from luciole.demo import film
from luciole.demo.draw import HEIGHT, WIDTH
from luciole.demo.film import FilmFailed, Job


@pytest.mark.parametrize("scene", ["rain", "coral"])  # The second is drawn at half size.
def test_film_has_picture_and_sound(tmp_path: Path, scene: str) -> None:
    path = tmp_path / "film.mp4"
    film.render(Job(scene, "bells", 0.5, 7), path)
    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.codec_context.width, video.codec_context.height) == (WIDTH, HEIGHT)
        assert video.codec_context.name == "h264"
        assert audio.codec_context.name.startswith("aac")
        assert sum(1 for _ in file.decode(video=0)) == 12
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


def test_encoder_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "WIDTH", 16_386)  # Wider than any picture that H.264 takes.
    with pytest.raises(FilmFailed) as told:
        film.render(Job("rain", "bells", 0.2, 7), tmp_path / "film.mp4")
    assert "could not be encoded" in told.value.sentence
    assert list(tmp_path.iterdir()) == []
