"""How many entries a second does the log take durably on one core, and how soon are they cosigned?

Expected: 20,000 a second from PostgreSQL's inbox to a signed head in batches of up to 10,000, and a
cosigned head within a second of the commit (99 % of the time), because a batch is one DELETE, two
hashes an entry, and a few dozen flushed files. Floors in the same run, in turns: an INSERT and a
DELETE of the same rows with nothing in between, and the same bytes as files, written and flushed.
All processes share one core (PostgreSQL, the log, its witness); commits are flushed.

    PYTHONPATH=src:. .venv/bin/python -m bench.ledger

The root under the last head is compared with one that is computed from the entries as the bundles
have them, by code of its own. Results are written to bench/results/ledger.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
from tests.ledger.house import naive_root, read_entries, said

from bench import machine
from bench.feed import below, cpu_s
from luciole import ledger_process
from luciole.border.peers import Witnesses, WitnessPeer
from luciole.kit import logs, migrate, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.ledger import entry
from luciole.ledger.archive import Tiles
from luciole.ledger.note import KeyKind, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer
from luciole.witness import identity
from luciole.witness.cosigner import Witness
from luciole.witness.server import Server

RESULTS = Path(__file__).with_name("results") / "ledger.md"
LOG = "access"
# A second log, without a witness.
ALONE = "border"
PUT = "SELECT ledger.put($3, e, r) FROM unnest($1::bytea[], $2::bigint[]) AS t (e, r)"
MAKE_FLOOR = (
    "CREATE TABLE floor (log text, id bigint, entry bytea, ref bigint, PRIMARY KEY (log, id))"
)
FLOOR_IN = """
INSERT INTO floor SELECT 'access', i, e, i FROM unnest($1::bytea[], $2::bigint[]) AS t (e, i)
"""
FLOOR_OUT = """
DELETE FROM floor WHERE ctid = ANY (ARRAY(SELECT ctid FROM floor WHERE log = 'access'
ORDER BY id LIMIT $1)) RETURNING id, entry, ref
"""
WANTED_S = 20_000
WRITERS = 4
# What one act writes: a session's grant, or a read of several things.
AN_ACT = 2


def entries(count: int) -> list[bytes]:
    """Entries about persons; their labels never come twice."""
    minute = int(time.time()) // 60
    head = struct.pack(">BBBI", 1, entry.Kind.GRANT, entry.Class.SELF, minute)
    noise = os.urandom(64 * count)
    return [head + noise[at : at + 64] for at in range(0, 64 * count, 64)]


class Timed:
    """Wall and CPU time of pieces of work."""

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        self._pids = pids
        self.wall_s, self.cpu_s, self.count = 0.0, 0.0, 0

    async def of(self, count: int, work: Callable[[], Awaitable[Any]]) -> None:
        began, cpu = time.perf_counter(), cpu_s(self._pids())
        await work()
        self.wall_s += time.perf_counter() - began
        self.cpu_s += cpu_s(self._pids()) - cpu
        self.count += count

    @property
    def rate(self) -> float:
        return self.count / self.wall_s

    @property
    def cpu_rate(self) -> float:
        return self.count / max(self.cpu_s, 0.01)


class Bench:
    """A log with its witness behind HTTP, in this process, over a durable PostgreSQL."""

    def __init__(self, home: Path, server: postgres.Server, db: Database) -> None:
        self.home, self.server, self.db = home, server, db
        self.blobs = Blobs.open(str(home / "blobs"))
        self.signer = Signer("luciole/bench/access", KeyKind.ED25519, b"b" * 32)
        signers = identity.of(home / "witness", "local")
        witness = Witness(home / "witness", signers, time.time, print)
        witness.follow(self.signer.verifier, Tiles(self._get), has_seals=True)
        listener = socket.create_server(("127.0.0.1", 0))
        self.http = Server(listener, witness.add_checkpoint, witness.read)
        self.peer = WitnessPeer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        policy = [f"log {self.signer.verifier}", *identity.policy_lines(signers, "local")]
        self.policy = Policy.parse("\n".join([*policy, "quorum local", ""]).encode())
        self.published: list[tuple[int, float]] = []

    async def _get(self, path: str) -> bytes:
        return await self.blobs.get(f"ledger/{LOG}/{path}")

    def sequencer(self) -> Sequencer:
        """The log with its witness. Notes when each head is published."""

        def at(step: str) -> None:
            if step == "published":
                note = (self.home / "blobs/ledger/access/checkpoint").read_bytes()
                self.published.append((said(note)[0], time.perf_counter()))

        witnesses = Witnesses(self.signer.verifier, [self.peer])
        return Sequencer(
            LOG, self.signer, self.db, self.blobs, self.policy, witnesses, Clock(), at=at
        )

    def alone(self, batch: int) -> Sequencer:
        """A log without a witness, of the same entries."""
        signer = Signer("luciole/bench/border", KeyKind.ED25519, b"a" * 32)
        policy = Policy.parse(f"log {signer.verifier}\nquorum none\n".encode())
        witnesses = Witnesses(signer.verifier, [])
        made = Sequencer(ALONE, signer, self.db, self.blobs, policy, witnesses, Clock())
        made._most = batch
        return made

    def pids(self) -> list[int]:
        pid = int((self.server.data_dir / "postmaster.pid").read_text().split()[0])
        return [os.getpid(), *below(pid)]


async def put(writer: asyncpg.Connection, log: str, some: Sequence[bytes], first: int) -> None:
    await writer.execute(PUT, some, list(range(first, first + len(some))), log)


async def throughput(bench: Bench, owner: asyncpg.Connection, count: int, batch: int) -> list[Any]:
    """Rounds without and with the witness, and the floors, in turns: each gets `count` entries."""
    kinds = ("put", "signed", "cosigned", "rows", "files")
    timed = {kind: Timed(bench.pids) for kind in kinds}
    plain, full = bench.alone(batch), bench.sequencer()
    await owner.execute(MAKE_FLOOR)
    ref = 1
    for turn in range(count // batch):
        for kind, sequencer in (("signed", plain), ("cosigned", full)):
            some = entries(batch)

            async def fill(
                log: str = sequencer.log, some: list[bytes] = some, first: int = ref
            ) -> None:
                for at in range(0, batch, 1000):
                    await put(owner, log, some[at : at + 1000], first + at)

            await timed["put"].of(batch, fill)
            ref += batch
            await timed[kind].of(batch, sequencer.round)
        some, numbers = entries(batch), list(range(turn * batch, (turn + 1) * batch))

        async def rows(some: list[bytes] = some, numbers: list[int] = numbers) -> None:
            await owner.execute(FLOOR_IN, some, numbers)
            assert len(await owner.fetch(FLOOR_OUT, batch)) == batch

        await timed["rows"].of(batch, rows)

        async def files(turn: int = turn) -> None:
            folder = bench.home / "floor" / str(turn)
            folder.mkdir(parents=True)
            # As many objects and bytes as a batch has: a bundle and a tile for each 256 entries.
            for number in range(2 * (batch // 256 + 1)):
                with (folder / str(number)).open("wb") as file:
                    file.write(bytes(256 * 73 if number % 2 else 8192))
                    file.flush()
                    os.fsync(file.fileno())

        await timed["files"].of(batch, files)
        shutil.rmtree(bench.home / "floor")
    return [timed[kind] for kind in kinds]


async def latency(bench: Bench, url: str, per_s: int, seconds: float) -> list[float]:
    """Milliseconds from each act's commit to the first cosigned head that covers it, while writers
    act at random moments and the log keeps its period."""
    stop, began = asyncio.Event(), time.perf_counter()
    committed: dict[int, float] = {}
    sequencer = bench.sequencer()
    keeping = asyncio.create_task(ledger_process.keep(sequencer, 0.25, stop))
    next_ref = iter(range(10**9, 10**10, AN_ACT))

    async def write() -> None:
        writer = await asyncpg.connect(url)
        while time.perf_counter() - began < seconds:
            due = time.perf_counter() + random.expovariate(per_s / AN_ACT / WRITERS)
            first = next(next_ref)
            await put(writer, LOG, entries(AN_ACT), first)
            now = time.perf_counter()
            committed.update({first + n: now for n in range(AN_ACT)})
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await writer.close()

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    await asyncio.sleep(3)
    assert not await sequencer.is_waiting()
    stop.set()
    await keeping
    rows = await sequencer._db._pool.fetch("SELECT ref, idx FROM ledger.place WHERE ref >= 10^9")
    places = {row["ref"]: row["idx"] for row in rows}
    heads = sorted(bench.published)
    found = []
    for ref, at in committed.items():
        shown = next(when for size, when in heads if size > places[ref])
        found.append((shown - at) * 1000)
    return found


async def run(chosen: argparse.Namespace, home: Path, server: postgres.Server) -> str:
    await migrate.apply(server.url())
    db = await Database.open(server.url("luciole_ledger_process"), size=4)
    owner = await asyncpg.connect(server.url())
    bench = Bench(home, server, db)
    timed = await throughput(bench, owner, chosen.entries, chosen.batch)
    if chosen.free_cores:
        os.sched_setaffinity(0, chosen.cores)
        for pid in bench.pids():
            os.sched_setaffinity(pid, chosen.cores)
    waits = await latency(bench, server.url(), chosen.rate, chosen.seconds)
    # Independently: the entries as the bundles have them, a tree word for word from the RFC.
    folder = home / "blobs" / "ledger" / LOG
    size, root = said((folder / "checkpoint").read_bytes())
    whole = read_entries(folder, size)
    assert len(set(whole)) == size == chosen.entries + len(waits), (size, len(waits))
    sys.setrecursionlimit(10_000)
    assert naive_root(whole) == root, "the log's root is wrong"
    await asyncio.to_thread(bench.http.shutdown)
    await owner.close()
    await db.close()
    return report(chosen, timed, waits, size, root)


def report(
    chosen: argparse.Namespace, timed: list[Timed], waits: list[float], size: int, root: bytes
) -> str:
    put_, signed, cosigned, rows, files = timed
    names = (
        "inbox to signed head, tiles flushed",
        "the same, cosigned by a mirroring witness and published",
        "floor: INSERT and DELETE of the rows",
        "floor: the same bytes in files, flushed",
        "for comparison: filling the inbox, 1,000 acts a transaction",
    )
    cut = statistics.quantiles(waits, n=1000)
    table = machine.table(
        ("on one core", "entries/s", "a second of CPU does", "of the rows' floor"),
        [
            (name, f"{one.rate:,.0f}", f"{one.cpu_rate:,.0f}", f"{one.rate / rows.rate:.2f}")
            for name, one in zip(names, (signed, cosigned, rows, files, put_), strict=True)
        ],
    )
    verdict = "yes" if signed.rate >= WANTED_S else "no"
    cores = "all cores" if chosen.free_cores else "the same core"
    return (
        "# The running log\n\n"
        f"{(__doc__ or '').partition(chr(10))[0]} `bench/ledger.py`: "
        f"batches of {chosen.batch:,}, {chosen.entries:,} entries for each row of the table, in "
        "turns. PostgreSQL, the log and its witness share one core; everything is flushed "
        "before it counts.\n\n"
        f"{table}\n"
        f"- {WANTED_S:,} durable entries a second on one core: **{verdict}**\n"
        f"- from the commit to a cosigned head, {chosen.rate:,} entries a second by {WRITERS} "
        f"writers for {chosen.seconds:.0f} s, period 250 ms, on {cores}: median "
        f"{cut[499]:.0f} ms, p99 **{cut[989]:.0f} ms**, longest {max(waits):.0f} ms "
        f"({len(waits):,} entries)\n"
        f"- root over {size:,} entries computed again from the bundles: equal "
        f"({sha256(root).hexdigest()[:8]})\n\n"
        f"{machine.described()}\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=1_000, help="entries a second of the writers")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--free-cores", action="store_true", help="all cores for the latency")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    chosen.cores = os.sched_getaffinity(0)
    # Children inherit this: PostgreSQL and its backends too.
    os.sched_setaffinity(0, {min(chosen.cores)})
    logs.setup("bench", level="error")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with postgres.embedded(home / "postgres") as server:
            text = asyncio.run(run(chosen, home, server))
    print(text)
    chosen.results.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
