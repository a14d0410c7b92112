"""An address that the client draws is no 404 of the server's."""

from __future__ import annotations

import re
from pathlib import Path

from luciole import pages

ROUTES = Path(__file__).resolve().parents[2] / "web" / "src" / "app" / "routes.ts"
FIRST = re.compile(r"(?:\bfirst === |\bcase )'([a-z-]+)'")


def test_server_knows_the_pages_of_the_client() -> None:
    drawn = set(FIRST.findall(ROUTES.read_text()))
    assert {"c", "settings", "sign-up"} <= drawn
    assert drawn == pages.PAGES
