"""Telling people: a line in the list, an event for the open page, and a push where that is wanted.

What is told is told once: an act that is repeated adds nothing, and a line, its event and the wish
to wake a device are there if, and only if, the transaction of the act commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from luciole.cell.notify.model import (
    ABOUT_ONE,
    CHANNEL,
    GROUPED,
    CellKind,
    EventKind,
    Notification,
    NotificationKind,
    NotificationPlace,
    Shown,
    is_night,
)
from luciole.cell.notify.store import devices, events, lines, wishes
from luciole.cell.notify.store.lines import Line
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue

SCOPE = "notifications"
# A device is woken this long after the first news, so that one push tells of several, and none of
# what was seen on an open page meanwhile.
WAKES_AFTER = timedelta(seconds=5)
WAKE_JOB = "notify.wake"


class Notify:
    """The front door of notify."""

    def __init__(self, cursors: Cursors, clock: Clock, queue: Queue) -> None:
        self._cursors = cursors
        self._clock = clock
        self._queue = queue

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
        given = [(new_id(), kind, body or {})]
        await events.add_events(tx, to, by, clip_id, given, CHANNEL)

    async def tell(
        self,
        tx: Tx,
        kind: NotificationKind,
        *,
        to: UUID,
        by: UUID,
        clip_id: UUID | None = None,
        about_id: UUID | None = None,
        shows: Shown | None = None,
    ) -> bool:
        """Tells a person what somebody did, once for the same act (`about_id`: a comment, where it
        is about one): in the list, on the open page, and by waking devices. Where they want a
        digest it waits for that; at night, where nights are quiet, it is in the list only. False
        where it is not told at all: their own act, a kind that they have turned off, once more.

        `shows` is an event of the act itself, which the open page is shown also where nothing is
        told of it, unless the act is their own."""
        if to == by:
            return False
        is_group = kind in GROUPED
        added = await lines.add(
            tx,
            new_id(),
            to,
            kind,
            by,
            clip_id,
            about_id,
            line_id=new_id(),
            line_about=about_id if not is_group or kind in ABOUT_ONE else None,
            is_group=is_group,
        )
        given: list[tuple[UUID, EventKind, Mapping[str, Any]]] = []
        is_now = added is not None and not added.waits
        if (
            added is not None
            and is_now
            and not (added.is_quiet and is_night(self._clock.now(), added.offset_minutes))
        ):
            given.append((new_id(), "notification", _line(kind, added.line_id)))
        if shows is not None:
            given.append((new_id(), *shows))
        if given:
            await events.add_events(tx, to, by, clip_id, given, CHANNEL)
        if added is not None and is_now and added.has_device:
            await self.wake(tx, to)
        return added is not None

    async def tell_as_cell(
        self,
        tx: Tx,
        kind: CellKind,
        *,
        to: UUID,
        clip_id: UUID | None,
        about_id: UUID,
        line_id: UUID | None = None,
    ) -> None:
        """Tells a person something that the cell has done, whatever they have turned off: in the
        list, on the open page, and by waking devices. Not to who is leaving or gone, and once for
        the same `line_id`."""
        added = await lines.add_of_cell(tx, line_id or new_id(), to, kind, clip_id, about_id)
        if added is not None:
            await self.show_line(tx, kind, added, to=to, clip_id=clip_id)
            await self.wake(tx, to)

    async def show_line(
        self,
        tx: Tx,
        kind: str,
        line_id: UUID,
        *,
        to: UUID,
        by: UUID | None = None,
        clip_id: UUID | None = None,
    ) -> None:
        """Shows a line on the open pages of its person."""
        await self.show(
            tx, "notification", to=to, by=by, clip_id=clip_id, body=_line(kind, line_id)
        )

    async def wake(self, tx: Tx, person_id: UUID, *, is_message: bool = False) -> None:
        """Has a person's devices woken in a moment, where they want that. Nothing of what
        happened goes with it. Slices whose news are no lines of the list call it themselves."""
        due_at = self._clock.now() + WAKES_AFTER
        if await devices.nudge(tx, person_id, is_message, due_at):
            # Should this be dropped, because such a job runs just now, the minute's round does it.
            body, once = {"person_id": str(person_id)}, f"{WAKE_JOB}/{person_id}"
            await self._queue.put(tx, WAKE_JOB, body, after=WAKES_AFTER, once=once)

    async def withdraw(
        self,
        tx: Tx,
        kind: NotificationKind,
        *,
        to: UUID,
        by: UUID,
        clip_id: UUID | None = None,
        about_id: UUID | None = None,
    ) -> None:
        """Takes back what was told when the act is undone."""
        await lines.withdraw(tx, to, kind, by, clip_id, about_id)

    async def forget_clip(self, tx: Tx, person_id: UUID, clip_id: UUID) -> None:
        """Removes the lines about a clip that its author deletes."""
        await lines.forget_clip(tx, person_id, clip_id)

    async def forget_about(self, tx: Tx, person_id: UUID, about_id: UUID) -> None:
        """Removes what a person was told about a comment that is deleted."""
        await lines.forget_about(tx, person_id, about_id)

    async def hush(self, tx: Tx, person_id: UUID, actor_id: UUID, *, is_hushed: bool) -> None:
        """Whether a person is told of what another does, from the next answer on: lines that are
        there already are not shown, and come back where it ends."""
        await (lines.hush if is_hushed else lines.unhush)(tx, person_id, actor_id)

    async def forget_actor(self, tx: Tx, person_id: UUID, actor_id: UUID) -> None:
        """Removes all that a person was told of another, for good."""
        await lines.forget_actor(tx, person_id, actor_id)
        await events.forget_actor(tx, person_id, actor_id)

    async def page(
        self, tx: Tx, person_id: UUID, cursor: str | None, limit: int, digest_id: UUID | None = None
    ) -> tuple[list[Notification], str | None]:
        """The newest lines first, of the list or of a digest, and the cursor of the next page."""
        scope = f"{SCOPE}/{digest_id}" if digest_id else SCOPE
        place = self._cursors.read(scope, cursor, NotificationPlace)
        found = await lines.page(tx, person_id, place.id if place else None, limit + 1, digest_id)
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = self._cursors.make(scope, NotificationPlace(found[-1].top_id))
        return await self._shown(tx, found), following

    async def _shown(self, tx: Tx, found: list[Line]) -> list[Notification]:
        counts = await lines.digest_counts(tx, [one.id for one in found if one.kind == "digest"])
        shown = []
        for line in found:
            if line.actors and not line.named:
                continue  # all of them are leaving
            shown.append(
                Notification(
                    line.id,
                    line.kind,
                    line.named,
                    len(line.actors),
                    line.clip_id,
                    line.about_id,
                    line.made_at,
                    line.is_read,
                    counts.get(line.id, {}) if counts else {},
                )
            )
        return shown

    async def mark_read(self, tx: Tx, person_id: UUID) -> None:
        await lines.mark_read(tx, person_id)
        await devices.looked(tx, person_id)

    async def has_unread(self, tx: Tx, person_id: UUID) -> bool:
        """Whether there is something new in the list. Not at night, where nights are quiet."""
        wished = await wishes.wishes(tx, person_id)
        if wished is not None and wished.is_quiet_at(self._clock.now()):
            return False
        return await lines.has_unread(tx, person_id)


def _line(kind: str, line_id: UUID) -> dict[str, str]:
    """The body of an event that tells of a line."""
    return {"kind": kind, "line_id": str(line_id)}
