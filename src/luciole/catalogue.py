"""Everything that a cell stores about anybody, gathered from the slices that declare it."""

from __future__ import annotations

from luciole.cell.clips import privacy as clips
from luciole.cell.feed import privacy as feed
from luciole.cell.graph import privacy as graph
from luciole.cell.media import privacy as media
from luciole.cell.notify import privacy as notify
from luciole.cell.people import privacy as people
from luciole.kit.catalogue import Border, DataClass, Held, columns
from luciole.kit.logs import FIELDS

_HOUSE: tuple[Held, ...] = (
    *columns(
        "house.migration",
        "name sha256 applied_at",
        DataClass.TELEMETRY,
        "which versions of the tables this database has been through",
        "for ever",
        Border.NEVER,
    ),
    *(
        Held(
            f"log:{name}",
            DataClass.TELEMETRY,
            says,
            "as long as the operator keeps the log files",
            Border.NEVER,
        )
        for name, says in FIELDS.items()
    ),
)

ALL: tuple[Held, ...] = (
    *people.HELD,
    *notify.HELD,
    *media.HELD,
    *graph.HELD,
    *clips.HELD,
    *feed.HELD,
    *_HOUSE,
)
