"""Is anything lost when processes of a cell are killed 500 times?

Expected: nothing that was acknowledged. A piece of an upload is stored before its offset moves, a
clip and its job are one transaction, each job may run twice, and PostgreSQL flushes each commit.

    PYTHONPATH=src .venv/bin/python -m bench.kills --state var/kills/state.json

A run that was cut off goes on from its state: same cell, next round. Results are written after
each round to bench/results/kills.md. Films of a corpus join in where LUCIOLE_CORPUS is set.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.drills import films, kills
from tests.drills.cell_process import ROOT, free_port, get

RESULTS = ROOT / "bench" / "results" / "kills.md"
A_ROUND = 50
PAUSE_S = (0.1, 1.6)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--state", type=Path, required=True, help="JSON file; its cell lies beside")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    path: Path = chosen.state.absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = json.loads(path.read_text()) if path.exists() else {"rounds": [], "kept": []}
    done = sum(sum(one["kills"].values()) for one in state["rounds"])
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        drill = kills.Drill(path.parent / "cell", free_port(), films.make(scratch), scratch)
        try:
            drill.start()
            while done < chosen.kills:
                seed = chosen.seed + len(state["rounds"])
                outcome = drill.round(min(A_ROUND, chosen.kills - done), seed, PAUSE_S)
                print(kills.describe(outcome), *outcome.wrong, sep="\n", flush=True)
                done += outcome.kills.total()
                state["rounds"].append(record(outcome, seed))
                state["kept"] += outcome.public
                save(path, state)
                write(chosen.results, state, chosen.kills)
            gone = [one for one in state["kept"] if not plays(drill.port, one)]
            state["gone"], state["left"] = gone, drill.stop()
        except AssertionError:
            print(*drill.said()[-40:], sep="\n", flush=True)
            raise
        finally:
            drill.give_up()
    save(path, state)
    write(chosen.results, state, chosen.kills)
    return 1 if gone or state["left"] or any(one["wrong"] for one in state["rounds"]) else 0


def plays(port: int, clip_id: str) -> bool:
    """Whether a clip of any round is still there for a stranger, with its first rendition."""
    status, body = get(port, f"/api/clips/{clip_id}")
    if status != 200:
        return False
    first = json.loads(body)["renditions"][0]
    status, film = get(port, first["url"])
    return status == 200 and len(film) == first["size_bytes"]


def record(outcome: kills.Outcome, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "commit": commit(),
        "kills": dict(outcome.kills),
        "back_s": outcome.back_s,
        "clips": dict(outcome.clips),
        "likes": outcome.likes,
        "follows": outcome.follows,
        "pieces": outcome.pieces,
        "resumed": outcome.resumed,
        "settled_s": outcome.settled_s,
        "seconds": outcome.seconds,
        "wrong": outcome.wrong,
    }


def save(path: Path, state: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(path)


def write(path: Path, state: dict[str, Any], wanted: int) -> None:
    """The results as a page."""
    rounds = state["rounds"]
    killed: Counter[str] = Counter()
    back: dict[str, list[float]] = {}
    clips: Counter[str] = Counter()
    for one in rounds:
        killed.update(one["kills"])
        clips.update(one["clips"])
        for name, seconds in one["back_s"].items():
            back.setdefault(name, []).extend(seconds)
    wrong = [text for one in rounds for text in one["wrong"]]
    wrong += [f"clip {one} of an earlier round is gone" for one in state.get("gone", [])]
    wrong += [f"still running: {one}" for one in state.get("left", [])]

    def total(name: str) -> str:
        return f"{sum(one[name] for one in rounds):,}"

    lines = [
        "# Kills",
        "",
        "Is anything lost when processes of a cell are killed 500 times? `bench/kills.py`: three",
        "people upload in pieces, publish, change who may see a clip, like and follow, while",
        "`kill -9` falls at random moments. Durability of PostgreSQL is on, as in `serve`.",
        "",
        f"- {killed.total()} of {wanted} kills, in {len(rounds)} rounds, seeds "
        f"{rounds[0]['seed']} to {rounds[-1]['seed']}, {total_minutes(rounds)} minutes",
        f"- {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, commits {', '.join(commits(rounds))}",
        f"- acknowledged: {clips.total():,} clips, {total('likes')} likes, "
        f"{total('follows')} follows, {total('pieces')} pieces of uploads",
        f"- {total('resumed')} times a phone had to ask where its upload was",
        f"- {clips['published']:,} clips published, every rendition decoded and its colour "
        f"compared; {clips['refused']:,} refused" + ("" if wrong else ", all broken on purpose"),
        f"- settled (work done, sweep run) {min(s(rounds)):.0f} to {max(s(rounds)):.0f} s after "
        "the last kill of a round",
        f"- **promises broken: {len(wrong)}**",
        *(f"  - {text}" for text in wrong[:50]),
        "",
        "| killed | times | back within, median | longest |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, count in killed.most_common():
        times = sorted(back.get(name, []))
        middle = f"{times[len(times) // 2]:.1f} s" if times else ""
        lines.append(f"| {name} | {count} | {middle} | {f'{times[-1]:.1f} s' if times else ''} |")
    lines += [
        "",
        "Back means that `/readyz` answers 200 again; where the API itself was not hit (encoder,",
        "backend) it may never have stopped. A worker has no such answer and is not measured. A",
        "part that is killed again and again waits longer each time before it is started. Nothing",
        "here cuts the power: what the disk does with flushed pages is not tried.",
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def s(rounds: list[dict[str, Any]]) -> list[float]:
    return [one["settled_s"] for one in rounds]


def total_minutes(rounds: list[dict[str, Any]]) -> str:
    return f"{sum(one['seconds'] for one in rounds) / 60:.0f}"


def commits(rounds: list[dict[str, Any]]) -> list[str]:
    return sorted({one["commit"] for one in rounds})


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
