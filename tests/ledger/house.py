"""A log over a real database and a folder, with a witness in the same process; and a second look at
what the log has published, by code of its own."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from luciole.border.peers import Answer, Witnesses
from luciole.kit.blobs import Blobs
from luciole.kit.clock import SetClock
from luciole.kit.db import Database
from luciole.ledger import entry, store
from luciole.ledger.archive import Tiles
from luciole.ledger.note import KeyKind, Note, Signer
from luciole.ledger.policy import Policy
from luciole.ledger.sequencer import Sequencer
from luciole.witness.cosigner import Witness
from luciole.witness.mirror import Refusal

CELL = "0f8fad5b-d9cb-469f-a165-70867728950e"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TABLES = ("inbox", "taken", "state", "seal", "staged", "checkpoint", "cosignature", "place")


def person(minute: int | None = None, kind: entry.Kind = entry.Kind.GRANT) -> bytes:
    """An entry about somebody, with a label that comes once."""
    minute = minute_of(NOON) if minute is None else minute
    made = entry.PersonEntry(kind, entry.Class.SELF, minute, os.urandom(32), os.urandom(32))
    return made.encode()


def minute_of(at: datetime) -> int:
    return int(at.timestamp()) // 60


# By code of its own


def naive_root(entries: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\1" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def read_log(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """All entries under the published head, and the signed notes `pending` and `checkpoint`."""
    notes = [(folder / name).read_bytes() for name in ("pending", "checkpoint")]
    entries = read_entries(folder, int(notes[1].split(b"\n")[1]))
    return entries, notes


def read_entries(folder: Path, size: int) -> list[bytes]:
    """The first entries of a log out of its bundles."""
    entries: list[bytes] = []
    for index in range(-(-size // 256)):
        digits = str(index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        path = folder / "tile" / "entries" / "/".join([f"x{p}" for p in parts[:-1]] + parts[-1:])
        width = min(size - index * 256, 256)
        if width < 256 and not path.exists():
            path = Path(f"{path}.p") / str(width)
        raw, here = path.read_bytes(), []
        while raw:
            length = int.from_bytes(raw[:2], "big")
            here.append(raw[2 : 2 + length])
            raw = raw[2 + length :]
        entries += here[:width]
    return entries


def said(note: bytes) -> tuple[int, bytes]:
    """Size and root of a head."""
    lines = note.split(b"\n")
    return int(lines[1]), base64.b64decode(lines[2])


class Near:
    """A witness that is called without HTTP."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.is_away = False
        self.statuses: list[int] = []

    async def head(self, origin: str) -> bytes | None:
        if self.is_away:
            raise TimeoutError
        try:
            return await self.witness.read(f"{sha256(origin.encode()).hexdigest()}/checkpoint")
        except Exception:
            return None

    async def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        if self.is_away:
            raise TimeoutError
        lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", ""]
        try:
            lines_back = await self.witness.add_checkpoint("\n".join(lines).encode() + note)
            answer = Answer(200, lines_back.encode())
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body.encode())
        self.statuses.append(answer.status)
        return answer


class House:
    """One log and all that belongs to it."""

    def __init__(self, db: Database, api: Database, owner: Any, home: Path, log: str) -> None:
        self.db, self.api, self.owner, self.home, self.log = db, api, owner, home, log
        self.clock = SetClock(NOON)
        self.folder = home / "blobs" / "ledger" / log
        self.blobs = Blobs.open(str(home / "blobs"))
        self.signer = Signer(f"luciole/{CELL}/{log}", KeyKind.ED25519, log.encode().ljust(32))
        self.cosigners = [
            Signer("near", KeyKind.COSIGNATURE, b"w" * 32),
            Signer("near", KeyKind.SUBTREE, b"w" * 32),
        ]
        self.told: list[str] = []
        self.witness = self.new_witness("witness")
        self.near = Near(self.witness)
        self.policy = Policy.parse(
            (
                f"log {self.signer.verifier}\n"
                f"witness near {self.cosigners[0].verifier}\n"
                f"witness near-pq {self.cosigners[1].verifier}\n"
                "quorum near\n"
            ).encode()
        )

    def new_witness(self, name: str) -> Witness:
        """The witness in a folder of that name."""

        async def get(path: str) -> bytes:
            return await self.blobs.get(f"ledger/{self.log}/{path}")

        made = Witness(
            self.home / name,
            self.cosigners,
            lambda: self.clock.now().timestamp(),
            self.told.append,
        )
        made.follow(self.signer.verifier, Tiles(get), has_seals=self.log == "access")
        return made

    def sequencer(self, **more: Any) -> Sequencer:
        """A sequencer of this log, with other parts than the house's where they are given."""
        given: dict[str, Any] = {
            "db": self.db,
            "blobs": self.blobs,
            "policy": self.policy,
            "witnesses": Witnesses(self.signer.verifier, [self.near]),  # type: ignore[list-item]
            "clock": self.clock,
        }
        return Sequencer(self.log, self.signer, **(given | more))

    async def put(self, *entries: bytes, first_ref: int | None = None) -> None:
        """Hands entries over, as one act of the API process."""
        async with self.api.tx() as tx:
            for number, one in enumerate(entries):
                ref = None if first_ref is None else first_ref + number
                await store.put(tx, self.log, one, ref)

    def published(self) -> list[bytes]:
        """The entries under the published head, whose root, signatures and tiles are checked."""
        entries, (pending, checkpoint) = read_log(self.folder)
        for note in (pending, checkpoint):
            size, root = said(note)
            assert root == naive_root(read_entries(self.folder, size))
            Note.parse(note).verify([self.signer.verifier])
        self.policy.check(checkpoint)
        return entries

    # What a backup holds

    async def backup(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of the log's tables."""
        return {
            table: [tuple(row) for row in await self.owner.fetch(f"SELECT * FROM ledger.{table}")]
            for table in TABLES
        }

    async def restore(self, held: dict[str, list[tuple[Any, ...]]]) -> None:
        """Puts the database back to a backup, and nothing else."""
        await self.owner.execute(";".join(f"DELETE FROM ledger.{one}" for one in TABLES))
        for table in TABLES:
            await self.owner.copy_records_to_table(table, schema_name="ledger", records=held[table])

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.owner.fetch(sql, *values)]

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


async def connect(url: str) -> Any:
    """A connection as the owner."""
    return await asyncpg.connect(url)


class Stop(Exception):
    """Where a process is ended in a test."""


def stopping_at(step: str) -> Callable[[str], None]:
    """A hook that ends a sequencer at a step."""

    def at(reached: str) -> None:
        if reached == step:
            raise Stop(step)

    return at
