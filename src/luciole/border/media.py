"""Films of public clips between cells: fetched by the receiving cell, never by a viewer, and once.

The order is that of every crossing: the sending cell's log has an `out` entry with the file's
digest, cosigned by the receiving cell, before the first byte leaves. Only what the pages show to
everybody is sent, and it comes from there, as any visitor gets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from luciole.border import asked, crossing, outward, passport
from luciole.border.asked import Request, Response, refused
from luciole.border.cells import Cell, Us
from luciole.border.crossing import ACCEPTED, BadCrossing
from luciole.border.exchanging import code_of
from luciole.border.incoming import Incoming
from luciole.border.outward import Answered
from luciole.border.own_log import OwnLog
from luciole.border.peers import PIECE_BYTES, Peer, PeerAway
from luciole.border.receiving import Receiving, Refused
from luciole.border.store import crossings as store
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.kit.logs import log

MEDIA = "border/media"
PUBLIC = "/media/p/"
MOST_BYTES = 200 * 1024 * 1024
MOST_ASKED_BYTES = 1024
AT_ONCE = 4
PROVEN_WITHIN_S = 20.0

_DIGEST = re.compile("[0-9a-f]{64}")


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a peer asks for: a public file of ours, by its path, and what it has to be."""

    path: str
    sha256: str
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]


class Media:
    """Both directions."""

    def __init__(
        self,
        us: Us,
        db: Database,
        own_log: OwnLog,
        receiving: Receiving,
        api: Peer,
        folder: Path,
        clock: Clock,
    ) -> None:
        self._us, self._db, self._own_log, self._receiving = us, db, own_log, receiving
        self._api, self._clock = api, clock
        self.incoming = Incoming(folder)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._fetching: dict[str, asyncio.Lock] = {}

    # --- for peers -------------------------------------------------------------------------------

    async def give(self, request: Request) -> Response:
        """The bytes of a public file, to a peer."""
        try:
            known = self._receiving.sender(request)
            await self._receiving.once(request)
            wanted = msgspec.json.decode(request.body, type=Wanted)
        except Refused as error:
            return error.response
        except msgspec.MsgspecError:
            return refused(400, "not-understood")
        if not wanted.path.startswith(PUBLIC) or ".." in wanted.path or "?" in wanted.path:
            return refused(403, "not-public")
        file = self.incoming.part()
        async with self._room:
            if not self.incoming.promise(wanted.size_bytes):
                return refused(503, "no-room")
            try:
                code = await self._found(wanted, file)
                if code:
                    return refused(404, code)
                entry = crossing.out_entry(
                    new_id(), self._now(), known.name, "media", wanted.size_bytes, wanted.sha256
                )
                self._own_log.want(entry, self._own_log.size)
                async with self._db.tx() as tx:
                    await store.note(tx, entry)
                proof = await self._own_log.wait(entry, known.witness, PROVEN_WITHIN_S)
                self._own_log.drop(entry)
                if proof is None:
                    return refused(503, "not-cosigned")
                # The name may go: who has it open reads on.
                opened = file.open("rb")
                headers = crossing.headers(entry, proof)
                return Response(200, headers=headers, stream=_pieces(opened))
            finally:
                file.unlink(missing_ok=True)
                self.incoming.end(wanted.size_bytes)

    async def _found(self, wanted: Wanted, file: Path) -> str:
        """Fetches a file from our own pages; a code where that is not what was asked for."""
        path, most = wanted.path.removeprefix("/"), wanted.size_bytes
        try:
            answer = await self._api.download("GET", path, None, {}, file, most)
        except PeerAway:
            return "changed"
        if answer.status != 200:
            return "missing"
        digest, size = await asyncio.to_thread(_digest, file)
        return "" if (digest, size) == (wanted.sha256, wanted.size_bytes) else "changed"

    # --- of peers --------------------------------------------------------------------------------

    async def get(self, cell: Cell, wanted: outward.Media) -> Answered:
        """Has a file of a peer in our folder, under its digest."""
        if wanted.size_bytes > MOST_BYTES or not _DIGEST.fullmatch(wanted.sha256):
            return Answered(400, b"", "not-understood")
        lock = self._fetching.setdefault(wanted.sha256, asyncio.Lock())
        try:
            async with lock, self._room:
                return await self._got(cell, wanted)
        finally:
            self._fetching.pop(wanted.sha256, None)

    async def _got(self, cell: Cell, wanted: outward.Media) -> Answered:
        place, file = self.incoming.place(wanted.sha256), self.incoming.part()
        if place.exists():
            return Answered(200, b"")
        if not self.incoming.promise(wanted.size_bytes):
            log.warning("films of other cells wait: no room for more")
            return Answered(507, b"", "no-room")
        try:
            return await self._fetch(cell, wanted, file, place)
        except PeerAway:
            return Answered(0, b"")
        finally:
            file.unlink(missing_ok=True)
            self.incoming.end(wanted.size_bytes)

    async def _fetch(self, cell: Cell, wanted: outward.Media, file: Path, place: Path) -> Answered:
        body = msgspec.json.encode(Wanted(wanted.path, wanted.sha256, wanted.size_bytes))
        answer = await cell.download(MEDIA, body, asked.JSON, file, wanted.size_bytes)
        if answer.status != 200:
            return Answered(answer.status, answer.body, code_of(answer))
        known = cell.known
        try:
            out, entry, proof = crossing.taken(answer.headers, self._us.name)
            crossing.check_proof(entry, proof, known.border_log, self._us.witness)
        except BadCrossing as error:
            return Answered(502, b"", error.code)
        digest, size = await asyncio.to_thread(_digest, file)
        fits = (out.wire, out.sha256, out.bytes) == ("media", digest, size)
        if not fits or digest != wanted.sha256:
            return Answered(502, b"", "body-of-another")
        noted = crossing.in_entry(out, self._now(), known.name, ACCEPTED)
        receipt = await passport.signed(crossing.receipt_text(noted), self._us.key, self._us.sign)
        async with self._db.tx() as tx:
            came = store.Came(out.id, out.wire, bytes.fromhex(digest), receipt, noted, proof.index)
            await store.receive(tx, known.name, [came])
        await asyncio.to_thread(file.replace, place)
        return Answered(200, b"")

    def _now(self) -> str:
        return f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"


def _digest(file: Path) -> tuple[str, int]:
    with file.open("rb") as opened:
        return file_digest(opened, sha256).hexdigest(), file.stat().st_size


async def _pieces(opened: BinaryIO) -> AsyncIterator[bytes]:
    with contextlib.closing(opened):
        while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
            yield piece
