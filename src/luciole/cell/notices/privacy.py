"""What notices store."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.notices import store
from luciole.cell.notices.store import measures
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

_ABOUT = "until the account is erased; the notice stays, and says no more whom it was about"

HELD: tuple[Held, ...] = (
    *columns(
        "notices.notice",
        "id what countries ground ordered_by law reason appeal until request_id staff state "
        "is_named made_at begun_at ended_at ended_why commitment",
        DataClass.PUBLIC,
        "the public notice: what is withheld where, by whose order, and how to appeal",
        "for ever, as the entry in the log",
        Border.PUBLISHED,
    ),
    *columns(
        "notices.subject",
        "notice_id person_id clip_id cell said nonce told",
        DataClass.PERSONAL,
        "whom a notice is about, and whether they have been told",
        _ABOUT,
        Border.NEVER,
    ),
    *columns(
        "notices.measure",
        "id effect what person_id clip_id comment_id countries label begun_at until ended_at",
        DataClass.PERSONAL,
        "what a decision of moderators does to something of a person",
        "until the account is erased; the statement stays, and says no more whom it was about",
        Border.NEVER,
    ),
    *columns(
        "notices.request",
        "id authority country law asks_for persons received_on gag_until nonce made_at is_told "
        "outcome settled_at is_settled_told",
        DataClass.PUBLIC,
        "the public count of orders by authorities; under a gag, until it ends, for the operator",
        "for ever, as the entry in the log",
        Border.PUBLISHED,
    ),
)

OWNED: tuple[Owned, ...] = (
    Owned("notices.notice"),
    Owned("notices.subject", ("person_id",)),
    Owned("notices.request"),
    Owned("notices.measure", ("person_id",)),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "measures",
        "what decisions of moderators do or did to what is yours",
        of(
            "notices.measure",
            "id effect what clip_id comment_id countries label begun_at until ended_at",
        ),
        measures.export,
        whose="notices.measure.person_id",
        stays="a decision is of one cell",
    ),
    Exported(
        "notices",
        "what of yours is or was withheld, where, by whose order, and how to appeal",
        {
            **of(
                "notices.notice",
                "id what countries ground ordered_by law reason appeal until state begun_at "
                "ended_at ended_why",
            ),
            **of("notices.subject", "clip_id said nonce told"),
        },
        store.export,
        whose="notices.subject.person_id",
        stays="an order is for this cell, in its countries",
    ),
)
_OF_ORDERS = "about an authority, and about nobody by name; everybody may read it"
NOT_EXPORTED = {
    **{
        f"notices.notice.{name}": "how the cell keeps the notice, which everybody may read"
        for name in ("request_id", "staff", "is_named", "made_at", "commitment")
    },
    **{
        f"notices.request.{name}": _OF_ORDERS
        for name in [
            "id",
            "authority",
            "country",
            "law",
            "asks_for",
            "persons",
            "received_on",
            "gag_until",
            "nonce",
            "made_at",
            "is_told",
            "outcome",
            "settled_at",
            "is_settled_told",
        ]
    },
    "notices.subject.notice_id": "the id of the notice, which is in the export",
    "notices.subject.cell": "names another cell, never a person",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Forgets whom notices were about; a job ends those that still hold."""
    found = {"notices": await store.erase(tx, person_id)}
    if ended := await measures.erase(tx, person_id):
        found["measures"] = ended
    return Removed(found)
