"""What the staff did, matched with the log: named cases in `tests/vectors/acts.json`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_acts
from tests.rules.source import ROOT
from tests.vectors.log_writer import canonical, iso
from tests.vectors.world import NOW, good, time_of

CASES = json.loads((ROOT / "tests" / "vectors" / "acts.json").read_text(encoding="utf-8"))
STATUS = {"GREEN": 0, "RED": 1, "CANNOT TELL": 2}


def lay(folder: Path, case: dict[str, Any]) -> list[str]:
    """The list, and a good cell whose log has these decisions too; the arguments for them."""
    world = good()
    added = [(seconds_of(one), canonical(one)) for one in case["decisions"]]
    before = [(time_of(entry), entry) for entry in world.log("decisions")]
    world.entries["decisions"] = [entry for _, entry in sorted(before + added, key=itemgetter(0))]
    world.ledger()
    world.files["list"] = b"".join(canonical(line) + b"\n" for line in case["list"])
    for path, data in world.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    words = [str(folder), str(folder / "list"), "--now", iso(NOW)]
    return [*words, "--policy", str(folder / "policy")]


def seconds_of(one: dict[str, Any]) -> int:
    return time_of(canonical(one))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = luciole_acts.main([*words, "--json"])
    return status, json.loads(capsys.readouterr().out)


def codes(report: dict[str, Any]) -> list[str]:
    return sorted({claim["code"] for claim in report["claims"]} - {"green"})


@pytest.mark.parametrize("name", CASES)
def test_case_is_judged_rightly(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    status, report = run(capsys, *lay(tmp_path, case))
    assert (report["verdict"], codes(report)) == (case["verdict"], case["codes"]), report["claims"]
    assert status == STATUS[case["verdict"]]


def test_digest_is_what_sha256sum_says_of_the_lines_of_a_day() -> None:
    _, *lines = CASES["matched"]["list"]
    days = [one for one in CASES["matched"]["decisions"] if one["kind"] == "console-day"]
    assert len(days) == 2
    for one in days:
        text = b"".join(canonical(line) + b"\n" for line in lines if one["day"] in line["at"])
        assert hashlib.sha256(text).hexdigest() == one["sha256"]


def test_without_a_policy_nothing_is_sure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, CASES["matched"])
    (tmp_path / "policy").rename(tmp_path / "ledger" / "policy")
    status, report = run(capsys, *words[:-2])
    assert (status, codes(report)) == (2, ["policy.from-cell"])


@pytest.mark.parametrize("missing", ["policy", "list", "ledger/decisions/checkpoint"])
def test_what_is_missing_is_said(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, CASES["matched"])
    (tmp_path / missing).unlink()
    status, report = run(capsys, *words)
    assert status == 2
    assert "acts" not in {one["claim"] for one in report["claims"] if one["verdict"] == "GREEN"}


@pytest.mark.parametrize("text", [b"", b"\n", b"{", b"[]\n", b"\xff\n", b'{"v":1}\n', b"null\n1\n"])
def test_hostile_lists_end_in_a_verdict(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, CASES["matched"])
    (tmp_path / "list").write_bytes(text)
    status, report = run(capsys, *words)
    assert (status, codes(report)) == (2, ["acts.format"])


def test_it_runs_as_a_file(tmp_path: Path) -> None:
    words = lay(tmp_path, CASES["matched"])
    command = [sys.executable, str(ROOT / "comparer" / "luciole_acts.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acts: 2 days have the acts over which the log has digests" in done.stdout
