"""The filter graph of FFmpeg that makes a film's pictures into ours."""

from __future__ import annotations

from luciole.cell.media.probe import Probe
from luciole.cell.media.rungs import FIRST, Cut, Rung

MUCH_LARGER = 1.5
SHORTEST_LEAD_MS = 100
# The poster is taken so long before the end at the latest.
LAST_POSTER_MS = 100
# Stills that hashes are made of: one a second, and further apart in films of more than a minute.
STILL_MS = 1000
MOST_STILLS = 60
STILL_SIDE = 512
# The picture that the hint of the poster is made of has sides of at most so many pixels.
TINY_SIDE = 64


def graph(film: Probe, cut: Cut, rungs: list[Rung], sizes: list[tuple[int, int]]) -> str:
    """The filter graph of a ladder: our picture in its first size, then down the ladder."""
    parts = [ours(film, cut, rungs[0], sizes[0])]
    for rung, below, size in zip(rungs, rungs[1:], sizes[1:], strict=False):
        parts[-1] += f",split[{rung.name}][to{below.name}]"
        parts.append(f"[to{below.name}]scale={size[0]}:{size[1]}:flags=bicubic")
    if rungs == [FIRST]:
        parts[-1] += f",split=3[{FIRST.name}][cover][all]"
        parts.append(f"[cover]select='{_is_cover(cut)}',split[poster][shrunk]")
        parts.append(f"[shrunk]scale={tiny(*sizes[0])}:flags=area,format=rgb24[tiny]")
        parts.append(
            # From the start: after a trim, the first frame may come a moment later.
            f"[all]fps={1000 / still_step_ms(cut):.4f}:start_time=0:round=up:eof_action=pass,"
            f"scale={STILL_SIDE}:{STILL_SIDE}:flags=area:out_range=pc,format=gray[stills]"
        )
    else:
        parts[-1] += f"[{rungs[-1].name}]"
    return ";".join(parts)


def graph_of_pictures(
    film: Probe, cut: Cut, size: tuple[int, int], moving_size: tuple[int, int], fps: int
) -> str:
    """The filter graph of a still of `cut.cover_ms` and of a small moving picture."""
    width, height = moving_size
    return (
        f"{ours(film, cut, FIRST, size)},split[cover][all];"
        # Of two frames, the second is the one; the format of stills takes the first that comes.
        f"[cover]select='{_is_cover(cut)}',reverse[poster];"
        f"[all]fps={fps},scale={width}:{height}:flags=area[moving]"
    )


def graph_of_samples(
    film: Probe, parts: list[Cut], rung: Rung, size: tuple[int, int], names: list[str]
) -> str:
    """The filter graph of short parts, each an input of its own, one after the other, as often as
    there are names."""
    chains = [
        f"{ours(film, part, rung, size, number)},setpts=PTS-STARTPTS[part{number}]"
        for number, part in enumerate(parts)
    ]
    joined = "".join(f"[part{number}]" for number in range(len(parts)))
    outputs = "".join(f"[{name}]" for name in names)
    return ";".join(chains) + f";{joined}concat=n={len(parts)},split={len(names)}{outputs}"


def ours(film: Probe, cut: Cut, rung: Rung, size: tuple[int, int], number: int = 0) -> str:
    """Of an input: stored picture → size → our colours → upright. Everything after the scaling
    works on as few pixels as it can."""
    stored = size[::-1] if film.is_turned else size
    chain = [*_lead(film, cut), *_fps(film, rung)]
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
    return f"[{number}:{film.facts.video_index}]{','.join(chain)}"


def still_step_ms(cut: Cut) -> float:
    """How far apart the stills are that hashes are made of."""
    return max(STILL_MS, cut.length_ms / MOST_STILLS)


def tiny(width: int, height: int) -> str:
    """The size of the picture that a hint is made of, as FFmpeg writes it."""
    share = TINY_SIDE / max(width, height)
    return f"{max(1, round(width * share))}:{max(1, round(height * share))}"


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
