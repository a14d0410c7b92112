"""What the canary persons do with their rights: look, take along, bring along, leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import PERSONS, PIECE, TUS, Stage
from luciole.kit.ids import new_id

LOGGED_WITHIN_S = 20.0
EXPORTED_WITHIN_S = 90.0
IMPORTED_WITHIN_S = 120.0
ERASED_WITHIN_S = 90.0
FILE = "/api/me/exports/{export_id}/file"
IMPORT = "/api/me/imports/{import_id}"


async def run(stage: Stage) -> None:
    """In this order: whoever leaves has looked at everything and taken it along before."""
    await look(stage)
    await bring(stage)
    await say_where(stage)
    archive = await take(stage)
    await move_in(stage, archive)
    await leave(stage)


async def prove(stage: Stage, person: str) -> None:
    """Proves once more who is signed in, for what shows everything."""
    field = "person.later password" if person == "ana" else "person.password"
    body = {"password": stage.book.planted[person, field].value}
    await stage[person].ask("POST /api/sessions/current/proof", json=body)


async def look(stage: Stage) -> None:
    """What is held, and the journal with its proofs, as soon as the log has the entries."""
    for person in PERSONS:
        one = stage[person]
        await one.ask("GET /api/me/data")
        key = await one.ask("GET /api/me/label-key")
        stage.book.learn(person, "journal.label key", key.json()["label_key"])
        await one.ask("GET /api/me/journal")
        await one.ask("GET /api/me/journal/summary")

    async def is_in_log() -> bool:
        answer = await stage["ana"].ask("GET /api/me/journal/proof", expect=())
        return answer.status_code == 200

    await stage.until("the log has taken the entries", is_in_log, LOGGED_WITHIN_S)
    await stage["ana"].ask("GET /api/me/journal/{n}/receipt", n=0)


async def bring(stage: Stage) -> None:
    """Lists from another network, kept and forgotten."""
    plant = stage.book.plant
    for person in ("ana", "flo"):
        one = stage[person]
        handles = {"handles": [plant(person, "imported.handle")]}
        link = plant(person, "imported.link", "https://www.tiktok.com/@{}/video/1")
        links = {"items": [{"kind": "video", "link": link}]}
        for kind, body in (("suggestions", handles), ("favourites", links)):
            await one.ask(f"PUT /api/me/imported/{kind}", json=body)
            await one.ask(f"GET /api/me/imported/{kind}")
    for kind in ("suggestions", "favourites"):
        await stage["ana"].ask(f"DELETE /api/me/imported/{kind}")


async def say_where(stage: Stage) -> None:
    """flo says that she is here, and then that she has gone to another cell."""
    flo = stage["flo"]
    await prove(stage, "flo")
    for path in ("DELETE /api/me/moved", "DELETE /api/me/came-from"):
        await flo.ask(path)
    address = stage.book.plant("flo", "person.moved to", "https://elsewhere.example/@{}")
    await flo.ask("PUT /api/me/moved", json={"address": address})
    await flo.ask("GET /api/me/moved")
    number = str(new_id())
    former = stage.book.plant("flo", "person.came from", f"https://{{}}.example/ap/people/{number}")
    await flo.ask("PUT /api/me/came-from", json={"known_as": former})
    await flo.ask("GET /api/me/came-from")


async def take(stage: Stage) -> bytes:
    """An export each of ana and flo, in whole and in part; ana's, which is given back, is deleted
    afterwards."""
    archive = b""
    for person in ("ana", "flo"):
        one = stage[person]
        await prove(stage, person)
        made = await one.ask("POST /api/me/exports")
        export_id = str(made.json()["id"])

        async def is_ready(person: str = person, export_id: str = export_id) -> bool:
            answer = await stage[person].ask("GET /api/me/exports/{export_id}", export_id=export_id)
            return bool(answer.json()["state"] == "ready")

        await stage.until(f"the export of {person} is ready", is_ready, EXPORTED_WITHIN_S)
        await one.ask("GET /api/me/exports")
        await one.ask(f"HEAD {FILE}", export_id=export_id)
        whole = await one.ask(f"GET {FILE}", export_id=export_id)
        part = {"range": "bytes=0-999"}
        await one.ask(f"GET {FILE}", export_id=export_id, headers=part, expect=(206,))
        for other in ("dan", "visitor"):
            await stage[other].ask(f"GET {FILE}", export_id=export_id, expect=(401, 403, 404))
        if person == "ana":
            archive = whole.content
            await one.ask("DELETE /api/me/exports/{export_id}", export_id=export_id)
    return archive


async def move_in(stage: Stage, archive: bytes) -> None:
    """hal, who is ana with another account, takes her export in; the first upload is given up."""
    hal = stage["hal"]
    for is_kept in (False, True):
        begin = {**TUS, "upload-length": str(len(archive))}
        begun = await hal.ask("POST /api/me/imports", headers=begin)
        import_id = begun.headers["location"].removesuffix("/file").rsplit("/", 1)[1]
        await hal.ask(f"HEAD {IMPORT}/file", import_id=import_id, headers=TUS)
        if is_kept:
            piece = {**PIECE, "upload-offset": "0"}
            await hal.ask(
                f"PATCH {IMPORT}/file", import_id=import_id, headers=piece, content=archive
            )
            await stage.until("ana's export is in", _is_in(stage, import_id), IMPORTED_WITHIN_S)
            await hal.ask("GET /api/me/imports")
        await hal.ask(f"DELETE {IMPORT}", import_id=import_id)
    await hal.ask("GET /api/me/imported/carried")
    await hal.ask("DELETE /api/me/imported/carried")
    await hal.ask("GET /api/people/{handle}/clips", handle=stage.handle("hal"))


def _is_in(stage: Stage, import_id: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        answer = await stage["hal"].ask(f"GET {IMPORT}", import_id=import_id)
        state = str(answer.json()["state"])
        if state == "refused":
            raise Stale(f"the import was refused: {answer.json()['refusal']}")
        return state == "done"

    return ask


async def leave(stage: Stage) -> None:
    """gil changes his mind; flo goes, at once."""
    gil = stage["gil"]
    await prove(stage, "gil")
    await gil.ask("POST /api/me/erasure", json={"now": False})
    await gil.ask("GET /api/me/erasure")
    await gil.ask("DELETE /api/me/erasure")
    await prove(stage, "flo")
    asked = await stage["flo"].ask("POST /api/me/erasure", json={"now": True})
    ticket = str(asked.json()["ticket"])
    stage.book.learn("flo", "erasure.ticket", ticket)

    async def is_done() -> bool:
        answer = await _report(stage, ticket)
        return answer.status_code == 200 and bool(answer.json()["state"] in ("emptying", "erased"))

    await stage.until("flo is erased", is_done, ERASED_WITHIN_S)
    stage.gone.add("flo")
    stage["flo"].token = ""


async def _report(stage: Stage, ticket: str) -> Any:
    found: httpx.Response = await stage["visitor"].ask("GET /api/erasures/{ticket}", ticket=ticket)
    return found
