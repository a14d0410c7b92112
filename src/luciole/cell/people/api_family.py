"""Routes of families: pairing, limits, and what a guardian sees. Settings and time, no content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from luciole.cell.people import model
from luciole.cell.people.family import model as families
from luciole.cell.people.family import shapes
from luciole.cell.people.family.model import Change, Day, FamilyLimits, Own, Pairing
from luciole.cell.people.family.service import Apart
from luciole.cell.people.model import AgeBand, Person, Viewer
from luciole.cell.people.service import People
from luciole.cell.people.shapes import Nothing
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

# Who may write to a person of this age band, by what they chose: messages know, which are above.
WhoWrites = Callable[[Tx, UUID, AgeBand], Awaitable[shapes.WhoWrites]]


def routes(db: Database, people: People, apart: Apart, who_writes: WhoWrites) -> Router:
    """The routes of families over their collaborators."""
    family = people.family

    def pairing_of(
        me: Viewer, found: Pairing, cards: dict[UUID, Person], standing: Sequence[Change]
    ) -> shapes.PairingBody:
        card, side = cards[found.other(me.person_id)], found.side(me.person_id)
        agreed = found.guardian_agreed_at is not None, found.teen_agreed_at is not None
        mine, theirs = agreed if side == "guardian" else agreed[::-1]
        limits = {one.state: one.limits for one in standing if one.pairing_id == found.id}
        return shapes.PairingBody(
            found.id,
            shapes.FamilyMember(card.handle, card.display_name, model.avatar_url(card.avatar_key)),
            "teen" if side == "guardian" else "guardian",
            families.sets_at_once(found.teen_band),
            families.ends_alone(found.teen_band),
            mine,
            theirs,
            found.paired_at,
            found.expires_at,
            found.ends_at,
            limits.get("in-force"),
            limits.get("proposed"),
        )

    async def one_of(tx: Tx, me: Viewer, found: Pairing) -> shapes.PairingBody:
        cards = await people.cards(tx, [found.other(me.person_id)])
        return pairing_of(me, found, cards, await family.standing(tx, [found]))

    async def changes_of(tx: Tx, found: Sequence[Pairing]) -> list[shapes.LimitsChange]:
        cards = await people.cards(tx, [one.guardian_id for one in found])
        by = {one.id: cards[one.guardian_id].handle for one in found if one.guardian_id in cards}
        return [
            shapes.change_of(one, by[one.pairing_id]) for one in await family.changes(tx, found)
        ]

    async def family_of(tx: Tx, me: Viewer) -> shapes.FamilyBody:
        found = await family.of(tx, me.person_id)
        cards = await people.cards(tx, [one.other(me.person_id) for one in found])
        cards |= await people.cards(tx, [me.person_id])
        standing = await family.standing(tx, found)
        is_held = me.is_minor and any(one.paired_at is not None for one in found)
        return shapes.FamilyBody(
            "teen" if me.is_minor else "guardian",
            [pairing_of(me, one, cards, standing) for one in found],
            shapes.held_of(await family.held(tx, me.person_id)) if is_held else None,
            await changes_of(tx, found),
        )

    async def close(tx: Tx, teen_id: UUID, limits: FamilyLimits) -> None:
        """Where the account is to stay private from now on, it is so from now on."""
        if limits.keeps_private:
            await people.change_profile(tx, teen_id, is_private=True)

    @get("/")
    async def mine(request: AnyRequest) -> shapes.FamilyBody:
        """Who is paired with this account or about to be, what holds, and who set it."""
        async with db.read() as tx:
            return await family_of(tx, await people.require(tx, request))

    @post("/codes")
    async def show(request: AnyRequest, data: JSONBody[Nothing]) -> shapes.FamilyCode:
        """A code for the other one to enter, good for ten minutes and once; it replaces the former
        one."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            code, until = await family.show_code(tx, me.person_id)
        return shapes.FamilyCode(code, until)

    @post("/claims")
    async def enter(
        request: AnyRequest, data: JSONBody[shapes.EnteredFamilyCode]
    ) -> shapes.PairingBody:
        """Enters the code that the other one shows: a pairing that both have yet to confirm. Six
        codes an hour may be tried."""
        # Apart from the transaction that a wrong code ends: what was tried counts, once.
        async with db.tx() as tx:
            me = await people.require(tx, request)
        async with db.tx() as tx:
            return await one_of(tx, me, await family.enter(tx, me, data.code, apart))

    @post("/pairings/{pairing_id:uuid}/confirm", status_code=200)
    async def confirm(
        request: AnyRequest, pairing_id: FromPath[UUID], data: JSONBody[Nothing]
    ) -> shapes.PairingBody:
        """Says yes; when both have, they are paired. A young person whose pairing is about to end
        keeps it by this."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return await one_of(tx, me, await family.confirm(tx, me, pairing_id, apart))

    @put("/pairings/{pairing_id:uuid}/limits")
    async def limit(
        request: AnyRequest, pairing_id: FromPath[UUID], data: JSONBody[shapes.LimitsWish]
    ) -> shapes.PairingBody:
        """Sets limits of a young person below 16, or proposes them later. They are told."""
        wished = FamilyLimits(
            data.daily_min, data.sleep_from, data.sleep_to, data.keeps_private, data.for_you_off
        )
        async with db.tx() as tx:
            me = await people.require(tx, request)
            change = await family.set_limits(tx, me, pairing_id, wished)
            found = await family.paired_with(tx, me, pairing_id)
            if change.state == "in-force":
                await close(tx, found.teen_id, change.limits)
            return await one_of(tx, me, found)

    @put("/pairings/{pairing_id:uuid}/answer")
    async def answer(
        request: AnyRequest, pairing_id: FromPath[UUID], data: JSONBody[shapes.ProposalAnswer]
    ) -> shapes.FamilyBody:
        """A young person's yes or no to what their guardian proposes."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            change = await family.answer(tx, me, pairing_id, yes=data.accept)
            if change is not None:
                await close(tx, me.person_id, change.limits)
            return await family_of(tx, me)

    @get("/pairings/{pairing_id:uuid}/seen")
    async def seen(request: AnyRequest, pairing_id: FromPath[UUID]) -> shapes.SeenBody:
        """What a guardian sees: protective settings, and minutes a day of the last 14 days. The
        look stands in the young person's journal, by the pairing and so by whose it is."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            found = await family.paired_with(tx, me, pairing_id)
            sealed = await family.reports(tx, found)
            if sealed:
                await family.note_look(tx, found)
        reports = await family.opened(found, sealed)
        async with db.read() as tx:
            # Once more: it may have ended while the minutes were opened.
            me = await people.require(tx, request)
            found = await family.paired_with(tx, me, pairing_id)
            card = (await people.cards(tx, [found.teen_id]))[found.teen_id]
            own = reports[0].own if reports else None
            return shapes.SeenBody(
                await one_of(tx, me, found),
                found.teen_band,
                shapes.TeenProtections(
                    card.is_private,
                    await who_writes(tx, found.teen_id, found.teen_band),
                    for_you_learns=False,
                    quiet_nights=True,
                ),
                shapes.OwnLimits(own.limit_min, own.quiet_from, own.quiet_to) if own else None,
                [shapes.FamilyDay(one.day, one.minutes) for one in family.summed(reports)],
                sealed[0].reported_at if sealed else None,
                await changes_of(tx, [found]),
            )

    @delete("/pairings/{pairing_id:uuid}", status_code=200)
    async def end(request: AnyRequest, pairing_id: FromPath[UUID]) -> shapes.PairingEnd:
        """Ends a pairing, or says no to one that waits. Below 16 a young person's wish ends it a
        day later, and the guardian is told now."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return shapes.PairingEnd(await family.end(tx, me, pairing_id))

    @put("/time", status_code=204)
    async def report(request: AnyRequest, data: JSONBody[shapes.TimeReport]) -> None:
        """Minutes a day as this device has counted them, in place of what it reported before;
        sealed with the person's key. Only while a family is paired."""
        own = Own(data.own.limit_min, data.own.quiet_from, data.own.quiet_to)
        days = [Day(one.day, one.minutes) for one in data.days]
        grant = await people.grant(request)
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await family.report(tx, grant, me, days, own, data.offset_minutes)

    return Router(
        "/api/me/family",
        route_handlers=[mine, show, enter, confirm, limit, answer, seen, end, report],
        tags=["people"],
    )
