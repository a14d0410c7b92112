"""The guardian's book: halves of keys of other cells, in SQLite, each sealed under the trustee's
key for its cell and its handle; and how often each was given.

Deleting overwrites (`secure_delete`), and each change is on the disk before a half is given.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from luciole.keys import seal
from luciole.trustee.shares import Counted, Deposited, Given

SETTINGS = """
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA journal_mode = TRUNCATE;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS cell (
    cell_id blob PRIMARY KEY, since integer NOT NULL, given integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0, destroyed integer NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS half (
    cell_id blob NOT NULL, handle blob NOT NULL, sealed blob, n integer NOT NULL DEFAULT 0,
    times integer NOT NULL DEFAULT 0, first_at integer, last_at integer,
    PRIMARY KEY (cell_id, handle)
) WITHOUT ROWID;
"""
KNOW = "INSERT OR IGNORE INTO cell (cell_id, since) VALUES (?, ?)"
HALF = "SELECT sealed, n FROM half WHERE cell_id = ? AND handle = ?"
ADD = "INSERT INTO half (cell_id, handle, sealed) VALUES (?, ?, ?)"
NOTE = """
UPDATE half SET n = ?, times = times + 1, first_at = coalesce(first_at, ?), last_at = ?
WHERE cell_id = ? AND handle = ?
"""
GIVEN = "UPDATE cell SET given = given + 1 WHERE cell_id = ?"
REFUSED = "UPDATE cell SET refused = refused + ? WHERE cell_id = ?"
DROP = "DELETE FROM half WHERE cell_id = ? AND handle = ?"
DESTROYED = "UPDATE cell SET destroyed = destroyed + ? WHERE cell_id = ?"
# Of what was given, it stays known that it was.
DESTROY_GIVEN = """
UPDATE half SET sealed = NULL WHERE cell_id = ? AND times > 0 AND sealed IS NOT NULL
"""
DESTROY_REST = "DELETE FROM half WHERE cell_id = ? AND times = 0"
COUNTED = """
SELECT (SELECT count(sealed) FROM half h WHERE h.cell_id = c.cell_id) AS held, given, refused,
       (SELECT count(*) FROM half h WHERE h.cell_id = c.cell_id AND times > 0), destroyed, since,
       (SELECT coalesce(min(first_at), 0) FROM half h WHERE h.cell_id = c.cell_id)
FROM cell c WHERE cell_id = ?
"""
CELLS = "SELECT cell_id FROM cell ORDER BY since, cell_id"
TOLD = """
SELECT handle, times, first_at, last_at, sealed IS NOT NULL FROM half
WHERE cell_id = ? AND handle > ? AND times > 0 ORDER BY handle LIMIT ?
"""
EVERY = """
SELECT handle FROM half WHERE cell_id = ? AND handle > ? AND sealed IS NOT NULL
ORDER BY handle LIMIT ?
"""
LENT = """
UPDATE half SET times = times + 1, first_at = coalesce(first_at, ?), last_at = ?
WHERE cell_id = ? AND handle = ?
"""
ALL_GIVEN = "UPDATE cell SET given = given + ? WHERE cell_id = ?"
BOOK = "halves.sqlite"
# What the key broker derives the trustee's own key for.
TRUSTEE = "trustee"
LABEL = "luciole/half/v1"
SECRET_BYTES = 32
REFUSALS_KEPT = 100


def key_of_book(key: bytes) -> bytes:
    """The key of the book, from the trustee's own."""
    return hmac.digest(key, b"luciole/trustee/book/v1", "sha256")


class Held(NamedTuple):
    """A half, its person's label key, and the highest number of an entry it was given for."""

    secret: bytes
    label_key: bytes
    n: int

    def __repr__(self) -> str:
        return "Held(hidden)"


class Book:
    """An open book, for one thread."""

    def __init__(self, path: Path, key: bytes) -> None:
        """`key` is 32 bytes that only this trustee has."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = key
        self._refused: Counter[UUID] = Counter()
        self._refused_at = 0
        self._db = sqlite3.connect(path, check_same_thread=False)
        path.chmod(0o600)
        self._db.executescript(SETTINGS)

    def close(self) -> None:
        if self._refused:
            self.flush(self._refused_at)
        self._db.close()

    def add(self, cell: UUID, halves: Iterable[Deposited], now: int) -> bool:
        """Keeps new halves, all or none; False where one of a handle is here and differs."""
        with self._db:
            self._db.execute(KNOW, (cell.bytes, now))
            for one in halves:
                known = self.held(cell, one.handle)
                if known is None:
                    where = self._place(cell, one.handle)
                    sealed = seal.seal_at(self._key, one.secret + one.label_key, where)
                    self._db.execute(ADD, (cell.bytes, one.handle, sealed))
                elif (known.secret, known.label_key) != (one.secret, one.label_key):
                    self._db.rollback()
                    return False
        return True

    def held(self, cell: UUID, handle: bytes) -> Held | None:
        """None where nothing is held under the handle. Raises SealBroken where the book was changed
        by somebody else."""
        row = self._db.execute(HALF, (cell.bytes, handle)).fetchone()
        if row is None or row[0] is None:
            return None
        text = seal.open_at(self._key, row[0], self._place(cell, handle))
        return Held(text[:SECRET_BYTES], text[SECRET_BYTES:], row[1])

    def given(self, cell: UUID, handle: bytes, n: int, now: int) -> None:
        """Notes that a half is about to be given for entry `n`."""
        with self._db:
            self._db.execute(NOTE, (n, now, now, cell.bytes, handle))
            self._db.execute(GIVEN, (cell.bytes,))

    def every(self, cell: UUID, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Handles and halves, in the order of handles. Raises SealBroken."""
        handles = [row[0] for row in self._db.execute(EVERY, (cell.bytes, after, limit))]
        found = [(handle, self.held(cell, handle)) for handle in handles]
        return [(handle, held.secret) for handle, held in found if held]

    def lent(self, cell: UUID, handles: Sequence[bytes], now: int) -> None:
        """Notes that halves are about to be lent, without an entry about each."""
        with self._db:
            self._db.executemany(LENT, [(now, now, cell.bytes, handle) for handle in handles])
            self._db.execute(ALL_GIVEN, (len(handles), cell.bytes))

    def refused(self, cell: UUID, now: int) -> None:
        """Counts a refusal, on the disk within a second or a hundred of them: whoever asks a lot in
        vain keeps no disk busy."""
        self._refused[cell] += 1
        if now != self._refused_at or self._refused[cell] >= REFUSALS_KEPT:
            self._refused_at = now
            self.flush(now)

    def flush(self, now: int) -> None:
        """Puts on the disk what was only counted."""
        with self._db:
            for cell, count in self._refused.items():
                self._db.execute(KNOW, (cell.bytes, now))
                self._db.execute(REFUSED, (count, cell.bytes))
        self._refused.clear()

    def drop(self, cell: UUID, handles: Iterable[bytes]) -> None:
        """Destroys halves; safe to repeat."""
        with self._db:
            self._db.executemany(DROP, [(cell.bytes, handle) for handle in handles])

    def destroy(self, cell: UUID) -> None:
        """Destroys all halves of a cell; which of them had been given is still told."""
        with self._db:
            count = self._db.execute(DESTROY_REST, (cell.bytes,)).rowcount
            count += self._db.execute(DESTROY_GIVEN, (cell.bytes,)).rowcount
            self._db.execute(DESTROYED, (count, cell.bytes))

    def counted(self, cell: UUID) -> Counted:
        """What is held and was given of a cell."""
        refused = self._refused[cell]
        row = self._db.execute(COUNTED, (cell.bytes,)).fetchone()
        made = Counted(*(row or (0,) * 7))
        return msgspec.structs.replace(made, refused=made.refused + refused)

    def cells(self) -> list[UUID]:
        """Cells for which something was ever kept."""
        return [UUID(bytes=each) for (each,) in self._db.execute(CELLS)]

    def told(self, cell: UUID, after: bytes, limit: int) -> list[Given]:
        """What was ever given, in the order of handles."""
        rows = self._db.execute(TOLD, (cell.bytes, after, limit))
        return [Given(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]

    @staticmethod
    def _place(cell: UUID, handle: bytes) -> bytes:
        return LABEL.encode() + b"\0" + cell.bytes + handle
