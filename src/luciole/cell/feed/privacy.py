"""What feed stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.feed.model import KEPT_DAYS, TASTE_FIELD
from luciole.cell.feed.store import rights as store
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, of

_DAY = "24 hours"
_CHOICE = "until the person changes it, or deletes the account"
_LEARNT = f"{KEPT_DAYS} days, or until the person resets it or switches it off"
_SESSION = "id mode trust made_at hidden_authors hidden_hashtags"
_PAGE = "id session_id n made_at weights_version seed is_end slots inputs"
_LEARNER = "session_id person_id sealed"
_EVENT = "at clip_id once session_id signal value loops source features trust propensity sign"

HELD: tuple[Held, ...] = (
    *columns(
        "feed.session",
        _SESSION,
        DataClass.PERSONAL,
        "a walk through For You, under a random number that leads to no person",
        _DAY,
        Border.NEVER,
    ),
    *columns(
        "feed.page",
        _PAGE,
        DataClass.PERSONAL,
        "which clips a page of For You had and why; for who lets the cell learn, under their key",
        _DAY,
        Border.NEVER,
    ),
    *columns(
        "feed.learner",
        _LEARNER,
        DataClass.PERSONAL,
        "whose a walk through For You is, only of people who let the cell learn",
        _DAY,
        Border.NEVER,
    ),
    *columns(
        "feed.event",
        _EVENT,
        DataClass.PERSONAL,
        "what happened to a clip in For You, under a random number that leads to no person",
        f"{_DAY}; then only totals of each clip",
        Border.NEVER,
    ),
    *columns(
        "feed.event",
        "seq xid",
        DataClass.TELEMETRY,
        "the order in which the log of For You is read",
        _DAY,
        Border.NEVER,
    ),
    *columns(
        "feed.snapshot",
        "taken_at xid seq weights_version digest",
        DataClass.TELEMETRY,
        "up to where the log of For You has been summed up",
        "until the next one, at most ten minutes after something happens",
        Border.NEVER,
    ),
    Held(
        "feed.snapshot.data",
        DataClass.PUBLIC,
        "totals of each clip over everybody; authors and words have other names in it",
        "until the next one, at most ten minutes after something happens",
        Border.COUNTED,
    ),
    *columns(
        "feed.profile",
        "person_id mode since version forgot",
        DataClass.PERSONAL,
        "whether the person lets the cell learn what they like",
        _CHOICE,
        Border.NEVER,
    ),
    *columns(
        "feed.taste_day",
        "person_id day part version events",
        DataClass.PERSONAL,
        "how much is kept of each day of people who let the cell learn",
        _LEARNT,
        Border.NEVER,
    ),
    Held(
        "feed.taste_day.sealed",
        DataClass.PERSONAL,
        "what a person watched and did in For You, sealed with their data key, if they chose it",
        _LEARNT,
        Border.NEVER,
    ),
    *columns(
        "feed.hidden",
        "person_id kind value hidden_on",
        DataClass.PERSONAL,
        "authors, hashtags and clips that the person does not want to see again",
        _CHOICE,
        Border.NEVER,
    ),
    *columns(
        "feed.allowance",
        "person_id day sessions",
        DataClass.PERSONAL,
        "how often an account began For You in a day, so that one alone cannot lift a clip",
        "until the next day",
        Border.NEVER,
    ),
    Held(
        "cache:feed",
        DataClass.PERSONAL,
        "the taste of people who let the cell learn, and what a walk through For You has shown",
        "30 minutes; in memory only",
        Border.NEVER,
    ),
    Held(
        "cache:feed limits",
        DataClass.TELEMETRY,
        "bounds what pages of For You take on disk; accounts and network addresses of visitors as "
        "HMACs under a key of the process",
        "in memory only, until the process ends or 50,000 newer ones have come",
        Border.NEVER,
    ),
)

_FOR_A_DAY = "kept for a day"

OWNED: tuple[Owned, ...] = (
    Owned("feed.session", stays=_FOR_A_DAY),
    Owned("feed.page", stays=_FOR_A_DAY),
    Owned("feed.learner", stays=_FOR_A_DAY),
    Owned("feed.event", stays=_FOR_A_DAY),
    Owned(
        "feed.snapshot",
        stays="totals out of which nobody could be taken any more; they begin anew",
    ),
    Owned("feed.profile", ("person_id",)),
    Owned("feed.taste_day", ("person_id",)),
    Owned("feed.hidden", ("person_id",)),
    Owned("feed.allowance", stays=_FOR_A_DAY),
)


async def _taste(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in store.export_taste(tx, person_id):
        yield {**row, "sealed": Sealed(TASTE_FIELD, row["version"], row["sealed"])}


_OF_THIS_CELL = "it names clips and people of this cell"

EXPORT: tuple[Exported, ...] = (
    Exported(
        "profile",
        "whether you let the cell learn what you like, and since when",
        of("feed.profile", "mode since version forgot"),
        store.export_profile,
        whose="feed.profile.person_id",
        stays="each cell asks anew",
    ),
    Exported(
        "taste",
        "what you watched and did in For You, day by day, if you let the cell learn",
        of("feed.taste_day", "day part version events sealed"),
        _taste,
        whose="feed.taste_day.person_id",
        stays=_OF_THIS_CELL,
    ),
    Exported(
        "hidden",
        "authors, hashtags and clips that you do not want to see again",
        of("feed.hidden", "kind value hidden_on"),
        store.export_hidden,
        whose="feed.hidden.person_id",
        stays=_OF_THIS_CELL,
    ),
    Exported(
        "allowance",
        "how often you began For You today",
        of("feed.allowance", "day sessions"),
        store.export_allowance,
        whose="feed.allowance.person_id",
        stays="it is of one day",
    ),
)
_LEADS_NOWHERE = "nobody can tell whose it is, so nobody can give you yours"
NOT_EXPORTED: dict[str, str] = {
    **dict.fromkeys(of("feed.session", _SESSION).values(), _LEADS_NOWHERE),
    **dict.fromkeys(of("feed.page", _PAGE).values(), _LEADS_NOWHERE),
    **dict.fromkeys(of("feed.event", _EVENT).values(), _LEADS_NOWHERE),
    **dict.fromkeys(
        of("feed.learner", _LEARNER).values(),
        "what happened in it is in the list of your taste; the rest is gone after a day",
    ),
    "feed.snapshot.data": "your clips and their words are in the list of your clips",
    "cache:feed": "made of what is in the list of your taste, in memory only",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes what the person chose and what was learnt; `TakingBack` has made the totals forget
    it before."""
    return Removed(await store.erase(tx, person_id))
