"""The outward door: what each process of this cell may ask of other cells, on its own socket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from luciole.border import outward, passport, wire
from luciole.border.cells import Cell, is_fit
from luciole.border.codes import Sender
from luciole.border.exchanging import code_of
from luciole.border.mail import UNKNOWN, MailSender
from luciole.border.measures import crossings
from luciole.border.outward import Answered, Asked, Asker
from luciole.border.peers import MAX_ANSWER_BYTES as MOST_FETCHED
from luciole.border.peers import Peer, PeerAway
from luciole.border.pushes import Sent, ServiceAway
from luciole.border.store import peers as store
from luciole.border.store import pushes as services
from luciole.kit.db import Database
from luciole.kit.errors import Problem
from luciole.kit.lines import listening
from luciole.kit.logs import log

THREADS = 4
# What each process may exchange, and which public files of peers it may fetch.
EXCHANGES: dict[Asker, tuple[str, ...]] = {
    "api": ("lookup",),
    # Brings people to the next key of contacts.
    "worker": ("lookup",),
    "custody": ("share",),
    "copies": ("backup",),
    "ledger": ("cosign",),
    "witness": (),
    # What a cell that was bought has left with others is destroyed.
    "operator": ("share", "backup"),
}
FILES: dict[Asker, tuple[str, ...]] = {
    "api": (),
    "worker": (),
    "custody": ("ledger/",),
    "copies": (),
    "ledger": ("witness/",),
    "witness": ("ledger/",),
    "operator": ("ledger/", passport.PATH),
}
OTHERS: dict[Asker, tuple[type[outward.Asking], ...]] = {
    "api": (outward.SendCode, outward.SendNotice),
    "worker": (outward.Media, outward.SendNotice),
    "custody": (),
    "copies": (),
    "ledger": (outward.Witnessing,),
    "witness": (outward.Tell,),
    "operator": (outward.Look,),
}

# One exchange with a peer: kind, body, seconds. The bytes of a film of a peer.
Ask = Callable[[Cell, str, bytes, float], Awaitable[Answered]]
GetMedia = Callable[[Cell, outward.Media], Awaitable[Answered]]

_asked: msgspec.msgpack.Decoder[Asked] = msgspec.msgpack.Decoder(Asked)


class NotYours(Problem):
    """The socket of this process does not allow that."""

    code = "not-for-this-process"
    sentence = "This process of the cell may not ask that."
    next_step = "Tell the operator of this cell: two of its parts are of different versions."


class Door:
    """Answers the processes of this cell. `cells` are the peers by name, `outside` the URLs of
    witnesses that the operator has named."""

    def __init__(
        self,
        db: Database,
        cells: Callable[[], Mapping[str, Cell]],
        ask: Ask,
        media: GetMedia,
        outside: Callable[[], frozenset[str]],
        code_senders: Mapping[str, Sender] | None = None,
    ) -> None:
        self._db, self._cells, self._ask, self._media = db, cells, ask, media
        self._outside, self._code_senders = outside, code_senders or {}
        self._clients: dict[str, Peer] = {}

    @contextlib.asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[None]:
        """Answers on `folder/<process>.sock` until the block ends."""
        async with contextlib.AsyncExitStack() as stack:
            for asker in EXCHANGES:
                await stack.enter_async_context(
                    listening(folder / f"{asker}.sock", self._handler(asker))
                )
            yield
        for peer in self._clients.values():
            peer.close()

    def _handler(self, asker: Asker) -> Callable[[bytes], Any]:
        async def handler(raw: bytes) -> Any:
            return await self.answer(asker, _asked.decode(raw))

        return handler

    async def answer(self, asker: Asker, asked: Asked) -> Any:
        """The answer to a process. Raises NotYours."""
        match asked:
            case outward.Peers():
                async with self._db.read() as tx:
                    return [one.info for one in await store.peers(tx)]
            case outward.Exchange(peer, kind, body, timeout_s) if kind in EXCHANGES[asker]:
                if cell := self._cells().get(peer):
                    return await self._ask(cell, kind, body, timeout_s)
                return NO_PEER
            case outward.Fetch(peer, path, most) if path.startswith(FILES[asker] or ("\0",)):
                return await self._fetch(peer, path, most)
            case outward.Media() if outward.Media in OTHERS[asker]:
                cell = self._cells().get(asked.peer)
                return await self._media(cell, asked) if cell else NO_PEER
            case outward.Witnessing() if outward.Witnessing in OTHERS[asker]:
                return await self._witnessing(asked)
            case outward.Look(origin) if outward.Look in OTHERS[asker]:
                return await _look(origin)
            case outward.SendCode(body) if outward.SendCode in OTHERS[asker]:
                return await self._send_code(body)
            case outward.SendNotice(body) if outward.SendNotice in OTHERS[asker]:
                return await self._send_notice(body)
            case outward.Tell(peer, verdict, code) if outward.Tell in OTHERS[asker]:
                async with self._db.tx() as tx:
                    await store.tell(tx, peer, verdict, code)
                return None
            case _:
                raise NotYours

    async def _fetch(self, peer: str, path: str, most: int) -> Answered:
        """What anybody may have of a peer: for that, we need not know yet who we are ourselves. The
        log's process asks before it signs anything, lest it forks what a peer has seen."""
        async with self._db.read() as tx:
            origins = {one.name: one.info.origin for one in await store.peers(tx)}
        if peer not in origins:
            return NO_PEER
        cell = self._cells().get(peer)
        if cell is not None and cell.is_away:
            return AWAY
        try:
            answer = await self._to(origins[peer]).ask("GET", path, most=min(most, MOST_FETCHED))
        except PeerAway:
            return AWAY
        code = "missing" if answer.status == 404 else code_of(answer)
        return Answered(answer.status, answer.body, code)

    async def _witnessing(self, asked: outward.Witnessing) -> Answered:
        if asked.url not in self._outside():
            return Answered(403, b"", "not-listed")
        try:
            body = asked.body if asked.method == "POST" else None
            answer = await self._to(asked.url).ask(asked.method, asked.path, body)
        except PeerAway:
            return AWAY
        return Answered(answer.status, answer.body)

    def _to(self, url: str) -> Peer:
        """A client for what is public at an address, with threads of its own."""
        if url not in self._clients:
            self._clients[url] = Peer(url, threads=ThreadPoolExecutor(THREADS, "public"))
        return self._clients[url]

    async def _send_code(self, body: bytes) -> Answered:
        code = msgspec.json.decode(body, type=wire.Code)
        sender = self._code_senders.get(code.channel)
        if sender is None:
            return Answered(404, b"", "no-sender")
        return await self._sent("code", code.channel, sender, sender.send(code))

    async def _send_notice(self, body: bytes) -> Answered:
        mail = msgspec.json.decode(body, type=wire.NoticeMail)
        sender = self._code_senders.get("email")
        if not isinstance(sender, MailSender):
            return Answered(404, b"", "no-sender")
        return await self._sent("notice", "email", sender, sender.send_notice(mail))

    async def _sent(
        self, kind: str, channel: str, sender: Sender, sending: Awaitable[Sent]
    ) -> Answered:
        # Counted first: it may have left whatever comes back.
        async with self._db.tx() as tx:
            await services.crossed(tx, kind, sender.service)
        try:
            sent = await sending
        except ServiceAway as error:
            crossings.labels(kind, "refused").inc()
            # The class of what went wrong, which names nobody.
            log.error("the sender of codes is away", code=channel, cause=str(error))
            return AWAY
        is_sent = 200 <= sent.status < 300
        outcome = "unknown" if sent.status == UNKNOWN else "sent" if is_sent else "refused"
        crossings.labels(kind, outcome).inc()
        if not is_sent:
            log.error("the sender of codes refuses one", code=channel, status=sent.status)
        return Answered(200 if is_sent else sent.status, b"", "" if is_sent else "not-sent")


NO_PEER = Answered(404, b"", "no-such-peer")
AWAY = Answered(0, b"")


async def _look(origin: str) -> Answered:
    """The passport of a stranger."""
    if not is_fit(origin):
        return Answered(403, b"", "no-https")
    peer = Peer(origin)
    try:
        answer = await peer.ask("GET", passport.PATH, most=passport.MAX_BYTES)
    except PeerAway:
        return AWAY
    finally:
        peer.close()
    return Answered(answer.status, answer.body, code_of(answer))
