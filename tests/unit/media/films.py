"""Small films of every kind, drawn by FFmpeg, for machines without the corpus."""

from __future__ import annotations

import subprocess
from pathlib import Path

from luciole.cell.media import encode


def make(path: Path, *options: str, seconds: float = 1.0, size: str = "320x240", rate: int = 30,
         sound: bool = True) -> Path:  # fmt: skip
    """A moving test picture with a tone. `options` come before the output."""
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=440:d={seconds}"]
    run(*inputs, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", *options,
        str(path))  # fmt: skip
    return path


def turned(path: Path, source: Path, degrees: int, *, mirrored: bool = False) -> Path:
    """The same film with a display matrix."""
    flip = ["-display_hflip"] if mirrored else []
    run("-display_rotation", str(degrees), *flip, "-i", str(source), "-c", "copy", str(path))
    return path


def cut_off(path: Path, source: Path, share: float) -> Path:
    """The first part of a file, as after a broken transfer."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def frame(path: Path, at_s: float = 0.0, size: str = "32:32") -> list[int]:
    """One frame as RGB numbers, shrunk to `size`, turned as a player would turn it."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-ss", str(at_s), "-i", str(path), "-frames:v", "1",
         "-vf", f"scale={size}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        check=True, capture_output=True,
    )  # fmt: skip
    return list(answer.stdout)


def described(path: Path) -> str:
    """What FFmpeg says about a file."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-i", str(path)], capture_output=True, check=False
    )
    return answer.stderr.decode("utf-8", "replace")


def run(*arguments: str) -> None:
    subprocess.run([encode.ffmpeg(), "-v", "error", "-y", *arguments], check=True)


def key_frames(path: Path) -> list[float]:
    """The times of the key frames in seconds."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-skip_frame", "nokey", "-i", str(path), "-vf",
         "showinfo", "-fps_mode", "passthrough", "-an", "-f", "null", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    words = answer.stderr.decode().split()
    return [float(word.removeprefix("pts_time:")) for word in words if word.startswith("pts_time:")]


def digest(path: Path, kind: str) -> list[str]:
    """The digest of each packet of the first video (`v`) or audio (`a`) track."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-i", str(path), "-map", f"0:{kind}:0", "-c", "copy",
         "-f", "framemd5", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [line for line in answer.stdout.splitlines() if not line.startswith("#")]
    return [line.split(",")[5].strip() for line in lines]
