"""Routes of rights."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Router, get, post

from luciole.cell.people.service import People
from luciole.cell.rights.model import Export, ExportState
from luciole.cell.rights.service import Rights
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


class ExportBody(msgspec.Struct):
    """An export and how far it is, in percent."""

    id: UUID
    state: ExportState
    progress: int
    size_bytes: int
    made_at: datetime
    expires_at: datetime


class ExportList(msgspec.Struct):
    items: list[ExportBody]


def routes(db: Database, people: People, rights: Rights) -> list[Router]:
    """The routes of rights over their collaborators."""

    @get("/exports")
    async def exports(request: AnyRequest) -> ExportList:
        """The person's exports, the newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await rights.exports(tx, me.person_id)
        return ExportList([body_of(each) for each in found])

    @post("/exports")
    async def export(request: AnyRequest) -> ExportBody:
        """Starts an export of everything that is held about the person. Needs a fresh proof."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            await rights.start_export(tx, me.person_id)
            return body_of((await rights.exports(tx, me.person_id))[0])

    return [Router("/api/me", route_handlers=[exports, export], tags=["rights"])]


def body_of(export: Export) -> ExportBody:
    return ExportBody(
        export.id,
        export.state,
        export.progress,
        export.size_bytes,
        export.made_at,
        export.expires_at,
    )
