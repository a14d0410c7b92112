"""What rights stores."""

from __future__ import annotations

from luciole.kit.catalogue import Border, DataClass, Held, columns

_EXPORT = "four days, or until the person deletes it"

HELD: tuple[Held, ...] = (
    *columns(
        "rights.export",
        "id person_id state attempt progress size_bytes pieces made_at expires_at",
        DataClass.PERSONAL,
        "an export that a person asked for, and how far it is",
        _EXPORT,
        Border.NEVER,
    ),
)
