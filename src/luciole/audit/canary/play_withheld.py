"""Something of ana's is withheld, by a court and by two of the staff, and everybody reads it."""

from __future__ import annotations

import asyncio
from typing import Any

from luciole.audit.canary.cell import Cell
from luciole.audit.canary.play import PASSKEYS
from luciole.audit.canary.stage import STAFF, VISITOR, Stage

WAITING = "/api/staff/notices"
WORDS = (
    *("--in", "FR", "--law", "Article 6", "--why", "The court found it to be defamatory."),
    *("--appeal", "Court of appeal of Paris"),
)


async def run(stage: Stage, cell: Cell) -> None:
    """dan and gil are staff still."""
    await withhold(stage, cell, "court", "--person", stage.handle("ana"))
    await withhold(stage, cell, "rules", "--clip", stage.ids["open"])
    for person in ("ana", VISITOR):
        await stage[person].ask(f"GET {WAITING}", expect=(401, 403))
    for person in STAFF:
        answer = await stage[person].ask(f"GET {WAITING}")
        (asked,) = answer.json()["items"]
        options = {"rpId": "localhost", "challenge": asked["challenge"]}
        await stage[person].ask(
            f"POST {WAITING}/{{notice_id}}/signatures",
            notice_id=asked["notice"],
            json={"credential": PASSKEYS[person].get(options)},
        )
    found: list[dict[str, Any]] = (await stage[VISITOR].ask("GET /api/notices")).json()["items"]
    for one in found:
        await stage[VISITOR].ask("GET /api/notices/{notice_id}", notice_id=one["notice"])
    await stage[VISITOR].ask("GET /api/notices/report")
    await stage[VISITOR].ask("GET /api/orders")


async def withhold(stage: Stage, cell: Cell, ground: str, *subject: str) -> None:
    """At the machine, as the operator does it."""
    words = ("withhold", "add", *subject, "--ground", ground, "--by", f"A {ground}", *WORDS)
    await asyncio.to_thread(cell.command, *words)
