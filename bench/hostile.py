"""Does any of 100,000 hostile files get out of the fence, hang, or leave something behind?

Expected: none. What a decoder may do is decided by the kernel, not by the file. And: how long does
it take until a child stands in the fence? Expected: 3 to 5 ms on a quiet machine, of which the fork
of a small Python is the half.

    PYTHONPATH=src LUCIOLE_CORPUS=… nice -n 19 .venv/bin/python -m bench.hostile --state var/hostile

Cases are made from a seed and a number (tests/hostile/cases.py), so that each can be had again with
--only. A run that was cut off goes on from its state. Results go to bench/results/hostile.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.hostile import trial

from bench import machine
from luciole.cell.media import fence, launchers, probe

RESULTS = machine.ROOT / "bench" / "results" / "hostile.md"
SAVED_EVERY = 200
LAUNCHES = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--state", type=Path, required=True, help="folder; a run goes on from it")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--minutes", type=float, default=0, help="stop after so long (0: at the end)"
    )
    parser.add_argument("--only", type=int, help="one case, by its number")
    chosen = parser.parse_args()
    if not fence.available().is_enough:
        print("This platform has no fence to try.", *fence.available().reasons, sep="\n")
        return 2
    return asyncio.run(run(chosen))


async def run(chosen: argparse.Namespace) -> int:
    path = chosen.state.absolute() / "state.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "seed": chosen.seed, "next": 0, "seconds": 0.0, "verdicts": {}, "wrong": [],
        "slowest_ms": 0, "slowest": "", "load": [],
    }  # fmt: skip
    if path.exists():
        state = json.loads(path.read_text())
    corpus = os.environ.get("LUCIOLE_CORPUS", "")
    ground = trial.Ground(path.parent / "ground", Path(corpus) / "videos" if corpus else None)
    try:
        if chosen.only is not None:
            tally = trial.Tally()
            await ground.run(state["seed"], [chosen.only], tally)
            print(tally)
            return 1 if tally.wrong else 0
        state["launch"] = await launch_times(ground)
        until = time.monotonic() + chosen.minutes * 60 if chosen.minutes else float("inf")
        open_files = len(os.listdir("/proc/self/fd"))
        while state["next"] < chosen.cases and time.monotonic() < until:
            await some(ground, state, min(chosen.cases, state["next"] + SAVED_EVERY))
            now = len(os.listdir("/proc/self/fd"))
            # Launchers come and go, each with two open files here.
            if now > open_files + 4 * trial.AT_ONCE:
                state["wrong"].append(f"{state['next']}: {now - open_files} files are left open")
            save(path, state)
            write(chosen.results, state, chosen.cases, len(ground.sources), bool(corpus))
    finally:
        ground.close()
        launchers.close()
    return 1 if state["wrong"] else 0


async def some(ground: trial.Ground, state: dict[str, Any], end: int) -> None:
    """Cases up to `end`, into the state."""
    tally, began = trial.Tally(), time.monotonic()
    for start in range(state["next"], end, trial.AT_ONCE):
        await ground.run(state["seed"], range(start, min(end, start + trial.AT_ONCE)), tally)
    state["verdicts"] = dict(Counter(state["verdicts"]) + tally.verdicts)
    state["wrong"] += tally.wrong
    state["seconds"] += time.monotonic() - began
    state["next"] = end
    state["load"].append(round(os.getloadavg()[0], 1))
    if tally.slowest_ms > state["slowest_ms"]:
        state["slowest_ms"], state["slowest"] = tally.slowest_ms, tally.slowest
    print(end, *tally.wrong, sep="\n", flush=True)


async def launch_times(ground: trial.Ground) -> dict[str, list[float]]:
    """Milliseconds until a program that does nothing has begun and ended, plain and in the fence,
    in turns; and until a small film is probed."""
    out = ground.folder.parent / "launches"
    out.mkdir(exist_ok=True)
    times: dict[str, list[float]] = {"plain": [], "fenced": [], "probe": []}
    for number in range(LAUNCHES + 5):
        row = {}
        began = time.perf_counter()
        child = await asyncio.create_subprocess_exec("/bin/true")
        await child.wait()
        row["plain"] = time.perf_counter() - began
        began = time.perf_counter()
        outcome = await fence.run(["/bin/true"], reads=[], writes=[out], limits=probe.LIMITS)
        row["fenced"] = time.perf_counter() - began
        assert outcome.code == 0, outcome
        began = time.perf_counter()
        film = await probe.probe(ground.place.film, out)
        row["probe"] = time.perf_counter() - began
        assert (film.width, film.height) == (96, 160)
        if number >= 5:  # the launchers themselves take their time
            for name, seconds in row.items():
                times[name].append(round(seconds * 1000, 2))
    return times


def save(path: Path, state: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(path)


def write(path: Path, state: dict[str, Any], wanted: int, sources: int, has_corpus: bool) -> None:
    """The results as a page."""
    verdicts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for name, count in state["verdicts"].items():
        kind, verdict = name.split("\t")
        verdicts[verdict] += count
        kinds[kind] += count
    load = sorted(state["load"])
    wrong = state["wrong"]
    lines = [
        "# Hostile files",
        "",
        "Does any of 100,000 hostile files get out of the fence, hang, or leave something behind?",
        f"`bench/hostile.py`. {machine.described()}",
        "",
        f"- {state['next']:,} of {wanted:,} cases, seed {state['seed']}, made of {sources} films"
        + (", those of the corpus among them" if has_corpus else "")
        + f"; {state['seconds'] / 60:.0f} minutes at `nice 19`, load {load[0]} to {load[-1]}",
        f"- {sum(verdicts.values()):,} verdicts",
        f"- **escapes, hangs, and things left behind: {len(wrong)}**",
        *(f"  - {text}" for text in wrong[:50]),
        f"- slowest: {state['slowest_ms'] / 1000:.1f} s, {state['slowest']}",
        "",
        "After every four cases: no process of theirs is there, nothing outside has changed or",
        "come, nobody called on the network, and in their own folder they left plain files only.",
        "A tenth of what the probe accepts is encoded too, up to 0.3 s of it.",
        "",
        machine.table(["verdict", "cases"], [(v, f"{n:,}") for v, n in verdicts.most_common()]),
        machine.table(["kind", "cases"], [(k, f"{n:,}") for k, n in sorted(kinds.items())]),
        "Milliseconds until a child has begun and ended, 200 of each in turns:",
        "",
        machine.table(["", "least", "median", "90 %"], [
            (name, *(f"{at(times, share):.1f}" for share in (0, 0.5, 0.9)))
            for name, times in state["launch"].items()
        ]),
        "`plain` is `/bin/true` started by asyncio, `fenced` the same in the fence, `probe` a look",
        "at a small film.",
        "",
    ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    sys.exit(main())
