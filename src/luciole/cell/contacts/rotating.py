"""The key of contact discovery is changed: another one in both cells, under which everybody who
wants to be found is found, and of the former nothing is left.

Both halves are drawn anew. Adding something to one and taking it from the other would kill a half
that was stolen, and leave every value that somebody has computed good for ever; so the whole key
changes, and with it all values. The addresses for that are in the openings, sealed under each
person's key. A round comes in steps, each safe to be killed anywhere and run again:

1. It is asked for, by the operator or because the key is old; it has a salt for our half.
2. The other cell draws its half, and says the public key, which is kept.
3. People are brought over one by one, beside what is in use. The other cell counts each.
4. Once nobody is left the new round takes the place of the former in one transaction, with an entry
   in the log `decisions`; the former's salt goes, and with it our half.
5. The other cell hears of it with the next question, and destroys its half.
"""

from __future__ import annotations

import secrets
import time
from uuid import UUID

from luciole.ask.gateway import PeerRefused
from luciole.cell.contacts import model
from luciole.cell.contacts.model import Findable, Round
from luciole.cell.contacts.service import Discovery
from luciole.cell.contacts.store import rounds
from luciole.cell.people.service import People
from luciole.custody.model import KeyGone, NoGrant, NotOpened
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

SALT_BYTES = 32
AT_ONCE = 200
# A turn ends before the next begins.
TURN_S = 50.0


class Rotating:
    """Brings the cell from one round of the key to the next."""

    def __init__(
        self, db: Database, people: People, discovery: Discovery, clock: Clock, days: int
    ) -> None:
        """`days`: after how many the key is old; 0: never."""
        self._db, self._people, self._discovery, self._clock = db, people, discovery, clock
        self._days = days

    async def turn(self) -> None:
        """Goes on as far as it can in a minute. Where the other cell is away, later."""
        if not self._discovery.is_offered:
            return
        try:
            coming = await self._begun()
            if coming is not None and await self._everybody(coming):
                await self._turned(coming)
        except (model.OtherCellAway, model.OtherCellWrong, model.AskedTooMuch) as problem:
            log.warning("a new key of contacts waits for the other cell", code=problem.code)

    async def _begun(self) -> Round | None:
        """The round that comes, with the other cell's half drawn."""
        today = self._clock.now().date()
        async with self._db.tx() as tx:
            await rounds.set_since(tx, today)
            now = await rounds.current(tx)
            is_old = now.since is not None and (today - now.since).days >= self._days > 0
            if is_old and await rounds.coming(tx) is None:
                await rounds.ask(tx, model.round_of(today), new_salt(), "period")
            coming = await rounds.coming(tx)
        if coming is None or coming.other_key is not None:
            return coming
        key = await self._discovery.halves.other_key(coming)
        async with self._db.tx() as tx:
            await rounds.set_other_key(tx, coming.number, key)
            return await rounds.coming(tx)

    async def _everybody(self, coming: Round) -> bool:
        """Brings people over; whether nobody is left."""
        until = time.monotonic() + TURN_S
        while True:
            async with self._db.read() as tx:
                some = await rounds.left(tx, coming.number, AT_ONCE)
            if not some:
                return True
            for person_id, former in some:
                if time.monotonic() > until:
                    return False
                await self._bring(coming, person_id, former)

    async def _bring(self, coming: Round, person_id: UUID, former: Findable) -> None:
        made = None
        try:
            grant, _, text = await self._discovery.opened(person_id, former.opening)
            if text:
                made = await self._discovery.opening(coming, person_id, text, grant)
        except (KeyGone, NoGrant, NotOpened):
            pass
        except model.AskedTooMuch as problem:
            # One who has spent all of their own holds up nobody else: they turn it on anew.
            said = problem.__cause__
            if not (isinstance(said, PeerRefused) and said.said == "asked-too-much"):
                raise
        async with self._db.tx() as tx:
            card = (await self._people.cards(tx, [person_id])).get(person_id)
            if made is None or card is None:
                await rounds.set_renewed(tx, person_id, coming.number, former, None)
                return
            mark, key = model.cut(made.value)
            record = model.sealed_handle(key, model.new_nonce(), card.handle)
            await rounds.set_renewed(
                tx, person_id, coming.number, former, (mark, record, made.sealed)
            )

    async def _turned(self, coming: Round) -> None:
        """Puts the round in its place, unless somebody has come meanwhile."""
        now = self._clock.now()
        keys = await self._discovery.keys(coming)
        async with self._db.tx() as tx:
            before = await rounds.lock(tx)
            if before == coming.number or await rounds.left(tx, coming.number, 1):
                return
            await rounds.turn(tx, coming.number, now.date())
            entry = {
                "v": 1,
                "kind": "contacts-key",
                "at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "before": before,
                "keys": [key.hex() for key in keys],
                "peer": self._discovery.halves.peer,
                "round": coming.number,
                "why": coming.why,
            }
            await ledger.put(tx, "decisions", canonical(entry))
        # If we stop here, the other cell hears of it with the next question.
        await self._discovery.halves.other_key(await self._discovery.round())


def new_salt() -> bytes:
    """What makes our half of a round, with the cell's secret."""
    return secrets.token_bytes(SALT_BYTES)
