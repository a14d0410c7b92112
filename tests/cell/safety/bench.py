"""Moderators at work in the tests, and what they decide."""

from __future__ import annotations

from typing import Any

from tests.cell.house import Browser, House
from tests.cell.people.authenticator import Authenticator
from tests.cell.people.support import ORIGIN
from tests.cell.people.test_passkeys import add

from luciole import staffing
from luciole.config import DatabaseSettings, Settings
from luciole.kit.db import Database

REVIEW = "/api/staff/review"
ANSWER = "We have looked at it, and this is what came of it."
REMOVE: dict[str, Any] = {
    "act": "remove",
    "category": "violence",
    "is_illegal": False,
    "ground": "Terms, section 4: no threats",
    "explanation": "The clip threatens somebody with violence, which the terms do not allow.",
    "facts": "In the second half, somebody is threatened with a beating by name.",
    "answer": ANSWER,
    "countries": ["*"],
}
Pools = tuple[Database, Database]


def settings_of(owner_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=owner_url))


async def moderator(house: House, owner_url: str, handle: str) -> tuple[Browser, Authenticator]:
    """A moderator with their passkey, not at work yet."""
    browser, key = await house.person(handle), Authenticator(ORIGIN)
    assert (await add(browser, key)).status_code == 201  # type: ignore[arg-type]
    await staffing.change(
        settings_of(owner_url), "add", handle, house.clock, ("operator", "moderator")
    )
    return browser, key


async def begin(browser: Browser, key: Authenticator) -> dict[str, Any]:
    """Begins a shift; gives the queue."""
    answer = await browser.post(f"{REVIEW}/shifts")
    assert answer.status_code == 201, answer.text
    asked = answer.json()
    signed = key.get({"rpId": "localhost", "challenge": asked["challenge"]})
    place = f"{REVIEW}/shifts/{asked['id']}/signature"
    answer = await browser.post(place, json={"credential": signed})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def at_work(house: House, owner_url: str, handle: str) -> Browser:
    browser, key = await moderator(house, owner_url, handle)
    await begin(browser, key)
    return browser


async def report(browser: Browser, what: str, name: str, **fields: Any) -> dict[str, Any]:
    body = {
        "what": what,
        "name": name,
        "category": "violence",
        "explanation": "A threat.",
        **fields,
    }
    answer = await browser.post("/api/reports", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def take(browser: Browser) -> dict[str, Any] | None:
    answer = await browser.post(f"{REVIEW}/next")
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] | None = answer.json()["case"]
    return case


async def decide(browser: Browser, **wish: Any) -> dict[str, Any]:
    """Takes the next case and decides it; gives the first statement as everybody reads it."""
    case = await take(browser)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/decision"
    answer = await browser.post(place, json={**REMOVE, **wish})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["items"][0])


async def told(browser: Browser) -> list[str]:
    """The kinds of what a person was told, the newest first."""
    found = (await browser.get("/api/notifications")).json()["items"]
    return [one["kind"] for one in found]
