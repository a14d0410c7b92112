"""What rights stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.rights.imported_model import FIELD_OF
from luciole.cell.rights.store import exports, imported
from luciole.kit.catalogue import Border, DataClass, Held, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, of

_BROUGHT = "until the person forgets the list, or deletes the account"
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
    *columns(
        "rights.imported",
        "person_id kind version",
        DataClass.PERSONAL,
        "says which lists a person has brought along from another network",
        _BROUGHT,
        Border.NEVER,
    ),
    Held(
        "rights.imported.sealed",
        DataClass.PERSONAL,
        "handles to look for and links that a person has brought along, sealed with their data key",
        _BROUGHT,
        Border.NEVER,
    ),
)


async def _imported(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in imported.taken_along(tx, person_id):
        sealed = Sealed(FIELD_OF[row["kind"]], row["version"], row.pop("sealed"))
        yield {**row, "list": sealed}


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
    Exported(
        "imported",
        "what you brought along from another network: handles to look for, and links",
        {**of("rights.imported", "kind version"), "list": "rights.imported.sealed"},
        _imported,
        whose="rights.imported.person_id",
        stays="lists come out of that network's archive, which you can bring again",
    ),
)
NOT_EXPORTED: dict[str, str] = {
    "blob:exports/": "an export is not a part of itself",
}
