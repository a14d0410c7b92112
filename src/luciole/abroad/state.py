"""What has been sent, in `abroad/state.sqlite`: which parcels there are, which objects, how far.

A parcel is written down before its first piece leaves, with how many pieces may have left, and
once more when the last one has arrived. So a stop at any point leaves nothing abroad that nobody
here knows of, and nothing counts as there that is not. Where this file is lost, everything is sent
anew under a new era, and what was there before is dropped then.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from luciole.abroad.parcels import Kind

FILE = "state.sqlite"
SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS said (name text PRIMARY KEY, value text NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parcel (
    kind text NOT NULL,
    number integer NOT NULL,
    pieces integer NOT NULL,
    size_bytes integer NOT NULL,
    made_at real NOT NULL,
    is_sent integer NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (
    key text PRIMARY KEY,
    number integer NOT NULL,
    gone_at real
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS base (
    number integer PRIMARY KEY,
    chain text NOT NULL,
    wal_from integer NOT NULL,
    began_at real NOT NULL,
    ended_at real,
    end_lsn integer,
    major integer NOT NULL
);
"""


class Parcel(NamedTuple):
    """A parcel and how many pieces of it may be abroad."""

    kind: Kind
    number: int
    pieces: int
    made_at: float


class Base(NamedTuple):
    """A base backup: which write-ahead log goes with it, from which parcel on, when it was made
    (Unix seconds), where it ends, and the major version that made it."""

    number: int
    chain: str
    wal_from: int
    began_at: float
    ended_at: float
    end_lsn: int
    major: int


class State:
    """An open file of state. Changes hold with `commit`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / FILE
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path)
        self._db.executescript(SETTINGS)
        if self.get("era") is None:
            self.set("era", secrets.token_hex(8))
            self.commit()

    def close(self) -> None:
        self._db.close()

    def commit(self) -> None:
        self._db.commit()

    # Words

    def get(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def number(self, name: str, default: float = 0.0) -> float:
        found = self.get(name)
        return default if found is None else float(found)

    def set(self, name: str, value: object) -> None:
        self._db.execute(
            "INSERT INTO said VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (name, str(value)),
        )

    @property
    def era(self) -> str:
        era = self.get("era")
        assert era is not None
        return era

    # Parcels

    def begin(self, kind: Kind, now: float, number: int | None = None) -> int:
        """A number for a new parcel."""
        if number is None:
            number = int(self.number(f"next/{kind}"))
            self.set(f"next/{kind}", number + 1)
        self._db.execute("INSERT INTO parcel VALUES (?, ?, 0, 0, ?, 0)", (kind, number, now))
        return number

    def next_number(self, kind: Kind) -> int:
        return int(self.number(f"next/{kind}"))

    def grow(self, kind: Kind, number: int, size_bytes: int) -> int:
        """One more piece is to leave; gives its number."""
        row = self._db.execute(
            "UPDATE parcel SET pieces = pieces + 1, size_bytes = size_bytes + ? "
            "WHERE kind = ? AND number = ? RETURNING pieces",
            (size_bytes, kind, number),
        ).fetchone()
        return int(row[0]) - 1

    def sent(self, kind: Kind, number: int) -> None:
        self._db.execute(
            "UPDATE parcel SET is_sent = 1 WHERE kind = ? AND number = ?", (kind, number)
        )

    def parcels(self, kind: Kind) -> list[Parcel]:
        """Those that have arrived, by number."""
        rows = self._db.execute(
            "SELECT kind, number, pieces, made_at FROM parcel WHERE kind = ? AND is_sent "
            "ORDER BY number",
            (kind,),
        )
        return [Parcel(*row) for row in rows]

    def unsent(self) -> list[Parcel]:
        """Those that were cut off."""
        rows = self._db.execute(
            "SELECT kind, number, pieces, made_at FROM parcel WHERE NOT is_sent"
        )
        return [Parcel(*row) for row in rows]

    def every(self) -> Iterator[Parcel]:
        for row in self._db.execute("SELECT kind, number, pieces, made_at FROM parcel"):
            yield Parcel(*row)

    def forget(self, parcels: Iterable[Parcel]) -> None:
        for one in parcels:
            where = (one.kind, one.number)
            self._db.execute("DELETE FROM parcel WHERE kind = ? AND number = ?", where)
            if one.kind == "base":
                self._db.execute("DELETE FROM base WHERE number = ?", (one.number,))
            if one.kind == "object":
                self._db.execute("DELETE FROM object WHERE number = ?", (one.number,))

    def totals(self) -> dict[str, tuple[int, int]]:
        """For each kind: parcels that have arrived, and their bytes."""
        rows = self._db.execute(
            "SELECT kind, count(*), sum(size_bytes) FROM parcel WHERE is_sent GROUP BY kind"
        )
        return {kind: (count, size) for kind, count, size in rows}

    # Objects

    def objects(self) -> dict[str, int]:
        """The keys of objects that were there when last looked, with their parcels."""
        return dict(self._db.execute("SELECT key, number FROM object WHERE gone_at IS NULL"))

    def keep_object(self, key: str, number: int) -> None:
        self._db.execute(
            "INSERT INTO object VALUES (?, ?, NULL) "
            "ON CONFLICT DO UPDATE SET number = excluded.number, gone_at = NULL",
            (key, number),
        )

    def object_gone(self, key: str, now: float) -> None:
        self._db.execute("UPDATE object SET gone_at = ? WHERE key = ?", (now, key))

    def gone_before(self, moment: float) -> list[Parcel]:
        """Parcels of objects that have been gone since before a moment."""
        rows = self._db.execute(
            "SELECT p.kind, p.number, p.pieces, p.made_at FROM object o "
            "JOIN parcel p ON p.kind = 'object' AND p.number = o.number WHERE o.gone_at < ?",
            (moment,),
        )
        return [Parcel(*row) for row in rows]

    # Base backups

    def begin_base(self, number: int, chain: str, wal_from: int, now: float, major: int) -> None:
        self._db.execute(
            "INSERT INTO base VALUES (?, ?, ?, ?, NULL, NULL, ?)",
            (number, chain, wal_from, now, major),
        )

    def end_base(self, number: int, now: float, end_lsn: int) -> None:
        self._db.execute(
            "UPDATE base SET ended_at = ?, end_lsn = ? WHERE number = ?", (now, end_lsn, number)
        )

    def forget_base(self, number: int) -> None:
        """Of no use: the log that it needs has a gap. Its parcel goes with those before the oldest
        that is needed."""
        self._db.execute("DELETE FROM base WHERE number = ?", (number,))

    def bases(self) -> list[Base]:
        """Those that have arrived, the oldest first."""
        rows = self._db.execute(
            "SELECT b.* FROM base b JOIN parcel p ON p.kind = 'base' AND p.number = b.number "
            "WHERE p.is_sent AND b.ended_at IS NOT NULL ORDER BY b.number"
        )
        return [Base(*row) for row in rows]
