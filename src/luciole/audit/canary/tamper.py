"""Exchanges what rows hold, as somebody with the database in their hands could, and asks the cell
for it: a sealed value opens for its own person and in its own field only."""

from __future__ import annotations

from luciole.audit.canary.scan import Finding, Place
from luciole.audit.canary.stage import Stage
from luciole.kit.db import Database

EXCHANGE_PERSONS = """
UPDATE people.contact c SET sealed = o.sealed, version = o.version
FROM people.contact o
WHERE c.kind = o.kind AND (c.person_id, o.person_id) IN (($1, $2), ($2, $1))
"""
EXCHANGE_FIELDS = """
UPDATE people.contact c SET sealed = o.sealed, version = o.version
FROM people.contact o
WHERE c.person_id = $1 AND o.person_id = $1 AND c.kind <> o.kind
"""
ASK = "GET /api/me/contacts"


async def run(stage: Stage, owner: Database) -> list[Finding]:
    """What the cell gave to whom, or as what, it does not belong. Rows are as before afterwards."""
    return [*await _persons(stage, owner), *await _fields(stage, owner)]


async def _persons(stage: Stage, owner: Database) -> list[Finding]:
    ids = stage.ids["ana"], stage.ids["cleo"]
    found: list[Finding] = []
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE_PERSONS, *ids)
    for person, other in (("ana", "cleo"), ("cleo", "ana")):
        answer = await stage[person].ask(ASK, expect=())
        for field in ("contact.email", "contact.phone"):
            if stage.book.planted[other, field].value in answer.text:
                place = Place("tampering", ASK, person, answer.status_code)
                found.append(Finding(place, field, other, "plain", "exchanged persons", 0, 1))
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE_PERSONS, *ids)
    return found


async def _fields(stage: Stage, owner: Database) -> list[Finding]:
    found: list[Finding] = []
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE_FIELDS, stage.ids["ana"])
    answer = await stage["ana"].ask(ASK, expect=())
    for item in answer.json()["items"] if answer.status_code == 200 else ():
        for kind in ("email", "phone"):
            value = stage.book.planted["ana", f"contact.{kind}"].value
            if item["value"] == value and item["kind"] != kind:
                place = Place("tampering", ASK, "ana", answer.status_code)
                found.append(
                    Finding(place, f"contact.{kind}", "ana", "plain", "exchanged fields", 0, 1)
                )
    async with owner.tx() as tx:
        await tx.execute(EXCHANGE_FIELDS, stage.ids["ana"])
    return found
