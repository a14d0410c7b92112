"""A page: for everybody, or for a person who opted in. Nothing here knows what was not handed in.

`public` asks for nothing about a viewer, so two people who ask at the same instant with the same
seed get the same list. `recompute` draws a page again from what was logged.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from . import candidates, features
from .draw import TOPICS, Inputs, decode, drawn_from, encode, labelled, packed
from .fold import Fold
from .model import Slot
from .order import Ints
from .taste import Taste
from .weights import PUBLIC_FEATURES, Weights

MOST = 30
"""Slots of a page."""


class Asked(msgspec.Struct, frozen=True):
    """A request for a page. `excluded` are clips that must not come (served before in the session,
    or not eligible); `before` the clips of the last slots, the last one last, so that gaps hold
    across pages."""

    now: float
    seed: int
    limit: int
    excluded: frozenset[UUID] = frozenset()
    before: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST:
            raise ValueError(f"a page has 1 to {MOST} slots")
        if not 0 <= self.seed < 1 << 63:
            raise ValueError("a seed is a whole number of 63 bits")


class Viewer:
    """A person who opted in: their taste, whom they follow, what they watched in this session
    (the last one last)."""

    __slots__ = ("followed", "recent", "taste")

    def __init__(
        self,
        taste: Taste,
        followed: frozenset[UUID] = frozenset(),
        recent: tuple[UUID, ...] = (),
    ) -> None:
        self.taste, self.followed, self.recent = taste, followed, recent


class Drawn(msgspec.Struct, frozen=True):
    """A page. `inputs` are the bytes from which `recompute` draws the same slots."""

    slots: list[Slot]
    inputs: bytes


def public(world: Fold, asked: Asked) -> Drawn:
    """The page for everybody: public signals only. Empty where no clip is left."""
    found = candidates.Found(world.allowed(asked.excluded))
    lacking, lack = candidates.for_everybody(world, found, asked.now, asked.seed, 2 * asked.limit)
    rows, order = _in_order(world, found)
    columns = features.of_clips(world, rows, asked.now)
    learned = world.heads.coefficients[:, : len(PUBLIC_FEATURES)]
    return _drawn(world, asked, _Candidates(found, rows, order, columns, lacking, lack), learned)


def learning(world: Fold, asked: Asked, viewer: Viewer) -> Drawn:
    """The page for a person who opted in to learning."""
    found = candidates.Found(world.allowed(asked.excluded))
    numbers = world.shelf.authors.numbers
    known = (numbers.get(str(author)) for author in viewer.followed)
    followed = frozenset(number for number in known if number is not None)
    recent = world.shelf.rows_of(list(viewer.recent))[-candidates.RECENT :]
    candidates.for_viewer(world, found, viewer.taste, followed, recent)
    lacking, lack = candidates.for_everybody(world, found, asked.now, asked.seed, 2 * asked.limit)
    rows, order = _in_order(world, found)
    columns = np.concatenate(
        [
            features.of_clips(world, rows, asked.now),
            features.of_viewer(world, rows, viewer.taste, followed, recent),
        ],
        axis=1,
    )
    learned = world.heads.coefficients
    return _drawn(world, asked, _Candidates(found, rows, order, columns, lacking, lack), learned)


def recompute(inputs: bytes, weights: Weights) -> list[Slot]:
    """The slots of a page, from what was logged of it. Raises msgspec.DecodeError or ValueError
    where the bytes are damaged, ValueError where they go with other weights."""
    return drawn_from(decode(inputs), weights)


class _Candidates(msgspec.Struct):
    found: candidates.Found
    rows: Ints
    order: Ints
    columns: NDArray[np.float16]
    lacking: Ints
    lack: Ints


def _in_order(world: Fold, found: candidates.Found) -> tuple[Ints, Ints]:
    """Rows in the order of clips' ids, and where each was in the order of finding: another process
    may know the same clips under other rows."""
    rows = found.all_rows()
    numbers = world.shelf.numbers
    places = sorted(range(len(rows)), key=[numbers[row] for row in rows.tolist()].__getitem__)
    order = np.array(places, np.int64)
    return rows[order], order


def _drawn(world: Fold, asked: Asked, chosen: _Candidates, learned: NDArray[np.float64]) -> Drawn:
    shelf, rows, order = world.shelf, chosen.rows, chosen.order.tolist()
    floor = np.zeros(shelf.size)
    # The longest waiting come first; each slower one is a little less likely.
    floor[chosen.lacking] = chosen.lack * np.linspace(1, 0.25, len(chosen.lack))
    before = shelf.rows_of(list(asked.before))[-MOST:]
    # Numbered together, so that the last slots and the candidates speak of the same authors.
    both = np.concatenate([rows, before])
    authors, sounds = labelled(shelf.author[both]), labelled(shelf.sound[both])
    inputs = Inputs(
        weights_version=world.weights.version,
        seed=asked.seed,
        limit=asked.limit,
        ids=b"".join(shelf.numbers[row].to_bytes(16, "big") for row in rows.tolist()),
        sources=bytes(chosen.found.sources[place] for place in order),
        because=tuple(chosen.found.because[place] for place in order),
        features=packed(chosen.columns, "<f2"),
        bonus=packed(features.uncertainty(world, rows), "<f4"),
        floor=packed(floor[rows], "<f4"),
        coefficients=packed(learned, "<f8"),
        authors=packed(authors[: len(rows)], "<i2"),
        sounds=packed(sounds[: len(rows)], "<i2"),
        topics=packed(labelled(shelf.topics[rows, :TOPICS]), "<i2"),
        before_authors=tuple(authors[len(rows) :].tolist()),
        before_sounds=tuple(sounds[len(rows) :].tolist()),
    )
    return Drawn(drawn_from(inputs, world.weights), encode(inputs))
