"""Devices: in the directory, in the log, and what they leave for others to claim."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.messages.phone import M, Phone, b64, befriend, keep_away
from tests.cell.rights.log import Log

from luciole.cell.messages import limits, model
from luciole.cell.rights.log_reader import LogReader
from luciole.kit.db import Database
from luciole.kit.rates import Rate
from luciole.ledger import entry
from luciole.ledger.merkle import leaf_hash
from luciole.ledger.proof import Proof


@pytest.fixture
def log(house: House, pools: tuple[Database, ...], monkeypatch: pytest.MonkeyPatch) -> Log:
    blobs = house.parts.blobs
    monkeypatch.setattr(house.parts.journal, "_log", LogReader(blobs))
    return Log(pools[0], blobs, house.vault.store.secret.cell_id)


async def directory(browser: Browser, handle: str) -> list[dict[str, Any]]:
    answer = await browser.get(f"{M}/people/{handle}/devices")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_new_device_shows_in_its_owners_journal(ana: Browser, anas: Phone) -> None:
    (first, *_) = (await ana.get("/api/me/journal")).json()["items"]
    said = json.loads(first["opening"])
    assert (first["kind"], first["class"], said["purpose"]) == ("key", "self", "device-added")
    assert (said["device"], said["key"]) == (anas.id, b64(anas.key.public))


async def test_others_check_a_key_against_the_log(log: Log, anas: Phone, bens: Phone) -> None:
    (before,) = await directory(bens.browser, "ana")
    assert before["entries"][0]["receipt"] is None
    await log.take()
    (device,) = await directory(bens.browser, "ana")
    (told,) = device["entries"]
    leaf = base64.b64decode(told["leaf"])
    nonce = base64.b64decode(told["nonce"])
    person_entry = entry.decode(leaf)
    assert isinstance(person_entry, entry.PersonEntry)
    assert person_entry.commit == entry.commitment(nonce, told["opening"].encode())
    said = json.loads(told["opening"])
    assert (said["device"], said["key"]) == (device["id"], device["signature_key"])
    proof = Proof.parse(told["receipt"])
    assert proof.index == told["index"]
    proof.verify(leaf_hash(leaf), log.policy)


async def test_removed_device_stays_in_the_directory_as_removed(
    log: Log, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    assert (await bens.browser.delete(f"{M}/devices/{bens.id}")).status_code == 204
    await log.take()
    (device,) = await directory(anas.browser, "ben")
    assert [each["act"] for each in device["entries"]] == ["added", "revoked"]
    assert device["revoked_at"]
    assert all(each["receipt"] for each in device["entries"])
    # Nothing is delivered to it, and nobody acts as it.
    await anas.send(pair)
    refused(await bens.browser.get(f"{M}/devices/{bens.id}/inbox"), 404, "no-such-device")
    refused(await bens.send(pair), 404, "no-such-device")
    refused(await bens.browser.delete(f"{M}/devices/{bens.id}"), 404, "no-such-device")
    assert (await anas.claim("ben")).json()["items"] == []


async def test_name_of_a_device_is_for_its_owner(anas: Phone, bens: Phone) -> None:
    (own,) = (await anas.browser.get(f"{M}/devices")).json()["items"]
    assert own["name"] == "Phone"
    (seen,) = await directory(bens.browser, "ana")
    assert set(seen) == {"id", "signature_key", "made_at", "revoked_at", "entries"}
    assert "Phone" not in json.dumps(seen)


async def test_device_of_somebody_else_is_not_removed(anas: Phone, bens: Phone) -> None:
    refused(await bens.browser.delete(f"{M}/devices/{anas.id}"), 404, "no-such-device")


async def test_key_belongs_to_one_device(anas: Phone, bens: Phone) -> None:
    body = {"signature_key": b64(anas.key.public), "name": "Copy"}
    refused(await bens.browser.post(f"{M}/devices", json=body), 409, "device-key-taken")
    refused(
        await bens.browser.post(f"{M}/devices", json={"signature_key": b64(b"short")}),
        400,
        "invalid",
    )


async def test_person_has_some_devices_also_when_added_at_once(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "MAX_DEVICES", 2)
    keys = [{"signature_key": b64(bytes([number] * 32))} for number in range(4)]
    answers = await asyncio.gather(*(ana.post(f"{M}/devices", json=key) for key in keys))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 429, 429]


async def test_messages_are_off_under_16(house: House, anas: Phone) -> None:
    kid = await house.person("kid", age_band="13-15")
    answer = await kid.post(f"{M}/devices", json={"signature_key": b64(bytes(32))})
    refused(answer, 403, "messages-off")
    assert (await kid.get(f"{M}/settings")).json()["is_off"] is True
    await befriend(kid, anas.browser)
    refused(await anas.claim("kid"), 403, "cannot-write")
    # Looking is no message.
    assert (await kid.get(f"{M}/conversations")).json() == {"items": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"identity": b"\0" * 32},
        {"signature_key": b"\1" * 32},
        {"suite": 2},
    ],
)
async def test_key_package_of_another_is_refused(anas: Phone, wrong: dict[str, Any]) -> None:
    refused(await anas.publish([anas.package(**wrong)]), 400, "bad-key-package")


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
async def test_torn_key_package_is_refused(anas: Phone, cut: int) -> None:
    torn = anas.package()[:cut] if cut else b"\0\1"
    refused(await anas.publish([torn]), 400, "bad-key-package")
    refused(await anas.publish([], anas.package() + b"\0"), 400, "bad-key-package")


async def test_key_package_that_has_ended_is_neither_taken_nor_given(
    house: House, anas: Phone, bens: Phone
) -> None:
    now = house.clock.now()
    refused(await bens.publish([bens.package(not_after=now)]), 400, "bad-key-package")
    soon = bens.package(not_after=now + timedelta(hours=1))
    await bens.publish([soon])
    house.clock.advance(timedelta(hours=2))
    given = [(await anas.claim("ben")).json()["items"][0]["package"] for _ in range(5)]
    assert b64(soon) not in given
    await house.parts.queue.run_periodic("messages.tidy")
    left = await house.rows(
        "SELECT package FROM messages.key_package WHERE device_id = $1", bens.id
    )
    assert soon not in {row["package"] for row in left}


async def test_key_package_is_given_once_and_the_last_resort_again(
    anas: Phone, bens: Phone
) -> None:
    assert (await anas.browser.get(f"{M}/devices/{anas.id}/key-packages")).json() == {"left": 3}
    given = [(await bens.claim("ana")).json()["items"][0]["package"] for _ in range(5)]
    assert len(set(given[:3])) == 3
    assert given[3] == given[4] not in given[:3]
    assert (await anas.browser.get(f"{M}/devices/{anas.id}/key-packages")).json() == {"left": 0}


async def test_two_who_claim_at_once_get_different_packages(
    house: House, anas: Phone, bens: Phone
) -> None:
    answers = await asyncio.gather(*(bens.claim("ana") for _ in range(3)))
    given = [answer.json()["items"][0]["package"] for answer in answers]
    assert len(set(given)) == 3


async def test_claim_gives_every_device_of_everybody_but_the_one_that_asks(
    house: House, anas: Phone, bens: Phone
) -> None:
    second = await Phone.of(house, anas.browser)
    tablet = await Phone.of(house, bens.browser)
    found = (await anas.claim("ana", "ben")).json()["items"]
    assert {each["device_id"] for each in found} == {second.id, bens.id, tablet.id}
    assert {each["handle"] for each in found} == {"ana", "ben"}
    assert all(UUID(each["person_id"]) for each in found)


async def test_device_keeps_a_hundred_packages(anas: Phone) -> None:
    many = [anas.package() for _ in range(98)]
    refused(await anas.publish(many), 429, "too-many-key-packages")
    assert (await anas.publish(many[:97])).json() == {"left": 100}


async def test_claims_are_counted(
    anas: Phone, bens: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLAIM", Rate("few", 2, 3600))
    assert (await bens.claim("ana", "ben")).status_code == 200
    answer = await bens.claim("ana")
    refused(answer, 429, "too-many")
    assert 1700 < int(answer.headers["retry-after"]) <= 1800
    assert (await anas.claim("ben")).status_code == 200, "each has their own"


async def test_settings_say_who_may_claim(anas: Phone, bens: Phone, house: House) -> None:
    eve = await house.person("eve")
    eves = await Phone.of(house, eve)
    assert (await eves.claim("ana")).status_code == 200
    await anas.browser.patch(f"{M}/settings", json={"who": "friends"})
    refused(await eves.claim("ana"), 403, "cannot-write")
    assert (await bens.claim("ana")).status_code == 200
    await anas.browser.patch(f"{M}/settings", json={"who": "nobody"})
    refused(await bens.claim("ana"), 403, "cannot-write")
    refused(await eves.claim("nobody-here"), 404, "no-such-person")


async def test_minors_write_to_friends_and_friends_to_them(house: House, anas: Phone) -> None:
    teen = await house.person("teen", age_band="16-17")
    await teen.patch("/api/me", json={"is_private": False})
    teens = await Phone.of(house, teen)
    assert (await teen.get(f"{M}/settings")).json()["who"] == "friends"
    answer = await teen.patch(f"{M}/settings", json={"who": "everyone"})
    refused(answer, 403, "minors-write-to-friends")
    refused(await anas.claim("teen"), 403, "cannot-write")
    refused(await teens.claim("ana"), 403, "cannot-write")
    await befriend(teen, anas.browser)
    pair = await anas.talk("pair", teens)
    assert (await teens.send(pair)).status_code == 201
    # And no longer when they are no friends any more.
    await teen.delete("/api/people/ana/follow")
    refused(await anas.send(pair), 403, "cannot-write")
    refused(await teens.send(pair), 403, "cannot-write")


async def test_blocked_person_is_nobody(anas: Phone, bens: Phone, house: House) -> None:
    await keep_away(anas.browser, "ben", "block")
    for asking, handle in ((bens, "ana"), (anas, "ben")):
        refused(await asking.claim(handle), 404, "no-such-person")
        answer = await asking.browser.get(f"{M}/people/{handle}/devices")
        refused(answer, 404, "no-such-person")


async def test_directory_is_for_who_may_write_or_talks(
    house: House, anas: Phone, bens: Phone
) -> None:
    eve = await house.person("eve")
    eves = await Phone.of(house, eve)
    await anas.browser.patch(f"{M}/settings", json={"who": "friends"})
    place = f"{M}/people/ana/devices"
    refused(await eve.get(place), 403, "cannot-write")
    assert (await bens.browser.get(place)).status_code == 200
    await anas.browser.follow(eve)
    await anas.talk("pair", eves)
    assert (await eve.get(place)).status_code == 200, "they talk"


async def test_keys_of_a_group_are_checked_also_across_a_block(
    house: House, anas: Phone, bens: Phone
) -> None:
    await anas.talk("group", bens)
    await keep_away(anas.browser, "ben", "block")
    assert len(await directory(bens.browser, "ana")) == 1
