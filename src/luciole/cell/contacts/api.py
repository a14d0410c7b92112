"""Routes of contact discovery. No address of anybody but the person is in any of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from luciole.cell.contacts import model
from luciole.cell.contacts.book import Edition
from luciole.cell.contacts.model import Kind
from luciole.cell.contacts.service import Discovery
from luciole.cell.people.model import index_form
from luciole.cell.people.service import People
from luciole.config import ContactsSettings
from luciole.kit.db import Database
from luciole.kit.web import AnyRequest

BYTES = "application/octet-stream"
POINTS = {200: ResponseSpec(Any, False, "Two answers of evaluated points and a proof.", BYTES)}
PIECES = {200: ResponseSpec(Any, False, "Pieces of the filter or the book.", BYTES)}
HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
MAX_POINTS_BYTES = model.MAX_POINTS_AT_ONCE * model.POINT_BYTES

Index = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]


class OtherCell(msgspec.Struct):
    """The cell with the other half of the key."""

    name: str
    operator: str
    jurisdiction: str


class MineBody(msgspec.Struct):
    """An address of the account, and what it is good for."""

    kind: Kind
    is_verified: bool
    is_findable: bool
    can_verify: bool


class ContactsBody(msgspec.Struct):
    """Whether people can be looked for here, with whom, and how much is left."""

    is_offered: bool
    other_cell: OtherCell | None
    round: int
    """The number of the key that is in use."""
    keys: list[str]
    """The public keys of both halves, in hex: this cell's, the other's."""
    first_points: int
    points_per_day: int
    left: int
    code_kinds: list[Kind]
    mine: list[MineBody]


class DayBody(msgspec.Struct):
    day: date
    points: int


class TermsBody(msgspec.Struct):
    """What anybody may know: quotas, and how much was asked on each day that is over."""

    is_offered: bool
    first_points: int
    points_per_day: int
    new_askers_per_day: int
    rotate_days: int
    """After how many days the key is changed by itself; 0: only by the operator."""
    round: int
    since: date | None
    """Since when the key is the one that it is, as far as it is known."""
    days: list[DayBody]


class PartsAsked(msgspec.Struct, forbid_unknown_fields=True):
    bits: Annotated[int, msgspec.Meta(ge=0, le=32)]
    indexes: Annotated[list[Index], msgspec.Meta(min_length=1, max_length=4096)]


class CodeBody(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=20)]


def preamble(edition: Edition) -> bytes:
    """20 bytes: edition (8), people (4), bits of a part (1), of a bucket (1), records in a bucket
    (2), round of the key (4), all big-endian."""
    return (
        edition.number.to_bytes(8, "big")
        + edition.people.to_bytes(4, "big")
        + bytes([edition.part_bits, edition.bucket_bits])
        + (edition.bucket_bytes // model.RECORD_BYTES).to_bytes(2, "big")
        + edition.round.to_bytes(4, "big")
    )


def routes(
    db: Database, people: People, discovery: Discovery, settings: ContactsSettings
) -> Router:
    """The routes of contact discovery over their collaborators."""

    async def require_offered(request: AnyRequest) -> None:
        async with db.read() as tx:
            await people.require(tx, request)
        if not discovery.is_offered:
            raise model.NotOffered

    @get("/")
    async def contacts(request: AnyRequest) -> ContactsBody:
        """Whether and with which other cell people can be looked for, and where the person
        stands. Where it is not offered, the key's other half has no cell to be in."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            terms = await discovery.terms(tx, me.person_id)
        now = await discovery.round()
        keys: list[str] = []
        other = None
        if discovery.is_offered:
            keys = [key.hex() for key in await discovery.keys(now)]
            other = await discovery.other_cell()
        return ContactsBody(
            is_offered=discovery.is_offered,
            other_cell=OtherCell(other.display_name, other.operator, other.jurisdiction)
            if other
            else None,
            round=now.number,
            keys=keys,
            first_points=model.FIRST_POINTS,
            points_per_day=model.POINTS_PER_DAY,
            left=discovery.left(terms.asked),
            code_kinds=[kind for kind in model.KINDS if kind in discovery.codes.kinds],
            mine=[
                MineBody(
                    one.kind, one.is_verified, one.is_findable, one.kind in discovery.codes.kinds
                )
                for one in terms.mine
            ],
        )

    @get("/terms")
    async def terms() -> TermsBody:
        """The quotas, which both cells enforce, and how much all together have asked."""
        async with db.read() as tx:
            days = await discovery.days(tx)
        now = await discovery.round()
        return TermsBody(
            discovery.is_offered,
            model.FIRST_POINTS,
            model.POINTS_PER_DAY,
            settings.new_askers_per_day,
            settings.rotate_days,
            now.number,
            now.since,
            [DayBody(one.day, one.points) for one in days],
        )

    @post(
        "/points",
        status_code=200,
        media_type=BYTES,
        responses=POINTS,
        request_max_body_size=MAX_POINTS_BYTES,
    )
    async def points(
        request: AnyRequest, number: Annotated[int | None, QueryParameter(name="round")] = None
    ) -> Response[bytes]:
        """Takes blinded points as the body, 32 bytes each and at most 1,000 (RFC 9497,
        ristretto255-SHA512, VOPRF). Answers what this cell's half of the key makes of them and its
        proof of 64 bytes, then the same of the other cell. Each point counts. `round`: of which
        keys the device knows; where they are over, nothing is counted."""
        async with db.read() as tx:
            me = await people.require(tx, request)
        home, other = await discovery.evaluate(me.person_id, await request.body(), number)
        return Response(b"".join((*home, *other)), media_type=BYTES, headers=HEADERS)

    @get("/filter", media_type=BYTES, responses=PIECES)
    async def whole(request: AnyRequest) -> Response[bytes]:
        """20 bytes (edition of 8, people of 4, bits of a part, bits of a bucket, records in a
        bucket of 2, round of the key of 4), then the filter of tags, as far as it is whole."""
        await require_offered(request)
        edition = await discovery.shelf.newest()
        etag = f'"{edition.number}-{edition.people}-{edition.bucket_bytes}"'
        headers = {**HEADERS, "cache-control": "private, no-cache", "etag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers, media_type=BYTES)
        content = preamble(edition) + (b"" if edition.part_bits else edition.parts[0])
        return Response(content, media_type=BYTES, headers=headers)

    @post("/filter", status_code=200, media_type=BYTES, responses=PIECES)
    async def parts(request: AnyRequest, data: JSONBody[PartsAsked]) -> Response[bytes]:
        """Parts of a filter that is too large to be fetched whole, all of one size."""
        await require_offered(request)
        content = await discovery.parts(data.bits, data.indexes)
        return Response(content, media_type=BYTES, headers=HEADERS)

    @post("/buckets", status_code=200, media_type=BYTES, responses=PIECES)
    async def buckets(request: AnyRequest, data: JSONBody[PartsAsked]) -> Response[bytes]:
        """Buckets of sealed handles, all of one size. Which of them somebody wants, if any, only
        they know."""
        await require_offered(request)
        content = await discovery.buckets(data.bits, data.indexes)
        return Response(content, media_type=BYTES, headers=HEADERS)

    @post("/{kind:str}/code", status_code=204)
    async def send_code(request: AnyRequest, kind: FromPath[Kind]) -> None:
        """Has a code sent to an address of the account."""
        grant = await people.grant(request)
        async with db.tx() as tx:
            me = await people.require(tx, request)
            mine = await people.contacts.of(tx, grant)
            address = next((one.value for one in mine if one.kind == kind), None)
            if address is None:
                raise model.NoAddress
            index = await discovery.index(kind, address)
            code = await discovery.codes.draw(tx, me.person_id, kind, address, index, me.locale)
        await discovery.codes.send(db, me.person_id, code)

    @put("/{kind:str}/code", status_code=204)
    async def verify(request: AnyRequest, kind: FromPath[Kind], data: JSONBody[CodeBody]) -> None:
        """Types the code that came; the address is verified then, until it is changed, or
        somebody else shows that it is theirs."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            is_right = await discovery.codes.take(tx, me.person_id, kind, data.code)
        if not is_right:
            raise model.WrongCode

    @put("/{kind:str}/findable", status_code=204)
    async def be_found(request: AnyRequest, kind: FromPath[Kind]) -> None:
        """From now on people who have this address of the person's find their handle."""
        await require_offered(request)
        grant = await people.grant(request)
        async with db.read() as tx:
            me = await people.require(tx, request)
            mine = await people.contacts.of(tx, grant)
            terms = await discovery.terms(tx, me.person_id)
        address = next((one.value for one in mine if one.kind == kind), None)
        if address is None:
            raise model.NoAddress
        if not any(one.kind == kind and one.is_verified for one in terms.mine):
            raise model.VerifyFirst
        text = model.said(kind, index_form(kind, address))
        opening = await discovery.opening(await discovery.round(), me.person_id, text, grant)
        async with db.tx() as tx:
            me = await people.require(tx, request)
            # Once more: it may have been changed meanwhile, and is another one's then.
            if mine != await people.contacts.of(tx, grant):
                raise model.VerifyFirst
            await discovery.be_found(tx, me.person_id, kind, me.handle, opening)

    @delete("/{kind:str}/findable")
    async def be_found_no_more(request: AnyRequest, kind: FromPath[Kind]) -> None:
        """From now on nobody finds the person by this address."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await discovery.be_found_no_more(tx, me.person_id, kind)

    return Router(
        "/api/contacts",
        route_handlers=[
            contacts,
            terms,
            points,
            whole,
            parts,
            buckets,
            send_code,
            verify,
            be_found,
            be_found_no_more,
        ],
        tags=["contacts"],
    )
