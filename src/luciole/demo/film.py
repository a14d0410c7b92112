"""Render one scene with its music to a vertical H.264 and AAC file, at little cost.

Try one: `python -m luciole.demo.film fireflies out.mp4`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import numpy as np

from luciole.demo.draw import FRAMES_PER_SECOND, HEIGHT, WIDTH
from luciole.demo.music import SAMPLES_PER_SECOND, compose
from luciole.demo.scenes import SCENES, Take
from luciole.kit.errors import Unavailable


def render(
    scene: str, path: Path, seed: int, *, seconds: float, mood: str, look: str = ""
) -> Path:
    """Draw, compose and encode; the file appears at `path` only when it is whole."""
    take = Take(seconds=seconds, seed=seed, look=look)
    with TemporaryDirectory(dir=path.parent, prefix=".film-") as folder:
        sound, film = Path(folder, "sound.wav"), Path(folder, "film.mp4")
        _write_sound(sound, mood, take)
        _encode(scene, take, sound, film)
        os.replace(film, path)
    return path


def _write_sound(path: Path, mood: str, take: Take) -> None:
    samples = compose(mood, take.seconds, take.seed)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLES_PER_SECOND)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _encode(scene: str, take: Take, sound: Path, film: Path) -> None:
    """One encoder process, fed with raw planes. `ultrafast`: the cell encodes it again anyway."""
    frames = SCENES[scene](take)
    first = next(frames)
    width, height = first.size
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}"]
    command += ["-r", str(FRAMES_PER_SECOND), "-i", "pipe:0", "-i", str(sound)]
    if (width, height) != (WIDTH, HEIGHT):
        command += ["-vf", f"scale={WIDTH}:{HEIGHT}:flags=bicubic"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "21", "-threads", "1"]
    command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    command += ["-color_range", "tv", "-c:a", "aac", "-aac_coder", "fast", "-b:a", "160k"]
    command += ["-shortest", "-movflags", "+faststart", "-fflags", "+bitexact", str(film)]
    encoder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert encoder.stdin is not None
    try:
        encoder.stdin.write(first.data())
        for frame in frames:
            encoder.stdin.write(frame.data())
    except BrokenPipeError:
        pass  # The encoder has said why on its error stream; communicate() below reads it.
    except BaseException:
        encoder.kill()
        encoder.wait()
        raise
    _, complaint = encoder.communicate()
    if encoder.returncode != 0:
        raise Unavailable(
            sentence=f"A demo film could not be encoded: {complaint.decode(errors='replace')[:300]}",
            next_step="Run `./luciole doctor`, which checks the encoder.",
        )


if __name__ == "__main__":
    name, target = sys.argv[1], Path(sys.argv[2])
    clip_seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 6.0
    clip_look = sys.argv[4] if len(sys.argv) > 4 else ""
    clip_mood = sys.argv[5] if len(sys.argv) > 5 else "bells"
    np.seterr(all="raise", under="ignore")
    render(name, target, 7, seconds=clip_seconds, mood=clip_mood, look=clip_look)
