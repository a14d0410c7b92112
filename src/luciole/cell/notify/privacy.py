"""What notify stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.notify.model import EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS
from luciole.cell.notify.pushes import FIELD, VERSION
from luciole.cell.notify.store import devices, events, lines, wishes
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, of

LINES_AT_ONCE = 1000

_LINE = f"{NOTIFICATION_KEPT_DAYS} days, or until the act is undone"
_EVENT = f"{EVENT_KEPT_MINUTES} minutes"
_WISHES = "until the account is deleted"
_DEVICE = "until the device is signed out, no longer wants it, or is gone"
_NUDGE = "until the devices are woken, at most a night"

HELD: tuple[Held, ...] = (
    *columns(
        "notify.notification",
        "id person_id kind actor_id clip_id about_id made_at line_id",
        DataClass.PERSONAL,
        "what happened around a person, each act once",
        _LINE,
        Border.NEVER,
    ),
    *columns(
        "notify.line",
        "id person_id kind clip_id about_id day is_group top_id made_at is_read waits digest_id",
        DataClass.PERSONAL,
        "the list that a person reads: a line gathers acts of a day, a digest gathers lines",
        f"{NOTIFICATION_KEPT_DAYS} days",
        Border.NEVER,
    ),
    *columns(
        "notify.preference",
        "person_id off digest_at digested_on quiet_nights offset_minutes",
        DataClass.PERSONAL,
        "what a person wants to be told, and at which hours of their clock",
        _WISHES,
        Border.NEVER,
    ),
    *columns(
        "notify.push",
        "id person_id session_id offset_minutes woken_for woken_at",
        DataClass.PERSONAL,
        "which devices are to be woken, by which clock, and what they were woken for last",
        _DEVICE,
        Border.NEVER,
    ),
    Held(
        "notify.push.endpoint_index",
        DataClass.PERSONAL,
        "finds a device again by its address, under a key that is not in the database",
        _DEVICE,
        Border.NEVER,
    ),
    Held(
        "notify.push.sealed",
        DataClass.PERSONAL,
        "a device's address at its push service, sealed with the person's data key",
        _DEVICE,
        Border.NEVER,
    ),
    *columns(
        "notify.nudge",
        "person_id is_message due_at",
        DataClass.PERSONAL,
        "whose devices are to be woken, and when",
        _NUDGE,
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
_OF_THE_CELL = "chosen for this cell, and its push address is good for this cell only"

OWNED: tuple[Owned, ...] = (
    Owned("notify.line", ("person_id",)),
    Owned("notify.notification", ("person_id", "actor_id")),
    Owned("notify.preference", ("person_id",)),
    Owned("notify.push", stays="hangs on a session; whoever signs in again is asked again"),
    Owned("notify.nudge", stays="kept for seconds, or for a night"),
    Owned("notify.event", stays="kept for an hour"),
    Owned("notify.hushed", ("person_id", "actor_id")),
)


async def _devices(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in devices.export_devices(tx, person_id):
        yield {**row, "endpoint": Sealed(FIELD, VERSION, row.pop("sealed"))}


EXPORT: tuple[Exported, ...] = (
    Exported(
        "notifications",
        "the list of what happened around you",
        {
            **of("notify.notification", "id kind actor_id clip_id about_id made_at line_id"),
            **of("notify.line", "day is_group top_id is_read waits digest_id"),
            "actor": "people.person.handle",
        },
        lines.export_notifications,
        whose="notify.notification.person_id",
        stays=_OF_OTHERS,
    ),
    Exported(
        "notification-settings",
        "what you want to be told, and when",
        of("notify.preference", "off digest_at digested_on quiet_nights offset_minutes"),
        wishes.export_wishes,
        whose="notify.preference.person_id",
        stays=_OF_THE_CELL,
    ),
    Exported(
        "push-devices",
        "your devices that are woken, with their addresses at push services, opened",
        {
            **of("notify.push", "id offset_minutes woken_for woken_at"),
            "endpoint": "notify.push.sealed",
        },
        _devices,
        whose="notify.push.person_id",
        stays=_OF_THE_CELL,
    ),
    Exported(
        "events",
        "news of the last hour, kept to bridge a lost connection",
        of("notify.event", "id kind actor_id clip_id body made_at"),
        events.export_events,
        whose="notify.event.person_id",
        stays=_OF_OTHERS,
    ),
)
_OF_A_LINE = "each act in a line is in the list of notifications, with all of this"
_OF_APART = "it follows from whom you and others block, mute and restrict; yours is in graph"
NOT_EXPORTED = {
    "notify.hushed.person_id": _OF_APART,
    "notify.hushed.actor_id": _OF_APART,
    "cache:live pages": "the same events on their way to an open page, in memory only",
    **{
        f"notify.line.{name}": _OF_A_LINE
        for name in ("id", "person_id", "kind", "clip_id", "about_id", "made_at")
    },
    "notify.push.session_id": "a session of this cell, which does not travel",
    "notify.push.endpoint_index": "made of the address, which is in the export",
    **{
        f"notify.nudge.{name}": "for seconds: that you have news, which are in the export"
        for name in ("person_id", "is_message", "due_at")
    },
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes what the person was told, and what others were told about the person. An open page
    closes at its next event, or within a ping: its session is gone."""
    acts = await lines.erase_notifications(tx, person_id, LINES_AT_ONCE)
    # A line takes its acts along uncounted, so the acts go first.
    own = 0 if acts else await lines.erase_lines(tx, person_id, LINES_AT_ONCE)
    shown = await events.erase_events(tx, person_id, LINES_AT_ONCE)
    hushed = await lines.erase_hushed(tx, person_id, LINES_AT_ONCE)
    woken = await devices.erase(tx, person_id)
    await wishes.erase(tx, person_id)
    return Removed(
        {"notifications": acts, "push-devices": woken},
        is_more=acts > 0 or LINES_AT_ONCE in (own, shown, hushed),
    )
