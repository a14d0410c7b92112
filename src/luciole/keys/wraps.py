"""One file of wrapped data keys: all persons of a cell under one epoch key, in SQLite.

    wrap = outer layer (epoch key) of inner layer (share key) of data key

Why SQLite, and how: a person is one row, found by id; deleting is one transaction that survives a
kill at any point, and `secure_delete` overwrites what was deleted with zeros. `synchronous=FULL`
with a truncated journal puts each change on the disk before the call returns. What the journal or
the disk remembers of a deleted row is still under this epoch's key, and ends with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from luciole.keys import private

NAME = "data keys"
SETTINGS = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA journal_mode = TRUNCATE;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
"""
MAKE = """
PRAGMA synchronous = OFF;
CREATE TABLE wrap (
    person_id blob PRIMARY KEY,
    outer blob NOT NULL,
    label_key blob NOT NULL,
    unconfirmed_since integer,
    card blob
) WITHOUT ROWID;
CREATE INDEX unconfirmed ON wrap (unconfirmed_since) WHERE unconfirmed_since IS NOT NULL;
"""
GET = "SELECT * FROM wrap WHERE person_id = ?"
ADD = "INSERT OR REPLACE INTO wrap VALUES (?, ?, ?, ?, ?)"
DELETE = "DELETE FROM wrap WHERE person_id = ?"
CONFIRM = "UPDATE wrap SET unconfirmed_since = NULL WHERE person_id = ?"
DOUBT = "UPDATE wrap SET unconfirmed_since = 0"
UNCONFIRMED = """
SELECT person_id FROM wrap WHERE unconfirmed_since < ? ORDER BY unconfirmed_since LIMIT ?
"""
PAGE = "SELECT * FROM wrap WHERE person_id > ? ORDER BY person_id LIMIT ?"
LISTED = """
SELECT person_id FROM wrap WHERE (card IS NOT NULL) = ? AND person_id > ? ORDER BY person_id LIMIT ?
"""
COUNT = "SELECT count(*) FROM wrap"
GUARDED = "SELECT count(card) FROM wrap"
# A file of before guardians.
COLUMNS = "SELECT count(*) FROM pragma_table_info('wrap') WHERE name = 'card'"
ADD_COLUMN = "ALTER TABLE wrap ADD COLUMN card blob"


# A person's id, their data key wrapped twice, their label key sealed under it; until the sign-up is
# known to have been stored, since when it is not (Unix seconds); and of who has a guardian, the
# card (`shares`) in the outer layer.
Row = tuple[bytes, bytes, bytes, int | None, bytes | None]


class Wraps:
    """An open file of wraps, for one thread at a time. A change holds at the end of a `with`."""

    def __init__(self, path: Path) -> None:
        """Raises KeyFileRefused."""
        private.needed(path, NAME)
        self._db = sqlite3.connect(path, check_same_thread=False)
        # A journal that a killed process left is rolled back by the first read.
        self._db.executescript(SETTINGS)
        if path.stat().st_size and not self._db.execute(COLUMNS).fetchone()[0]:
            self._db.execute(ADD_COLUMN)

    def __enter__(self) -> None:
        """Begins with the first change."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._db.rollback() if kind else self._db.commit()

    def close(self) -> None:
        self._db.close()

    def get(self, person: bytes) -> Row | None:
        found: Row | None = self._db.execute(GET, (person,)).fetchone()
        return found

    def add(self, rows: Iterable[Row]) -> None:
        """In place of rows of the same persons."""
        self._db.executemany(ADD, rows)

    def delete(self, person: bytes) -> bool:
        """False where there was none."""
        return self._db.execute(DELETE, (person,)).rowcount > 0

    def confirm(self, person: bytes) -> None:
        self._db.execute(CONFIRM, (person,))

    def doubt(self) -> None:
        """Nobody's account is known to be stored any more."""
        self._db.execute(DOUBT)

    def unconfirmed(self, before_s: int, limit: int) -> list[UUID]:
        return [UUID(bytes=each) for (each,) in self._db.execute(UNCONFIRMED, (before_s, limit))]

    def page(self, after: bytes, limit: int) -> list[Row]:
        """Rows in the order of the persons' ids, after that one."""
        return self._db.execute(PAGE, (after, limit)).fetchall()

    def count(self) -> int:
        return int(self._db.execute(COUNT).fetchone()[0])

    def listed(self, is_guarded: bool, after: bytes, limit: int) -> list[UUID]:
        """Persons with a card, or without, in the order of their ids, after that one."""
        rows = self._db.execute(LISTED, (is_guarded, after, limit))
        return [UUID(bytes=each) for (each,) in rows]

    def guarded(self) -> int:
        """How many have a card."""
        return int(self._db.execute(GUARDED).fetchone()[0])


class Draft(Wraps):
    """A new file, written without the care of single changes. It gets its name when it is whole
    and on the disk; if we stop before, the next run destroys it."""

    def __init__(self, path: Path) -> None:
        self._path, self._draft = path, path.with_name(f".{path.name}")
        private.destroy(self._draft)
        private.write(self._draft, b"")
        super().__init__(self._draft)
        self._db.executescript(MAKE)

    def flush(self) -> None:
        """What was added so far is on the disk: `finish` is quick then."""
        self._db.commit()
        private.sync(self._draft)

    def finish(self) -> None:
        """Everything on the disk, then the name."""
        self.flush()
        self._db.close()
        self._draft.replace(self._path)
        private.sync(self._path.parent)

    def close(self) -> None:
        """Destroys it, unless it is finished."""
        self._db.close()
        private.destroy(self._draft)
