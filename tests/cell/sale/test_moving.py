"""A person moves from one home cell to another, by the commands that people type."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.cell.abroad.agreeing import agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.test_leaving import send
from tests.cell.house import PASSWORD, Browser, House, refused
from tests.cell.rights.log import Log
from tests.cell.rights.test_me import Bridge
from tests.cell.vault import Vault

from luciole.border import wire
from luciole.cell.people import model, refusals
from luciole.kit import migrate
from luciole.kit.db import Database
from luciole.me import moving
from luciole.me.client import Client

HERE, THERE = "http://localhost:8080", "http://localhost:8090"


@contextlib.asynccontextmanager
async def another_cell(elsewhere: str, tmp_path: Path) -> AsyncIterator[House]:
    """Another cell, with keys and a database of its own."""
    await migrate.apply(elsewhere)
    custody = await Database.open(elsewhere, role="luciole_custody_process", size=2)
    db = await Database.open(elsewhere, role="luciole_api", size=4)
    vault = Vault.at(tmp_path, custody)
    settings = House.at(db, vault, tmp_path / "other").settings
    # Both cells are at one port in this test; to other cells they are not.
    border = msgspec.structs.replace(settings.border, origin=THERE)
    house = House(db, msgspec.structs.replace(settings, border=border), vault)
    yield house
    await house.close()
    await db.close()
    await custody.close()
    house.vault.store.close()


def client(house: House, address: str, handle: str) -> Client:
    visitor = house.visitor()
    visitor.headers["host"] = httpx.URL(HERE).netloc.decode()
    return Client(address, handle, None, ask=lambda _: PASSWORD, transport=At(visitor, address))


class At(Bridge):
    """A cell at another port; the application in the test knows one only."""

    def __init__(self, browser: Browser, address: str) -> None:
        super().__init__(browser)
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(port=8080)
        request.headers["host"] = "localhost:8080"
        return super().handle_request(request)


async def moved(house: House, other: House, file: Path) -> int:
    loop = asyncio.get_running_loop()

    def work(_seconds: float) -> None:
        for each in (house, other):
            asyncio.run_coroutine_threadsafe(each.work(), loop).result(60)

    old, new = client(house, HERE, "ana"), client(other, THERE, "ana.again")
    try:
        return await asyncio.to_thread(moving.move, old, new, file, sign_up=True, sleep=work)
    finally:
        await asyncio.to_thread(old.close)
        await asyncio.to_thread(new.close)


async def test_account_moves_and_the_old_one_says_where(
    house: House, log: Log, elsewhere: str, tiny_film: bytes, tmp_path: Path
) -> None:
    ana = await house.person("ana")
    await ana.clip(house, tiny_film, caption="from the old cell")
    await ana.patch("/api/me", json={"bio": "I travel."})
    address, file = f"{THERE}/@ana.again", tmp_path / "export.zip"
    async with another_cell(elsewhere, tmp_path) as other:
        assert await moved(house, other, file) == 0
        profile = (await house.visitor().get("/api/people/ana")).json()
        assert profile["moved_to"] == address
        there = other.visitor()
        body = {"handle": "ana.again", "password": PASSWORD}
        assert (await there.post("/api/sessions", json=body)).status_code == 201
        found = (await there.get("/api/people/ana.again")).json()
        assert (found["bio"], found["clips"], found["moved_to"]) == ("I travel.", 1, None)
        items = (await there.get("/api/people/ana.again/clips")).json()["items"]
        assert [one["caption"] for one in items] == ["from the old cell"]
        # Both logs have an entry of it.
        here = (await ana.get("/api/me/journal")).json()["items"]
        told = [(one["kind"], one["note"]) for one in here if one["purpose"] == "move"]
        assert told == [("crossing", address)]
        entries = (await there.get("/api/me/journal")).json()["items"]
        assert "import" in {one["kind"] for one in entries}
        # Once more makes nothing twice.
        assert await moved(house, other, file) == 0
        assert (await there.get("/api/people/ana.again")).json()["clips"] == 1
    # And it can be taken back.
    assert (await ana.get("/api/me/moved")).json()["address"] == address
    assert (await ana.delete("/api/me/moved")).status_code == 204
    assert (await house.visitor().get("/api/people/ana")).json()["moved_to"] is None


async def test_cells_that_know_them_are_told_by_both(
    house: House, pools: tuple[Database, Database], elsewhere: str, tiny_film: bytes, tmp_path: Path
) -> None:
    sg = Peer(pools[0], house)
    await sg.begin()
    ana = await house.person("ana")
    await agree(ana)
    await send(house, ana, tiny_film)
    person, _ = await sg.takes()
    assert isinstance(person, wire.Person)
    async with another_cell(elsewhere, tmp_path) as other:
        assert await moved(house, other, tmp_path / "export.zip") == 0
        sql = "SELECT side, uri, cells, is_shown FROM abroad.move"
        (came,) = await other.rows(sql)
        assert tuple(came) == ("came", person.uri, ["sg"], True)
        (persona,) = await other.rows("SELECT id FROM abroad.persona")
    (left,) = await house.rows(sql)
    there = f"{THERE}/ap/people/{persona['id']}"
    assert tuple(left) == ("left", there, [], True)
    (word,) = await sg.takes()
    assert isinstance(word, wire.Move)
    assert (word.uri, word.to, word.who) == (person.uri, there, None)


async def test_address_of_a_move_is_one_of_another_cell(house: House) -> None:
    ana = await house.person("ana")
    for bad in ("", "https://cell.example", f"{HERE}/@ana", "javascript:alert(1)//@ana", None):
        answer = await ana.put("/api/me/moved", json={"address": bad})
        refused(answer, 400, "bad-move")
    right = await ana.put("/api/me/moved", json={"address": " https://cell.example/@Ana "})
    assert right.json()["address"] == "https://cell.example/@ana"
    refused(await house.visitor().get("/api/me/moved"), 401, "not-signed-in")
    with pytest.raises(refusals.BadMove):
        model.move_of("http://cell.example/@ana", "https://ours.example")
    house.clock.advance(timedelta(hours=2))
    answer = await ana.put("/api/me/moved", json={"address": "https://cell.example/@ana"})
    refused(answer, 403, "proof-needed")
