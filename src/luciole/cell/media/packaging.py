"""Packs what the encoder made into one fragmented MP4 for each rendition, with a byte index.

A segment is a second: a closed group of pictures with its sound, one `moof` and one `mdat`
(ISO/IEC 14496-12, 8.8), so that a player may fetch it alone by its range, in whatever order, and
join it to segments of another rendition. The streams stay as they are.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import encode, fence
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.fence import Limits

SUFFIX = ".seg.mp4"
# Far more than three minutes in seconds, so that a child that went wild fills no memory.
MOST_SEGMENTS = 1_000
MOST_SECTION_BYTES = 64 * 1024

# `delay_moov` is for edit lists: they say where the film begins after the priming of its sound and
# the pictures that are decoded early. The other way, offsets below zero, FFmpeg itself reads
# wrongly: in what it made of such files the sound came 80 ms early.
FRAGMENTED = [
    "-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1", "-sn", "-dn",
    "-metadata:s", "encoder=", "-fflags", "+bitexact", "-write_tmcd", "0",
    "-movflags",
    "+frag_keyframe+delay_moov+default_base_moof+global_sidx+skip_trailer",
]  # fmt: skip

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"}


class Index(msgspec.Struct, frozen=True):
    """Where the segments of a file are: after `init_bytes` one follows the other to its end.
    `codecs` is as RFC 6381 writes it."""

    init_bytes: int
    sizes: tuple[int, ...]
    durations_ms: tuple[int, ...]
    codecs: str


class NotPacked(Exception):
    """A file is not laid out as ours are."""


class Packed(msgspec.Struct, frozen=True):
    """A fragmented file and its index; `of` is what it was made from."""

    of: Encoded
    path: Path
    size_bytes: int
    index: Index
    seal_bytes: int = 0


async def pack(made: Sequence[Encoded], out_dir: Path) -> list[Packed]:
    """The same renditions in segments, in the order given. Raises EncodingFailed."""
    if not made:
        return []
    targets = [out_dir / f"{one.name}{SUFFIX}" for one in made]
    arguments = [encode.ffmpeg(), "-nostdin", "-v", "error", "-y"]
    for one in made:
        arguments += ["-protocol_whitelist", "file", "-format_whitelist", "mov"]
        arguments += ["-i", str(one.path)]
    for number, target in enumerate(targets):
        arguments += ["-map", f"{number}:v:0", "-map", f"{number}:a:0?", "-c", "copy"]
        arguments += [*FRAGMENTED, "-f", "mp4", str(target)]
    limits = Limits(wall_s=120, cpu_s=60, nice=encode.FIRST_NICE)
    reads = [one.path for one in made]
    outcome = await fence.run(arguments, reads=reads, writes=[out_dir], limits=limits)
    if outcome.code != 0:
        raise encode.failed(outcome)
    packed = []
    for one, target in zip(made, targets, strict=True):
        size_bytes = encode.size_bytes(target)
        try:
            index = await asyncio.to_thread(read_index, target)
        except NotPacked as error:
            raise EncodingFailed("the output has no segments") from error
        packed.append(Packed(one, target, size_bytes, index))
    return packed


async def unpack(source: Path, target: Path) -> None:
    """Writes the streams of a fragmented file as one that can be played from its beginning, with
    our own muxer. Raises EncodingFailed."""
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-xerror", "-y", "-protocol_whitelist", "file",
        "-format_whitelist", "mov", "-i", str(source), "-map", "0:v:0", "-map", "0:a:0?",
        "-c", "copy", "-bsf:v", "filter_units=pass_types=1|5|7|8", *encode.CLEAN, "-f", "mp4",
        str(target),
    ]  # fmt: skip
    limits = Limits(wall_s=120, cpu_s=60, nice=encode.LADDER_NICE)
    outcome = await fence.run(arguments, reads=[source], writes=[target.parent], limits=limits)
    if outcome.code != 0 or outcome.stderr:
        raise encode.failed(outcome)


def is_fragmented(path: Path) -> bool:
    """Whether a file claims to be laid out in segments: its movie box says that more follows."""
    try:
        with path.open("rb") as file:
            for name, _, size in _top(file.read(MOST_SECTION_BYTES)):
                if name in (b"moof", b"sidx"):
                    return True
                if name == b"mdat" or size < 8:
                    return False
    except OSError:
        return False
    return False


def read_index(path: Path) -> Index:
    """The byte index of a file that `pack` has written. Raises NotPacked."""
    total = path.stat().st_size
    sizes: list[int] = []
    durations: list[int] = []
    codecs = ""
    init_bytes = 0
    with path.open("rb") as file:
        place = 0
        while place < total:
            file.seek(place)
            head = file.read(8)
            if len(head) < 8:
                raise NotPacked
            size, name = struct.unpack(">I4s", head)
            if size < 8 or place + size > total or len(sizes) > MOST_SEGMENTS:
                raise NotPacked
            if name == b"moov":
                codecs = _codecs(_section(file.read(size - 8), size))
            elif name == b"sidx" and not durations:
                durations = _durations(_section(file.read(size - 8), size))
            elif name == b"moof":
                init_bytes = init_bytes or place
                sizes.append(size)
            elif name == b"mdat":
                if not sizes:
                    raise NotPacked
                sizes[-1] += size
            elif name not in (b"ftyp", b"sidx", b"uuid") or sizes:
                # The seal (`sealing`) is a part of the beginning.
                raise NotPacked
            place += size
    if not sizes or len(sizes) != len(durations) or init_bytes + sum(sizes) != total:
        raise NotPacked
    return Index(init_bytes, tuple(sizes), tuple(durations), codecs)


def _section(data: bytes, size: int) -> bytes:
    if size > MOST_SECTION_BYTES or len(data) != size - 8:
        raise NotPacked
    return data


def _durations(sidx: bytes) -> list[int]:
    """How long each segment lasts, in milliseconds (ISO/IEC 14496-12, 8.16.3). Their sum is exact:
    what rounding takes from one goes to the next."""
    try:
        (timescale,) = struct.unpack_from(">I", sidx, 8)
        at = 12 + (8 if sidx[0] == 0 else 16)
        (count,) = struct.unpack_from(">H", sidx, at + 2)
        units = [struct.unpack_from(">I", sidx, at + 4 + 12 * n + 4)[0] for n in range(count)]
    except (struct.error, IndexError) as error:
        raise NotPacked from error
    if timescale == 0:
        raise NotPacked
    found, so_far, told = [], 0, 0
    for one in units:
        so_far += one
        upto = (so_far * 1000 + timescale // 2) // timescale
        found.append(upto - told)
        told = upto
    return found


def _codecs(moov: bytes) -> str:
    """What a player has to decode (RFC 6381, 3.3), from the sample entries. Raises NotPacked for
    codecs that our encoder does not make."""
    found = []
    for name, start, end in _boxes(moov, 0, len(moov)):
        if name == b"avc1":
            at = moov.find(b"avcC", start, end) + 4
            if at < 4 or at + 4 > end:
                raise NotPacked
            found.append(f"avc1.{moov[at + 1 : at + 4].hex()}")
        elif name == b"av01":
            at = moov.find(b"av1C", start, end) + 4
            if at < 4 or at + 3 > end:
                raise NotPacked
            found.append(_av1(moov[at + 1], moov[at + 2]))
        elif name == b"mp4a":
            found.append("mp4a.40.2")
        elif name == b"Opus":
            found.append("opus")
    if not found or not found[0].startswith(("avc1", "av01")) or len(found) > 2:
        raise NotPacked
    return ",".join(found)


def _av1(profile_level: int, flags: int) -> str:
    """AV1 Codec ISO Media File Format Binding, 2.3 and 5."""
    bits = 10 if flags & 0x40 else 8
    tier = "H" if flags & 0x80 else "M"
    return f"av01.{profile_level >> 5}.{profile_level & 31:02}{tier}.{bits:02}"


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Boxes with those inside: name, and where their contents begin and end."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            raise NotPacked
        yield name, start + 8, start + size
        if name in CONTAINERS:
            # A list of sample entries begins with its version and their number.
            inner = start + (16 if name == b"stsd" else 8)
            yield from _boxes(data, inner, start + size)
        start += size


def _top(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = 0
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        yield name, place, size
        if size < 8:
            return
        place += size
