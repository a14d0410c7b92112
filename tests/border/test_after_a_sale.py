"""A cell is sold while its peer runs on: what is published under the new operator is seen there,
and nobody at the peer has touched anything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.border.test_published import PASSWORD, Working, agree, listed, person, published
from tests.unit.media import films

from luciole.border import passport
from luciole.sale import commands

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("cells"), pytest.mark.timeout(900)]
# A passport is read again a minute after a refusal; films are encoded on a busy machine.
WITHIN_S = 300.0
HOUSE = "New House SAS"


def working(folder: Path, name: str, origin: str = "") -> Working:
    return Working(name, cell_in(folder, name, origin).settings)


async def before(us: Cell, sg: Cell, film: bytes, folder: Path) -> str:
    """Ana of us is seen in sg, and people are told of the sale; gives the id of the cell."""
    await peered(us, sg)
    ana, wei = await person(us, "ana"), await person(sg, "wei")
    await agree(ana, "clip")
    clip = await published(ana, film, caption="Before the sale")
    assert (await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})).is_success
    await until(listed(wei, "/api/people/ana@us/clips"), WITHIN_S)
    note = await sg.outward("operator").look(us.origin)
    cell_id = passport.read(note).cell_id
    await commands.key(folder / "ours", cell_id, HOUSE, "FR")
    await commands.announce(us.environment(), 0, folder / "ours.pub")
    for who in (ana, wei):
        await who.aclose()
    for cell in (us, sg):
        await cell.close()
    return cell_id


async def after(house: Cell, sg: Cell, cell_id: str, film: bytes) -> None:
    """The same, under the new operator."""

    # 1. The peer finds out by itself whose key it is now, and says so in its log.
    async def taken() -> Any:
        return [
            one
            for one in await sg.entries("decisions")
            if (one["kind"], one.get("cell"), one.get("change")) == ("peer", cell_id, "handed-over")
        ]

    assert len(await until(taken, WITHIN_S)) == 1
    sql = "SELECT operator, jurisdiction, passport_code FROM border.peer WHERE name = 'us'"
    assert await sg.rows(sql) == [(HOUSE, "FR", "")]
    # 2. What people agreed to with the seller has ended; Ana agrees anew, and publishes.
    ana = httpx.AsyncClient(
        base_url=house.settings.origin, headers={"sec-fetch-site": "same-origin"}, timeout=60
    )
    body = {"handle": "ana", "password": PASSWORD}
    assert (await ana.post("/api/sessions", json=body)).status_code == 201
    clip = await published(ana, film, caption="After the sale")
    reach = {"reach": "cells"}
    refused = await ana.put(f"/api/clips/{clip['id']}/reach", json=reach)
    assert not refused.is_success, "What was said to the seller holds no more."
    await agree(ana, "clip")
    assert (await ana.put(f"/api/clips/{clip['id']}/reach", json=reach)).is_success
    # 3. It crosses.
    wei = httpx.AsyncClient(
        base_url=sg.settings.origin, headers={"sec-fetch-site": "same-origin"}, timeout=60
    )
    body = {"handle": "wei", "password": PASSWORD}
    assert (await wei.post("/api/sessions", json=body)).status_code == 201
    look = listed(wei, "/api/people/ana@us/clips")

    async def seen() -> Any:
        found = {one["caption"]: one for one in await look() or []}
        return found.get("After the sale")

    there = await until(seen, WITHIN_S)
    film_there = await wei.get(there["renditions"][0]["url"])
    (shown, *_) = (await ana.get("/api/people/ana/clips")).json()["items"]
    assert film_there.content == (await ana.get(shown["renditions"][0]["url"])).content
    for who in (ana, wei):
        await who.aclose()
    for cell in (house, sg):
        await cell.close()


def test_clip_crosses_from_the_buyer_without_a_hand_at_the_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A demonstration gives people no thirty days.
    monkeypatch.setenv("LUCIOLE_CELL_DEMO", "true")
    made = films.make(tmp_path / "tiny.mp4", size="90x160", seconds=0.4, rate=10)
    other = films.make(tmp_path / "other.mp4", size="90x160", seconds=0.6, rate=10)
    us, sg, bundle = working(tmp_path, "us"), working(tmp_path, "sg"), tmp_path / "bundle"
    with running(sg):
        with running(us):
            cell_id = asyncio.run(before(us, sg, made.read_bytes(), tmp_path))
        asyncio.run(commands.divest(us.environment(), bundle, tmp_path / "ours.pub"))
        house = working(tmp_path / "house", "us", us.origin)
        cell = replace(house.settings.cell, operator=HOUSE, jurisdiction="FR")
        house.settings = replace(house.settings, cell=cell)
        asyncio.run(commands.adopt(house.environment(), bundle, tmp_path / "ours.key", None))
        with running(house):
            asyncio.run(after(house, sg, cell_id, other.read_bytes()))
