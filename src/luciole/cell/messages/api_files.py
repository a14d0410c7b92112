"""Routes of sealed files: attachments of messages, and the backup that a recovery code opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.response import Stream

from luciole.cell.media.service import Room
from luciole.cell.messages import limits, model, refusals, shapes
from luciole.cell.messages.model import Stored
from luciole.cell.messages.service import Messages
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Invalid, NotFound, TooLarge
from luciole.kit.web import AnyRequest

Writer = Callable[[Tx, AnyRequest], Awaitable[Viewer]]
BYTES = "application/octet-stream"
HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    # Whatever somebody sealed, it runs nothing.
    "content-security-policy": "default-src 'none'; sandbox",
}
RESPONSES = {200: ResponseSpec(Any, False, "The sealed bytes.", BYTES)}


def handlers(
    db: Database, people: People, messages: Messages, blobs: Blobs, room: Room, writer: Writer
) -> list[Any]:
    """The handlers over their collaborators."""
    files = messages.files

    async def received(
        request: AnyRequest, me: Viewer, most: int, refused: type[TooLarge]
    ) -> bytes:
        body = await request.body()
        if len(body) > most:
            raise refused
        if not body:
            raise Invalid("An empty file is nothing to keep.")
        room.require(len(body))
        whom = str(me.person_id)
        messages.rates.take(limits.FILE_BYTES, whom, len(body), refusal=refusals.FilesTooLarge)
        return body

    async def sent(stored: Stored, missing: type[NotFound]) -> Stream:
        stream = blobs.stream(stored.object_key, 0, stored.size_bytes)
        try:
            first = await anext(stream)
        except (Missing, StopAsyncIteration):
            raise missing from None

        async def rest() -> AsyncIterator[bytes]:
            yield first
            async for chunk in stream:
                yield chunk

        headers = {**HEADERS, "content-length": str(stored.size_bytes)}
        return Stream(rest(), headers=headers, media_type=BYTES)

    @post(
        "/conversations/{conversation_id:uuid}/attachments",
        request_max_body_size=model.MAX_ATTACHMENT_BYTES,
    )
    async def attach(request: AnyRequest, conversation_id: FromPath[UUID]) -> shapes.FileMade:
        """Keeps the body, which the client has sealed, for 30 days. Requests take no files."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.FILE, str(me.person_id), refusal=refusals.FilesTooOften)
            await messages.check_attaching(tx, me, conversation_id)
        body = await received(request, me, model.MAX_ATTACHMENT_BYTES, refusals.AttachmentTooLarge)
        async with db.tx() as tx:
            await files.require_room(tx, len(body))
            key = await files.announce_attachment(tx, me.person_id, len(body))
        await blobs.put(key, body)
        async with db.tx() as tx:
            # Once more: much may have changed while the bytes came.
            me = await writer(tx, request)
            await messages.check_attaching(tx, me, conversation_id)
            made = await files.attach(tx, conversation_id, Stored(key, len(body)))
        return shapes.FileMade(made)

    @get("/attachments/{attachment_id:uuid}", media_type=BYTES, responses=RESPONSES)
    async def attachment(request: AnyRequest, attachment_id: FromPath[UUID]) -> Response[Any]:
        """The sealed bytes of a file, for who is in its conversation."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            stored = await files.attachment(tx, me.person_id, attachment_id)
        return await sent(stored, refusals.NoSuchAttachment)

    @put("/backup", status_code=204, request_max_body_size=model.MAX_BACKUP_BYTES)
    async def back_up(request: AnyRequest) -> None:
        """Keeps the body, which the client has sealed, in place of the former backup."""
        async with db.tx() as tx:
            me = await writer(tx, request)
            messages.rates.take(limits.FILE, str(me.person_id), refusal=refusals.FilesTooOften)
        body = await received(request, me, model.MAX_BACKUP_BYTES, refusals.BackupTooLarge)
        async with db.tx() as tx:
            await files.require_room(tx, len(body))
            key = await files.announce_backup(tx)
        await blobs.put(key, body)
        async with db.tx() as tx:
            me = await writer(tx, request)
            await files.set_backup(tx, me.person_id, Stored(key, len(body)))

    @get("/backup", media_type=BYTES, responses=RESPONSES)
    async def backup(request: AnyRequest) -> Response[Any]:
        """The sealed backup of the person's messages."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            stored = await files.backup(tx, me.person_id)
        return await sent(stored, refusals.NoBackup)

    @delete("/backup")
    async def forget(request: AnyRequest) -> None:
        """Deletes the backup of the person's messages."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await files.drop_backup(tx, me.person_id)

    return [attach, attachment, back_up, backup, forget]
