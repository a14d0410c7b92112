"""How many bytes does a quality target of its own save each clip, against one rate for all of them?

Expected: at most 0.6 of the bytes of the one rate that brings the hardest clip to the target,
because clips differ by far more than that in what they need. Two peers: that one rate, and the one
CRF that brings the hardest clip there, which is harder to beat, since the same CRF already gives
more to clips that are harder to encode. Floor: the target itself; a clip below it saved bytes that
were not to be saved.

    PYTHONPATH=src .venv/bin/python -m bench.quality --state var/quality.json

Each clip on its 720 rendition (or as large as it is), the first seconds of it. VMAF is that of the
FFmpeg at hand, of every other frame, against the pictures that the encoder was given. Films of the
corpus join in where LUCIOLE_CORPUS is set; generated ones are marked. Each clip is kept in the
state as it is done, so that a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import os
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import msgspec

from bench import machine
from bench.publish import ffmpeg
from luciole.cell.media import encode, probe, quality, tonemap
from luciole.cell.media.filters import graph_of_samples
from luciole.cell.media.probe import Unreadable
from luciole.cell.media.rungs import REST, Cut, Rung
from luciole.demo import film as demo
from luciole.demo.scenes import SCENES

RESULTS = Path(__file__).with_name("results") / "quality.md"
RUNG = REST[-1]
LONGEST_MS = 3000
LEAST_SIDE = 240
PEER_CRF = 23.0
SPAN_CRF = (18.0, 22.0, 26.0, 30.0)
PLACES = ("phone", "hdr", "misc", "rotate_vfr_odd", "vp9_webm", "noaudio", "corrupt")
DRAWN = {
    "mandelbrot": "mandelbrot=s=720x1280:r=30",
    "life": "life=s=360x640:r=15:mold=10:ratio=0.1:seed=3,scale=720:1280:flags=neighbor",
    "gradients": "gradients=s=720x1280:r=30:seed=4:speed=0.05",
    "testsrc2": "testsrc2=s=720x1280:r=30",
    "plasma": "gradients=s=720x1280:r=30:n=8:seed=9,noise=alls=12:allf=t",
}


class Point(msgspec.Struct, frozen=True):
    """One encoding: what it takes and how it looks."""

    crf: float
    kbps: float
    vmaf: float


class Clip(msgspec.Struct, frozen=True):
    """A clip with its own CRF, and with those of the span."""

    name: str
    is_generated: bool
    search_cpu_s: float
    own: Point
    span: list[Point]

    def kbps_at(self, crf: float) -> float:
        """The rate at another CRF, on the line (of its logarithm) between its neighbours."""
        return math.exp(_between(crf, [(p.crf, math.log(p.kbps)) for p in self.span]))

    def needs_kbps(self, target: float) -> float:
        """The rate that reaches the target, likewise; the nearest one where it lies outside."""
        return math.exp(_between(target, [(p.vmaf, math.log(p.kbps)) for p in self.span[::-1]]))

    def needs_crf(self, target: float) -> float:
        return _between(target, [(p.vmaf, p.crf) for p in self.span[::-1]])


def _between(place: float, points: list[tuple[float, float]]) -> float:
    points = sorted(points)
    if place <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if place <= x1:
            return y0 + (y1 - y0) * (place - x0) / max(1e-9, x1 - x0)
    return points[-1][1]


def generated(folder: Path) -> dict[str, Path]:
    """Drawn films, at a high rate, as a phone would bring them."""
    found = {}
    for number, name in enumerate(SCENES):
        drawn, path = folder / f"{name}-drawn.mp4", folder / f"demo {name}"
        demo.render(demo.Job(name, "bells", 4, number), drawn)
        ffmpeg("-i", str(drawn), "-vf", f"scale=1080:1920,noise=alls={number % 4 * 3}:allf=t",
               "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "18M", "-an",
               "-f", "mp4", str(path))  # fmt: skip
        found[path.name] = path
    for name, source in DRAWN.items():
        path = folder / f"drawn {name}"
        ffmpeg("-f", "lavfi", "-i", source, "-t", "4", "-c:v", "libx264", "-preset", "ultrafast",
               "-pix_fmt", "yuv420p", "-b:v", "18M", "-f", "mp4", str(path))  # fmt: skip
        found[path.name] = path
    return found


def measure(source: Path, name: str, folder: Path, *, is_generated: bool) -> Clip | None:
    """All points of one clip; None for a film that is refused or too small to say something."""
    try:
        film = asyncio.run(probe.probe(source, folder))
    except Unreadable:
        return None
    if min(film.width, film.height) < LEAST_SIDE:
        return None
    cut = Cut(0, min(film.duration_ms, LONGEST_MS))
    size = encode.scaled(film.width, film.height, RUNG.short_side)
    if film.is_hdr:
        tonemap.write(film.facts.transfer, folder)
    given = folder / "given.mp4"
    subprocess.run(
        [encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
         *encode.ffmpeg_input(source, cut, is_shrunk=False), "-filter_complex",
         graph_of_samples(film, [cut], RUNG, size, ["given"]), "-map", "[given]", "-an",
         "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-fps_mode", "vfr",
         "-enc_time_base", "1:90000", str(given)],
        check=True, cwd=folder,
    )  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    own = asyncio.run(quality.crf_for(source, film, cut, RUNG, folder))
    search_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    points = {crf: point(given, crf, cut, folder) for crf in {own, *SPAN_CRF}}
    return Clip(name, is_generated, search_s, points[own], [points[crf] for crf in SPAN_CRF])


def point(given: Path, crf: float, cut: Cut, folder: Path) -> Point:
    made = folder / "made.mp4"
    rung: Rung = msgspec.structs.replace(RUNG, crf=crf)
    ffmpeg("-i", str(given), *encode.video(rung, 2), *encode.CLEAN, str(made))
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-nostdin", "-i", str(made), "-i", str(given), "-lavfi",
         "[0:v]settb=1/90000[m];[1:v]settb=1/90000[g];[m][g]libvmaf=n_threads=2:n_subsample=2",
         "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (score,) = re.findall(r"VMAF score: ([\d.]+)", answer.stderr)
    return Point(crf, made.stat().st_size * 8 / cut.length_ms, float(score))


def told(clips: list[Clip]) -> str:
    target = quality.TARGET_VMAF
    hardest = max(clips, key=lambda clip: clip.needs_kbps(target))
    one_rate = hardest.needs_kbps(target)
    one_crf = min(clip.needs_crf(target) for clip in clips)
    rows = [
        [clip.name, "generated" if clip.is_generated else "", f"{clip.own.crf:g}",
         f"{clip.own.vmaf:.1f}", f"{clip.own.kbps:.0f}", f"{clip.needs_kbps(target):.0f}",
         f"{clip.kbps_at(PEER_CRF):.0f}", f"{clip.kbps_at(one_crf):.0f}"]
        for clip in sorted(clips, key=lambda clip: -clip.needs_kbps(target))
    ]  # fmt: skip
    head = ["clip", "", "CRF found", "VMAF", "kbit/s", f"kbit/s at VMAF {target:g}",
            f"at CRF {PEER_CRF:g}", f"at CRF {one_crf:.1f}"]  # fmt: skip

    def against(chosen: list[Clip]) -> str:
        ours = sum(clip.own.kbps for clip in chosen)
        missed = [clip.own.vmaf - target for clip in chosen]
        return (
            f"{len(chosen)} clips: **{ours / (one_rate * len(chosen)):.2f}** of the one rate, "
            f"{ours / sum(clip.kbps_at(one_crf) for clip in chosen):.2f} of the one CRF, "
            f"{ours / sum(clip.kbps_at(PEER_CRF) for clip in chosen):.2f} of CRF {PEER_CRF:g}; "
            f"VMAF {min(missed):+.1f} to {max(missed):+.1f} from the target, on average "
            f"{sum(missed) / len(missed):+.1f}."
        )

    real = [clip for clip in clips if not clip.is_generated]
    cpu = sorted(clip.search_cpu_s for clip in clips)
    # What a warm launcher starts is no child of ours, and is not counted.
    search = (
        f" The search takes {cpu[len(cpu) // 2]:.1f} s of CPU (median; {cpu[-1]:.1f} at most)."
        if cpu[-1] > 0
        else ""
    )
    return (
        "# What a quality target for each clip saves\n\n"
        f"{machine.described()} `bench/quality.py`. Seconds of each clip: {LONGEST_MS / 1000:g}. "
        "Each clip counts by its rate, whatever its length.\n\n"
        f"One rate good for the hardest clip ({hardest.name}): {one_rate:.0f} kbit/s. One CRF good "
        f"for the hardest: {one_crf:.1f}.{search}\n\n- All, {against(clips)}\n"
        + (f"- Without generated ones, {against(real)}\n" if real else "")
        + f"\n{machine.table(head, rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state", type=Path, default=Path("var/quality.json"))
    parser.add_argument("--seconds", type=float, default=3600, help="stop after the clip then")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    until = time.monotonic() + chosen.seconds
    done: dict[str, Clip | None] = {}
    if chosen.state.exists():
        done = msgspec.json.decode(chosen.state.read_bytes(), type=dict[str, Clip | None])
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as name:
        sources: dict[str, Path] = {}
        if corpus := os.environ.get("LUCIOLE_CORPUS"):
            videos = Path(corpus, "videos")
            sources = {
                path.relative_to(videos).as_posix(): path
                for place in PLACES
                for path in sorted((videos / place).glob("*"))
                if path.is_file()
            }
        drawn = generated(Path(name))
        for number, (title, source) in enumerate({**sources, **drawn}.items()):
            if title in done:
                continue
            if time.monotonic() > until:
                break
            folder = Path(name, f"work-{number}")
            folder.mkdir()
            try:
                done[title] = measure(source, title, folder, is_generated=title in drawn)
            except (subprocess.CalledProcessError, ValueError) as error:
                print(f"{title}: {error}", flush=True)
                done[title] = None
            chosen.state.parent.mkdir(parents=True, exist_ok=True)
            chosen.state.write_bytes(msgspec.json.encode(done))
            print(title, done[title] and done[title].own, flush=True)  # type: ignore[union-attr]
    clips = [clip for clip in done.values() if clip is not None]
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(told(clips), encoding="utf-8")


if __name__ == "__main__":
    main()
