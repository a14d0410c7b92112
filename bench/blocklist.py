"""How long does it take to find which entries of a list of 100,000 hashes are close to a clip's 60
stills?

Expected: few ms. At random 60 × 272 lookups find 25,000 candidates, each compared in four words.
Floor: the lookups' share is not to be had for less; peer: comparing with all 6,000,000 pairs. Three
lists: random bits; hashes of made-up pictures, whose bits hang together as those of films do; and
the worst for the index, entries that are all close to one another. Near copies are planted, and
what the index finds is compared with what the peer finds.

    PYTHONPATH=src .venv/bin/python -m bench.blocklist
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench import machine
from luciole.cell.media import pdq
from luciole.cell.safety.likeness import HASH_BYTES, LANES, MAX_NEAR_BITS, Close, Likeness

RESULTS = Path(__file__).with_name("results") / "blocklist.md"
STILLS = 60
PLANTED = 3
SIDE = 64


def random_hashes(random: np.random.Generator, count: int) -> bytes:
    """Hashes of independent bits."""
    return random.bytes(count * HASH_BYTES)


def made_up(random: np.random.Generator, count: int) -> bytes:
    """Hashes of pictures with the spectrum of photographs: half the brightness at twice the
    frequency, in random phases."""
    across = np.fft.rfftfreq(SIDE)[None, :]
    down = np.fft.fftfreq(SIDE)[:, None]
    weight = 1 / np.maximum(np.hypot(across, down), 1 / SIDE)
    found = []
    for _ in range(count):
        phases = np.exp(2j * np.pi * random.random(weight.shape))
        picture = np.fft.irfft2(weight * phases, s=(SIDE, SIDE))
        low, high = picture.min(), picture.max()
        luma = ((picture - low) / (high - low) * 255).astype(np.uint8)
        found.append(pdq.hashed(luma).pdq)
    return b"".join(found)


def alike(random: np.random.Generator, count: int) -> bytes:
    """Hashes that differ from one in up to 60 bits."""
    first = np.frombuffer(random.bytes(HASH_BYTES), np.uint8)
    found = np.tile(np.unpackbits(first), (count, 1))
    flips = random.integers(0, 256, (count, 60))
    found[np.arange(count)[:, None], flips] ^= 1
    return np.packbits(found, axis=1).tobytes()


def planted(random: np.random.Generator, hashes: bytes, stills: bytes) -> bytes:
    """The stills, of which some are entries with up to 31 other bits."""
    made = np.frombuffer(stills, np.uint8).reshape(-1, HASH_BYTES).copy()
    listed = np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)
    for place in range(PLANTED):
        bits = np.unpackbits(listed[random.integers(len(listed))])
        bits[random.choice(256, random.integers(0, MAX_NEAR_BITS + 1), replace=False)] ^= 1
        made[place] = np.packbits(bits)
    return made.tobytes()


def by_all(listed: np.ndarray, stills: bytes) -> Close | None:
    """The peer: each still with each entry."""
    lanes = np.frombuffer(stills, np.uint64).reshape(-1, LANES)
    least = np.array([np.bitwise_count(listed ^ one).sum(axis=1).min() for one in lanes])
    near = least <= MAX_NEAR_BITS
    if not near.any():
        return None
    place = int(np.argmin(least))
    return Close(int(least[place]), place, int(near.sum()))


def timed(act: Callable[[], Close | None]) -> tuple[float, Close | None]:
    """How much CPU it takes in ms, for the machine may be busy, and what it finds."""
    began = time.thread_time()
    found = act()
    return (time.thread_time() - began) * 1000, found


def row(name: str, random: np.random.Generator, hashes: bytes, rounds: int) -> list[str]:
    """One line of the table. Raises AssertionError where the index and the peer disagree."""
    began = time.thread_time()
    likeness = Likeness(hashes)
    built_ms = (time.thread_time() - began) * 1000
    listed = np.frombuffer(hashes, np.uint64).reshape(-1, LANES)
    entries = np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)
    index_ms, peer_ms = [], []
    for turn in range(rounds):
        # Stills of films that are like those of the list, but other ones.
        others = entries[random.integers(len(entries), size=STILLS)].copy()
        others[:, ::2] = entries[random.integers(len(entries), size=STILLS)][:, ::2]
        stills = planted(random, hashes, others.tobytes())
        took_ms, found = timed(lambda s=stills: likeness.close(s, MAX_NEAR_BITS))  # type: ignore[misc]
        index_ms.append(took_ms)
        if turn % 10 == 0:
            took_ms, expected = timed(lambda s=stills: by_all(listed, s))  # type: ignore[misc]
            peer_ms.append(took_ms)
            assert found is not None
            assert expected is not None
            assert (found.bits, found.stills) == (expected.bits, expected.stills), name
    median, peer = statistics.median(index_ms), statistics.median(peer_ms)
    p99 = sorted(index_ms)[int(len(index_ms) * 0.99)]
    return [
        name,
        f"{len(entries):,}",
        f"{built_ms:.0f}",
        f"**{median:.2f}** / {p99:.2f}",
        f"{peer:.0f}",
        f"{peer / median:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="how soon a list of hashes is searched")
    parser.add_argument("--hashes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=8)
    chosen = parser.parse_args()
    random = np.random.default_rng(chosen.seed)
    pictures = chosen.hashes // 5  # they take long to make
    rows = [
        row("random bits", random, random_hashes(random, chosen.hashes), chosen.rounds),
        row("made-up pictures", random, made_up(random, pictures), chosen.rounds),
        row("all alike", random, alike(random, chosen.hashes), chosen.rounds),
    ]
    head = ["list", "hashes", "index, ms", "60 stills, p50 / p99 ms", "peer, p50 ms", "ratio"]
    text = (
        "# Block lists\n\nHow long it takes to find which entries of a list are within "
        f"{MAX_NEAR_BITS} bits of {STILLS} stills, {PLANTED} of them near copies.\n\n"
        f"{machine.described()} {chosen.rounds} clips for each list; the peer compares every tenth "
        "with all entries, and both have to find the same. Times are CPU times of one thread.\n\n"
        + machine.table(head, rows)
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
