"""Somebody asks for an account, is approved at the machine, or refused; and everybody looks
at how the cell takes people, at its terms and its imprint."""

from __future__ import annotations

import asyncio

from luciole import effort
from luciole.audit.canary.browser import Browser
from luciole.audit.canary.cell import Cell
from luciole.audit.canary.stage import VISITOR, Stage

NEWCOMER = "ivy"
STATE = "POST /api/sign-up/requests/state"


async def run(stage: Stage, cell: Cell) -> None:
    """A request under marked words, twice: one is approved and signs up, one is refused."""
    visitor = stage[VISITOR]
    await visitor.ask("GET /api/sign-up")
    await visitor.ask("GET /api/cell/terms")
    await visitor.ask("GET /api/cell/imprint")
    await asyncio.to_thread(cell.command, "registration", "approval")
    tickets = [await asked(stage), await asked(stage)]
    waiting = await asyncio.to_thread(cell.command, "people", "list")
    ids = [line.split()[0] for line in waiting.splitlines() if line.strip()]
    await asyncio.to_thread(cell.command, "people", "approve", ids[0])
    await asyncio.to_thread(cell.command, "people", "refuse", ids[1], "--why", "Nobody knows you.")
    for ticket in tickets:
        await visitor.ask(STATE, json={"ticket": ticket})
    await come_in(stage, tickets[0])
    await asyncio.to_thread(cell.command, "invite", "--uses", "3")
    await asyncio.to_thread(cell.command, "registration", "as-set")
    await agree(stage, cell)


async def come_in(stage: Stage, ticket: str) -> None:
    """Whoever was approved signs up, as one person more."""
    newcomer = Browser(stage.http, stage.book, NEWCOMER, stage.heard)
    how = (await newcomer.ask("GET /api/sign-up")).json()
    plant = stage.book.plant
    body = {
        "handle": plant(NEWCOMER, "person.handle"),
        "display_name": plant(NEWCOMER, "person.display name", "Ms {}"),
        "age_band": "18+",
        "locale": "en",
        "password": plant(NEWCOMER, "person.password", "{} heron 7"),
        "invitation": ticket,
        "terms": how["terms_version"],
    }
    stage.browsers[NEWCOMER] = newcomer
    answer = await newcomer.ask("POST /api/sign-up", json=body)
    stage.meet(NEWCOMER, answer.json(), answer)
    for code in answer.json()["recovery_codes"]:
        stage.book.learn(NEWCOMER, "recovery.code", code)


async def agree(stage: Stage, cell: Cell) -> None:
    """The terms change, and ana agrees to them as they are now."""
    cell.say_in("terms.md", "# Other terms of a cell for canaries")
    due = (await stage["ana"].ask("GET /api/me/terms")).json()["version"]
    for version, expect in (("none", (409,)), (due, (204,))):
        body = {"version": version}
        await stage["ana"].ask("POST /api/me/terms", json=body, expect=expect)


async def asked(stage: Stage) -> str:
    """The ticket of a request, for which a device has worked."""
    visitor, plant = stage[VISITOR], stage.book.plant
    body = {
        "name": plant(VISITOR, "request.name", "Ms {}"),
        "words": plant(VISITOR, "request.words", "I am {}."),
        "work": await worked(stage, VISITOR),
    }
    ticket = str((await visitor.ask("POST /api/sign-up/requests", json=body)).json()["ticket"])
    stage.book.learn(VISITOR, "request.ticket", ticket)
    return ticket


async def worked(stage: Stage, person: str) -> dict[str, str] | None:
    """What a device of this person has done before it asks for an account."""
    work = await stage[person].ask("POST /api/sign-up/work", json={})
    return effort.answered(work.json())
