"""What `luciole doctor` says of the room that files of messages take, with numbers and no names."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.cell.house import House
from tests.cell.messages.phone import M, Phone

from luciole import room
from luciole.config import DatabaseSettings, MessagesSettings, Settings
from luciole.finding import Finding

SEALED = bytes(300_000)
MANY = 10**9


async def told(
    house: House, owner_url: str, *, cell_bytes: int = 0, person_bytes: int = 0
) -> Finding:
    settings = Settings(
        database=DatabaseSettings(url=owner_url),
        messages=MessagesSettings(person_bytes=person_bytes, cell_bytes=cell_bytes),
    )
    found = await asyncio.to_thread(lambda: list(room.looked(settings, house.clock.now())))
    assert [one.subject for one in found] == ["room", "room of messages"]
    assert "ana" not in found[1].sentence
    return found[1]


async def test_the_doctor_says_how_full_the_room_of_messages_is(
    house: House, anas: Phone, bens: Phone, owner_url: str
) -> None:
    found = await told(house, owner_url, cell_bytes=20 * MANY, person_bytes=2 * MANY)
    assert (found.verdict, found.sentence) == (
        "OK",
        "sealed files and backups of messages take 0.0 GB of 20.0; people near their own limit: 0",
    )
    pair = await anas.talk("pair", bens)
    place = f"{M}/conversations/{pair}/attachments"
    assert (await anas.browser.post(place, content=SEALED)).status_code == 201
    assert (await bens.browser.put(f"{M}/backup", content=SEALED)).status_code == 204
    # A file and a backup are four fifths of it: before it is full.
    full = len(SEALED) * 10 // 4
    found = await told(house, owner_url, cell_bytes=full)
    assert (found.verdict, "LUCIOLE_MESSAGES_CELL_BYTES" in found.next_step) == ("WARN", True)
    found = await told(house, owner_url, cell_bytes=full + 10)
    assert (found.verdict, found.next_step) == ("OK", "")
    # One has sent four fifths of what a person may in 30 days; a backup does not count for it.
    near = len(SEALED) * 10 // 8
    found = await told(house, owner_url, person_bytes=near)
    assert found.sentence.endswith("the disk is their only limit; people near their own limit: 1")
    found = await told(house, owner_url, person_bytes=near + 10)
    assert found.sentence.endswith("people near their own limit: 0")
    house.clock.advance(timedelta(days=30))
    found = await told(house, owner_url, person_bytes=near)
    assert found.sentence.endswith("people near their own limit: 0")


async def test_without_limits_the_doctor_says_what_is_taken(house: House, owner_url: str) -> None:
    found = await told(house, owner_url)
    assert (found.verdict, found.sentence) == (
        "OK",
        "sealed files and backups of messages take 0.0 GB; the disk is their only limit",
    )


async def test_the_doctor_says_nothing_of_a_database_that_does_not_run(house: House) -> None:
    nowhere = Settings(database=DatabaseSettings(url="postgresql://nobody@127.0.0.1:1/none"))
    assert await asyncio.to_thread(lambda: list(room.looked(nowhere))) == []
