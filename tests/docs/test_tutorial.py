"""The tutorial does what it says: every command is run against a real cell, and what it prints is
compared with the page."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.docs.page import blocks_of, follow, is_as_expected
from tests.drills.cell_process import ROOT, free_port, none_left

TUTORIALS = ROOT / "docs" / "tutorial"
PAGE = TUTORIALS / "first-clip.md"
BORDER = TUTORIALS / "publish-cross-block-sell.md"


@pytest.mark.xdist_group("start")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands need curl")
@pytest.mark.long
def test_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    data = tmp_path / "tutorial"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_URL")}
    replaced = {"8080": str(free_port()), "var/tutorial": str(data)}
    assert follow(PAGE, replaced, environment) >= 10
    assert not data.exists()
    assert none_left(data) == []


@pytest.mark.xdist_group("start")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands need curl")
@pytest.mark.long
@pytest.mark.timeout(600)
def test_tutorial_of_two_cells_prints_what_it_says(tmp_path: Path) -> None:
    data = tmp_path / "tutorial"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_URL")}
    environment |= {
        "LUCIOLE_WEB_PORT": str(free_port()),
        "LUCIOLE_MEDIA_ALLOW_UNFENCED_DECODING": "true",
    }
    assert follow(BORDER, {"var/tutorial": str(data)}, environment) >= 20
    assert not data.exists()
    assert none_left(data) == []


def test_page_has_both_windows_and_an_end() -> None:
    blocks = blocks_of(PAGE, {})
    assert [block.kind for block in blocks if block.is_cell] == ["sh", "text", "text"]
    assert all(block.text.strip() for block in blocks)


@pytest.mark.parametrize(
    ("printed", "is_right"),
    [
        ("published\n", True),
        ("refused\n", False),
        ("published\nand more\n", False),
        ("", False),
    ],
)
def test_comparison_can_fail(printed: str, is_right: bool) -> None:
    assert is_as_expected(printed, "publ…\n") is is_right
