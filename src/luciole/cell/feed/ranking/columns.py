"""Events as columns: a start that reads millions of them makes no object for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Event
from .order import Floats, Ints
from .weights import PUBLIC_FEATURES, VIEWER_FEATURES

SHORT, LONG = 2 * len(PUBLIC_FEATURES), 2 * (len(PUBLIC_FEATURES) + len(VIEWER_FEATURES))
"""Bytes of the features of a slot that was scored for everybody, and for a learner."""
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Columns:
    """Events in the order of the log, each a place in every column.

    `clip` and `session` hold the 16 bytes of each id, one after the other; `features` (shape
    (events, LONG), uint8) begins with as many bytes as `width` says, the rest is 0.
    """

    at: Floats
    clip: bytes
    session: bytes
    signal: Ints
    value: Ints
    loops: Ints
    trust: Floats
    sign: Ints
    width: Ints
    features: NDArray[np.uint8]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Columns:
        """The same as columns."""
        features = np.zeros((len(events), LONG), np.uint8)
        for number, event in enumerate(events):
            held = event.features[:LONG]
            features[number, : len(held)] = np.frombuffer(held, np.uint8)
        return cls(
            at=np.array([event.at for event in events], np.float64),
            clip=b"".join(event.clip.bytes for event in events),
            session=b"".join(event.session.bytes for event in events),
            signal=np.array([int(event.signal) for event in events], np.int64),
            value=np.array([event.value for event in events], np.int64),
            loops=np.array([event.loops for event in events], np.int64),
            trust=np.array([event.trust for event in events], np.float64),
            sign=np.array([event.sign for event in events], np.int64),
            width=np.array([len(event.features) for event in events], np.int64),
            features=features,
        )

    def __len__(self) -> int:
        return len(self.at)


def numbers(ids: bytes) -> list[int]:
    """Ids as whole numbers."""
    number: Any = int.from_bytes
    return [number(ids[at : at + ID_BYTES], "big") for at in range(0, len(ids), ID_BYTES)]
