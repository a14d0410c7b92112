"""Withholding by an order, and telling everybody: the notice, the log, whoever is withheld."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from luciole.cell.notices import model, refusals, store
from luciole.cell.notices.model import (
    SIGNATURES,
    AlreadyEnded,
    AlreadySettled,
    AsksFor,
    BadNotice,
    BadOrder,
    Label,
    Measure,
    NoSuchNotice,
    NoSuchOrder,
    NoSuchSubject,
    Notice,
    NotWaiting,
    Request,
    Settled,
    Subject,
    What,
    Wish,
    Withheld,
)
from luciole.cell.notices.store import Blocked, measures
from luciole.cell.notify.service import Notify
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx, asked_from
from luciole.kit.ids import LAST_ID, new_id
from luciole.ledger import store as ledger

LOG = "decisions"
AT_ONCE = 100
# Of a report that holds everything: beyond, a cell has other worries.
MOST_REPORTED = 100_000
ENDED_BY_ITSELF = "its day has come"
ENDED_WITH_ITS_PERSON = "whom it was about is no longer here"


class NoticePlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of the list ended."""

    id: UUID


class Notices:
    """The front door of notices."""

    def __init__(self, notify: Notify, cursors: Cursors, clock: Clock, origin: str) -> None:
        self._notify = notify
        self._cursors = cursors
        self._clock = clock
        self._origin = origin

    # --- what is withheld from who asks -----------------------------------------------------------

    async def among(self, tx: Tx, clips: Sequence[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
        """Those of the clips (with their authors) that are withheld where is asked from."""
        return await store.among(tx, clips)

    async def refuse_person(self, tx: Tx, person_id: UUID, viewer_id: UUID | None) -> None:
        """Raises Withheld where a person is, for all but themselves."""
        if person_id == viewer_id:
            return
        if notice_id := await store.of_person(tx, person_id):
            await self.refuse(tx, notice_id)

    async def blocked_file(self, tx: Tx, key: str) -> Blocked | None:
        """The notice in force here about a film's file or about whose picture it is, by its key."""
        _, _, rest = key.partition("/")
        return await store.of_file(tx, rest.partition("/")[0]) or await store.of_avatar(tx, key)

    async def refuse(self, tx: Tx, notice_id: UUID) -> None:
        """Raises Withheld, with the notice; Removed, RemovedHere or AdultsOnly, with the statement
        of reasons, where a decision of moderators keeps it. Each 451 names who blocks, too."""
        blocked_by = f'<{self._origin}>; rel="blocked-by", '
        if (measure := await measures.withholding(tx, notice_id)) is not None:
            link = f'<{self._origin}/statements/{notice_id}>; rel="describedby"'
            if measure.effect == "adults":
                raise refusals.AdultsOnly(link=link)
            if model.EVERYWHERE in measure.countries:
                raise refusals.Removed(link=link)
            raise refusals.RemovedHere(link=blocked_by + link)
        notice = await store.notice(tx, notice_id)
        if notice is None or notice.begun_at is None:
            raise NoSuchNotice
        where = asked_from.get() or "this country"
        until = f", until {notice.until:%Y-%m-%d}" if notice.until else ""
        raise Withheld(
            f"This is withheld in {where}: {notice.ordered_by} ordered it, under "
            f"{notice.law.rstrip('.')}{until}.",
            link=f'{blocked_by}<{self._origin}/notices/{notice.id}>; rel="describedby"',
        )

    # --- decisions of moderators ----------------------------------------------------------------

    async def measure(self, tx: Tx, one: Measure) -> None:
        """Does what a decision says, from now on; its statement and its entry in the log are the
        caller's to make, in the same transaction."""
        await measures.add(tx, one)

    async def end_measures(self, tx: Tx, decision_id: UUID) -> None:
        """Ends what a decision did; safe to repeat."""
        await measures.end(tx, decision_id, self._clock.now())

    async def labels(self, tx: Tx, clip_ids: Sequence[UUID]) -> dict[UUID, list[Label]]:
        """The labels that decisions have put on clips."""
        return await measures.labels(tx, clip_ids) if clip_ids else {}

    # --- withholding --------------------------------------------------------------------------

    async def find(self, tx: Tx, what: What, name: str) -> Subject:
        """The clip of an id, the person of a handle, or the cell of a name. Raises
        NoSuchSubject."""
        found: Subject | None = None
        if what == "clip":
            try:
                found = await store.clip(tx, UUID(name))
            except ValueError:
                found = None
        elif what == "person":
            found = await store.person(tx, name.removeprefix("@").lower())
        elif name:
            found = Subject("cell", f"cell/{name}", cell=name)
        if found is None:
            raise NoSuchSubject
        return found

    async def withhold(self, tx: Tx, subject: Subject, wish: Wish) -> Notice:
        """Withholds something from now on, with its entry in the log; what only the cell's own
        rules ask for waits for two of the staff. An order from outside is counted as one: where
        `wish` names none, a new one is. Raises what the wish is refused for."""
        wish, now = model.clean_wish(wish), self._clock.now()
        if wish.until is not None and wish.until <= now:
            raise BadNotice("The day on which it ends is over already.")
        is_ordered = wish.ground != "rules"
        request_id = wish.request_id
        if request_id is not None and await store.request(tx, request_id) is None:
            raise NoSuchOrder
        if not is_ordered and request_id is not None:
            raise BadNotice("What the cell's own rules ask for, nobody has ordered.")
        if is_ordered and request_id is None:
            request = await self.add_order(
                tx,
                authority=wish.ordered_by,
                country=wish.authority_country or wish.countries[0],
                law=wish.law,
                asks_for="withhold",
                persons=0 if subject.person_id is None else 1,
                received_on=now.date(),
                gag_until=None,
            )
            await self.settle_order(tx, request.id, "complied")
            request_id = request.id
        nonce = secrets.token_bytes(32)
        notice = Notice(
            id=new_id(),
            what=subject.what,
            countries=wish.countries,
            ground=wish.ground,
            ordered_by=wish.ordered_by,
            law=wish.law,
            reason=wish.reason,
            appeal=wish.appeal,
            until=wish.until,
            request_id=request_id,
            staff=(),
            state="in-force" if is_ordered else "waiting",
            is_named=wish.is_named,
            made_at=now,
            begun_at=now if is_ordered else None,
            ended_at=None,
            ended_why="",
            commitment=model.commitment_to_subject(nonce, subject.said, wish.reason, wish.appeal),
            said=subject.said,
            nonce=nonce,
        )
        await store.add(tx, notice, subject)
        if is_ordered:
            await ledger.put(tx, LOG, model.begun_entry(notice, now))
        return notice

    async def sign(self, tx: Tx, notice_id: UUID, staff_id: UUID) -> Notice:
        """Takes the word of one of the staff, whose signature the key broker has verified; with
        the second one's the notice holds. Raises NotWaiting."""
        await store.lock(tx, notice_id)
        await self._waiting(tx, notice_id)
        await store.sign(tx, notice_id, staff_id)
        notice = await self._waiting(tx, notice_id)
        if len(notice.staff) < SIGNATURES:
            return notice
        now = self._clock.now()
        await store.begin(tx, notice_id, now)
        await ledger.put(tx, LOG, model.begun_entry(notice, now))
        return await self._notice(tx, notice_id)

    async def waiting(self, tx: Tx) -> list[Notice]:
        """Those that wait for signatures, the newest first."""
        return await store.notices(tx, LAST_ID, AT_ONCE, waiting=True)

    async def lift(self, tx: Tx, notice_id: UUID, why: str) -> None:
        """Ends a notice; it stays in the list. One that never held leaves no entry. Raises
        NoSuchNotice, AlreadyEnded."""
        await store.lock(tx, notice_id)
        notice = await store.notice(tx, notice_id)
        if notice is None:
            raise NoSuchNotice
        if notice.state == "ended":
            raise AlreadyEnded
        why = " ".join(why.split())
        if len(why) not in model.ENDED_WHY:
            raise BadNotice
        await self._end(tx, notice_id, why, has_begun=notice.begun_at is not None)

    async def _end(self, tx: Tx, notice_id: UUID, why: str, *, has_begun: bool = True) -> None:
        now = self._clock.now()
        await store.end(tx, notice_id, now, why)
        if has_begun:
            await ledger.put(tx, LOG, model.ended_entry(notice_id, why, now))

    # --- orders ---------------------------------------------------------------------------------

    async def add_order(
        self,
        tx: Tx,
        *,
        authority: str,
        country: str,
        law: str,
        asks_for: AsksFor,
        persons: int,
        received_on: date,
        gag_until: date | None,
    ) -> Request:
        """Counts an order, in the public log at once: all of it, or under a gag its commitment,
        and the rest on the day on which the gag ends. Raises BadOrder."""
        now = self._clock.now()
        authority, law = " ".join(authority.split()), " ".join(law.split())
        if (
            len(authority) not in model.ORDERED_BY
            or len(law) not in model.LAW
            or not model.COUNTRY.fullmatch(country)
            or not 0 <= persons < 2**31
            or received_on > now.date()
        ):
            raise BadOrder
        is_told = gag_until is None or gag_until <= now.date()
        request = Request(
            id=new_id(),
            authority=authority,
            country=country,
            law=law,
            asks_for=asks_for,
            persons=persons,
            received_on=received_on,
            gag_until=None if is_told else gag_until,
            nonce=secrets.token_bytes(32),
            made_at=now,
            is_told=is_told,
            outcome="pending",
            settled_at=None,
            is_settled_told=False,
        )
        await store.add_request(tx, request)
        await ledger.put(tx, LOG, model.order_entry(request, now))
        return request

    async def settle_order(self, tx: Tx, request_id: UUID, outcome: Settled) -> Request:
        """Notes what became of an order. Raises NoSuchOrder, AlreadySettled."""
        request = await store.request(tx, request_id)
        if request is None:
            raise NoSuchOrder
        if request.outcome != "pending":
            raise AlreadySettled
        now = self._clock.now()
        await store.settle(tx, request_id, outcome, now)
        settled = msgspec.structs.replace(request, outcome=outcome, settled_at=now)
        if request.is_told:
            await self._tell_settled(tx, settled)
        return settled

    async def orders(self, tx: Tx) -> list[Request]:
        """All of them, the newest first; for the operator."""
        return await store.requests(tx, LAST_ID, MOST_REPORTED)

    async def _tell_settled(self, tx: Tx, request: Request) -> None:
        await ledger.put(tx, LOG, model.settled_entry(request, self._clock.now()))
        await store.tell_settled(tx, request.id)

    # --- what comes by itself -------------------------------------------------------------------

    async def settle(self, tx: Tx) -> bool:
        """Ends what is over, opens orders whose gag is, and tells people what is withheld of
        theirs; some at a time, and whether there may be more."""
        now = self._clock.now()
        over = await store.over(tx, now, AT_ONCE)
        for notice_id, is_gone in over:
            await self._end(tx, notice_id, ENDED_WITH_ITS_PERSON if is_gone else ENDED_BY_ITSELF)
        opened = await store.ungagged(tx, now.date(), AT_ONCE)
        for request in opened:
            await store.tell_request(tx, request.id)
            await ledger.put(tx, LOG, model.told_entry(request, now))
            if request.outcome != "pending":
                await self._tell_settled(tx, request)
        untold = await store.untold(tx, AT_ONCE)
        for one in untold:
            has_ended = one.state == "ended"
            kind: Any = "withheld-ended" if has_ended else "withheld"
            await store.told(tx, one.notice_id, kind)
            await self._notify.tell_as_cell(
                tx, kind, to=one.person_id, clip_id=one.clip_id, about_id=one.notice_id
            )
        return AT_ONCE in (len(over), len(opened), len(untold))

    # --- for everybody --------------------------------------------------------------------------

    async def notice(self, tx: Tx, notice_id: UUID) -> dict[str, Any]:
        """A notice as everybody may read it. Raises NoSuchNotice."""
        return model.public_notice(await self._notice(tx, notice_id), self._origin)

    async def page(
        self, tx: Tx, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Notices that hold or have held, the newest first, and the next cursor."""
        place = self._cursors.read("notices", cursor, NoticePlace)
        found = await store.notices(tx, place.id if place else LAST_ID, limit + 1)
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = self._cursors.make("notices", NoticePlace(found[-1].id))
        public = [one for one in found if one.begun_at is not None]
        return [model.public_notice(one, self._origin) for one in public], following

    async def order_page(
        self, tx: Tx, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Orders as everybody may read them, the newest first, and the next cursor."""
        place = self._cursors.read("orders", cursor, NoticePlace)
        found = await store.requests(tx, place.id if place else LAST_ID, limit + 1)
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = self._cursors.make("orders", NoticePlace(found[-1].id))
        return [model.public_order(one) for one in found], following

    async def report(self, tx: Tx) -> dict[str, Any]:
        """Everything, as the verifier matches it with the log; in the order of the log."""
        notices = [
            one
            for one in await store.notices(tx, LAST_ID, MOST_REPORTED)
            if one.begun_at is not None
        ]
        orders = [
            model.public_order(one) for one in await store.requests(tx, LAST_ID, MOST_REPORTED)
        ]
        return {
            "v": 1,
            "at": model.instant(self._clock.now()),
            "notices": [model.public_notice(one, self._origin) for one in reversed(notices)],
            "orders": orders[::-1],
            "counts": model.counted(orders),
        }

    async def _notice(self, tx: Tx, notice_id: UUID) -> Notice:
        notice = await store.notice(tx, notice_id)
        if notice is None or notice.begun_at is None:
            raise NoSuchNotice
        return notice

    async def _waiting(self, tx: Tx, notice_id: UUID) -> Notice:
        notice = await store.notice(tx, notice_id)
        if notice is None or notice.state != "waiting":
            raise NotWaiting
        return notice
