"""Routes of leaving: asking to be erased, keeping the account, asking with the ticket."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody, PathParameter

from luciole.cell.people.service import People
from luciole.cell.rights.leaving import Leaving
from luciole.cell.rights.model import UNREADABLE_AFTER, Entry, Erasure, ErasureState
from luciole.kit import upkeep
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

NO_STORE = {"cache-control": "no-store"}


class ErasureWish(msgspec.Struct, forbid_unknown_fields=True):
    """With `now` the account goes as soon as possible, else after 30 days."""

    now: bool = False


class ErasureBody(msgspec.Struct):
    """How far an erasure is, for the person. `due_at` is when it begins."""

    state: ErasureState
    asked_at: datetime
    due_at: datetime


class ErasureAsked(msgspec.Struct):
    """With the ticket anybody can ask for the erasure, also when the account is gone. It is shown
    this once."""

    ticket: str
    state: ErasureState
    asked_at: datetime
    due_at: datetime


class EntryBody(msgspec.Struct):
    """The entry about the erasure in the access log: its bytes (base64), the nonce (base64) and the
    text that it commits to, and the proof that it is in the log, as soon as there is one."""

    leaf: str
    nonce: str
    opening: str
    proof: str | None


class ErasureReport(msgspec.Struct):
    """What became of an erasure, for who holds its ticket. `removed` says how many of what. By
    `unreadable_by` backups cannot be read any more and the remains in the database's own files are
    gone; `remains_gone_at` says when they went."""

    state: ErasureState
    asked_at: datetime
    due_at: datetime
    done_at: datetime | None
    unreadable_by: datetime | None
    remains_gone_at: datetime | None
    removed: dict[str, int]
    entry: EntryBody | None


def routes(db: Database, people: People, leaving: Leaving) -> list[Router]:
    """The routes of this file over their collaborators."""

    @post("/me/erasure")
    async def ask(request: AnyRequest, data: JSONBody[ErasureWish]) -> Response[ErasureAsked]:
        """Hides the account at once and erases it after 30 days, in which it can be kept; with
        `now` without waiting. Needs a fresh proof. Asking again gives another ticket and day."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            ticket, asked = await leaving.ask(tx, me.person_id, now=data.now)
        body = ErasureAsked(ticket, asked.state, asked.asked_at, asked.due_at)
        return Response(body, status_code=201, headers=NO_STORE)

    @get("/me/erasure")
    async def state(request: AnyRequest) -> ErasureBody:
        """When the account goes."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await leaving.of_person(tx, me.person_id)
        return ErasureBody(found.state, found.asked_at, found.due_at)

    @delete("/me/erasure")
    async def keep(request: AnyRequest) -> None:
        """Keeps the account; it is as it was, and the ticket is worth nothing."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await leaving.keep(tx, me.person_id)

    @get("/erasures/{ticket:str}")
    async def report(
        ticket: Annotated[FromPath[str], PathParameter(max_length=64)],
    ) -> Response[ErasureReport]:
        """What became of an erasure. Needs the ticket and no account."""
        async with db.read() as tx:
            found = await leaving.by_ticket(tx, ticket)
            gone_at = await upkeep.ended_after(tx, found.done_at) if found.done_at else None
            proof = await leaving.receipt(tx, found)
        return Response(report_of(found, gone_at, proof), headers=NO_STORE)

    return [Router("/api", route_handlers=[ask, state, keep, report], tags=["rights"])]


def report_of(erasure: Erasure, gone_at: datetime | None, proof: str | None) -> ErasureReport:
    done_at = erasure.done_at
    return ErasureReport(
        erasure.state,
        erasure.asked_at,
        erasure.due_at,
        done_at,
        done_at + UNREADABLE_AFTER if done_at else None,
        gone_at,
        erasure.removed,
        entry_of(erasure.entry, proof) if erasure.entry else None,
    )


def entry_of(entry: Entry, proof: str | None) -> EntryBody:
    return EntryBody(
        base64.b64encode(entry.leaf).decode(),
        base64.b64encode(entry.nonce).decode(),
        entry.opening.decode(),
        proof,
    )
