"""Whether a stranger's file is, in every respect that matters, one that our encoder makes.

Who brings an export along brings files that claim to be renditions. They are a stranger's. One is
taken as it is only if all of this holds, else it is encoded anew like any other film:

1. Muxing its tracks again with our options gives the same file, byte for byte. So it has no box,
   no track, no metadata and no gap that our own muxer would not write. (Three numbers are compared
   otherwise: the rates, which say what the encoder was told, have to be those of our rung, and the
   lengths of the tracks, which end with the last frame, may differ by a quarter of a second.)
   The video is passed through a filter that lets slices and parameter sets pass only, so that it
   has no SEI and no other units. A file in segments is put together to one piece first, of which
   this has to hold, and which has to give the same file, byte for byte, when it is cut again.
2. It is H.264 High, upright, BT.709 in narrow range with square pixels, of a size, rate and weight
   that its rung may have; its sound, if there is any, AAC, stereo, 48 kHz.
3. All of it decodes without a single error.

Each step that parses the file runs in the fence. What this cannot exclude is a stream that was
made by somebody else's encoder with these same properties: it plays, it hides nothing in the file,
and a decoder that is honest about errors finds none.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from luciole.cell.media import encode, fence, packaging, probe, sealing, soundtrack
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.fence import Limits, Outcome
from luciole.cell.media.model import NotOurs
from luciole.cell.media.probe import Facts, Unreadable
from luciole.cell.media.rungs import FIRST, REST, Rung

RUNGS = {rung.name: rung for rung in (FIRST, *REST)}
UNITS = "filter_units=pass_types=1|5|7|8"
DECODERS = {"film": "h264,aac", "picture": "webp,vp8"}
BT709 = 1
MOST_TIMESCALE = 1_000_000
# The sample entry of ISO/IEC 14496-12, 12.2.3.2: two channels of 16 bits at 48,000 Hz.
SOUND = b"mp4a" + bytes(6) + b"\0\1" + bytes(8) + b"\0\2\0\x10" + bytes(4) + b"\xbb\x80\0\0"
HIGH = b"avcC\1\x64"
CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"}
# Where a duration is in a box of version 0 (ISO/IEC 14496-12, 8.2.2, 8.3.2, 8.6.6).
DURATION_AT = {b"mvhd": 16, b"tkhd": 20, b"elst": 8}
# The rate runs ahead of the cap by the buffer at most; a short film has little else.
ROOM_BYTES = 65_536
LENGTH_MS = 500


async def rendition(
    source: Path, name: str, work_dir: Path, longest_ms: int
) -> tuple[Encoded, bool]:
    """The file as a rendition of ours, and whether it has sound. Raises NotOurs; nothing else
    that the file could bring about."""
    rung = RUNGS.get(name)
    if rung is None:
        raise NotOurs
    bare = work_dir / f"bare-{name}.mp4"
    try:
        # The seal of the cell that it comes from is no part of what our muxer makes.
        if await asyncio.to_thread(sealing.bare, source, bare):
            source = bare
    except EncodingFailed as error:
        raise NotOurs from error
    if not await asyncio.to_thread(packaging.is_fragmented, source):
        return await _whole(source, name, rung, work_dir, longest_ms)
    # In segments: our own muxer writes its streams as one piece, which is judged as ever; and cut
    # again, that piece has to give the same file.
    plain = work_dir / f"plain-{name}.mp4"
    try:
        await packaging.unpack(source, plain)
        made, has_sound = await _whole(plain, name, rung, work_dir, longest_ms, is_joined=True)
        (again,) = await packaging.pack([made], work_dir)
    except EncodingFailed as error:
        raise NotOurs from error
    if not await asyncio.to_thread(filecmp.cmp, source, again.path, shallow=False):
        raise NotOurs
    return made, has_sound


async def _whole(
    source: Path,
    name: str,
    rung: Rung,
    work_dir: Path,
    longest_ms: int,
    *,
    is_joined: bool = False,
) -> tuple[Encoded, bool]:
    timescale = await asyncio.to_thread(_timescale, source)
    again = work_dir / "again.mp4"
    outcome = await _run(source, work_dir, _remux(source, timescale, again), "film")
    has_sound = await asyncio.to_thread(_compare, source, again, rung, outcome, is_joined)
    again.unlink()
    try:
        film = await probe.probe(source, work_dir)
    except Unreadable as refusal:
        raise NotOurs from refusal
    size_bytes = encode.size_bytes(source)
    duration_ms = encode.duration_ms(source)
    if not _is_shape(film.facts, film.fps, rung) or has_sound != film.has_audio:
        raise NotOurs
    if duration_ms > longest_ms + 2 * LENGTH_MS:
        raise NotOurs
    heaviest = (rung.cap_bps + soundtrack.AUDIO_BPS) * duration_ms // 1000 + rung.buffer_bits
    if size_bytes > heaviest // 8 * 5 // 4 + ROOM_BYTES:
        raise NotOurs
    if abs(film.duration_ms - duration_ms) > LENGTH_MS:
        raise NotOurs
    await _decodes(source, work_dir, "film")
    size = (film.facts.width, film.facts.height)
    return Encoded(name, source, *size, size_bytes, duration_ms), has_sound


async def still(source: Path, width: int, height: int, work_dir: Path) -> None:
    """Returns if the file is a WebP as ours are, of this size. Raises NotOurs."""
    head = await asyncio.to_thread(_head, source, 30)
    if len(head) < 30:
        raise NotOurs
    size_bytes = encode.size_bytes(source)
    # RFC 9649, section 2.5: one lossy picture, no other chunk. Section 2.6, RFC 6386 9.1: a key
    # frame that begins with its size.
    if (
        head[:4] != b"RIFF"
        or struct.unpack_from("<I", head, 4)[0] != size_bytes - 8
        or head[8:16] != b"WEBPVP8 "
        or size_bytes - 20 - struct.unpack_from("<I", head, 16)[0] not in (0, 1)
        or head[23:26] != b"\x9d\x01\x2a"
        or struct.unpack_from("<HH", head, 26) != (width, height)
    ):
        raise NotOurs
    await _decodes(source, work_dir, "picture")


def _is_shape(facts: Facts, fps: float, rung: Rung) -> bool:
    short, long = sorted((facts.width, facts.height))
    fits = short == rung.short_side or (rung == FIRST and short < rung.short_side)
    return (
        facts.container == "mov"
        and facts.codec == "h264"
        and fits
        and long <= 4096
        and facts.width % 2 == facts.height % 2 == 0
        and facts.pixel_ratio == 1.0
        and facts.matrix == [1 << 16, 0, 0, 1 << 16]
        and facts.transfer == facts.primaries == facts.matrix_coefficients == BT709
        and not facts.is_interlaced
        and not facts.is_full_range
        and facts.bits == 8
        and fps <= rung.top_fps * 1.1 + 1
    )


def _remux(source: Path, timescale: int, target: Path) -> list[str]:
    return [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-xerror", "-y",
        "-protocol_whitelist", "file", "-format_whitelist", "mov",
        "-i", str(source), "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-bsf:v", UNITS,
        *encode.CLEAN, "-movie_timescale", str(timescale), "-f", "mp4", str(target),
    ]  # fmt: skip


def _compare(source: Path, again: Path, rung: Rung, outcome: Outcome, is_joined: bool) -> bool:
    """Whether there is sound, if both files are the same but for what the encoder was told."""
    if outcome.code != 0 or outcome.stderr:
        raise NotOurs
    size_bytes = encode.size_bytes(again)
    if size_bytes != encode.size_bytes(source):
        raise NotOurs
    with source.open("rb") as one, again.open("rb") as other:
        # 1. The head, with all boxes but the last one.
        theirs = bytearray(one.read(encode.MOST_HEAD_BYTES))
        ours = other.read(encode.MOST_HEAD_BYTES)
        boxes = list(_boxes(ours, 0, len(ours)))
        timescale = 0
        for name, start, end in boxes:
            if name == b"mvhd":
                (timescale,) = struct.unpack_from(">I", ours, start + 12)
            if name in DURATION_AT:
                _allow(theirs, ours, start + DURATION_AT[name], timescale // 4)
            elif name == b"stsd":
                _rates(theirs, ours, start, end, rung, is_joined)
        sounds = ours.count(SOUND)
        if theirs != ours or ours.count(HIGH) != 1 or sounds != ours.count(b"soun") or sounds > 1:
            raise NotOurs
        # 2. The rest.
        while chunk := one.read(1 << 20):
            if chunk != other.read(1 << 20):
                raise NotOurs
    return sounds == 1


def _rates(
    theirs: bytearray, ours: bytes, start: int, end: int, rung: Rung, is_joined: bool
) -> None:
    """The same for the rates in a sample description: in the box `btrt` (buffer in bytes, most and
    mean bits a second), and for sound in its decoder configuration too (ISO/IEC 14496-1, 7.2.6.6).
    Ours come from the samples, theirs are what the encoder was told."""
    at = ours.find(b"btrt", start, end) + 4
    if at < start:
        raise NotOurs
    _, _, mean = struct.unpack_from(">III", ours, at)
    if b"mp4a" in ours[start:end]:
        most = max(soundtrack.AUDIO_BPS, mean)
        told = struct.pack(">III", 0, most, mean)
        if is_joined:
            told = _guessed(theirs, at, mean)
        config = ours.find(b"\x04\x80\x80\x80", start, end) + 10
        if config < start or theirs[config : config + 8] != told[4:]:
            raise NotOurs
        theirs[config : config + 8] = ours[config : config + 8]
    else:
        told = struct.pack(">III", rung.buffer_bits // 8, max(rung.cap_bps, mean), 0)
        if is_joined:
            told = _guessed(theirs, at, mean)
    if theirs[at : at + 12] != told:
        raise NotOurs
    theirs[at : at + 12] = ours[at : at + 12]


def _guessed(theirs: bytearray, at: int, mean: int) -> bytes:
    """The rates of a file that was put together from segments: no encoder told our muxer anything,
    so they are its guesses, and these have to be good."""
    buffer, peak, guess = struct.unpack_from(">III", theirs, at)
    if buffer or abs(guess - mean) > mean // 10 or not guess <= peak <= 2 * max(guess, mean):
        raise NotOurs
    return bytes(theirs[at : at + 12])


def _allow(theirs: bytearray, ours: bytes, at: int, most: int) -> None:
    """Takes our number for theirs where they are as good as the same."""
    (one,), (other,) = struct.unpack_from(">I", theirs, at), struct.unpack_from(">I", ours, at)
    if abs(one - other) <= most:
        theirs[at : at + 4] = ours[at : at + 4]


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a file that our muxer wrote: name, and where their contents begin and end."""
    while start + 8 <= end:
        size_bytes, name = struct.unpack_from(">I4s", data, start)
        if size_bytes < 8:
            return
        upto = min(end, start + size_bytes)
        yield name, start + 8, upto
        if name in CONTAINERS:
            yield from _boxes(data, start + 8, upto)
        start += size_bytes


async def _decodes(source: Path, work_dir: Path, what: str) -> None:
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-xerror", "-err_detect", "explode",
        "-protocol_whitelist", "file", "-codec_whitelist", DECODERS[what],
        "-i", str(source), "-map", "0", "-fps_mode", "passthrough", "-enc_time_base", "1:90000",
        "-f", "null", "-",
    ]  # fmt: skip
    outcome = await _run(source, work_dir, arguments, what)
    if outcome.code != 0 or outcome.stderr:
        raise NotOurs


async def _run(source: Path, work_dir: Path, arguments: list[str], what: str) -> Outcome:
    size_bytes = encode.size_bytes(source)
    seconds = 60 + size_bytes // 500_000
    limits = Limits(
        wall_s=seconds,
        cpu_s=seconds,
        memory_bytes=2048 * fence.MIB,
        file_bytes=size_bytes + fence.MIB if what == "film" else 0,
        nice=encode.LADDER_NICE,
    )
    return await fence.run(arguments, reads=[source], writes=[work_dir], limits=limits)


def _timescale(source: Path) -> int:
    """The time scale of the movie header, at the place where our muxer writes it: behind `ftyp`
    and the heads of `moov` and `mvhd` (ISO/IEC 14496-12, 8.2.2, version 0)."""
    head = _head(source, 64)
    if len(head) < 64 or head[4:8] != b"ftyp" or head[44:48] != b"mvhd" or head[48] != 0:
        raise NotOurs
    (timescale,) = struct.unpack_from(">I", head, 60)
    if not 0 < timescale <= MOST_TIMESCALE:
        raise NotOurs
    return int(timescale)


def _head(source: Path, size_bytes: int) -> bytes:
    with source.open("rb") as file:
        return os.read(file.fileno(), size_bytes)
