"""Which feeds there are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class FeedPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the clip published then, with this id."""

    published_at: datetime
    id: UUID
