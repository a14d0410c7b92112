"""Whose devices a message wakes: theirs who asked for it, and did not mute the conversation."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.cell.house import House
from tests.cell.messages.phone import M, Phone, befriend

from luciole.border.wire import Services

SERVICE = "https://push.example"


@pytest_asyncio.fixture(loop_scope="session")
async def cleos(house: House, anas: Phone, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """A friend's of ana; both have their devices woken."""
    monkeypatch.setattr(house.parts.pushes, "_services", Services(SERVICE))
    cleo = await house.person("cleo")
    await befriend(cleo, anas.browser)
    for browser in (cleo, anas.browser):
        body = {"endpoint": f"{SERVICE}/{browser.handle}", "offset_minutes": 0}
        assert (await browser.put("/api/me/push", json=body)).status_code == 204
    return await Phone.of(house, cleo)


async def woken(house: House) -> list[Any]:
    """Whose devices are to be woken for a message; then nobody's are."""
    rows = await house.rows("DELETE FROM notify.nudge WHERE is_message RETURNING person_id")
    await house.rows("DELETE FROM notify.nudge")
    return [row["person_id"] for row in rows]


async def test_message_wakes_its_receiver_and_not_its_writer(
    house: House, anas: Phone, cleos: Phone
) -> None:
    pair = await cleos.talk("pair", anas)
    await woken(house)
    assert (await cleos.send(pair)).status_code == 201
    assert await woken(house) == [await house.person_id("ana")]


async def test_muted_conversation_wakes_nobody(house: House, anas: Phone, cleos: Phone) -> None:
    pair = await cleos.talk("pair", anas)
    await anas.browser.put(f"{M}/conversations/{pair}/mute")
    await woken(house)
    await cleos.send(pair)
    assert await woken(house) == []


async def test_request_wakes_by_its_line_and_not_by_each_message(
    house: House, anas: Phone, cleos: Phone
) -> None:
    eves = await Phone.of(house, await house.person("eve"))
    pair = await eves.talk("pair", anas)
    (nudge,) = await house.rows("SELECT is_message FROM notify.nudge")
    assert nudge["is_message"] is False
    await woken(house)
    await eves.send(pair)
    assert await woken(house) == []
