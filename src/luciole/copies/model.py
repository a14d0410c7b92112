"""What a backup says about itself, and why one is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotFound, Unavailable

FORMAT = "luciole-backup-v1"
MANIFEST = "manifest.json"


class Part(msgspec.Struct, frozen=True):
    """A file of rows: its size, its SHA-256 (hex), how many records are in it."""

    file: str
    size_bytes: int
    sha256: str
    records: int


class TablePart(Part, frozen=True):
    """A table: its name and its columns in the order of the copied lines."""

    table: str
    columns: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True):
    """The whole of a backup. `unsealed` counts rows of persons who had no key, and are not in it;
    `gone` objects that were deleted while it was made."""

    format: str
    id: UUID
    cell_id: UUID
    made_at: datetime
    version: str
    migrations: tuple[str, ...]
    persons: Part
    objects: Part
    tables: tuple[TablePart, ...]
    unsealed: int
    gone: int

    @property
    def rows_dir(self) -> str:
        return f"rows-{self.id}"


class NoBackup(NotFound):
    code = "no-backup"
    sentence = "There is no whole backup in this folder."
    next_step = "Name the folder with manifest.json. If there is none, the backup never ended."


class OtherCell(Conflict):
    code = "backup-of-another-cell"
    sentence = "This backup is of another cell: its keys are not here."
    next_step = "Put that cell's key folder into keys/ of the data folder first."


class NewerBackup(Conflict):
    code = "backup-newer"
    sentence = "This backup was made by a newer version of Luciole."
    next_step = "Restore it with that version."


class NotEmpty(Conflict):
    code = "restore-not-empty"
    sentence = "There are people in this database, so nothing is put into it."
    next_step = "Restore into an empty data folder that holds the keys and nothing else."


class Damaged(Invalid):
    code = "backup-damaged"
    sentence = "A file of this backup is missing or was changed."
    next_step = "Use an earlier backup, or a copy of this one."


class CellRuns(Conflict):
    code = "cell-runs"
    sentence = "The cell is running in this folder."
    next_step = "Stop it first."


class NotWritten(Unavailable):
    code = "backup-not-written"
    sentence = "The backup could not be written as it should be; the former one is still whole."
    next_step = "Check the disk of the backup, then start it again."


def read(folder: Path) -> Manifest:
    """Raises NoBackup, Damaged."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NoBackup from None
    except msgspec.MsgspecError as error:
        raise Damaged from error
    if manifest.format != FORMAT:
        raise NewerBackup
    return manifest
