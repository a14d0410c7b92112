"""One of the staff opens a shift at the console and looks at all of it; nobody else may."""

from __future__ import annotations

from luciole.audit.canary.play import PASSKEYS
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage

CONSOLE = "/api/staff/console"
PAGES = (
    *("overview", "people", "clips", "queue", "jobs", "storage", "keys"),
    *("policies", "ledger", "acts"),
)
NOT_FOR_THEM = (401, 403, 404)
NO_JOB = 2**40


async def run(stage: Stage) -> None:
    """dan is an operator still."""
    for person in (*PERSONS, VISITOR):
        if person != "dan":
            for page in PAGES:
                await stage[person].ask(f"GET {CONSOLE}/{page}", expect=NOT_FOR_THEM)
    dan = stage["dan"]
    asked = (await dan.ask(f"POST {CONSOLE}/shifts", json={"role": "operator"})).json()
    options = {"rpId": "localhost", "challenge": asked["challenge"]}
    await dan.ask(
        f"POST {CONSOLE}/shifts/{{shift_id}}/signature",
        shift_id=asked["id"],
        json={"credential": PASSKEYS["dan"].get(options)},
    )
    await dan.ask(f"GET {CONSOLE}/shift")
    for page in PAGES:
        await dan.ask(f"GET {CONSOLE}/{page}")
    await dan.ask(f"POST {CONSOLE}/jobs/{{job_id}}/retry", job_id=NO_JOB, expect=(409,))
    await dan.ask(f"POST {CONSOLE}/jobs/healing")
    await dan.ask(f"DELETE {CONSOLE}/shift")
