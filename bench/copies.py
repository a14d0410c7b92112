"""How often is the rule that says which films are copies wrong, how often does it miss one, and
what does it take to ask it of 30,000 removed films?

Expected: near copies by re-encoding and scaling are all found, a trim by less than a second nearly
always (its stills are taken between those of the original), a border or a mirror seldom, for which
PDQ is not made; and no two different films are taken for one. Floor: none of either. Films: those
of the corpus that have two stills worth a comparison, and made-up ones of the demo. Films of the
corpus that are made from one (`SAME`), and takes of one scene, are no pairs of different films.
Asking: few ms, as a block list of so many hashes (`bench.blocklist`), whatever the clips.

    PYTHONPATH=src LUCIOLE_CORPUS=… .venv/bin/python -m bench.copies
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from itertools import combinations
from pathlib import Path
from statistics import median
from uuid import uuid4

import numpy as np

from bench import machine
from luciole.cell.media import encode, pdq
from luciole.cell.media.filters import MOST_STILLS, STILL_SIDE
from luciole.cell.safety import copies, model
from luciole.cell.safety.likeness import HASH_BYTES, MAX_NEAR_BITS, all_within, lanes_of
from luciole.demo import film
from luciole.demo.music import MOODS
from luciole.demo.scenes import SCENES

RESULTS = Path(__file__).with_name("results") / "copies.md"
DRAWN_S = 3.0
Edit = tuple[list[str], str, list[str]]
ENDINGS = {".mp4", ".mov", ".webm", ".mkv", ".MOV"}
LONGEST_S, LINES = 6, 360
#: Cuts and encodings of one film, by words of their names.
SAME = (("bunny", "bbb"), ("sample_fragmented", "sample_video_only", "bt601"))
OURS: Edit = ([], f"scale='if(gt(iw,ih),-2,{LINES})':'if(gt(iw,ih),{LINES},-2)'", ["-crf", "23"])
#: What makes a near copy: a name, options before the input, a filter, options of the encoder.
EDITS: dict[str, Edit] = {
    "re-encoded, CRF 34": ([], "null", ["-crf", "34"]),
    "half the size, CRF 30": ([], "scale=trunc(iw/4)*2:trunc(ih/4)*2", ["-crf", "30"]),
    "first 0.5 s off": (["-ss", "0.5"], "null", ["-crf", "28"]),
    "first 1.3 s off, half the size": (
        ["-ss", "1.3"],
        "scale=trunc(iw/4)*2:trunc(ih/4)*2",
        ["-crf", "30"],
    ),
    "a border of 2 %": (
        [],
        "scale=trunc(iw*0.48)*2:trunc(ih*0.48)*2,pad=trunc(iw/0.96/2)*2:trunc(ih/0.96/2)*2:-1:-1",
        ["-crf", "28"],
    ),
    "a border of 10 %": (
        [],
        "scale=trunc(iw*0.4)*2:trunc(ih*0.4)*2,pad=trunc(iw/0.8/2)*2:trunc(ih/0.8/2)*2:-1:-1",
        ["-crf", "28"],
    ),
    "mirrored": ([], "hflip", ["-crf", "28"]),
}


def stills(path: Path) -> bytes:
    """The hashes of a film's stills as media takes them, those that are worth a comparison."""
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-t", str(LONGEST_S), "-i", str(path), "-map", "0:v:0",
         "-vf", f"fps=1:start_time=0:round=up:eof_action=pass,scale={STILL_SIDE}:{STILL_SIDE}:"
         "flags=area:out_range=pc,format=gray", "-f", "rawvideo", "-"],
        check=False, capture_output=True,
    )  # fmt: skip
    size = STILL_SIDE * STILL_SIDE
    whole = len(answer.stdout) // size
    pictures = np.frombuffer(answer.stdout[: whole * size], np.uint8)
    found = [pdq.hashed(one) for one in pictures.reshape(-1, STILL_SIDE, STILL_SIDE)[:MOST_STILLS]]
    return b"".join(one.pdq for one in found if one.quality >= model.LEAST_QUALITY)


def edited(source: Path, target: Path, edit: Edit) -> bool:
    """A near copy of a film, if FFmpeg can make one."""
    before, how, options = edit
    answer = subprocess.run(
        [encode.ffmpeg(), "-v", "error", "-y", *before, "-t", str(LONGEST_S), "-i", str(source),
         "-map", "0:v:0", "-vf", f"scale=trunc(iw/2)*2:trunc(ih/2)*2,{how},format=yuv420p",
         "-c:v", "libx264", "-preset", "ultrafast", *options, str(target)],
        check=False, capture_output=True,
    )  # fmt: skip
    return answer.returncode == 0


def films(folder: Path, work: Path) -> dict[Path, bytes]:
    """The films of a folder that have enough stills to be judged, as who has them from here would
    have them: in a size of ours, in `work`, under their names."""
    found: dict[Path, bytes] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in ENDINGS and "corrupt" not in path.parts:
            ours = work / f"{path.stem}.mp4"
            if edited(path, ours, OURS):
                some = stills(ours)
                if len(some) // HASH_BYTES >= copies.LEAST_STILLS:
                    found[ours] = some
    return found


def is_same(one: Path, other: Path) -> bool:
    """Whether two films of the corpus are made from one, or two are takes of one scene."""
    if one.stem.rpartition("-")[0] in SCENES and one.stem.rpartition("-")[0] in other.stem:
        return True
    names = [path.name.lower() for path in (one, other)]
    return any(all(any(word in name for word in words) for name in names) for words in SAME)


def drawn(folder: Path, takes: int) -> None:
    """Made-up films of the demo: each scene, so many takes of it."""
    for scene in sorted(SCENES):
        for seed in range(takes):
            film.render(
                film.Job(scene, next(iter(MOODS)), DRAWN_S, seed), folder / f"{scene}-{seed}.mp4"
            )


def asked(films: int, stills_of_each: int) -> list[str]:
    """How long a shelf takes, in CPU ms: to be made, to be asked, and to take in one more film.
    Raises AssertionError where it does not find what is there."""
    random = np.random.default_rng(7)
    held = {uuid4(): random.bytes(stills_of_each * HASH_BYTES) for _ in range(films)}
    shelf = copies.Shelf()
    began = time.process_time()
    shelf.hold(held.keys(), held)
    made_ms = (time.process_time() - began) * 1000
    keys = list(held)
    asking, adding = [], []
    for turn in range(30):
        known = keys[turn * 7 % films]
        began = time.process_time()
        found = shelf.like(held[known])
        asking.append((time.process_time() - began) * 1000)
        assert [key for key, _ in found] == [known]
        new = {uuid4(): random.bytes(stills_of_each * HASH_BYTES)}
        held |= new
        began = time.process_time()
        shelf.hold(held.keys(), new)
        adding.append((time.process_time() - began) * 1000)
    return [
        f"{films:,}",
        f"{films * stills_of_each:,}",
        f"{made_ms:.0f}",
        f"**{median(asking):.1f}** / {max(asking):.1f}",
        f"{median(adding):.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="how often the rule about copies is wrong")
    parser.add_argument("folders", nargs="*", type=Path, help="films besides those of the corpus")
    parser.add_argument("--takes", type=int, default=1, help="of each scene of the demo")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        drawn(Path(made), chosen.takes)
        measure([*chosen.folders, Path(made)])


def measure(folders: list[Path]) -> None:
    corpus = os.environ.get("LUCIOLE_CORPUS")
    with tempfile.TemporaryDirectory() as work:
        known: dict[Path, bytes] = {}
        for folder in [*([Path(corpus) / "videos"] if corpus else []), *folders]:
            known |= films(folder, Path(work))
        # 1. Different films against one another.
        pairs = [pair for pair in combinations(known, 2) if not is_same(*pair)]
        wrong = [pair for pair in pairs if copies.alike(known[pair[0]], known[pair[1]])]
        near = sum(
            len(all_within(lanes_of(known[one]), lanes_of(known[other]), MAX_NEAR_BITS)[0]) > 0
            for one, other in pairs
        )
        print(
            f"{len(known)} films, {len(pairs)} pairs, {near} near, {len(wrong)} wrong", flush=True
        )
        for one, other in wrong:
            print(f"  {one.name} {other.name}", flush=True)
        # 2. Near copies against what they were made from, and against all others.
        rows: list[list[str]] = []
        crossed = crossed_wrong = 0
        for name, edit in EDITS.items():
            tried = caught = 0
            for path, original in known.items():
                target = Path(work) / "near-copy.mp4"
                if not edited(path, target, edit):
                    continue
                copy = stills(target)
                if len(copy) // HASH_BYTES < copies.LEAST_STILLS:
                    continue
                tried += 1
                caught += copies.alike(copy, original) is not None
                for other, its in known.items():
                    if other != path and not is_same(other, path):
                        crossed += 1
                        crossed_wrong += copies.alike(copy, its) is not None
            rows.append([name, f"{tried}", f"{caught}", f"{100 * caught / max(tried, 1):.0f} %"])
            print(rows[-1], flush=True)
    text = (
        "# Copies of films\n\nHow often the rule that says which films are likely copies "
        f"(at least {copies.LEAST_STILLS} stills and {copies.LEAST_SHARE:.0%} of the shorter "
        f"film's, within {MAX_NEAR_BITS} bits) is wrong, and what it misses.\n\n"
        f"{machine.described()} {len(known)} films with stills of quality {model.LEAST_QUALITY} or "
        f"more, the first {LONGEST_S} s of each, in {LINES} lines.\n\n"
        f"Of {len(pairs)} pairs of different films, {near} had a near still and **{len(wrong)}** "
        f"were taken for copies; of {crossed} pairs of a near copy and another film, "
        f"**{crossed_wrong}**."
        + "".join(f"\n- {one.name} and {other.name}" for one, other in wrong)
        + "\n\n"
        + machine.table(["near copy", "tried", "found", "share"], rows)
        + "\nWhat it takes to compare one film with those on a worker's shelf, CPU ms of one "
        "thread; hashes of random bits.\n\n"
        + machine.table(
            ["films", "stills", "made", "asked, p50 / most", "one more film"],
            [asked(1_000, 20), asked(30_000, 20)],
        )
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
