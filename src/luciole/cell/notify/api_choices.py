"""Routes of notify: what a person wants to be told, and their devices."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Router, delete, get, patch, put
from litestar.params import FromPath, JSONBody

from luciole.cell.notify import choices
from luciole.cell.notify.model import (
    CHOSEN_KINDS,
    NIGHT_BEGINS,
    NIGHT_ENDS,
    ChosenKind,
    Wishes,
    WokenFor,
)
from luciole.cell.notify.pushes import Pushes
from luciole.cell.notify.store import devices
from luciole.cell.people.model import Locale
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest


class WishesBody(msgspec.Struct):
    """Which kinds are told, and when. `nights_are_quiet` is so for minors whatever they choose."""

    kinds: dict[ChosenKind, bool]
    digest_at: int | None
    quiet_nights: bool
    nights_are_quiet: bool
    night_begins: int
    night_ends: int
    offset_minutes: int | None


class WishesChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is given changes. `digest_at`: an hour from 7 to 21, or null for at once;
    `offset_minutes`: how far the person's clock is ahead of UTC."""

    digest_at: int | msgspec.UnsetType | None = msgspec.UNSET
    quiet_nights: bool | msgspec.UnsetType = msgspec.UNSET
    offset_minutes: int | msgspec.UnsetType = msgspec.UNSET


class KindChange(msgspec.Struct, forbid_unknown_fields=True):
    is_on: bool


class PushBody(msgspec.Struct):
    """Whether this cell wakes devices, with which key a browser subscribes, whether this session's
    device is woken, what it was woken for last, and in which language it should say so."""

    is_offered: bool
    key: str | None
    is_on: bool
    woken_for: WokenFor | None
    locale: Locale


class PushChange(msgspec.Struct, forbid_unknown_fields=True):
    """The address that a browser has from its push service, and its clock."""

    endpoint: Annotated[str, msgspec.Meta(max_length=1024)]
    offset_minutes: int


def routes(db: Database, people: People, pushes: Pushes) -> Router:
    """The routes over their collaborators."""

    @get("/notifications/settings")
    async def settings(request: AnyRequest) -> WishesBody:
        """What the person wants to be told, and when."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return _body(await choices.wishes(tx, me.person_id))

    @patch("/notifications/settings")
    async def change_settings(request: AnyRequest, data: JSONBody[WishesChange]) -> WishesBody:
        """Changes the parts that are given."""
        changed = choices.Changed(data.digest_at, data.quiet_nights, data.offset_minutes)
        async with db.tx() as tx:
            me = await people.require(tx, request)
            wished = await choices.change(tx, me.person_id, changed)
            if data.offset_minutes is not msgspec.UNSET:
                await devices.move_clock(tx, me.session_id, data.offset_minutes)
        return _body(wished)

    @put("/notifications/kinds/{kind:str}")
    async def turn(
        request: AnyRequest, kind: FromPath[ChosenKind], data: JSONBody[KindChange]
    ) -> WishesBody:
        """Turns a kind of notification on or off."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return _body(await choices.turn(tx, me.person_id, kind, data.is_on))

    @get("/me/push")
    async def push(request: AnyRequest) -> PushBody:
        """Whether the device of this session is woken, and how a browser asks for that."""
        key = await pushes.key() if pushes.is_offered else None
        async with db.read() as tx:
            me = await people.require(tx, request)
            device = await devices.of_session(tx, me.session_id)
        why = device[1] if device else None
        return PushBody(pushes.is_offered, key, device is not None, why, me.locale)

    @put("/me/push", status_code=204)
    async def set_push(request: AnyRequest, data: JSONBody[PushChange]) -> None:
        """Has the device of this session woken from now on, until it is signed out."""
        grant = await people.grant(request)
        sealed = await pushes.seal(grant, data.endpoint)
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await pushes.add(tx, me.person_id, me.session_id, sealed, data.offset_minutes)

    @delete("/me/push")
    async def end_push(request: AnyRequest) -> None:
        """Has the device of this session woken no more."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await pushes.drop(tx, me.session_id)

    return Router(
        "/api",
        route_handlers=[settings, change_settings, turn, push, set_push, end_push],
        tags=["notify"],
    )


def _body(wished: Wishes) -> WishesBody:
    return WishesBody(
        {kind: kind not in wished.off for kind in CHOSEN_KINDS},
        wished.digest_at,
        wished.quiet_nights,
        wished.has_quiet_nights,
        NIGHT_BEGINS,
        NIGHT_ENDS,
        wished.offset_minutes,
    )
