"""What does a page of For You cost more when ranking lives in Ray actors instead of in the process
that answers?

Expected: the draw itself is the same code over the same state, so the same milliseconds. Added are
a message to the process of ranking over a Unix socket, one to the actor, and the way back: about
1 ms each on a quiet machine, 3 ms in the middle with two busy cores. So 1.2 times for a draw of
15 ms, and less than 1 in pages a second as soon as there are more cores than replicas.

    PYTHONPATH=src:. .venv/bin/python -m bench.ray_ranking --clips 20000 --draws 200

Needs Ray (.ci/run installs it). Results are written to bench/results/ray_ranking.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import uvloop
from tests.ray.conftest import HAS_RAY, MISSING, REPLICAS, Cluster
from tests.ray.logbook import NOW, Logbook, viewer

from bench import machine
from luciole.cell.feed.ranker import Asked, Viewer
from luciole.cell.feed.ranking_state import State

RESULTS = Path(__file__).with_name("results") / "ray_ranking.md"
AT_ONCE = 8


async def latencies(
    places: dict[str, State], who: Viewer | None, draws: int
) -> dict[str, list[float]]:
    """Milliseconds of each draw. The places take turns, so that both meet the same disturbances;
    each draws the very same page."""
    found: dict[str, list[float]] = {name: [] for name in places}
    for seed in range(draws):
        drawn = []
        for name, state in places.items():
            began = time.perf_counter()
            drawn.append(await state.draw(Asked(NOW, seed, 10), who))
            found[name].append((time.perf_counter() - began) * 1000)
        assert drawn[0] == drawn[1]
    return found


async def pages_a_second(state: State, draws: int) -> float:
    """With AT_ONCE requests waiting at any time."""
    seeds = iter(range(draws))

    async def ask() -> None:
        for seed in seeds:
            await state.draw(Asked(NOW, seed, 10), None)

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return draws / (time.perf_counter() - began)


async def measure(cluster: Cluster, clips: int, draws: int) -> str:
    book = Logbook()
    book.add_clips(clips)
    book.add_events(5 * clips)
    await book.take_snapshot()
    here, away = await book.state(), await cluster.follow(book)
    places: dict[str, State] = {"in process": here, "Ray actors": away}
    rows = []
    try:
        for mode, who in (("public", None), ("learning", viewer(book))):
            await latencies(places, who, 10)
            found = await latencies(places, who, draws)
            middle = {name: statistics.median(each) for name, each in found.items()}
            for name, times in found.items():
                p99 = statistics.quantiles(times, n=100)[98]
                ratio = middle[name] / middle["in process"]
                rows.append((mode, name, f"{middle[name]:.2f} ms", f"{p99:.2f} ms", f"{ratio:.2f}"))
        speed = {name: await pages_a_second(state, draws) for name, state in places.items()}
    finally:
        await away.close()
    return (
        machine.table(("pages", "ranking", "median", "p99", "ratio of medians"), rows)
        + f"\nPublic pages a second with {AT_ONCE} requests at once: "
        + f"{speed['in process']:.0f} in process, {speed['Ray actors']:.0f} with {REPLICAS} "
        + f"replicas, {speed['Ray actors'] / speed['in process']:.2f} times as many.\n"
    )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--clips", type=int, default=20_000)
    words.add_argument("--draws", type=int, default=200)
    chosen = words.parse_args()
    if not HAS_RAY:
        raise SystemExit(MISSING)
    with tempfile.TemporaryDirectory(prefix="luciole-") as folder:
        cluster = Cluster(Path(folder))
        cluster.start()
        try:
            told = uvloop.run(measure(cluster, chosen.clips, chosen.draws))
        finally:
            cluster.stop()
    text = (
        f"# Ranking in Ray actors\n\n{machine.described()}\n\n"
        f"{chosen.clips} clips, {5 * chosen.clips} events, {chosen.draws} pages of 10 each way, in "
        f"turns in one run; each page is compared and is the same. Load of the machine: "
        f"{os.getloadavg()[0]:.0f}.\n\n{told}"
    )
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
