"""The root key file: what the start and `doctor` say when it is missing, another one or open."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from tests.drills.cell_process import Cell, free_port, none_left, serve, started

from luciole.keys import epochs

READY = r"The cell answers after ([\d.]+) s: (\S+)"
PERSON = {
    "handle": "keeper",
    "display_name": "Keeper",
    "age_band": "18+",
    "locale": "en",
    "password": "seven turquoise herons",
}
OTHER_KEY = "luciole-root-key-v1 0190b6a5-0000-7000-8000-000000000000 " + "A" * 43 + "=\n"

pytestmark = pytest.mark.xdist_group("start")


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a stopped cell that has a person."""
    data = tmp_path_factory.mktemp("peopled") / "data"
    port = free_port()
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 60)
        sign_up(port)
    return data


@pytest.fixture
def data(peopled: Path) -> Iterator[Path]:
    key = peopled / "keys" / "root.key"
    text = key.read_text()
    yield peopled
    key.unlink(missing_ok=True)
    key.write_text(text)
    key.chmod(0o600)
    assert none_left(peopled) == []


def sign_up(port: int) -> None:
    request = Request(
        f"http://127.0.0.1:{port}/api/sign-up",
        json.dumps(PERSON).encode(),
        {"content-type": "application/json"},
    )
    with urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
        assert answer.status == 201


def remove(key: Path) -> None:
    key.unlink()


def exchange(key: Path) -> None:
    key.write_text(OTHER_KEY)


def open_to_all(key: Path) -> None:
    key.chmod(0o644)


DEFECTS = [
    pytest.param(remove, "has people, and the cell's keys are missing", "copy", id="missing"),
    pytest.param(exchange, "wrapped under another root", "put back the root key", id="other"),
    pytest.param(open_to_all, "root key file .* is open to others", "chmod 600", id="open"),
]


def doctor(data: Path, more: Mapping[str, str] = {}) -> tuple[int, str]:
    command, environment = serve(data, free_port())
    done = subprocess.run(
        [*command[:-1], "doctor"],
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("spoil", "sentence", "next_step"), DEFECTS)
def test_start_refuses_with_a_sentence_and_writes_nothing(
    data: Path, spoil: object, sentence: str, next_step: str
) -> None:
    keys = data / "keys"
    spoil(keys / "root.key")  # type: ignore[operator]
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(sentence, 30)
        cell.wait_for(f"What to do: .*{next_step}", 10)
        assert cell.process.wait(20) == 1
        assert_for_people(cell)
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before


def assert_for_people(cell: Cell) -> None:
    assert not any("Traceback" in line or line.startswith("{") for line in cell.console)


@pytest.mark.parametrize(("spoil", "sentence", "next_step"), DEFECTS)
def test_doctor_finds_it_in_a_stopped_cell(
    data: Path, spoil: object, sentence: str, next_step: str
) -> None:
    spoil(data / "keys" / "root.key")  # type: ignore[operator]
    status, said = doctor(data)
    assert status == 1
    found = [line for line in said.splitlines() if line.startswith("FAIL  root key")]
    assert len(found) == 1, said
    assert "Nothing stands in the way" not in said
    assert next_step in said
    assert "Traceback" not in said


def test_doctor_finds_the_right_key_right(data: Path) -> None:
    status, said = doctor(data)
    assert "OK    root key: belongs to this database" in said
    assert status == 0, said
    # It started PostgreSQL to ask, and has stopped it again.
    assert none_left(data) == []


def test_doctor_finds_a_wrong_key_beside_a_running_cell(data: Path) -> None:
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 60)
        assert "OK    root key: belongs to this database" in doctor(data)[1]
        exchange(data / "keys" / "root.key")
        status, said = doctor(data)
        assert (status, "FAIL  root key" in said) == (1, True)
        assert cell.process.poll() is None
        assert cell.stop() == 0


@pytest.mark.long
def test_doctor_asks_a_database_that_was_cut_off(data: Path) -> None:
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 60)
        cell.process.send_signal(signal.SIGKILL)
        cell.process.wait()
        status, said = doctor(data)
        assert "OK    root key: belongs to this database" in said
        assert status == 0, said


def test_doctor_before_the_first_start_promises_a_key(tmp_path: Path) -> None:
    status, said = doctor(tmp_path / "new")
    assert "OK    root key: will be made at the first start" in said
    assert status == 0, said
    assert not (tmp_path / "new").exists()


@pytest.mark.long
def test_key_lost_while_the_cell_runs_is_not_made_anew(data: Path) -> None:
    """The key broker that is started again finds no key; it must not make one."""
    from tests.drills.test_start_serve import children

    key = data / "keys" / "root.key"
    with started(*serve(data, free_port())) as cell:
        cell.wait_for(READY, 60)
        key.unlink()
        children(data)["custody"].send(signal.SIGKILL)
        cell.wait_for("custody ended .* starting it again", 20)
        cell.wait_for("custody ended .* starting it again", 20)
        assert not key.exists()
    assert "keys are missing" in (data / "log" / "custody.log").read_text()


@pytest.mark.parametrize(
    ("age", "environment", "expected"),
    [
        (timedelta(days=1), {"LUCIOLE_KEYS_BACKUP_DIR": "/backup"}, "OK    key store: epoch 3"),
        (timedelta(days=1), {}, "WARN  key store: has no copy"),
        (timedelta(days=30), {}, "WARN  key store: its epoch is 30 days old"),
    ],
)
def test_doctor_tells_the_age_of_the_epoch_and_whether_there_is_a_copy(
    tmp_path: Path, age: timedelta, environment: dict[str, str], expected: str
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    epochs.switch(keys, 3, datetime.now(UTC) - age - timedelta(minutes=1))
    assert expected in doctor(tmp_path, environment)[1]


def test_doctor_refuses_a_damaged_name_of_the_epoch(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / "current").write_text("junk")
    (keys / "current").chmod(0o600)
    status, said = doctor(tmp_path)
    assert status == 1
    assert "FAIL  key store: The file" in said
