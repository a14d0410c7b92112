"""What rows of people become, and where a page of them begins."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.graph.model import Follows, Listed, ListPlace
from luciole.kit.db import Row
from luciole.kit.ids import LAST_ID


def split(place: ListPlace | None) -> tuple[datetime, UUID]:
    # The top is a place too: a test for NULL in the query would keep the index from seeking.
    return (place.made_at, place.id) if place else (datetime.max.replace(tzinfo=UTC), LAST_ID)


def follows_of(state: str | None) -> Follows:
    if state == "accepted":
        return "yes"
    return "pending" if state == "pending" else "no"


def listed_of(rows: list[Row]) -> list[Listed]:
    return [
        Listed(
            row["id"],
            row["handle"],
            row["display_name"],
            row["avatar_key"],
            follows_of(row["mine"]),
            row["made_at"],
        )
        for row in rows
    ]
