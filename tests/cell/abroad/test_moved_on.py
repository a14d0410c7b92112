"""Old addresses of who moved: visitors are sent on where both cells have said it, and else not."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.cell.abroad.conftest import agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.test_leaving import send
from tests.cell.abroad.test_moving import DAY
from tests.cell.house import Browser, House
from tests.cell.notices.court import withhold

from luciole.border import wire
from luciole.cell.abroad.moving.service import is_page_of
from luciole.kit.db import Database

PAGE = "https://eu.example/@ana.eu"


@pytest_asyncio.fixture(loop_scope="session")
async def eu(pools: tuple[Database, Database], house: House) -> Peer:
    made = Peer(pools[0], house, "eu", "Luciole Europe", "FR")
    await made.begin()
    return made


async def leaves(ana: Browser, eu: Peer, **fields: Any) -> wire.Move:
    """What the new cell has to say, after ana has said it here."""
    there = eu.uri("people", "ana")
    body = {"address": PAGE, "known_as": there, **fields}
    answer = await ana.put("/api/me/moved", json=body)
    assert answer.status_code == 200, answer.text
    return wire.Move(answer.json()["known_as"], there, DAY, wire.Newcomer("ana.eu", "Ana"))


@pytest_asyncio.fixture(loop_scope="session")
async def known(house: House, ana: Browser, eu: Peer, tiny_film: bytes) -> Browser:
    """Ana, whom the other cell knows by a clip of hers."""
    await agree(ana)
    await send(house, ana, tiny_film)
    await eu.takes()
    return ana


async def leads(house: House, path: str = "/@ana") -> str | None:
    answer = await house.visitor().get(path)
    assert answer.status_code == 308 or "location" not in answer.headers
    return answer.headers.get("location")


async def test_visitors_are_sent_on_when_both_cells_have_said_it(
    house: House, known: Browser, ben: Browser, eu: Peer
) -> None:
    word = await leaves(known, eu)
    assert await leads(house) is None
    await eu.says(word)
    for path in ("/@ana", "/@ANA", "/@ana/reposts", "/@ana/followers"):
        assert await leads(house, path) == PAGE
    answer = await house.visitor().get("/@ana")
    assert answer.headers["cache-control"] == "no-store"
    # Who has an account here, she among them, sees what is here, with the address.
    for one in (known, ben):
        assert "location" not in (await one.get("/@ana")).headers
    assert (await ben.get("/api/people/ana")).json()["moved_to"] == PAGE
    # Her clips are here as long as her account is.
    (clip,) = (await ben.get("/api/people/ana/clips")).json()["items"]
    assert await leads(house, f"/c/{clip['id']}") is None
    assert "author_moved_to" not in clip or clip["author_moved_to"] is None
    shown = (await house.visitor().get(f"/api/clips/{clip['id']}")).json()
    assert (shown["state"], shown["author_moved_to"]) == ("published", PAGE)
    # And she may come back.
    assert (await known.delete("/api/me/moved")).status_code == 204
    assert await leads(house) is None
    shown = (await house.visitor().get(f"/api/clips/{clip['id']}")).json()
    assert shown["author_moved_to"] is None


async def test_who_does_not_want_it_shown_sends_nobody(
    house: House, known: Browser, eu: Peer
) -> None:
    await eu.says(await leaves(known, eu, is_shown=False))
    assert await leads(house) is None


@pytest.mark.parametrize("page", ["https://eu.example/@other", "https://elsewhere.example/@ana.eu"])
async def test_a_page_that_the_new_cell_does_not_stand_for_sends_nobody(
    house: House, known: Browser, eu: Peer, page: str
) -> None:
    await eu.says(await leaves(known, eu, address=page))
    assert (await house.visitor().get("/api/people/ana")).json()["moved_to"] == page
    assert await leads(house) is None


async def test_the_word_of_another_cell_about_another_address_sends_nobody(
    house: House, known: Browser, eu: Peer
) -> None:
    word = await leaves(known, eu)
    await eu.says(wire.Move(word.uri, eu.uri("people", "mallory"), DAY, word.who))
    assert await leads(house) is None


async def test_a_withheld_person_is_withheld_first(house: House, known: Browser, eu: Peer) -> None:
    await eu.says(await leaves(known, eu))
    assert await leads(house) == PAGE
    await withhold(house, "person", "ana", countries=("ZZ",))
    answer = await house.visitor().get("/@ana")
    assert (answer.status_code, "location" in answer.headers) == (451, False)


@pytest.mark.parametrize(
    ("page", "is_theirs"),
    [
        ("https://eu.example/@ana", True),
        ("https://border.eu.example/@ana", True),
        ("https://example/@ana", False),
        ("https://order.eu.example/@ana", False),
        ("https://a.border.eu.example/@ana", False),
        ("https://u.example/@ana", False),
        ("https://eu.example/@ana2", False),
        ("https://eu.example/x/@ana", False),
        ("https://eu.example/@ana?next=https://evil.example", False),
        ("https://eu.example@evil.example/@ana", False),
        ("", False),
    ],
)
def test_page_is_at_the_host_of_the_cell_or_above_its_door(page: str, is_theirs: bool) -> None:
    uri = "https://border.eu.example:8443/ap/people/1"
    assert is_page_of(page, uri, "ana@eu") is is_theirs


def test_cells_of_one_machine_are_at_one_host() -> None:
    door = "http://127.0.0.1:8471/ap/people/1"
    assert is_page_of("http://localhost:8081/@ana", door, "ana@eu")
    assert not is_page_of("http://localhost:8081/@ana", "https://eu.example/ap/people/1", "ana@eu")
