"""Ids lie in the order in which they were made, and say what RFC 9562 has them say."""

from __future__ import annotations

import time

import pytest

from luciole.kit.ids import new_id

MILLISECONDS = 1_790_000_000_123


def test_ids_of_one_millisecond_are_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    # A step of the twelve bits is 244 ns.
    times = iter(range(MILLISECONDS * 1_000_000, (MILLISECONDS + 1) * 1_000_000, 250))
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    made = [new_id() for _ in range(4000)]
    assert made == sorted(made)
    assert {one.int >> 80 for one in made} == {MILLISECONDS}


def test_id_has_its_version_and_chance() -> None:
    made = [new_id() for _ in range(1000)]
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert len({one.int & (1 << 62) - 1 for one in made}) == len(made)
