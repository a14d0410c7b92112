"""Processes that this machine runs for us: who they are, how they start, how they surely end.

A process is known by its number *and* its start time, so that a number which the system has
given to a stranger in the meantime is never signalled. Each child leads its own group, gets a
signal when its parent dies (see `launch`), and writes to a log file of bounded size.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import (
    Container,
    Iterable,
    Iterator,
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
    route: str = "kept",
) -> list[str]:
    """The command line that runs `program` tied to this process (see `launch`).

    Linux ties a child to the *thread* that made it: start it from one that lives as long as the
    process, which is the main thread.
    """
    words = [os.fspath(word) for word in program]
    name = last_signal.name.removeprefix("SIG")
    here = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), name, user, route, "--"]
    return [*here, *words]


def can_lose_route() -> bool:
    """Whether this machine lets us start a program that reaches nobody."""
    if not LINUX:
        return False
    probe = launched([sys.executable, "-I", "-S", "-c", ""], route="lost")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def network_of(pid: int) -> str:
    """The network namespace that a process is in; empty where that cannot be seen."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net")
    return ""


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


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    return ""


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
