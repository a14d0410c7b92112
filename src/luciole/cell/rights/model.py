"""What exports and imports are, and why one is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, NotFound

ExportState = Literal["queued", "running", "ready", "failed"]

EXPORT_KEPT = timedelta(days=4)
# Plaintext of one sealed piece of a long file.
PIECE_BYTES = 1024 * 1024
# Starts of one export, kills and failures included, before it counts as failed.
MAX_ATTEMPTS = 8
# Without a sign of life for so long, work is begun anew.
STUCK_AFTER = timedelta(minutes=10)
# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
EXPORT_FIELD = "export.chunk"


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
