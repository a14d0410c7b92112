"""What exports and imports are, and why one is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, NotFound

ExportState = Literal["queued", "running", "ready", "failed"]

EXPORT_KEPT = timedelta(days=4)
# Plaintext of one sealed piece of an export.
PIECE_BYTES = 1024 * 1024


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


class NoSuchExport(NotFound):
    code = "no-such-export"
    sentence = "There is no such export; exports are kept for four days."
    next_step = "Ask for a new one."


class ExportUnderWay(Conflict):
    code = "export-under-way"
    sentence = "An export of your data is being made already."
    next_step = "Wait until it is ready, or delete it and ask again."
