"""How many bytes does AV1 save at the same quality, and how much more work is it?

Expected: 30 % fewer bytes than H.264 of the first rendition at the same VMAF, for three times its
CPU with preset 8 and twice with preset 10. Peer: the first rendition as the cell makes it, of the
same size, made from the film itself, while AV1 has to make do with the largest rendition. Floor:
bytes that reach no lower VMAF; both are judged against the pictures of the film.

    LUCIOLE_CORPUS=… PYTHONPATH=src .venv/bin/python -m bench.av1 --state var/av1.json

The first seconds of each clip, at 540. What is said of bytes lies on lines between tried values of
CRF. CPU is that of the encoder's process with what decodes and scales for it, and is a ratio: on a
busy machine both take longer. Each clip is kept in the state as it is done.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import machine
from bench.quality import _between
from luciole.cell.media import av1, encode, probe, quality, tonemap
from luciole.cell.media.filters import graph_of_samples
from luciole.cell.media.rungs import FIRST, Cut, Rung

RESULTS = Path(__file__).with_name("results") / "av1.md"
SMALL = av1.RUNGS[-1]
CLIPS = (
    "phone/emulator_270_rotated.mp4",
    "misc/c2pa_video1_signed.mp4",
    "phone/sample_portrait.mp4",
    "misc/mediabunny_video.mp4",
    "misc/bt709_full_range.mp4",
    "rotate_vfr_odd/rotate-buck-bunny.mp4",
)
# Two values, and on either side one more, tried where those do not reach the target.
H264_SPAN = (14.0, 20.0, 28.0, 36.0)
AV1_SPAN = (14.0, 28.0, 44.0, 60.0)
PRESETS = (8, 10)


class Point(msgspec.Struct, frozen=True):
    crf: float
    kbps: float
    vmaf: float
    cpu_s: float


class Clip(msgspec.Struct, frozen=True):
    name: str
    largest: str
    ways: dict[str, list[Point]]

    def kbps(self, way: str, target: float) -> float:
        """On the line (of the rate's logarithm) between the tried values."""
        points = [(p.vmaf, math.log(p.kbps)) for p in self.ways[way]]
        return math.exp(_between(target, points))

    def reaches(self, way: str, target: float) -> bool:
        return min(p.vmaf for p in self.ways[way]) <= target <= max(p.vmaf for p in self.ways[way])

    def cpu_s(self, way: str) -> float:
        return sum(p.cpu_s for p in self.ways[way]) / len(self.ways[way])


def run(folder: Path, *arguments: str) -> tuple[float, str]:
    """CPU seconds of one run of FFmpeg, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-nostdin", "-y", *arguments],
        check=True, cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        answer.stderr,
    )


def picture(source: Path, cut: Cut, rung: Rung, folder: Path) -> list[str]:
    """The options that read a film and make the picture of a rung."""
    film = asyncio.run(probe.probe(source, folder))
    if film.is_hdr:
        tonemap.write(film.facts.transfer, folder)
    size = encode.scaled(film.width, film.height, rung.short_side)
    shrunk = film.height >= size[1] * 1.5
    return [
        *encode.ffmpeg_input(source, cut, is_shrunk=shrunk),
        "-filter_complex", graph_of_samples(film, [cut], rung, size, ["made"]),
        "-map", "[made]", "-an",
    ]  # fmt: skip


def measure(source: Path, name: str, folder: Path, length_ms: int) -> Clip:
    film = asyncio.run(probe.probe(source, folder))
    cut = Cut(0, min(film.duration_ms, length_ms))
    rung = encode.rungs_above(film)[0]
    given, largest = folder / "given.mp4", folder / "largest.mp4"
    plain = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-fps_mode", "vfr",
             "-enc_time_base", "1:90000"]  # fmt: skip
    run(folder, *picture(source, cut, FIRST, folder), *plain, str(given))
    run(folder, *picture(source, cut, rung, folder), *encode.video(rung, 2), str(largest))
    reads = picture(source, cut, FIRST, folder)
    again = picture(largest, Cut(0, cut.length_ms), SMALL, folder)
    ways: dict[str, list[Point]] = {}
    for preset in (None, *PRESETS):

        def tried(crf: float, preset: int | None = preset) -> Point:
            if preset is None:
                options = encode.video(FIRST, 2)
                options[options.index("-crf") + 1] = str(crf)
                return point(folder, reads, options, given, crf, cut)
            options = av1.video(msgspec.structs.replace(SMALL, crf=crf), 2)
            options[options.index("-preset") + 1] = str(preset)
            return point(folder, again, options, given, crf, cut)

        ways[f"AV1 {preset}" if preset else "H.264"] = spanned(
            tried, AV1_SPAN if preset else H264_SPAN
        )
    return Clip(name, rung.name, ways)


def spanned(tried: Callable[[float], Point], span: tuple[float, ...]) -> list[Point]:
    """Points on both sides of the target, as far as the span has them."""
    best, low, high, worst = span
    points = [tried(low), tried(high)]
    if max(p.vmaf for p in points) < quality.TARGET_VMAF:
        points.insert(0, tried(best))
    elif min(p.vmaf for p in points) > quality.TARGET_VMAF:
        points.append(tried(worst))
    return points


def point(
    folder: Path, reads: list[str], options: list[str], given: Path, crf: float, cut: Cut
) -> Point:
    made = folder / "made.mp4"
    cpu_s, _ = run(folder, *reads, *options, *encode.CLEAN, str(made))
    _, said = run(
        folder, "-i", str(made), "-i", str(given), "-lavfi",
        "[0:v]settb=1/90000[m];[1:v]settb=1/90000[g];[m][g]libvmaf=n_threads=2:n_subsample=2",
        "-f", "null", "-",
    )  # fmt: skip
    (score,) = re.findall(r"VMAF score: ([\d.]+)", said)
    return Point(crf, made.stat().st_size * 8 / cut.length_ms, float(score), cpu_s)


def told(clips: list[Clip], length_ms: int) -> str:
    target = quality.TARGET_VMAF
    ways = [f"AV1 {preset}" for preset in PRESETS]
    rows, shares, costs = [], {way: [0.0, 0.0] for way in ways}, {way: [0.0, 0.0] for way in ways}
    for clip in clips:
        row = [clip.name, clip.largest, f"{clip.kbps('H.264', target):.0f}"]
        for way in ways:
            share = clip.kbps(way, target) / clip.kbps("H.264", target)
            mark = "" if all(clip.reaches(each, target) for each in clip.ways) else " *"
            row.append(f"{share:.2f}{mark}")
            row.append(f"{clip.cpu_s(way) / clip.cpu_s('H.264'):.1f}")
            if not mark:
                shares[way][0] += clip.kbps(way, target)
                shares[way][1] += clip.kbps("H.264", target)
            costs[way][0] += clip.cpu_s(way)
            costs[way][1] += clip.cpu_s("H.264")
        rows.append(row)
    head = ["clip", "made from", f"H.264, kbit/s at VMAF {target:g}"]
    head += [part for way in ways for part in (f"{way}: bytes", "CPU")]
    said = "; ".join(
        f"preset {way[4:]} **{shares[way][0] / shares[way][1]:.2f}** of the bytes for "
        f"{costs[way][0] / costs[way][1]:.1f} times the CPU"
        for way in ways
        if shares[way][1]
    )
    return (
        "# AV1 against H.264 at the same quality\n\n"
        f"{machine.described()} `bench/av1.py`. The first {length_ms / 1000:g} s of each of "
        f"{len(clips)} clips, 540 pixels on the short side. The machine was busy with other work: "
        "the CPU is to be read as a ratio.\n\n"
        f"All that reach the target in each way, together: {said}. Columns are ratios to H.264; "
        "`*`: one of the ways does not reach the target at any CRF, so that the ratio is that "
        f"of the nearest values and counts nowhere else.\n\n{machine.table(head, rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state", type=Path, default=Path("var/av1.json"))
    parser.add_argument("--seconds", type=float, default=3600, help="stop after the clip then")
    parser.add_argument("--length-ms", type=int, default=2000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    corpus = os.environ.get("LUCIOLE_CORPUS")
    if not corpus:
        raise SystemExit("Set LUCIOLE_CORPUS: this needs films that people made.")
    until = time.monotonic() + chosen.seconds
    done: dict[str, Clip] = {}
    if chosen.state.exists():
        done = msgspec.json.decode(chosen.state.read_bytes(), type=dict[str, Clip])
    for name in CLIPS:
        if name in done or time.monotonic() > until:
            continue
        with tempfile.TemporaryDirectory(prefix="luciole-bench-") as place:
            source = Path(corpus, "videos", name)
            done[name] = measure(source, name, Path(place), chosen.length_ms)
        chosen.state.parent.mkdir(parents=True, exist_ok=True)
        chosen.state.write_bytes(msgspec.json.encode(done))
        print(name, done[name].ways, flush=True)
    chosen.results.write_text(told(list(done.values()), chosen.length_ms), encoding="utf-8")


if __name__ == "__main__":
    main()
