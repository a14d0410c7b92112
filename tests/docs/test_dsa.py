"""What the operator's legal guide names is there, and its numbers are those of the code."""

from __future__ import annotations

import json
import re

from tests.drills.cell_process import ROOT

from luciole.cell.safety import model

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
