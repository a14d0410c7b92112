"""What exports and imports are, and why one is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.media.model import Refusal
from luciole.kit.errors import Conflict, NotFound, TooLarge, TooMany

ExportState = Literal["queued", "running", "ready", "failed"]
ItemKind = Literal["account", "avatar", "contact", "clip", "like", "follow"]
# `encoding`: a clip whose film is not one of ours is made anew. `carried`: kept, not in force here.
Outcome = Literal["taken", "encoding", "carried", "left"]
ImportState = Literal["uploading", "queued", "running", "done", "refused"]

EXPORT_KEPT = timedelta(days=4)
MAX_EXPORTS = 3
# Plaintext of one sealed piece of a long file.
PIECE_BYTES = 1024 * 1024
# Starts of one export, kills and failures included, before it counts as failed.
MAX_ATTEMPTS = 8
# Without a sign of life for so long, work is begun anew.
STUCK_AFTER = timedelta(minutes=10)
# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
EXPORT_FIELD = "export.chunk"
IMPORT_FIELD = "import.chunk"
# An upload that nobody goes on with, and the report on one that was taken in.
UPLOAD_KEPT = timedelta(days=1)
REPORT_KEPT = timedelta(days=7)


# So long an account is hidden, and can be kept after all, before it is erased.
GRACE = timedelta(days=30)
# Then backups cannot be read and the database's own remains are gone: a week between two rotations
# of the keys, and a day for the rotation.
UNREADABLE_AFTER = timedelta(days=8)
TICKET_BYTES = 32

# waiting: for its day; erasing: row by row; emptying: objects and key are left; erased: all gone.
ErasureState = Literal["waiting", "erasing", "emptying", "erased"]


class Entry(msgspec.Struct, frozen=True):
    """An entry of the access log, with what opens it; `ref` is by what the log knows it."""

    ref: int
    leaf: bytes
    nonce: bytes
    opening: bytes


class Erasure(msgspec.Struct, frozen=True):
    """What became of the wish to be forgotten. `person_id` is None once it is over."""

    id: UUID
    person_id: UUID | None
    state: ErasureState
    asked_at: datetime
    due_at: datetime
    done_at: datetime | None
    removed: dict[str, int]
    entry: Entry | None


class NoSuchErasure(NotFound):
    code = "no-such-erasure"
    sentence = "There is no erasure for this ticket; it may have been taken back or asked for anew."
    next_step = "Check the ticket: it is shown once, when the erasure is asked for."


class NotLeaving(NotFound):
    code = "not-leaving"
    sentence = "This account is not about to be erased."
    next_step = "Reload the page."


class ErasureBegun(Conflict):
    code = "erasure-begun"
    sentence = "This account is being erased already."
    next_step = "Ask with the ticket how far it is."


class Export(msgspec.Struct, frozen=True):
    """An export that a person asked for."""

    id: UUID
    person_id: UUID
    state: ExportState
    attempt: int
    progress: int
    size_bytes: int
    pieces: int
    made_at: datetime
    expires_at: datetime

    @property
    def folder(self) -> str:
        """Below what its objects lie, those of all attempts."""
        return f"exports/{self.id}/"

    @property
    def prefix(self) -> str:
        """Where the pieces of this attempt lie."""
        return f"{self.folder}{self.attempt}-"


class Import(msgspec.Struct, frozen=True):
    """An export that a person brings along; `offset_bytes` of it have arrived for good."""

    id: UUID
    person_id: UUID
    state: ImportState
    refused_code: str | None
    size_bytes: int
    offset_bytes: int
    attempt: int
    progress: int
    is_checked: bool
    report: str | None
    made_at: datetime
    expires_at: datetime

    @property
    def prefix(self) -> str:
        """Where its pieces lie."""
        return f"imports/{self.id}/"


class CellFacts(msgspec.Struct, frozen=True):
    """The cell as an export names it. `objects` says in words where stored files lie."""

    name: str
    operator: str
    jurisdiction: str
    origin: str
    version: str
    objects: str


class NoSuchEntry(NotFound):
    code = "no-such-entry"
    sentence = "The log has no entry with this number about you."
    next_step = "Reload your journal."


class NotInLogYet(Conflict):
    code = "not-in-log-yet"
    sentence = "This entry waits for the log's next checkpoint."
    next_step = "Ask again in a few seconds."


class TooManyExports(TooMany):
    code = "too-many-exports"
    sentence = f"The cell keeps {MAX_EXPORTS} exports of one person at most."
    next_step = "Download the last one and delete one of them, or wait until one has expired."


class ExportNotReady(Conflict):
    code = "export-not-ready"
    sentence = "This export is not ready yet."
    next_step = "Wait until it is; the list of your exports shows how far it is."


class NoSuchExport(NotFound):
    code = "no-such-export"
    sentence = "There is no such export; exports are kept for four days."
    next_step = "Ask for a new one."


class ExportUnderWay(Conflict):
    code = "export-under-way"
    sentence = "An export of your data is being made already."
    next_step = "Wait until it is ready, or delete it and ask again."


class NoSuchImport(NotFound):
    code = "no-such-import"
    sentence = "There is no such import, or its upload has expired."
    next_step = "Start it again with the same file."


class ImportUnderWay(Conflict):
    code = "import-under-way"
    sentence = "An import is under way already."
    next_step = "Wait for its end, or delete it, then start this one."


class NotFresh(Conflict):
    code = "not-fresh"
    sentence = "This account has clips already; an import is for a new account."
    next_step = "Make a new account and import there."


class ImportTooLarge(TooLarge):
    code = "import-too-large"
    sentence = "This file is larger than the cell takes as an import."
    next_step = "Ask the operator of this cell to raise the limit for a while."


_TAKE_ANEW = "Choose the file as you downloaded it; if that is it, make a new export."

# Why an import is refused, before anything of it is taken in.
REFUSALS: dict[str, Refusal] = {
    refusal.code: refusal
    for refusal in (
        Refusal(
            "import-not-a-zip",
            "This file is not a ZIP archive, or it is not whole.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-too-many-files",
            "There are more files in this archive than any export has.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-bad-name",
            "A file in this archive has a name that no export has.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-twice",
            "Two files in this archive have the same name, or lie in the same place.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-no-plain-file",
            "Something in this archive is a link, a folder or encrypted, and not a plain file.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-too-much-inside",
            "What is in this archive is larger than the cell takes, once it is unpacked.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-no-export",
            "This archive is not an export of Luciole that this cell can read.",
            "Choose a file that was downloaded from Settings, Your data.",
        ),
        Refusal(
            "import-wrong-hash",
            "A file in this archive is not what its manifest says: it was changed or damaged.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-not-as-listed",
            "The files in this archive are not the ones that its manifest lists.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-bad-list",
            "A list in this archive is not in the form that an export has.",
            _TAKE_ANEW,
        ),
        Refusal(
            "import-not-now",
            "The cell tried several times and could not take this import in.",
            "Try again tomorrow. If it goes on, tell the operator of this cell.",
        ),
    )
}


class Unimportable(Exception):
    """An archive cannot be taken in; `code` names the refusal."""

    def __init__(self, code: str) -> None:
        assert code in REFUSALS, code
        self.code = code
        super().__init__(code)
