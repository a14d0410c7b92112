"""All that a gateway does with peers: a queue and a client for each, as long as it is one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from luciole.border import batch, exchanging, media, outward, receiving, sending
from luciole.border.asked import Route
from luciole.border.cells import Cell, Us
from luciole.border.exchanging import Exchanging
from luciole.border.media import Media
from luciole.border.outward import Answered
from luciole.border.own_log import OwnLog
from luciole.border.peers import Peer, PeerAway
from luciole.border.receiving import Receiving
from luciole.border.renewing import Renewing
from luciole.border.sending import Sending
from luciole.border.store import crossings, peers
from luciole.border.trustee import Trustee
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.logs import log

OFFERS, PEERS = "luciole_border", "luciole_peers"
LOOKS_EVERY_S = 5.0
AFTER_FAILURE_S = 1.0
NOTES_EVERY_S = 60.0
# A signed request holds for 5 minutes either way.
SEEN_KEPT_S = 900.0
RECEIPTS_KEPT_DAYS = 30


class Crossings:
    """The peers of one cell."""

    def __init__(
        self,
        us: Us,
        db: Database,
        api: Peer,
        witness: Peer,
        trustee: Trustee,
        folder: Path,
        clock: Clock,
    ) -> None:
        self.us, self._db, self._clock = us, db, clock
        self.own_log = OwnLog(lambda path: api.get(f"ledger/border/{path}"), us.log)
        self.receiving = Receiving(us, db, clock)
        self.exchanging = Exchanging(db, self.receiving, witness, trustee, clock)
        self.media = Media(us, db, self.own_log, self.receiving, api, folder, clock)
        self._renewing = Renewing(db, clock)
        self.cells: dict[str, Cell] = {}
        self._queues: dict[str, tuple[Sending, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()

    def routes(self) -> list[Route]:
        """What peers may ask of us."""
        return [
            Route("POST", f"/{batch.PATH}", self.receiving.crossings, batch.MAX_BYTES),
            Route("POST", f"/{sending.INBOX}", self.receiving.inbox, receiving.MAX_BODY_BYTES),
            Route(
                "POST",
                f"/{exchanging.ASK}",
                self.exchanging.answer,
                exchanging.MAX_ASKED_BYTES,
            ),
            Route("POST", f"/{media.MEDIA}", self.media.give, media.MOST_ASKED_BYTES),
        ]

    async def ask(self, cell: Cell, kind: str, body: bytes, timeout_s: float) -> Answered:
        """One immediate exchange."""
        return await self.exchanging.ask(cell, kind, body, timeout_s)

    async def get_media(self, cell: Cell, wanted: outward.Media) -> Answered:
        """A film of a peer."""
        return await self.media.get(cell, wanted)

    async def run(self, stop: asyncio.Event) -> None:
        """Goes on until `stop`, whatever becomes of the database."""
        stopping = asyncio.create_task(stop.wait())
        renewing = asyncio.create_task(self._renew())
        noted = float("-inf")
        try:
            while not stop.is_set():
                try:
                    async with (
                        self._db.listening(OFFERS, lambda _: self._wake()),
                        self._db.listening(PEERS, lambda _: self._changed.set()),
                    ):
                        while not stop.is_set():
                            self._changed.clear()
                            await self.look()
                            now = asyncio.get_running_loop().time()
                            if now - noted >= NOTES_EVERY_S:
                                await self.note()
                                noted = now
                            await self._wait(stopping)
                except (*LOST, TimeoutError) as error:
                    log.warning("the gateway lost the database", error=type(error).__name__)
                    await asyncio.wait({stopping}, timeout=AFTER_FAILURE_S)
        finally:
            stopping.cancel()
            renewing.cancel()
            await self.close()

    async def look(self) -> None:
        """Brings cells and queues into step with the peers in the database."""
        async with self._db.read() as tx:
            known = {one.name: one for one in await peers.peers(tx)}
        self.receiving.known = known
        gone = [name for name in self.cells if name not in known]
        moved = [
            name
            for name, cell in self.cells.items()
            if name in known and cell.known.info.origin != known[name].info.origin
        ]
        for name in (*gone, *moved):
            await self._end(name)
        for name, one in known.items():
            if name in self.cells:
                self.cells[name].known = one
            else:
                self._begin(name, Cell(self.us, one, self._clock))

    async def _renew(self) -> None:
        """Reads passports of peers again, until it is cancelled."""
        while True:
            for name in self.receiving.doubted & self.cells.keys():
                self.cells[name].is_doubted = True
            self.receiving.doubted.clear()
            for cell in list(self.cells.values()):
                if not self._renewing.is_due(cell) or cell.is_away:
                    continue
                try:
                    await self._renewing.look(cell)
                except (*LOST, TimeoutError, PeerAway) as error:
                    log.warning("a passport cannot be read", error=type(error).__name__)
            await asyncio.sleep(LOOKS_EVERY_S)

    async def note(self) -> None:
        """Puts the exchanges of hours that are over into the log, and forgets what is old."""
        await self.exchanging.note()
        self.media.incoming.tidy(self._clock.now().timestamp())
        async with self._db.tx() as tx:
            await peers.tidy(tx, SEEN_KEPT_S)
            await crossings.tidy(tx, RECEIPTS_KEPT_DAYS)

    async def close(self) -> None:
        for name in list(self.cells):
            await self._end(name)

    def _begin(self, name: str, cell: Cell) -> None:
        queue = Sending(self.us, cell, self._db, self.own_log, self._clock)
        self.cells[name] = cell
        self._queues[name] = queue, asyncio.create_task(queue.run())

    async def _end(self, name: str) -> None:
        _, task = self._queues.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.cells.pop(name).close()

    def _wake(self) -> None:
        for queue, _ in self._queues.values():
            queue.heard.set()

    async def _wait(self, stopping: asyncio.Task[bool]) -> None:
        changing = asyncio.create_task(self._changed.wait())
        await asyncio.wait(
            {changing, stopping}, timeout=LOOKS_EVERY_S, return_when=asyncio.FIRST_COMPLETED
        )
        changing.cancel()


def no_cells() -> Mapping[str, Cell]:
    """Of a cell that has no peers."""
    return {}
