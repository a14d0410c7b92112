"""How long does a week's rotation of all data keys take, and does anybody wait for it?

Expected: a person costs one opening and one sealing of 61 bytes (3 µs for both) and a row of 190
bytes read and written (5 µs), so 1,000,000 persons take 10 s of one core, four to five times the
floor. The floor seals the same bytes with the same library and key and stores nothing. A
reader asks for keys all the while; it may wait for a page of 1,000 rows, not for the rotation.

    PYTHONPATH=src .venv/bin/python -m bench.keys --persons 1000000

Results are written to bench/results/keys.md.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bench import machine
from luciole.keys import KeyStore, RootKey, seal
from luciole.kit.ids import new_id

RESULTS = Path(__file__).with_name("results") / "keys.md"
AT_ONCE = 20_000
SAMPLE = 1_000
INNER_BYTES = seal.KEY_BYTES + seal.OVERHEAD_BYTES


class Times(NamedTuple):
    """What one run took of the clock, and of the processor."""

    wall_s: float
    cpu_s: float


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--persons", type=int, default=1_000_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--results", type=Path, default=RESULTS)
    said = words.parse_args()
    # Beside the results rather than in memory: the disk is part of the question.
    with tempfile.TemporaryDirectory(dir=machine.ROOT / ".cache") as place:
        folder = Path(place) / "keys"
        root = RootKey.load_or_make(folder / "root.key")
        with closing(KeyStore(folder, root)) as store:
            rows = measured(store, Path(place) / "backup", said.persons, said.rounds)
    said.results.write_text(page(said.persons, said.rounds, rows), encoding="utf-8")
    print(said.results.read_text(encoding="utf-8"))


def measured(store: KeyStore, backup: Path, persons: int, rounds: int) -> list[tuple[str, ...]]:
    """The rows of the table."""
    ids = fill(store, persons)
    sample = random.Random(1).sample(ids, min(SAMPLE, persons))
    before = {each: store.data_key(each) for each in sample}
    tried: dict[str, list[Times]] = {}
    waits_s: list[float] = []
    for _ in range(rounds):
        for name, act in (
            ("floor: seal as many bytes, store nothing", lambda: seal_all(persons)),
            ("rotation, all of it", store.rotate),
            ("backup", lambda: store.backup(backup)),
        ):
            tried.setdefault(name, []).append(timed(act))
        # Once more, with a reader: alone, it says what a rotation costs.
        waits_s += reading(store, sample)
    assert {each: store.data_key(each) for each in sample} == before
    assert store.persons() == persons
    reads_s = [timed(lambda: store.data_key(random.choice(ids))).wall_s for _ in range(20_000)]
    enrols_s = [timed(lambda: store.enrol(new_id())).wall_s for _ in range(200)]
    floor_s = statistics.median(each.cpu_s for each in next(iter(tried.values())))
    return [
        *(whole(name, times, persons, floor_s) for name, times in tried.items()),
        single("a data key, between rotations", reads_s),
        single("a data key, during a rotation", waits_s),
        single("a new person, on the disk", enrols_s),
    ]


def whole(name: str, times: list[Times], persons: int, floor_s: float) -> tuple[str, ...]:
    wall_s = [each.wall_s for each in times]
    cpu_s = statistics.median(each.cpu_s for each in times)
    wall = f"{statistics.median(wall_s):.1f} s", f"{max(wall_s):.1f} s"
    return name, *wall, f"{cpu_s:.1f} s", f"{persons / cpu_s:,.0f}", f"{cpu_s / floor_s:.1f}"


def single(name: str, times_s: list[float]) -> tuple[str, ...]:
    times_s.sort()
    middle, tail = statistics.median(times_s), times_s[int(len(times_s) * 0.99)]
    longest = f"{tail * 1000:,.1f} ms; {times_s[-1] * 1000:,.0f} ms"
    return name, f"{middle * 1e6:,.0f} µs", longest, "", "", ""


def fill(store: KeyStore, persons: int) -> list[UUID]:
    ids = [new_id() for _ in range(persons)]
    for start in range(0, persons, AT_ONCE):
        store._put(
            [store._row(each, seal.new_key(), None, None) for each in ids[start : start + AT_ONCE]]
        )
    return ids


def seal_all(persons: int) -> None:
    """AES-256-GCM-SIV of as many bytes under one key, with associated data of the same length."""
    key, inner, where = AESGCMSIV(os.urandom(32)), os.urandom(INNER_BYTES), os.urandom(57)
    for _ in range(persons):
        key.encrypt(os.urandom(12), inner, where)


def reading(store: KeyStore, sample: list[UUID]) -> list[float]:
    """How long each read takes, while all keys are rotated."""
    times_s: list[float] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            times_s.append(timed(lambda: store.data_key(random.choice(sample))).wall_s)
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    store.rotate()
    is_over.set()
    reader.join()
    return times_s


def timed(act: Callable[[], object]) -> Times:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


def page(persons: int, rounds: int, rows: list[tuple[str, ...]]) -> str:
    return (
        "# Keys\n\n"
        f"How long does a rotation of {persons:,} data keys take, and does anybody wait for it?\n"
        f"`bench/keys.py`, {rounds} rounds in turns. {machine.described()}\n\n"
        + machine.table(
            ("what", "median", "worst (99 %; worst)", "CPU", "persons a second of CPU", "of floor"),
            rows,
        )
        + "\nAfter the last round the keys of a sample were as before, and none was lost. A\n"
        "rotation grows with the persons; it holds others up for a page of rows at a time, and\n"
        "at its end for the persons that changed and one flush.\n"
    )


if __name__ == "__main__":
    main()
