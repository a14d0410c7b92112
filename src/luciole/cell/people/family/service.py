"""The front door of families: pairing, limits, minutes. Settings and time, never content.

What is told goes up by a job (`NEWS_JOB`), because calls go down only: notify does it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.people.family import model, refusals, store
from luciole.cell.people.family.model import (
    Change,
    Day,
    FamilyLimits,
    Held,
    News,
    Own,
    Pairing,
    Report,
    SealedReport,
)
from luciole.cell.people.model import AgeBand, Viewer
from luciole.custody.model import Field, Grant
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.queue import Queue

# Whether a block stands between two people: graph knows, which is above.
Apart = Callable[[Tx, UUID, UUID], Awaitable[bool]]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Report).decode


class Family:
    """Pairings of young people's accounts with adults'. `key` is a key of the cell (32 bytes)."""

    def __init__(self, custody: Custody, key: bytes, clock: Clock, queue: Queue) -> None:
        self._custody = custody
        # Not the key itself: that one makes marks of devices.
        self._key = hmac.digest(key, b"family codes", "sha256")
        self._clock = clock
        self._queue = queue

    # --- pairing -------------------------------------------------------------------------------

    async def show_code(self, tx: Tx, person_id: UUID) -> tuple[str, datetime]:
        """A new code in place of the former one, and until when it is good."""
        code, until = model.new_code(), self._clock.now() + model.CODE_LIFE
        await store.set_code(tx, person_id, self._hash(code), until)
        return code, until

    async def enter(self, tx: Tx, me: Viewer, typed: str, apart: Apart) -> Pairing:
        """A pairing with who shows this code, which waits until both have confirmed. The code is
        used up. Raises NoSuchFamilyCode (also where a block stands between them), OwnFamilyCode,
        NotAFamily, AlreadyPaired, GuardiansTooMany, TeensTooMany."""
        now = self._clock.now()
        code = model.code_of(typed)
        other = await store.take_code(tx, self._hash(code), now) if code else None
        if other is None:
            raise refusals.NoSuchFamilyCode
        if other == me.person_id:
            raise refusals.OwnFamilyCode
        await store.lock_both(tx, me.person_id, other)
        bands = await store.band(tx, me.person_id), await store.band(tx, other)
        if bands[0] is None or bands[1] is None or await apart(tx, me.person_id, other):
            raise refusals.NoSuchFamilyCode
        if (bands[0] == "18+") == (bands[1] == "18+"):
            raise refusals.NotAFamily
        is_guardian = bands[0] == "18+"
        guardian_id, teen_id = (me.person_id, other) if is_guardian else (other, me.person_id)
        before = await store.between(tx, guardian_id, teen_id, now)
        if before is not None and before.paired_at is not None:
            raise refusals.AlreadyPaired
        await self._check_room(tx, guardian_id, teen_id, now)
        pairing_id = new_id()
        # One that waits, or has run out and was not tidied yet, makes place.
        await store.drop_between(tx, guardian_id, teen_id, pairing_id)
        await store.add(tx, pairing_id, guardian_id, teen_id, now, now + model.CONFIRM_WITHIN)
        return await self._require(tx, me, pairing_id, is_locked=False)

    async def confirm(self, tx: Tx, me: Viewer, pairing_id: UUID, apart: Apart) -> Pairing:
        """One side's yes; when both have said it, they are paired, and both are told. Of one that
        is about to end, the young person takes that back. Doing it twice is no error. Raises
        NoSuchPairing, GuardiansTooMany, TeensTooMany."""
        found = await self._require(tx, me, pairing_id, is_locked=False)
        await store.lock_both(tx, found.guardian_id, found.teen_id)
        found = await self._require(tx, me, pairing_id, is_locked=True)
        side, now = found.side(me.person_id), self._clock.now()
        if found.paired_at is not None:
            if side == "teen" and found.ends_at is not None:
                await store.set_end(tx, pairing_id, None)
                await self._tell(tx, found.guardian_id, "family-paired", pairing_id)
            return await self._require(tx, me, pairing_id, is_locked=False)
        if await apart(tx, found.guardian_id, found.teen_id):
            raise refusals.NoSuchPairing
        await self._check_room(tx, found.guardian_id, found.teen_id, now)
        guardian_at, teen_at = found.guardian_agreed_at, found.teen_agreed_at
        if side == "guardian":
            guardian_at = guardian_at or now
        else:
            teen_at = teen_at or now
        is_paired = guardian_at is not None and teen_at is not None
        expires_at = None if is_paired else found.expires_at
        await store.agree(tx, pairing_id, guardian_at, teen_at, expires_at)
        if is_paired:
            for person_id in (found.guardian_id, found.teen_id):
                await self._tell(tx, person_id, "family-paired", pairing_id)
        return await self._require(tx, me, pairing_id, is_locked=False)

    async def end(self, tx: Tx, me: Viewer, pairing_id: UUID) -> datetime | None:
        """Ends a pairing, or says no to one that waits; gives when it ends, None: it has. Below 16
        the guardian is told a day before. Raises NoSuchPairing."""
        found = await self._require(tx, me, pairing_id, is_locked=True)
        has_notice = found.paired_at is not None and not model.ends_alone(found.teen_band)
        if has_notice and found.side(me.person_id) == "teen":
            return found.ends_at or await self._end_later(tx, found)
        await self._end(tx, found, told=found.other(me.person_id))
        return None

    async def _end_later(self, tx: Tx, found: Pairing) -> datetime:
        at = self._clock.now() + model.NOTICE
        await store.set_end(tx, found.id, at)
        await self._tell(tx, found.guardian_id, "family-ending", found.id)
        return at

    async def end_between(self, tx: Tx, one: UUID, other: UUID) -> None:
        """Ends what there is between two people at once: one has blocked the other. Both are told
        alike that a pairing has ended, and nobody who did it."""
        found = await store.between(tx, one, other, self._clock.now())
        if found is None:
            return
        await self._end(tx, found, told=found.guardian_id)
        if found.paired_at is not None:
            await self._tell(tx, found.teen_id, "family-ended", found.id)

    async def grown(self, tx: Tx, person_id: UUID, age_band: AgeBand) -> None:
        """A person moves up an age band: an adult has no guardians, who are told. Call before the
        account says so."""
        if age_band != "18+":
            return
        await store.drop_code(tx, person_id)
        for found in await store.of_person(tx, person_id, self._clock.now()):
            if found.side(person_id) == "teen":
                await self._end(tx, found, told=found.guardian_id)

    async def of(self, tx: Tx, person_id: UUID) -> list[Pairing]:
        """The pairings of a person, those that wait too, the oldest first."""
        return await store.of_person(tx, person_id, self._clock.now())

    # --- limits --------------------------------------------------------------------------------

    async def set_limits(
        self, tx: Tx, me: Viewer, pairing_id: UUID, wished: FamilyLimits
    ) -> Change:
        """Limits of a young person, from their guardian: below 16 they hold at once, from then on
        they are proposed. The young person is told. Raises NoSuchPairing, BadFamilyLimits."""
        limits = model.checked(wished)
        found = await self._require_guardian(tx, me, pairing_id, is_locked=True)
        state: model.LimitsState = "in-force" if model.sets_at_once(found.teen_band) else "proposed"
        standing = await store.standing(tx, [pairing_id])
        same = [one for one in standing if one.limits == limits]
        if len(standing) == len(same) == 1:
            return same[0]
        now = self._clock.now()
        await store.replace(tx, pairing_id, "proposed", "replaced", now)
        if state == "in-force":
            await store.replace(tx, pairing_id, "in-force", "replaced", now)
        made = Change(new_id(), pairing_id, state, limits, now, None)
        await store.add_limits(tx, made.id, pairing_id, state, limits, now)
        await self._tell(tx, found.teen_id, "family-limits", made.id)
        return made

    async def answer(self, tx: Tx, me: Viewer, pairing_id: UUID, *, yes: bool) -> Change | None:
        """A young person's yes or no to what is proposed; what holds then. The guardian is told.
        Raises NoSuchPairing, NothingProposed."""
        found = await self._require(tx, me, pairing_id, is_locked=True)
        if found.side(me.person_id) != "teen" or found.paired_at is None:
            raise refusals.NoSuchPairing
        standing = await store.standing(tx, [pairing_id])
        proposed = next((one for one in standing if one.state == "proposed"), None)
        if proposed is None:
            raise refusals.NothingProposed
        now = self._clock.now()
        if yes:
            await store.replace(tx, pairing_id, "in-force", "replaced", now)
        await store.replace(tx, pairing_id, "proposed", "in-force" if yes else "declined", now)
        await self._tell(tx, found.guardian_id, "family-answered", proposed.id)
        left = await store.standing(tx, [pairing_id])
        return next((one for one in left if one.state == "in-force"), None)

    async def standing(self, tx: Tx, pairings: Sequence[Pairing]) -> list[Change]:
        """What holds in these pairings, and what waits for an answer."""
        return await store.standing(tx, [one.id for one in pairings]) if pairings else []

    async def changes(self, tx: Tx, pairings: Sequence[Pairing]) -> list[Change]:
        """What was set and proposed in these pairings lately, the newest first."""
        ids = [one.id for one in pairings]
        return await store.changes(tx, ids, model.CHANGES_SHOWN) if ids else []

    async def held(self, tx: Tx, teen_id: UUID) -> Held:
        """What holds for a young person now, of all their guardians."""
        return model.together(await store.in_force(tx, teen_id, self._clock.now()))

    async def check_may_open(self, tx: Tx, person_id: UUID) -> None:
        """Raises KeptPrivate where the account of a young person is to stay private."""
        if (await self.held(tx, person_id)).keeps_private:
            raise refusals.KeptPrivate

    async def check_for_you(self, tx: Tx, viewer: Viewer) -> None:
        """Raises ForYouOff, TimeToSleep where limits keep a young person from For You. Hours of
        sleep are known by the clock that the device reports; minutes are the device's to count."""
        if not viewer.is_minor:
            return
        held = await self.held(tx, viewer.person_id)
        if held.for_you_off:
            raise refusals.ForYouOff
        if not held.sleep:
            return
        if model.is_asleep(held, self._clock.now(), await store.clock(tx, viewer.person_id)):
            raise refusals.TimeToSleep

    # --- minutes -------------------------------------------------------------------------------

    async def report(
        self,
        tx: Tx,
        grant: Grant,
        me: Viewer,
        days: Sequence[Day],
        own: Own,
        offset_minutes: int,
    ) -> None:
        """Keeps what a young person's device reports, sealed with their key, in place of what it
        reported before. Raises NotPaired, BadFamilyTime, and what `Custody.seal` raises."""
        now = self._clock.now()
        report = model.reported(days, own, now.date())
        mine = [
            one
            for one in await store.of_person(tx, me.person_id, now)
            if one.side(me.person_id) == "teen" and one.paired_at is not None
        ]
        if not mine:
            raise refusals.NotPaired
        version = await store.version(tx, me.session_id) + 1
        field = Field(model.TIME_FIELD, version, _encode(report))
        (sealed,) = await self._custody.seal(grant, [field])
        await store.set_report(
            tx, me.session_id, me.person_id, version, sealed, offset_minutes, now
        )

    async def paired_with(self, tx: Tx, me: Viewer, pairing_id: UUID) -> Pairing:
        """A pairing in which I am the guardian, and both have confirmed. Raises NoSuchPairing."""
        return await self._require_guardian(tx, me, pairing_id, is_locked=False)

    async def reports(self, tx: Tx, found: Pairing) -> list[SealedReport]:
        """What the young person's devices have reported, sealed."""
        return await store.reports(tx, found.teen_id)

    async def note_look(self, tx: Tx, found: Pairing) -> None:
        """Says in the young person's journal that this guardian looks, once a day, by the id of
        their pairing. Before anything is opened, and late in `tx`. Raises what `Custody.note`
        raises."""
        if await store.set_seen(tx, found.id, self._clock.now().date()):
            await self._custody.note(
                tx,
                found.teen_id,
                kind="read",
                cls="automated",
                purpose=model.PURPOSE,
                actor=str(found.id),
                columns=[model.TIME_FIELD],
            )

    async def opened(self, found: Pairing, sealed: Sequence[SealedReport]) -> list[Report]:
        """The same in the clear, under a grant for a family's look, which stands in the young
        person's journal. Call outside of a transaction. Raises what `Custody.open` raises."""
        if not sealed:
            return []
        grant = await self._custody.automated_grant(found.teen_id, model.PURPOSE)
        fields = [Field(model.TIME_FIELD, one.version, one.sealed) for one in sealed]
        return [_decode(one) for one in await self._custody.open(grant, fields)]

    def summed(self, reports: Sequence[Report]) -> list[Day]:
        """Minutes of all devices together, a day, the newest first."""
        return model.summed(reports, self._clock.now().date())

    # --- housekeeping --------------------------------------------------------------------------

    async def tidy(self, tx: Tx) -> None:
        """Ends what has run out, and forgets what is older than it is kept."""
        now = self._clock.now()
        for pairing_id, guardian_id, teen_id, was_paired in await store.drop_over(tx, now):
            await store.drop_reports(tx, teen_id)
            for person_id in (guardian_id, teen_id) if was_paired else ():
                await self._tell(tx, person_id, "family-ended", pairing_id)
        await store.tidy(tx, now, now - timedelta(days=model.DAYS))

    def _hash(self, code: str) -> bytes:
        plain = model.code_of(code) or ""
        return hmac.digest(self._key, plain.encode(), "sha256")

    async def _check_room(self, tx: Tx, guardian_id: UUID, teen_id: UUID, now: datetime) -> None:
        most = model.MAX_GUARDIANS
        if await store.guardians(tx, teen_id, now, most) >= most:
            raise refusals.GuardiansTooMany
        if await store.teens(tx, guardian_id, now, model.MAX_TEENS) >= model.MAX_TEENS:
            raise refusals.TeensTooMany

    async def _require(self, tx: Tx, me: Viewer, pairing_id: UUID, *, is_locked: bool) -> Pairing:
        found = await store.one(tx, pairing_id, self._clock.now(), is_locked=is_locked)
        if found is None or me.person_id not in (found.guardian_id, found.teen_id):
            raise refusals.NoSuchPairing
        return found

    async def _require_guardian(
        self, tx: Tx, me: Viewer, pairing_id: UUID, *, is_locked: bool
    ) -> Pairing:
        found = await self._require(tx, me, pairing_id, is_locked=is_locked)
        if found.side(me.person_id) != "guardian" or found.paired_at is None:
            raise refusals.NoSuchPairing
        return found

    async def _end(self, tx: Tx, found: Pairing, *, told: UUID) -> None:
        await store.drop(tx, found.id)
        await store.drop_reports(tx, found.teen_id)
        if found.paired_at is not None:
            await self._tell(tx, told, "family-ended", found.id)

    async def _tell(self, tx: Tx, person_id: UUID, news: News, about_id: UUID) -> None:
        # `line_id`: a job that runs twice tells once.
        body = {
            "person_id": str(person_id),
            "news": news,
            "about_id": str(about_id),
            "line_id": str(new_id()),
        }
        await self._queue.put(tx, model.NEWS_JOB, body)
