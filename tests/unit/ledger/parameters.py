"""What a parametrized test tries, for tests of the same thing in another language."""

from __future__ import annotations

from typing import Any

from _pytest.mark import ParameterSet


def parameters(test: Any) -> list[Any]:
    """The values of a test with one `parametrize`."""
    (mark,) = (mark for mark in test.pytestmark if mark.name == "parametrize")
    return [one.values[0] if isinstance(one, ParameterSet) else one for one in mark.args[1]]
