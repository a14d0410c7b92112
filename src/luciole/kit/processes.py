"""Processes that this machine runs for us: who they are, how they start, how they surely end.

A process is known by its number *and* its start time, so that a number which the system has
given to a stranger in the meantime is never signalled. Each child leads its own group, gets a
signal when its parent dies (see `launch`), and writes to a log file of bounded size.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import (
    Awaitable,
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from pathlib import Path

from luciole.kit import launch

LINUX = sys.platform.startswith("linux")
_PR_SET_CHILD_SUBREAPER = 36

LOG_LIMIT_BYTES = 4 * 1024 * 1024


# Who a process is


@dataclass(frozen=True)
class Known:
    """A process, for as long as `started` is still its start time."""

    pid: int
    started: str

    @classmethod
    def find(cls, pid: int) -> Known | None:
        """The process that has this number now; None if there is none or it is a zombie."""
        started = _started(pid)
        return cls(pid, started) if started else None

    @property
    def is_alive(self) -> bool:
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Signals it; False when it has ended, or its number belongs to another by now."""
        if not hasattr(os, "pidfd_open"):
            if self.is_alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)
                    return True
            return False
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            # The handle holds the process fast; only after that is the start time proof.
            if not self.is_alive:
                return False
            signal.pidfd_send_signal(handle, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)

    def wait(self, timeout_s: float) -> bool:
        """Waits for a process that need not be our child; True when it has ended."""
        until = time.monotonic() + timeout_s
        while self.is_alive:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True

    def end(self, *steps: tuple[signal.Signals, float]) -> bool:
        """Sends each signal in turn and waits its seconds; True when the process has ended."""
        for number, timeout_s in steps:
            if not self.send(number) or self.wait(timeout_s):
                return True
        return not self.is_alive


def _started(pid: int) -> str | None:
    if not LINUX:
        found = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split(maxsplit=1)
        return found[1].strip() if len(found) == 2 and not found[0].startswith("Z") else None
    found = _stat(pid)
    # Fields 3 and 22 of proc(5): state, and the ticks from the boot to the start.
    return None if not found or found[0] in "ZX" else f"{_boot()}-{found[19]}"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    # The name in field 2 may hold spaces and brackets, so count from the last bracket.
    return text[text.rindex(")") + 2 :].split()


def _boot() -> str:
    """Start times count from the boot, so a record must not outlive it."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return "0"


def running_in(folder: Path, program: str) -> list[Known]:
    """Processes of the program (by the name of its file) whose current folder is `folder`."""
    found = []
    for entry in _numbers():
        with contextlib.suppress(OSError):
            if (
                os.path.basename(os.readlink(f"/proc/{entry}/exe")).split(" ")[0] == program
                and os.path.samefile(f"/proc/{entry}/cwd", folder)
                and (known := Known.find(entry))
            ):
                found.append(known)
    return found


def descendants(pid: int, *, without: Iterable[Known] = ()) -> list[Known]:
    """All living children of a process, and theirs; nearest first. `without` are left out with
    all that is theirs. Empty where /proc is absent."""
    spared = {one.pid for one in without if one.is_alive}
    parents: dict[int, list[int]] = {}
    for entry in _numbers():
        if (found := _stat(entry)) and entry not in spared:
            parents.setdefault(int(found[1]), []).append(entry)
    family, row = [], [pid]
    while row:
        row = [child for parent in row for child in parents.get(parent, [])]
        family += [known for child in row if (known := Known.find(child))]
    return family


def _numbers() -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from (int(name) for name in os.listdir("/proc") if name.isdigit())


# How one starts


def launched(
    program: Sequence[str | Path],
    *,
    last_signal: signal.Signals = signal.SIGTERM,
    user: str = "same",
) -> list[str]:
    """The command line that runs `program` tied to this process (see `launch`).

    Linux ties a child to the *thread* that made it: start it from one that lives as long as the
    process, which is the main thread.
    """
    words = [os.fspath(word) for word in program]
    name = last_signal.name.removeprefix("SIG")
    here = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), name, user, "--"]
    return [*here, *words]


def open_log(path: Path) -> int:
    """A descriptor to append to; what is written stays whole when several processes share it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def bound_log(path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Keeps the newest part: past the limit, the file becomes `NAME.1` and starts again empty.

    Copied and cut rather than renamed, because the writers hold it open. A line written between
    the two is lost; these are logs for an operator's eyes.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size <= limit_bytes:
            return
        older = path.with_name(path.name + ".1")
        with open(path, "rb") as source:
            source.seek(max(0, path.stat().st_size - limit_bytes))
            older.write_bytes(source.read(limit_bytes))
        older.chmod(0o600)
        os.truncate(path, 0)


def adopt_orphans() -> None:
    """Makes grandchildren whose parent died our children, so that we can end and reap them."""
    if LINUX:
        with contextlib.suppress(OSError):
            ctypes.CDLL(None, use_errno=True).prctl(
                _PR_SET_CHILD_SUBREAPER, *(ctypes.c_ulong(n) for n in (1, 0, 0, 0))
            )


def reap_orphans(sessions: Container[int]) -> None:
    """Collects the end of adopted processes: those of the sessions that our programs lead. All
    others are waited for by whoever started them."""
    me = os.getpid()
    for entry in _numbers() if LINUX else ():
        found = _stat(entry)
        if found and found[0] == "Z" and int(found[1]) == me:
            session = int(found[3])
            if session != entry and session in sessions:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(entry, os.WNOHANG)


# Keeping some alive


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

    async def stop(self) -> None:
        """Ends all programs, the last started first, each with its group."""
        self._is_stopping = True
        for task in [self._chore, *self._watchers.values()]:
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


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    return ""


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
