"""Tests that share something heavy stay in one process, and the order of tests can be had again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests import long, order

GROUPED = """
import os
import pytest

@pytest.mark.xdist_group("heavy")
@pytest.mark.parametrize("number", range(6))
def test_of_a_group(number):
    with open("processes", "a") as told:
        told.write(f"{os.getpid()}\\n")
"""


def test_grouped_tests_share_a_process(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    words = ["-n", "2", "--dist", "loadgroup", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 6
    assert len(set(processes)) == 1, (
        "pytest-xdist does not keep groups together with this pytest: drills would run beside each "
        "other, each with a cell of its own. Pin versions that do (requirements/test.in)."
    )


@pytest.mark.long
def test_tests_have_the_same_names_in_each_process() -> None:
    words = [sys.executable, "-m", "pytest", "tests", "--collect-only", "-q", "-p", "no:randomly"]
    both = [
        subprocess.Popen([*words, "-p", "no:cacheprovider"], cwd=order.ROOT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [each.communicate(timeout=240)[0].decode() for each in both]
    first, second = ({line for line in text.splitlines() if "::" in line} for text in said)
    assert len(first) > 1000
    assert first == second, (
        "Two processes see different tests, and then neither runs any: a parameter is made by "
        "chance or in a set's order. Give it a name, `pytest.param(…, id=…)`: "
        f"{sorted(first ^ second)[:3]}"
    )
    here = {line.partition("[")[0] for line in first}
    listed = {*long.FILE.read_text(encoding="utf-8").split(), *long.JOURNEYS}
    assert listed <= here, (
        f"tests/long.txt and tests/long.py name tests that are gone: {sorted(listed - here)}"
    )


def test_order_is_of_the_code_or_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUCIOLE_TEST_SEED", "7")
    assert order.options() == ["--randomly-seed=7"]
    monkeypatch.delenv("LUCIOLE_TEST_SEED")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    monkeypatch.setattr(order, "ROOT", tmp_path)
    # Where git knows nothing, pytest takes an order of its own.
    assert order.options() == []
    seeds = []
    subprocess.run([*git, "init", "-q"], check=True)
    for text in ("one", "two", "one"):
        (tmp_path / "code.py").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", text], check=True)
        seeds += order.options()
    assert len(seeds) == 3
    assert seeds[0] == seeds[2] != seeds[1]
