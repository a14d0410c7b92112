"""The canary finds every leak that was planted, and nothing in a cell without them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from tests.leaks.known import Leak, all_leaks
from tests.rules.source import ROOT

from luciole.audit.canary import run
from luciole.audit.canary.report import Report
from luciole.audit.canary.scan import Finding
from luciole.kit import processes

LEAKS = all_leaks()
# A whole cell with films and exports, on a machine that others use too.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900), pytest.mark.xdist_group("canary")]


def environment(*planted: str) -> dict[str, str]:
    places = [str(ROOT / "src")]
    if planted:
        places = [str(ROOT / "tests" / "leaks" / "planted"), *places, str(ROOT)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(places),
        "CANARY_PLANTED": ",".join(planted),
    }


@pytest.fixture(scope="module")
def leaky() -> Report:
    """One run of a cell with all leaks at once."""
    return asyncio.run(run.run(environment(*LEAKS)))


def gives_away(leak: Leak, finding: Finding) -> bool:
    return (
        finding.place.kind == leak.kind
        and leak.where in finding.place.name
        and finding.field == leak.field
        and finding.form.startswith(leak.form)
        and finding.how.startswith(leak.how)
    )


@pytest.mark.parametrize("name", LEAKS)
def test_planted_leak_is_found(leaky: Report, name: str) -> None:
    if name == "call_to_another_machine" and os.geteuid() and processes.can_lose_route():
        pytest.skip("Nobody but root gets back into a network that a process has lost.")
    leak = LEAKS[name]
    found = [one for one in leaky.leaks if gives_away(leak, one)]
    near = [one for one in leaky.leaks if one.place.kind == leak.kind and one.field == leak.field]
    assert found, f"{leak.says} Not found; near it: {near[:5]}"


def test_cell_without_leaks_is_clean(tmp_path: Path) -> None:
    report = asyncio.run(run.run(environment(), keep=tmp_path / "cell"))
    assert report.not_covered == []
    assert report.not_planted == []
    assert report.not_run == []
    assert report.leaks == []
    for kind in ("answer", "column", "database files", "logs", "metrics", "objects", "keys"):
        assert report.scanned[kind].size_bytes > 1000, kind


def test_no_two_leaks_are_told_by_the_same_finding() -> None:
    told = [(one.kind, one.where, one.field, one.form, one.how) for one in LEAKS.values()]
    assert len(set(told)) == len(told) >= 40
