"""The front door of the console: who is at work there, what pages show, how jobs are healed, and
who is let in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.console import refusals, store
from luciole.cell.console.desk import Desk
from luciole.cell.console.looking import Looking
from luciole.cell.console.model import Shift
from luciole.cell.media.service import Media
from luciole.cell.people.joining import model
from luciole.cell.people.service import People
from luciole.cell.safety.service import Safety
from luciole.config import Settings
from luciole.kit import queue_look
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Tx


class Console:
    """What the staff see, and do."""

    def __init__(
        self,
        settings: Settings,
        people: People,
        media: Media,
        safety: Safety,
        custody: Custody,
        blobs: Blobs,
        clock: Clock,
    ) -> None:
        self.desk = Desk(clock, settings.origin)
        self.looking = Looking(settings, people, media, safety, custody, blobs, self.desk, clock)
        self._joining = people.joining
        self._origin = settings.origin
        self._clock = clock

    async def retry(self, tx: Tx, shift: Shift, job_id: int) -> str:
        """Lets a stuck job run now, with all its attempts; its name. Raises JobNotStuck."""
        stuck = {job.id for job in await queue_look.jobs(tx) if job.is_stuck}
        name = await queue_look.retry(tx, job_id) if job_id in stuck else None
        if name is None:
            raise refusals.JobNotStuck
        await self.desk.note(tx, shift, "retry", name)
        return name

    async def heal(self, tx: Tx, shift: Shift) -> list[str]:
        """Lets all stuck jobs run now; their names."""
        stuck = [job.id for job in await queue_look.jobs(tx) if job.is_stuck]
        healed = [name for one in stuck if (name := await queue_look.retry(tx, one))]
        if healed:
            kinds = sorted(set(healed))
            words = f"{len(healed)}: {', '.join(kinds)}"
            await self.desk.note(tx, shift, "heal", words[:200])
        return healed

    async def approve(self, tx: Tx, shift: Shift, request_id: UUID) -> None:
        """Lets somebody in who waits. Raises NoSuchRequest."""
        await self._joining.approve(tx, request_id, by=shift.staff_id)
        await self.desk.note(tx, shift, "approve", "")

    async def refuse(self, tx: Tx, shift: Shift, request_id: UUID, reason: str) -> None:
        """Tells somebody who waits why not. Raises NoSuchRequest, ReasonNeeded."""
        await self._joining.refuse(tx, request_id, reason, by=shift.staff_id)
        await self.desk.note(tx, shift, "refuse", "")

    async def invite(
        self, tx: Tx, shift: Shift, uses: int, days: int, note: str
    ) -> tuple[str, datetime]:
        """A new invitation: its link, which is shown this once, and until when it is good. Raises
        BadInvitation."""
        made, code = await self._joining.invite(tx, uses, days, note, by=shift.staff_id)
        await self.desk.note(tx, shift, "invite", str(uses))
        return model.link(self._origin, code), made.expires_at

    async def withdraw(self, tx: Tx, shift: Shift, invitation_id: UUID) -> None:
        """Takes an invitation back. Raises NoSuchInvitation."""
        await self._joining.withdraw(tx, invitation_id, by=shift.staff_id)
        await self.desk.note(tx, shift, "withdraw", "")

    async def take_people(self, tx: Tx, shift: Shift, mode: model.Mode | None) -> None:
        """How the cell takes people from now on; None: as the setting says."""
        await self._joining.set_mode(tx, mode, by=shift.staff_id)
        await self.desk.note(tx, shift, "registration", mode or "as-set")

    async def count(self, tx: Tx) -> None:
        """Counts all figures anew."""
        await store.keep_figures(tx, await store.counted(tx), self._clock.now())
