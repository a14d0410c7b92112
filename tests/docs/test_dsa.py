"""What the operator's legal guide names is there, and its numbers are those of the code."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.drills.cell_process import ROOT

from luciole.cell.people.family.model import FamilyLimits
from luciole.cell.people.joining import ages
from luciole.cell.safety import model, statement, transparency
from luciole.cell.safety.model import instant

GUIDE = (ROOT / "docs/howto/obey-the-dsa.md").read_text(encoding="utf-8")
ROUTE = re.compile(r"`(GET|POST|PUT) (/api/[^`?]+)`")
PAGE = re.compile(r"`/([a-z]+)`")


def test_each_route_of_the_guide_is_one_of_the_cell() -> None:
    paths = json.loads((ROOT / "docs/reference/openapi.json").read_text())["paths"]
    named = ROUTE.findall(GUIDE)
    assert len(named) >= 8
    for method, path in named:
        assert method.lower() in paths.get(path, {}), (method, path)


def test_each_page_of_the_guide_is_one_of_the_client() -> None:
    routes = (ROOT / "web/src/app/routes.ts").read_text(encoding="utf-8")
    named = set(PAGE.findall(GUIDE))
    assert {"report", "reports", "statements", "transparency", "terms", "imprint"} <= named
    for page in named:
        assert f"'{page}'" in routes, page


def test_each_duty_that_was_asked_for_has_a_row() -> None:
    rows = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| ")]
    named = {int(number) for row in rows for number in re.findall(r"\d+", row)}
    assert {14, 16, 17, 20, 24, 27, 28, 38} <= named


def test_the_guides_days_are_the_codes() -> None:
    assert f"for {model.APPEAL_DAYS} days" in GUIDE
    assert f"({model.APPEAL_ANSWERED_DAYS} days)" in GUIDE


def rows(section: str) -> dict[str, list[str]]:
    """The rows of the first table of a part of the guide, by their first cell."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {one[0]: one[1:] for one in cells}


CLAIMS, HELD = (rows(part) for part in GUIDE.split("## What holds it"))
NAMED = sorted({name for (tests,) in HELD.values() for name in re.findall(r"`([^`]+)`", tests)})


def test_each_row_with_a_claim_names_what_holds_it() -> None:
    """Rows in which the software does nothing, or shows the operator's words, claim nothing."""
    claiming = {
        article
        for article, (_, does, _) in CLAIMS.items()
        if not does.startswith(("nothing", "the statement names where to turn"))
    }
    assert claiming == set(HELD)
    assert len(claiming) >= 9
    for article, (tests,) in HELD.items():
        assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", tests), article


@pytest.mark.parametrize("name", NAMED)
def test_what_holds_a_row_is_a_test_that_runs(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
    ]
    assert len(found) == 1, name
    marks = {ast.unparse(one) for one in found[0].decorator_list}
    assert not {one for one in marks if "skip" in one or "xfail" in one}, name
    # It says something, more than once.
    checks = [
        node
        for node in ast.walk(found[0])
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("refused", "blocked"))
        or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("expect"))
    ]
    assert checks, name


@pytest.mark.parametrize("pointed", [0, 1, 2])
def test_the_automated_share_is_counted_and_no_machine_decides(pointed: int) -> None:
    """As rows 15 and 17 say: what a machine had pointed at is told; a person decided."""
    wish = model.Wish("remove", "violence", False, "Terms, 4", "It threatens.", "At second 3.")
    now = datetime(2026, 11, 27, tzinfo=UTC)
    entries: list[dict[str, Any]] = []
    for number in range(2):
        made = statement.made(
            UUID(int=number),
            wish,
            "clip",
            content_on=now.date(),
            now=now,
            until=None,
            source="SOURCE_VOLUNTARY",
            is_suggested=number < pointed,
        )
        fields = msgspec.to_builtins(made)
        assert fields["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
        said = {name: fields[name] for name in statement.LOGGED if name in fields}
        entries.append({"kind": "decision", "act": "remove", "at": instant(now), "statement": said})
    told = transparency.counted(entries, len(entries), None)
    assert told.automated_share == 50.0 * pointed
    assert told.automated == {"detection": pointed, "decision": 0}
    assert "the automated share (in percent" in CLAIMS["15, 24"][1]
    assert "decided by a machine: 0" in CLAIMS["15, 24"][1]
    assert "whether a machine had pointed at it (`automated_detection`)" in CLAIMS["17"][1]


def test_what_the_row_of_minors_claims_is_what_the_code_has() -> None:
    does = CLAIMS["28"][1]
    # Whatever a family may set is named, and nothing that it may not.
    limits = {
        "daily_min": "minutes a day",
        "sleep_from": "hours of sleep",
        "sleep_to": "hours of sleep",
        "keeps_private": "a private account",
        "for_you_off": "For You off",
    }
    assert set(limits) == set(FamilyLimits.__struct_fields__)
    for words in limits.values():
        assert words in does
    # Least ages come in a table, each with its source, that the log names by version and digest.
    assert "named by version and digest" in does
    assert "least age of your country" in does
    assert ages.table()["FR"] >= 13
    for words in ("messages from friends and to friends only", "no duet", "no learning", "quiet"):
        assert words in does


def test_terms_that_minors_understand_are_said_to_be_the_operators() -> None:
    assert "14 (3)" in CLAIMS["14"][2]
    assert "nothing in the software writes or checks that" in CLAIMS["14"][2]


def test_the_moderators_guide_has_the_codes_numbers() -> None:
    guide = " ".join((ROOT / "docs/howto/moderate.md").read_text(encoding="utf-8").split())
    assert {1: "one", 2: "two", 3: "three"}[model.SHIFT_HOURS] + " hours" in guide
    assert f"a break of {model.BREAK_MINUTES} minutes" in guide
    assert f"at most {model.CASES_A_DAY} cases" in guide
    # Neither unit nor proxy that the software writes tells where people are, and the guide says so.
    assert "What `luciole install` writes names none." in guide
    written = (ROOT / "src/luciole/installing.py").read_text(encoding="utf-8")
    proxy = (ROOT / "deploy/Caddyfile").read_text(encoding="utf-8")
    assert "COUNTRY_HEADER" not in written + proxy
