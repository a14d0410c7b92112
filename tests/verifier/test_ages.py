"""A table of least ages, matched with the log that names it."""

from __future__ import annotations

import json
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from comparer import luciole_ages
from tests.rules.source import ROOT
from tests.vectors.log_writer import canonical, iso
from tests.vectors.world import NOW, good, time_of

from verifier import luciole_verify as v

STATUS = {"GREEN": 0, "RED": 1, "CANNOT TELL": 2}
OLD = "# Version 1. Of a test.\nFR 15 Loi n° 78-17, art. 45\n"
NEW = "# Version 2. Of a test.\nFR 16 Another law\n"
ALTERED = NEW.replace("FR 16", "FR 13")


def digest(text: str) -> str:
    return v.sha256(text.encode()).hex()


def entry(text: str, version: int | str, day: int = 24, **fields: Any) -> dict[str, Any]:
    said = {"v": 1, "kind": "ages", "at": f"2026-11-{day}T09:00:00Z"}
    return {**said, "version": version, "sha256": digest(text), **fields}


TWO = [entry(OLD, 1), entry(NEW, 2, day=25)]
# What the cell answers; the place is filled in from the log. `None`: the file itself.
HERE: dict[str, Any] = {}
CASES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any] | None, str, list[str]]] = {
    "file": (NEW, TWO, None, "GREEN", []),
    "answer": (NEW, TWO, HERE, "GREEN", []),
    "back-to-the-first": (OLD, [*TWO, entry(OLD, 1, day=26)], HERE, "GREEN", []),
    "altered": (ALTERED, TWO, None, "RED", ["ages.changed"]),
    "altered-answer": (ALTERED, TWO, HERE, "RED", ["ages.changed"]),
    "altered-text-only": (ALTERED, TWO, {"sha256": digest(NEW)}, "RED", ["ages.told"]),
    "other-number": (NEW, TWO, {"version": 3}, "RED", ["ages.told"]),
    "two-for-one": (NEW, [*TWO, entry(ALTERED, 2, day=26)], None, "RED", ["ages.twice"]),
    "entry-of-garbage": (NEW, [entry(NEW, 2, sha256="none")], None, "RED", ["ages.entry"]),
    "entry-without-number": (NEW, [entry(NEW, "2")], None, "RED", ["ages.entry"]),
    "elsewhere": (NEW, TWO, {"entry": {"log": "decisions", "index": 0}}, "RED", ["ages.place"]),
    "older": (OLD, TWO, None, "CANNOT TELL", ["ages.older"]),
    "never-named": (NEW, TWO[:1], None, "CANNOT TELL", ["ages.unknown"]),
    "no-entry": (NEW, [], None, "CANNOT TELL", ["ages.none"]),
    "no-place": (NEW, TWO, {"entry": None}, "CANNOT TELL", ["ages.unplaced"]),
    "log-ends": (
        *(NEW, TWO, {"entry": {"log": "decisions", "index": 99}}),
        *("CANNOT TELL", ["ages.beyond"]),
    ),
    "other-log": (
        *(NEW, TWO, {"entry": {"log": "border", "index": 0}}),
        *("CANNOT TELL", ["ages.format"]),
    ),
    "no-number": ("FR 15 law\n", TWO, None, "CANNOT TELL", ["ages.format"]),
}
CODES = {code for *_, codes in CASES.values() for code in codes}


def lay(
    folder: Path, text: str, named: list[dict[str, Any]], answer: dict[str, Any] | None
) -> list[str]:
    """A table, and a good cell whose log has these entries too; the arguments for them."""
    world = good()
    added = [(time_of(canonical(one)), canonical(one)) for one in named]
    before = [(time_of(one), one) for one in world.log("decisions")]
    entries = [one for _, one in sorted(before + added, key=itemgetter(0))]
    world.entries["decisions"] = entries
    world.ledger()
    world.files["table"] = text.encode()
    if answer is not None:
        version = luciole_ages.VERSION.findall(text)
        place = entries.index(added[-1][1])
        told = {
            "version": int(version[0]),
            "sha256": digest(text),
            "text": text,
            "country": "FR",
            "age": 16,
            "entry": {"log": "decisions", "index": place, "at": named[-1]["at"]},
        }
        world.files["table"] = json.dumps(told | answer).encode()
    for path, data in world.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    words = [str(folder), str(folder / "table"), "--now", iso(NOW)]
    return [*words, "--policy", str(folder / "policy")]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, list[str]]:
    status = luciole_ages.main([*words, "--json"])
    report = json.loads(capsys.readouterr().out)
    codes = sorted({claim["code"] for claim in report["claims"]} - {"green"})
    return status, report["verdict"], codes


@pytest.mark.parametrize("name", CASES)
def test_table_and_log_are_judged_rightly(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, named, answer, verdict, codes = CASES[name]
    status, found, said = run(capsys, *lay(tmp_path, text, named, answer))
    assert (found, said) == (verdict, codes)
    assert status == STATUS[verdict]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"{}", b"\xff", b'{"text":1}', b'{"text":"\\ud800# Version 1."}']
)
def test_hostile_tables_end_in_a_verdict(
    raw: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, NEW, TWO, None)
    (tmp_path / "table").write_bytes(raw)
    assert run(capsys, *words) == (2, "CANNOT TELL", ["ages.format"])


@pytest.mark.parametrize("missing", ["policy", "ledger/decisions/checkpoint"])
def test_what_is_missing_is_said(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, NEW, TWO, None)
    (tmp_path / missing).unlink()
    status, _, codes = run(capsys, *words)
    assert status == 2
    assert codes


def test_without_a_policy_nothing_is_sure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, NEW, TWO, None)
    (tmp_path / "policy").rename(tmp_path / "ledger" / "policy")
    assert run(capsys, *words[:-2]) == (2, "CANNOT TELL", ["policy.from-cell"])


def test_it_runs_as_a_file(tmp_path: Path) -> None:
    words = lay(tmp_path, NEW, TWO, HERE)
    command = [sys.executable, str(ROOT / "comparer" / "luciole_ages.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "least ages: The cell goes by this table: version 2, since entry" in done.stdout
