"""The filter graph of FFmpeg that makes a film's pictures into ours."""

from __future__ import annotations

from luciole.cell.media.probe import Probe
from luciole.cell.media.rungs import FIRST, Cut, Rung

MUCH_LARGER = 1.5
SHORTEST_LEAD_MS = 100
# The poster is taken so long before the end at the latest.
LAST_POSTER_MS = 100


def graph(film: Probe, cut: Cut, rungs: list[Rung], sizes: list[tuple[int, int]]) -> str:
    """The filter graph: stored picture → first size → our colours → upright, then down the
    ladder. Everything after the first scaling works on as few pixels as it can."""
    first, *_ = sizes
    stored = first[::-1] if film.is_turned else first
    chain = [*_lead(film, cut), *_fps(film, rungs[0])]
    if film.facts.is_interlaced:
        chain.append("bwdif=mode=send_frame:deint=interlaced")
    chain += _scale_and_colours(film, *stored)
    if film.turn:
        chain.append(film.turn)
    # The picture is upright, its pixels are square and these are its colours, whatever the source
    # said; left in place, its own display matrix would turn the picture once more.
    chain += [
        "sidedata=mode=delete",
        "setsar=1",
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
    ]
    parts = [f"[0:{film.facts.video_index}]{','.join(chain)}"]
    for rung, below, size in zip(rungs, rungs[1:], sizes[1:], strict=False):
        parts[-1] += f",split[{rung.name}][to{below.name}]"
        parts.append(f"[to{below.name}]scale={size[0]}:{size[1]}:flags=bicubic")
    if rungs == [FIRST]:
        parts[-1] += f",split[{FIRST.name}][still]"
        parts.append(f"[still]select='{_is_cover(cut)}'[poster]")
    else:
        parts[-1] += f"[{rungs[-1].name}]"
    return ";".join(parts)


def _is_cover(cut: Cut) -> str:
    """Selects the first frame and then the one from the cover's moment on, which takes its place
    where there is one."""
    moment_s = max(0, min(cut.cover_ms, cut.length_ms - LAST_POSTER_MS)) / 1000
    return f"eq(n,0)+gte(t,{moment_s})*lt(prev_selected_t,{moment_s})"


def _lead(film: Probe, cut: Cut) -> list[str]:
    """Where the sound comes first, the first frame is shown from the start: no player should
    open on black."""
    lead_ms = film.facts.lead_ms - cut.start_ms
    if lead_ms < SHORTEST_LEAD_MS:
        return []
    return ["setpts=PTS-STARTPTS", f"tpad=start_mode=clone:start_duration={lead_ms}ms"]


def _fps(film: Probe, rung: Rung) -> list[str]:
    """Fewer frames where the film has more than the rung wants: half of 60 or 50, else the most.
    Everything else keeps its own times, which is right for phones' variable rates."""
    fps = max(film.fps, 1000 / film.facts.gap_ms if film.facts.gap_ms else 0)
    if fps <= rung.top_fps * 1.1:
        return []
    halved = fps / 2
    rate = halved if rung.top_fps * 0.75 <= halved <= rung.top_fps * 1.05 else rung.top_fps
    return [f"fps={rate:.3f}"]


def _scale_and_colours(film: Probe, width: int, height: int) -> list[str]:
    facts = film.facts
    # Averaging is as good as bicubic when much is left out, and takes two thirds of the time.
    flags = "area" if facts.height >= height * MUCH_LARGER else "bicubic"
    scale = f"scale={width}:{height}:flags={flags}"
    if film.is_hdr:
        return [
            scale,
            "scale=in_color_matrix=bt2020:in_range=tv:out_range=pc",
            "format=gbrp10le",
            f"lut3d=file=to-sdr-{facts.transfer}.cube:interp=tetrahedral",
            "scale=out_color_matrix=bt709:out_range=tv",
            "format=yuv420p",
        ]
    source_range = "pc" if facts.is_full_range else "tv"
    if facts.matrix_coefficients == 0:  # RGB
        return [f"{scale}:out_color_matrix=bt709:out_range=tv", "format=yuv420p"]
    scale += f":in_range={source_range}:out_range=tv"
    chain = [scale, "format=yuv420p"]
    system = _system(film)
    if system == "bt2020":
        chain.append("colorspace=all=bt709:iall=bt2020:irange=tv:range=tv")
    elif system is not None:
        # fast: the matrix only. The primaries of 601 and 709 are close; the matrices are not.
        chain.append(f"colorspace=all=bt709:iall={system}:irange=tv:range=tv:fast=1")
    return chain


def _system(film: Probe) -> str | None:
    """The colour system to convert from (H.273, table 4), None for BT.709. A film that does not
    say is taken as browsers take it: 601 below 720 lines, else 709."""
    matrix = film.facts.matrix_coefficients
    if matrix == 2:
        matrix = 6 if film.facts.height < 720 else 1
    return {4: "bt601-6-625", 5: "bt601-6-625", 6: "bt601-6-625", 7: "smpte240m", 9: "bt2020",
            10: "bt2020"}.get(matrix)  # fmt: skip
