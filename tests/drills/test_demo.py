"""The demo where the machine has no fence: it says so, works, and nothing else becomes open."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.drills.cell_process import free_port, none_left, serve, started

from luciole import cli
from luciole.cell.media import fence

NONE = fence.Fence(True, True, 0, True, ("landlock: Function not implemented",))
WITHOUT_LANDLOCK = Path(__file__).with_name("without_landlock.py")
UNFENCED = "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING"


@pytest.fixture
def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "available", lambda: NONE)


@pytest.mark.usefixtures("no_fence")
def test_demo_does_without_a_fence_and_says_what_that_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = {"LUCIOLE_CELL_DEMO": "true"}
    cli._do_without_fence(environment)
    assert environment[UNFENCED] == "true"
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "upload" in said
    assert "landlock" in said


@pytest.mark.usefixtures("no_fence")
@pytest.mark.parametrize(
    "more", [{"LUCIOLE_WEB_HOST": "192.0.2.1"}, {UNFENCED: "false"}], ids=["open", "decided"]
)
def test_demo_leaves_it_where_others_reach_it_or_somebody_decided(
    more: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"LUCIOLE_CELL_DEMO": "true", **more}
    before = dict(environment)
    cli._do_without_fence(environment)
    assert environment == before
    assert capsys.readouterr().out == ""


def test_demo_with_a_fence_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "available", lambda: fence.Fence(True, True, 6, True))
    environment = {"LUCIOLE_CELL_DEMO": "true"}
    cli._do_without_fence(environment)
    assert UNFENCED not in environment


@pytest.mark.long
@pytest.mark.xdist_group("start")
@pytest.mark.skipif(sys.platform != "linux", reason="takes Landlock away by seccomp")
def test_demo_publishes_on_a_kernel_without_landlock(tmp_path: Path) -> None:
    data = tmp_path / "demo data"
    port = free_port()
    command, environment = serve(data, port)
    without = [sys.executable, str(WITHOUT_LANDLOCK), *command[:-1]]
    with started([*without, "doctor"], environment) as doctor:
        doctor.wait_for("FAIL  fence: none to be had", 30)
        assert doctor.process.wait(30) == 1
    with started([*without, "demo", "--port", str(port)], environment) as cell:
        cell.wait_for("cannot fence the decoder off", 30)
        cell.wait_for(r"^ +[1-9]\d*/\d+  ", 90)
        assert cell.stop() == 0
    assert none_left(data) == []
    assert os.listdir(data / "blobs")
