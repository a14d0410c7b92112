"""Makes renditions and posters with FFmpeg in the fence.

The first playable (540 pixels on the short side) is made alone and published at once; the rest of
the ladder follows from one decode, each rung scaled from the one above it.
"""

from __future__ import annotations

import functools
import os
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import msgspec

from luciole.cell.media import fence, looks, loudness, soundtrack, tonemap
from luciole.cell.media.fence import Limits, Outcome
from luciole.cell.media.filters import MUCH_LARGER, graph
from luciole.cell.media.looks import Looks
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.probe_child import (
    AUDIO_DECODERS,
    DEMUXERS,
    MOST_PIXELS,
    VIDEO_DECODERS,
)
from luciole.cell.media.rungs import FIRST, REST, Cut, Rung
from luciole.cell.media.soundtrack import Levels, Track

OnProgress = Callable[[int], None]

# Share of the expected length below which an encoding counts as failed.
ENOUGH_OF_IT = 0.5
NO_ROOM = "No space left on device"  # strerror(3), as FFmpeg prints it
# Where the film's own head ends at the latest in a file that `+faststart` laid out.
HEAD_BYTES = 256
# A head of three minutes at 60 frames a second has some 300 KB.
MOST_HEAD_BYTES = 4 * 1024 * 1024
POSTER = "poster.webp"
POSTER_QUALITY = 78
# FFmpeg decodes, filters and encodes in threads of their own anyway. For the first rendition,
# decoding takes longer than all the rest, so it gets the threads; x264's cost CPU.
READ_THREADS = LADDER_THREADS = min(4, os.cpu_count() or 1)
FIRST_THREADS = max(1, LADDER_THREADS // 2)
# What x264 leaves out against its preset for the first rendition. The look-ahead stays: without
# it, the same quality takes twice the bytes.
FIRST_EFFORT = "subme=1:me=dia:partitions=i8x8,i4x4"
FIRST_NICE = 5
LADDER_NICE = 10


class Encoded(msgspec.Struct, frozen=True):
    """A finished file."""

    name: str
    path: Path
    width: int
    height: int
    size_bytes: int
    duration_ms: int
    seal_bytes: int = 0
    """Of the credentials that were signed onto it, beside `size_bytes`."""

    @property
    def bitrate_bps(self) -> int:
        return self.size_bytes * 8000 // max(1, self.duration_ms)


class EncodingFailed(Exception):
    """FFmpeg ended badly on a file that had been probed well."""


async def first_playable(
    source: Path,
    film: Probe,
    cut: Cut,
    out_dir: Path,
    on_progress: OnProgress | None = None,
    track: Track | None = None,
) -> tuple[Encoded, Encoded]:
    """The 540 rendition, or smaller where the film is, and the poster. Raises Unreadable,
    EncodingFailed."""
    (only,) = await _encode(source, film, cut, [FIRST], out_dir, on_progress, track)
    still = out_dir / POSTER
    return only, Encoded("poster", still, only.width, only.height, size_bytes(still), 0)


async def ladder(
    source: Path,
    film: Probe,
    cut: Cut,
    out_dir: Path,
    on_progress: OnProgress | None = None,
    track: Track | None = None,
    crf: float | None = None,
) -> list[Encoded]:
    """The renditions above the first, as far as the film has the pixels; maybe none. With `track`,
    the finished sound of the first one is theirs; with `crf`, that quality."""
    rungs = rungs_above(film)
    if crf is not None:
        rungs = [msgspec.structs.replace(rung, crf=crf) for rung in rungs]
    return await _encode(source, film, cut, rungs, out_dir, on_progress, track) if rungs else []


async def glance(source: Path, film: Probe, cut: Cut, out_dir: Path) -> Looks:
    """The looks of a film that is encoded already. Raises EncodingFailed, NoLooks, Unreadable."""
    size = scaled(film.width, film.height, FIRST.short_side)
    is_shrunk = film.height >= size[1] * MUCH_LARGER
    nothing = ["-f", "null", "-"]
    arguments = [
        ffmpeg(), "-nostdin", "-v", "error", "-y",
        *ffmpeg_input(source, cut, is_shrunk=is_shrunk),
        "-filter_complex", graph(film, cut, [FIRST], [size]),
        "-map", f"[{FIRST.name}]", *nothing, "-map", "[poster]", *nothing,
        *looks.outputs(out_dir),
    ]  # fmt: skip
    limits = Limits(wall_s=300, cpu_s=300, memory_bytes=4096 * fence.MIB, nice=LADDER_NICE)
    raise_for(await fence.run(arguments, reads=[source], writes=[out_dir], limits=limits))
    return looks.seen(out_dir, *size, cut)


async def silenced(source: Path, name: str, size: tuple[int, int], out_dir: Path) -> Encoded:
    """A rendition of ours without its sound; the picture stays as it is. Raises EncodingFailed."""
    path = out_dir / f"{name}.mp4"
    arguments = [
        ffmpeg(), "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file",
        "-format_whitelist", "mov", "-i", str(source), "-map", "0:v:0", "-c", "copy",
        *CLEAN, "-f", "mp4", str(path),
    ]  # fmt: skip
    limits = Limits(wall_s=120, cpu_s=60, nice=LADDER_NICE)
    outcome = await fence.run(arguments, reads=[source], writes=[out_dir], limits=limits)
    if outcome.code != 0:
        raise failed(outcome)
    return Encoded(name, path, *size, size_bytes(path), duration_ms(path))


def rungs_above(film: Probe) -> list[Rung]:
    """The rungs of the ladder beyond the first, highest first. Nothing is scaled up."""
    return [rung for rung in REST if min(film.width, film.height) >= rung.short_side]


def scaled(width: int, height: int, short_side: int) -> tuple[int, int]:
    """The size with this short side at most, even in both directions as 4:2:0 wants."""
    share = min(1.0, short_side / min(width, height))
    return tuple(max(2, int(side * share / 2 + (0.5 if share < 1 else 0)) * 2)
                 for side in (width, height))  # type: ignore[return-value]  # fmt: skip


def ffmpeg_input(
    source: Path, cut: Cut, *, is_shrunk: bool, threads: int = READ_THREADS
) -> list[str]:
    """The options that read the chosen part of the source, and no more than that."""
    decoders = ",".join(sorted(VIDEO_DECODERS | AUDIO_DECODERS))
    arguments = [
        "-protocol_whitelist", "file",
        "-format_whitelist", DEMUXERS,
        "-codec_whitelist", decoders,
        "-max_pixels", str(MOST_PIXELS),
        "-threads", str(threads),
        "-noautorotate",
        # A frame that no other is made from may keep the edges of its blocks where it is scaled
        # down. With all frames the edges add up: a third more bytes, or 4 points of VMAF.
        "-skip_loop_filter", "noref" if is_shrunk else "default",
    ]  # fmt: skip
    if cut.start_ms:
        arguments += ["-ss", f"{cut.start_ms}ms"]
    return [*arguments, "-t", f"{cut.length_ms}ms", "-i", str(source)]


async def _encode(
    source: Path,
    film: Probe,
    cut: Cut,
    rungs: list[Rung],
    out_dir: Path,
    on_progress: OnProgress | None,
    track: Track | None,
) -> list[Encoded]:
    if film.is_hdr:
        tonemap.write(film.facts.transfer, out_dir)
    is_first = rungs == [FIRST]
    threads = FIRST_THREADS if is_first else LADDER_THREADS
    outputs = [out_dir / f"{rung.name}.mp4" for rung in rungs]
    sizes = [scaled(film.width, film.height, rung.short_side) for rung in rungs]
    arguments = [ffmpeg(), "-nostdin", "-v", "error", "-y", "-nostats", "-progress", "pipe:1"]
    is_shrunk = film.height >= sizes[0][1] * MUCH_LARGER
    arguments += ["-max_error_rate", "1", *ffmpeg_input(source, cut, is_shrunk=is_shrunk)]
    arguments += soundtrack.reads(track, cut.length_ms)
    own = film.facts.audio_index
    levels = await _levels(source, film, cut, out_dir, track) if is_first else Levels()
    joined = soundtrack.filters(track, own, levels)
    arguments += ["-filter_complex", graph(film, cut, rungs, sizes) + joined]
    for rung, path in zip(rungs, outputs, strict=True):
        arguments += ["-map", f"[{rung.name}]"]
        arguments += soundtrack.output(track, own, levels)
        arguments += [*video(rung, threads), *CLEAN, "-f", "mp4", str(path)]
    if is_first:
        arguments += ["-map", "[poster]", *_STILL, str(out_dir / POSTER)]
        arguments += looks.outputs(out_dir)
    watch = _Progress(cut.length_ms, on_progress)
    seconds = cut.length_ms / 1000
    outcome = await fence.run(
        arguments,
        reads=[source, *([track.path] if track else [])],
        writes=[out_dir],
        limits=Limits(
            wall_s=120 + seconds * 8 * len(rungs),
            cpu_s=int(120 + seconds * 10 * len(rungs)),
            memory_bytes=4096 * fence.MIB,
            nice=FIRST_NICE if is_first else LADDER_NICE,
        ),
        on_line=watch.line,
    )
    raise_for(outcome)
    if watch.frames < 1 or watch.out_ms < cut.length_ms * ENOUGH_OF_IT:
        raise Unreadable("damaged")
    return [
        Encoded(rung.name, path, *size, size_bytes(path), duration_ms(path))
        for rung, path, size in zip(rungs, outputs, sizes, strict=True)
    ]


async def _levels(
    source: Path, film: Probe, cut: Cut, out_dir: Path, track: Track | None
) -> Levels:
    """How loud the sounds are that will be heard."""
    own = other = None
    index = film.facts.audio_index
    if index is not None and (track is None or track.mode == "mix"):
        inputs = ffmpeg_input(source, cut, is_shrunk=False)
        own = await loudness.of(inputs, f"0:{index}", [source], out_dir, ffmpeg())
    if track is not None and track.mode != "ready":
        inputs = soundtrack.opens(track)
        other = await loudness.of(inputs, "0:a:0", [track.path], out_dir, ffmpeg())
    return Levels(own, other)


def video(rung: Rung, threads: int) -> list[str]:
    """The options of the encoder for a rung."""
    return [
        "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "yuv420p",
        "-threads", str(threads),
        *(["-x264-params", FIRST_EFFORT] if rung == FIRST else []),
        "-crf", str(rung.crf), "-maxrate", str(rung.cap_bps), "-bufsize", str(rung.buffer_bits),
        # A closed group of pictures each second, by time, so that it holds at variable rates.
        "-force_key_frames", "expr:gte(t,n_forced)", "-g", "600", "-sc_threshold", "0",
        "-flags:v", "+cgop+bitexact", "-a53cc", "0",
        # No SEI: x264 writes its settings there, and a camera may have written more.
        "-bsf:v", "filter_units=remove_types=6",
        # Times as fine as the source's: by default they are rounded to the average rate, and of
        # frames that fall together all but one are lost.
        "-fps_mode", "vfr", "-enc_time_base", "1:90000",
    ]  # fmt: skip


_STILL = [
    "-c:v", "libwebp", "-quality", str(POSTER_QUALITY), "-compression_level", "4",
    "-fps_mode", "passthrough", "-map_metadata", "-1", "-flags:v", "+bitexact",
    "-f", "image2", "-update", "1",
]  # fmt: skip

CLEAN = [
    "-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-sn", "-dn",
    "-metadata:s", "encoder=", "-fflags", "+bitexact",
    "-movflags", "+faststart", "-write_tmcd", "0",
]  # fmt: skip


def raise_for(outcome: Outcome) -> None:
    """Raises Unreadable where a limit was met, EncodingFailed where FFmpeg ended badly."""
    if outcome.killed_by in ("time", "cpu", "disk"):
        raise Unreadable("takes-too-long")
    if outcome.code != 0:
        raise failed(outcome)


def failed(outcome: Outcome) -> EncodingFailed:
    """What FFmpeg said last, and before that if it found no room: of many outputs, all that come
    after the full one complain too."""
    said = outcome.stderr[-400:]
    reason = f"{NO_ROOM}; " if NO_ROOM.encode() in outcome.stderr else ""
    return EncodingFailed(f"code {outcome.code}: {reason}{said!r}")


def size_bytes(path: Path) -> int:
    """The size of a plain file that the child made. It may have made something else."""
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise EncodingFailed("no output") from error
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size == 0:
        raise EncodingFailed("the output is not a plain file")
    return found.st_size


def duration_ms(path: Path) -> int:
    """How long a rendition plays, from its movie header (ISO/IEC 14496-12, 8.2.2)."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    at = head.find(b"mvhd")
    if at < 0 or at + 32 > len(head):
        raise EncodingFailed("the output has no movie header")
    form = ">II" if head[at + 4] == 0 else ">IQ"
    scale, units = struct.unpack_from(form, head, at + (16 if head[at + 4] == 0 else 24))
    if scale == 0:
        raise EncodingFailed("the output has no time scale")
    return int(units * 1000 / scale + 0.5)


class _Progress:
    """Follows `-progress` (key=value lines) and tells whole percents as they change."""

    def __init__(self, length_ms: int, tell: OnProgress | None) -> None:
        self.frames = 0
        self.out_ms = 0
        self._length_ms = length_ms
        self._tell = tell
        self._told = -1

    def line(self, text: str) -> None:
        key, _, value = text.partition("=")
        if not value.strip().isdigit():
            return
        if key == "frame":
            self.frames = int(value)
        elif key == "out_time_us":
            self.out_ms = int(value) // 1000
            percent = min(100, self.out_ms * 100 // max(1, self._length_ms))
            if self._tell is not None and percent > self._told:
                self._told = percent
                self._tell(percent)


@functools.cache
def ffmpeg() -> str:
    """Path of the static FFmpeg that the wheel brings."""
    return os.path.realpath(str(imageio_ffmpeg.get_ffmpeg_exe()))
