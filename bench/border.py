"""How long does something take from one cell into another, how many clips a second, and how many
bytes does one cost on the wire?

Expected: at most 2 s at 99 % from the commit that offers it to the receiver's signed receipt at
home, because an entry waits one period of the log (250 ms) and one round trip to the cosigning
cell; 200 clips a second, because a head covers all that were offered before it, so that a clip
costs about two signatures and two verifications on each side. Bytes: some kilobytes of a document,
its proofs and its receipt beside about a megabyte for a film of 15 s, which is the floor.

Two whole cells but for their workers run on this machine, with real PostgreSQL, logs, witnesses and
gateways; what they say to each other goes through a relay that counts bytes in both directions.

    PYTHONPATH=src .venv/bin/python -m bench.border

Results go to bench/results/border.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from tests.border.conftest import JURISDICTIONS, Cell, peered, running, until
from tests.drills.cell_process import free_port

from bench import machine
from luciole import config
from luciole.border.wire import Clip, File, Film, encode
from luciole.kit.ids import new_id

RESULTS = Path(__file__).with_name("results") / "border.md"
PUT = "SELECT border.put('clip', $1, $2, 'sg', $3)"
PUT_ALL = """
SELECT border.put('clip', ref, id, 'sg', body)
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS o (ref, id, body)
"""
STATES = "SELECT state, count(*)::integer FROM border.news WHERE crossing = ANY ($1) GROUP BY 1"
ARRIVED = "SELECT count(*)::integer FROM border.arrival WHERE crossing = ANY ($1)"
# A film of 15 s of the demo at 540 lines.
FILM_BYTES = 1_000_000
PATIENCE_S = 600.0


class Relay:
    """Carries connections to a port of loopback and counts what goes through it."""

    def __init__(self, port: int) -> None:
        self.port, self.sent, self.received = port, 0, 0
        self.listens_at = free_port()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.listens_at)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def bytes(self) -> int:
        return self.sent + self.received

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far, out = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(self._pipe(near, out, "sent"), self._pipe(far, back, "received"))

    async def _pipe(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, counter: str
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await source.read(65536):
                setattr(self, counter, getattr(self, counter) + len(piece))
                sink.write(piece)
                await sink.drain()
        sink.close()


def cell_behind(folder: Path, name: str, relay: Relay) -> Cell:
    """A cell that others reach through a relay."""
    return Cell(
        name,
        config.load(
            {
                "LUCIOLE_DATA_DIR": str(folder / name),
                "LUCIOLE_WEB_PORT": str(free_port()),
                "LUCIOLE_CELL_NAME": f"Luciole {name.upper()}",
                "LUCIOLE_CELL_SHORT_NAME": name,
                "LUCIOLE_CELL_OPERATOR": f"Association {name}",
                "LUCIOLE_CELL_JURISDICTION": JURISDICTIONS[name],
                "LUCIOLE_BORDER_PORT": str(relay.port),
                "LUCIOLE_BORDER_ORIGIN": f"http://127.0.0.1:{relay.listens_at}",
            }
        ),
    )


def clip(cell: Cell, dice: random.Random) -> bytes:
    """A clip as the slice offers one, with a caption of the usual length."""
    token = dice.randbytes(16).hex()

    def file(size: int, kind: str) -> File:
        return File(f"/media/p/{token}/{kind}", sha256(dice.randbytes(8)).hexdigest(), size)

    return encode(
        Clip(
            f"{cell.origin}/c/{UUID(int=dice.getrandbits(128), version=4)}",
            f"{cell.origin}/p/{UUID(int=dice.getrandbits(128), version=4)}",
            "A walk along the harbour before the rain came in #harbour #rain #evening",
            [
                Film("540p", file(FILM_BYTES, "540.mp4"), 540, 960),
                Film("720p", file(2 * FILM_BYTES, "720.mp4"), 720, 1280),
            ],
            file(60_000, "poster.jpg"),
            15_000,
            False,
            True,
            f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        )
    )


async def one_by_one(us: Cell, count: int, gap_s: float, dice: random.Random) -> list[float]:
    """Milliseconds from the commit of an offer to the receipt at home."""
    owner, taken = await us.owner(), []
    for _ in range(count):
        number, body = new_id(), clip(us, dice)
        began = time.perf_counter()
        await owner.execute(PUT, new_id(), number, body)
        while not (states := await owner.fetch(STATES, [number])):
            assert time.perf_counter() - began < PATIENCE_S
            await asyncio.sleep(0.002)
        assert [tuple(row) for row in states] == [("sent", 1)], states
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(gap_s * dice.random())
    return taken


async def all_at_once(us: Cell, sg: Cell, count: int, dice: random.Random) -> float:
    """Seconds until all that was offered in one transaction has arrived and has its receipt."""
    numbers = [new_id() for _ in range(count)]
    bodies = [clip(us, dice) for _ in range(count)]
    owner, theirs = await us.owner(), await sg.owner()
    began = time.perf_counter()
    await owner.execute(PUT_ALL, [new_id() for _ in range(count)], numbers, bodies)
    while True:
        states = {row[0]: row[1] for row in await owner.fetch(STATES, numbers)}
        if states.get("sent", 0) == count:
            break
        assert set(states) <= {"sent"}, states
        assert time.perf_counter() - began < PATIENCE_S, states
        await asyncio.sleep(0.02)
    taken = time.perf_counter() - began
    assert await theirs.fetchval(ARRIVED, numbers) == count
    return taken


@contextlib.asynccontextmanager
async def cells() -> AsyncIterator[tuple[Cell, Cell, tuple[Relay, Relay]]]:
    """`us` and `sg`, peers of each other, and what counts their bytes."""
    with tempfile.TemporaryDirectory(prefix="luciole-bench-") as folder:
        relays = Relay(free_port()), Relay(free_port())
        us, sg = (
            cell_behind(Path(folder), name, relay)
            for name, relay in zip(("us", "sg"), relays, strict=True)
        )
        for relay in relays:
            await relay.open()
        running_cells = running(us, sg)
        await asyncio.to_thread(running_cells.__enter__)
        try:
            await peered(us, sg)
            yield us, sg, relays
        finally:
            for cell in (us, sg):
                await cell.close()
            await asyncio.to_thread(running_cells.__exit__, None, None, None)
            for relay in relays:
                await relay.close()


def counted(relays: tuple[Relay, Relay]) -> int:
    return sum(relay.bytes for relay in relays)


async def run(chosen: argparse.Namespace) -> str:
    dice = random.Random(chosen.seed)
    async with cells() as (us, sg, relays):
        await one_by_one(us, 5, 0, dice)  # Warm: connections, plans.
        before = counted(relays)
        singles = await one_by_one(us, chosen.singles, chosen.gap, dice)
        alone = (counted(relays) - before) / chosen.singles
        rates, sizes = [], []
        for _ in range(chosen.rounds):
            before = counted(relays)
            rates.append(chosen.clips / await all_at_once(us, sg, chosen.clips, dice))
            sizes.append((counted(relays) - before) / chosen.clips)

        async def quiet() -> bool:
            before = counted(relays)
            await asyncio.sleep(10)
            chosen.idle = (counted(relays) - before) / 10
            return True

        await until(quiet, 30)
    cuts = statistics.quantiles(singles, n=100)
    crossing = [f"{cuts[at]:.0f}" for at in (49, 94, 98)]
    many = statistics.median(sizes)
    return (
        "# The border\n\n"
        f"{machine.described()} Two cells on it, each with its PostgreSQL, log (a round each 50 ms "
        f"or more), witness, gateway and API; {chosen.singles} clips one by one, and "
        f"{chosen.rounds} times {chosen.clips:,} in one transaction. Seed {chosen.seed}. "
        "`bench/border.py`\n\n"
        + machine.table(
            ["what", "measured", "aim"],
            [
                [
                    "from the offer to the receipt, p50 / p95 / p99",
                    f"{' / '.join(crossing)} ms",
                    "p99 2,000 ms",
                ],
                ["the slowest of them", f"{max(singles):.0f} ms", ""],
                [
                    "clips a second, each with its entry, proof and receipt",
                    f"{statistics.median(rates):.0f} (rounds: "
                    f"{', '.join(f'{rate:.0f}' for rate in rates)})",
                    "200",
                ],
                ["bytes on the wire for a clip alone, cosigning included", f"{alone:,.0f}", ""],
                ["bytes on the wire for one of many", f"{many:,.0f}", ""],
                [
                    "that beside a film of 15 s at 540 lines, the floor",
                    f"{many / FILM_BYTES:.2%}",
                    "",
                ],
                ["bytes a second while nothing crosses", f"{chosen.idle:,.0f}", ""],
            ],
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--singles", type=int, default=300)
    parser.add_argument("--gap", type=float, default=0.2, help="most seconds between two")
    parser.add_argument("--clips", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    text = asyncio.run(run(chosen))
    chosen.results.parent.mkdir(exist_ok=True)
    chosen.results.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
