"""Who a process is, how the keeper keeps it alive, and that nothing stays."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from luciole.kit import processes
from luciole.kit.keeper import Failed, FolderLock, Keeper, Program
from luciole.kit.processes import Known

SLEEP = ["/bin/sleep", "60"]


def program(tmp_path: Path, code: str, name: str = "child") -> Program:
    return Program(
        name,
        lambda: processes.launched([sys.executable, "-u", "-c", code]),
        tmp_path / f"{name}.log",
        dict(os.environ),
        stop=((signal.SIGTERM, 1.0),),
    )


async def until(condition: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)


def test_known_process_is_told_from_a_later_one_with_its_number() -> None:
    child = subprocess.Popen(SLEEP)
    known = Known.find(child.pid)
    assert known is not None
    assert known.is_alive
    stranger = Known(child.pid, "another start")
    assert not stranger.is_alive
    assert not stranger.send(signal.SIGKILL)
    assert child.poll() is None
    assert known.send(signal.SIGKILL)
    child.wait()
    assert not known.is_alive
    assert not known.send(signal.SIGKILL)
    assert Known.find(child.pid) is None


def test_end_goes_on_to_the_next_signal() -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN)\n"
        "print(1, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    known = Known.find(child.pid)
    assert known is not None
    assert known.end((signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))
    assert child.wait() == -signal.SIGKILL


async def test_keeper_starts_a_killed_program_again(tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[dict[str, Known]] = []
    keeper = Keeper(said.append, seen.append)
    try:
        await keeper.start(program(tmp_path, "import time; print('up'); time.sleep(60)"))
        first = seen[-1]["child"]
        first.send(signal.SIGKILL)
        await until(lambda: seen[-1]["child"] != first and seen[-1]["child"].is_alive)
        second = seen[-1]["child"]
        assert said == ["child ended (status -9); starting it again"]
    finally:
        await keeper.stop()
    assert not second.is_alive
    assert seen[-1] == {}


async def test_keeper_leaves_no_grandchild_and_spares_the_owners_other_children(
    tmp_path: Path,
) -> None:
    other = subprocess.Popen(SLEEP)  # noqa: ASYNC220 - returns at once
    before = processes.descendants(os.getpid())
    # One in the group, one that left it and lost its parent.
    code = (
        "import subprocess, time; subprocess.Popen(['sleep', '61'])\n"
        "subprocess.run(['sh', '-c', 'setsid sleep 61 & exit 0']); print('up'); time.sleep(60)"
    )
    keeper = Keeper(lambda line: None)
    one = program(tmp_path, code)
    await keeper.start(one)
    await until(lambda: "up" in processes.tail(one.log))
    family = processes.descendants(os.getpid(), without=before)
    assert len(family) >= 3
    await keeper.stop()
    assert not any(known.is_alive for known in family)
    assert other.poll() is None
    other.kill()
    other.wait()


async def test_keeper_says_why_a_program_did_not_start(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    keeper = Keeper(lambda line: None)
    one = Program(
        "broken",
        lambda: processes.launched([sys.executable, "-c", "import sys; sys.exit('no such thing')"]),
        tmp_path / "broken.log",
        dict(os.environ),
        ready=never,
    )
    with pytest.raises(Failed) as caught:
        await keeper.start(one)
    await keeper.stop()
    assert caught.value.status == 1
    assert "no such thing" in caught.value.tail


async def test_keeper_ends_what_does_not_listen(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    keeper = Keeper(lambda line: None)
    one = program(tmp_path, code)
    await keeper.start(one)
    await until(lambda: "up" in processes.tail(one.log))
    began = time.monotonic()
    await keeper.stop()
    assert time.monotonic() - began < 5


def test_children_end_when_their_owner_is_killed(tmp_path: Path) -> None:
    code = (
        "import subprocess, time; from luciole.kit import processes\n"
        "child = subprocess.Popen(processes.launched(['/bin/sleep', '60']))\n"
        "time.sleep(0.3); print(child.pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    child = Known.find(int(owner.stdout.readline()))
    assert child is not None
    owner.kill()
    owner.wait()
    assert child.wait(5.0)


def test_log_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    handle = processes.open_log(path)
    os.write(handle, b"old\n" * 100 + b"newest\n")
    processes.bound_log(path, 50)
    os.write(handle, b"after\n")
    os.close(handle)
    assert path.read_bytes() == b"after\n"
    older = path.with_name("x.log.1").read_bytes()
    assert len(older) == 50
    assert older.endswith(b"newest\n")


def test_second_starter_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    assert first.take()
    first.write("http://localhost:1", {})
    assert not second.take()
    note = second.read()
    assert note is not None
    assert note.address == "http://localhost:1"
    assert note.owner.is_alive
    first.release()
    assert second.take()
    second.release()


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    ours, stranger = subprocess.Popen(SLEEP), subprocess.Popen(SLEEP)
    lock = FolderLock(tmp_path)
    assert lock.take()
    known = Known.find(ours.pid)
    assert known is not None
    lock.write("", {"api": known, "worker": Known(stranger.pid, "long ago")})
    ended: list[str] = []
    # Reaped by a thread, as the system would for an orphan.
    waiting = threading.Thread(target=ours.wait)
    waiting.start()
    ended = lock.end_leftovers()
    waiting.join()
    assert ended == ["api"]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owner": 1}', '{"owner": [1], "children": []}'])
def test_broken_note_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    assert FolderLock(tmp_path).read() is None
