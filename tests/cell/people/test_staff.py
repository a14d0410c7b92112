"""Staff over the API: added at the machine, two passkeys for a read, and the person is told."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec
import pytest
from tests.cell.console.bench import begin
from tests.cell.house import Browser, House, refused
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add

from luciole import broker, staffing
from luciole.config import DatabaseSettings, Settings
from luciole.kit.db import Database

ASKED = {
    "handle": "ana",
    "purpose": "abuse-report",
    "columns": ["contact.email"],
    "minutes": 30,
    "reason": "Report 4711 says that this account threatens people.",
}


@pytest.fixture
def settings(empty_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=empty_url))


async def staffed(house: House, settings: Settings, handle: str) -> tuple[Browser, Authenticator]:
    """A browser of one of the staff, at work, with their passkey."""
    browser, key = await house.person(handle), Authenticator(ORIGIN)
    assert (await add(browser, key)).status_code == 201  # type: ignore[arg-type]
    (said,) = await staffing.change(settings, "add", handle, house.clock)
    assert said.startswith(f"{handle} was added")
    await begin(browser, key, "operator")
    return browser, key


def signed(read: dict[str, Any], key: Authenticator) -> dict[str, Any]:
    return {"credential": key.get({"rpId": "localhost", "challenge": read["challenge"]})}


Pools = tuple[Database, Database]


async def rows_of(pools: Pools, query: str, *words: Any) -> list[Any]:
    async with pools[0].read() as tx:
        return list(await tx.fetch(query, *words))


async def decisions(pools: Pools) -> list[dict[str, Any]]:
    found = "SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
    return [msgspec.json.decode(row["entry"]) for row in await rows_of(pools, found)]


async def test_two_of_the_staff_read_an_address_and_its_owner_is_told(
    house: House, settings: Settings, pools: Pools
) -> None:
    ana = await house.person("ana")
    await ana.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await ana.put("/api/me/contacts/phone", json={"value": "+33612345678"})
    (eve, eves), (max_, his) = [await staffed(house, settings, name) for name in ("eve", "max")]
    # 1. One asks; the other sees what is asked, and can check what their passkey will sign.
    answer = await eve.post("/api/staff/reads", json=ASKED)
    assert answer.status_code == 201, answer.text
    (seen,) = (await max_.get("/api/staff/reads")).json()["items"]
    assert seen == answer.json()
    digest = hashlib.sha256(seen["asked"].encode()).digest()
    assert base64.urlsafe_b64decode(seen["challenge"] + "=") == digest
    assert msgspec.json.decode(seen["asked"])["reason"] == ASKED["reason"]
    place = f"/api/staff/reads/{seen['id']}"
    refused(await eve.post(f"{place}/contacts"), 403, "read-not-approved")
    # 2. Two sign.
    assert (await eve.post(f"{place}/approvals", json=signed(seen, eves))).json()["signatures"] == 1
    done = (await max_.post(f"{place}/approvals", json=signed(seen, his))).json()
    assert (done["signatures"], done["is_granted"]) == (2, True)
    # 3. Who asked reads what was asked for, and nothing else.
    answer = await eve.post(f"{place}/contacts")
    assert answer.json() == {"items": [{"kind": "email", "value": "ana@example.org"}]}
    refused(await max_.post(f"{place}/contacts"), 403, "read-not-approved")
    # 4. The person is told once, and finds both in the journal.
    for _ in range(2):
        await house.parts.queue._periodic["notify.tell-reads"][0]()
    (told,) = (await ana.get("/api/notifications")).json()["items"]
    assert (told["kind"], told["by"], told["is_read"]) == ("data-read", None, False)
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": True}
    kinds = await rows_of(
        pools,
        "SELECT leaf FROM custody.journal WHERE person_id = $1 ORDER BY n DESC LIMIT 2",
        await house.person_id("ana"),
    )
    assert [(row["leaf"][1], row["leaf"][2]) for row in kinds] == [(3, 3), (2, 3)]
    # A second read of the same kind is told again.
    again = (await eve.post("/api/staff/reads", json=ASKED)).json()
    for browser, key in ((eve, eves), (max_, his)):
        await browser.post(f"/api/staff/reads/{again['id']}/approvals", json=signed(again, key))
    await house.parts.queue._periodic["notify.tell-reads"][0]()
    assert len((await ana.get("/api/notifications")).json()["items"]) == 2


async def test_others_are_refused_by_name(house: House, settings: Settings) -> None:
    ana = await house.person("ana")
    eve, eves = await staffed(house, settings, "eve")
    refused(await house.visitor().get("/api/staff/reads"), 401, "not-signed-in")
    refused(await ana.get("/api/staff/reads"), 403, "not-staff")
    refused(await ana.post("/api/staff/reads", json=ASKED), 403, "not-staff")
    refused(await eve.post("/api/staff/reads", json={**ASKED, "minutes": 90}), 400, "read-refused")
    refused(
        await eve.post("/api/staff/reads", json={**ASKED, "handle": "nobody"}),
        404,
        "no-such-person",
    )
    nowhere = "/api/staff/reads/0190b6a5-1111-7000-8000-000000000001"
    refused(await eve.post(f"{nowhere}/contacts"), 404, "no-such-read")
    refused(await eve.post(f"{nowhere}/approvals", json={"credential": {}}), 404, "no-such-read")
    read = (await eve.post("/api/staff/reads", json=ASKED)).json()
    place = f"/api/staff/reads/{read['id']}/approvals"
    # Numbers that JSON has and the wire to the broker has not, and more than any passkey says.
    for odd in ({"id": 10**30}, {"id": "x" * 70_000}):
        refused(await eve.post(place, json={"credential": odd}), 403, "approval-refused")
    refused(await eve.post(place, json={"credential": {}}), 403, "approval-refused")
    assert (await eve.post(place, json=signed(read, eves))).status_code == 201


async def test_staff_come_and_go_in_the_log_without_their_names(
    house: House, settings: Settings, pools: Pools
) -> None:
    eve, _ = await staffed(house, settings, "eve")
    with pytest.raises(staffing.CannotBeStaff):
        await staffing.change(settings, "add", "eve", house.clock)
    await house.person("ben")  # without a passkey
    for handle in ("ben", "nobody"):
        with pytest.raises(staffing.CannotBeStaff):
            await staffing.change(settings, "add", handle, house.clock)
    (line,) = await staffing.change(settings, "list", "", house.clock)
    staff_id = line.split()[0]
    assert line.split()[1] == "eve"
    await staffing.change(settings, "remove", "eve", house.clock)
    with pytest.raises(staffing.NoSuchStaff):
        await staffing.change(settings, "remove", "eve", house.clock)
    refused(await eve.get("/api/staff/reads"), 403, "not-staff")
    said = [each for each in await decisions(pools) if each["kind"] == "staff"]
    assert [each["change"] for each in said] == ["added", "removed"]
    assert {each["staff"] for each in said} == {staff_id}
    assert "eve" not in str(said)


async def test_end_of_an_epoch_is_in_the_log(house: House, pools: Pools) -> None:
    await broker.note_end(house.db, 8, 7, house.clock)
    (said,) = await decisions(pools)
    assert (said["kind"], said["epoch"], said["destroyed"]) == ("epoch", 8, 7)
