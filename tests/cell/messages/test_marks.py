"""Live events, typing and read marks, and what people chose about messages."""

from __future__ import annotations

import json
from typing import Any

from tests.cell.house import House, refused
from tests.cell.messages.phone import M, Phone, b64, keep_away

OFF = {"who": "everyone", "typing": False, "read_marks": False, "is_off": False}


async def events(house: House, person_id: str, kind: str) -> list[dict[str, Any]]:
    """What open pages of somebody are shown."""
    rows = await house.rows(
        "SELECT body, actor_id FROM notify.event WHERE person_id = $1 AND kind = $2 ORDER BY id",
        person_id,
        kind,
    )
    assert all(row["actor_id"] is None for row in rows), "who did it is not said"
    return [json.loads(row["body"]) for row in rows]


async def signal(phone: Phone, conversation: str, body: bytes = b"typing") -> Any:
    place = f"{M}/conversations/{conversation}/signals"
    return await phone.browser.post(place, json={"device_id": phone.id, "body": b64(body)})


async def test_open_pages_hear_of_a_message(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    assert await events(house, bens.person_id, "message") == [{"conversation_id": pair}] * 2
    assert await events(house, anas.person_id, "message") == [{"conversation_id": pair}] * 2


async def test_marks_are_off_until_chosen(anas: Phone) -> None:
    assert (await anas.browser.get(f"{M}/settings")).json() == OFF
    answer = await anas.browser.patch(f"{M}/settings", json={"typing": True})
    assert answer.json() == {**OFF, "typing": True}
    answer = await anas.browser.patch(f"{M}/settings", json={"who": "nobody"})
    assert answer.json() == {**OFF, "who": "nobody", "typing": True}
    refused(await anas.browser.patch(f"{M}/settings", json={"who": "me"}), 400, "invalid")


async def test_marks_go_to_those_who_give_some(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    refused(await signal(anas, pair), 403, "marks-off")
    await anas.browser.patch(f"{M}/settings", json={"typing": True})
    assert (await signal(anas, pair)).status_code == 204
    assert await events(house, bens.person_id, "signal") == []
    await bens.browser.patch(f"{M}/settings", json={"read_marks": True})
    assert (await signal(anas, pair, b"sealed mark")).status_code == 204
    (shown,) = await events(house, bens.person_id, "signal")
    assert shown == {
        "conversation_id": pair,
        "device_id": anas.id,
        "body": b64(b"sealed mark"),
    }
    refused(await signal(anas, pair, bytes(1025)), 400, "invalid")


async def test_marks_do_not_pass_a_request_or_a_block(
    house: House, anas: Phone, bens: Phone
) -> None:
    eves = await Phone.of(house, await house.person("eve"))
    for phone in (anas, bens, eves):
        await phone.browser.patch(f"{M}/settings", json={"typing": True})
    asked = await eves.talk("pair", anas)
    refused(await signal(anas, asked), 403, "accept-first")
    pair = await anas.talk("pair", bens)
    await keep_away(anas.browser, "ben", "block")
    refused(await signal(bens, pair), 404, "no-such-conversation")
    refused(await signal(eves, pair), 404, "no-such-conversation")
