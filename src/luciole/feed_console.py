"""For You as its operator looks into it, at the machine: a page computed anew, the budget of new
clips, the state built anew from its newest snapshot and the log."""

from __future__ import annotations

import time
from typing import Literal
from uuid import UUID

import msgspec

from luciole import reach
from luciole.cell.feed import replaying
from luciole.cell.feed.follower import Follower
from luciole.cell.feed.model import Page
from luciole.cell.feed.ranker import published
from luciole.cell.feed.store import pages
from luciole.cell.feed.veil import Veil
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.errors import Conflict, Invalid, NotFound
from luciole.roots.choose import open_secret

Act = Literal["replay", "budget", "rebuild"]


class NoPageNamed(Invalid):
    code = "no-page-named"
    sentence = "No page was named."
    next_step = "Give the id that the API gave with the page: ./luciole feed replay ID."


class NoSuchPage(NotFound):
    code = "no-such-page"
    sentence = "There is no such page; pages are kept for a day."
    next_step = "Look for one of today."


class PageSealed(Conflict):
    code = "page-sealed"
    sentence = "This page is of somebody who lets the cell learn, and sealed with their key."
    next_step = "Nobody but them can have it opened; choose a page without a profile."


class CannotReplay(Conflict):
    code = "cannot-replay"
    sentence = "This page was made with other weights, or what is kept of it is damaged."
    next_step = "Replay it with the version that made it; if that is this one, ask who may write."


class Found(msgspec.Struct, frozen=True):
    """Lines for the console, and whether all is as it should be."""

    lines: list[str]
    is_well: bool = True


async def look(settings: Settings, act: Act, page_id: UUID | None, clock: Clock) -> Found:
    """Looks. Raises NoCell, NoPageNamed, NoSuchPage, PageSealed, CannotReplay."""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, role="luciole_feed", size=2)
        try:
            if act == "replay":
                return await replay(database, page_id)
            secret = open_secret(**settings.key_place)
            if secret is None:
                raise reach.NoCell
            return await _state(database, act, clock, Veil(secret.derived("feed")))
        finally:
            await database.close()


async def replay(database: Database, page_id: UUID | None) -> Found:
    """Computes a page anew. Raises NoPageNamed, NoSuchPage, PageSealed, CannotReplay."""
    if page_id is None:
        raise NoPageNamed
    async with database.read() as tx:
        page = await pages.page_by_id(tx, page_id)
        is_sealed = await pages.is_sealed(tx, page_id)
    if page is None:
        raise NoSuchPage
    if is_sealed:
        raise PageSealed
    return _replayed(page)


def _replayed(page: Page) -> Found:
    try:
        found = replaying.replay(page, published())
    except (ValueError, msgspec.DecodeError) as error:
        raise CannotReplay from error
    lines = [f"page {page.id}, weights {page.weights_version}, seed {page.seed}"]
    for number, slot in enumerate(found.given):
        anew = found.anew[number] if number < len(found.anew) else None
        score = sum(part.adds for part in slot.parts)
        lines.append(
            f"{number:3} {slot.clip} {slot.source.name.lower():12} score {score:+.4f} "
            f"chance {slot.propensity:.6f} {'same' if slot == anew else 'NOT THE SAME'}"
        )
    lines.append("The page follows from its inputs." if found.is_same else "It does not follow.")
    return Found(lines, found.is_same)


async def _state(database: Database, act: Act, clock: Clock, veil: Veil) -> Found:
    began = time.perf_counter()
    state = await Follower(database, clock, veil).caught_up()
    mark = await state.mark()
    seconds = time.perf_counter() - began
    if act == "rebuild":
        return Found(
            [
                f"{state.clips} clips, {state.events} events, up to {mark.xid}/{mark.seq}",
                f"digest {await state.digest()}",
                f"built in {seconds:.2f} s",
            ]
        )
    budget = await state.budget(clock.now().timestamp())
    room = int(budget.explore_share * budget.impressions_a_day)
    return Found(
        [
            f"new clips in the last 24 hours: {budget.new_clips_a_day}",
            f"impressions in the last 24 hours: {budget.impressions_a_day}",
            f"of these for exploring, at most: {room} ({budget.explore_share:.0%})",
            f"promised to each new clip: {budget.floor} impressions "
            f"(wanted: {budget.floor_wanted})",
            "The budget is met." if budget.is_met else "The budget is NOT met.",
        ],
        budget.is_met,
    )
