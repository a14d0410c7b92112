"""The small pictures of a film that nobody waits for: its poster as AVIF, and two seconds of it
that move, for a look at it in a grid.

A still takes some ten times the CPU of WebP as AVIF, up to 0.4 s, for half of its bytes
(docs/reference/performance.md), so they are made when the film plays already. Both come from the
uploaded film, not from a rendition.
"""

from __future__ import annotations

from pathlib import Path

from luciole.cell.media import encode, fence, tonemap
from luciole.cell.media.encode import Encoded, EncodingFailed
from luciole.cell.media.fence import Limits
from luciole.cell.media.filters import LAST_POSTER_MS, MUCH_LARGER, graph_of_pictures
from luciole.cell.media.probe import Probe
from luciole.cell.media.rungs import FIRST, Cut

AVIF_POSTER, PREVIEW = "avif-poster", "preview"
PREVIEW_MS = 2000
PREVIEW_SHORT_SIDE = 240
PREVIEW_FPS = 8
STILL = [
    "-c:v", "libaom-av1", "-still-picture", "1", "-crf", "30", "-cpu-used", "6",
    "-fps_mode", "passthrough", "-frames:v", "1",
]  # fmt: skip
MOVING = [
    "-c:v", "libsvtav1", "-preset", "10", "-crf", "45", "-svtav1-params", "lp=2",
    "-fps_mode", "passthrough", "-loop", "0",
]  # fmt: skip
PLAIN = ["-pix_fmt", "yuv420p", "-map_metadata", "-1", "-fflags", "+bitexact", "-f", "avif"]


async def small(source: Path, film: Probe, cut: Cut, out_dir: Path) -> list[Encoded]:
    """The poster as AVIF and the preview. Raises EncodingFailed."""
    moment_ms = max(0, min(cut.cover_ms, cut.length_ms - LAST_POSTER_MS))
    begin_ms = min(moment_ms, max(0, cut.length_ms - PREVIEW_MS))
    part = Cut(
        cut.start_ms + begin_ms, min(PREVIEW_MS, cut.length_ms - begin_ms), moment_ms - begin_ms
    )
    try:
        return await _made(source, film, part, out_dir)
    except EncodingFailed:
        if begin_ms == 0:
            raise
        # No frame may begin in that part of a film that hardly moves.
        whole = Cut(cut.start_ms, begin_ms + part.length_ms, moment_ms)
        return await _made(source, film, whole, out_dir)


async def _made(source: Path, film: Probe, part: Cut, out_dir: Path) -> list[Encoded]:
    size = encode.scaled(film.width, film.height, FIRST.short_side)
    moving_size = encode.scaled(*size, PREVIEW_SHORT_SIDE)
    still, moving = out_dir / f"{AVIF_POSTER}.avif", out_dir / f"{PREVIEW}.avif"
    if film.is_hdr:
        tonemap.write(film.facts.transfer, out_dir)
    is_shrunk = film.height >= size[1] * MUCH_LARGER
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
        *encode.ffmpeg_input(source, part, is_shrunk=is_shrunk),
        "-filter_complex", graph_of_pictures(film, part, size, moving_size, PREVIEW_FPS),
        "-map", "[poster]", *STILL, *PLAIN, str(still),
        "-map", "[moving]", *MOVING, *PLAIN, str(moving),
    ]  # fmt: skip
    limits = Limits(wall_s=120, cpu_s=120, memory_bytes=4096 * fence.MIB, nice=encode.LADDER_NICE)
    outcome = await fence.run(arguments, reads=[source], writes=[out_dir], limits=limits)
    if outcome.code != 0:
        raise encode.failed(outcome)
    return [
        Encoded(AVIF_POSTER, still, *size, encode.size_bytes(still), 0),
        Encoded(PREVIEW, moving, *moving_size, encode.size_bytes(moving), PREVIEW_MS),
    ]
