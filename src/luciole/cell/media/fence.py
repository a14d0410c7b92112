"""Runs a command on a stranger's file, in a child process that can do next to nothing.

What each step of the fence is for is in `fence_steps.py`; `fence_launcher.py` starts the child.
This side asks for it, reads a bounded amount of what it says, watches the clock and the disk, and
ends it for certain.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from luciole.cell.media import launchers
from luciole.cell.media.launchers import Broken, Child, Warm
from luciole.kit.errors import Unavailable

FENCE_FAILED = 125
READ_BYTES = 16 * 1024
DISK_LOOK_S = 0.25

MIB = 1024 * 1024


class Fence(msgspec.Struct, frozen=True):
    """What this platform gives to lock a child down."""

    namespaces: bool
    """Users, network and IPC of its own."""
    no_new_privs: bool
    landlock_abi: int
    """0: no fence around files."""
    seccomp: bool
    """No sockets, no new processes, nothing done to other processes or to files by their names."""
    reasons: tuple[str, ...] = ()
    """What was refused, in the system's words; for `luciole doctor`."""

    @property
    def has_file_fence(self) -> bool:
        return self.landlock_abi > 0

    @property
    def is_enough(self) -> bool:
        """Whether strangers' files may be decoded. Namespaces are a second wall, without which
        there is still no network: without seccomp a child of our own user could open the key file
        to everybody (chmod) or limit its parent to death (prlimit)."""
        return self.no_new_privs and self.seccomp and self.has_file_fence

    @property
    def steps(self) -> tuple[str, ...]:
        """The launcher's steps that must succeed here."""
        return tuple(
            name
            for name, given in (
                ("namespaces", self.namespaces),
                ("no_new_privs", self.no_new_privs),
                ("landlock", self.has_file_fence),
                ("seccomp", self.seccomp),
            )
            if given
        )


class Limits(msgspec.Struct, frozen=True):
    """The budget of one child."""

    wall_s: float
    cpu_s: int
    memory_bytes: int = 2048 * MIB
    """Address space, which counts more than what is resident."""
    file_bytes: int = 512 * MIB
    """The largest file that it may write."""
    total_bytes: int = 1024 * MIB
    """All that it may write; looked at a few times a second."""
    total_files: int = 1_000
    """Files, even empty ones, that it may make."""
    open_files: int = 64
    processes: int = 128
    """Processes and threads together, where the kernel can count them apart."""
    stdout_bytes: int = 64 * 1024
    stderr_bytes: int = 16 * 1024
    """The last of it is kept."""
    nice: int = 5


class Outcome(msgspec.Struct, frozen=True):
    """How a child ended. `code` is negative for a signal, as in `subprocess`."""

    code: int
    stdout: bytes
    stderr: bytes
    killed_by: str | None
    """`time`, `cpu`, `disk`, `output`, or `signal` for one that we did not send; else None."""


class NoFence(Unavailable):
    """This platform cannot keep a hostile file from harming the server."""

    code = "no-fence"
    sentence = (
        "This cell does not accept videos, because its machine cannot fence the decoder off: "
        "a hostile file could read its files or use its network."
    )
    next_step = (
        "The operator finds the reason with `luciole doctor`: Linux 5.13 or newer with Landlock "
        "and seccomp is needed."
    )


class FenceBroke(Exception):
    """The fence was there at start-up and failed now; the command did not run."""


@functools.cache
def available() -> Fence:
    """Tries each step once in a short-lived child, and remembers."""
    if sys.platform != "linux":
        return Fence(False, False, 0, False, (f"{sys.platform} has none of it",))
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(launchers.LAUNCHER), "--describe"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={},
    )
    given: dict[str, int] = {}
    reasons = []
    for line in answer.stdout.splitlines():
        name, _, value = line.partition("=")
        number, _, reason = value.partition(" ")
        given[name] = int(number)
        if reason:
            reasons.append(reason)
    if answer.returncode:
        reasons.append(answer.stderr.strip()[-200:])
    return Fence(
        namespaces=bool(given.get("namespaces")),
        no_new_privs=bool(given.get("no_new_privs")),
        landlock_abi=given.get("landlock", 0),
        seccomp=bool(given.get("seccomp")),
        reasons=tuple(reasons),
    )


def require(fence: Fence, *, allow_unfenced: bool) -> None:
    """Raises NoFence where decoding would be unsafe and nobody has allowed that (a demo on
    loopback may)."""
    if not fence.is_enough and not allow_unfenced:
        raise NoFence()


async def run(
    argv: Sequence[str],
    *,
    reads: Sequence[Path],
    writes: Sequence[Path],
    limits: Limits,
    fence: Fence | None = None,
    warm: Warm | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    """Runs `argv` (an absolute program path first) and returns how it ended.

    It may read `reads` and the system's libraries and Python, and write plain files below
    `writes`, the first of which is its current folder. With `warm`, what that launcher has loaded
    is called with `argv` instead, within milliseconds. With `on_line`, each line of its standard
    output is handed over and not kept. Cancelling this ends the child. Raises FenceBroke.
    """
    fence = available() if fence is None else fence
    program = [] if warm is not None else [Path(argv[0])]
    request = {
        "options": _options(fence, limits),
        "reads": [str(path) for path in (*system_reads(), *program, *reads)],
        "writes": [str(path) for path in writes],
        "argv": list(argv),
    }
    launcher = launchers.launcher(fence.steps, warm)
    try:
        child = await launcher.start(request)
    except Broken as reason:
        raise FenceBroke(str(reason)) from reason
    return await _until_over(child, writes, limits, on_line)


async def _until_over(
    child: Child,
    writes: Sequence[Path],
    limits: Limits,
    on_line: Callable[[str], None] | None,
) -> Outcome:
    ended = asyncio.ensure_future(child.end())
    crashed = False
    try:
        out = _Reader(limits.stdout_bytes, on_line)
        err = _Reader(limits.stderr_bytes, None)
        reading = [
            asyncio.ensure_future(out.read_all(child.out)),
            asyncio.ensure_future(err.read_all(child.err)),
        ]
        watching = [
            asyncio.ensure_future(asyncio.sleep(limits.wall_s, "time")),
            asyncio.ensure_future(_disk_is_full(writes, limits)),
            asyncio.ensure_future(out.too_much()),
        ]
        killed_by: str | None = None
        try:
            first, _ = await asyncio.wait([ended, *watching], return_when=asyncio.FIRST_COMPLETED)
            if ended not in first:
                killed_by = next(watch.result() for watch in watching if watch in first)
        finally:
            # On every way out, cancellation too: the child does not live on.
            child.kill()
            for watch in watching:
                watch.cancel()
            try:
                code = await asyncio.shield(asyncio.ensure_future(_ended(child, ended)))
            finally:
                await asyncio.gather(*reading, return_exceptions=True)
        if code == FENCE_FAILED and err.kept.startswith(b"fence: "):
            raise FenceBroke(err.kept.decode("utf-8", "replace").strip())
        if killed_by is None and code < 0:
            crashed = True
            killed_by = {int(signal.SIGXCPU): "cpu", int(signal.SIGXFSZ): "disk"}.get(
                -code, "signal"
            )
        return Outcome(code, bytes(out.kept), bytes(err.kept), killed_by)
    finally:
        child.close(crashed=crashed)


async def _ended(child: Child, ended: asyncio.Future[int]) -> int:
    """The code of a child that was told to end. Raises FenceBroke."""
    done, _ = await asyncio.wait([ended], timeout=launchers.REAPED_WITHIN_S)
    if not done:
        child.launcher.kill()
    try:
        return await ended
    except Broken as reason:
        raise FenceBroke(str(reason)) from reason


def _options(fence: Fence, limits: Limits) -> dict[str, int]:
    return {
        "nice": limits.nice,
        "cpu_s": limits.cpu_s,
        "memory": limits.memory_bytes,
        "file_size": limits.file_bytes,
        "files": limits.open_files,
        "processes": limits.processes if fence.namespaces and _counts_per_namespace() else 0,
    }


@functools.cache
def _counts_per_namespace() -> bool:
    """Linux 5.14 counts RLIMIT_NPROC per user namespace; before, a busy user's other processes
    would starve the child of threads."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(c for c in minor if c.isdigit()) or 0)) >= (5, 14)


@functools.cache
def system_reads() -> tuple[Path, ...]:
    """Where programs and libraries lie: the system's, and this Python's."""
    wanted = [Path("/usr"), Path("/lib"), Path("/lib64"), Path("/etc/ld.so.cache")]
    folders = ("stdlib", "platstdlib", "purelib", "platlib")
    wanted += [Path(sysconfig.get_path(name)) for name in folders]
    binary = Path(os.path.realpath(sys.executable))
    wanted += [Path(sys.executable), binary, binary.parent.parent / "lib"]
    wanted.append(Path(sys.prefix) / "pyvenv.cfg")
    return tuple(dict.fromkeys(path for path in wanted if path.exists()))


async def _disk_is_full(writes: Sequence[Path], limits: Limits) -> str:
    while True:
        await asyncio.sleep(DISK_LOOK_S)
        if _is_over(writes, limits):
            return "disk"


def _is_over(folders: Sequence[Path], limits: Limits) -> bool:
    """Whether there is more than the child may write. Looks no further once there is, because
    everything else waits meanwhile."""
    files, size_bytes = 0, 0
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                files += 1
                with contextlib.suppress(OSError):
                    size_bytes += entry.stat(follow_symlinks=False).st_blocks * 512
                if files > limits.total_files or size_bytes > limits.total_bytes:
                    return True
    return False


class _Reader:
    """Keeps a bounded part of a pipe, or hands its lines on."""

    def __init__(self, most_bytes: int, on_line: Callable[[str], None] | None) -> None:
        self.kept = bytearray()
        self._most_bytes = most_bytes
        self._on_line = on_line
        self._full = asyncio.Event()

    async def read_all(self, descriptor: int) -> None:
        """Until nobody can write to the pipe any more; closes it."""
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(descriptor, "rb", 0)
        )
        try:
            await self._read(stream)
        finally:
            transport.close()

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        while chunk := await pipe.read(READ_BYTES):
            self.kept += chunk
            if self._on_line is not None:
                *lines, rest = self.kept.split(b"\n")
                for line in lines:
                    self._on_line(line.decode("utf-8", "replace"))
                self.kept = bytearray(rest)
            if len(self.kept) > self._most_bytes:
                self._full.set()
                del self.kept[: len(self.kept) - self._most_bytes]

    async def too_much(self) -> str:
        await self._full.wait()
        return "output"
