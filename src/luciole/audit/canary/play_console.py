"""One of the staff opens a shift at the console and looks at all of it; nobody else may."""

from __future__ import annotations

import asyncio

from luciole.audit.canary.cell import Cell
from luciole.audit.canary.play import PASSKEYS
from luciole.audit.canary.play_joining import asked as asks_to_join
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage
from luciole.kit.db import Database

CONSOLE = "/api/staff/console"
PAGES = (
    *("overview", "people", "joining", "clips", "queue", "jobs", "storage", "keys"),
    *("policies", "ledger", "acts"),
)
NOT_FOR_THEM = (401, 403, 404)
# A job of a version that is gone: no worker here takes it.
FORMER = """
INSERT INTO queue.pgqueuer (priority, entrypoint, status, created, updated, execute_after)
VALUES (0, 'canary.former', 'queued', now() - interval '3 hours', now() - interval '3 hours',
        now() - interval '2 hours')
RETURNING id
"""
DONE = "DELETE FROM queue.pgqueuer WHERE entrypoint = 'canary.former'"
# As if many had watched it; the one that is the least work.
WATCHED = """
UPDATE media.asset SET av1 = 'wanted' WHERE id = (
    SELECT id FROM media.asset WHERE state = 'complete'
    ORDER BY width * height * duration_ms, id LIMIT 1)
"""


async def run(stage: Stage, cell: Cell, owner: Database) -> None:
    """dan is an operator still, and lets one in. The operator loads a block list, and has a film
    made in AV1."""
    listed = cell.data.parent / "hashes.txt"
    listed.write_text(f"{0x0F0F:064x}\n")
    words = ("load", str(listed), "--name", "canary", "--version", "1")
    await asyncio.to_thread(cell.command, "blocklist", *words)
    async with owner.tx() as tx:
        await tx.execute(WATCHED)
    for person in (*PERSONS, VISITOR):
        if person != "dan":
            for page in PAGES:
                await stage[person].ask(f"GET {CONSOLE}/{page}", expect=NOT_FOR_THEM)
    dan = stage["dan"]
    await begin(stage, "dan")
    await dan.ask(f"GET {CONSOLE}/shift")
    for page in PAGES:
        await dan.ask(f"GET {CONSOLE}/{page}")
    await dan.ask(f"GET {CONSOLE}/acts/list")
    async with owner.tx() as tx:
        stuck = await tx.fetchval(FORMER)
    await dan.ask(f"POST {CONSOLE}/jobs/{{job_id}}/retry", job_id=stuck)
    async with owner.tx() as tx:
        await tx.execute(DONE)
    await dan.ask(f"POST {CONSOLE}/jobs/healing")
    await lets_in(stage, cell)
    await dan.ask(f"DELETE {CONSOLE}/shift")


async def lets_in(stage: Stage, cell: Cell) -> None:
    """The door is opened to those who ask. Two do: one is approved, one refused; an invitation is
    made and taken back."""
    dan, place = stage["dan"], f"{CONSOLE}/joining"
    await asyncio.to_thread(cell.command, "registration", "closed")
    await dan.ask(f"PUT {place}/registration", json={"mode": "approval"})
    for _ in range(2):
        await asks_to_join(stage)
    first, second = (await dan.ask(f"GET {place}")).json()["requests"]
    at = f"POST {place}/requests/{{request_id}}"
    await dan.ask(f"{at}/approval", request_id=first["id"])
    said = {"reason": "Nobody knows you."}
    await dan.ask(f"{at}/refusal", request_id=second["id"], json=said)
    note = stage.book.plant("dan", "invitation.note", "For {}")
    await dan.ask(f"POST {place}/invitations", json={"uses": 2, "note": note})
    (made,) = (await dan.ask(f"GET {place}")).json()["invited"]
    await dan.ask(f"DELETE {place}/invitations/{{invitation_id}}", invitation_id=made["id"])
    await dan.ask(f"PUT {place}/registration", json={"mode": None})


async def begin(stage: Stage, person: str) -> None:
    """One of the staff begins work at the console as an operator."""
    asked = (await stage[person].ask(f"POST {CONSOLE}/shifts", json={"role": "operator"})).json()
    options = {"rpId": "localhost", "challenge": asked["challenge"]}
    await stage[person].ask(
        f"POST {CONSOLE}/shifts/{{shift_id}}/signature",
        shift_id=asked["id"],
        json={"credential": PASSKEYS[person].get(options)},
    )
