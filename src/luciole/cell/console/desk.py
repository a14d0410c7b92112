"""Who is at work at the console, as what, and what they did there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from luciole.cell.console import model, refusals, store
from luciole.cell.console.model import Act, Day, Done, Page, Role, Shift
from luciole.cell.people.model import Viewer
from luciole.custody.model import NotStaff
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

LOG = "decisions"
# Long after the last act of a day can have been written.
CLOSED_AFTER = timedelta(hours=1)


class Desk:
    """Shifts at the console, and the list of what was done there."""

    def __init__(self, clock: Clock, origin: str) -> None:
        self._clock = clock
        self._origin = origin

    async def roles(self, tx: Tx, viewer: Viewer) -> list[Role]:
        """As what a viewer is staff. Raises NotStaff."""
        found = await store.roles_of(tx, viewer.person_id)
        if not found:
            raise NotStaff
        return [role for role in model.ROLES if role in found]

    async def ask(self, tx: Tx, viewer: Viewer, role: Role) -> tuple[Shift, bytes]:
        """The text that is signed to begin. Raises NotStaff, NotInThisRole."""
        if role not in await self.roles(tx, viewer):
            raise refusals.NotInThisRole
        now = self._clock.now().replace(microsecond=0)
        shift = Shift(new_id(), viewer.session_id, viewer.person_id, role, None, now, None)
        await store.add_shift(tx, shift)
        return shift, canonical(model.shift_text(shift, self._origin))

    async def asked(self, tx: Tx, viewer: Viewer, shift_id: UUID) -> tuple[Shift, bytes]:
        """A shift that was asked for a moment ago, and its text. Raises ConsoleShiftNeeded."""
        shift = await store.shift(tx, shift_id)
        since = self._clock.now() - timedelta(minutes=model.SHIFT_ASKED_MINUTES)
        if (
            shift is None
            or shift.session_id != viewer.session_id
            or shift.staff_id is not None
            or shift.asked_at < since
        ):
            raise refusals.ConsoleShiftNeeded
        return shift, canonical(model.shift_text(shift, self._origin))

    async def begin(self, tx: Tx, viewer: Viewer, shift: Shift, staff_id: UUID) -> Shift:
        """Begins work for whoever's signature the key broker has verified, in the place of a shift
        that is open on this session. Raises NotInThisRole."""
        if not await store.holds(tx, staff_id, viewer.person_id, shift.role):
            raise refusals.NotInThisRole
        now = self._clock.now()
        await store.end_shifts(tx, viewer.session_id, now)
        await store.begin_shift(tx, shift.id, staff_id, now + timedelta(hours=model.SHIFT_HOURS))
        begun = await self.now(tx, viewer)
        assert begun is not None
        await self.note(tx, begun, "begin", "")
        return begun

    async def end(self, tx: Tx, viewer: Viewer) -> None:
        """Ends the shift of this session, if one is open."""
        shift = await self.now(tx, viewer)
        if shift is not None:
            await self.note(tx, shift, "end", "")
            await store.end_shifts(tx, viewer.session_id, self._clock.now())

    async def now(self, tx: Tx, viewer: Viewer) -> Shift | None:
        """The shift of this session, if one is open."""
        return await store.on_shift(tx, viewer.session_id, viewer.person_id, self._clock.now())

    async def look(self, tx: Tx, viewer: Viewer, page: Page) -> Shift:
        """The shift in which a page is looked at, which is noted. Raises NotStaff,
        ConsoleShiftNeeded, NotInThisRole."""
        shift = await self._at_work(tx, viewer, model.PAGES[page])
        await self._add(tx, shift, "look", page)
        return shift

    async def at_work(self, tx: Tx, viewer: Viewer, page: Page) -> Shift:
        """The shift in which something of a page may be done. Raises as `look`."""
        return await self._at_work(tx, viewer, model.DOES.get(page, model.PAGES[page]))

    async def sign(self, tx: Tx, viewer: Viewer) -> Shift:
        """The shift in which notices and reads are asked for, signed and looked at, which is noted.
        Raises as `look`."""
        shift = await self._at_work(tx, viewer, model.SIGNS)
        await self._add(tx, shift, "look", "signatures")
        return shift

    async def _at_work(self, tx: Tx, viewer: Viewer, roles: Sequence[Role]) -> Shift:
        shift = await self.now(tx, viewer)
        if shift is None:
            await self.roles(tx, viewer)
            raise refusals.ConsoleShiftNeeded
        if shift.role not in roles:
            raise refusals.NotInThisRole
        return shift

    async def note(self, tx: Tx, shift: Shift, act: Act, what: str) -> None:
        """An act, in the list and in the log."""
        done = await self._add(tx, shift, act, what)
        entry = {"v": 1, "kind": "console", **model.line_of(done)}
        await ledger.put(tx, LOG, canonical(entry))

    async def _add(self, tx: Tx, shift: Shift, act: Act, what: str) -> Done:
        assert shift.staff_id is not None
        done = Done(new_id(), self._clock.now(), shift.staff_id, shift.role, act, what)
        await store.add_act(tx, done)
        return done

    # --- the list -------------------------------------------------------------------------------

    async def acts(self, tx: Tx, before: UUID | None) -> tuple[list[Done], UUID | None]:
        """What was done, the newest first, and before which id it goes on."""
        found = await store.acts(tx, before, model.ACTS_AT_ONCE + 1)
        shown = found[: model.ACTS_AT_ONCE]
        return shown, shown[-1].id if len(found) > len(shown) else None

    def first_line(self, cell_id: str) -> tuple[bytes, datetime, datetime]:
        """The first line of the list as it is taken along, from when on the acts are in it, and
        before when."""
        now = self._clock.now()
        since = (now - timedelta(days=model.ACTS_KEPT_DAYS)).date()
        head = {
            "v": 1,
            "kind": "console-acts",
            "cell": cell_id,
            "from": since.isoformat(),
            "at": model.instant(now),
        }
        return canonical(head) + b"\n", _start(since), now + timedelta.resolution

    async def taken(
        self, tx: Tx, since: datetime, until: datetime
    ) -> tuple[bytes, datetime] | None:
        """The lines of the first day that has acts from a time on, as the digest is over them, and
        where to go on."""
        at = await store.first_act_since(tx, since)
        if at is None or at >= until:
            return None
        following = _start(at.date() + timedelta(days=1))
        return lines(await store.acts_of(tx, _start(at.date()), min(following, until))), following

    async def days(self, tx: Tx) -> list[tuple[Day, Day]]:
        """The last days that were closed, the newest first: as they were, and as their acts are
        now."""
        found = await store.days(tx, model.DAYS_SHOWN)
        return [(one, await self._day(tx, one.day)) for one in found]

    async def close_days(self, tx: Tx) -> int:
        """Puts a digest over each day that is over into the log; how many days."""
        over = (self._clock.now() - CLOSED_AFTER).date()
        last = await store.last_day(tx)
        since = _start(last + timedelta(days=1)) if last else datetime.min.replace(tzinfo=UTC)
        closed = 0
        while (at := await store.first_act_since(tx, since)) is not None and at.date() < over:
            day = await self._day(tx, at.date())
            if await store.add_day(tx, day):
                entry = {
                    "v": 1,
                    "kind": "console-day",
                    "at": model.instant(self._clock.now()),
                    "day": day.day.isoformat(),
                    "acts": day.acts,
                    "sha256": day.sha256.hex(),
                }
                await ledger.put(tx, LOG, canonical(entry))
                closed += 1
            since = _start(at.date() + timedelta(days=1))
        return closed

    async def tidy(self, tx: Tx) -> None:
        """Forgets old shifts and acts."""
        now = self._clock.now()
        await store.tidy(
            tx,
            now - timedelta(days=model.SHIFT_KEPT_DAYS),
            _start((now - timedelta(days=model.ACTS_KEPT_DAYS)).date()),
        )

    async def _day(self, tx: Tx, day: date) -> Day:
        found = await store.acts_of(tx, _start(day), _start(day + timedelta(days=1)))
        return Day(day, len(found), digest(found))


def digest(acts: Sequence[Done]) -> bytes:
    """SHA-256 over acts, one a line, the oldest first."""
    return hashlib.sha256(lines(acts)).digest()


def lines(acts: Sequence[Done]) -> bytes:
    """Acts as canonical JSON, one a line."""
    return b"".join(canonical(model.line_of(one)) + b"\n" for one in acts)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
