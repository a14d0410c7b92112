"""What notify stores."""

from __future__ import annotations

from luciole.cell.notify.model import EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS
from luciole.kit.catalogue import Border, DataClass, Held, columns

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
    Held(
        "cache:live pages",
        DataClass.PERSONAL,
        "hands events to the pages that are open now",
        "while the page is open; in memory only",
        Border.NEVER,
    ),
)
