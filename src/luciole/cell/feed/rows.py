"""Rows of the log as the database packs them: columns of fixed width, one buffer for thousands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from luciole.cell.feed.model import Mark
from luciole.cell.feed.ranking.columns import ID_BYTES, LONG, Columns
from luciole.cell.feed.ranking.packed import Clips

#: A row, as `store.log.READ` puts it together. Numbers as PostgreSQL sends them: big-endian.
ROW: Any = np.dtype(
    [
        ("xid", ">i8"), ("seq", ">i8"),
        # Microseconds since 2000.
        ("at", ">i8"),
        ("clip", f"V{ID_BYTES}"), ("session", f"V{ID_BYTES}"),
        # CHANGED or PASSED where the clip is new, changed or gone.
        ("signal", ">i2"),
        ("value", ">i4"), ("loops", ">i2"), ("trust", ">f4"), ("sign", ">i2"), ("width", ">i2"),
        ("features", f"V{LONG}"),
    ]
)  # fmt: skip
NO_FEATURES = bytes(LONG)
#: A clip, as `store.log.SOME_CLIPS` puts it together; `sound` is NO_SOUND where there is none.
CLIP: Any = np.dtype(
    [
        ("id", f"V{ID_BYTES}"), ("author", f"V{ID_BYTES}"), ("sound", f"V{ID_BYTES}"),
        ("duration_ms", ">i4"),
        # Microseconds since 2000.
        ("published_at", ">i8"),
    ]
)  # fmt: skip
NO_SOUND = bytes(ID_BYTES)
SINCE_1970 = 946_684_800_000_000
CHANGED, PASSED = -1, -2
"""Instead of a signal: the clip is new, changed or gone; that was known before."""


class Loaded:
    """The clips with which a state began, and the transaction below which all that changed is in
    them."""

    def __init__(self, clips: Clips, horizon: int) -> None:
        """`clips` in the order of their ids."""
        self.horizon = horizon
        self._ids = np.frombuffer(clips.ids, f"S{ID_BYTES}")

    def has(self, ids: NDArray[Any]) -> NDArray[np.bool_]:
        """One truth for each of these ids (16 bytes)."""
        if not len(self._ids):
            return np.zeros(len(ids), np.bool_)
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        found: NDArray[np.bool_] = self._ids[places] == ids
        return found


class Rows:
    """Rows in the order of the log."""

    def __init__(self, packed: bytes | NDArray[Any] = b"") -> None:
        """Raises ValueError where the bytes are no rows."""
        self._table = np.frombuffer(packed, ROW) if isinstance(packed, bytes) else packed

    def __len__(self) -> int:
        return len(self._table)

    @property
    def packed(self) -> bytes:
        return self._table.tobytes()

    @property
    def last(self) -> Mark:
        """The place of the last row; there has to be one."""
        row = self._table[-1]
        return Mark(int(row["xid"]), int(row["seq"]))

    def after(self, mark: Mark) -> Rows:
        """Those after a place of the log."""
        xid, seq = self._table["xid"], self._table["seq"]
        return Rows(self._table[(xid > mark.xid) | ((xid == mark.xid) & (seq > mark.seq))])

    @property
    def changes(self) -> list[int]:
        """Which rows say that a clip is new, changed or gone."""
        found: list[int] = np.flatnonzero(self._table["signal"] == CHANGED).tolist()
        return found

    def without(self, loaded: Loaded) -> Rows:
        """The same rows; those that say of a clip what a state knows that began with it are
        PASSED."""
        table = self._table.copy()
        told = np.flatnonzero((table["signal"] == CHANGED) & (table["xid"] < loaded.horizon))
        ids = np.frombuffer(table["clip"][told].tobytes(), f"S{ID_BYTES}")
        table["signal"][told[loaded.has(ids)]] = PASSED
        return Rows(table)

    def clip(self, at: int) -> UUID:
        """The clip of a row."""
        return UUID(bytes=self._table["clip"][at].tobytes())

    def events(self, start: int, end: int) -> Columns:
        """The rows of a stretch that has no changes."""
        some = self._table[start:end]
        some = some[some["signal"] != PASSED]
        features = np.frombuffer(some["features"].tobytes(), np.uint8).reshape(len(some), LONG)
        return Columns(
            at=(some["at"].astype(np.int64) + SINCE_1970) / 1e6,
            clip=some["clip"].tobytes(),
            session=some["session"].tobytes(),
            signal=some["signal"].astype(np.int64),
            value=some["value"].astype(np.int64),
            loops=some["loops"].astype(np.int64),
            trust=some["trust"].astype(np.float64),
            sign=some["sign"].astype(np.int64),
            width=some["width"].astype(np.int64),
            features=features,
        )
