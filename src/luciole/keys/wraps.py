"""One file of wrapped data keys: all persons of a cell under one epoch key, in SQLite.

    wrap = outer(epoch key, inner(share key, data key))

Why SQLite, and how: a person is one row, found by id; deleting is one transaction that survives a
kill at any point, and `secure_delete` overwrites what was deleted with zeros. `synchronous=FULL`
with a truncated journal puts each change on the disk before the call returns. What the journal or
the disk remembers of a deleted row is still under this epoch's key, and ends with it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from luciole.keys import private, seal

NAME = "file of the data keys"
_OUTER = b"luciole/outer/v1\0"

MAKE = """
CREATE TABLE wrap (
    person_id blob PRIMARY KEY,
    outer blob NOT NULL,
    label_key blob NOT NULL,
    unconfirmed_since integer
) WITHOUT ROWID
"""
MAKE_INDEX = """
CREATE INDEX unconfirmed ON wrap (unconfirmed_since) WHERE unconfirmed_since IS NOT NULL
"""
GET = "SELECT person_id, outer, label_key, unconfirmed_since FROM wrap WHERE person_id = ?"
ADD = "INSERT OR REPLACE INTO wrap VALUES (?, ?, ?, ?)"
DELETE = "DELETE FROM wrap WHERE person_id = ?"
CONFIRM = "UPDATE wrap SET unconfirmed_since = NULL WHERE person_id = ?"
UNCONFIRMED = """
SELECT person_id FROM wrap WHERE unconfirmed_since < ? ORDER BY unconfirmed_since LIMIT ?
"""
PAGE = """
SELECT person_id, outer, label_key, unconfirmed_since FROM wrap WHERE person_id > ?
ORDER BY person_id LIMIT ?
"""
COUNT = "SELECT count(*) FROM wrap"


class Row(NamedTuple):
    """A person's two keys: the data key wrapped twice, the label key sealed under the data key.
    `unconfirmed_since` (Unix seconds) is set until the sign-up is known to have been stored."""

    person_id: bytes
    outer: bytes
    label_key: bytes
    unconfirmed_since: int | None


class Outer:
    """The outer layer of the wraps of one epoch, bound to cell, person and epoch number."""

    def __init__(self, cell_id: UUID, epoch: int, key: bytes) -> None:
        self._cipher = AESGCMSIV(key)
        self._before = _OUTER + cell_id.bytes
        self._after = epoch.to_bytes(8)

    def wrap(self, person_id: bytes, inner: bytes) -> bytes:
        return seal.encrypt(self._cipher, inner, self._before + person_id + self._after)

    def unwrap(self, person_id: bytes, outer: bytes) -> bytes:
        """Raises SealBroken."""
        return seal.decrypt(self._cipher, outer, self._before + person_id + self._after)


class Wraps:
    """An open file of wraps. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError, KeyFileRefused."""
        private.check(path, NAME)
        self.path = path
        self._db = _connect(path)
        # A journal that a killed process left is rolled back by the first read.
        self._db.execute("PRAGMA journal_mode = TRUNCATE")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA fullfsync = ON")

    def close(self) -> None:
        self._db.close()

    def get(self, person_id: UUID) -> Row | None:
        found = self._db.execute(GET, (person_id.bytes,)).fetchone()
        return Row(*found) if found else None

    def add(self, rows: Iterable[Row]) -> None:
        """All or none, in place of rows of the same persons."""
        with self._transaction():
            self._db.executemany(ADD, rows)

    def delete(self, person_id: UUID) -> bool:
        """False where there was none."""
        with self._transaction():
            return self._db.execute(DELETE, (person_id.bytes,)).rowcount > 0

    def confirm(self, person_id: UUID) -> None:
        with self._transaction():
            self._db.execute(CONFIRM, (person_id.bytes,))

    def unconfirmed(self, before_s: int, limit: int) -> list[UUID]:
        return [UUID(bytes=each) for (each,) in self._db.execute(UNCONFIRMED, (before_s, limit))]

    def page(self, after: bytes, limit: int) -> list[Row]:
        """Rows in the order of the persons' ids, after that one."""
        return [Row(*each) for each in self._db.execute(PAGE, (after, limit))]

    def count(self) -> int:
        return int(self._db.execute(COUNT).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


class Draft:
    """A file of wraps that is being written, without the care of single changes: it gets its name
    when it is whole and on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.new")

    def __enter__(self) -> Draft:
        private.destroy(self._draft)  # of a run that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(self._draft, flags, 0o600))
        self.db = _connect(self._draft)
        self.db.execute("PRAGMA journal_mode = OFF")
        self.db.execute("PRAGMA synchronous = OFF")
        return self

    def __exit__(self, *problem: object) -> None:
        self.db.close()
        private.destroy(self._draft)

    def make(self) -> None:
        self.db.execute("BEGIN")
        self.db.execute(MAKE)
        self.db.execute(MAKE_INDEX)

    def add(self, rows: Iterable[Row]) -> None:
        self.db.executemany(ADD, rows)

    def delete(self, person_id: bytes) -> None:
        self.db.execute(DELETE, (person_id,))

    def finish(self) -> None:
        """Everything on the disk, then the name."""
        self.db.execute("COMMIT")
        self.db.close()
        private.sync(self._draft)
        self._draft.replace(self._path)
        private.sync_folder(self._path.parent)


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA temp_store = MEMORY")
    return db
