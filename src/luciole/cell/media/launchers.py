"""Starts the warm launchers of this process, and asks them for children.

One launcher for each kind of child: one that becomes any program, one with the decoder that only
looks, one with the decoder of pictures. Each is started with the first child and stays; a killed
one is started anew with the next child. After a child that crashed, and after `MOST_CHILDREN`,
it is exchanged: forks of one process share the layout of its memory, and nobody shall have many
tries at the same one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

LAUNCHER = Path(__file__).with_name("fence_launcher.py")
MOST_CHILDREN = 1_000
# A child is killed by then, whatever it does; one that is not has a launcher that hangs.
REAPED_WITHIN_S = 10
LEAVES_WITHIN_S = 2
ASK_AGAIN_S = 0.002


class Broken(Exception):
    """The launcher could not be started, or went away. Its text says why, in the system's words."""


class Warm(msgspec.Struct, frozen=True):
    """What a launcher loads before its children need it: a program with `load()` and `main(argv)`,
    and the folder of the packages that it imports."""

    program: Path
    packages: Path


class Child(msgspec.Struct, frozen=True):
    """A child that runs: its two pipes to read, and the socket that tells its end."""

    out: int
    err: int
    control: socket.socket
    launcher: Launcher

    async def end(self) -> int:
        """Its exit code, negative for a signal. Raises Broken where the launcher is gone, and with
        it the child."""
        try:
            told = await asyncio.get_running_loop().sock_recv(self.control, 64)
        except OSError:
            told = b""
        if not told:
            raise Broken(self.launcher.last_words())
        return int(told)

    def kill(self) -> None:
        """Ends it for certain, if it has not ended."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)

    def close(self, *, crashed: bool) -> None:
        """Lets go of it after its end. The two pipes belong to whoever reads them."""
        self.control.close()
        self.launcher.leave(crashed=crashed)


class Launcher:
    """One process that starts children."""

    def __init__(self, steps: tuple[str, ...], warm: Warm | None) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            sys.executable, "-I", "-S", "-B", str(LAUNCHER),
            f"steps={','.join(steps)}", f"parent={os.getpid()}", f"requests={theirs.fileno()}",
        ]  # fmt: skip
        if warm is not None:
            command += [f"program={warm.program}", f"packages={warm.packages}"]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env={},
                start_new_session=True,
            )
        ours.setblocking(False)
        self._requests = ours
        self._is_warm = warm is not None
        self._children = 0
        self._running = 0
        self._is_retired = False

    @property
    def is_good(self) -> bool:
        """Whether it takes requests."""
        return not self._is_retired and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def start(self, request: dict[str, Any]) -> Child:
        """A new child. Raises Broken, OSError."""
        control, theirs = socket.socketpair()
        control.setblocking(False)
        opened = [theirs.detach()]
        pipes: list[int] = []
        try:
            for _ in range(2):
                reading, writing = os.pipe()
                pipes.append(reading)
                opened.append(writing)
            message = json.dumps(request).encode()
            while True:
                try:
                    socket.send_fds(self._requests, [message], opened)
                    break
                except BlockingIOError:
                    await asyncio.sleep(ASK_AGAIN_S)
        except BaseException as error:
            for reading in pipes:
                os.close(reading)
            control.close()
            if isinstance(error, BrokenPipeError | ConnectionError):
                raise Broken(self.last_words()) from error
            raise
        finally:
            for descriptor in opened:
                os.close(descriptor)
        self._children += 1
        self._running += 1
        if self._children >= MOST_CHILDREN:
            self._is_retired = True
        out, err = pipes
        return Child(out, err, control, self)

    def leave(self, *, crashed: bool) -> None:
        """A child has ended; the last one of a retired launcher closes it."""
        self._running -= 1
        self._is_retired |= crashed and self._is_warm
        if self._is_retired and not self._running:
            self.close()

    def kill(self) -> None:
        """Ends it with all its children, whatever it does."""
        self._is_retired = True
        self._process.kill()

    def last_words(self) -> str:
        """Why it ended. Waits a moment for that."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LEAVES_WITHIN_S)
        said, pipe = "", self._process.stderr
        if self._process.poll() is not None and pipe is not None and not pipe.closed:
            said = pipe.read().decode("utf-8", "replace").strip()
        return said[-300:] or "fence: the launcher is gone"

    def close(self) -> None:
        """Ends it in order, with its children."""
        self._is_retired = True
        self._requests.close()
        try:
            self._process.wait(LEAVES_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


_launchers: dict[tuple[object, ...], Launcher] = {}
_lock = threading.Lock()


def launcher(steps: tuple[str, ...], warm: Warm | None) -> Launcher:
    """The launcher of this process for that kind of child, started if need be. Raises OSError."""
    # By process, since a fork has the sockets of its parent, but is not known to the launcher.
    key = (os.getpid(), LAUNCHER, steps, warm)
    with _lock:
        found = _launchers.get(key)
        if found is None or not found.is_good:
            found = _launchers[key] = Launcher(steps, warm)
        return found


def running() -> Iterator[Launcher]:
    """The launchers that this process has started and that are still there."""
    for key, one in list(_launchers.items()):
        if key[0] == os.getpid() and one.is_good:
            yield one


@atexit.register
def close() -> None:
    """Ends all launchers of this process."""
    for one in list(running()):
        one.close()
    _launchers.clear()
