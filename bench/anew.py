"""Would it pay to make the first rendition anew, with a CRF that is found for its film?

Expected: no more than 10 % of its bytes. The search aims at VMAF 90 and CRF 23.5 is near it on most
films, so what easy films give back, hard ones take. Peer: the first rendition as it is published,
with one CRF for all and little effort. Two ways to make it anew: at the CRF that the search for the
ladder finds on this size, with the encoder's usual effort; and at the VMAF that the published one
has, so that only bytes change. Floor: bytes that cost quality are no gain, so VMAF stands beside
them.

    LUCIOLE_CORPUS=… PYTHONPATH=src .venv/bin/python -m bench.anew --state var/anew.json

The first seconds of each film, without sound. VMAF is that of the FFmpeg at hand, of every other
frame, against the pictures that the encoder was given. CPU is that of the encoder alone, and that
of the search. Each film is kept in the state as it is done.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import subprocess
import tempfile
from pathlib import Path

import msgspec

from bench import machine
from bench.publish import ffmpeg
from bench.quality import Point, _between
from luciole.cell.media import encode, probe, quality, tonemap
from luciole.cell.media.filters import graph_of_samples
from luciole.cell.media.rungs import FIRST, Cut, Rung

RESULTS = Path(__file__).with_name("results") / "anew.md"
LONGEST_MS = 2500
SPAN_CRF = (20.0, 24.0, 28.0)
ENOUGH = 0.8
CLIPS = (
    "phone/emulator_270_rotated.mp4",
    "phone/pixel7_videoOnly.mp4",
    "phone/sample_portrait.mp4",
    "phone/pixel_motion_photo_2_hevc_tracks.mp4",
    "misc/c2pa_video1_signed.mp4",
    "misc/mediabunny_video.mp4",
    "misc/bt709_full_range.mp4",
    "misc/sowt-with-video.mov",
    "rotate_vfr_odd/rotate-buck-bunny.mp4",
    "rotate_vfr_odd/edit_list_positive_shift.mp4",
    "rotate_vfr_odd/cursed-vfr.mp4",
    "hdr/hdr10-video-with-sdr-container.mp4",
    "vp9_webm/frames.webm",
    "corrupt/missing-keyframe-labels.ts",
)


class Film(msgspec.Struct, frozen=True):
    """A film's first rendition as it is published, and made anew."""

    name: str
    published: Point
    found: Point
    span: list[Point]
    cpu_s: float
    """Of making it anew: the search, and the encoder."""
    published_cpu_s: float

    @property
    def equal_kbps(self) -> float:
        """The rate of what is made anew with the VMAF that is published."""
        points = [(p.vmaf, p.kbps) for p in self.span]
        return _between(self.published.vmaf, points)


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(source: Path, name: str, folder: Path) -> Film:
    film = asyncio.run(probe.probe(source, folder))
    cut = Cut(0, min(film.duration_ms, LONGEST_MS))
    size = encode.scaled(film.width, film.height, FIRST.short_side)
    if film.is_hdr:
        tonemap.write(film.facts.transfer, folder)
    given = folder / "given.mp4"
    subprocess.run(
        [encode.ffmpeg(), "-nostdin", "-v", "error", "-y",
         *encode.ffmpeg_input(source, cut, is_shrunk=False), "-filter_complex",
         graph_of_samples(film, [cut], FIRST, size, ["given"]), "-map", "[given]", "-an",
         "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-fps_mode", "vfr",
         "-enc_time_base", "1:90000", str(given)],
        check=True, cwd=folder,
    )  # fmt: skip
    before = cpu_s()
    crf = asyncio.run(quality.crf_for(source, film, cut, FIRST, folder))
    search_s = cpu_s() - before
    span = [point(given, _of(each), cut, folder)[0] for each in SPAN_CRF]
    found, found_s = point(given, _of(crf), cut, folder)
    published, published_s = point(given, FIRST, cut, folder)
    return Film(name, published, found, span, search_s + found_s, published_s)


def _of(crf: float) -> Rung:
    """The rung with that CRF and the usual effort, which the first one alone does without."""
    return msgspec.structs.replace(FIRST, name="540-anew", crf=crf)


def point(given: Path, rung: Rung, cut: Cut, folder: Path) -> tuple[Point, float]:
    made = folder / "made.mp4"
    before = cpu_s()
    ffmpeg("-i", str(given), *encode.video(rung, 2), *encode.CLEAN, str(made))
    took_s = cpu_s() - before
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-nostdin", "-i", str(made), "-i", str(given), "-lavfi",
         "[0:v]settb=1/90000[m];[1:v]settb=1/90000[g];[m][g]libvmaf=n_threads=2:n_subsample=2",
         "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (score,) = re.findall(r"VMAF score: ([\d.]+)", answer.stderr)
    kbps = made.stat().st_size * 8 / cut.length_ms
    return Point(rung.crf, kbps, float(score)), took_s


def told(films: list[Film]) -> str:
    published = sum(film.published.kbps for film in films)
    kept = [film for film in films if film.found.kbps <= ENOUGH * film.published.kbps]
    best = sum(min(film.found.kbps, film.published.kbps) for film in films)
    chosen = sum((film.found if film in kept else film.published).kbps for film in films)
    equal = sum(film.equal_kbps for film in films)
    change = sum(film.found.vmaf - film.published.vmaf for film in films) / len(films)
    work = sum(film.cpu_s for film in films) / sum(film.published_cpu_s for film in films)
    head = ["film", "published: kbit/s", "VMAF", "CRF found", "kbit/s", "VMAF", "of the bytes",
            "at equal VMAF"]  # fmt: skip
    rows = [
        [film.name, f"{film.published.kbps:.0f}", f"{film.published.vmaf:.1f}",
         f"{film.found.crf:g}", f"{film.found.kbps:.0f}", f"{film.found.vmaf:.1f}",
         f"{film.found.kbps / film.published.kbps:.2f}",
         f"{film.equal_kbps / film.published.kbps:.2f}"]
        for film in films
    ]  # fmt: skip
    return (
        "# Whether the first rendition is worth making anew\n\n"
        f"{machine.described()} `bench/anew.py`. Seconds of each film: {LONGEST_MS / 1000:g}. "
        "Each film counts by its rate.\n\n"
        f"{len(films)} films. At the CRF that is found: "
        f"**{sum(film.found.kbps for film in films) / published:.2f}** of the bytes, VMAF "
        f"{change:+.1f} on average. Kept only where it is smaller: {best / published:.2f}; only "
        f"where a fifth is saved ({len(kept)} of them): {chosen / published:.2f}. At equal VMAF, "
        f"with more effort: {equal / published:.2f}. Search and encoder take {work:.1f} times the "
        f"CPU of the encoder of what is published.\n\n{machine.table(head, rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state", type=Path, default=Path("var/anew.json"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    videos = Path(os.environ["LUCIOLE_CORPUS"], "videos")
    done: dict[str, Film] = {}
    if chosen.state.exists():
        done = msgspec.json.decode(chosen.state.read_bytes(), type=dict[str, Film])
    for name in CLIPS:
        if name in done:
            continue
        with tempfile.TemporaryDirectory(prefix="luciole-bench-") as folder:
            done[name] = measure(videos / name, name, Path(folder))
        chosen.state.parent.mkdir(parents=True, exist_ok=True)
        chosen.state.write_bytes(msgspec.json.encode(done))
        print(done[name], flush=True)
    chosen.results.write_text(told(list(done.values())), encoding="utf-8")


if __name__ == "__main__":
    main()
