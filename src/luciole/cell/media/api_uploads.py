"""Resumable uploads: tus 1.0 (core, creation, creation-with-upload, expiration, termination).

The offset lives in the database. A body is cut into pieces of at most 4 MiB; each is stored as an
object first and acknowledged by one transaction, so that the offset never promises more than what
is stored, and a server that dies loses at most the piece that was under way. Two writers at the
same place: one moves the offset, the other is told with 409.

File names and other metadata that a client may send are not looked at and not kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

from litestar import Response, delete, head, patch, post, route
from litestar.enums import HttpMethod
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from luciole.cell.media.model import (
    PIECE_BYTES,
    Chunk,
    Upload,
    WrongOffset,
)
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.errors import Invalid, Problem
from luciole.kit.ids import new_token
from luciole.kit.web import AnyRequest

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
MAX_LENGTH_DIGITS = 15


class WrongVersion(Invalid):
    code = "tus-version"
    sentence = "This cell speaks version 1.0.0 of the tus protocol."
    next_step = "Send the header Tus-Resumable: 1.0.0."
    http_status = 412


class WrongPieceType(Invalid):
    code = "wrong-content-type"
    sentence = "A piece of an upload has the content type application/offset+octet-stream."
    next_step = "Send it with that content type."
    http_status = 415


class BadHeader(Invalid):
    code = "bad-header"


class PieceTooLong(Invalid):
    code = "more-than-announced"
    sentence = "There are more bytes than the upload was announced with."
    next_step = "Start a new upload with the right length."
    http_status = 413


def handlers(
    db: Database, people: People, media: Media, blobs: Blobs, max_upload_bytes: int
) -> list[HTTPRouteHandler]:
    """The handlers of /api/uploads."""

    async def receive(request: AnyRequest, upload: Upload) -> int:
        """Stores the body from the upload's offset on; gives the offset reached."""
        offset = upload.offset_bytes
        async for piece in _pieces(request):
            if offset + len(piece) > upload.size_bytes:
                raise PieceTooLong
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
        return _answer(
            204,
            {
                "tus-version": VERSION,
                "tus-extension": EXTENSIONS,
                "tus-max-size": str(max_upload_bytes),
            },
        )

    @post("/uploads", request_max_body_size=None)
    async def create(request: AnyRequest) -> Response[None]:
        """Opens an upload of `Upload-Length` bytes; a first part of it may be the body."""
        with _in_tus(request):
            length = _number(request, "upload-length")
            if length == 0:
                raise BadHeader("An empty file cannot become a clip.", next_step="Choose another.")
            async with db.tx() as tx:
                me = await people.require(tx, request)
                upload = await media.create_upload(tx, me.person_id, length)
            headers = {"location": f"/api/uploads/{upload.id}", **_expiry(upload)}
            if request.headers.get("content-type") == PIECE_TYPE:
                headers["upload-offset"] = str(await receive(request, upload))
            return _answer(201, headers)

    @head("/uploads/{upload_id:uuid}")
    async def ask(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """How much of the upload has arrived."""
        with _in_tus(request):
            async with db.read() as tx:
                me = await people.require(tx, request)
                upload = await media.upload(tx, me.person_id, upload_id)
            return _answer(
                200,
                {
                    "upload-offset": str(upload.offset_bytes),
                    "upload-length": str(upload.size_bytes),
                    **_expiry(upload),
                },
            )

    @patch("/uploads/{upload_id:uuid}", status_code=204, request_max_body_size=None)
    async def append(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """Adds the body at `Upload-Offset`. What arrived before a broken connection is kept."""
        with _in_tus(request):
            if request.headers.get("content-type") != PIECE_TYPE:
                raise WrongPieceType
            offset = _number(request, "upload-offset")
            async with db.read() as tx:
                me = await people.require(tx, request)
                upload = await media.upload(tx, me.person_id, upload_id)
            if offset != upload.offset_bytes:
                raise WrongOffset
            announced = request.headers.get("content-length", "")
            if announced.isdecimal() and offset + int(announced) > upload.size_bytes:
                raise PieceTooLong
            reached = await receive(request, upload)
            return _answer(204, {"upload-offset": str(reached), **_expiry(upload)})

    @delete("/uploads/{upload_id:uuid}")
    async def cancel(request: AnyRequest, upload_id: FromPath[UUID]) -> Response[None]:
        """Forgets the upload and what has arrived of it."""
        with _in_tus(request):
            async with db.tx() as tx:
                me = await people.require(tx, request)
                await media.cancel_upload(tx, me.person_id, upload_id)
            return _answer(204, {})

    return [describe, create, ask, append, cancel]


async def _pieces(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body in pieces of PIECE_BYTES; the last, or what came before the connection broke, is
    shorter."""
    gathered = bytearray()
    try:
        async for part in request.stream():
            gathered += part
            while len(gathered) >= PIECE_BYTES:
                yield bytes(gathered[:PIECE_BYTES])
                del gathered[:PIECE_BYTES]
    except HTTPException as gone:
        # The library's word for a client that went away.
        if gone.status_code != 500:
            raise
    if gathered:
        yield bytes(gathered)


@contextlib.contextmanager
def _in_tus(request: AnyRequest) -> Iterator[None]:
    """Checks the protocol's version, and marks refusals as tus answers."""
    try:
        if request.headers.get("tus-resumable") != VERSION:
            raise WrongVersion
        yield
    except Problem as problem:
        marked = {"tus-resumable": VERSION}
        if isinstance(problem, WrongVersion):
            marked["tus-version"] = VERSION
        problem.http_headers = marked  # type: ignore[attr-defined]
        raise


def _number(request: AnyRequest, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_LENGTH_DIGITS):
        raise BadHeader(
            f"The header {name.title()} is missing or is not a whole number.",
            next_step="Send it with the number of bytes.",
        )
    return int(text)


def _expiry(upload: Upload) -> dict[str, str]:
    """RFC 9110 date, as the expiration extension wants it."""
    return {"upload-expires": upload.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT")}


def _answer(status: int, headers: dict[str, str]) -> Response[None]:
    return Response(
        None,
        status_code=status,
        headers={"tus-resumable": VERSION, "cache-control": "no-store", **headers},
    )
