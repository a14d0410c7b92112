"""HLS playlists over the same bytes (RFC 8216): for players that have no MediaSource, such as those
of older iPhones. They are made when they are asked for; nothing of them is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from luciole.cell.media.model import Rendition, Segments

MASTER = "clip.m3u8"
ENDING = ".m3u8"
MIME = "application/vnd.apple.mpegurl"

# The address of a key, signed where it has to be.
Url = Callable[[str], str]


def master_key(renditions: Iterable[Rendition]) -> str | None:
    """The key of the list of a clip's renditions; None where none of them is in segments."""
    first = next((one.segments for one in renditions if one.segments), None)
    return f"{first.key.rpartition('/')[0]}/{MASTER}" if first else None


def list_key(segments: Segments) -> str:
    """The key of the list of a rendition's segments."""
    return segments.key.rpartition(".")[0] + ENDING


def written(key: str, renditions: Iterable[Rendition], url: Url) -> str | None:
    """The playlist at `key`, for a clip with these renditions; None where there is none."""
    found = [one for one in renditions if one.segments]
    if not found:
        return None
    if key.rpartition("/")[2] == MASTER:
        return _master(found, url)
    all_segments = [part for one in found for part in (one.segments, one.av1) if part]
    at = next((one for one in all_segments if list_key(one) == key), None)
    return _segments(at, url) if at else None


def _master(renditions: Sequence[Rendition], url: Url) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for one in renditions:
        if one.segments is None:
            continue
        lines += _variant(one, one.segments, one.bitrate_bps, url)
    # A player leaves out what it cannot decode, and some begin with the first that there is.
    for one in renditions:
        if one.av1 is not None:
            lines += _variant(one, one.av1, one.av1.bitrate_bps, url)
    return "\n".join(lines) + "\n"


def _variant(one: Rendition, segments: Segments, bitrate_bps: int, url: Url) -> list[str]:
    return [
        f"#EXT-X-STREAM-INF:BANDWIDTH={_peak_bps(segments)},"
        f"AVERAGE-BANDWIDTH={bitrate_bps},RESOLUTION={one.width}x{one.height},"
        f'CODECS="{segments.codecs}"',
        url(list_key(segments)),
    ]


def _segments(segments: Segments, url: Url) -> str:
    film = url(segments.key)
    # Rounded to the nearest second, no segment may be longer (RFC 8216, 4.3.3.1).
    longest = max(1, (max(segments.durations_ms) + 500) // 1000)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{longest}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{film}",BYTERANGE="{segments.init_bytes}@0"',
    ]
    place = segments.init_bytes
    for size, duration_ms in zip(segments.sizes, segments.durations_ms, strict=True):
        lines += [f"#EXTINF:{duration_ms / 1000:.3f},", f"#EXT-X-BYTERANGE:{size}@{place}", film]
        place += size
    return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"


def _peak_bps(segments: Segments) -> int:
    """The rate of the heaviest segment, in bits a second."""
    each = zip(segments.sizes, segments.durations_ms, strict=True)
    return max(size * 8000 // max(1, duration_ms) for size, duration_ms in each)
