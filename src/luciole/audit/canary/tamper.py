"""Exchanges what two persons' rows hold, as somebody with the database in their hands could, and
asks the cell for it: a sealed value opens in its own place only."""

from __future__ import annotations

from luciole.audit.canary.scan import Finding, Place
from luciole.audit.canary.stage import Stage
from luciole.kit.db import Database

EXCHANGE = """
UPDATE people.contact c SET sealed = o.sealed, version = o.version
FROM people.contact o
WHERE c.kind = o.kind AND (c.person_id, o.person_id) IN (($1, $2), ($2, $1))
"""


async def run(stage: Stage, owner: Database) -> list[Finding]:
    """What the cell gave to whom it does not belong. Rows are as before afterwards."""
    ids = stage.ids["ana"], stage.ids["cleo"]
    found: list[Finding] = []
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE, *ids)
    for person, other in (("ana", "cleo"), ("cleo", "ana")):
        answer = await stage[person].ask("GET /api/me/contacts", expect=())
        for field in ("contact.email", "contact.phone"):
            mark = stage.book.planted[other, field]
            if mark.value in answer.text:
                place = Place("tampering", "GET /api/me/contacts", person, answer.status_code)
                found.append(Finding(place, field, other, "plain", "exchanged rows", 0, 1))
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE, *ids)
    return found
