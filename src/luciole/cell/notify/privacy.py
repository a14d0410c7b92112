"""What notify stores."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.notify import store
from luciole.cell.notify.model import EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

LINES_AT_ONCE = 1000

_LINE = f"{NOTIFICATION_KEPT_DAYS} days, or until the act is undone"
_EVENT = f"{EVENT_KEPT_MINUTES} minutes"

HELD: tuple[Held, ...] = (
    *columns(
        "notify.notification",
        "id person_id kind actor_id clip_id made_at is_read",
        DataClass.PERSONAL,
        "the list of what happened around a person",
        _LINE,
        Border.NEVER,
    ),
    *columns(
        "notify.event",
        "id person_id kind actor_id clip_id body made_at",
        DataClass.PERSONAL,
        "shows news on the open page and bridges a lost connection",
        _EVENT,
        Border.NEVER,
    ),
    *columns(
        "notify.event",
        "xact",
        DataClass.TELEMETRY,
        "orders events by their commit",
        _EVENT,
        Border.NEVER,
    ),
    *columns(
        "notify.hushed",
        "person_id actor_id",
        DataClass.PERSONAL,
        "keeps from telling a person of somebody whom one of the two blocks, mutes or restricts",
        "until that ends, or one of the two erases the account",
        Border.NEVER,
    ),
    Held(
        "cache:live pages",
        DataClass.PERSONAL,
        "hands events to the pages that are open now",
        "while the page is open; in memory only",
        Border.NEVER,
    ),
)

_OF_OTHERS = "it tells of what others did in this cell"

OWNED: tuple[Owned, ...] = (
    Owned("notify.notification", ("person_id", "actor_id")),
    Owned("notify.event", stays="kept for an hour"),
    Owned("notify.hushed", ("person_id", "actor_id")),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "notifications",
        "the list of what happened around you",
        {
            **of("notify.notification", "id kind actor_id clip_id made_at is_read"),
            "actor": "people.person.handle",
        },
        store.export_notifications,
        whose="notify.notification.person_id",
        stays=_OF_OTHERS,
    ),
    Exported(
        "events",
        "news of the last hour, kept to bridge a lost connection",
        of("notify.event", "id kind actor_id clip_id body made_at"),
        store.export_events,
        whose="notify.event.person_id",
        stays=_OF_OTHERS,
    ),
)
_OF_APART = "it follows from whom you and others block, mute and restrict; yours is in graph"
NOT_EXPORTED = {
    "notify.hushed.person_id": _OF_APART,
    "notify.hushed.actor_id": _OF_APART,
    "cache:live pages": "the same events on their way to an open page, in memory only",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes what the person was told, and what others were told about the person. An open page
    closes at its next event, or within a ping: its session is gone."""
    lines = await store.erase_notifications(tx, person_id, LINES_AT_ONCE)
    events = await store.erase_events(tx, person_id, LINES_AT_ONCE)
    hushed = await store.erase_hushed(tx, person_id, LINES_AT_ONCE)
    return Removed({"notifications": lines}, is_more=LINES_AT_ONCE in (lines, events, hushed))
