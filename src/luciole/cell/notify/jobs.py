"""Background work of notify."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from luciole.cell.notify.model import EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS
from luciole.cell.notify.pushes import Pushes
from luciole.cell.notify.service import WAKE_JOB, Notify
from luciole.cell.notify.store import devices, events, lines, wishes
from luciole.cell.people.family.model import NEWS_JOB, News
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.kit.queue import Body, Queue

AT_ONCE = 200


def register(queue: Queue, db: Database, notify: Notify, pushes: Pushes, clock: Clock) -> None:
    """Declares the jobs of notify."""

    @queue.every("notify.tell-reads", "* * * * *")
    async def tell_reads() -> None:
        """Tells people that staff were allowed to read something of theirs."""
        async with db.tx() as tx:
            for person_id, line_id in await lines.tell_reads(tx, new_id()):
                await notify.show_line(tx, "data-read", line_id, to=person_id)
                await notify.wake(tx, person_id)

    @queue.job(WAKE_JOB)
    async def wake(body: Body) -> None:
        """Offers pushes for the devices of somebody who has news."""
        await pushes.wake(db, UUID(body["person_id"]))

    @queue.job(NEWS_JOB)
    async def tell_family(body: Body) -> None:
        """Tells a person what has changed in their family."""
        kind = next(one for one in get_args(News) if one == body["news"])
        async with db.tx() as tx:
            await notify.tell_as_cell(
                tx,
                kind,
                to=UUID(body["person_id"]),
                clip_id=None,
                about_id=UUID(body["about_id"]),
                line_id=UUID(body["line_id"]),
            )

    @queue.every("notify.wake-due", "* * * * *")
    async def wake_due() -> None:
        """Wakes whose hour has come, such as the end of a night, and forgets devices of which
        their push services know no more."""
        async with db.tx() as tx:
            await devices.drop_gone(tx)
            due = await devices.due_nudges(tx, clock.now(), AT_ONCE)
        for person_id in due:
            await pushes.wake(db, person_id)

    @queue.every("notify.digest", "*/10 * * * *")
    async def digest() -> None:
        """Makes one line of everything that a day has brought, for those who want it so, when
        their hour has come."""
        while True:
            async with db.tx() as tx:
                now = clock.now()
                due = await wishes.due(tx, now, AT_ONCE)
                for person_id in due:
                    line_id = new_id()
                    await wishes.gather(tx, person_id, line_id, now)
                    await notify.show_line(tx, "digest", line_id, to=person_id)
                    await notify.wake(tx, person_id)
            if len(due) < AT_ONCE:
                return

    @queue.every("notify.tidy", "*/10 * * * *")
    async def tidy() -> None:
        """Deletes events and notifications that are older than they are kept."""
        async with db.tx() as tx:
            await events.tidy(tx, EVENT_KEPT_MINUTES)
            await lines.tidy(tx, NOTIFICATION_KEPT_DAYS)
