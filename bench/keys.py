"""How long does a week's rotation of all data keys take, and does anybody wait for it?

Expected: a person costs one opening and one sealing of 61 bytes (3 µs for both) and a row of 190
bytes read and written (2 µs), so 1,000,000 persons take 5 to 10 s of one core, two to three times
the floor. The floor seals the same bytes with the same library and key and stores nothing. A
reader asks for keys all the while; it may wait for a page of 5,000 rows, not for the rotation.

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
from contextlib import closing
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bench import machine
from luciole.keys import KeyStore, RootKey, seal
from luciole.kit.ids import new_id

RESULTS = Path(__file__).with_name("results") / "keys.md"
AT_ONCE = 20_000
SAMPLE = 1_000
INNER_BYTES = seal.KEY_BYTES + seal.OVERHEAD_BYTES


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
    floors, rotations, backups = [], [], []
    waits_ms: list[float] = []
    for _ in range(rounds):
        floors.append(floor_s(persons))
        rotations.append(timed_s(store.rotate))
        backups.append(timed_s(lambda: store.backup(backup)))
        # Once more, with a reader: alone, it says what a rotation costs.
        waits_ms += reading(store, sample)
    assert {each: store.data_key(each) for each in sample} == before
    assert store.persons() == persons
    reads = [timed_s(lambda: store.data_key(random.choice(ids))) for _ in range(20_000)]
    enrols = [timed_s(lambda: store.enrol(new_id())) for _ in range(200)]
    waits_ms.sort()
    floor = statistics.median(floors)

    def whole(name: str, times: list[float], factor: str) -> tuple[str, ...]:
        middle = statistics.median(times)
        each = f"{persons / middle:,.0f}"
        return (name, f"{middle:.2f} s", f"{max(times):.2f} s", each, factor)

    def single(name: str, times_s: list[float]) -> tuple[str, ...]:
        times_s.sort()
        tail = times_s[int(len(times_s) * 0.99)]
        middle = statistics.median(times_s)
        return (name, f"{middle * 1e6:,.0f} µs", f"{tail * 1e6:,.0f} µs", "", "")

    return [
        whole("floor: seal as many bytes, store nothing", floors, "1"),
        whole("rotation, all of it", rotations, f"{statistics.median(rotations) / floor:.1f}"),
        whole("backup", backups, f"{statistics.median(backups) / floor:.1f}"),
        single("a data key, between rotations", reads),
        (
            "a data key, during a rotation",
            f"{statistics.median(waits_ms) * 1000:,.0f} µs",
            f"{waits_ms[int(len(waits_ms) * 0.99)] * 1000:,.0f} µs; longest {waits_ms[-1]:,.0f} ms",
            "",
            "",
        ),
        single("a new person, on the disk", enrols),
    ]


def fill(store: KeyStore, persons: int) -> list[UUID]:
    ids = [new_id() for _ in range(persons)]
    for start in range(0, persons, AT_ONCE):
        store._put(
            [store._row(each, seal.new_key(), None, None) for each in ids[start : start + AT_ONCE]]
        )
    return ids


def floor_s(persons: int) -> float:
    """AES-256-GCM-SIV of as many bytes under one key, with associated data of the same length."""
    key, inner, where = AESGCMSIV(os.urandom(32)), os.urandom(INNER_BYTES), os.urandom(57)
    began = time.perf_counter()
    for _ in range(persons):
        key.encrypt(os.urandom(12), inner, where)
    return time.perf_counter() - began


def reading(store: KeyStore, sample: list[UUID]) -> list[float]:
    """How long each read takes in milliseconds, while all keys are rotated."""
    times_ms: list[float] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            began = time.perf_counter()
            store.data_key(random.choice(sample))
            times_ms.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    store.rotate()
    is_over.set()
    reader.join()
    return times_ms


def timed_s(act: object) -> float:
    assert callable(act)
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def page(persons: int, rounds: int, rows: list[tuple[str, ...]]) -> str:
    return (
        "# Keys\n\n"
        f"How long does a rotation of {persons:,} data keys take, and does anybody wait for it?\n"
        f"`bench/keys.py`, {rounds} rounds in turns. {machine.described()}\n\n"
        + machine.table(
            ("what", "median", "worst, or 99 %", "persons a second", "of the floor"), rows
        )
        + "\nAfter the last round the keys of a sample were as before, and none was lost. A\n"
        "rotation grows with the persons; it holds others up for a page of rows at a time, and\n"
        "at its end for the persons that changed and one flush.\n"
    )


if __name__ == "__main__":
    main()
