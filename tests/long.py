"""Which tests only `./luciole test all` runs, so that `./luciole test` ends within minutes.

`long.txt` names them. It is written from the times of a run of all:
    python -m pytest -n 2 --dist loadgroup --junitxml=times.xml tests
    python -m tests.long times.xml
Tests that are marked `long` by hand (drills of minutes) stay so, whatever they took.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE = Path(__file__).with_suffix(".txt")
# What takes longer than this; of variants, the slowest counts.
LONG_S = 0.2
# A browser and a cell take seconds to start: of journeys, the short run has these.
JOURNEYS = {
    "tests/e2e/test_accessibility.py::test_keyboard_alone_gets_from_the_feed_to_a_like_and_a_profile",
    "tests/e2e/test_accounts.py::test_passkey_signs_up_and_in_and_a_second_one_is_added_and_removed",
    "tests/e2e/test_data.py::test_honest_cell_is_green_and_what_was_seen_is_kept",
    "tests/e2e/test_feed.py::test_finger_swipes_forth_and_back",
    "tests/e2e/test_feed.py::test_keys_move_pause_seek_and_switch_sound_and_captions",
    "tests/e2e/test_messages.py::test_report_discloses_what_was_chosen",
    "tests/e2e/test_privacy.py::"
    "test_visitor_sees_public_clip_and_profile_and_is_asked_to_sign_in_to_like",
    "tests/e2e/test_publish.py::test_recorded_clip_is_published_and_plays",
    "tests/e2e/test_search.py::test_search_by_keyboard",
    "tests/e2e/test_shell.py::test_nothing_is_asked_of_another_host",
}


def name_of(item: pytest.Item) -> str:
    """A test without its variant: `tests/unit/test_x.py::test_y`."""
    function = getattr(item, "originalname", item.name)
    return f"{item.path.relative_to(ROOT).as_posix()}::{function}"


def mark(items: Iterable[pytest.Item]) -> None:
    """Marks those of the file."""
    named = set(FILE.read_text(encoding="utf-8").split())
    for item in items:
        if item.path.is_relative_to(ROOT) and name_of(item) in named:
            item.add_marker(pytest.mark.long)


def chosen(times: Path) -> list[str]:
    """The names of tests that took long in a run whose JUnit file is `times`."""
    took: Counter[str] = Counter()
    for case in ElementTree.parse(times).iter("testcase"):  # noqa: S314 (our own run wrote it)
        *folders, file = case.attrib["classname"].split(".")
        function = case.attrib["name"].partition("[")[0].partition("@")[0]
        name = f"{'/'.join([*folders, file])}.py::{function}"
        took[name] = max(took[name], round(float(case.attrib["time"]) * 1000))
    journeys = {name for name in took if name.startswith("tests/e2e/")}
    slow = {name for name, ms in took.items() if ms > LONG_S * 1000}
    return sorted((journeys | slow) - JOURNEYS)


if __name__ == "__main__":
    FILE.write_text("".join(f"{name}\n" for name in chosen(Path(sys.argv[1]))), encoding="utf-8")
