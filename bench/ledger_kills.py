"""Does the log lose, repeat or contradict anything in 1,000 kills and restores?

Expected: nothing that was published. A batch is one transaction; tiles are flushed before a head is
signed; a signed head is written, by exchange, before anybody sees it; a database that was put back
is moved on to what the log has signed. A restore loses what was acknowledged in the last second
before it and not yet published; that is counted.

    PYTHONPATH=src:. .venv/bin/python -m bench.ledger_kills --state var/ledger-kills/state.json

A run that was cut off goes on from its state: same log, next round. Results are written after each
round to bench/results/ledger-kills.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.drills import ledger_kills
from tests.drills.cell_process import ROOT, free_port

from bench import machine

RESULTS = ROOT / "bench" / "results" / "ledger-kills.md"
A_ROUND = 50
PAUSE_S = (0.1, 2.0)


async def run(chosen: argparse.Namespace, path: Path, state: dict[str, Any]) -> int:
    done = sum(sum(one["kills"].values()) for one in state["rounds"])
    drill = ledger_kills.Drill(path.parent / "log", free_port())
    drill.remember(state["heads"])
    try:
        await drill.start()
        while done < chosen.kills:
            seed = chosen.seed + len(state["rounds"])
            outcome = await drill.round(min(A_ROUND, chosen.kills - done), seed, PAUSE_S)
            print(ledger_kills.describe(outcome), *outcome.wrong, sep="\n", flush=True)
            done += outcome.kills.total()
            state["rounds"].append(record(outcome, seed))
            state["heads"] = drill.known_heads()
            save(path, state)
            write(chosen.results, state, chosen.kills)
    finally:
        state["left"] = drill.stop()
    save(path, state)
    write(chosen.results, state, chosen.kills)
    return 1 if state["left"] or any(one["wrong"] for one in state["rounds"]) else 0


def record(outcome: ledger_kills.Outcome, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "commit": machine.commit(),
        "kills": dict(outcome.kills),
        "acknowledged": outcome.acknowledged,
        "in_doubt": outcome.in_doubt,
        "aborted": outcome.aborted,
        "heads": outcome.heads,
        "size": outcome.size,
        "lost": outcome.lost,
        "lost_s": outcome.lost_s,
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
    kills: Counter[str] = Counter()
    for one in rounds:
        kills.update(one["kills"])
    wrong = [text for one in rounds for text in one["wrong"]]
    wrong += [f"still running: {one}" for one in state.get("left", [])]
    lost = [count for one in rounds for count in one["lost"]]
    ages = [age for one in rounds for age in one["lost_s"]]

    def total(name: str) -> str:
        return f"{sum(one[name] for one in rounds):,}"

    victims = machine.table(
        ("killed", "times"), [(name, f"{count}") for name, count in kills.most_common()]
    )
    minutes = sum(one["seconds"] for one in rounds) / 60
    lines = [
        "# Kills of the log",
        "",
        f"Does the log lose, repeat or contradict anything in {wanted:,} kills and restores?",
        f"`bench/ledger_kills.py`: {ledger_kills.WRITERS} writers commit fast, slowly and not at",
        "all, while `kill -9` falls at random moments and the database's files are put back to an",
        "earlier state. Durability of PostgreSQL is on, the archive is flushed, a witness mirrors",
        "and cosigns.",
        "",
        f"- {kills.total():,} of {wanted:,}, in {len(rounds)} rounds, seeds {rounds[0]['seed']} "
        f"to {rounds[-1]['seed']}, {minutes:.0f} minutes, commits "
        f"{', '.join(sorted({one['commit'] for one in rounds}))}",
        f"- acknowledged: {total('acknowledged')} entries; in doubt, because the answer to a "
        f"commit was lost: {total('in_doubt')}; aborted: {total('aborted')}",
        f"- heads that anybody could see: {total('heads')}; each is about the beginning of the "
        f"one log, of {rounds[-1]['size']:,} entries in the end",
        f"- restores: {kills['restore']}; acknowledged and unpublished entries that went with "
        f"them: {sum(lost):,} (at most {max(lost, default=0)} with one), of the last "
        f"{max(ages, default=0):.2f} s before it",
        "- published entries lost, entries that come twice, heads that contradict, aborted "
        f"entries that appear: **{len(wrong)}**",
        *(f"  - {text}" for text in wrong[:50]),
        "",
        victims,
        "A restore is the database's files as they were at an earlier kill. Nothing here cuts the",
        "power: what the disk does with flushed pages is not tried.",
        "",
        machine.described(),
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--state", type=Path, required=True, help="JSON file; its log lies beside")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    path: Path = chosen.state.absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = json.loads(path.read_text()) if path.exists() else {"rounds": [], "heads": {}}
    return asyncio.run(run(chosen, path, state))


if __name__ == "__main__":
    sys.exit(main())
