"""Sealed backups of other cells: their pieces as files, an index beside, a bound for each cell.

    trustee/backups/<cell id>/<first two digits>/<name>      a piece, as it came
    trustee/backups.sqlite                                    which there are, and what was dropped

A piece is on the disk before its row is, and its row goes before the piece does: what a stop leaves
is a file without a row, which the next start removes. There is nothing here to open: the key is the
home cell's, and not even its running cell has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.border import kept
from luciole.border.kept import Got, Kept, Listed
from luciole.kit import durable
from luciole.kit.clock import Clock
from luciole.kit.logs import log
from luciole.trustee.asked import Refused

KIND = "backup"
INDEX = "backups.sqlite"
# What was dropped can be had for as long.
DROPPED_KEPT = timedelta(hours=24)
SWEEPS_EVERY = timedelta(minutes=10)
NAMES_AT_ONCE = 50_000
# A question may hold as many bytes of pieces, and the words around them.
MOST_QUESTION_BYTES = kept.MOST_BYTES + 64 * 1024
SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS piece (
    cell blob NOT NULL,
    name blob NOT NULL,
    size_bytes integer NOT NULL,
    dropped_at integer,
    PRIMARY KEY (cell, name)
) WITHOUT ROWID;
-- How much was destroyed at once, at the word of a cell that is sold or leaves.
CREATE TABLE IF NOT EXISTS ended (
    cell blob PRIMARY KEY,
    pieces integer NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS dropped ON piece (dropped_at) WHERE dropped_at IS NOT NULL;
"""
KNOWN = "SELECT 1 FROM piece WHERE cell = ? AND name = ?"
ADD = "INSERT INTO piece VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET dropped_at = NULL"
SUM = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM piece WHERE cell = ?"
PAGE = """
SELECT name FROM piece WHERE cell = ? AND name > ? AND dropped_at IS NULL ORDER BY name LIMIT ?
"""
DROP = "UPDATE piece SET dropped_at = ? WHERE cell = ? AND name = ? AND dropped_at IS NULL"
DUE = "SELECT cell, name FROM piece WHERE dropped_at <= ? LIMIT 1000"
OF = "SELECT cell, name FROM piece WHERE cell = ? LIMIT 1000"
END = """
INSERT INTO ended VALUES (?, ?) ON CONFLICT (cell) DO UPDATE SET pieces = pieces + excluded.pieces
"""
ENDED = "SELECT cell, pieces FROM ended ORDER BY cell"
DELETE = "DELETE FROM piece WHERE cell = ? AND name = ?"


class Backups:
    """What this cell keeps for others, `most_bytes` for each; 0: for nobody."""

    def __init__(self, folder: Path, most_bytes: int, clock: Clock) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._most, self._clock = folder / "backups", most_bytes, clock
        self._db = sqlite3.connect(folder / INDEX, check_same_thread=False)
        self._db.executescript(SETTINGS)
        # One thread at a time: the index is small, and what takes long is the disk.
        self._guard = threading.Lock()
        self._tidy()
        self._sweep()

    def close(self) -> None:
        self._db.close()

    async def answer(self, cell: UUID, body: bytes) -> bytes:
        """What a cell gets for its question (`border.kept`). Raises Refused."""
        try:
            asked = kept.read(body)
        except msgspec.MsgspecError:
            raise Refused("not-understood") from None
        return msgspec.msgpack.encode(await asyncio.to_thread(self._answer, cell.bytes, asked))

    def _answer(self, cell: bytes, asked: kept.Asked) -> Got | Listed | Kept:
        with self._guard:
            if self._clock.now() - self._swept_at > SWEEPS_EVERY:
                self._sweep()
            match asked:
                case kept.Put(pieces):
                    self._put(cell, pieces)
                case kept.Get(names):
                    return self._get(cell, names)
                case kept.List(after):
                    rows = self._db.execute(PAGE, (cell, after, NAMES_AT_ONCE)).fetchall()
                    return Listed([row[0] for row in rows], len(rows) < NAMES_AT_ONCE)
                case kept.Drop(names, at_once):
                    return self._kept(cell, self._drop(cell, names, at_once))
                case kept.DropAll():
                    return self._kept(cell, self._drop_all(cell))
            return self._kept(cell)

    def _put(self, cell: bytes, pieces: list[tuple[bytes, bytes]]) -> None:
        if any(len(data) not in kept.PIECE_BYTES for _, data in pieces):
            raise Refused("no-piece")
        new = [(name, data) for name, data in pieces if not self._is_known(cell, name)]
        _, size_bytes = self._db.execute(SUM, (cell,)).fetchone()
        if size_bytes + sum(len(data) for _, data in new) > self._most:
            raise Refused("backup-full" if self._most else "keeps-no-backups")
        files = [(self._path(cell, name), data) for name, data in pieces]
        try:
            durable.create(files)
        except durable.Differs:
            raise Refused("piece-differs") from None
        durable.flush({path.parent for path, _ in files})
        with self._db:
            self._db.executemany(ADD, [(cell, name, len(data)) for name, data in pieces])

    def _get(self, cell: bytes, names: list[bytes]) -> Got:
        found: list[bytes | None] = []
        left = kept.MOST_BYTES
        for name in names:
            piece = None
            if self._is_known(cell, name):
                with contextlib.suppress(FileNotFoundError):
                    piece = self._path(cell, name).read_bytes()
            left -= len(piece or b"")
            if left < 0:
                break
            found.append(piece)
        return Got(found)

    def _drop(self, cell: bytes, names: list[bytes], at_once: bool) -> int:
        if at_once:
            known = [(cell, name) for name in names if self._is_known(cell, name)]
            return self._destroy(known)
        now = _seconds(self._clock.now())
        with self._db:
            self._db.executemany(DROP, [(now, cell, name) for name in names])
        return 0

    def _drop_all(self, cell: bytes) -> int:
        count = 0
        while rows := self._db.execute(OF, (cell,)).fetchall():
            count += self._destroy(rows)
        with self._db:
            self._db.execute(END, (cell, count))
        log.warning("the backup of a peer was destroyed", code="backup-destroyed")
        return count

    def _sweep(self) -> int:
        self._swept_at = self._clock.now()
        before, count = _seconds(self._clock.now() - DROPPED_KEPT), 0
        while rows := self._db.execute(DUE, (before,)).fetchall():
            count += self._destroy(rows)
        return count

    def _destroy(self, rows: Iterable[tuple[bytes, bytes]]) -> int:
        rows = list(rows)
        with self._db:
            self._db.executemany(DELETE, rows)
        for cell, name in rows:
            self._path(cell, name).unlink(missing_ok=True)
        return len(rows)

    def _tidy(self) -> None:
        """Removes what a stop has left: pieces that were never answered for."""
        for parent, _, names in os.walk(self._folder):
            for name in names:
                path = Path(parent, name)
                with contextlib.suppress(ValueError):
                    if self._is_known(UUID(path.parent.parent.name).bytes, bytes.fromhex(name)):
                        continue
                path.unlink()

    def _is_known(self, cell: bytes, name: bytes) -> bool:
        return self._db.execute(KNOWN, (cell, name)).fetchone() is not None

    def _kept(self, cell: bytes, destroyed: int = 0) -> Kept:
        pieces, size_bytes = self._db.execute(SUM, (cell,)).fetchone()
        return Kept(pieces, size_bytes, self._most, destroyed)

    def _path(self, cell: bytes, name: bytes) -> Path:
        digits = name.hex()
        return self._folder / str(UUID(bytes=cell)) / digits[:2] / digits


def ended(folder: Path) -> dict[UUID, int]:
    """By cell: how many pieces were destroyed because it asked for the end of its backup. Names no
    piece; for another process than the trustee's."""
    path = folder / INDEX
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as db:
        try:
            return {UUID(bytes=cell): pieces for cell, pieces in db.execute(ENDED)}
        except sqlite3.OperationalError:
            # Of an earlier version, whose trustee has not begun yet.
            return {}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
