"""Routes of imports: uploading an export from elsewhere in pieces (tus), how far it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, head, patch, post
from litestar.params import FromPath

from luciole.cell.media.model import WrongOffset
from luciole.cell.people.service import People
from luciole.cell.rights.export.pieces import Lending
from luciole.cell.rights.importing import Imports
from luciole.cell.rights.model import PIECE_BYTES, REFUSALS, Import, ImportState
from luciole.kit import tus
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


class ImportRefusal(msgspec.Struct):
    code: str
    sentence: str
    next_step: str


class ImportBody(msgspec.Struct):
    """An import and how far it is, in percent. `report` is there at the end: from which cell, who
    signed, and how many things of each kind were taken in or left."""

    id: UUID
    state: ImportState
    progress: int
    size_bytes: int
    offset_bytes: int
    made_at: datetime
    expires_at: datetime
    report: Any
    refusal: ImportRefusal | None


class ImportList(msgspec.Struct):
    items: list[ImportBody]
    max_bytes: int


def routes(db: Database, people: People, imports: Imports, clock: Clock) -> Router:
    """The routes of this file over their collaborators."""

    async def receive(request: AnyRequest, import_: Import) -> int:
        """Stores the body from where the import is, in whole pieces; gives the offset reached."""
        lending = Lending(lambda: people.grant(request), clock.now)
        offset = import_.offset_bytes
        async for piece in tus.pieces(request, PIECE_BYTES):
            if offset + len(piece) > import_.size_bytes:
                raise tus.PieceTooLong
            if len(piece) < PIECE_BYTES and offset + len(piece) < import_.size_bytes:
                break  # the rest of a broken connection: it comes again
            offset = await imports.accept(lending, import_, offset, piece)
        return offset

    @get("/imports")
    async def every(request: AnyRequest) -> ImportList:
        """The person's imports, the newest first, and the largest file that the cell takes."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await imports.of(tx, me.person_id)
        return ImportList([body_of(each) for each in found], imports.most_bytes)

    @post("/imports", request_max_body_size=None)
    async def create(request: AnyRequest) -> Response[None]:
        """Opens the upload of an export of `Upload-Length` bytes into this account, which has no
        clips yet; a first part of it may be the body. The work begins when all has arrived."""
        with tus.speaking(request):
            length = tus.number(request, "upload-length")
            if length == 0:
                raise tus.BadHeader("An empty file is no export.", next_step="Choose another.")
            async with db.tx() as tx:
                me = await people.require(tx, request)
                begun = await imports.begin(tx, me.person_id, length)
            headers = {
                "location": f"/api/me/imports/{begun.id}/file",
                **tus.expiry(begun.expires_at),
            }
            if request.headers.get("content-type") == tus.PIECE_TYPE:
                headers["upload-offset"] = str(await receive(request, begun))
            return tus.answer(201, headers)

    @head("/imports/{import_id:uuid}/file")
    async def ask(request: AnyRequest, import_id: FromPath[UUID]) -> Response[None]:
        """How much of the file has arrived."""
        with tus.speaking(request):
            async with db.read() as tx:
                me = await people.require(tx, request)
                found = await imports.one(tx, me.person_id, import_id)
            headers = {
                "upload-offset": str(found.offset_bytes),
                "upload-length": str(found.size_bytes),
                **tus.expiry(found.expires_at),
            }
            return tus.answer(200, headers)

    @patch("/imports/{import_id:uuid}/file", status_code=204, request_max_body_size=None)
    async def append(request: AnyRequest, import_id: FromPath[UUID]) -> Response[None]:
        """Adds the body at `Upload-Offset`. Only whole pieces of 1 MiB stay of a broken
        connection; go on from the offset that HEAD gives."""
        with tus.speaking(request):
            if request.headers.get("content-type") != tus.PIECE_TYPE:
                raise tus.WrongPieceType
            offset = tus.number(request, "upload-offset")
            async with db.read() as tx:
                me = await people.require(tx, request)
                found = await imports.one(tx, me.person_id, import_id)
            if offset != found.offset_bytes or found.state != "uploading":
                raise WrongOffset
            announced = request.headers.get("content-length", "")
            if announced.isdecimal() and offset + int(announced) > found.size_bytes:
                raise tus.PieceTooLong
            reached = await receive(request, found)
            return tus.answer(204, {"upload-offset": str(reached), **tus.expiry(found.expires_at)})

    @get("/imports/{import_id:uuid}")
    async def progress(request: AnyRequest, import_id: FromPath[UUID]) -> ImportBody:
        """How far an import is, and what became of it."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return body_of(await imports.one(tx, me.person_id, import_id))

    @delete("/imports/{import_id:uuid}")
    async def drop(request: AnyRequest, import_id: FromPath[UUID]) -> None:
        """Forgets an import and its file; what it has put into the account stays."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await imports.drop(tx, me.person_id, import_id)

    return Router(
        "/api/me",
        route_handlers=[every, create, ask, append, progress, drop],
        tags=["rights"],
    )


def body_of(import_: Import) -> ImportBody:
    refusal = REFUSALS.get(import_.refused_code or "")
    return ImportBody(
        import_.id,
        import_.state,
        import_.progress,
        import_.size_bytes,
        import_.offset_bytes,
        import_.made_at,
        import_.expires_at,
        None if import_.report is None else msgspec.json.decode(import_.report),
        ImportRefusal(refusal.code, refusal.sentence, refusal.next_step) if refusal else None,
    )
