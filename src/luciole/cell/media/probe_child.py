"""Reads a stranger's file with PyAV and prints what it found, as JSON.

Called inside the fence by a launcher that has it loaded (`launchers.Warm`); the server imports its
lists of formats only. The only place that imports `av`, and that late. It states
facts; `probe.py` judges them. The answer is either `{"failed": CODE}` or the fields of
`probe.Facts`.
"""

import contextlib
import importlib.machinery
import itertools
import json
import os
from types import ModuleType
from typing import Any

credentials: Any = ModuleType("credentials")

# Whatever is not named here is never parsed: a demuxer for a game's cut scenes has bugs too.
DEMUXERS = "mov,matroska,webm,avi,mpegts,mpeg"
_VIDEO = "h264,hevc,vp8,vp9,av1,libdav1d,mpeg4,h263,mpeg2video,mjpeg,prores"
_AUDIO = (
    "aac,aac_latm,mp3,mp3float,opus,libopus,vorbis,libvorbis,flac,alac,ac3,eac3,amrnb,amrwb,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_alaw,pcm_mulaw"
)
VIDEO_DECODERS = frozenset(_VIDEO.split(","))
AUDIO_DECODERS = frozenset(_AUDIO.split(","))
MOST_PIXELS = 8_900_000
MOST_PIXELS_A_SIDE = 4096
MOST_PACKETS = 200_000
MOST_STREAMS = 32
# For whoever opens a decoder: a frame may be larger than its track has said.
PIXELS = {"max_pixels": str(MOST_PIXELS)}
# So many packets of a track are tried until something comes out of it.
VIDEO_TRIED, AUDIO_TRIED = 90, 21
FIRST_BYTES = 4096


class Refused(Exception):
    """The file cannot become a clip; the argument is the refusal's code."""


def looks_like_a_film(path: str) -> bool:
    """Whether the first bytes are those of a container that we read."""
    with open(path, "rb") as file:
        head = file.read(FIRST_BYTES)
    return (
        head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or head[:4] == b"\x1aE\xdf\xa3"  # EBML: Matroska, WebM
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or (head[:1] == b"\x47" and head[188:189] == b"\x47")  # MPEG transport stream
        or head[:4] == b"\x00\x00\x01\xba"  # MPEG program stream
    )


def is_a_picture(path: str) -> bool:
    """Whether the file type box (ISO/IEC 14496-12, 4.3) names a still-picture brand first."""
    with open(path, "rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"heic", b"heix", b"mif1")


def open_source(av: Any, path: str) -> Any:
    try:
        return av.open(
            path,
            options={
                "format_whitelist": DEMUXERS,
                "protocol_whitelist": "file",
                "max_streams": str(MOST_STREAMS),
            },
            stream_options=[PIXELS] * MOST_STREAMS,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        raise Refused("damaged" if looks_like_a_film(path) else "not-a-video") from error


def read(
    av: Any, container: Any, videos: list[int], audios: list[int]
) -> tuple[dict[int, list[float]], dict[int, list[Any]]]:
    """By track: the presentation times in seconds of every packet of `videos`, from the data that
    is there rather than from what a header promises; and of all tracks the packets to be tried.
    Ends early at the first unreadable place."""
    times: dict[int, list[float]] = {index: [] for index in videos}
    heads: dict[int, list[Any]] = {index: [] for index in (*videos, *audios)}
    ends: dict[int, float] = {}
    count = 0
    try:
        for packet in container.demux([container.streams[index] for index in heads]):
            index = packet.stream.index
            if len(heads[index]) < (VIDEO_TRIED if index in times else AUDIO_TRIED):
                heads[index].append(packet)
            stamp = packet.pts if packet.pts is not None else packet.dts
            if index not in times or stamp is None or not packet.size or packet.is_discard:
                continue
            base = float(packet.time_base)
            times[index].append(stamp * base)
            ends[index] = max(ends.get(index, 0.0), (stamp + (packet.duration or 0)) * base)
            count += 1
            if count > MOST_PACKETS:
                raise Refused("takes-too-long")
    except av.error.FFmpegError:
        pass
    for index, stamps in times.items():
        stamps.sort()
        if stamps:
            stamps.append(max(ends[index], stamps[-1]))  # the end, as one last time
    return times, heads


def main_track(streams: list[Any], times: dict[int, list[float]]) -> Any:
    """The track that a player would show: enabled, moving, and of those the largest.

    A motion photo carries a large single frame beside the film; a second camera a smaller one.
    """
    longest = max(len(times[stream.index]) for stream in streams)

    def rank(stream: Any) -> tuple[bool, bool, int, int]:
        return (
            len(times[stream.index]) * 2 > longest,
            bool(int(stream.disposition) & 1),
            stream.codec_context.width * stream.codec_context.height,
            -stream.index,
        )

    return max(streams, key=rank)


def first_frame(av: Any, packets: list[Any]) -> Any:
    """What the first of a track's packets that decode give, or None. One frame is enough: the
    encoding finds out about the rest."""
    if packets:
        packets[0].stream.codec_context.options = dict(PIXELS)
    for packet in packets:
        with contextlib.suppress(av.error.FFmpegError):  # the next packet may do
            if frames := packet.decode():
                return frames[0]
    return None


def matrix(frame: Any) -> list[int]:
    """The display matrix's upper left four numbers (a, b, c, d), 16.16 fixed point, by which
    x' = a x + c y and y' = b x + d y; the identity where there is none."""
    data = side_data(frame, "DISPLAYMATRIX")
    if data is None:
        return [1 << 16, 0, 0, 1 << 16]
    raw = memoryview(bytes(data)).cast("i")
    return [raw[0], raw[1], raw[3], raw[4]]


def side_data(frame: Any, name: str) -> Any:
    """What FFmpeg put beside the frame under this name, or None."""
    try:
        return next((data for data in frame.side_data if data.type.name == name), None)
    except ValueError:
        return None  # the library is newer than its Python names for them


def probe(av: Any, path: str) -> dict[str, Any]:
    if is_a_picture(path):
        raise Refused("still-picture")
    container = open_source(av, path)
    tracks = [
        stream
        for stream in container.streams.video
        # Cover art and thumbnails are pictures that go with a sound.
        if not int(stream.disposition) & (av.stream.Disposition.attached_pic | 0x0800)
    ]
    if not tracks:
        raise Refused("no-picture" if container.streams.audio else "not-a-video")
    for stream in tracks:
        if stream.codec_context is None:
            continue
        width, height = stream.codec_context.width, stream.codec_context.height
        if max(width, height) > MOST_PIXELS_A_SIDE or width * height > MOST_PIXELS:
            raise Refused("too-large-picture")
    readable = [
        stream
        for stream in tracks
        if stream.codec_context is not None and stream.codec_context.name in VIDEO_DECODERS
    ]
    if not readable:
        raise Refused("codec-not-supported")
    audio_tracks = [
        track.index
        for track in container.streams.audio
        if track.codec_context is not None and track.codec_context.name in AUDIO_DECODERS
    ]
    times, heads = read(av, container, [stream.index for stream in readable], audio_tracks)
    stream = main_track(readable, times)
    *starts, end = times[stream.index] or [0.0]
    declared_s = float((stream.duration or 0) * stream.time_base)
    is_mov = container.format.name.startswith("mov")
    began = min(starts[0], (container.start_time or 0) / av.time_base) if starts else 0.0
    if len(starts) == 1 and not audio_tracks:
        raise Refused("still-picture")
    if not starts:
        raise Refused("damaged")

    frame = first_frame(av, heads[stream.index])
    if frame is None:
        raise Refused("damaged")
    # Dolby Vision profile 5 has no base layer that others can show: its colours are in a space
    # of their own, and a plain decoder paints faces green.
    if frame.color_trc == 2 and side_data(frame, "DOVI_METADATA") is not None:
        raise Refused("codec-not-supported")
    ratio = stream.sample_aspect_ratio or 1
    gaps = sorted(b - a for a, b in itertools.pairwise(starts) if b > a) or [1 / 30]
    first_second = sum(1 for start in starts if start < starts[0] + 1)
    facts = {
        "container": container.format.name.split(",")[0],
        "video_index": stream.index,
        "audio_index": next(
            (each for each in audio_tracks if first_frame(av, heads[each]) is not None), None
        ),
        "codec": stream.codec_context.name,
        "width": frame.width,
        "height": frame.height,
        "pixel_ratio": float(ratio),
        "matrix": matrix(frame),
        "duration_ms": round((end - began) * 1000),
        "lead_ms": round((starts[0] - began) * 1000),
        "declared_ms": round(declared_s * 1000) if is_mov else 0,
        "frames": len(starts),
        "frames_in_first_second": min(first_second, 1000),
        "gap_ms": gaps[len(gaps) // 2] * 1000,
        "is_interlaced": bool(frame.interlaced_frame),
        "transfer": int(frame.color_trc),
        "primaries": int(frame.color_primaries),
        "matrix_coefficients": int(frame.colorspace),
        "is_full_range": int(frame.color_range) == 2 or frame.format.name.startswith("yuvj"),
        "bits": max(component.bits for component in frame.format.components),
        "ai": credentials.said(path) if is_mov else None,
        "has_credentials": is_mov and credentials.has(path),
    }
    container.close()
    return facts


def load() -> None:
    """What takes long and is the same for every file."""
    import av
    import av.stream

    av.logging.set_level(None)
    # By its path: in the launcher there are no packages of ours.
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "credentials_child.py")
    importlib.machinery.SourceFileLoader("credentials", path).exec_module(credentials)


def main(argv: list[str]) -> int:
    """Looks at the file `argv[0]`."""
    import av

    try:
        answer = probe(av, argv[0])
    except Refused as refusal:
        answer = {"failed": str(refusal)}
    print(json.dumps(answer))
    return 0
