"""Rows of the log as the database packs them: columns of fixed width, one buffer for thousands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from luciole.cell.feed.model import Mark
from luciole.cell.feed.ranking.columns import ID_BYTES, LONG, Columns

#: A row, as `store.log.READ` puts it together. Numbers as PostgreSQL sends them: big-endian.
ROW: Any = np.dtype(
    [
        ("xid", ">i8"), ("seq", ">i8"),
        # Microseconds since 2000.
        ("at", ">i8"),
        ("clip", f"V{ID_BYTES}"), ("session", f"V{ID_BYTES}"),
        # -1 where the clip is new, changed or gone.
        ("signal", ">i2"),
        ("value", ">i4"), ("loops", ">i2"), ("trust", ">f4"), ("sign", ">i2"), ("width", ">i2"),
        ("features", f"V{LONG}"),
    ]
)  # fmt: skip
NO_FEATURES = bytes(LONG)
_SINCE_1970 = 946_684_800_000_000


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
        found: list[int] = np.flatnonzero(self._table["signal"] < 0).tolist()
        return found

    def clip(self, at: int) -> UUID:
        """The clip of a row."""
        return UUID(bytes=self._table["clip"][at].tobytes())

    def events(self, start: int, end: int) -> Columns:
        """The rows of a stretch that has no changes."""
        some = self._table[start:end]
        features = np.frombuffer(some["features"].tobytes(), np.uint8).reshape(len(some), LONG)
        return Columns(
            at=(some["at"].astype(np.int64) + _SINCE_1970) / 1e6,
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
