"""Render one scene with its music to a vertical H.264 and AAC file, at little cost.

Try one: `python -m luciole.demo.film fireflies out.mp4` takes a clip of the reel or a scene.
"""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import msgspec

from luciole.demo import reel
from luciole.demo.draw import FRAMES_PER_SECOND, HEIGHT, WIDTH
from luciole.demo.music import SAMPLES_PER_SECOND, compose
from luciole.demo.scenes import SCENES, Take
from luciole.kit.errors import Unavailable


class Job(msgspec.Struct, frozen=True):
    """One film to make."""

    scene: str
    mood: str
    seconds: float
    seed: int
    look: str = ""


class FilmFailed(Unavailable):
    code = "film-failed"
    sentence = "A demo film could not be made."
    next_step = "Run `./luciole doctor`, which checks the encoder."


def render(job: Job, path: Path) -> None:
    """Draw, compose and encode; the file appears at `path` only when it is whole."""
    take = Take(seconds=job.seconds, seed=job.seed, look=job.look)
    with TemporaryDirectory(dir=path.parent, prefix=".film-") as folder:
        sound, film = Path(folder, "sound.wav"), Path(folder, "film.mp4")
        _write_sound(sound, job.mood, take)
        _encode(job.scene, take, sound, film)
        os.replace(film, path)


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
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert encoder.stdin is not None
    try:
        encoder.stdin.writelines(first.data())
        for frame in frames:
            encoder.stdin.writelines(frame.data())
    except BrokenPipeError:
        pass  # The encoder has said why on its error stream; communicate() below reads it.
    except BaseException:
        encoder.kill()
        encoder.wait()
        raise
    _, complaint = encoder.communicate()
    if encoder.returncode != 0:
        said = complaint.decode(errors="replace")[:300]
        raise FilmFailed(f"A demo film could not be encoded: {said}")


class Order(msgspec.Struct, frozen=True):
    """A line of work on the standard input of a studio process."""

    job: Job
    path: str


def studio() -> None:
    """Make one film per line of standard input and answer `done`, until the input ends.

    One process makes many films, because starting Python and numpy costs as much as a third of
    one. The input ends too when whoever asked for films is killed; nothing is left running.
    """
    os.nice(5)  # The cell that shows the films comes first.
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        try:
            render(order.job, Path(order.path))
            print("done", flush=True)
        except Exception as error:
            print(f"failed {type(error).__name__}: {error!s:.300}".replace("\n", " "), flush=True)


def main(arguments: list[str]) -> None:
    if arguments == ["studio"]:
        studio()
        return
    name, target, *rest = arguments
    clip = next((c for c in reel.CLIPS if c.key == name), None)
    if clip is not None:
        render(Job(clip.scene, clip.mood, clip.seconds, clip.seed, clip.look), Path(target))
    else:
        seconds, look, mood = (rest + ["6", "", "bells"][len(rest) :])[:3]
        render(Job(name, mood, float(seconds), 7, look), Path(target))


if __name__ == "__main__":
    main(sys.argv[1:])
