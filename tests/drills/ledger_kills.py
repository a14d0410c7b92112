"""kill -9 at random moments of the log's process, its witness, PostgreSQL and its backends, and
restores of the database to an earlier state, while writers commit fast, slowly, and not at all.

What is promised: each entry that was published stays, at its place, once; every head that anybody
saw is about the beginning of the one log; what was acknowledged is published, except that a restore
loses what was acknowledged in its last second and not yet published, which is counted; what was
aborted never appears. `test_ledger_kills` does a few, `bench/ledger_kills.py` a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
from tests.drills import ledger_child
from tests.drills.cell_process import ROOT
from tests.drills.ledger_look import Fate, Known, Outcome
from tests.ledger.house import person, said

from luciole.kit import migrate, postgres, processes
from luciole.kit.db import LOST

VICTIMS = {"log": 36, "witness": 16, "postgresql": 14, "backend": 14, "all": 8, "restore": 12}
WRITERS = 6
SETTLE_S = 60.0
PLACES = "SELECT ref, idx FROM ledger.place"
NAMES = ("pending", "checkpoint")
LEFT = "SELECT log FROM ledger.inbox LIMIT 1"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE usename = 'luciole_ledger_process'"
GONE = (*LOST, asyncpg.PostgresError, TimeoutError)


class Drill:
    """A log in `home` that is being killed. Several rounds may follow each other."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.server = postgres.Server(home / "postgres", home / "postgresql.log")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._fates: dict[bytes, Fate] = {}
        self._heads: dict[str, dict[bytes, None]] = {log: {} for log in ledger_child.LOGS}
        self._next_ref = int(time.time() * 1000) * 1000
        self._restored: list[float] = []
        self._stop = asyncio.Event()
        self._is_busy = False

    async def start(self) -> None:
        """Starts everything; in a folder that was used before, goes on there."""
        self.home.mkdir(parents=True, exist_ok=True)
        await self.server.start_async()
        await migrate.apply(self.server.url())
        self._spawn("witness")
        self._spawn("log")

    def stop(self) -> list[str]:
        """Ends everything; what is still running then."""
        for child in self._children.values():
            child.kill()
            child.wait()
        self._children.clear()
        self.server.stop()
        found = processes.running_in(self.server.data_dir, "postgres")
        return [f"postgres {known.pid}" for known in found]

    def _spawn(self, name: str) -> None:
        words = {
            "witness": ["witness", str(self.home), str(self.port)],
            "log": [
                "sequence",
                self.server.url("luciole_ledger_process"),
                str(self.home),
                f"http://127.0.0.1:{self.port}",
            ],
        }[name]
        with (self.home / f"{name}.log").open("ab") as said_there:
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.drills.ledger_child", *words],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
                stdin=subprocess.DEVNULL,
                stdout=said_there,
                stderr=said_there,
                start_new_session=True,
            )

    # A round

    async def round(self, count: int, seed: int, pause_s: tuple[float, float]) -> Outcome:
        """`count` kills, then a look at everything that was promised since the round began."""
        began, dice, outcome = time.monotonic(), random.Random(seed), Outcome()
        self._stop = asyncio.Event()
        self._fates.clear()
        workers = [asyncio.create_task(self._write(dice.getrandbits(32))) for _ in range(WRITERS)]
        workers += [asyncio.create_task(self._watch()), asyncio.create_task(self._keep())]
        try:
            while outcome.kills.total() < count:
                await asyncio.sleep(dice.uniform(*pause_s))
                await self._kill_one(dice, outcome)
        finally:
            self._stop.set()
            ended = await asyncio.gather(*workers, return_exceptions=True)
        outcome.wrong += [f"a writer ended: {error!r}" for error in ended if error is not None]
        self._stop = asyncio.Event()
        keeping = asyncio.create_task(self._keep())
        await self._settle(outcome)
        self._stop.set()
        await keeping
        self._see()
        async with self._owner() as owner:
            places = {row["ref"]: row["idx"] for row in await owner.fetch(PLACES)}
        known = Known(self.home, self._fates, self._heads, self._restored)
        await asyncio.to_thread(known.look, places, outcome)
        outcome.seconds = time.monotonic() - began
        return outcome

    # Writers

    async def _write(self, seed: int) -> None:
        dice = random.Random(seed)
        while not self._stop.is_set():
            try:
                writer = await asyncpg.connect(self.server.url("luciole_api"), timeout=5)
            except GONE:
                await asyncio.sleep(0.05)
                continue
            with contextlib.suppress(*GONE):
                while not self._stop.is_set():
                    await self._act(writer, dice)
                    await asyncio.sleep(dice.expovariate(60))
            writer.terminate()

    async def _act(self, writer: asyncpg.Connection, dice: random.Random) -> None:
        log = dice.choices(ledger_child.LOGS, (4, 1))[0]
        made = [
            person(int(time.time()) // 60) if log == "access" else os.urandom(dice.choice((9, 900)))
            for _ in range(dice.randint(1, 4))
        ]
        kind = dice.choices(("fast", "slow", "aborted"), (80, 12, 8))[0]
        transaction = writer.transaction()
        await transaction.start()
        for entry in made:
            self._next_ref += 1
            ref = self._next_ref if log == "access" else None
            self._fates[entry] = Fate(log, ref)
            await writer.execute("SELECT ledger.put($1, $2, $3)", log, entry, ref)
        if kind == "slow":
            await asyncio.sleep(dice.uniform(0.05, 0.8))
        if kind == "aborted":
            await transaction.rollback()
            for entry in made:
                self._fates[entry].is_aborted = True
            return
        restores = len(self._restored)
        await transaction.commit()
        # One that returns while its server is being put back stays in doubt.
        if restores == len(self._restored):
            now = time.monotonic()
            for entry in made:
                self._fates[entry].acknowledged = now

    async def _watch(self) -> None:
        """Sees heads as anybody does."""
        while not self._stop.is_set():
            self._see()
            await asyncio.sleep(0.01)

    async def _keep(self) -> None:
        """Starts anew what ended by itself, as a supervisor does: PostgreSQL was away."""
        while not self._stop.is_set():
            for name, child in self._children.items():
                if child.poll() is not None and not self._is_busy:
                    self._spawn(name)
            await asyncio.sleep(0.1)

    def _see(self) -> None:
        for log, seen in self._heads.items():
            for name in NAMES:
                with contextlib.suppress(FileNotFoundError):
                    seen[(self.home / "blobs" / "ledger" / log / name).read_bytes()] = None

    # Killing

    async def _kill_one(self, dice: random.Random, outcome: Outcome) -> None:
        name = dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        if name in ("log", "witness"):
            self._kill(name)
        elif name == "postgresql":
            await self._postgres_again()
        elif name == "backend":
            await self._kill_backend(dice)
        elif name == "all":
            self._is_busy = True
            self._kill("log", "witness", again=False)
            await self._postgres_again()
            self._is_busy = False
        elif not await self._restore(dice, outcome):
            name = "postgresql"  # its files were kept for a later restore
        outcome.kills[name] += 1

    def _kill(self, *names: str, again: bool = True) -> None:
        for name in names:
            self._children[name].send_signal(signal.SIGKILL)
            self._children[name].wait()
            if again:
                self._spawn(name)

    async def _postgres_again(self, keep: Path | None = None, put_back: Path | None = None) -> None:
        """Kills PostgreSQL and starts it; in between keeps its files, or puts kept ones back."""
        data = self.server.data_dir
        self.server.kill()
        for known in processes.running_in(data, "postgres"):
            known.send(signal.SIGKILL)
            await asyncio.to_thread(known.wait, 10.0)
        if keep:
            shutil.rmtree(keep, ignore_errors=True)
            await asyncio.to_thread(shutil.copytree, data, keep, symlinks=True)
        if put_back:
            shutil.rmtree(data)
            await asyncio.to_thread(shutil.copytree, put_back, data, symlinks=True)
        await self.server.start_async()

    async def _kill_backend(self, dice: random.Random) -> None:
        """One of the log's; PostgreSQL then ends all and recovers."""
        with contextlib.suppress(*GONE, IndexError):
            async with self._owner() as owner:
                found = [row["pid"] for row in await owner.fetch(BACKENDS)]
            os.kill(dice.choice(found), signal.SIGKILL)

    async def _restore(self, dice: random.Random, outcome: Outcome) -> bool:
        """Keeps the database's files, or puts kept ones back; True for that."""
        kept = self.home / "kept"
        if not kept.exists():
            await self._postgres_again(keep=kept)
            return False
        # The promise is about a log that works: a dead one takes nothing in its last second.
        await self._two_rounds()
        self._restored.append(time.monotonic())
        self._is_busy = True
        self._kill(*dice.choice(((), ("log",), ("log", "witness"))), again=False)
        await self._postgres_again(put_back=kept)
        self._is_busy = False
        shutil.rmtree(kept)
        return True

    async def _two_rounds(self) -> None:
        """Waits until each log has signed twice, so that what was acknowledged before is signed."""
        for log in ledger_child.LOGS:
            until = time.monotonic() + SETTLE_S
            for _ in range(2):
                known = self._head(log, "pending")
                while self._head(log, "pending") == known and time.monotonic() < until:  # noqa: ASYNC110 - another process, no event
                    await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def _owner(self) -> AsyncIterator[Any]:
        owner = await asyncpg.connect(self.server.url(), timeout=10)
        try:
            yield owner
        finally:
            owner.terminate()

    # Looking

    async def _settle(self, outcome: Outcome) -> None:
        """Waits until the inbox is empty and everything signed is published."""
        began = time.monotonic()
        while time.monotonic() - began < SETTLE_S:
            with contextlib.suppress(*GONE):
                async with self._owner() as owner:
                    left = await owner.fetch(LEFT)
                heads = [self._head(log, name) for log in ledger_child.LOGS for name in NAMES]
                if not left and heads[0] == heads[1] and heads[2] == heads[3]:
                    break
            await asyncio.sleep(0.1)
        else:
            outcome.wrong.append("the log did not settle")
        outcome.settled_s = time.monotonic() - began

    def _head(self, log: str, name: str) -> tuple[int, bytes]:
        path = self.home / "blobs" / "ledger" / log / name
        return said(path.read_bytes()) if path.exists() else (0, b"")

    # Over the end of this process

    def known_heads(self) -> dict[str, str]:
        """The newest head of each log that was seen."""
        newest = {
            log: max(seen, key=lambda note: said(note)[0]) for log, seen in self._heads.items()
        }
        return {log: note.decode() for log, note in newest.items()}

    def remember(self, heads: dict[str, str]) -> None:
        """Heads that an earlier process has seen."""
        for log, note in heads.items():
            self._heads[log][note.encode()] = None


def describe(outcome: Outcome) -> str:
    """One line for a console."""
    kills = ", ".join(f"{name} {count}" for name, count in outcome.kills.most_common())
    return (
        f"{outcome.kills.total()} kills ({kills}) in {outcome.seconds:.0f} s; acknowledged "
        f"{outcome.acknowledged:,}, in doubt {outcome.in_doubt}, aborted {outcome.aborted}; "
        f"{outcome.heads:,} heads over {outcome.size:,} entries; lost with restores "
        f"{outcome.lost} of the last {max(outcome.lost_s, default=0):.2f} s; settled after "
        f"{outcome.settled_s:.1f} s; wrong: {len(outcome.wrong)}"
    )
