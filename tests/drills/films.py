"""The films of the drills: each of one colour, so that what plays can be told from the others; a
few that are broken on purpose; and real ones where there is a corpus."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.unit.media import films

from luciole.cell.media import encode

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "red": (200, 30, 40),
    "green": (30, 160, 60),
    "blue": (40, 60, 200),
    "sand": (210, 190, 120),
}
# Size, seconds and noise: in one piece or several, without and with a ladder above the first.
KINDS = {"tiny": ("90x160", 0.4, 0), "middle": ("360x640", 1.2, 6), "tall": ("720x1280", 0.6, 4)}
# Phone videos of a second or two.
REAL = ("sample_portrait.mp4", "pixel_motion_photo_2_hevc_tracks.mp4")
# How far a colour may drift through two encodings.
NEAR = 18


@dataclass(frozen=True)
class Film:
    """`end` is what should become of it. `colour` is None for real films."""

    name: str
    data: bytes
    end: str
    colour: Colour | None = None
    duration_ms: int = 0


def make(folder: Path) -> list[Film]:
    """Draws them all; some are there twice, because they should come up more often."""
    made = []
    for kind, (size, seconds, noise) in KINDS.items():
        for name, colour in COLOURS.items():
            path = folder / f"{kind}-{name}.mp4"
            picture = f"color=c=0x{bytes(colour).hex()}:s={size}:r=15:d={seconds}"
            films.run(
                *("-f", "lavfi", "-i", picture),
                *("-f", "lavfi", "-i", f"sine=440:d={seconds}"),
                *("-vf", f"noise=alls={noise}:allf=t"),
                *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
                *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
                str(path),
            )
            film = Film(
                f"{kind}_{name}", path.read_bytes(), "published", colour, int(seconds * 1000)
            )
            made += [film] * (3 if kind == "tiny" else 1)
    whole = (folder / "middle-red.mp4").read_bytes()
    made += [
        # Without its end an MP4 has no table of its frames.
        Film("cut_off", whole[: len(whole) * 2 // 3], "refused"),
        Film("text", b"This is not a film. " * 1000, "refused"),
    ]
    corpus = os.environ.get("LUCIOLE_CORPUS")
    if corpus:
        for name in REAL:
            path = Path(corpus) / "videos" / "phone" / name
            made.append(Film(Path(name).stem, path.read_bytes(), "published"))
    return made


def watch(path: Path, colour: Colour | None) -> str:
    """What is wrong with a rendition; empty when every frame can be decoded and shows its film."""
    done = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-xerror", "-i", str(path), "-vf", "scale=1:1:flags=area",
         "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode or not done.stdout:
        return f"cannot be decoded: {done.stderr[-200:]!r}"
    if colour is not None:
        for at in range(0, len(done.stdout), 3):
            shown = done.stdout[at : at + 3]
            if any(abs(a - b) > NEAR for a, b in zip(shown, colour, strict=True)):
                return f"shows {tuple(shown)} instead of {colour}"
    return ""
