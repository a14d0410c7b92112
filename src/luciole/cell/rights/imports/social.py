"""What an import does with likes and follows: in force where the same person or clip is here, kept
for their owner's eyes where not. A handle alone says nothing about who is who in another cell."""

from __future__ import annotations

from datetime import datetime

import msgspec

from luciole.cell.graph.model import CannotFollowYourself, FollowsTooMany
from luciole.cell.people.model import NoSuchPerson
from luciole.cell.rights.imported_model import (
    MAX_CARRIED,
    Carried,
    CarriedItem,
    Favourites,
    Suggestions,
    check_links,
)
from luciole.cell.rights.imports.going import Taking
from luciole.cell.rights.imports.rows import FollowingRow, ImportedRow, LikedRow
from luciole.cell.rights.model import Unimportable
from luciole.cell.rights.store import imports
from luciole.kit.errors import Invalid, Problem

SHAPES = {"suggestions": Suggestions, "favourites": Favourites}


async def take(taking: Taking) -> None:
    """Takes likes, follows and the lists from other networks."""
    carried = Carried([], [])
    async for row in taking.lists.rows("data/rights/imported.json", ImportedRow):
        await _list(taking, row, carried)
    async for liked in taking.lists.rows("data/clips/liked.json", LikedRow):
        await _like(taking, liked, carried)
    async for followed in taking.lists.rows("data/graph/following.json", FollowingRow):
        await _follow(taking, followed, carried)
    await _keep(taking, carried)


async def _like(taking: Taking, row: LikedRow, carried: Carried) -> None:
    cell, subject = taking.cell, str(row.clip_id)
    async with cell.db.read() as tx:
        own = await imports.item(tx, taking.import_.id, "clip", subject)
    clip_id = own.made_id if own else row.clip_id if taking.is_same_cell else None
    if clip_id is None:
        address = f"{taking.manifest.cell.origin}/c/{row.clip_id}"
        _carry(carried.likes, address, row.made_at)
        await taking.note("like", subject, "carried" if own is None else "left")
        return
    try:
        async with cell.db.tx() as tx:
            if await taking.add(tx, "like", subject, "taken", clip_id):
                await cell.clips.like_again(tx, taking.person_id, clip_id, row.made_at)
    except Problem:
        # It is gone, or it is one's own and still being made.
        await taking.note("like", subject, "left")


async def _follow(taking: Taking, row: FollowingRow, carried: Carried) -> None:
    cell, subject = taking.cell, str(row.followee_id)
    async with cell.db.read() as tx:
        is_here = taking.is_same_cell and await cell.people.cards(tx, [row.followee_id])
    if not is_here:
        if row.handle is not None and not taking.is_same_cell:
            host = taking.manifest.cell.origin.split("://", 1)[-1]
            _carry(carried.follows, f"{row.handle}@{host}", row.made_at)
            await taking.note("follow", subject, "carried")
        else:
            await taking.note("follow", subject, "left")
        return
    try:
        async with cell.db.tx() as tx:
            is_private = await cell.people.hold_privacy(tx, row.followee_id)
            if await taking.add(tx, "follow", subject, "taken", row.followee_id):
                await cell.graph.follow(
                    tx,
                    taking.person_id,
                    row.followee_id,
                    is_private=is_private,
                    made_at=row.made_at,
                )
    except (CannotFollowYourself, FollowsTooMany, NoSuchPerson):
        await taking.note("follow", subject, "left")


async def _list(taking: Taking, row: ImportedRow, carried: Carried) -> None:
    """A list that had come along once before comes along again."""
    grant, cell = await taking.lending.grant(), taking.cell
    try:
        if row.kind == "carried":
            before = msgspec.json.decode(row.list, type=Carried)
            carried.follows.extend(before.follows)
            carried.likes.extend(before.likes)
            return
        given = msgspec.json.decode(row.list, type=SHAPES[row.kind])
        if isinstance(given, Favourites):
            check_links(given)
    except (msgspec.DecodeError, Invalid) as error:
        raise Unimportable("import-bad-list") from error
    async with cell.db.tx() as tx:
        await cell.imported.keep(tx, grant, row.kind, given)


async def _keep(taking: Taking, carried: Carried) -> None:
    """Keeps what is not in force here, sealed."""
    if not carried.follows and not carried.likes:
        return
    grant, cell = await taking.lending.grant(), taking.cell
    kept = Carried(_once(carried.follows), _once(carried.likes))
    async with cell.db.tx() as tx:
        await cell.imported.keep(tx, grant, "carried", kept)


def _carry(items: list[CarriedItem], what: str, made_at: datetime) -> None:
    if len(items) < MAX_CARRIED and len(what) <= 300:
        items.append(CarriedItem(what, made_at))


def _once(items: list[CarriedItem]) -> list[CarriedItem]:
    return list({item.what: item for item in items}.values())[:MAX_CARRIED]
