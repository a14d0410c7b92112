"""Telling people: a notification for the list, an event for the open page, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from luciole.cell.notify import store
from luciole.cell.notify.model import (
    CHANNEL,
    EventKind,
    Notification,
    NotificationKind,
    NotificationPlace,
)
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

SCOPE = "notifications"


class Notify:
    """The front door of notify."""

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    async def show(
        self,
        tx: Tx,
        kind: EventKind,
        *,
        to: UUID | None,
        by: UUID | None = None,
        clip_id: UUID | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Shows an event on the open pages of a person (or, with `to` None, of everybody) as soon
        as the transaction commits. Nothing personal goes into `body`: it holds states and counts.
        """
        event_id = new_id()
        await store.add_event(tx, event_id, to, kind, by, clip_id, body or {})
        await store.announce(tx, CHANNEL, f"{event_id} {to or '*'}")

    async def tell(
        self,
        tx: Tx,
        kind: NotificationKind,
        *,
        to: UUID,
        by: UUID,
        clip_id: UUID | None = None,
    ) -> bool:
        """Adds a line to a person's list, once for the same act of the same actor."""
        if to == by:
            return False
        return await store.add_notification(tx, new_id(), to, kind, by, clip_id)

    async def withdraw(
        self,
        tx: Tx,
        kind: NotificationKind,
        *,
        to: UUID,
        by: UUID,
        clip_id: UUID | None = None,
    ) -> None:
        """Takes a line back when the act is undone."""
        await store.withdraw(tx, to, kind, by, clip_id)

    async def forget_clip(self, tx: Tx, person_id: UUID, clip_id: UUID) -> None:
        """Removes the lines about a clip that its author deletes."""
        await store.forget_clip(tx, person_id, clip_id)

    async def hush(self, tx: Tx, person_id: UUID, actor_id: UUID, *, is_hushed: bool) -> None:
        """Whether a person is told of what another does, from the next answer on: lines that are
        there already are not shown, and come back where it ends."""
        await (store.hush if is_hushed else store.unhush)(tx, person_id, actor_id)

    async def forget_actor(self, tx: Tx, person_id: UUID, actor_id: UUID) -> None:
        """Removes all that a person was told of another, for good."""
        await store.forget_actor(tx, person_id, actor_id)

    async def page(
        self, tx: Tx, person_id: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Notification], str | None]:
        """The newest notifications first, and the cursor of the next page."""
        place = self._cursors.read(SCOPE, cursor, NotificationPlace)
        items = await store.page(tx, person_id, place.id if place else None, limit + 1)
        if len(items) <= limit:
            return items, None
        items = items[:limit]
        return items, self._cursors.make(SCOPE, NotificationPlace(items[-1].id))

    async def mark_read(self, tx: Tx, person_id: UUID) -> None:
        await store.mark_read(tx, person_id)

    async def has_unread(self, tx: Tx, person_id: UUID) -> bool:
        return await store.has_unread(tx, person_id)
