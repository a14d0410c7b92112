"""Keeps a cell's programs alive under one supervisor, and ends what a killed one has left."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luciole.kit.processes import (
    Known,
    adopt_orphans,
    bound_log,
    descendants,
    open_log,
    reap_orphans,
    tail,
)

Command = Callable[[], Sequence[str]]
Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Program:
    """What the keeper runs. `stop` are the signals of an orderly end with the seconds each gets;
    `before` runs in a thread ahead of each start, `after` once at the end; `hands_down` are
    descriptors that the program finds open under the same numbers."""

    name: str
    command: Command
    log: Path
    environment: Mapping[str, str]
    ready: Ready | None = None
    stop: tuple[tuple[signal.Signals, float], ...] = ((signal.SIGTERM, 10.0),)
    ready_within_s: float = 60.0
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    hands_down: tuple[int, ...] = ()


class Failed(Exception):
    """A program ended before it was ready. `tail` is the end of its log."""

    def __init__(self, name: str, status: int | None, tail: str) -> None:
        self.name, self.status, self.tail = name, status, tail
        how = "was not ready in time" if status is None else f"ended with status {status}"
        super().__init__(f"{name} {how}")


class Keeper:
    """Runs programs, starts one again when it dies, and at the end leaves nothing behind.

    Back-off doubles from a quarter of a second to fifteen, and begins anew after a minute of
    health. `said` gets short lines for the console; `changed` is called whenever the set of
    children differs, so that the owner can note them down for the next start.
    """

    def __init__(
        self,
        said: Callable[[str], None],
        changed: Callable[[dict[str, Known]], None] = lambda children: None,
    ) -> None:
        self._said = said
        self._changed = changed
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._known: dict[str, Known] = {}
        self._programs: list[Program] = []
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._chore: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._is_stopping = False
        # The owner's other children are none of our business.
        self._others = descendants(os.getpid())
        self._sessions: set[int] = set()
        adopt_orphans()

    async def start(self, program: Program) -> None:
        """Starts it and waits until it is ready; `Failed` when it ends or dawdles instead."""
        self._programs.append(program)
        process = await self._spawn(program)
        await self._until_ready(program, process)
        self._watchers[program.name] = asyncio.create_task(self._watch(program, process))
        if self._chore is None:
            self._chore = asyncio.create_task(self._chores())

    def also(self, work: Coroutine[Any, Any, None]) -> None:
        """Does this work beside the programs, until they are stopped."""
        self._beside.append(asyncio.create_task(work))

    async def stop(self) -> None:
        """Ends all programs, the last started first, each with its group."""
        self._is_stopping = True
        for task in [self._chore, *self._beside, *self._watchers.values()]:
            if task is not None:
                task.cancel()
        for program in reversed(self._programs):
            process = self._running.get(program.name)
            if process is not None:
                await self._end(program, process)
            if program.after is not None:
                program.after()
        # Whoever left its group or was adopted: nothing of ours stays.
        leftovers = descendants(os.getpid(), without=self._others)
        for leftover in leftovers:
            leftover.send(signal.SIGKILL)
        for leftover in leftovers:
            await asyncio.to_thread(leftover.wait, 2.0)
        reap_orphans(self._sessions)
        self._note()

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        bound_log(program.log)
        if program.before is not None:
            await asyncio.to_thread(program.before)
        log = open_log(program.log)
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(program.environment),
                start_new_session=True,
                pass_fds=program.hands_down,
            )
        finally:
            os.close(log)
        self._running[program.name] = process
        self._sessions.add(process.pid)
        if known := Known.find(process.pid):
            self._known[program.name] = known
        self._note()
        return process

    async def _until_ready(self, program: Program, process: asyncio.subprocess.Process) -> None:
        if program.ready is None:
            return
        until = time.monotonic() + program.ready_within_s
        while True:
            if process.returncode is not None:
                raise Failed(program.name, process.returncode, tail(program.log))
            if await program.ready():
                return
            if time.monotonic() > until:
                raise Failed(program.name, None, tail(program.log))
            await asyncio.sleep(0.05)

    async def _watch(self, program: Program, process: asyncio.subprocess.Process) -> None:
        pause_s = 0.25
        while True:
            began = time.monotonic()
            status = await process.wait()
            _end_group(process.pid)
            if time.monotonic() - began > 60:
                pause_s = 0.25
            self._said(f"{program.name} ended (status {status}); starting it again")
            while True:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 15.0)
                try:
                    process = await self._spawn(program)
                    break
                except Exception as error:
                    # Whatever stands in the way may pass (a full disk, a port); keep trying.
                    self._said(f"{program.name} cannot start: {error}; trying again")

    async def _chores(self) -> None:
        while True:
            await asyncio.sleep(5)
            reap_orphans(self._sessions)
            for program in self._programs:
                bound_log(program.log)

    async def _end(self, program: Program, process: asyncio.subprocess.Process) -> None:
        for number, timeout_s in program.stop:
            if process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), timeout_s)
        _end_group(process.pid)
        await process.wait()
        self._running.pop(program.name, None)
        self._known.pop(program.name, None)
        self._note()

    def _note(self) -> None:
        self._changed(dict(self._known))


def _end_group(leader: int) -> None:
    """Kills what is left of a group. Safe after the leader's end as long as it is not reused:
    the kernel keeps a number busy while any member of that group lives."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


# One per folder, and what a killed one left


@dataclass(frozen=True)
class Note:
    """What a running supervisor writes down: itself, its address, its children."""

    owner: Known
    address: str
    children: dict[str, Known]


class FolderLock:
    """Held by the one supervisor of a folder, and gone with it however it ends."""

    def __init__(self, folder: Path) -> None:
        self._lock = folder / "lock"
        self._note = folder / "running.json"
        self._handle: int | None = None

    def take(self) -> bool:
        """True when the folder is ours now; False while another holds it."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        self._note.unlink(missing_ok=True)
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def write(self, address: str, children: Mapping[str, Known]) -> None:
        me = Known.find(os.getpid())
        assert me is not None
        record = {
            "owner": [me.pid, me.started],
            "address": address,
            "children": {name: [one.pid, one.started] for name, one in children.items()},
        }
        new = self._note.with_suffix(".new")
        new.write_text(json.dumps(record))
        new.replace(self._note)

    def read(self) -> Note | None:
        """What the present or the last owner noted; None when there is nothing usable."""
        try:
            record = json.loads(self._note.read_text())
            return Note(
                owner=Known(int(record["owner"][0]), str(record["owner"][1])),
                address=str(record["address"]),
                children={
                    str(name): Known(int(pid), str(started))
                    for name, (pid, started) in record["children"].items()
                },
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
            return None

    def end_leftovers(self) -> list[str]:
        """With the lock held: ends what a killed owner left running; the names of those found."""
        note = self.read()
        if note is None:
            return []
        found = [name for name, child in note.children.items() if child.is_alive]
        for name in found:
            child = note.children[name]
            # They were told by the kernel already and may be in the middle of an orderly end.
            if not child.wait(3.0):
                child.end((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0))
        self._note.unlink(missing_ok=True)
        return found
