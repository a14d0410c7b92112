"""Resumable uploads: tus 1.0 (core, creation, creation-with-upload, expiration, termination).

The offset lives in the database. A body is cut into pieces of at most 4 MiB; each is stored as an
object first and acknowledged by one transaction, so that the offset never promises more than what
is stored, and a server that dies loses at most the piece that was under way. Two writers at the
same place: one moves the offset, the other is told with 409.

File names and other metadata that a client may send are not looked at and not kept.
"""

from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, head, patch, post, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from luciole.cell.media.model import (
    PIECE_BYTES,
    Chunk,
    Upload,
    WrongOffset,
)
from luciole.cell.media.quota import RoomTaken
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.kit import tus
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.errors import Problem
from luciole.kit.ids import new_token
from luciole.kit.web import AnyRequest


def handlers(
    db: Database, people: People, media: Media, blobs: Blobs, max_upload_bytes: int
) -> list[HTTPRouteHandler]:
    """The handlers of /api/uploads."""

    async def receive(request: AnyRequest, upload: Upload) -> int:
        """Stores the body from the upload's offset on; gives the offset reached."""
        offset = upload.offset_bytes
        async for piece in tus.pieces(request, PIECE_BYTES):
            if offset + len(piece) > upload.size_bytes:
                raise tus.PieceTooLong
            chunk = Chunk(offset, len(piece), f"uploads/{upload.id}/{offset}-{new_token()}")
            async with db.tx() as tx:
                await media.announce(tx, chunk.object_key)
            # If we stop here or below, the sweep finds the announced object.
            await blobs.put(chunk.object_key, piece)
            try:
                async with db.tx() as tx:
                    offset = await media.accept(tx, upload, chunk)
                    upload = await media.upload(tx, upload.owner_id, upload.id)
            except Problem:
                async with db.tx() as tx:
                    await media.disown(tx, chunk.object_key)
                raise
        return offset

    @route("/uploads", http_method=[HttpMethod.OPTIONS], status_code=204)
    async def describe() -> Response[None]:
        """What this endpoint can do."""
        return tus.answer(
            204,
            {
                "tus-version": tus.VERSION,
                "tus-extension": tus.EXTENSIONS,
                "tus-max-size": str(max_upload_bytes),
            },
        )

    @get("/me/room")
    async def room(request: AnyRequest) -> RoomTaken:
        """How much room your films take, how many clips you made in 24 hours, and how many there
        may be."""
        async with db.read() as tx:
            viewer = await people.require(tx, request)
            return await media.quota.of(tx, viewer.person_id)

    @post("/uploads", request_max_body_size=None)
    async def create(request: AnyRequest) -> Response[None]:
        """Opens an upload of `Upload-Length` bytes; a first part of it may be the body."""
        with tus.speaking(request):
            length = tus.number(request, "upload-length")
            if length == 0:
                raise tus.BadHeader(
                    "An empty file cannot become a clip.", next_step="Choose another."
                )
            async with db.tx() as tx:
                me = await people.require(tx, request)
                await media.quota.require_room(tx, me.person_id, length)
                upload = await media.create_upload(tx, me.person_id, length)
            headers = {"location": f"/api/uploads/{upload.id}", **tus.expiry(upload.expires_at)}
            if request.headers.get("content-type") == tus.PIECE_TYPE:
                headers["upload-offset"] = str(await receive(request, upload))
            return tus.answer(201, headers)

    @head("/uploads/{upload_id:uuid}")
    async def ask(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """How much of the upload has arrived."""
        with tus.speaking(request):
            async with db.read() as tx:
                me = await people.require(tx, request)
                upload = await media.upload(tx, me.person_id, upload_id)
            return tus.answer(
                200,
                {
                    "upload-offset": str(upload.offset_bytes),
                    "upload-length": str(upload.size_bytes),
                    **tus.expiry(upload.expires_at),
                },
            )

    @patch("/uploads/{upload_id:uuid}", status_code=204, request_max_body_size=None)
    async def append(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """Adds the body at `Upload-Offset`. What arrived before a broken connection is kept."""
        with tus.speaking(request):
            if request.headers.get("content-type") != tus.PIECE_TYPE:
                raise tus.WrongPieceType
            offset = tus.number(request, "upload-offset")
            async with db.read() as tx:
                me = await people.require(tx, request)
                upload = await media.upload(tx, me.person_id, upload_id)
            if offset != upload.offset_bytes:
                raise WrongOffset
            announced = request.headers.get("content-length", "")
            if announced.isdecimal() and offset + int(announced) > upload.size_bytes:
                raise tus.PieceTooLong
            reached = await receive(request, upload)
            return tus.answer(204, {"upload-offset": str(reached), **tus.expiry(upload.expires_at)})

    @delete("/uploads/{upload_id:uuid}")
    async def cancel(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """Forgets the upload and what has arrived of it."""
        with tus.speaking(request):
            async with db.tx() as tx:
                me = await people.require(tx, request)
                await media.cancel_upload(tx, me.person_id, upload_id)
            return tus.answer(204, {})

    return [room, describe, create, ask, append, cancel]
