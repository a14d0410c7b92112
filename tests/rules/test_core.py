"""The trusted core stays small enough to be read whole."""

from __future__ import annotations

import pytest
from tests.rules import core
from tests.rules.core import Count
from tests.rules.source import ROOT


def test_core_can_be_read_in_a_day(record_property: pytest.RecordProperty) -> None:
    total = Count(0, 0)
    for folder in core.FOLDERS:
        here = Count(0, 0)
        for path in core.files():
            if (ROOT / folder) in path.parents:
                here += core.count(path.read_text(encoding="utf-8"))
        print(
            f"{folder}: {here.logical} logical lines, on {here.code} of the file; "
            f"{here.share_of_words:.0%} words about it"
        )
        total += here
    print(f"together: {total.logical} of {core.MOST_LINES} logical lines, on {total.code}")
    record_property("core_lines", total.logical)
    assert total.logical <= core.MOST_LINES, (
        f"The trusted core has {total.logical} logical lines. Whoever checks this house reads all "
        "of it: take out what need not be trusted, rather than raising the limit."
    )
    assert total.share_of_words >= 0.10, "Crypto and logs are the place for comments."


def test_nothing_of_the_core_is_kept_out_of_its_coverage() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in core.files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "pragma:" in line and "cover" in line
    ]
    assert not wrong, f"{wrong}: test it, or leave it out."


@pytest.mark.parametrize(
    ("text", "code", "words", "logical"),
    [
        ("", 0, 0, 0),
        ("# a\n\nx = 1  # b\n", 1, 1, 1),
        ('"""One\n\ntwo."""\n\nx = 1\n', 1, 2, 1),
        ('def f():\n    """Says."""\n    return """\n    SQL\n    """\n', 4, 1, 2),
        ("class A:\n    # why\n    x: int\n\n    'words'\n", 3, 1, 2),
        ("f(\n    1,\n    # two\n    2,\n)\n", 4, 1, 1),
        ("import os\n\nif os:\n    x = y = 1; z = 2\n", 3, 0, 3),
    ],
)
def test_lines_are_counted(text: str, code: int, words: int, logical: int) -> None:
    assert core.count(text) == Count(code, words, logical)
