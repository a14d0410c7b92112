"""Routes of what leaves and what has left."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.border import wire
from luciole.cell.abroad import sheets
from luciole.cell.abroad.model import (
    ACTS,
    Act,
    Crossing,
    Kind,
    Locale,
    Named,
    Reach,
    State,
    Subject,
    Total,
    asks_again,
    covered,
    is_suspended,
)
from luciole.cell.abroad.service import Abroad
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

Limit = Annotated[int, QueryParameter(ge=1, le=50)]
Sha256Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class PeerBody(msgspec.Struct):
    """A cell that this one exchanges with."""

    name: str
    display_name: str
    operator: str
    jurisdiction: str


class ConsentBody(msgspec.Struct):
    """What a person has said yes to. `covers`: the cells for which it holds now. `asks_again`: the
    text or the countries are others by now, so the person is asked before the next thing leaves."""

    act: Act
    text_version: int
    text_sha256: str
    locale: Locale
    operator: str
    jurisdiction: str
    peers: list[Named]
    given_at: datetime
    covers: list[str]
    is_suspended: bool
    asks_again: bool


class TotalBody(msgspec.Struct):
    """What another cell counts; null: a few, or none."""

    peer: str
    likes: int | None
    shares: int | None
    followers: int | None


class AbroadBody(msgspec.Struct):
    """Where things of this cell may go, and what this person has said about that."""

    cell: PeerBody
    peers: list[PeerBody]
    has_fediverse: bool
    consents: list[ConsentBody]
    totals: list[TotalBody]
    """Of who follows the person in other cells."""


class SheetBody(msgspec.Struct):
    """What is read before a yes. `sha256` is of exactly this text; `countries` (ISO 3166) are those
    under whose law the cells are."""

    act: Act
    version: int
    locale: Locale
    sha256: str
    peers: list[Named]
    countries: list[str]
    leaves: list[str]
    stays: list[str]
    to: list[str]
    ground: str
    recall: str


class Agreement(msgspec.Struct, forbid_unknown_fields=True):
    """A yes to the sheet that was shown in this language."""

    sha256: Sha256Hex
    locale: Locale


class ReachChange(msgspec.Struct, forbid_unknown_fields=True):
    reach: Reach


class CommentReach(msgspec.Struct, forbid_unknown_fields=True):
    crosses: bool


class CellState(msgspec.Struct):
    """A cell that has something, or is about to."""

    peer: str
    state: str


class PlaceBody(msgspec.Struct):
    """How far a clip goes, where it is, and what is counted there."""

    reach: Reach
    cells: list[CellState]
    totals: list[TotalBody]


class CrossingBody(msgspec.Struct):
    """One thing that went to another cell, or is on its way. `can_revoke`: it is there, and
    nothing newer was said about it. What went to the wider Fediverse has the origin of a server as
    its `peer`, and neither operator nor jurisdiction. `is_owed`: a recall that has waited for a
    week, because the cell does not answer; it is sent until it does. A recall or a
    move that the cell refused is sent again at `again_at`, daily and for 30 days; it was refused
    `refusals` times until now, and is one row."""

    id: UUID
    kind: Kind
    subject_kind: Subject
    subject_id: UUID
    peer: str
    operator: str
    jurisdiction: str
    reason: str
    says: str
    ground: str
    state: State
    refusal: str | None
    has_receipt: bool
    offered_at: datetime
    settled_at: datetime | None
    can_revoke: bool
    is_owed: bool
    again_at: datetime | None
    refusals: int


class CrossingPage(msgspec.Struct):
    items: list[CrossingBody]
    next: str | None


def routes(db: Database, people: People, abroad: Abroad) -> Router:
    """The routes of abroad over their collaborators."""

    async def overview(tx: Tx, person_id: UUID) -> AbroadBody:
        here = abroad.here
        peers = await abroad.peers(tx)
        found = await abroad.consents(tx, person_id)
        return AbroadBody(
            cell=PeerBody(here.name, here.name, here.operator, here.jurisdiction),
            peers=[
                PeerBody(one.name, one.display_name or one.name, one.operator, one.jurisdiction)
                for one in peers
            ],
            has_fediverse=abroad.has_fediverse,
            consents=[
                ConsentBody(
                    one.act,
                    one.text_version,
                    one.text_sha256.hex(),
                    one.locale,
                    one.operator,
                    one.jurisdiction,
                    one.peers,
                    one.given_at,
                    [peer.name for peer in covered(one, here, peers)],
                    is_suspended(one, here),
                    asks_again(one, sheets.VERSION, peers),
                )
                for act in ACTS
                if (one := found.get(act)) is not None
            ],
            totals=_totals(await abroad.totals(tx, person_id)),
        )

    @get("/me/abroad")
    async def see(request: AnyRequest) -> AbroadBody:
        """Where things of this cell may go, and what the person has said about that."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return await overview(tx, me.person_id)

    @get("/me/abroad/sheets/{act:str}")
    async def sheet(
        request: AnyRequest, act: FromPath[Act], locale: FromQuery[Locale] = "en"
    ) -> SheetBody:
        """What leaves, to whom, and under which law: to be read before a yes."""
        async with db.read() as tx:
            await people.require(tx, request)
            made = await abroad.sheet(tx, act, locale)
        return SheetBody(
            made.act,
            made.version,
            made.locale,
            made.sha256().hex(),
            made.peers,
            made.countries,
            made.leaves,
            made.stays,
            made.to,
            made.ground,
            made.recall,
        )

    @put("/me/abroad/consents/{act:str}")
    async def agree(
        request: AnyRequest, act: FromPath[Act], data: JSONBody[Agreement]
    ) -> AbroadBody:
        """Says yes to what was read."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await abroad.agree(tx, me.person_id, act, data.locale, data.sha256)
            return await overview(tx, me.person_id)

    @delete("/me/abroad/consents/{act:str}", status_code=200)
    async def take_back(request: AnyRequest, act: FromPath[Act]) -> AbroadBody:
        """Takes a yes back: what crossed on its ground is called back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await abroad.take_back(tx, me.person_id, act)
            return await overview(tx, me.person_id)

    @get("/clips/{clip_id:uuid}/reach")
    async def reach(request: AnyRequest, clip_id: FromPath[UUID]) -> PlaceBody:
        """How far an own clip goes, and where it is."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return await _place(abroad, tx, me.person_id, clip_id)

    @put("/clips/{clip_id:uuid}/reach")
    async def set_reach(
        request: AnyRequest, clip_id: FromPath[UUID], data: JSONBody[ReachChange]
    ) -> PlaceBody:
        """Lets an own clip go so far, or calls it back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await people.hold_privacy(tx, me.person_id)
            await abroad.set_reach(tx, me.person_id, clip_id, data.reach)
            return await _place(abroad, tx, me.person_id, clip_id)

    @put("/comments/{comment_id:uuid}/reach", status_code=204)
    async def set_said(
        request: AnyRequest, comment_id: FromPath[UUID], data: JSONBody[CommentReach]
    ) -> None:
        """Lets an own comment go to the cell of the clip that it is on, or calls it back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await abroad.set_said(tx, me.person_id, comment_id, crosses=data.crosses)

    @get("/me/crossings")
    async def crossings(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> CrossingPage:
        """What left of the person's, the newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found, following = await abroad.crossings(tx, me.person_id, cursor, limit)
        return CrossingPage([_crossing(one) for one in found], following)

    @get("/me/crossings/{crossing_id:uuid}/receipt", media_type="text/plain")
    async def receipt(request: AnyRequest, crossing_id: FromPath[UUID]) -> Response[str]:
        """What the other cell signed about a crossing."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            text = await abroad.receipt(tx, me.person_id, crossing_id)
        return Response(text, media_type="text/plain", headers={"cache-control": "no-store"})

    @delete("/me/crossings/{crossing_id:uuid}")
    async def revoke(request: AnyRequest, crossing_id: FromPath[UUID]) -> None:
        """Calls back from everywhere what a crossing was about."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await abroad.revoke(tx, me.person_id, crossing_id)

    return Router(
        "/api",
        route_handlers=[
            see,
            sheet,
            agree,
            take_back,
            reach,
            set_reach,
            set_said,
            crossings,
            receipt,
            revoke,
        ],
        tags=["abroad"],
    )


async def _place(abroad: Abroad, tx: Tx, person_id: UUID, clip_id: UUID) -> PlaceBody:
    place = await abroad.reach(tx, person_id, clip_id)
    cells = [CellState(peer, state) for peer, state in place.cells]
    return PlaceBody(place.reach, cells, _totals(place.totals))


def _totals(found: list[Total]) -> list[TotalBody]:
    return [TotalBody(one.peer, one.likes, one.shares, one.followers) for one in found]


def _crossing(one: Crossing) -> CrossingBody:
    declared = wire.KINDS[one.kind]
    return CrossingBody(
        one.id,
        one.kind,
        one.subject_kind,
        one.subject_id,
        one.peer,
        one.operator,
        one.jurisdiction,
        declared.reason,
        declared.says if one.operator else wire.KINDS["fediverse"].says,
        wire.LAWS[declared.reason],
        one.state,
        one.refusal,
        one.has_receipt,
        one.offered_at,
        one.settled_at,
        one.is_newest and one.kind != "gone" and one.state in ("offered", "crossed"),
        one.is_owed,
        one.again_at,
        one.refusals,
    )
