"""What an operator withholds by an order, and the orders of governments, at the machine.

Each act and its entry in the log `decisions` are one transaction: what is withheld without a word
does not exist.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
from datetime import UTC, date, datetime
from uuid import UUID

from luciole import config, reach
from luciole.cell.notices import model, store
from luciole.cell.notices.service import Notices
from luciole.cell.notify.service import Notify
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.cursor import Cursors
from luciole.kit.db import Database, Tx
from luciole.kit.ids import LAST_ID
from luciole.kit.queue import Queue


def command(chosen: argparse.Namespace) -> int:
    """`luciole withhold …` and `luciole orders …`. Raises what they are refused for."""
    settings = config.load(dict(os.environ))
    for line in asyncio.run(done(settings, chosen, Clock())):
        say(line)
    return 0


async def done(settings: Settings, chosen: argparse.Namespace, clock: Clock) -> list[str]:
    """Does it, and gives lines for the console."""
    cursors = Cursors(secrets.token_bytes(32))
    notices = Notices(Notify(cursors, clock, Queue()), cursors, clock, settings.origin)
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, role="luciole_notices", size=1)
        try:
            async with database.tx() as tx:
                if chosen.what == "orders":
                    return await _orders(notices, tx, chosen, clock)
                return await _withhold(notices, tx, chosen, settings)
        finally:
            await database.close()


async def _withhold(
    notices: Notices, tx: Tx, chosen: argparse.Namespace, settings: Settings
) -> list[str]:
    if chosen.act == "list":
        waiting = await notices.waiting(tx)
        held = [one for one in await store.notices(tx, LAST_ID, 100) if one.state == "in-force"]
        return [_line(one) for one in (*waiting, *held)] or ["Nothing is withheld."]
    if chosen.act == "lift":
        notice_id = _id(chosen.id, model.NoSuchNotice)
        await notices.lift(tx, notice_id, chosen.why)
        return [f"Notice {notice_id} has ended; in a minute its person is told."]
    subject = await notices.find(tx, *_subject(chosen))
    wish = model.Wish(
        countries=tuple(chosen.countries.split(",")),
        ground=chosen.ground,
        ordered_by=chosen.by,
        law=chosen.law,
        reason=chosen.why,
        appeal=chosen.appeal,
        until=_midnight(chosen.until, model.BadNotice) if chosen.until else None,
        is_named=not chosen.unnamed,
        request_id=_id(chosen.order, model.NoSuchOrder) if chosen.order else None,
        authority_country=chosen.country.upper(),
    )
    notice = await notices.withhold(tx, subject, wish)
    if notice.state == "waiting":
        return [
            f"Notice {notice.id} waits for two of the staff. They sign it with their passkeys: "
            "docs/howto/withhold-by-order.md.",
        ]
    return [
        f"{subject.said} is withheld in {_where(notice)} from now on.",
        f"The notice: {settings.origin}/notices/{notice.id}",
        f"The order counts as {notice.request_id}; whoever is withheld is told in a minute.",
    ]


async def _orders(notices: Notices, tx: Tx, chosen: argparse.Namespace, clock: Clock) -> list[str]:
    if chosen.act == "list":
        found = await notices.orders(tx)
        return [_order_line(one) for one in found] or ["No authority has ordered anything."]
    if chosen.act == "settle":
        order_id = _id(chosen.id, model.NoSuchOrder)
        settled = await notices.settle_order(tx, order_id, chosen.outcome)
        later = "" if settled.is_told else f"; public on {settled.gag_until}"
        return [f"Order {order_id}: {chosen.outcome}{later}."]
    received = _day(chosen.received) if chosen.received else clock.now().date()
    order = await notices.add_order(
        tx,
        authority=chosen.by,
        country=chosen.country.upper(),
        law=chosen.law,
        asks_for=chosen.asks_for,
        persons=chosen.persons,
        received_on=received,
        gag_until=_day(chosen.gag_until) if chosen.gag_until else None,
    )
    told = "in full" if order.is_told else f"as a commitment, and in full on {order.gag_until}"
    return [f"Order {order.id} is in the log, {told}."]


def _subject(chosen: argparse.Namespace) -> tuple[model.What, str]:
    if chosen.clip:
        return "clip", chosen.clip
    if chosen.person:
        return "person", chosen.person
    return "cell", chosen.cell or ""


def _line(notice: model.Notice) -> str:
    until = f" until {notice.until:%Y-%m-%d}" if notice.until else ""
    signed = f", {len(notice.staff)} of 2 signed" if notice.state == "waiting" else ""
    about = notice.said or "somebody who is gone"
    return f"{notice.id}  {notice.state}{signed}  {about} in {_where(notice)}{until}"


def _order_line(one: model.Request) -> str:
    gag = "" if one.is_told else f"  under a gag until {one.gag_until}"
    who = f"{one.authority} ({one.country})"
    return f"{one.id}  {one.received_on}  {who}  {one.asks_for}  {one.outcome}{gag}"


def _where(notice: model.Notice) -> str:
    return "every country" if "*" in notice.countries else ", ".join(notice.countries)


def _id(text: str, refused: type[Exception]) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise refused from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise model.BadOrder from None


def _midnight(text: str, refused: type[Exception]) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise refused from None
