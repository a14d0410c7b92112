"""Blinded look-ups for other cells: this cell's half of each one's key for contact discovery.

A peer has a key of its own here, so that what one cell asks says nothing about another's people.
It is drawn anew for each round that the peer begins, one a day at most, and destroyed once the peer
says that the round is over. Counts go on over all rounds.
Who asks there is a pseudonym that the peer makes; each is counted against the same quota as there,
and a peer can bring only so many new ones a day, so that it cannot make up askers to try numbers.
Points are as good as random: neither a number nor a person is in what comes here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import msgspec

from luciole import blind
from luciole.border.wire import Lookup, LookupAnswer
from luciole.trustee.asked import Refused

KIND = "lookup"
MOST_BYTES = 64 * 1024
ASKER_BYTES = 16
INFO = b"luciole/contacts/v1"
SALT_BYTES = 32
MAX_ROUND = 2**31 - 1
# As `cell.contacts.model` has them; a test compares.
FIRST_POINTS = 1_000
POINTS_PER_DAY = 50
MAX_POINTS_AT_ONCE = 1_000
# Who asks nothing for so long is forgotten, and counts as new when they come back.
FORGOTTEN_DAYS = 400

_TABLES = """
CREATE TABLE IF NOT EXISTS asker (
    cell BLOB NOT NULL, asker BLOB NOT NULL, since TEXT NOT NULL, last TEXT NOT NULL,
    points INTEGER NOT NULL, PRIMARY KEY (cell, asker)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day (
    cell BLOB NOT NULL, day TEXT NOT NULL, points INTEGER NOT NULL DEFAULT 0,
    askers INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (cell, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS round (
    cell BLOB NOT NULL, number INTEGER NOT NULL, salt BLOB NOT NULL, made TEXT NOT NULL,
    PRIMARY KEY (cell, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oldest (
    cell BLOB NOT NULL PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""


def _today() -> date:
    return datetime.now(UTC).date()


class Lookups:
    """The handler of `lookup`. One process has a file."""

    def __init__(
        self,
        place: Path,
        key: bytes,
        *,
        new_askers_per_day: int = 1_000,
        today: Callable[[], date] = _today,
    ) -> None:
        """`key`: 32 secret bytes, the same at each start; keys of peers are derived from them."""
        self._place, self._key = place, key
        self._most_new, self._today = new_askers_per_day, today
        self._writing = asyncio.Lock()
        with self._open() as db:
            db.executescript(_TABLES)
        place.chmod(0o600)

    async def __call__(self, peer: UUID, body: bytes) -> bytes:
        """Evaluates points of a peer, or, without points, tells the public key. Raises Refused."""
        try:
            asked = msgspec.msgpack.decode(body, type=Lookup)
        except msgspec.DecodeError as error:
            raise Refused("bad-lookup") from error
        number, rest = divmod(len(asked.points), blind.POINT_BYTES)
        is_plain = asked.v == 1 and len(asked.asker) == ASKER_BYTES and not rest
        is_round = 1 <= asked.oldest <= asked.round <= MAX_ROUND
        if not (is_plain and is_round) or number > MAX_POINTS_AT_ONCE:
            raise Refused("bad-lookup")
        async with self._writing:
            key = await asyncio.to_thread(self._key_of, peer, asked.round, asked.oldest, not number)
        if not number:
            return msgspec.msgpack.encode(LookupAnswer(blind.public_key(key)))
        async with self._writing:
            await asyncio.to_thread(self._count, peer.bytes, asked.asker, number)
        try:
            answers, proof = await asyncio.to_thread(blind.evaluate, key, asked.points)
        except blind.BadPoint as error:
            raise Refused("bad-lookup") from error
        return msgspec.msgpack.encode(LookupAnswer(blind.public_key(key), answers, proof))

    def asked_on(self, peer: UUID, day: date) -> int:
        """How many points a peer has asked on a day."""
        with self._open() as db:
            sought = "SELECT points FROM day WHERE cell = ? AND day = ?"
            row = db.execute(sought, (peer.bytes, str(day))).fetchone()
        return int(row[0]) if row else 0

    def _key_of(self, peer: UUID, number: int, oldest: int, may_draw: bool) -> bytes:
        """Our half for a round of a peer; all before its `oldest` are destroyed. Raises Refused."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            sought = "SELECT number FROM oldest WHERE cell = ?"
            row = db.execute(sought, (peer.bytes,)).fetchone()
            over = row[0] if row else 1
            if oldest > over:
                # First the round that is not to be made again, then what made it.
                db.execute("INSERT OR REPLACE INTO oldest VALUES (?, ?)", (peer.bytes, oldest))
                gone = "DELETE FROM round WHERE cell = ? AND number < ?"
                db.execute(gone, (peer.bytes, oldest))
            if number < max(oldest, over):
                raise Refused("no-such-round")
            salt = self._salt(db, peer.bytes, number, may_draw)
            db.execute("COMMIT")
        told = b"luciole/contacts/peer/v1\0" + peer.bytes
        if number > 1:
            told = b"luciole/contacts/peer/v2\0" + peer.bytes + number.to_bytes(4, "big") + salt
        return blind.derive_key(hmac.digest(self._key, told, hashlib.sha256), INFO)

    def _salt(self, db: sqlite3.Connection, cell: bytes, number: int, may_draw: bool) -> bytes:
        """What makes the half of a round with the trustee's key, drawn where the round is new.
        Raises Refused for a round that is not there, and for a second one in a day."""
        if number == 1:
            return b""
        sought = "SELECT salt FROM round WHERE cell = ? AND number = ?"
        if row := db.execute(sought, (cell, number)).fetchone():
            return bytes(row[0])
        newest, made = db.execute(
            "SELECT max(number), max(made) FROM round WHERE cell = ?", (cell,)
        ).fetchone()
        today = str(self._today())
        if not may_draw or number <= (newest or 1) or made == today:
            raise Refused("no-such-round")
        salt = secrets.token_bytes(SALT_BYTES)
        db.execute("INSERT INTO round VALUES (?, ?, ?, ?)", (cell, number, salt, today))
        return salt

    def _count(self, cell: bytes, asker: bytes, number: int) -> None:
        """Counts points before they are evaluated. Raises Refused where they are too many."""
        today = self._today()
        day, who = (cell, str(today)), (cell, asker)
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT OR IGNORE INTO day (cell, day) VALUES (?, ?)", day)
            sought = "SELECT since, points FROM asker WHERE cell = ? AND asker = ?"
            row = db.execute(sought, who).fetchone()
            if row is None:
                row = self._new(db, day, asker)
            days = max((today - date.fromisoformat(row[0])).days, 0)
            if row[1] + number > FIRST_POINTS + POINTS_PER_DAY * days:
                raise Refused("asked-too-much")
            db.execute(
                "UPDATE asker SET points = points + ?, last = ? WHERE cell = ? AND asker = ?",
                (number, str(today), *who),
            )
            db.execute(
                "UPDATE day SET points = points + ? WHERE cell = ? AND day = ?", (number, *day)
            )
            db.execute("COMMIT")

    def _new(self, db: sqlite3.Connection, day: tuple[bytes, str], asker: bytes) -> tuple[str, int]:
        """Takes in somebody who was not here. Raises Refused where a cell brings too many."""
        cell, today = day
        sought = "SELECT askers FROM day WHERE cell = ? AND day = ?"
        (new,) = db.execute(sought, day).fetchone()
        if new >= self._most_new:
            raise Refused("too-many-askers")
        db.execute("INSERT INTO asker VALUES (?, ?, ?, ?, 0)", (cell, asker, today, today))
        db.execute("UPDATE day SET askers = askers + 1 WHERE cell = ? AND day = ?", day)
        db.execute(
            "DELETE FROM asker WHERE julianday(?) - julianday(last) > ?", (today, FORGOTTEN_DAYS)
        )
        return today, 0

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._place, isolation_level=None, timeout=5)
        try:
            db.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten: a salt that is still on the disk is no salt destroyed.
            db.execute("PRAGMA secure_delete = ON")
            yield db
        finally:
            # What was not committed is rolled back by it.
            db.close()
