"""Deliberate leaks, one for each way that has leaked somewhere. The canary has to find them all.

Each says where it has to be found, of which field, in which form; no two say the same, so that one
run with all of them shows for each that it was found. `install` plants them in a process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.leaks.tap import Tap


class Leak(NamedTuple):
    """A leak and the finding that gives it away. `where` is a part of the place's name, `form` and
    `how` the first letters of the form and of the way there."""

    name: str
    says: str
    process: str
    kind: str
    where: str
    field: str
    form: str
    how: str
    plant: Callable[[Tap], None]


LEAKS: dict[str, Leak] = {}


def leak(
    kind: str, where: str, field: str, form: str = "plain", *, how: str = "", process: str = "api"
) -> Callable[[Callable[[Tap], None]], Callable[[Tap], None]]:
    """Declares a leak; its docstring says what it is."""

    def declare(plant: Callable[[Tap], None]) -> Callable[[Tap], None]:
        says = " ".join((plant.__doc__ or "").split())
        name = plant.__name__
        assert name not in LEAKS
        LEAKS[name] = Leak(name, says, process, kind, where, field, form, how, plant)
        return plant

    return declare


def install(names: Sequence[str], word: str) -> None:
    """Plants the leaks that belong to the process that `luciole WORD` starts."""
    _load()
    from tests.leaks import into_tables

    process = {"serve": "supervisor"}.get(word, word.removesuffix("-process"))
    chosen = [LEAKS[name] for name in names if LEAKS[name].process == process]
    if process == "supervisor":
        into_tables.migrate_carelessly()
    if chosen:
        tap = Tap()
        for one in chosen:
            one.plant(tap)
        tap.open()


def _load() -> None:
    from tests.leaks import (  # noqa: F401 - they declare
        below,
        into_answers,
        into_logs,
        into_tables,
    )


def all_leaks() -> dict[str, Leak]:
    """Every leak by its name."""
    _load()
    return LEAKS
