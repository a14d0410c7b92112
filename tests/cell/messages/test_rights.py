"""What somebody takes along of their messages, and what goes when they do."""

from __future__ import annotations

import json

from tests.cell.house import House
from tests.cell.messages.phone import M, Phone, b64, folder
from tests.cell.rights.support import forget
from tests.cell.rights.taken import take

TABLES = (
    *("device", "device_entry", "key_package", "conversation", "member", "seat", "envelope"),
    *("delivery", "attachment", "backup", "setting", "report"),
)


async def filled(anas: Phone, bens: Phone) -> str:
    """A conversation with something of everything; gives its id."""
    pair = await anas.talk("pair", bens)
    await anas.send(pair)
    answer = await anas.browser.post(f"{M}/conversations/{pair}/attachments", content=b"sealed")
    assert answer.status_code == 201, answer.text
    await anas.browser.put(f"{M}/backup", content=b"sealed history")
    await anas.browser.patch(f"{M}/settings", json={"typing": True})
    for reporter, other in ((anas, bens), (bens, anas)):
        body = {"conversation_id": pair, "reason": "other", "items": [other.signed(pair, b"said")]}
        answer = await reporter.browser.post(f"{M}/reports", json=body)
        assert answer.status_code == 201, answer.text
    return pair


async def test_export_has_devices_conversations_backup_and_reports(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await filled(anas, bens)
    taken = await take(house, anas.browser)
    (device,) = taken.json("data/messages/devices.json")
    assert (device["id"], device["name"]) == (anas.id, "Phone")
    (talk,) = taken.json("data/messages/conversations.json")
    assert (talk["id"], talk["handles"], talk["devices"]) == (pair, ["ana", "ben"], [anas.id])
    (report,) = taken.json("data/messages/reports.json")
    assert report["about"] == "ben"
    assert b64(b"said")[:4] not in json.dumps(talk)
    (entry,) = taken.json("data/messages/device-entries.json")
    assert anas.id in json.dumps(entry)
    (backup,) = taken.json("data/messages/backup.json")
    assert taken.files[backup["file"]] == b"sealed history"
    assert taken.json("data/messages/setting.json") == [
        {"who": "everyone", "typing": True, "read_marks": False}
    ]


async def test_nothing_of_an_erased_person_stays(house: House, anas: Phone, bens: Phone) -> None:
    pair = await filled(anas, bens)
    for name in TABLES:
        assert await house.rows(f"SELECT 1 AS one FROM messages.{name} LIMIT 1"), name
    said = await forget(house, anas.browser)
    assert said["state"] == "erased", said
    for name in ("device", "setting", "backup", "report"):
        found = await house.rows(f"SELECT r::text AS row FROM messages.{name} r")
        assert anas.person_id not in str([row["row"] for row in found]), name
    assert await house.rows("SELECT id FROM messages.report") == [], "also those about them"
    places = [key async for key in house.parts.blobs.keys("attachments/")]
    places += [key async for key in house.parts.blobs.keys("histories/")]
    assert places == []
    # Ben still fetches what was on its way, and begins anew with others.
    (left,) = await folder(bens.browser, "inbox")
    assert (left["id"], left["is_over"]) == (pair, True)
    assert [each["handle"] for each in left["members"]] == ["ben"]
    assert [kind for kind, _ in await bens.fetch()] == ["welcome", "message"]
    await forget(house, bens.browser)
    for name in TABLES:
        assert await house.rows(f"SELECT 1 AS one FROM messages.{name}") == [], name


async def test_group_goes_on_without_an_erased_person(
    house: House, anas: Phone, bens: Phone
) -> None:
    group = await bens.talk("group", anas)
    await forget(house, anas.browser)
    (left,) = await folder(bens.browser, "inbox")
    assert (left["is_over"], len(left["members"])) == (False, 1)
    # The commit that takes the devices out names somebody who is gone.
    assert (await bens.commit(group, removes=["ana"])).status_code == 200
    assert (await bens.send(group)).status_code == 201
