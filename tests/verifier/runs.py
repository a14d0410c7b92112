"""Runs the verifier on vectors, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.vectors import make

from verifier import luciole_verify


def arguments(folder: Path, now: str) -> list[str]:
    """What the files of a laid-out case ask for."""
    words = ["--now", now, "--json"]
    words += [str(folder)] if (folder / "ledger").is_dir() else []
    for option, name in {
        "policy": "policy",
        "remember": "remember",
        "notices": "notices.json",
        "receipt": "receipt.tlog-proof",
        "journal": "journal/proof.json",
        "label-key": "journal/label-key.txt",
    }.items():
        words += [f"--{option}", str(folder / name)] if (folder / name).exists() else []
    return words


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and report of one run."""
    status = luciole_verify.main(list(words))
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, report


def codes(report: dict[str, Any]) -> list[str]:
    return sorted({claim["code"] for claim in report["claims"]} - {"green"})


def lay(name: str, folder: Path) -> list[str]:
    """Lays a case out and gives the arguments for it."""
    make.lay(name, folder)
    return arguments(folder, make.expected(name)["now"])
