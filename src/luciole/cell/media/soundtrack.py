"""The sound of a clip, where it is not only the film's own: options and filters for FFmpeg.

Another film's sound is read from a rendition of ours; where it is shorter than the picture, it
begins again. The ladder takes the finished sound of the first rendition over as it is, so that all
renditions sound alike, whatever became of the other film meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

AUDIO_BPS = 96_000
# Holes in the sound are filled, so that it stays with the picture.
FILLED = "aresample=async=1:first_pts=0"
# Both at their full strength; what is too loud together is turned down, not cut off.
MIXED = "amix=inputs=2:duration=longest:normalize=0,alimiter=limit=0.97:level=0"

ENCODED = [
    "-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ac", "2", "-ar", "48000", "-flags:a", "+bitexact",
]  # fmt: skip
ALONE = [*ENCODED, "-af", FILLED]


class Track(msgspec.Struct, frozen=True):
    """A file whose sound is taken: in the place of the film's own, with it, or `ready` as it is."""

    path: Path
    mode: Literal["replace", "mix", "ready"]


def reads(track: Track | None, length_ms: int) -> list[str]:
    """The options that read it as the second input."""
    if track is None:
        return []
    return [
        "-protocol_whitelist", "file", "-format_whitelist", "mov", "-codec_whitelist", "aac,h264",
        *(["-stream_loop", "-1", "-t", f"{length_ms}ms"] if track.mode != "ready" else []),
        "-vn", "-i", str(track.path),
    ]  # fmt: skip


def filters(track: Track | None, own_index: int | None) -> str:
    """What joins both sounds, for the filter graph; empty where there is nothing to join."""
    if track is None or track.mode != "mix" or own_index is None:
        return ""
    return f";[0:{own_index}]{FILLED}[own];[1:a:0]{FILLED}[other];[own][other]{MIXED}[sound]"


def output(track: Track | None, own_index: int | None) -> list[str]:
    """The options of an output; none where it is silent."""
    if track is not None and track.mode == "ready":
        return ["-map", "1:a:0", "-c:a", "copy"]
    if track is not None and track.mode == "mix" and own_index is not None:
        return ["-map", "[sound]", *ENCODED]
    if track is not None:
        return ["-map", "1:a:0", *ALONE]
    if own_index is not None:
        return ["-map", f"0:{own_index}", *ALONE]
    return []
