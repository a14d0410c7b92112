"""Renditions in AV1 for films that are watched: about half of the bytes are saved for almost three
times the work (docs/reference/performance.md), which pays where many fetch them.

The uploaded film is gone by then, so they are made from the largest rendition, and only of sizes
below it: what its own encoder has left out shows little once it is scaled down. A film that is no
larger than its first rendition gets none.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from luciole.cell.media import encode, fence, quality, soundtrack
from luciole.cell.media.encode import CLEAN, Encoded, EncodingFailed
from luciole.cell.media.fence import Limits
from luciole.cell.media.filters import MUCH_LARGER, graph
from luciole.cell.media.probe import Probe
from luciole.cell.media.rungs import FIRST, REST, Cut, Rung
from luciole.cell.media.soundtrack import Levels, Track

PRESET = 8
THREADS = 2
NICE = 19
# The last frame and the last piece of sound may end apart.
MOST_SHORT_MS = 250
# Not of 1080 lines, which are the largest there is: drawn anew in their own size, most films lose
# more than two points of VMAF before a byte is saved (bench/results/av1-top.md).
RUNGS = (
    Rung("720", 720, 36.0, 2_600_000, 60),
    Rung(FIRST.name, FIRST.short_side, 36.0, 1_500_000, 30),
)
LADDER = tuple(rung.name for rung in (*REST, FIRST))


def rungs(names: Collection[str]) -> list[Rung]:
    """What is made of a film that has renditions of these names, highest first; maybe nothing."""
    largest = min((LADDER.index(name) for name in names if name in LADDER), default=len(LADDER))
    below = LADDER[largest + 1 :]
    return [rung for rung in RUNGS if rung.name in names and rung.name in below]


def video(rung: Rung, threads: int) -> list[str]:
    """The options of the encoder for a rung."""
    return [
        "-c:v", "libsvtav1", "-preset", str(PRESET), "-pix_fmt", "yuv420p",
        "-svtav1-params", f"lp={threads}",
        "-crf", str(round(rung.crf)), "-maxrate", str(rung.cap_bps),
        "-bufsize", str(rung.buffer_bits),
        # As for H.264: a closed group of pictures each second, by time.
        "-force_key_frames", "expr:gte(t,n_forced)", "-g", "600",
        "-flags:v", "+cgop+bitexact", "-a53cc", "0",
        # No metadata units (AV1 specification, 6.2.2) and no padding.
        "-bsf:v", "filter_units=remove_types=5|15",
        "-fps_mode", "vfr", "-enc_time_base", "1:90000",
    ]  # fmt: skip


SCALE = quality.Scale((30.0, 44.0), 22.0, 55.0, video)


async def made(
    source: Path,
    film: Probe,
    cut: Cut,
    wanted: list[Rung],
    crf: float,
    out_dir: Path,
    track: Track | None,
) -> list[Encoded]:
    """A rendition of ours in AV1, in each of these sizes, with the sound of `track`. Raises
    EncodingFailed, Unreadable."""
    rungs = [msgspec.structs.replace(rung, crf=crf) for rung in wanted]
    outputs = [out_dir / f"{rung.name}-av1.mp4" for rung in rungs]
    sizes = [encode.scaled(film.width, film.height, rung.short_side) for rung in rungs]
    is_shrunk = film.height >= sizes[0][1] * MUCH_LARGER
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
        *encode.ffmpeg_input(source, cut, is_shrunk=is_shrunk),
        *soundtrack.reads(track, cut.length_ms),
        "-filter_complex", graph(film, cut, rungs, sizes),
    ]  # fmt: skip
    for rung, path in zip(rungs, outputs, strict=True):
        arguments += ["-map", f"[{rung.name}]"]
        arguments += soundtrack.output(track, film.facts.audio_index, Levels()) if track else []
        arguments += [*video(rung, THREADS), *CLEAN, "-f", "mp4", str(path)]
    seconds = cut.length_ms / 1000
    limits = Limits(
        wall_s=300 + seconds * 60,
        cpu_s=int(300 + seconds * 40),
        memory_bytes=8192 * fence.MIB,
        nice=NICE,
    )
    reads = [source, *([track.path] if track else [])]
    encode.raise_for(await fence.run(arguments, reads=reads, writes=[out_dir], limits=limits))
    found = [
        Encoded(rung.name, path, *size, encode.size_bytes(path), encode.duration_ms(path))
        for rung, path, size in zip(rungs, outputs, sizes, strict=True)
    ]
    if any(abs(one.duration_ms - cut.length_ms) > MOST_SHORT_MS for one in found):
        raise EncodingFailed("the output does not have the length of the film")
    return found
