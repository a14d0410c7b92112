"""Routes of notify: the list, and the stream of live events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.params import FromQuery, HeaderParameter, QueryParameter
from litestar.response import Stream

from luciole.cell.notify.live import Hub, Page
from luciole.cell.notify.model import Actor, Event, LineKind, Notification
from luciole.cell.notify.service import Notify
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

PING_S = 15
# Browsers reconnect by themselves after this long.
RECONNECT_MS = 2_000

AvatarUrl = Callable[[str | None], str | None]


class By(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None


class NotificationBody(msgspec.Struct):
    """One line: `by` and `others` are the newest of `people` (100: or more). A digest counts what
    is in it by kind; ask for it with `within`."""

    id: UUID
    kind: LineKind
    by: By | None
    others: list[By]
    people: int
    clip_id: UUID | None
    about_id: UUID | None
    created_at: datetime
    is_read: bool
    counts: dict[str, int]


class NotificationPage(msgspec.Struct):
    items: list[NotificationBody]
    next: str | None


class Unread(msgspec.Struct):
    """At night, where nights are quiet, nothing is."""

    unread: bool


def routes(db: Database, people: People, notify: Notify, hub: Hub, avatar_url: AvatarUrl) -> Router:
    """The routes of notify over their collaborators."""

    def by(actor: Actor) -> By:
        return By(actor.handle, actor.display_name, avatar_url(actor.avatar_key))

    def line(item: Notification) -> NotificationBody:
        named = [by(actor) for actor in item.by]
        return NotificationBody(
            item.id,
            item.kind,
            named[0] if named else None,
            named[1:],
            item.people,
            item.clip_id,
            item.about_id,
            item.made_at,
            item.is_read,
            dict(item.counts),
        )

    def frame(event: Event) -> bytes:
        data: dict[str, Any] = {"event_id": str(event.id), **event.body}
        if event.clip_id is not None:
            data["id" if event.kind == "clip" else "clip_id"] = str(event.clip_id)
        if event.by is not None:
            data["author" if event.kind == "new-clip" else "by"] = by(event.by)
        text = msgspec.json.encode(data)
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.horizon, event.kind.encode(), text)

    async def is_still_signed_in(request: AnyRequest, page: Page) -> bool:
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
        return (viewer.person_id if viewer else None) == page.person_id

    async def frames(
        request: AnyRequest, person_id: UUID | None, since: int | None
    ) -> AsyncIterator[bytes]:
        async with hub.page(person_id, since) as page:
            # With a place to come back to, should the line be cut before the first event.
            yield b"retry: %d\nid: %d\n: welcome\n\n" % (RECONNECT_MS, page.began)
            while not page.is_over:
                try:
                    event = await asyncio.wait_for(page.waiting.get(), PING_S)
                except TimeoutError:
                    event = None
                # A session that was ended elsewhere hears nothing personal from then on.
                is_for_all = event is not None and event.person_id is None
                if not is_for_all and not await is_still_signed_in(request, page):
                    return
                yield frame(event) if event else b": ping\n\n"

    @get("/live", media_type="text/event-stream")
    async def live(
        request: AnyRequest,
        last_event_id: Annotated[
            str | None, HeaderParameter(name="Last-Event-ID", max_length=20)
        ] = None,
    ) -> Stream:
        """Events for the open page, as server-sent events; resumes after `Last-Event-ID`."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
        hub.require_room(viewer.person_id if viewer else None)
        since = (
            int(last_event_id)
            if last_event_id
            and last_event_id.isascii()
            and (last_event_id.isdigit() and int(last_event_id) < 2**63)
            else None
        )
        return Stream(
            frames(request, viewer.person_id if viewer else None, since),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @get("/notifications")
    async def page(
        request: AnyRequest,
        cursor: FromQuery[str | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=50)] = 20,
        within: FromQuery[UUID | None] = None,
    ) -> NotificationPage:
        """What happened around the person and their clips, newest first; or `within` a digest."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            items, following = await notify.page(tx, me.person_id, cursor, limit, within)
        return NotificationPage([line(item) for item in items], following)

    @get("/notifications/unread")
    async def unread(request: AnyRequest) -> Unread:
        """Whether there is something new in the list."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return Unread(await notify.has_unread(tx, me.person_id))

    @post("/notifications/read", status_code=204)
    async def read(request: AnyRequest) -> None:
        """Marks the whole list as read."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await notify.mark_read(tx, me.person_id)

    return Router("/api", route_handlers=[live, page, unread, read], tags=["notify"])
