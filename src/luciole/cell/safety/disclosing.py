"""What was disclosed in a report of messages, for the moderator who has the case in hand.

1. The moderator asks, with a reason. It is a read of who reported, for the purpose
   `message-report`; the reason that is signed begins with the number of the report.
2. Two operators sign it, as any other read (`custody.staff`). Its reporter is told.
3. Who asked opens that one report, while the minutes last and the case is in their hand. Each time
   is an entry about the reporter before anything is given.

That two signed, who asked, whose, which column and until when is the broker's to hold. That it is
this report and no other of the same person's, and a case in hand, is held here.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.messages.model import REPORT_FIELD, Disclosed, Kept
from luciole.cell.messages.service import Messages
from luciole.cell.safety import model, refusals
from luciole.cell.safety.model import Disclosure, Review, Shift
from luciole.cell.safety.reporting import clean
from luciole.cell.safety.store import disclosures, queue
from luciole.custody.model import NoSuchRead, ReadRefused, StaffRead
from luciole.kit.clock import Clock
from luciole.kit.db import Tx

PURPOSE = "message-report"
REASON_CHARS = range(10, model.MAX_READ_REASON + 1)


class Disclosing:
    """Reads of what was disclosed, each for one case."""

    def __init__(self, messages: Messages, custody: Custody, clock: Clock) -> None:
        self._reports = messages.reports
        self._custody = custody
        self._clock = clock

    async def of_case(self, tx: Tx, shift: Shift, review: Review) -> list[Disclosure]:
        """What this moderator has asked for in a case and may still come to, the newest first."""
        assert shift.staff_id is not None
        return await disclosures.of_case(tx, review.id, shift.staff_id, self._clock.now())

    async def reporter(self, tx: Tx, review: Review, report_id: UUID) -> UUID:
        """Who made a report that a case is about. Raises NoSuchReview, NothingDisclosed."""
        if report_id not in {one.message_report_id for one in await queue.subjects(tx, review.id)}:
            raise refusals.NoSuchReview
        found = await disclosures.reporter(tx, report_id)
        if found is None:
            raise refusals.NothingDisclosed
        return found

    async def ask(
        self, token: str, reporter_id: UUID, report_id: UUID, minutes: int, reason: str
    ) -> StaffRead:
        """A read that waits for two signatures. Raises ReadRefused, NotStaff, BadReport."""
        words = clean(reason)
        if len(words) not in REASON_CHARS:
            raise ReadRefused
        return await self._custody.ask_read(
            token, reporter_id, PURPOSE, [REPORT_FIELD], minutes, f"Report {report_id}: {words}"
        )

    async def note(
        self, tx: Tx, shift: Shift, review: Review, report_id: UUID, read: StaffRead
    ) -> None:
        """Notes for which case a read was asked. If we stop before, the read opens nothing, and
        ends unsigned or unused."""
        assert shift.staff_id is not None
        await disclosures.add(
            tx, read.id, review.id, report_id, read.person_id, shift.staff_id, self._clock.now()
        )

    async def sealed(self, tx: Tx, shift: Shift, review: Review, read_id: UUID) -> Kept:
        """The one report that a read of this moderator's is for, as it is kept. Raises NoSuchRead,
        NothingDisclosed."""
        asked = await self.of_case(tx, shift, review)
        mine = next((one for one in asked if one.read_id == read_id), None)
        if mine is None:
            raise NoSuchRead
        found = await self._reports.one(tx, mine.message_report_id)
        if found is None:
            raise refusals.NothingDisclosed
        return found

    async def open(self, token: str, read_id: UUID, report: Kept) -> Disclosed:
        """What was disclosed. The key broker notes the read first. Raises what `Custody.open_read`
        raises."""
        return await self._reports.disclosed(token, read_id, report)

    async def put_back(self, tx: Tx, shift: Shift, review: Review) -> None:
        """Puts a case back while what was asked for waits for signatures: nobody else gets it
        meanwhile, and this moderator gets it before any other once two have signed. Raises
        NoSuchRead where nothing waits."""
        asked = await self.of_case(tx, shift, review)
        if not asked or any(one.is_granted for one in asked):
            raise NoSuchRead
        await queue.put_back(tx, review.id)

    async def tidy(self, tx: Tx) -> None:
        """Forgets reads that ended long ago."""
        before = self._clock.now() - timedelta(days=model.DISCLOSURE_KEPT_DAYS)
        await disclosures.tidy(tx, before)
