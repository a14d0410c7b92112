"""Two people talk: the way of an envelope from one device to all the others."""

from __future__ import annotations

from tests.cell.house import Browser, House, refused
from tests.cell.messages.phone import M, Phone, folder


async def test_message_reaches_the_other_device_sealed_as_it_was_sent(
    anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    assert (await anas.send(pair, b"sealed for ben")).status_code == 201
    kinds = [(each["kind"], each["n"]) for each in await bens.waiting()]
    assert kinds == [("welcome", 1), ("message", 2)]
    assert await bens.fetch() == [
        ("welcome", b"welcome " + bens.id.encode()),
        ("message", b"sealed for ben"),
    ]
    assert await bens.fetch() == []


async def test_own_device_gets_its_copy_so_that_nobody_knows_who_sent(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    await bens.fetch()
    made = (await anas.send(pair)).json()
    (copy,) = await anas.waiting()
    assert copy["message_id"] == made["id"]
    rows = await house.rows("SELECT device_id FROM messages.delivery")
    assert {str(row["device_id"]) for row in rows} == {anas.id, bens.id}
    names = await house.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'messages' "
        "AND table_name IN ('envelope', 'delivery')"
    )
    assert {row["column_name"] for row in names} & {"person_id", "sender_id"} == set()


async def test_what_all_devices_have_got_goes(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    await bens.fetch()
    assert await house.rows("SELECT id FROM messages.envelope")
    await anas.fetch()
    assert await house.rows("SELECT id FROM messages.envelope") == []


async def test_conversation_is_listed_for_both(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    for phone in (anas, bens):
        (found,) = await folder(phone.browser, "inbox")
        assert (found["id"], found["kind"], found["epoch"]) == (pair, "pair", 1)
        assert [each["handle"] for each in found["members"]] == ["ana", "ben"]


async def test_two_people_have_one_conversation(anas: Phone, bens: Phone) -> None:
    await anas.talk("pair", bens)
    refused(await bens.begin("pair", anas), 409, "pair-exists")


async def test_nobody_else_sees_or_writes_into_it(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    eve = await house.person("eve")
    eves = await Phone.of(house, eve)
    eves.groups[pair] = anas.groups[pair]
    refused(await eves.send(pair), 404, "no-such-conversation")
    refused(await eves.commit(pair), 404, "no-such-conversation")
    for path in ("group-info",):
        refused(await eve.get(f"{M}/conversations/{pair}/{path}"), 404, "no-such-conversation")
    for path in ("accept", "leave"):
        answer = await eve.post(f"{M}/conversations/{pair}/{path}")
        refused(answer, 404, "no-such-conversation")
    refused(await eve.get(f"{M}/devices/{bens.id}/inbox"), 404, "no-such-device")
    answer = await eve.post(f"{M}/devices/{bens.id}/acks", json={"up_to": 9})
    refused(answer, 404, "no-such-device")
    visitor: Browser = house.visitor()
    refused(await visitor.get(f"{M}/conversations"), 401, "not-signed-in")
