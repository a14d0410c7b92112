"""dan lets a clip go to another cell, reads what came of it, and calls all of it back.

The other cell is a row: what is offered to it is what would cross, and is looked at like everything
else that the cell holds. Nothing leaves, since nobody answers there.
"""

from __future__ import annotations

from luciole.audit.canary import things
from luciole.audit.canary.stage import Stage
from luciole.kit.db import Database
from luciole.kit.ids import new_id

ADD = """
INSERT INTO border.peer (name, cell_id, origin, passport, display_name, operator, jurisdiction,
                         border_key, log_keys, witness_keys)
VALUES ('away', $1, 'http://127.0.0.1:9', '{}', 'Away', 'Somebody', 'SG', $2, '{}', '{}')
"""
TAKE = "DELETE FROM border.offer WHERE peer = 'away' RETURNING id, ref, kind"
NEWS = """
INSERT INTO border.news (crossing, ref, kind, peer, state, receipt)
VALUES ($1, $2, $3, 'away', 'sent', 'received')
"""
NOTIFY = "SELECT pg_notify('luciole_news', '')"
DROP = "DELETE FROM border.peer WHERE name = 'away'"
ABROAD = "/api/me/abroad"
REACH = "/api/clips/{clip_id}/reach"
# A film is made for all devices first, which takes a while.
WITHIN_S = 120.0


async def run(stage: Stage, owner: Database) -> None:
    async with owner.tx() as tx:
        await tx.execute(ADD, new_id(), bytes(32))
    dan = stage["dan"]
    film = things.film(stage.folder / "film.mp4", stage.book, "dan")
    clip_id = await stage.clip("dan", film, audience="everyone")
    await dan.ask(f"GET {ABROAD}")
    shown = await dan.ask(f"GET {ABROAD}/sheets/{{act}}", act="clip")
    said = {"sha256": shown.json()["sha256"], "locale": "en"}
    await dan.ask(f"PUT {ABROAD}/consents/{{act}}", act="clip", json=said)
    await dan.ask(f"PUT {REACH}", clip_id=clip_id, json={"reach": "cells"})
    await dan.ask(f"GET {REACH}", clip_id=clip_id)
    made = await dan.ask(
        "POST /api/clips/{clip_id}/comments", clip_id=clip_id, json={"text": "Stays here."}
    )
    stays = {"crosses": False}
    await dan.ask("PUT /api/comments/{comment_id}/reach", comment_id=made.json()["id"], json=stays)
    crossing = await _taken(stage, owner)
    await dan.ask("GET /api/me/crossings/{crossing_id}/receipt", crossing_id=crossing)
    await dan.ask("DELETE /api/me/crossings/{crossing_id}", crossing_id=crossing)
    await dan.ask(f"DELETE {ABROAD}/consents/{{act}}", act="clip")
    await _taken(stage, owner)
    await dan.ask("DELETE /api/clips/{clip_id}", clip_id=clip_id)
    async with owner.tx() as tx:
        await tx.execute(DROP)


async def _taken(stage: Stage, owner: Database) -> str:
    """Plays the other cell: takes what waits, and signs that it did; gives the newest crossing."""
    newest = {"id": ""}

    async def is_there() -> bool:
        async with owner.tx() as tx:
            for row in await tx.fetch(TAKE):
                await tx.execute(NEWS, row["id"], row["ref"], row["kind"])
            await tx.execute(NOTIFY)
        found = (await stage["dan"].ask("GET /api/me/crossings")).json()["items"]
        if found and found[0]["has_receipt"] and all(one["state"] != "offered" for one in found):
            newest["id"] = found[0]["id"]
        return bool(newest["id"]) and found[0]["kind"] != "person"

    await stage.until("what crossed has a receipt", is_there, WITHIN_S)
    return newest["id"]
