"""Starting, stopping and being killed: each end leaves a folder that starts again, and nothing
else. From this checkout; `test_start` does the same from a clean clone."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import later
from tests.drills.cell_process import free_port, get, none_left, serve, started, until_ready

from luciole.config import ROLES
from luciole.kit import postgres, processes
from luciole.kit.keeper import FolderLock

READY = r"The cell answers after ([\d.]+) s: (\S+)"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
OURS = {"custody", "gateway", "ledger", "witness", "api", "worker"}

# One after the other: each starts four processes, and times are looked at.
pytestmark = [pytest.mark.xdist_group("start"), pytest.mark.timeout(400)]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "a folder"
    yield folder
    assert none_left(folder) == []


def children(data: Path) -> dict[str, processes.Known]:
    note = FolderLock(data / "run").read()
    assert note is not None
    return note.children


def until_back(data: Path, name: str, before: processes.Known, seconds: float = 30) -> None:
    """Waits for another living process in the place of `before`."""
    end = time.monotonic() + seconds
    while (now := children(data)[name]) == before or not now.is_alive:
        assert time.monotonic() < end, f"{name} did not come back"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, later(signal.SIGTERM), later(signal.SIGHUP)])
def test_signal_stops_everything_in_order(data: Path, number: signal.Signals) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)
        assert set(children(data)) == {"postgresql", *OURS}
        began = time.monotonic()
        assert cell.stop(number) == 0
        assert time.monotonic() - began < 15
    assert "Stopped. Nothing of it is running any more." in cell.console
    assert "database system is shut down" in (data / "log" / "postgresql.log").read_text()
    assert not (data / "run" / "running.json").exists()


@pytest.mark.long
def test_everything_in_the_data_folder_is_private(data: Path) -> None:
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 100)
        # As an earlier version left them.
        for name in ("run", "work", "log"):
            (data / name).chmod(0o755)
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 100)
        folders = [data, *(path for path in data.iterdir() if path.is_dir())]
        assert {"run", "work", "log", "keys", "postgres"} <= {path.name for path in folders}
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in folders} == {
            path.name: "0o700" for path in folders
        }


@pytest.mark.long
def test_warm_start_is_quick_and_keeps_the_data(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for("Database brought to", 100)
        cell.wait_for(READY, 100)
    with started(*serve(data, port)) as cell:
        seconds = float(cell.wait_for(READY, 100)[1])
        assert not any("Database brought to" in line for line in cell.console)
    # Five is the aim on a quiet machine; here another test runs beside it.
    assert seconds < 10


@pytest.mark.long
def test_killed_parts_come_back(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)
        for name in ("worker", "api", "custody", "ledger", "witness", "postgresql"):
            before = children(data)
            assert before[name].send(signal.SIGKILL)
            cell.wait_for(f"{name} ended .* starting it again", 20)
            # A cell without its worker stays ready, so readiness alone says nothing of it.
            until_back(data, name, before[name])
            until_ready(port)
        assert cell.stop() == 0


@pytest.mark.long
def test_killed_supervisor_takes_all_down_and_the_next_start_repairs(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)
        family = children(data)
        cell.process.kill()
        cell.process.wait()
        # No waiting: the next start meets children in the middle of their end.
        with started(*serve(data, port)) as again:
            again.wait_for(READY, 100)
            assert not any(known.is_alive for known in family.values())
            assert again.stop() == 0


@pytest.mark.long
def test_everything_killed_at_once_starts_again(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)
        for known in [*children(data).values(), processes.Known.find(cell.process.pid)]:
            assert known is not None
            known.send(signal.SIGKILL)
        cell.process.wait()
    assert none_left(data) == []
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)


@pytest.mark.parametrize("after_s", [later(0.2), later(0.6), later(1.0)])
def test_killed_while_starting_starts_again(data: Path, after_s: float) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        time.sleep(after_s)
        cell.process.kill()
        cell.process.wait()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)


@pytest.mark.parametrize("after_s", [later(0.3), 0.9])
def test_stopped_while_starting_leaves_nothing(data: Path, after_s: float) -> None:
    with started(*serve(data, free_port())) as cell:
        time.sleep(after_s)
        cell.stop()
    assert not any("Traceback" in line for line in cell.console), cell.console


@pytest.mark.long
def test_second_start_in_the_folder_names_the_first(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 100)
        with started(*serve(data, free_port())) as second:
            second.wait_for(f"already runs in this folder: http://localhost:{port}", 20)
            second.wait_for("What to do: .*Ctrl-C", 5)
            assert second.process.wait(10) == 1
        assert get(port, "/healthz")[0] == 200


@pytest.mark.long
def test_two_folders_run_side_by_side(data: Path) -> None:
    ports = free_port(), free_port()
    with (
        started(*serve(data / "one", ports[0])) as one,
        started(*serve(data / "two", ports[1])) as two,
    ):
        one.wait_for(READY, 100)
        two.wait_for(READY, 100)
        one.stop()
        assert get(ports[1], "/readyz")[0] == 200


@pytest.mark.long
def test_busy_port_is_refused_with_the_way_out(data: Path) -> None:
    port = free_port()
    with started(*serve(data / "one", port)) as one:
        one.wait_for(READY, 100)
        with started(*serve(data / "two", port)) as two:
            two.wait_for(f"Port {port} on 127.0.0.1 cannot be used: Address already in use", 20)
            two.wait_for("--port", 5)
            assert two.process.wait(10) == 1
        assert none_left(data / "two") == []


@pytest.mark.long
def test_moved_data_start_in_their_new_place(data: Path) -> None:
    port = free_port()
    with started(*serve(data / "here", port)) as cell:
        cell.wait_for(READY, 100)
    (data / "here").rename(data / "there")
    with started(*serve(data / "there", port)) as cell:
        cell.wait_for(READY, 100)
        assert not any("Database brought to" in line for line in cell.console)


@pytest.mark.long
def test_note_of_a_stranger_ends_no_stranger(data: Path) -> None:
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    try:
        (data / "run").mkdir(parents=True)
        record = {"owner": [1, "0-1"], "address": "", "children": {"api": [stranger.pid, "0-1"]}}
        (data / "run" / "running.json").write_text(json.dumps(record))
        with started(*serve(data, free_port())) as cell:
            cell.wait_for(READY, 100)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.long
def test_several_api_processes_share_the_port(data: Path) -> None:
    port = free_port()
    with started(*serve(data, port, LUCIOLE_WEB_PROCESSES="2")) as cell:
        cell.wait_for(READY, 100)
        assert {"api-1", "api-2"} <= set(children(data))
        children(data)["api-1"].send(signal.SIGKILL)
        # The socket stays open meanwhile, so nobody is refused.
        for _ in range(20):
            assert get(port, "/healthz")[0] == 200


@pytest.mark.long
def test_api_process_knows_its_own_login_only(data: Path) -> None:
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 100)
        for name, known in children(data).items():
            told = Path(f"/proc/{known.pid}/environ").read_bytes().decode()
            secrets = {
                login
                for login in postgres.Logins().names
                if (data / "postgres" / "passwords" / login).read_text().strip() in told
            }
            own = {ROLES[process] for process in ROLES if process == name}
            assert secrets == own, name


@pytest.mark.skipif(not DEBIAN.exists(), reason="PostgreSQL 15 of Debian is not installed")
@pytest.mark.parametrize("own_logins", [later(True), later(False)])
def test_outside_postgresql_15_by_url(data: Path, tmp_path: Path, own_logins: bool) -> None:
    port = free_port()
    with postgres.embedded(tmp_path / "pg", bin_dir=DEBIAN, settings={"fsync": "off"}) as server:
        command, environment = serve(data, port)
        environment["DATABASE_URL"] = server.url()
        if own_logins:
            environment["DATABASE_URL_API"] = server.url("luciole_api")
            environment["DATABASE_URL_WORKER"] = server.url("luciole_worker")
        with started(command, environment) as cell:
            cell.wait_for(READY, 100)
            assert set(children(data)) == OURS
            assert get(port, "/api/feeds/latest")[0] == 200
            assert cell.stop() == 0


def test_wrong_database_url_is_refused_without_its_password(data: Path) -> None:
    command, environment = serve(data, free_port())
    environment["DATABASE_URL"] = "postgresql://me:hush-hush@127.0.0.1:1/none"
    with started(command, environment) as cell:
        cell.wait_for("The database does not answer", 30)
        assert cell.process.wait(10) == 1
    assert "hush-hush" not in "\n".join(cell.console)


def test_wrong_setting_is_named(data: Path) -> None:
    with started(*serve(data, free_port(), LUCIOLE_WEB_PROCESSES="many")) as cell:
        cell.wait_for("LUCIOLE_WEB_PROCESSES is 'many'", 20)
        assert cell.process.wait(10) == 1
