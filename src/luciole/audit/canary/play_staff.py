"""Two of the staff read somebody's address, as the rules have it; and strangers read the logs."""

from __future__ import annotations

import asyncio
from typing import Any

from luciole.audit.canary import play_console, play_safety, play_withheld
from luciole.audit.canary.browser import Stale
from luciole.audit.canary.cell import Cell
from luciole.audit.canary.play import PASSKEYS, new_passkey
from luciole.audit.canary.stage import STAFF, VISITOR, Stage

LOGS = ("access", "decisions", "border")
READS = "/api/staff/reads"
TILE_ENTRIES = 256


async def run(stage: Stage, cell: Cell) -> None:
    """Staff first, so that the logs hold what they did."""
    await read(stage, cell)
    await logs(stage)


async def read(stage: Stage, cell: Cell) -> None:
    """dan and gil are staff. dan asks for ana's address, and for what she reported; both sign."""
    begun = await stage["gil"].ask("POST /api/me/passkeys/options", json={})
    made = new_passkey(stage, "gil", begun.json())
    await stage["gil"].ask("POST /api/me/passkeys", json=made)
    for person in STAFF:
        await asyncio.to_thread(cell.command, "staff", "add", stage.handle(person))
        # A session alone, by password or by passkey, opens nothing of the staff's.
        await stage[person].ask(f"GET {READS}", expect=(403,))
        await play_console.begin(stage, person)
    contacts = await approved(stage, "abuse-report", "contact.email", "contact.phone")
    await look(stage, "contacts", contacts)
    await stage["dan"].ask("GET /api/staff/message-reports")
    for person in ("ana", VISITOR):
        await stage[person].ask("GET /api/staff/message-reports", expect=(401, 403))
    await look(stage, "message-reports", await approved(stage, "message-report", "messages.report"))
    await play_withheld.run(stage, cell)
    await play_safety.run(stage, cell)
    await asyncio.to_thread(cell.command, "staff", "remove", stage.handle("gil"))


async def approved(stage: Stage, purpose: str, *columns: str) -> str:
    """The id of a request about ana that dan has made and two have signed."""
    asked = await stage["dan"].ask(
        f"POST {READS}",
        json={
            "handle": stage.handle("ana"),
            "purpose": purpose,
            "columns": list(columns),
            "minutes": 30,
            "reason": stage.book.plant("ana", "staff.reason", "Report 4711 says {}."),
        },
    )
    told: dict[str, Any] = asked.json()
    for person in STAFF:
        await stage[person].ask(f"GET {READS}")
        options = {"rpId": "localhost", "challenge": told["challenge"]}
        await stage[person].ask(
            f"POST {READS}/{{read_id}}/approvals",
            read_id=told["id"],
            json={"credential": PASSKEYS[person].get(options)},
        )
    return str(told["id"])


async def look(stage: Stage, what: str, read_id: str) -> None:
    """Who asked reads; nobody else does."""
    operation = f"POST {READS}/{{read_id}}/{what}"
    await stage["dan"].ask(operation, read_id=read_id)
    for person in ("ana", "gil", VISITOR):
        await stage[person].ask(operation, read_id=read_id, expect=(401, 403))


async def logs(stage: Stage) -> None:
    """A stranger reads every entry of every log, as a witness does."""
    one = stage[VISITOR]
    await one.ask("GET /ledger/policy")
    for log in LOGS:
        head = await one.ask(f"GET /ledger/{log}/checkpoint", expect=(200, 404))
        if head.status_code == 404:
            raise Stale(f"the log {log} has published nothing")
        size = int(head.text.splitlines()[1])
        for index in range(-(-size // TILE_ENTRIES)):
            width = min(TILE_ENTRIES, size - index * TILE_ENTRIES)
            path = f"{index:03}" + (f".p/{width}" if width < TILE_ENTRIES else "")
            for kind in ("0", "entries"):
                await one.ask(f"GET /ledger/{log}/tile/{kind}/{path}")
        garbage = stage.book.plant(VISITOR, "refused.body")
        await one.ask(f"POST /ledger/{log}/cosignature", content=garbage.encode(), expect=())
