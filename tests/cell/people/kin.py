"""Acts of a family, for the tests of families."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.cell.house import Browser, House

LIMITS = {
    "daily_min": 45,
    "sleep_from": "21:30",
    "sleep_to": "07:00",
    "keeps_private": True,
    "for_you_off": False,
}
NONE = {
    "daily_min": None,
    "sleep_from": None,
    "sleep_to": None,
    "keeps_private": False,
    "for_you_off": False,
}


async def shown(browser: Browser) -> str:
    answer = await browser.post("/api/me/family/codes", json={})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


async def enter(browser: Browser, code: str) -> Any:
    return await browser.post("/api/me/family/claims", json={"code": code})


async def confirm(browser: Browser, pairing_id: str) -> Any:
    return await browser.post(f"/api/me/family/pairings/{pairing_id}/confirm", json={})


async def pair(guardian: Browser, teen: Browser) -> str:
    """A pairing that both have confirmed; the young person shows the code."""
    answer = await enter(guardian, await shown(teen))
    assert answer.status_code == 201, answer.text
    pairing_id = str(answer.json()["id"])
    for browser in (guardian, teen):
        answer = await confirm(browser, pairing_id)
        assert answer.status_code == 200, answer.text
    assert answer.json()["paired_at"] is not None
    return pairing_id


async def limit(guardian: Browser, pairing_id: str, **limits: Any) -> Any:
    return await guardian.put(f"/api/me/family/pairings/{pairing_id}/limits", json=limits)


async def report(teen: Browser, *days: tuple[str, int], **fields: Any) -> Any:
    body = {
        "days": [{"day": day, "minutes": minutes} for day, minutes in days],
        "offset_minutes": 60,
        **fields,
    }
    return await teen.put("/api/me/family/time", json=body)


async def seen(guardian: Browser, pairing_id: str) -> Any:
    return await guardian.get(f"/api/me/family/pairings/{pairing_id}/seen")


async def family(browser: Browser) -> dict[str, Any]:
    answer = await browser.get("/api/me/family")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def end(browser: Browser, pairing_id: str) -> Any:
    return await browser.delete(f"/api/me/family/pairings/{pairing_id}")


async def told(house: House, browser: Browser) -> list[str]:
    """Kinds of news about the family, the newest first."""
    await house.work()
    items = (await browser.get("/api/notifications")).json()["items"]
    return [one["kind"] for one in items if one["kind"].startswith("family-")]


async def two(house: House, age_band: str = "13-15") -> tuple[Browser, Browser]:
    return await house.person("paula"), await house.person("theo", age_band=age_band)


def today(house: House, ago: int = 0) -> str:
    return (house.clock.now() - timedelta(days=ago)).date().isoformat()
