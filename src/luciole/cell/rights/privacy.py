"""What rights stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.rights.imported_model import FIELD_OF
from luciole.cell.rights.store import erasures, exports, imported, imports
from luciole.kit import queue
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, of

_BROUGHT = "until the person forgets the list, or deletes the account"
_EXPORT = "four days, or until the person deletes it"
_IMPORT = "seven days after its end, a day where the upload is given up"

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
        "rights.import",
        "id person_id state refused_code size_bytes offset_bytes attempt progress is_checked "
        "report made_at changed_at expires_at",
        DataClass.PERSONAL,
        "an export that a person brings along, how far it is, and what became of it",
        _IMPORT,
        Border.NEVER,
    ),
    *columns(
        "rights.import_item",
        "import_id kind subject outcome made_id",
        DataClass.PERSONAL,
        "what became of each thing of an import, so that none is taken in twice",
        _IMPORT,
        Border.NEVER,
    ),
    Held(
        "blob:imports/",
        DataClass.PERSONAL,
        "an export that is brought along in pieces, each sealed with the person's data key",
        "until it has been taken in or refused, else a day",
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


_SHORT = "kept for days; after a restore it is asked for anew"
OWNED: tuple[Owned, ...] = (
    Owned("rights.export", stays=_SHORT),
    Owned("rights.import", stays=_SHORT),
    Owned("rights.import_item", stays=_SHORT),
    Owned("rights.imported", ("person_id",)),
    Owned("rights.erasure", ("person_id",)),
    Owned("rights.emptied_place", ("erasure_id > rights.erasure.id > person_id",)),
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
    Exported(
        "imports",
        "the exports of other cells that you brought along lately",
        of(
            "rights.import",
            "id state refused_code size_bytes offset_bytes attempt progress is_checked report "
            "made_at changed_at expires_at",
        ),
        imports.taken_along,
        whose="rights.import.person_id",
        stays="an import is of one cell",
    ),
    Exported(
        "import-items",
        "what became of each thing in them",
        of("rights.import_item", "import_id kind subject outcome made_id"),
        imports.items_taken_along,
        stays="an import is of one cell",
    ),
    Exported(
        "imported",
        "what you brought along from elsewhere and is not in force here: handles, links, likes",
        {**of("rights.imported", "kind version"), "list": "rights.imported.sealed"},
        _imported,
        whose="rights.imported.person_id",
        anew=frozenset({"version"}),
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
    "blob:imports/": "you brought the file, and what is in it is in your account",
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
    """Removes the person's exports and imports, and the lists that were brought along."""
    made = [str(export_id) for export_id in await exports.erase(tx, person_id)]
    brought = [str(import_id) for import_id in await imports.erase(tx, person_id)]
    await queue.forget(tx, made + brought)
    counts = {
        "exports": len(made),
        "imports": len(brought),
        "lists": await imported.erase(tx, person_id),
    }
    places = [f"exports/{one}/" for one in made] + [f"imports/{one}/" for one in brought]
    return Removed(counts, tuple(places))
