"""How many events a second does the world learn on one core, what does a page cost, and does that
grow with the cell?

    PYTHONPATH=src .venv/bin/python -m bench.feed_quality.speed [--clips 100000,1000000]

Guess: 300,000 events/s, 4 ms and 8 ms a page, twice as much at most for ten times the clips.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
import tracemalloc
from uuid import UUID

import numpy as np

from bench import machine
from bench.feed_quality import report
from luciole.cell.feed.ranking.model import Clip, Event, Signal, Source
from luciole.cell.feed.ranking.page import Asked, Drawn, Viewer, learning, public
from luciole.cell.feed.ranking.taste import Taste
from luciole.cell.feed.ranking.weights import PUBLIC_FEATURES, published
from luciole.cell.feed.ranking.world import World

NOW = 1_800_000_000.0
PAGES = 100


def uuid_of(rng: random.Random) -> UUID:
    low = (1 << 63) | rng.getrandbits(62)
    return UUID(int=(rng.getrandbits(48) << 80) | (7 << 76) | low)


def clips_of(rng: random.Random, count: int) -> list[Clip]:
    authors = [uuid_of(rng) for _ in range(count // 20)]
    sounds = [uuid_of(rng) for _ in range(count // 30)]
    return [
        Clip(
            uuid_of(rng), rng.choice(authors),
            (f"t{int(rng.paretovariate(0.7)) % 5_000}", f"u{rng.randrange(20_000)}"),
            f"lovely evening {rng.choice(('seaside', 'mountain', 'kitchen'))}",
            rng.choice(sounds), rng.choice((6_000, 15_000, 40_000, 90_000)),
            NOW - rng.random() * 60 * 86_400,
        )
        for _ in range(count)
    ]  # fmt: skip


def events_of(rng: random.Random, clips: list[Clip], count: int, start: float) -> list[Event]:
    """Impressions with a watch each, and a like or a share of some; 20 clips a session."""
    columns = np.zeros(len(PUBLIC_FEATURES), "<f2")
    columns[0] = 1
    packed = columns.tobytes()
    found: list[Event] = []
    number, session = 0, uuid_of(rng)
    while len(found) < count:
        if number % 20 == 0:
            session = uuid_of(rng)
        clip = clips[int(len(clips) * rng.random() ** 2)]
        at = start + number * 0.01
        told = [(Signal.SHOWN, 0), (Signal.WATCHED, rng.randrange(40_000))]
        told += [(rng.choice((Signal.LIKED, Signal.SHARED)), 0)] * (rng.random() < 0.05)
        for signal, value in told:
            found.append(Event(at, session, clip.id, signal, value, 0, Source.REST, packed, 1.0))
        number += 1
    return found


def pages_ms(page: object, count: int) -> list[float]:
    assert callable(page)
    found = []
    for seed in range(count):
        began = time.process_time()
        drawn: Drawn = page(seed)
        found.append((time.process_time() - began) * 1e3)
        assert len(drawn.slots) == 10
    return sorted(found)


def one_size(count: int, events: int) -> dict[str, float]:
    rng = random.Random(count)
    clips = clips_of(rng, count)
    world = World(published())
    began = time.process_time()
    for clip in clips:
        world.put(clip)
    found = {"put, µs a clip": (time.process_time() - began) / count * 1e6}
    taken, spent, start = 0, 0.0, NOW
    log: list[Event] = []
    while taken < events:
        log = events_of(rng, clips, 200_000, start)
        start = log[-1].at
        began = time.process_time()
        for at in range(0, len(log), 50_000):
            world.apply(log[at : at + 50_000])
        spent += time.process_time() - began
        taken += len(log)
    found["events/s"] = taken / spent
    found["10,000,000 events, s"] = 1e7 * spent / taken
    began = time.process_time()
    for at in range(0, 4_000, 20):
        world.apply(log[at : at + 20])
    found["batch of 20, ms"] = (time.process_time() - began) / 200 * 1e3
    by_id = {clip.id: clip for clip in clips}
    taste = Taste()
    for event in log[:1_000]:
        taste.apply(event, by_id[event.clip])
    followed = frozenset(clip.author_id for clip in clips[:50])
    viewer = Viewer(taste, followed, tuple(clip.id for clip in clips[:10]))
    for name, page in (
        ("public", lambda seed: public(world, Asked(start, seed, 10))),
        ("learning", lambda seed: learning(world, Asked(start, seed, 10), viewer)),
    ):
        page(0)
        times = pages_ms(page, PAGES)
        found[f"{name} page, ms p50"] = times[PAGES // 2]
        found[f"{name} page, ms p95"] = times[PAGES * 95 // 100]
    found["inputs, kB"] = len(public(world, Asked(start, 1, 10)).inputs) / 1e3
    began = time.process_time()
    data = world.dump()
    found["dump, s"] = time.process_time() - began
    found["dump, MB"] = len(data) / 1e6
    began = time.process_time()
    World.load(published(), data)
    found["load, s"] = time.process_time() - began
    found["peak memory of the process, MB"] = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    )
    return found


def taste_bytes() -> float:
    rng = random.Random(3)
    clips = clips_of(rng, 2_000)
    by_id = {clip.id: clip for clip in clips}
    log = events_of(rng, clips, 3_000, NOW)
    Taste().apply(log[1], by_id[log[1].clip])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [Taste() for _ in range(20)]
    for taste in kept:
        for event in log[:1_000]:
            taste.apply(event, by_id[event.clip])
    size = (tracemalloc.get_traced_memory()[0] - before) / len(kept)
    tracemalloc.stop()
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clips", default="100000,1000000")
    parser.add_argument("--events", type=int, default=1_000_000)
    told = parser.parse_args()
    sizes = [int(size) for size in told.clips.split(",")]
    found = [one_size(size, told.events) for size in sizes]
    rows = [
        [name, *(f"{each[name]:,.2f}" if each[name] < 1e3 else f"{each[name]:,.0f}"
                 for each in found),
         f"{found[-1][name] / found[0][name]:.2f}"]
        for name in found[0]
    ]  # fmt: skip
    head = ["CPU time of one core", *(f"{size:,} clips" for size in sizes), "ratio"]
    body = (
        f"{told.events:,} events measured in batches of 50,000; {PAGES} pages of 10. A person's "
        f"taste after 1,000 events takes {taste_bytes():,.0f} bytes. `bench/feed_quality/speed.py`"
        f"\n\n{machine.table(head, rows)}"
    )
    report.write("Speed of the world", body)


if __name__ == "__main__":
    main()
