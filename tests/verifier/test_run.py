"""What a run says, keeps and returns, and that nothing ends in a traceback."""

from __future__ import annotations

import builtins
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_acts, luciole_ages, luciole_between, luciole_mirror
from tests.rules import core
from tests.rules.source import ROOT
from tests.vectors import make
from tests.vectors.world import DAY, NOW
from tests.verifier import runs
from tests.verifier.test_ages import CODES as AGES
from tests.verifier.test_between import FORGED
from tests.verifier.test_mirror import TOLD

from verifier import luciole_crossings, luciole_verify

CROSSINGS = json.loads((ROOT / "tests/vectors/crossings.json").read_text(encoding="utf-8"))
ACTS = json.loads((ROOT / "tests/vectors/acts.json").read_text(encoding="utf-8"))
FILE = ROOT / "verifier" / "luciole_verify.py"
# Without what is withheld and by whose order, and who may sign a log that was handed over, it was
# 632.
MOST_LINES = 780


def test_verifier_can_be_read_in_one_sitting() -> None:
    counted = core.count(FILE.read_text(encoding="utf-8"))
    assert counted.code <= MOST_LINES, "Take something out that need not be checked here."


def test_verifier_imports_the_standard_library_and_cryptography_only() -> None:
    named = re.findall(r"^ *(?:from|import) ([\w]+)", FILE.read_text(encoding="utf-8"), re.M)
    assert set(named) - sys.stdlib_module_names == {"cryptography"}


def test_verifier_runs_alone(tmp_path: Path) -> None:
    words = runs.lay("good", tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-OO", str(FILE), *words[:2], *words[3:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "GREEN        access: seals: " in done.stdout
    assert done.stdout.isascii()


def test_text_names_verdict_next_step_and_what_is_not_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = runs.lay("seal-never", tmp_path)
    words.remove("--json")
    assert luciole_verify.main(words) == 1
    shown = capsys.readouterr().out
    assert "RED          access: seals: The entries since 2026-11-23 08:00 UTC are not" in shown
    assert "             What to do: Keep this copy: it is evidence." in shown
    assert "[seal.missing]" in shown
    assert "\nRED\n\nTaken for granted:\n- The policy's keys" in shown
    assert "Not proved:\n- That nobody with power over the home machine" in shown


def test_every_verdict_has_a_sentence_and_a_vector_or_a_test() -> None:
    codes = {code for name in make.names() for code in make.expected(name)["codes"]}
    for cases in (CROSSINGS, ACTS):
        codes |= {code for case in cases.values() for code in case["codes"]}
    codes |= TOLD | set(FORGED) | AGES
    assert luciole_crossings.FINDINGS
    assert luciole_acts.FINDINGS
    assert luciole_ages.FINDINGS
    assert luciole_between.FINDINGS
    assert luciole_mirror.FINDINGS
    tested = {"tools.missing", "verifier.fault", "source.unreadable", "tree.withheld", "tree.limit"}
    assert luciole_verify.TABLE.keys() - codes - tested == {"green"}


def test_without_arguments_it_cannot_tell(capsys: pytest.CaptureFixture[str]) -> None:
    status, report = runs.run(capsys, "--json")
    assert (status, runs.codes(report)) == (2, ["policy.format"])


def test_odd_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        luciole_verify.main(["--now", "yesterday"])
    assert stopped.value.code == 2
    assert "--now" in capsys.readouterr().err


def test_time_is_now_by_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = runs.lay("good", tmp_path)[2:]
    for now, code in ((NOW + 9 * DAY, "witness.stale"), (NOW - 9 * DAY, "witness.future")):
        monkeypatch.setattr("time.time", lambda now=now: now + 0.5)
        assert code in runs.codes(runs.run(capsys, *words)[1])


# Without cryptography


def lacking(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def find(wanted: str, *rest: Any) -> Any:
        if wanted.startswith("cryptography"):
            raise ModuleNotFoundError(name)
        return real(wanted, *rest)

    monkeypatch.setattr(builtins, "__import__", find)


def test_without_cryptography_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = runs.lay("journal-good-with-ledger", tmp_path)
    lacking("cryptography", monkeypatch)
    status, report = runs.run(capsys, *words)
    assert (status, runs.codes(report)) == (2, ["tools.missing"])
    asked = {claim["next"] for claim in report["claims"] if claim["code"] == "tools.missing"}
    assert asked == {"python -m pip install --upgrade cryptography"}


@pytest.mark.parametrize("kind", ["UnsupportedAlgorithm", "KeyError"])
def test_old_cryptography_and_own_faults_are_told_apart(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = runs.lay("good", tmp_path)

    def fail(*_: object) -> bool:
        raise type(kind, (Exception,), {})

    monkeypatch.setattr(luciole_verify, "is_signed", fail)
    status, report = runs.run(capsys, *words)
    expected = "tools.missing" if kind == "UnsupportedAlgorithm" else "verifier.fault"
    assert (status, runs.codes(report)) == (2, [expected])


# Memory


def test_run_remembers_what_it_saw_and_finds_a_fork_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, memory = tmp_path / "cell", tmp_path / "memory"
    words = [*runs.lay("good", folder), "--remember", str(memory)]
    assert runs.run(capsys, *words)[0] == 0
    kept = memory.read_bytes()
    assert kept.count(b"\nluciole/") == 2, "three checkpoints, one behind the other"
    assert runs.run(capsys, *words)[0] == 0
    assert memory.read_bytes() == kept
    again = [*runs.lay("seal-again", folder), "--remember", str(memory)]
    assert runs.run(capsys, *again)[0] == 0
    grown = memory.read_bytes()
    assert grown != kept
    status, report = runs.run(capsys, *[*runs.lay("good", folder), "--remember", str(memory)])
    assert (status, runs.codes(report)) == (1, ["history.truncated"])
    assert memory.read_bytes() == grown, "what is RED is not remembered"


def test_memory_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*runs.lay("good", tmp_path / "cell"), "--remember", str(tmp_path / "no" / "memory")]
    status, report = runs.run(capsys, *words)
    assert (status, runs.codes(report)) == (2, ["source.unreadable"])


# Limits


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("MOST_ENTRIES", 17, "tree.limit"),
        ("MOST_LOG_BYTES", 0, "tree.limit"),
        ("MOST_SEALED_LABELS", 25, "tree.limit"),
        ("MOST_BUNDLE_BYTES", 0, "source.unreadable"),
        ("MOST_TEXT_BYTES", 651, "source.unreadable"),
    ],
)
def test_limit_is_held(
    name: str,
    value: int,
    code: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = runs.lay("good", tmp_path)
    bundles = [path for path in tmp_path.glob("ledger/*/tile/entries/**/*") if path.is_file()]
    value = value or max(path.stat().st_size for path in bundles) - 1
    monkeypatch.setattr(luciole_verify, name, value + 1)
    assert runs.codes(runs.run(capsys, *words)[1]) == []
    monkeypatch.setattr(luciole_verify, name, value)
    assert code in runs.codes(runs.run(capsys, *words)[1])


def test_long_checkpoint_in_a_journal_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = runs.lay("journal-good", tmp_path)
    monkeypatch.setattr(luciole_verify, "read_file", lambda path, most: path.read_bytes())
    monkeypatch.setattr(luciole_verify, "MOST_TEXT_BYTES", 400)
    status, report = runs.run(capsys, *words)
    assert (status, runs.codes(report)) == (1, ["checkpoint.format"])


def test_tiles_of_large_logs_have_the_paths_of_the_specification() -> None:
    asked = []

    class Source(luciole_verify.Folder):
        def read(self, name: str, most: int) -> bytes:
            asked.append(name)
            return b"x"

    luciole_verify.tile(Source(""), "access", 0, 1_234_067, 256)
    luciole_verify.tile(Source(""), "access", "entries", 1000, 7)
    assert asked == ["access/tile/0/x001/x234/067", "access/tile/entries/x001/000.p/7"]
