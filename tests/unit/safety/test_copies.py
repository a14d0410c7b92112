"""Which films are taken for copies, and that a shelf finds what comparing all finds."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
import pytest
from tests.drills.cell_process import ROOT

from luciole.cell.safety import copies
from luciole.cell.safety.copies import Shelf, alike
from luciole.cell.safety.likeness import HASH_BYTES, MAX_NEAR_BITS


def film(random: np.random.Generator, stills: int) -> bytes:
    return random.bytes(stills * HASH_BYTES)


def near(random: np.random.Generator, stills: bytes, bits: int) -> bytes:
    """The same stills, each with so many other bits."""
    made = np.unpackbits(np.frombuffer(stills, np.uint8).reshape(-1, HASH_BYTES), axis=1)
    for still in made:
        still[random.choice(256, bits, replace=False)] ^= 1
    return np.packbits(made, axis=1).tobytes()


def cut(stills: bytes, start: int, end: int) -> bytes:
    return stills[start * HASH_BYTES : end * HASH_BYTES]


def test_copy_is_alike_and_another_film_is_not() -> None:
    random = np.random.default_rng(1)
    one = film(random, 10)
    found = alike(near(random, one, 20), one)
    assert found
    assert (found.bits, found.stills, found.of) == (20, 10, 10)
    assert alike(film(random, 10), one) is None
    assert alike(b"", one) is None
    assert alike(one, b"") is None


def test_trimmed_copy_is_measured_by_what_is_left_of_it() -> None:
    random = np.random.default_rng(2)
    one = film(random, 30)
    part = near(random, cut(one, 20, 25), MAX_NEAR_BITS)
    for pair in ((part, one), (one, part)):
        found = alike(*pair)
        assert found
        assert (found.stills, found.of) == (5, 5)
    first = alike(one, part)
    assert first
    assert 20 <= first.still < 25


@pytest.mark.parametrize(("shared", "is_alike"), [(1, False), (3, False), (4, True)])
def test_some_stills_in_common_are_not_enough(shared: int, is_alike: bool) -> None:
    random = np.random.default_rng(3)
    one = film(random, 10)
    other = cut(one, 0, shared) + film(random, 10 - shared)
    assert (alike(one, other) is not None) is is_alike


def test_one_still_is_never_enough() -> None:
    one = film(np.random.default_rng(4), 1)
    assert alike(one, one) is None


def test_one_picture_in_a_row_counts_of_the_shorter_film() -> None:
    random = np.random.default_rng(5)
    card = film(random, 1)
    # A card that stands for four seconds of the long film is one still of the short one.
    assert alike(card * 4 + film(random, 6), card + film(random, 3)) is None


def test_shelf_finds_what_comparing_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(6)
    monkeypatch.setattr(copies, "FEW_STILLS", 200)
    all_: dict[UUID, bytes] = {}
    shelf = Shelf()
    for turn in range(40):
        new = {uuid4(): film(random, int(random.integers(1, 12))) for _ in range(6)}
        if turn % 3 == 0 and all_:
            some = list(all_)[int(random.integers(len(all_)))]
            new[uuid4()] = near(random, all_[some], 24)
        gone = [key for key in all_ if random.random() < 0.1]
        back = {gone[0]: all_[gone[0]]} if gone and turn % 5 == 0 else {}
        for key in gone:
            del all_[key]
        shelf.hold(all_.keys(), {})
        new |= back
        all_ |= new
        shelf.hold(all_.keys(), new)
        assert len(shelf) == len(all_)
        sought = list(all_)[int(random.integers(len(all_)))]
        wanted = near(random, all_[sought], 30)
        expected = {key: like for key, one in all_.items() if (like := alike(wanted, one))}
        found = dict(shelf.like(wanted))
        assert found == expected
        assert dict(shelf.like(wanted, [sought])) == {
            key: like for key, like in expected.items() if key != sought
        }


def test_empty_shelf_has_nothing() -> None:
    assert Shelf().like(b"") == []
    assert Shelf().like(bytes(HASH_BYTES * 2)) == []


def test_moderators_are_told_the_error_rate_that_was_measured() -> None:
    measured = (ROOT / "bench" / "results" / "copies.md").read_text(encoding="utf-8")
    said = f"Of {copies.TRIED} pairs of different films, **{copies.WRONG}** were taken for copies."
    assert said in measured
