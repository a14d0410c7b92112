"""Staff read what was disclosed in a report, and only as the rules have it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.messages.phone import M, Phone, unb64
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.test_staff import signed, staffed

from luciole.config import DatabaseSettings, Settings

STAFF = "/api/staff"


@pytest.fixture
def settings(owner_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=owner_url))


async def approved(house: House, readers: list[tuple[Browser, Authenticator]], **asked: Any) -> str:
    """The place of an approved read, asked by the first reader."""
    body = {"minutes": 30, "reason": "Report 4711 says that somebody threatens.", **asked}
    answer = await readers[0][0].post(f"{STAFF}/reads", json=body)
    assert answer.status_code == 201, answer.text
    for browser, key in readers:
        place = f"{STAFF}/reads/{answer.json()['id']}/approvals"
        assert (await browser.post(place, json=signed(answer.json(), key))).status_code == 201
    return f"{STAFF}/reads/{answer.json()['id']}"


async def test_two_of_the_staff_read_what_was_disclosed_and_nothing_else(
    house: House, settings: Settings, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    item = bens.signed(pair, b"I know where you live")
    body = {"conversation_id": pair, "reason": "threat", "items": [item]}
    await anas.browser.post(f"{M}/reports", json=body)
    readers = [await staffed(house, settings, name) for name in ("eve", "max")]
    eve = readers[0][0]
    (waiting,) = (await eve.get(f"{STAFF}/message-reports")).json()["items"]
    assert waiting["reporter"] == "ana"
    place = await approved(
        house, readers, handle="ana", purpose="message-report", columns=["messages.report"]
    )
    refused(await readers[1][0].post(f"{place}/message-reports"), 403, "read-not-approved")
    (found,) = (await eve.post(f"{place}/message-reports")).json()["items"]
    assert (found["about"], found["reason"]) == ("ben", "threat")
    (message,) = found["messages"]
    assert (message["content"], message["signature"]) == (item["content"], item["signature"])
    assert b"I know where you live" in unb64(message["content"])
    # It opens no address, and the reporter's journal shows both.
    assert (await eve.post(f"{place}/contacts")).json() == {"items": []}
    said = (await anas.browser.get("/api/me/journal")).json()["items"]
    assert [each["purpose"] for each in said[:2]] == ["message-report"] * 2


async def test_read_for_another_purpose_opens_no_report(
    house: House, settings: Settings, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    body = {"conversation_id": pair, "reason": "spam", "items": [bens.signed(pair, b"buy")]}
    await anas.browser.post(f"{M}/reports", json=body)
    readers = [await staffed(house, settings, name) for name in ("eve", "max")]
    place = await approved(
        house, readers, handle="ana", purpose="abuse-report", columns=["contact.email"]
    )
    refused(await readers[0][0].post(f"{place}/message-reports"), 403, "no-grant")
    asked = {"handle": "ana", "purpose": "abuse-report", "columns": ["messages.report"]}
    asked |= {"minutes": 30, "reason": "Wants more than it may have."}  # type: ignore[dict-item]
    refused(await readers[0][0].post(f"{STAFF}/reads", json=asked), 400, "read-refused")


async def test_only_staff_see_which_reports_wait(house: House, anas: Phone) -> None:
    refused(await anas.browser.get(f"{STAFF}/message-reports"), 403, "not-staff")
    refused(await house.visitor().get(f"{STAFF}/message-reports"), 401, "not-signed-in")
    nowhere = f"{STAFF}/reads/0190b6a5-1111-7000-8000-000000000001/message-reports"
    refused(await anas.browser.post(nowhere), 403, "not-staff")
