"""The routes of the inward door that the wider Fediverse asks, and what works behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs
from uuid import UUID

import msgspec

from luciole.border.asked import JSON, Handler, Request, Response, Route, refused
from luciole.border.documents import Document
from luciole.border.fediverse import hearing, shown
from luciole.border.fediverse.hearing import Hearing
from luciole.border.fediverse.moved import with_moves
from luciole.border.fediverse.shown import ACTIVITY_JSON
from luciole.border.fediverse.speaking import Speaking
from luciole.border.fediverse.telling import Telling
from luciole.border.store import fedi_moves
from luciole.border.store import fediverse as store
from luciole.border.store.fediverse import Terms
from luciole.kit.clock import Clock
from luciole.kit.db import Database

PAGE = 20
OPEN = {"access-control-allow-origin": "*", "x-content-type-options": "nosniff"}
CACHED = {**OPEN, "cache-control": "public, max-age=60", "vary": "accept"}
JRD = "application/jrd+json"
NODEINFO = 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'

# What is answered for one of ours: its number, and the request.
Answering = Callable[[UUID, Request], Awaitable[Response]]


class Fediverse:
    """What of this cell the wider Fediverse may read and do."""

    def __init__(self, speaking: Speaking, db: Database, terms: Terms, clock: Clock) -> None:
        self._speaking, self._db, self._terms = speaking, db, terms
        self._face = speaking.face
        self.hearing = Hearing(speaking, db, terms, clock)
        self.telling = Telling(speaking, db, terms, clock)

    def routes(self) -> list[Route]:
        """For the inward door; longer paths first."""
        most = hearing.MAX_BODY_BYTES
        return [
            Route("GET", "/.well-known/webfinger", self._webfinger),
            Route("GET", "/.well-known/nodeinfo", self._nodeinfo_links),
            Route("GET", "/nodeinfo/2.1", self._nodeinfo),
            Route("POST", "/ap/inbox", self.hearing.inbox, most),
            Route("POST", "/ap/people/", self._inbox_of, most),
            Route("POST", "/ap/reader/inbox", self.hearing.inbox, most),
            Route("POST", "/ap/cell/inbox", self.hearing.inbox, most),
            Route("GET", "/ap/people/", self._below("people", self._person)),
            Route("GET", "/ap/clips/", self._below("clips", self._clip)),
            Route("GET", "/ap/reader", self._reader),
            Route("GET", "/ap/cell", self._cell),
        ]

    # --- how we are found ------------------------------------------------------------

    async def _webfinger(self, request: Request) -> Response:
        asked = parse_qs(request.query).get("resource", [""])
        if len(asked) != 1 or len(asked[0]) > 500:
            return refused(400, "no-resource")
        found = await self._found(asked[0])
        return _json(found, JRD) if found else refused(404, "not-found")

    async def _found(self, resource: str) -> Document | None:
        face = self._face
        if resource.rstrip("/") == face.at.origin:
            return shown.cell_webfinger(face)
        name, at, domain = resource.removeprefix("acct:").rpartition("@")
        if resource.startswith("acct:") and at and domain.lower() == face.domain.lower():
            fixed = {face.reader_name: face.at.reader, face.domain: face.at.cell}
            if name in fixed:
                return shown.webfinger(face, name, fixed[name])
            async with self._db.tx() as tx:
                author = await store.author_named(tx, name.lower(), self._terms)
        else:
            own = {face.at.reader: face.reader_name, face.at.cell: face.domain}
            if resource in own:
                return shown.webfinger(face, own[resource], resource)
            read = face.at.read(resource)
            if read is None or read[0] != "people":
                return None
            async with self._db.tx() as tx:
                author = await store.author(tx, read[1], self._terms)
        return shown.webfinger(face, author.handle, face.person(author.id)) if author else None

    async def _nodeinfo_links(self, _: Request) -> Response:
        return _json(shown.nodeinfo_links(self._face), JSON)

    async def _nodeinfo(self, _: Request) -> Response:
        return _json(shown.nodeinfo(self._face), NODEINFO)

    # --- who and what is here ------------------------------------------------------------

    def _below(self, thing: str, answering: Answering) -> Handler:
        """Answers for one of ours by the number in the path."""

        async def handler(request: Request) -> Response:
            text = request.path.removeprefix(f"/ap/{thing}/").partition("/")[0]
            read = self._face.at.read(f"{self._face.at.origin}/ap/{thing}/{text}")
            return await answering(read[1], request) if read else refused(404, "not-found")

        return handler

    async def _person(self, number: UUID, request: Request) -> Response:
        async with self._db.tx() as tx:
            author = await store.author(tx, number, self._terms)
            moves = await fedi_moves.of(tx, number, self._terms)
        if author is None:
            return refused(404, "not-found")
        uri = self._face.person(number)
        rest = request.path.removeprefix(f"/ap/people/{number}")
        if rest == "":
            if _wants_a_page(request):
                return _elsewhere(f"{self._face.pages}/@{author.handle}")
            actor = shown.person(self._face, author, await self._speaking.keys(number))
            return _json(with_moves(actor, moves))
        if rest == "/outbox":
            return await self._outbox(number, uri + rest, request)
        if rest in ("/followers", "/following"):
            return _json(shown.closed(uri + rest))
        return refused(404, "not-found")

    async def _outbox(self, number: UUID, uri: str, request: Request) -> Response:
        asked = parse_qs(request.query)
        if not asked:
            return _json(shown.outbox(uri))
        try:
            before = UUID(asked["before"][0]) if "before" in asked else None
        except ValueError:
            return refused(400, "no-such-page")
        async with self._db.tx() as tx:
            clips = await store.outbox(tx, number, before, PAGE + 1)
        page = shown.outbox_page(self._face, uri, before, clips[:PAGE], has_more=len(clips) > PAGE)
        return _json(page)

    async def _clip(self, number: UUID, request: Request) -> Response:
        async with self._db.tx() as tx:
            clip = await store.clip(tx, number)
            is_shown = clip and await store.author(tx, clip.author, self._terms)
            likes, shares, _ = await store.totals(tx, number)
        if clip is None or not is_shown or shown.film_of(clip) is None:
            return refused(404, "not-found")
        rest = request.path.removeprefix(f"/ap/clips/{number}")
        if rest == "/activity":
            return _json(shown.create(self._face, clip))
        if rest in ("/likes", "/shares"):
            total = likes if rest == "/likes" else shares
            return _json(shown.closed(self._face.clip(number) + rest, total))
        if rest:
            return refused(404, "not-found")
        if _wants_a_page(request):
            return _elsewhere(f"{self._face.pages}/c/{number}")
        return _json(shown.in_context(shown.note(self._face, clip)))

    async def _reader(self, _: Request) -> Response:
        return _json(shown.reader(self._face, await self._speaking.keys()))

    async def _cell(self, _: Request) -> Response:
        return _json(shown.cell(self._face, await self._speaking.keys()))

    async def _inbox_of(self, request: Request) -> Response:
        if not request.path.endswith("/inbox"):
            return refused(404, "not-found")
        return await self.hearing.inbox(request)


def _json(document: Document, kind: str = ACTIVITY_JSON) -> Response:
    return Response(200, msgspec.json.encode(document), kind, CACHED)


def _wants_a_page(request: Request) -> bool:
    """A person with a browser, rather than a server."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and "json" not in accepts


def _elsewhere(url: str) -> Response:
    return Response(303, b"", JSON, {**OPEN, "location": url, "vary": "accept"})
