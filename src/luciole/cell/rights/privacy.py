"""What rights stores."""

from __future__ import annotations

from luciole.cell.rights.store import exports
from luciole.kit.catalogue import Border, DataClass, Held, columns
from luciole.kit.exported import Exported, of

_EXPORT = "four days, or until the person deletes it"

HELD: tuple[Held, ...] = (
    *columns(
        "rights.export",
        "id person_id state attempt progress size_bytes pieces made_at changed_at expires_at",
        DataClass.PERSONAL,
        "an export that a person asked for, and how far it is",
        _EXPORT,
        Border.NEVER,
    ),
    Held(
        "blob:exports/",
        DataClass.PERSONAL,
        "an export in pieces, each sealed with the person's data key",
        _EXPORT,
        Border.NEVER,
    ),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "exports",
        "the exports that you asked for and that are still kept",
        of(
            "rights.export",
            "id state attempt progress size_bytes pieces made_at changed_at expires_at",
        ),
        exports.taken_along,
        whose="rights.export.person_id",
        stays="an export is of one cell",
    ),
)
NOT_EXPORTED: dict[str, str] = {
    "blob:exports/": "an export is not a part of itself",
}
