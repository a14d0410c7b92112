"""What rights stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.rights.imported_model import FIELD_OF
from luciole.cell.rights.store import erasures, exports, imported
from luciole.kit import queue
from luciole.kit.catalogue import Border, DataClass, Held, Removed, columns
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
    *columns(
        "rights.erasure",
        "id state asked_at due_at done_at removed ref leaf nonce opening",
        DataClass.PERSONAL,
        "tells who holds the ticket what became of an erasure; it names nobody once that is over",
        "for good; until the wish is taken back",
        Border.NEVER,
    ),
    Held(
        "rights.erasure.ticket_hash",
        DataClass.SECRET,
        "finds an erasure by its ticket",
        "for good; until the wish is taken back",
        Border.NEVER,
    ),
    Held(
        "rights.erasure.person_id",
        DataClass.PERSONAL,
        "says whom to erase",
        "until the person is erased or the wish is taken back",
        Border.NEVER,
    ),
    *columns(
        "rights.emptied_place",
        "erasure_id place",
        DataClass.PERSONAL,
        "where objects of somebody who is being erased were or may still appear",
        "until nothing can appear there: minutes, two hours at most",
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
    Exported(
        "erasure",
        "your wish to be erased, while it waits; later only its ticket finds it",
        of("rights.erasure", "id state asked_at due_at"),
        erasures.taken_along,
        whose="rights.erasure.person_id",
        stays="an erasure is of one cell",
    ),
)
_AFTERWARDS = "is there only when the account is not; who has the ticket can ask for it"
NOT_EXPORTED: dict[str, str] = {
    "blob:exports/": "an export is not a part of itself",
    **{
        f"rights.erasure.{name}": _AFTERWARDS
        for name in ("done_at", "removed", "ref", "leaf", "nonce", "opening")
    },
    **{
        f"rights.emptied_place.{name}": "is there only when nobody can ask for an export any more"
        for name in ("erasure_id", "place")
    },
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes the person's exports, and the lists that were brought along."""
    gone = [str(export_id) for export_id in await exports.erase(tx, person_id)]
    await queue.forget(tx, gone)
    counts = {"exports": len(gone), "lists": await imported.erase(tx, person_id)}
    return Removed(counts, tuple(f"exports/{one}/" for one in gone))
