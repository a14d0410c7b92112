"""The sound of a clip: its own, another film's in the place of it, or both; options and filters for
FFmpeg.

Another film's sound is read from a rendition of ours; where it is shorter than the picture, it
begins again. The ladder takes the finished sound of the first rendition over as it is, so that all
renditions sound alike, whatever became of the other film meanwhile.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from luciole.cell.media.loudness import Loudness

AUDIO_BPS = 96_000
# Holes in the sound are filled, so that it stays with the picture.
FILLED = "aresample=async=1:first_pts=0"
# Two sounds of the same loudness are 3 dB louder together. What is too loud then is turned down,
# not cut off.
MIXED = "amix=inputs=2:duration=longest:normalize=0,volume=-3dB,alimiter=limit=0.84:level=0"
# The same of two that end together.
BOTH = MIXED.replace("longest", "shortest")

ENCODED = [
    "-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ac", "2", "-ar", "48000", "-flags:a", "+bitexact",
]  # fmt: skip


class Track(msgspec.Struct, frozen=True):
    """A file whose sound is taken: in the place of the film's own, with it, or `ready` as it is."""

    path: Path
    mode: Literal["replace", "mix", "ready"]


class Levels(msgspec.Struct, frozen=True):
    """How loud the film's own sound is, and the other one; None where that is not known."""

    own: Loudness | None = None
    other: Loudness | None = None


def opens(track: Track) -> list[str]:
    """The options that open a track."""
    whitelist = ["-protocol_whitelist", "file", "-format_whitelist", "mov"]
    return [*whitelist, "-codec_whitelist", "aac,h264", "-vn", "-i", str(track.path)]


def reads(track: Track | None, length_ms: int) -> list[str]:
    """The options that read it as the second input, as often as the picture is long."""
    if track is None:
        return []
    again = ["-stream_loop", "-1", "-t", f"{length_ms}ms"] if track.mode != "ready" else []
    return [*again, *opens(track)]


def filters(track: Track | None, own_index: int | None, levels: Levels) -> str:
    """What joins both sounds, for the filter graph; empty where there is nothing to join."""
    if track is None or track.mode != "mix" or own_index is None:
        return ""
    own, other = _chain(levels.own), _chain(levels.other)
    return f";[0:{own_index}]{own}[own];[1:a:0]{other}[other];[own][other]{MIXED}[sound]"


def output(track: Track | None, own_index: int | None, levels: Levels) -> list[str]:
    """The options of an output; none where it is silent."""
    if track is not None and track.mode == "ready":
        return ["-map", "1:a:0", "-c:a", "copy"]
    if track is not None and track.mode == "mix" and own_index is not None:
        return ["-map", "[sound]", *ENCODED]
    if track is not None:
        return ["-map", "1:a:0", *ENCODED, "-af", _chain(levels.other)]
    if own_index is not None:
        return ["-map", f"0:{own_index}", *ENCODED, "-af", _chain(levels.own)]
    return []


def _chain(loudness: Loudness | None) -> str:
    return ",".join([FILLED, *(loudness.filters() if loudness else [])])
