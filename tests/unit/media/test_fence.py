"""What a hostile child tries, inside the fence and (as a control) outside it.

Each case runs the same program twice: without the fence it must do its harm, so that its failure
inside means the fence and not a mistake of the program.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from luciole.cell.media import fence, launchers
from luciole.cell.media.fence import Fence, Limits, NoFence, Outcome

NONE = Fence(namespaces=False, no_new_privs=False, landlock_abi=0, seccomp=False)
LIMITS = Limits(wall_s=20, cpu_s=5, memory_bytes=512 * fence.MIB, file_bytes=4 * fence.MIB)

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="this platform has no fence to test"
)


async def attempt(
    program: str, folder: Path, *, kind: Fence | None = None, limits: Limits = LIMITS
) -> Outcome:
    """Runs a Python program as the child; its work folder is `folder`/out."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    argv = [sys.executable, "-I", "-S", "-c", textwrap.dedent(program)]
    return await fence.run(argv, reads=[], writes=[out], limits=limits, fence=kind)


async def harms_only_outside(program: str, folder: Path, tells: bytes = b"harm") -> None:
    control = await attempt(program, folder, kind=NONE)
    assert tells in control.stdout, control.stderr
    fenced = await attempt(program, folder)
    assert fenced.code != 0
    assert tells not in fenced.stdout


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on loopback where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_child_cannot_reach_the_network(tmp_path: Path, listener: int) -> None:
    await harms_only_outside(
        f"""
        import socket
        socket.create_connection(("127.0.0.1", {listener}), 2)
        print("harm")
        """,
        tmp_path,
    )


async def test_network_stays_closed_without_seccomp(tmp_path: Path, listener: int) -> None:
    given = fence.available()
    if not given.namespaces:
        pytest.skip("no user namespaces here")
    alone = Fence(namespaces=True, no_new_privs=True, landlock_abi=0, seccomp=False)
    program = f"""
        import socket
        socket.create_connection(("127.0.0.1", {listener}), 2)
        print("harm")
        """
    assert b"harm" not in (await attempt(program, tmp_path, kind=alone)).stdout


async def test_child_cannot_read_other_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("harm")
    await harms_only_outside(f"print(open({str(secret)!r}).read())", tmp_path)


async def test_child_cannot_read_the_workers_environment(tmp_path: Path) -> None:
    await harms_only_outside(
        f"import os; print(open('/proc/{os.getpid()}/environ').read() and 'harm')", tmp_path
    )


async def test_child_has_no_environment_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "harm")
    outcome = await attempt("import os; print(sorted(os.environ))", tmp_path)
    assert b"HOME" in outcome.stdout
    assert b"DATABASE_URL" not in outcome.stdout


async def test_child_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "outside"
    await harms_only_outside(f"open({str(target)!r}, 'w'); print('harm')", tmp_path)


async def test_child_cannot_leave_a_link(tmp_path: Path) -> None:
    await harms_only_outside(
        "import os; os.symlink('/etc/passwd', str(os.getpid())); print('harm')", tmp_path
    )


async def test_child_can_write_into_its_folder(tmp_path: Path) -> None:
    outcome = await attempt("open('made', 'w').write('well')", tmp_path)
    assert outcome.code == 0, outcome.stderr
    assert (tmp_path / "out" / "made").read_text() == "well"


async def test_child_cannot_start_processes(tmp_path: Path) -> None:
    await harms_only_outside(
        """
        import os
        if os.fork() == 0:
            print("harm", flush=True)
            os._exit(0)
        os.wait()
        """,
        tmp_path,
    )


async def test_child_can_start_threads(tmp_path: Path) -> None:
    outcome = await attempt(
        "import threading; threading.Thread(target=print, args=('well',)).start()", tmp_path
    )
    assert outcome.stdout == b"well\n", outcome.stderr


@pytest.mark.parametrize("whom", ["os.getppid()", str(os.getpid())], ids=["launcher", "worker"])
async def test_child_cannot_signal_those_above(whom: str, tmp_path: Path) -> None:
    await harms_only_outside(f"import os; os.kill({whom}, 0); print('harm')", tmp_path)


async def test_child_cannot_outlive_by_taking_back_its_promise(tmp_path: Path) -> None:
    await harms_only_outside(
        """
        import ctypes
        if ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) != 0:
            raise SystemExit(1)
        print("harm")
        """,
        tmp_path,
    )


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of ours, outside the child's folder."""
    made = tmp_path / "victim"
    made.write_text("precious")
    return made


# Landlock looks at none of these, and our own user may do all of them.
ON_FILES = {
    "mode": "os.chmod(victim, 0o666)",
    "owner": "os.chown(victim, -1, -1)",
    "times": "os.utime(victim, (1, 1))",
    "watch": "assert libc.inotify_add_watch(libc.inotify_init(), victim.encode(), 0xFFF) >= 0",
}
ON_WORKER = {
    "limits": "resource.prlimit(worker, resource.RLIMIT_CORE, (0, 0))",
    "priority": "os.setpriority(os.PRIO_PROCESS, worker, os.getpriority(os.PRIO_PROCESS, worker))",
    "processors": "os.sched_setaffinity(worker, os.sched_getaffinity(worker))",
    "pipe": "fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, worker)",
}
UNSEEN_MEMORY = {
    "memfd": "os.memfd_create('a')",
    "segment": "assert libc.shmget(0, 1 << 20, 0o1600) >= 0",
    "message": "assert libc.msgget(0, 0o1600) >= 0",
    "semaphore": "assert libc.semget(0, 1, 0o1600) >= 0",
}


@pytest.mark.parametrize("act", [*ON_FILES.values(), *ON_WORKER.values(), *UNSEEN_MEMORY.values()],
                         ids=[*ON_FILES, *ON_WORKER, *UNSEEN_MEMORY])  # fmt: skip
async def test_child_cannot_touch_what_is_not_its_own(
    act: str, victim: Path, tmp_path: Path
) -> None:
    await harms_only_outside(
        f"""
        import ctypes, fcntl, os, resource
        libc = ctypes.CDLL(None)
        victim, worker = {str(victim)!r}, {os.getpid()}
        {act}
        print("harm")
        """,
        tmp_path,
    )


async def test_child_cannot_signal_by_another_call(tmp_path: Path) -> None:
    """Without Landlock, which forbids it once more on new kernels."""
    program = """
        import ctypes, os
        number = {"x86_64": 129, "aarch64": 138}[os.uname().machine]  # rt_sigqueueinfo
        about = ctypes.create_string_buffer(128)
        ctypes.memmove(ctypes.byref(about, 8), (-1).to_bytes(4, "little", signed=True), 4)
        assert ctypes.CDLL(None).syscall(number, os.getppid(), 0, about) == 0
        print("harm")
        """
    alone = Fence(namespaces=False, no_new_privs=True, landlock_abi=0, seccomp=True)
    assert b"harm" in (await attempt(program, tmp_path, kind=NONE)).stdout
    assert b"harm" not in (await attempt(program, tmp_path, kind=alone)).stdout


@pytest.mark.parametrize(
    "hidden",
    ["open('a', 'wb'); os.unlink('a')", "os.open('.', os.O_TMPFILE | os.O_RDWR)"],
    ids=["unlinked", "nameless"],
)
async def test_child_cannot_hide_what_it_writes(hidden: str, tmp_path: Path) -> None:
    await harms_only_outside(f"import os; kept = {hidden}; print('harm')", tmp_path)


async def test_child_that_eats_memory_fails(tmp_path: Path) -> None:
    program = "x = bytearray(700 << 20); print('harm')"
    roomy = Limits(wall_s=20, cpu_s=5, memory_bytes=2048 * fence.MIB)
    assert b"harm" in (await attempt(program, tmp_path, limits=roomy)).stdout
    fenced = await attempt(program, tmp_path)
    assert fenced.code != 0
    assert b"MemoryError" in fenced.stderr


async def test_child_that_spins_is_stopped(tmp_path: Path) -> None:
    limits = Limits(wall_s=20, cpu_s=1, memory_bytes=512 * fence.MIB)
    began = time.monotonic()
    outcome = await attempt("while True: pass", tmp_path, limits=limits)
    assert outcome.killed_by == "cpu"
    assert time.monotonic() - began < 10


async def test_child_that_sleeps_is_stopped(tmp_path: Path) -> None:
    limits = Limits(wall_s=0.5, cpu_s=5, memory_bytes=512 * fence.MIB)
    outcome = await attempt("import time; time.sleep(60)", tmp_path, limits=limits)
    assert outcome.killed_by == "time"


async def test_child_that_talks_too_much_is_stopped(tmp_path: Path) -> None:
    outcome = await attempt("while True: print('x' * 10_000)", tmp_path)
    assert outcome.killed_by == "output"
    assert len(outcome.stdout) <= LIMITS.stdout_bytes


async def test_child_that_fills_a_file_fails(tmp_path: Path) -> None:
    program = "f = open('large', 'wb')\nwhile True: f.write(bytes(1 << 20))"
    outcome = await attempt(program, tmp_path)
    assert outcome.code != 0
    assert (tmp_path / "out" / "large").stat().st_size <= LIMITS.file_bytes


async def test_child_that_fills_the_disk_with_many_files_is_stopped(tmp_path: Path) -> None:
    program = (
        "import itertools\nfor n in itertools.count(): open(str(n), 'wb').write(bytes(1 << 20))"
    )
    limits = Limits(
        wall_s=20, cpu_s=20, memory_bytes=512 * fence.MIB, total_bytes=8 * fence.MIB, open_files=64
    )
    outcome = await attempt(program, tmp_path, limits=limits)
    assert outcome.killed_by == "disk"


async def test_child_that_makes_very_many_files_is_stopped(tmp_path: Path) -> None:
    program = "import itertools\nfor n in itertools.count(): open(str(n), 'wb').close()"
    limits = Limits(wall_s=20, cpu_s=20, memory_bytes=512 * fence.MIB, total_files=100)
    outcome = await attempt(program, tmp_path, limits=limits)
    assert outcome.killed_by == "disk"


async def test_lines_are_handed_on(tmp_path: Path) -> None:
    lines: list[str] = []
    out = tmp_path / "out"
    out.mkdir()
    argv = [sys.executable, "-I", "-S", "-c", "for n in range(10_000): print(f'line {n}')"]
    outcome = await fence.run(argv, reads=[], writes=[out], limits=LIMITS, on_line=lines.append)
    assert outcome.code == 0
    assert lines == [f"line {n}" for n in range(10_000)]


async def test_cancelling_ends_the_child(tmp_path: Path) -> None:
    marker = tmp_path / "out" / "pid"
    running = asyncio.create_task(
        attempt(
            "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)", tmp_path
        )
    )
    pid = await _number_in(marker)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not _is_alive(pid)


async def test_child_dies_with_a_killed_worker(tmp_path: Path) -> None:
    program = f"""
        import asyncio, sys
        from pathlib import Path
        from luciole.cell.media import fence, launchers
        code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
        asyncio.run(fence.run(
            [sys.executable, "-I", "-S", "-c", code], reads=[], writes=[Path({str(tmp_path)!r})],
            limits=fence.Limits(wall_s=60, cpu_s=5),
        ))
        """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    worker = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", textwrap.dedent(program)], env=environment
    )
    try:
        pid = await _number_in(tmp_path / "pid")
        assert _is_alive(pid)
    finally:
        worker.kill()
        worker.wait()
    for _ in range(50):
        if not _is_alive(pid):
            break
        await asyncio.sleep(0.1)
    assert not _is_alive(pid)


async def test_a_step_that_fails_keeps_the_command_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fence was promised and cannot be had, nothing runs."""
    out = tmp_path / "out"
    out.mkdir()
    argv = [sys.executable, "-I", "-S", "-c", "print('harm')"]
    here = launchers.LAUNCHER.parent
    broken = tmp_path / "fence_launcher.py"
    broken.write_text((here / "fence_launcher.py").read_text())
    call = "LANDLOCK_RESTRICT_SELF = 444, 445, "
    steps = (here / "fence_steps.py").read_text()
    assert f"{call}446" in steps
    (tmp_path / "fence_steps.py").write_text(steps.replace(f"{call}446", f"{call}9999"))
    monkeypatch.setattr(launchers, "LAUNCHER", broken)
    with pytest.raises(fence.FenceBroke, match="landlock"):
        await fence.run(argv, reads=[], writes=[out], limits=LIMITS)


def test_decoding_is_refused_without_a_fence() -> None:
    with pytest.raises(NoFence) as refusal:
        fence.require(NONE, allow_unfenced=False)
    assert "luciole doctor" in refusal.value.next_step
    fence.require(NONE, allow_unfenced=True)
    fence.require(fence.available(), allow_unfenced=False)


@pytest.mark.parametrize(
    ("given", "is_enough"),
    [
        (Fence(True, True, 1, True), True),
        (Fence(False, True, 1, True), True),
        (Fence(True, True, 1, False), False),
        (Fence(True, True, 0, True), False),
        (Fence(True, False, 7, True), False),
    ],
)
def test_what_is_enough(given: Fence, is_enough: bool) -> None:
    assert given.is_enough is is_enough


async def _number_in(path: Path) -> int:
    for _ in range(100):
        if number := _text(path):
            return int(number)
        await asyncio.sleep(0.1)
    raise AssertionError("the child did not start")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
