"""Routes of For You."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.clips.present import Presenter
from luciole.cell.clips.service import Clips
from luciole.cell.feed.explaining import Explaining
from luciole.cell.feed.foryou import ForYou
from luciole.cell.feed.model import KEPT_DAYS, MAX_HIDDEN_CHARS, MAX_SIGNALS_BYTES, HiddenKind
from luciole.cell.feed.ranking import weights
from luciole.cell.feed.shapes import (
    BudgetBody,
    ForYouPage,
    HiddenAuthor,
    HiddenBody,
    HiddenName,
    HowBody,
    ModeWish,
    RefusedSignal,
    SettingsBody,
    SignalsBody,
    TakenBody,
    WhyBody,
)
from luciole.cell.feed.signals import Reported
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.custody.model import Grant
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest, address_of

Limit = Annotated[int, QueryParameter(ge=1, le=30)]
KIND_OF: dict[HiddenName, HiddenKind] = {
    "author": "author",
    "hashtag": "hashtag",
    "sound": "sound",
    "clips": "clip",
}


def routes(
    db: Database,
    people: People,
    clips: Clips,
    for_you: ForYou,
    presenter: Presenter,
) -> Router:
    """The routes of For You over their collaborators."""
    explaining = Explaining(clips, for_you.veil)

    async def asking(request: AnyRequest) -> tuple[Viewer | None, Grant | None]:
        """Who asks, with their grant where they let the cell learn."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            learns = await for_you.learns(tx, viewer)
        return viewer, await people.grant(request) if learns else None

    async def settings_of(tx: Tx, me: Viewer) -> SettingsBody:
        found = await for_you.choices(tx, me.person_id)
        hidden = found.hidden
        authors = await people.cards(
            tx, [UUID(one.value) for one in hidden if one.kind == "author"]
        )
        profile = found.profile
        is_learning = profile is not None and profile.mode == "learning"
        return SettingsBody(
            mode="learning" if is_learning else "public",
            may_learn=not me.is_minor,
            since=profile.since if profile is not None and is_learning else None,
            keeps_days=KEPT_DAYS,
            events_kept=found.events_kept,
            hidden=HiddenBody(
                [
                    HiddenAuthor(one.handle, one.display_name)
                    for one in sorted(authors.values(), key=lambda one: one.handle)
                ],
                [one.value for one in hidden if one.kind == "hashtag"],
                [
                    presenter.sound(one)
                    for one in await clips.sounds(
                        tx, [UUID(one.value) for one in hidden if one.kind == "sound"]
                    )
                ],
                sum(one.kind == "clip" for one in hidden),
            ),
        )

    @get("/")
    async def page(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 10
    ) -> ForYouPage:
        """The next clips of a session, or, without a cursor, the first of a new one. The same
        cursor gives the same page again. Refused to a young person whose family has set so."""
        viewer, grant = await asking(request)
        await for_you.follower.caught_up()
        async with db.tx() as tx:
            if viewer is not None:
                await people.family.check_for_you(tx, viewer)
            given = await for_you.page(tx, viewer, grant, address_of(request), cursor, limit)
            cards = [card for _, card in given.cards]
            marks = await clips.marks(tx, viewer.person_id if viewer else None, cards)
        return ForYouPage(
            given.page_id,
            given.mode,
            [presenter.clip(card, viewer, marks) for card in cards],
            [slot for slot, _ in given.cards],
            given.following,
            given.resume,
        )

    @post("/signals", status_code=200, request_max_body_size=MAX_SIGNALS_BYTES)
    async def signals(request: AnyRequest, data: JSONBody[SignalsBody]) -> TakenBody:
        """Takes in what happened to clips in their slots. Sent twice, it counts once; what cannot
        be true is refused, signal by signal."""
        viewer, grant = await asking(request)
        reported = [
            Reported(one.page, one.slot, one.kind, one.ms, one.loops, one.hashtag)
            for one in data.signals
        ]
        async with db.tx() as tx:
            taken = await for_you.take(tx, viewer, grant, reported)
        return TakenBody(taken.taken, [RefusedSignal(one.at, one.code) for one in taken.refused])

    @get("/pages/{page_id:uuid}/{slot:int}/why")
    async def why(request: AnyRequest, page_id: FromPath[UUID], slot: FromPath[int]) -> WhyBody:
        """Why a clip is in its slot: all that its score is made of, and what can be done."""
        viewer, grant = await asking(request)
        async with db.read() as tx:
            found = await for_you.why(tx, viewer, grant, page_id, slot)
            return await explaining.body(tx, found, viewer)

    @get("/settings")
    async def settings(request: AnyRequest) -> SettingsBody:
        """What the person chose for their feed, and what is kept of them."""
        async with db.read() as tx:
            return await settings_of(tx, await people.require(tx, request))

    @put("/mode")
    async def mode(request: AnyRequest, data: JSONBody[ModeWish]) -> SettingsBody:
        """Lets the cell learn what the person likes, or has it forget all of that and stop."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await for_you.choose(tx, me, data.mode)
            return await settings_of(tx, me)

    @post("/reset", status_code=200)
    async def reset(request: AnyRequest) -> SettingsBody:
        """Forgets what was learnt: the feed is that of a new account."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await for_you.reset(tx, me.person_id)
            return await settings_of(tx, me)

    @delete("/hidden", status_code=200)
    async def show_again(
        request: AnyRequest,
        kind: FromQuery[HiddenName],
        value: Annotated[str, QueryParameter(max_length=MAX_HIDDEN_CHARS)] = "",
    ) -> SettingsBody:
        """Shows something again: an author by the handle, a hashtag, or all of a kind."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            if kind == "author" and value:
                value = str((await people.by_handle(tx, value)).id)
            await for_you.show_again(tx, me.person_id, KIND_OF[kind], value.casefold())
            return await settings_of(tx, me)

    @get("/weights")
    async def published() -> dict[str, Any]:
        """The one file of weights that decides the order."""
        return dict(msgspec.json.decode(weights.raw()))

    @get("/how")
    async def how() -> HowBody:
        """Where clips come from, what is predicted of them, and what new ones are promised."""
        budget = await for_you.budget()
        return HowBody(
            weights.published().version,
            explaining.sources(),
            weights.published().heads,
            BudgetBody(
                budget.new_clips_a_day,
                budget.impressions_a_day,
                budget.explore_share,
                budget.floor,
                budget.is_met,
            ),
        )

    return Router(
        "/api/feeds/for-you",
        route_handlers=[
            page,
            signals,
            why,
            settings,
            mode,
            reset,
            show_again,
            published,
            how,
        ],
        tags=["feed"],
    )
