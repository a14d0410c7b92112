"""A cell started as a person starts it, for drills: its console, its processes, its end."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
_given: set[int] = set()


class Cell:
    """`command` in a group of its own, as a terminal would start it."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], cwd: Path = ROOT
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.console: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.console.append(line.rstrip())
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str]:
        """The first line that matches, from where the last wait ended."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=left)
                if line is None:
                    break
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.console))

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 40) -> int:
        """Signals the whole group, as Ctrl-C does; the exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        return self.process.wait(seconds)


@contextlib.contextmanager
def started(
    command: Sequence[str | Path], environment: Mapping[str, str], cwd: Path = ROOT
) -> Iterator[Cell]:
    cell = Cell(command, environment, cwd)
    try:
        yield cell
    finally:
        if cell.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                cell.stop()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(cell.process.pid, signal.SIGKILL)
        cell.process.wait()


def serve(data: Path, port: int, **more: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of `serve` from this checkout, without the script."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_URL")}
    environment |= {
        "PYTHONPATH": str(ROOT / "src"),
        "LUCIOLE_DATA_DIR": str(data),
        "LUCIOLE_WEB_PORT": str(port),
        # What is drilled are other things; whoever wants the work says so.
        "LUCIOLE_PEOPLE_SIGN_UP_WORK": "0",
        **more,
    }
    return [sys.executable, "-m", "luciole", "serve"], environment


def free_port() -> int:
    """A TCP port of loopback that nobody uses, below those that the system hands out to clients.

    Drawn at random from twelve thousand, because another run of the tests may look for one at the
    same moment, and never given twice by this process.
    """
    while True:
        port = random.SystemRandom().randrange(20000, 32768)
        if port in _given:
            continue
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_ready(port: int) -> bool:
    try:
        return get(port, "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def until_ready(port: int, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_ready(port):
        assert time.monotonic() < end, "the cell did not get ready again"
        time.sleep(0.05)


def processes_of(*folders: Path) -> list[str]:
    """Every process that names or works in one of the folders: `PID COMMAND`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{name}/cmdline").read_bytes().decode("utf-8", "replace")
                places = [words, os.readlink(f"/proc/{name}/cwd")]
                places.append(Path(f"/proc/{name}/environ").read_bytes().decode("utf-8", "replace"))
                if any(str(folder) in place for folder in folders for place in places):
                    found.append(f"{name} {words.replace(chr(0), ' ').strip()}")
    return found


def none_left(*folders: Path, seconds: float = 10) -> list[str]:
    """What is still there after a short wait; empty is right."""
    end = time.monotonic() + seconds
    while (left := processes_of(*folders)) and time.monotonic() < end:
        time.sleep(0.1)
    return left
