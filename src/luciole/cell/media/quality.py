"""How strongly a film may be compressed: tried on a few of its frames.

The same CRF looks better on one film than on another by ten points of VMAF. So three short parts
are encoded twice, judged by libvmaf, and the CRF that reaches the target is read off the line
between the two. All of it is one run of FFmpeg: encoders, their decoders, and the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import encode, fence, tonemap
from luciole.cell.media.fence import Limits
from luciole.cell.media.filters import MUCH_LARGER, graph_of_samples
from luciole.cell.media.probe import Probe
from luciole.cell.media.rungs import Cut, Rung

# "Good" on a phone held in the hand (VMAF's own scale: 80 is good, 100 excellent).
TARGET_VMAF = 90.0
PLACES = (0.1, 0.5, 0.85)
PART_MS = 280
# Every so many frames are judged; all are encoded.
JUDGED = 2
# Where the two tries differ by less, the line between them says nothing.
LEAST_SLOPE = 0.5
MOST_LOG_BYTES = 1 << 20


class Scale(msgspec.Struct, frozen=True):
    """What CRF means to an encoder: the two values that are tried, the bounds of what is taken, and
    the encoder's options for a rung and so many threads."""

    tried: tuple[float, float]
    least: float
    most: float
    options: Callable[[Rung, int], list[str]]


X264 = Scale((21.0, 28.0), 18.0, 30.0, encode.video)


class _Mean(msgspec.Struct):
    mean: float


class _Pooled(msgspec.Struct):
    vmaf: _Mean


class _Log(msgspec.Struct):
    pooled_metrics: _Pooled


async def crf_for(
    source: Path,
    film: Probe,
    cut: Cut,
    rung: Rung,
    out_dir: Path,
    target: float = TARGET_VMAF,
    scale: Scale = X264,
) -> float:
    """The CRF at which the film reaches the target on that rung; the rung's own where that cannot
    be found."""
    scores = await _tried(source, film, cut, rung, out_dir, scale)
    return rung.crf if scores is None else read_off(scores, target, scale)


def read_off(scores: Sequence[float], target: float, scale: Scale = X264) -> float:
    """The CRF of the target on the line through both tries, within bounds."""
    low, high = scale.tried
    better, worse = scores
    if better - worse < LEAST_SLOPE:
        crf = high if worse >= target else low
    else:
        crf = low + (better - target) * (high - low) / (better - worse)
    return round(min(max(crf, scale.least), scale.most) * 2) / 2


def parts(cut: Cut) -> list[Cut]:
    """The parts that are tried; a film that is hardly longer than they are is tried as a whole."""
    if cut.length_ms < 2 * PART_MS * len(PLACES):
        return [Cut(cut.start_ms, min(cut.length_ms, PART_MS * len(PLACES)))]
    last_ms = cut.length_ms - PART_MS
    begins = [min(int(place * cut.length_ms), last_ms) for place in PLACES]
    return [Cut(cut.start_ms + begin_ms, PART_MS) for begin_ms in begins]


async def _tried(
    source: Path, film: Probe, cut: Cut, rung: Rung, out_dir: Path, scale: Scale
) -> list[float] | None:
    """VMAF of each try; None where FFmpeg does not get there."""
    size = encode.scaled(film.width, film.height, rung.short_side)
    if film.is_hdr:
        tonemap.write(film.facts.transfer, out_dir)
    tried = parts(cut)
    inputs = [
        option
        for part in tried
        for option in encode.ffmpeg_input(
            source, part, is_shrunk=film.height >= size[1] * MUCH_LARGER
        )
    ]
    coded, plain = ([f"{name}{n}" for n in range(len(scale.tried))] for name in ("coded", "plain"))
    judges = "".join(
        f";[dec:{n}][plain{n}]libvmaf=n_threads=2:n_subsample={JUDGED}:log_fmt=json:"
        f"log_path=vmaf-{n}.json[judged{n}]"
        for n in range(len(scale.tried))
    )
    arguments = [
        encode.ffmpeg(), "-nostdin", "-v", "error", "-y", *inputs,
        "-filter_complex", graph_of_samples(film, tried, rung, size, coded),
    ]  # fmt: skip
    for name, crf in zip(coded, scale.tried, strict=True):
        options = scale.options(msgspec.structs.replace(rung, crf=crf), 1)
        arguments += ["-map", f"[{name}]", *options, "-f", "null", "-"]
    for n in range(len(scale.tried)):
        arguments += ["-dec", f"{n}:0"]
    arguments += ["-filter_complex", graph_of_samples(film, tried, rung, size, plain) + judges]
    for n in range(len(scale.tried)):
        arguments += ["-map", f"[judged{n}]", "-f", "null", "-"]
    limits = Limits(wall_s=180, cpu_s=180, memory_bytes=6144 * fence.MIB, nice=encode.LADDER_NICE)
    outcome = await fence.run(arguments, reads=[source], writes=[out_dir], limits=limits)
    if outcome.code != 0:
        return None
    try:
        return [_score(out_dir / f"vmaf-{n}.json") for n in range(len(scale.tried))]
    except (OSError, msgspec.DecodeError):
        return None


def _score(path: Path) -> float:
    """The mean of a log of libvmaf. Raises OSError, DecodeError."""
    if path.is_symlink() or path.stat().st_size > MOST_LOG_BYTES:
        raise OSError("not a log")
    return msgspec.json.decode(path.read_bytes(), type=_Log).pooled_metrics.vmaf.mean
