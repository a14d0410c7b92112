"""Routes of exports: asking for one, how far it is, its file in parts, deleting it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream

from luciole.ask.client import Custody
from luciole.cell.people.service import People
from luciole.cell.rights.export.pieces import Lending, SealedFile
from luciole.cell.rights.model import EXPORT_FIELD, Export, ExportState, NoSuchExport
from luciole.cell.rights.service import Rights
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.ranges import wanted
from luciole.kit.web import AnyRequest

ZIP = "application/zip"
# Longer than for asking: a slow download goes on after it broke off.
PROOF_MINUTES = 60


class ExportBody(msgspec.Struct):
    """An export and how far it is, in percent. `file_url` is there when it is ready."""

    id: UUID
    state: ExportState
    progress: int
    size_bytes: int
    made_at: datetime
    expires_at: datetime
    file_url: str | None


class ExportList(msgspec.Struct):
    items: list[ExportBody]


def routes(
    db: Database, people: People, rights: Rights, custody: Custody, blobs: Blobs, clock: Clock
) -> Router:
    """The routes of this file over their collaborators."""

    @get("/exports")
    async def exports(request: AnyRequest) -> ExportList:
        """The person's exports, the newest first. Each is kept for four days."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await rights.exports(tx, me.person_id)
        return ExportList([body_of(each) for each in found])

    @post("/exports")
    async def export(request: AnyRequest) -> ExportBody:
        """Starts an export of everything that is held about the person; one at a time. Needs a
        proof of identity of the last minutes (`/api/sessions/current/proof`)."""
        async with db.tx() as tx:
            me = await people.require_proof(tx, request)
            export_id = await rights.start_export(tx, me.person_id)
            return body_of(await rights.export(tx, me.person_id, export_id))

    @get("/exports/{export_id:uuid}")
    async def progress(request: AnyRequest, export_id: FromPath[UUID]) -> ExportBody:
        """How far an export is."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return body_of(await rights.export(tx, me.person_id, export_id))

    @delete("/exports/{export_id:uuid}")
    async def drop(request: AnyRequest, export_id: FromPath[UUID]) -> None:
        """Deletes an export, ready or not."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await rights.drop_export(tx, me.person_id, export_id)

    @route(
        "/exports/{export_id:uuid}/file",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        status_code=200,
        responses={200: ResponseSpec(Any, False, "The ZIP.", ZIP)},
    )
    async def file(request: AnyRequest, export_id: FromPath[UUID]) -> Response[Any]:
        """The export, whole or in part (one range): a download that broke off goes on. Needs a
        proof of identity of the last hour."""
        async with db.read() as tx:
            me = await people.require_proof(tx, request, PROOF_MINUTES)
            found = await rights.ready_export(tx, me.person_id, export_id)
        tag = f'"{found.id.hex}-{found.attempt}"'
        asked = request.headers.get("range")
        if request.headers.get("if-range", tag) != tag:
            asked = None
        size = found.size_bytes
        part = wanted(asked, size)
        start, end = part or (0, size)
        name = f"luciole-{me.handle}-{found.made_at:%Y-%m-%d}.zip"
        headers = {
            "accept-ranges": "bytes",
            "etag": tag,
            "cache-control": "private, no-store",
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(end - start),
        }
        if part:
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        status = 206 if part else 200
        if request.method == "HEAD":
            return Response(b"", status_code=status, headers=headers, media_type=ZIP)
        lending = Lending(lambda: people.grant(request), clock.now)
        sealed = SealedFile(blobs, custody, found.prefix, EXPORT_FIELD)
        body = await _opened(sealed.stream(lending, start, end))
        return Stream(body, status_code=status, headers=headers, media_type=ZIP)

    return Router(
        "/api/me", route_handlers=[exports, export, progress, drop, file], tags=["rights"]
    )


async def _opened(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream, with its first piece opened already: a missing object is a 404, not a broken
    200."""
    try:
        first = await anext(stream)
    except Missing as error:
        raise NoSuchExport from error

    async def rest() -> AsyncIterator[bytes]:
        yield first
        async for piece in stream:
            yield piece

    return rest()


def body_of(export: Export) -> ExportBody:
    is_ready = export.state == "ready"
    return ExportBody(
        export.id,
        export.state,
        export.progress,
        export.size_bytes,
        export.made_at,
        export.expires_at,
        f"/api/me/exports/{export.id}/file" if is_ready else None,
    )
