"""Reports: what was signed by the device that it names, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from tests.cell.house import House, refused
from tests.cell.messages.phone import M, Phone, b64, keep_away, to_be_signed, unb64

from luciole.cell.messages import framing, model
from luciole.custody.model import Field

SECRET = b'{"v":1,"kind":"text","text":"I know where you live"}'


async def report(phone: Phone, conversation: str, *items: dict[str, str]) -> httpx.Response:
    body = {"conversation_id": conversation, "reason": "threat", "items": list(items)}
    return await phone.browser.post(f"{M}/reports", json=body)


async def kept(house: House, phone: Phone) -> list[dict[str, Any]]:
    """What the cell keeps of the reports of somebody, opened with their own grant."""
    custody = house.parts.custody
    grant = await custody.session_grant(phone.browser.token)
    rows = await house.rows("SELECT sealed FROM messages.report ORDER BY id")
    fields = [Field(model.REPORT_FIELD, model.REPORT_VERSION, row["sealed"]) for row in rows]
    return [msgspec.json.decode(one) for one in await custody.open(grant, fields)]


async def test_signed_message_is_kept_sealed_as_it_was_disclosed(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    item = bens.signed(pair, SECRET)
    answer = await report(anas, pair, item)
    assert answer.status_code == 201, answer.text
    (said,) = await kept(house, anas)
    (message,) = said["messages"]
    assert (said["reason"], message["content"]) == ("threat", item["content"])
    assert SECRET in unb64(message["content"])
    (row,) = await house.rows("SELECT reporter_id, about_id, sealed FROM messages.report")
    assert str(row["about_id"]) == bens.person_id
    assert SECRET not in row["sealed"]


async def test_message_that_the_device_did_not_sign_is_refused(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    right = bens.signed(pair, SECRET)
    other = bens.signed(pair, b"hello")
    tampered = {**right, "content": other["content"]}
    forged = {**anas.signed(pair, SECRET), "device_id": bens.id}
    unknown = {**right, "device_id": pair}
    torn = {**right, "content": b64(unb64(right["content"])[:-1])}
    for wrong in (tampered, forged, unknown, torn):
        refused(await report(anas, pair, wrong), 400, "report-not-signed")
        refused(await report(anas, pair, right, wrong), 400, "report-not-signed")
    assert await house.rows("SELECT id FROM messages.report") == []


async def test_message_of_another_conversation_is_refused(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    group = await anas.talk("group", bens)
    refused(await report(anas, pair, bens.signed(group, SECRET)), 400, "report-not-signed")


async def test_signature_under_another_label_is_refused(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    text = to_be_signed(*bens.groups[pair], SECRET)
    item = {"device_id": bens.id, "content": b64(text)}
    for signed in (text, framing.sign_content("KeyPackageTBS", text)):
        wrong = {**item, "signature": b64(bens.key.sign(signed))}
        refused(await report(anas, pair, wrong), 400, "report-not-signed")


async def test_report_is_about_one_other_person(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    own = anas.signed(pair, b"mine")
    refused(await report(anas, pair, own), 400, "bad-report")
    refused(await report(anas, pair, own, bens.signed(pair, SECRET)), 400, "bad-report")


async def test_removed_device_is_still_known_by_its_key(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    item = bens.signed(pair, SECRET)
    await bens.browser.delete(f"{M}/devices/{bens.id}")
    assert (await report(anas, pair, item)).status_code == 201


@pytest.mark.parametrize("way", ["blocked", "declined"])
async def test_who_closed_a_conversation_may_still_report_it(
    house: House, anas: Phone, way: str
) -> None:
    eves = await Phone.of(house, await house.person("eve"))
    pair = await eves.talk("pair", anas)
    if way == "blocked":
        await keep_away(anas.browser, "eve", "block")
    else:
        await anas.browser.post(f"{M}/conversations/{pair}/leave")
    assert (await report(anas, pair, eves.signed(pair, SECRET))).status_code == 201


async def test_outsider_cannot_report(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    eves = await Phone.of(house, await house.person("eve"))
    answer = await report(eves, pair, bens.signed(pair, SECRET))
    refused(answer, 404, "no-such-conversation")
