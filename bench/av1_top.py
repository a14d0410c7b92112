"""What would AV1 save of the largest rendition itself, at its own size?

Expected: less than below that size. There, scaling hides what the first encoder has left out; here
AV1 has to draw it again, and the film of the phone is gone. Peer: the rendition of 1080 lines as a
cell makes it, with the CRF found for its film. AV1 is made out of that one, in its size, and never
looks better: what counts is how many bytes are saved for one point of VMAF, and for two. Floor: the
same in AV1 out of the film itself, which a cell cannot make.

    LUCIOLE_CORPUS=… PYTHONPATH=src .venv/bin/python -m bench.av1_top --state var/av1-top.json

The first seconds of each film, preset as in the cell. Both are judged against the pictures of the
film. CPU is that of the process that decodes and encodes, as a ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import msgspec

from bench import machine
from bench.av1 import Point, picture, point, run
from bench.quality import _between
from luciole.cell.media import av1, encode, probe, quality
from luciole.cell.media.rungs import REST, Cut, Rung

RESULTS = Path(__file__).with_name("results") / "av1-top.md"
TOP = REST[0]
AV1_TOP = Rung(TOP.name, TOP.short_side, 36.0, 4_500_000, TOP.top_fps)
SPAN = (20.0, 30.0, 38.0, 46.0)
POINTS = (1.0, 2.0)
CLIPS = (
    "phone/pixel7_videoOnly.mp4",
    "misc/mediabunny_video.mp4",
    "misc/sowt-with-video.mov",
    "rotate_vfr_odd/rotate-buck-bunny.mp4",
    "rotate_vfr_odd/edit_list_positive_shift.mp4",
    "hdr/hdr10-video-with-sdr-container.mp4",
    "vp9_webm/frames.webm",
)


class Film(msgspec.Struct, frozen=True):
    name: str
    kept: Point
    again: list[Point]
    from_film: list[Point]

    def share(self, points: list[Point], less: float) -> float | None:
        """Of the bytes, for so many points of VMAF less; None where no try gets that near."""
        wanted = self.kept.vmaf - less
        if max(one.vmaf for one in points) < wanted:
            return None
        return _between(wanted, [(one.vmaf, one.kbps) for one in points]) / self.kept.kbps


def measure(source: Path, name: str, folder: Path, length_ms: int) -> Film:
    film = asyncio.run(probe.probe(source, folder))
    cut = Cut(0, min(film.duration_ms, length_ms))
    given, kept = folder / "given.mp4", folder / "kept.mp4"
    plain = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-fps_mode", "vfr",
             "-enc_time_base", "1:90000"]  # fmt: skip
    reads = picture(source, cut, TOP, folder)
    run(folder, *reads, *plain, str(given))
    crf = asyncio.run(quality.crf_for(source, film, cut, REST[-1], folder))
    options = encode.video(msgspec.structs.replace(TOP, crf=crf), 2)
    as_kept = point(folder, reads, options, given, crf, cut)
    run(folder, *reads, *options, *encode.CLEAN, str(kept))

    def again(way: list[str], crf: float) -> Point:
        options = av1.video(msgspec.structs.replace(AV1_TOP, crf=crf), 2)
        return point(folder, way, options, given, crf, cut)

    of_kept = picture(kept, Cut(0, cut.length_ms), AV1_TOP, folder)
    return Film(
        name,
        as_kept,
        [again(of_kept, each) for each in SPAN],
        [again(reads, each) for each in SPAN],
    )


def told(films: list[Film], length_ms: int) -> str:
    rows = []
    for film in films:
        row = [film.name, f"{film.kept.crf:g}", f"{film.kept.kbps:.0f}", f"{film.kept.vmaf:.1f}"]
        for points in (film.again, film.from_film):
            for less in POINTS:
                share = film.share(points, less)
                row.append("out of reach" if share is None else f"{share:.2f}")
        spent = sum(one.cpu_s for one in film.again) / len(film.again)
        row.append(f"{spent / film.kept.cpu_s:.1f}")
        rows.append(row)
    head = ["film", "CRF found", "kbit/s", "VMAF", "AV1 of it: bytes, VMAF 1 less", "2 less",
            "AV1 of the film: 1 less", "2 less", "CPU"]  # fmt: skip
    sums = []
    for less in POINTS:
        # What gets no smaller, or not so near, stays in H.264.
        shares = [(film.share(film.again, less), film.kept.kbps) for film in films]
        ours = sum(kbps * min(1.0, share or 1.0) for share, kbps in shares)
        near = sum(share is not None for share, _ in shares)
        sums.append(
            f"for {less:g} of VMAF **{ours / sum(kbps for _, kbps in shares):.2f}** of the bytes "
            f"({near} of {len(films)} get so near)"
        )
    return (
        "# AV1 of the largest rendition, at its own size\n\n"
        f"{machine.described()} `bench/av1_top.py`. The first {length_ms / 1000:g} s of each film, "
        f"1080 lines.\n\nAll together, {'; '.join(sums)}.\n\n{machine.table(head, rows)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--state", type=Path, default=Path("var/av1-top.json"))
    parser.add_argument("--length-ms", type=int, default=1000)
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
            done[name] = measure(videos / name, name, Path(folder), chosen.length_ms)
        chosen.state.parent.mkdir(parents=True, exist_ok=True)
        chosen.state.write_bytes(msgspec.json.encode(done))
        print(done[name], flush=True)
    chosen.results.write_text(told(list(done.values()), chosen.length_ms), encoding="utf-8")


if __name__ == "__main__":
    main()
