"""What does a whole ladder cost, and its first rendition, against making each rendition by itself?

Expected: the whole ladder at most 0.65 of the CPU of one process a rendition at equal VMAF, because
the film is decoded once for all renditions above the first and each is scaled from the one above;
the first rendition at most 0.12 of it, with VMAF within 2, because it has a tenth of the pixels and
its encoder searches less. Floor: the film decoded and nothing done with it.

    PYTHONPATH=src .venv/bin/python -m bench.ladder

In turns: the floor, the plain encode (one 1080), one process a rendition, ours. CPU seconds are
those of the children, user and system, the fence's launcher among them. VMAF is that of
the FFmpeg at hand, against the source scaled to each size. Real phone videos join in where
LUCIOLE_CORPUS is set.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine
from bench.publish import ffmpeg, phone_film
from luciole.cell.media import encode, probe
from luciole.cell.media.rungs import FIRST, Cut, Rung
from luciole.cell.media.soundtrack import Track

RESULTS = Path(__file__).with_name("results") / "ladder.md"
LONGEST_MS = 5000
REAL = (
    "misc/mediabunny_video.mp4", "phone/emulator_270_rotated.mp4",
    "rotate_vfr_odd/rotate-buck-bunny.mp4", "phone/sample_portrait.mp4",
)  # fmt: skip
# What anybody would write: the quality of our upper renditions for all of them.
CRF = 23
WAYS = ("decoding alone", "plain 1080", "one process a rendition", "our first", "ours, all")


@dataclass
class Found:
    """CPU seconds of each round by way, and VMAF and bytes by way and rendition."""

    cpu: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    vmaf: dict[tuple[str, str], float] = field(default_factory=dict)
    size: dict[tuple[str, str], int] = field(default_factory=dict)


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of the children that `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def alone(source: Path, size: tuple[int, int], rung: Rung, out: Path) -> None:
    """One rendition as a process of its own makes it, with the settings of ours."""
    ffmpeg("-t", f"{LONGEST_MS}ms", "-i", str(source), "-vf",
           f"scale={size[0]}:{size[1]}:flags=bicubic", "-c:v", "libx264", "-preset", "veryfast",
           "-profile:v", "high", "-pix_fmt", "yuv420p", "-crf", str(CRF),
           "-maxrate", str(rung.cap_bps), "-bufsize", str(rung.buffer_bits),
           "-force_key_frames", "expr:gte(t,n_forced)", "-g", "600", "-sc_threshold", "0",
           "-c:a", "aac", "-b:a", "96000", "-movflags", "+faststart", str(out))  # fmt: skip


def vmaf(made: Path, source: Path, size: tuple[int, int]) -> float:
    """Mean VMAF of a rendition against the source in its size."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-hide_banner", "-nostdin", "-i", str(made),
         "-t", f"{LONGEST_MS}ms", "-i", str(source), "-lavfi",
         f"[1:v]scale={size[0]}:{size[1]}:flags=bicubic,format=yuv420p[r];"
         "[0:v][r]libvmaf=n_threads=2", "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (score,) = re.findall(r"VMAF score: ([\d.]+)", answer.stderr)
    return float(score)


def measure(source: Path, folder: Path, rounds: int) -> Found:
    found = Found()
    film = asyncio.run(probe.probe(source, folder))
    cut = Cut(0, min(film.duration_ms, LONGEST_MS))
    rungs = [*encode.rungs_above(film), FIRST]
    sizes = {each: encode.scaled(film.width, film.height, each.short_side) for each in rungs}
    ours, theirs = folder / "ours", folder / "theirs"
    ours.mkdir()
    theirs.mkdir()

    def first() -> None:
        asyncio.run(encode.first_playable(source, film, cut, ours))

    def rest() -> None:
        track = Track(ours / f"{FIRST.name}.mp4", "ready") if film.has_audio else None
        asyncio.run(encode.ladder(source, film, cut, ours, track=track))

    def sequential() -> None:
        for rung in rungs:
            alone(source, sizes[rung], rung, theirs / f"{rung.name}.mp4")

    for _ in range(rounds):
        found.cpu["decoding alone"].append(spent(lambda: ffmpeg(
            "-t", f"{LONGEST_MS}ms", "-i", str(source), "-f", "null", "-")))  # fmt: skip
        found.cpu["plain 1080"].append(
            spent(lambda: alone(source, sizes[rungs[0]], rungs[0], theirs / "plain.mp4"))
        )
        found.cpu["one process a rendition"].append(spent(sequential))
        found.cpu["our first"].append(spent(first))
        found.cpu["ours, all"].append(found.cpu["our first"][-1] + spent(rest))
    for name, place in (("theirs", theirs), ("ours", ours)):
        for rung in rungs:
            path = place / f"{rung.name}.mp4"
            found.vmaf[name, rung.name] = vmaf(path, source, sizes[rung])
            found.size[name, rung.name] = path.stat().st_size
    return found


def rows(source: Path, found: Found) -> list[list[str]]:
    names = [name for who, name in found.vmaf if who == "ours"]
    base = min(found.cpu["one process a rendition"])
    told = []
    for way in WAYS:
        cpu = found.cpu[way]
        told.append([
            source.name, way, f"{statistics.median(cpu):.2f} / {min(cpu):.2f}",
            f"**{min(cpu) / base:.2f}**",
        ])  # fmt: skip
    for who, way in (("theirs", 2), ("ours", 4)):
        told[way] += [", ".join(
            f"{name}: {found.vmaf[who, name]:.1f} in {found.size[who, name] // 1000} kB"
            for name in names
        )]  # fmt: skip
    return [row + [""] * (5 - len(row)) for row in told]


def told(table: list[list[str]], rounds: int) -> str:
    head = ["film", "way", "CPU s, median / smallest", "smallest : one process a rendition", "VMAF"]
    return (
        "# What a ladder costs\n\n"
        f"{machine.described()} {rounds} rounds in turns, the first {LONGEST_MS / 1000:.0f} s of "
        f"each film. `bench/ladder.py`\n\n{machine.table(head, table)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    chosen.results.parent.mkdir(exist_ok=True)
    table = []
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as name:
        corpus = os.environ.get("LUCIOLE_CORPUS")
        sources = [Path(corpus, "videos", each) for each in REAL] if corpus else []
        for number, source in enumerate([*sources, None]):
            folder = Path(name, str(number))
            folder.mkdir()
            chosen_film = source or phone_film(folder)
            table += rows(chosen_film, measure(chosen_film, folder, chosen.rounds))
            # After each film, so that a run that is stopped leaves what it has found.
            chosen.results.write_text(told(table, chosen.rounds), encoding="utf-8")
            print(chosen_film.name, flush=True)


if __name__ == "__main__":
    main()
