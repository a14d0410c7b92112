"""Routes of rights: what is held about a person, and their journal."""

from __future__ import annotations

import base64
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath, QueryParameter

from luciole.ask.client import Custody
from luciole.cell.people.service import People
from luciole.cell.rights.holdings import Holdings, Kept, OfClass
from luciole.cell.rights.journal import Entry, Journal
from luciole.cell.rights.model import CellFacts, NoSuchEntry
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

NO_STORE = {"cache-control": "private, no-store"}
MOST_PROVED = 500
LAST = 2**62
Number = Annotated[int | None, QueryParameter(ge=0, le=LAST)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


class DataBody(msgspec.Struct):
    """What is held, where, and how much of it there is of this person."""

    cell: CellFacts
    classes: list[OfClass]
    kept: list[Kept]


class EntryBody(msgspec.Struct):
    """An entry about the person. `opening` is, byte for byte, what the leaf commits to together
    with the nonce; the fields above it are read off it. `index` is null until the log has it."""

    n: int
    kind: str
    entry_class: str = msgspec.field(name="class")
    at: str
    actor: str | None
    purpose: str | None
    columns: list[str]
    expires: str | None
    note: str | None
    leaf: str
    nonce: str
    opening: str
    index: int | None


class JournalPage(msgspec.Struct):
    items: list[EntryBody]
    next: int | None


class DayBody(msgspec.Struct):
    day: date
    counts: dict[str, int]


class Summary(msgspec.Struct):
    """Entries of the last year by day and class; days without any are left out."""

    days: list[DayBody]


class LabelKeyBody(msgspec.Struct):
    """The key by which a client recognises the person's entries in the log, base64."""

    label_key: str


def routes(
    db: Database,
    people: People,
    custody: Custody,
    holdings: Holdings,
    journal: Journal,
    cell: CellFacts,
    clock: Clock,
) -> Router:
    """The routes of this file over their collaborators."""

    @get("/data")
    async def data(request: AnyRequest) -> DataBody:
        """What this cell holds about people, what for and for how long, and how much of it there
        is about the person who asks."""
        async with db.snapshot() as tx:
            me = await people.require(tx, request)
            kept = await holdings.kept(tx, me.person_id)
        return DataBody(cell, holdings.declared(), kept)

    @get("/journal")
    async def entries(request: AnyRequest, before: Number = None, limit: Limit = 50) -> JournalPage:
        """What the log has about the person, opened, the newest first."""
        grant = await people.grant(request)
        async with db.read() as tx:
            found = await journal.page(tx, grant, before, limit + 1)
        items = [body_of(each) for each in found[:limit]]
        return JournalPage(items, items[-1].n if len(found) > limit else None)

    @get("/journal/summary")
    async def summary(request: AnyRequest) -> Summary:
        """How many entries each day of the last year has, by who acted."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            days = await journal.summary(tx, me.person_id, clock.now())
        return Summary([DayBody(each.day, each.counts) for each in days])

    @get("/journal/proof")
    async def proof(
        request: AnyRequest,
        first: Annotated[int, QueryParameter(name="from", ge=0, le=LAST)] = 0,
        last: Annotated[int | None, QueryParameter(name="to", ge=0, le=LAST)] = None,
    ) -> Response[Any]:
        """The proof that entries are in the log, and, where it reaches the last, that there are
        no more; for a verifier. At most 500 entries at once."""
        grant = await people.grant(request)
        label_key = await custody.label_key(grant)
        most = first + MOST_PROVED - 1
        upto = most if last is None else min(last, most)
        made = await journal.proof(grant.person_id, label_key, first, upto)
        return Response(made, headers=NO_STORE)

    @get("/journal/{n:int}/receipt", media_type="text/plain")
    async def receipt(request: AnyRequest, n: FromPath[int]) -> Response[str]:
        """The receipt of one entry: a tlog-proof, which anybody can check without the cell."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            if not 0 <= n <= LAST:
                raise NoSuchEntry
            text = await journal.receipt(tx, me.person_id, n)
        headers = {
            **NO_STORE,
            "content-disposition": f'attachment; filename="entry-{n}.tlog-proof"',
        }
        return Response(text, headers=headers, media_type="text/plain")

    @get("/label-key")
    async def label_key(request: AnyRequest) -> Response[LabelKeyBody]:
        """The person's label key, for a client that has none yet."""
        grant = await people.grant(request)
        key = await custody.label_key(grant)
        return Response(LabelKeyBody(base64.b64encode(key).decode()), headers=NO_STORE)

    return Router(
        "/api/me",
        route_handlers=[data, entries, summary, proof, receipt, label_key],
        tags=["rights"],
    )


def body_of(entry: Entry) -> EntryBody:
    said = entry.said()
    return EntryBody(
        n=entry.n,
        kind=said["kind"],
        entry_class=said["class"],
        at=said["at"],
        actor=said.get("actor"),
        purpose=said.get("purpose"),
        columns=said.get("columns", []),
        expires=said.get("expires"),
        note=said.get("note"),
        leaf=base64.b64encode(entry.leaf).decode(),
        nonce=base64.b64encode(entry.nonce).decode(),
        opening=entry.opening.decode(),
        index=entry.index,
    )
