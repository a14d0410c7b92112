"""The staff at the console in the tests."""

from __future__ import annotations

from typing import Any

from tests.cell.house import Browser, House
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add
from tests.cell.safety.bench import settings_of

from luciole import staffing

CONSOLE = "/api/staff/console"


def signed(asked: dict[str, Any], key: Authenticator) -> dict[str, Any]:
    return {"credential": key.get({"rpId": "localhost", "challenge": asked["challenge"]})}


async def staff(
    house: House, owner_url: str, handle: str, *roles: str
) -> tuple[Browser, Authenticator]:
    """One of the staff with their passkey, not at work yet."""
    browser, key = await house.person(handle), Authenticator(ORIGIN)
    assert (await add(browser, key)).status_code == 201  # type: ignore[arg-type]
    await staffing.change(settings_of(owner_url), "add", handle, house.clock, roles)
    return browser, key


async def begin(browser: Browser, key: Authenticator, role: str) -> dict[str, Any]:
    """Begins a shift at the console; gives what it shows."""
    answer = await browser.post(f"{CONSOLE}/shifts", json={"role": role})
    assert answer.status_code == 201, answer.text
    place = f"{CONSOLE}/shifts/{answer.json()['id']}/signature"
    answer = await browser.post(place, json=signed(answer.json(), key))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def at_work(house: House, owner_url: str, handle: str, role: str) -> Browser:
    browser, key = await staff(house, owner_url, handle, role)
    await begin(browser, key, role)
    return browser


async def page(browser: Browser, name: str) -> dict[str, Any]:
    answer = await browser.get(f"{CONSOLE}/{name}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
