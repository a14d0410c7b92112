"""The front door of contact discovery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.ask.gateway import PeerInfo
from luciole.cell.contacts import model, store
from luciole.cell.contacts.book import Shelf, without
from luciole.cell.contacts.codes import Codes
from luciole.cell.contacts.halves import Half, Halves, Keys, Outside
from luciole.cell.contacts.model import Asked, Kind, Opening, Round
from luciole.cell.contacts.store import rounds
from luciole.cell.people.model import index_form
from luciole.config import Settings
from luciole.custody.model import Field, Grant, KeyGone, NoGrant, NotOpened
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx

FIELD = "contacts.opening"
VERSION = 1
PURPOSE = "contacts"
DAYS_TOLD = 30
DAYS_KEPT = 400
SENT_KEPT_DAYS = 2
# Longer than any edition of the filter is given out.
WITHDRAWN_KEPT = timedelta(days=1)


class Terms(msgspec.Struct, frozen=True):
    """Where somebody stands: what they may ask, and what their addresses are good for."""

    asked: Asked | None
    mine: list[model.Mine]


class Discovery:
    """Finding people whom one knows. Raises NotOffered where this cell stands alone."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        custody: Custody,
        secret: bytes,
        outside: Outside,
        clock: Clock,
    ) -> None:
        self._db, self._custody, self._clock = db, custody, clock
        self.halves = Halves(secret, settings.contacts.peer, outside)
        self.codes = Codes(secret, settings.code_kinds, settings.cell.name, outside, clock)
        self.shelf = Shelf(db, settings.contacts.whole_filter_people)

    @property
    def is_offered(self) -> bool:
        return self.halves.is_offered

    async def round(self) -> Round:
        """Which key is in use."""
        async with self._db.read() as tx:
            return await rounds.current(tx)

    async def keys(self, of: Round) -> Keys:
        """Raises NotOffered, OtherCellAway, OtherCellWrong."""
        return await self.halves.keys(of)

    async def other_cell(self) -> PeerInfo | None:
        return await self.halves.other_cell()

    async def terms(self, tx: Tx, person_id: UUID) -> Terms:
        return Terms(await store.look_asked(tx, person_id), await store.mine(tx, person_id))

    def left(self, asked: Asked | None) -> int:
        """How many points are left to somebody now."""
        return asked.left(self._clock.now().date()) if asked else model.FIRST_POINTS

    async def days(self, tx: Tx) -> list[model.Day]:
        """What all together have asked on each of the last days that are over."""
        return await store.days(tx, self._clock.now().date(), DAYS_TOLD)

    async def evaluate(
        self, person_id: UUID, points: bytes, number: int | None = None
    ) -> tuple[Half, Half]:
        """What both halves of the key make of blinded points. They are counted first, and given
        back where nothing came of it. `number`: of the round that the device has the keys of.
        Raises NotOffered, VerifyFirst, NothingAsked, TooManyAtOnce, KeysChanged, AskedTooMuch,
        OtherCellAway, OtherCellWrong."""
        if not self.is_offered:
            raise model.NotOffered
        wanted, rest = divmod(len(points), model.POINT_BYTES)
        if rest or not wanted:
            raise model.NothingAsked
        if wanted > model.MAX_POINTS_AT_ONCE:
            raise model.TooManyAtOnce
        today = self._clock.now().date()
        async with self._db.tx() as tx:
            if not await store.is_verified(tx, person_id):
                raise model.VerifyFirst
            now = await rounds.current(tx)
            if number not in (None, now.number):
                raise model.KeysChanged
            asked = await store.asked(tx, person_id, today)
            if asked.left(today) < wanted:
                raise model.AskedTooMuch
            await store.spend(tx, person_id, today, wanted)
        try:
            return await self.halves.both(now, self.halves.asker(person_id), points)
        except (model.OtherCellAway, model.OtherCellWrong, model.NothingAsked):
            async with self._db.tx() as tx:
                await store.spend(tx, person_id, today, -wanted)
            raise

    async def index(self, kind: Kind, address: str) -> bytes:
        """By what an address is known again, in this cell only."""
        return await self._custody.index(kind, index_form(kind, address))

    async def opening(self, of: Round, person_id: UUID, text: bytes, grant: Grant) -> Opening:
        """By what somebody is found at an address (`model.said`), in a round of the key; before a
        transaction. The address is sealed with it, so that a round that comes finds them too.
        Raises as `Halves.value`, and what `Custody.seal` raises."""
        value = await self.halves.value(of, person_id, text)
        (sealed,) = await self._custody.seal(grant, [Field(FIELD, VERSION, value + text)])
        return Opening(of.number, value, sealed)

    async def opened(self, person_id: UUID, sealed: bytes) -> tuple[Grant, bytes, bytes]:
        """The value and the address of an opening, and the grant under which it was opened: for
        jobs. The address is empty in what was sealed before there were rounds. Raises CustodyAway,
        KeyGone, NoGrant, NotOpened."""
        grant = await self._custody.automated_grant(person_id, PURPOSE)
        (told,) = await self._custody.open(grant, [Field(FIELD, VERSION, sealed)])
        return grant, told[: model.VALUE_BYTES], told[model.VALUE_BYTES :]

    async def be_found(
        self, tx: Tx, person_id: UUID, kind: Kind, handle: str, opening: Opening
    ) -> None:
        """From now on the person is found at this address. Raises VerifyFirst, KeysChanged."""
        if await rounds.hold(tx) != opening.round:
            raise model.KeysChanged
        if not await store.is_verified(tx, person_id, kind):
            raise model.VerifyFirst
        mark, key = model.cut(opening.value)
        record = model.sealed_handle(key, model.new_nonce(), handle)
        await store.set_findable(tx, person_id, kind, mark, record, opening.sealed)
        await rounds.drop_renewed(tx, person_id, kind)

    async def be_found_no_more(self, tx: Tx, person_id: UUID, kind: Kind) -> None:
        await store.drop_findable(tx, person_id, kind)

    async def renew(self, tx: Tx, person_id: UUID, handle: str) -> None:
        """Seals a person's records anew, with the handle that they have now. What cannot be opened
        stays as it is. Raises CustodyAway."""
        found = await store.findable(tx, person_id)
        if not found:
            return
        try:
            # Nothing of the person is locked yet: the broker notes the grant in the journal.
            opened = [await self.opened(person_id, one.opening) for one in found]
        except (KeyGone, NoGrant, NotOpened):
            return
        for one, (_, value, _) in zip(found, opened, strict=True):
            _, key = model.cut(value)
            record = model.sealed_handle(key, model.new_nonce(), handle)
            await store.set_record(tx, person_id, one.kind, record)
        await rounds.drop_renewed(tx, person_id)

    async def parts(self, bits: int, indexes: Sequence[int]) -> bytes:
        """Parts of a filter that is cut by so many bits. Raises FilterChanged, NothingAsked,
        TooManyAtOnce."""
        found = await self.shelf.newest()
        if len(indexes) > model.MAX_PARTS_AT_ONCE:
            raise model.TooManyAtOnce
        if bits != found.part_bits:
            raise model.FilterChanged
        return b"".join(map(found.part, indexes))

    async def buckets(self, bits: int, indexes: Sequence[int]) -> bytes:
        """Buckets of a book that is cut by so many bits. Raises FilterChanged, NothingAsked,
        TooManyAtOnce."""
        found = await self.shelf.newest()
        if len(indexes) > model.MAX_BUCKETS_AT_ONCE:
            raise model.TooManyAtOnce
        if bits != found.bucket_bits:
            raise model.FilterChanged
        async with self._db.read() as tx:
            gone = await store.withdrawn(tx, found.number)
        return b"".join(without(found.bucket(index), gone) for index in indexes)

    async def tidy(self, tx: Tx) -> None:
        """Forgets codes that have ended, and old counts."""
        now = self._clock.now()
        await store.tidy(
            tx,
            now - timedelta(minutes=model.CODE_MINUTES),
            now.date() - timedelta(days=SENT_KEPT_DAYS),
            now.date() - timedelta(days=DAYS_KEPT),
            now - WITHDRAWN_KEPT,
        )
