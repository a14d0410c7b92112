"""What a parametrized test tries, for tests of the same thing in another language."""

from __future__ import annotations

from typing import Any


def parameters(test: Any) -> list[Any]:
    """The values of a test with one `parametrize`."""
    (mark,) = (mark for mark in test.pytestmark if mark.name == "parametrize")
    return list(mark.args[1])
