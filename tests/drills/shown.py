"""What two cells show to everybody, as it has to be: made anew from the entries of their logs and
compared with what was on the wire, byte for byte or, for heads, signature for signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.border.conftest import Cell
from tests.ledger.house import read_entries, said

from luciole.border import passport
from luciole.ledger.merkle import Refused, leaf_hash, root_of, verify_inclusion
from luciole.ledger.note import Checkpoint, Note, VerifierKey
from luciole.ledger.proof import Proof
from luciole.ledger.tiles import ENTRIES, WIDTH, Tile, bundle_of


@dataclass
class Log:
    """A log as its files have it now; it only grows, so what was shown before is in it."""

    folder: Path
    origin: str
    entries: list[bytes]
    leaves: list[bytes]

    @classmethod
    def of(cls, folder: Path, origin: str) -> Log:
        size = said((folder / "pending").read_bytes())[0]
        entries = read_entries(folder, size)
        return cls(folder, origin, entries, [leaf_hash(one) for one in entries])


class Shown:
    """All that is public of both cells."""

    def __init__(self, passports: dict[str, str], folders: dict[str, Path]) -> None:
        self.passports, self._folders = passports, folders
        self.read = {name: passport.read(note.encode()) for name, note in passports.items()}
        self.logs = {
            (name, log): Log.of(folders[name] / log, f"luciole/{one.cell_id}/{log}")
            for name, one in self.read.items()
            for log in passport.LOGS
        }
        self.keys = {
            VerifierKey.parse(key)
            for one in self.read.values()
            for key in (*one.log_keys, *one.witness_keys)
        }

    @classmethod
    async def by(cls, *cells: Cell) -> Shown:
        """Passports as the cells have compared them when they became peers."""
        notes = dict[str, str]()
        for cell in cells:
            for name, note in await cell.rows("SELECT name, passport FROM border.peer"):
                notes[name] = note
        return cls(notes, {one.name: Path(one.settings.blobs_place) / "ledger" for one in cells})

    def fault(self, cell: str, path: str, body: bytes) -> str:
        """What is wrong with a file that a cell has shown."""
        match path.split("/")[1:]:
            case [".well-known", "luciole-cell"]:
                return "" if body.decode() == self.passports[cell] else "another passport"
            case ["ledger", "policy"]:
                # It has grown since, by the witnesses of peers.
                lines = (self._folders[cell] / "policy").read_bytes().split(b"\n")
                return "" if set(body.split(b"\n")) <= set(lines) else "another policy"
            case ["ledger", log, *name]:
                return self._of_log(self.logs[cell, log], "/".join(name), body)
            case ["witness", digest, *name]:
                for one in self.logs.values():
                    if sha256(one.origin.encode()).hexdigest() == digest:
                        return self._of_log(one, "/".join(name), body)
        return "a file of nothing that is shown"

    def _of_log(self, log: Log, name: str, body: bytes) -> str:
        if name == "handover":
            return "" if body == (log.folder / name).read_bytes() else "another handover"
        if name in ("checkpoint", "pending"):
            return "" if self.head(body.decode("utf-8", "replace"), log) else "another head"
        return "" if body == _tile(log, Tile.of_path(name)) else "another tile"

    def head(self, note: str, log: Log) -> Checkpoint | None:
        """The head that a note is: of this log, right, with no line but signatures of the log and
        of both cells' witnesses; None where it is something else."""
        try:
            parsed = Note.parse(note)
            head = Checkpoint.parse(parsed.text)
            for line in parsed.lines:
                Note(parsed.text, (line,)).verify(self.keys)
        except Refused:
            return None
        size = head.size
        is_right = (
            head.origin == log.origin
            and str(head) == parsed.text
            and size <= len(log.leaves)
            and root_of(log.leaves[:size]) == head.root
        )
        return head if is_right else None

    def is_proof(self, text: str, entry: bytes, log: Log) -> bool:
        """Whether this proves that an entry is in a log, and says nothing else."""
        try:
            proof = Proof.parse(text)
        except Refused:
            return False
        is_whole = proof.extra is None and str(proof) == text
        return is_whole and self.leads(proof.checkpoint, log, entry, proof.index, proof.path)

    def leads(self, note: str, log: Log, entry: bytes, index: int, path: Any) -> bool:
        """Whether these hashes lead from an entry to a head of the log."""
        head = self.head(note, log)
        try:
            assert head is not None
            verify_inclusion(index, head.size, leaf_hash(entry), path, head.root)
        except (Refused, AssertionError):
            return False
        return log.entries[index] == entry


def _tile(log: Log, tile: Tile) -> bytes:
    start = tile.index * WIDTH
    if tile.level == ENTRIES:
        return bundle_of(log.entries[start : start + tile.width])
    below = WIDTH**tile.level
    parts = (log.leaves[at * below : (at + 1) * below] for at in range(start, start + tile.width))
    return b"".join(root_of(part) for part in parts)
