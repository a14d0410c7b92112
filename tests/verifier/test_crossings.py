"""Logs of crossings of two cells, matched: named cases in `tests/vectors/crossings.json`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.rules.source import ROOT
from tests.vectors.log_writer import Signer, b64, canonical, mth, tile_files
from tests.vectors.world import CELL, NOW, OAK, OTHER_CELL, SEEN, iso

from verifier import luciole_crossings, luciole_verify

CASES = json.loads((ROOT / "tests" / "vectors" / "crossings.json").read_text(encoding="utf-8"))
CELLS = {"us": CELL, "sg": OTHER_CELL}
STATUS = {"GREEN": 0, "RED": 1, "CANNOT TELL": 2}


def lay(folder: Path, entries: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Two ledgers with these logs of crossings and their policies; the arguments for them."""
    words = []
    for name, said in entries.items():
        origin = f"luciole/{CELLS[name]}/border"
        signer, raw = Signer.named(origin, 1), [canonical(one) for one in said]
        body = f"{origin}\n{len(raw)}\n{b64(mth(raw))}\n"
        note = f"{body}\n{signer.line(signer.sign(body.encode()))}{OAK.cosigned(body, SEEN)}"
        files = {
            f"tile/{path}".replace("tile/tile/", "tile/"): data
            for path, data in tile_files(raw).items()
        }
        files["checkpoint"] = note.encode()
        for path, data in files.items():
            place = folder / name / "ledger" / "border" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        policy = f"log {signer.vkey()}\nwitness oak {OAK.vkey()}\nquorum oak\n"
        (folder / name / "policy").write_text(policy)
        words.append(f"{name}={folder / name}")
    policies = [word for name in entries for word in ("--policy", str(folder / name / "policy"))]
    return ["crossings", *words, *policies, "--now", iso(NOW)]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = luciole_verify.main([*words, "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", CASES)
def test_case_is_judged_rightly(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    words = lay(tmp_path, {cell: case[cell] for cell in ("us", "sg")})
    status, report = run(capsys, *words)
    codes = sorted({claim["code"] for claim in report["claims"]} - {"green"})
    assert (report["verdict"], codes) == (case["verdict"], case["codes"]), report["claims"]
    assert status == STATUS[case["verdict"]]


def test_one_policy_may_name_both_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES["matched"]
    words = lay(tmp_path, {cell: case[cell] for cell in ("us", "sg")})[:3]
    lines = [(tmp_path / cell / "policy").read_text().split("\n") for cell in ("us", "sg")]
    both = tmp_path / "both"
    both.write_text("\n".join([lines[0][0], *lines[1]]))
    status, report = run(capsys, *words, "--policy", str(both), "--now", iso(NOW))
    assert status == 0, report["claims"]


def test_without_a_policy_nothing_is_sure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, {cell: CASES["matched"][cell] for cell in ("us", "sg")})[:3]
    for cell in ("us", "sg"):
        (tmp_path / cell / "policy").rename(tmp_path / cell / "ledger" / "policy")
    _, report = run(capsys, *words, "--now", iso(NOW))
    assert report["verdict"] == "CANNOT TELL"
    assert {one["code"] for one in report["claims"]} == {"green", "policy.from-cell"}


@pytest.mark.parametrize("missing", ["policy", "ledger/border/checkpoint", "ledger/border/tile"])
def test_what_is_missing_is_said(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = lay(tmp_path, {cell: CASES["matched"][cell] for cell in ("us", "sg")})
    gone = tmp_path / "sg" / missing
    gone.rename(tmp_path / "elsewhere")
    status, report = run(capsys, *words)
    assert status == 2
    assert "us to sg" not in {one["claim"] for one in report["claims"]}


def test_entry_that_is_none_is_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = lay(tmp_path, {"us": [{"v": 2}], "sg": CASES["matched"]["sg"]})
    assert run(capsys, *words)[0] == 1


def test_it_runs_as_a_file(tmp_path: Path) -> None:
    words = lay(tmp_path, {cell: CASES["matched"][cell] for cell in ("us", "sg")})
    command = [sys.executable, str(ROOT / "verifier" / "luciole_verify.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 crossings from us to sg are in both logs, 1 of them refused" in done.stdout


@pytest.mark.parametrize("word", ["us", "=x", "us="])
def test_cell_without_a_name_is_refused(word: str) -> None:
    with pytest.raises(SystemExit):
        luciole_crossings.main([word, "sg=x"])
