"""The folder of fetched films: what it takes, what it refuses, what goes from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from luciole.border import incoming
from luciole.border.incoming import KEPT_S, Incoming


def test_room_is_bounded_by_what_is_there_and_what_comes(tmp_path: Path) -> None:
    made = Incoming(tmp_path, most_bytes=100)
    made.place("a" * 64).write_bytes(bytes(40))
    assert made.promise(50)
    assert not made.promise(11)
    assert made.promise(10)
    made.end(50)
    assert made.promise(50)
    assert not made.promise(1)


def test_full_disk_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Incoming(tmp_path)
    assert made.promise(1000)
    monkeypatch.setattr(incoming, "FREE_BYTES", 1 << 62)
    assert not made.promise(1)


def test_what_nobody_takes_goes_after_a_day(tmp_path: Path) -> None:
    made = Incoming(tmp_path)
    old, new = made.place("a" * 64), made.place("b" * 64)
    for file, age_s in ((old, KEPT_S + 1), (new, KEPT_S - 60)):
        file.write_bytes(b"film")
        os.utime(file, (1e9 - age_s, 1e9 - age_s))
    made.tidy(1e9)
    assert (old.exists(), new.exists()) == (False, True)


def test_what_was_cut_off_goes_at_the_start(tmp_path: Path) -> None:
    part = Incoming(tmp_path).part()
    part.write_bytes(b"half")
    Incoming(tmp_path)
    assert not part.exists()
