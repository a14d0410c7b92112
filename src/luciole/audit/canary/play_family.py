"""ana and cleo, who is not eighteen yet, are a family for a while."""

from __future__ import annotations

from datetime import UTC, datetime

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import Stage


async def run(stage: Stage) -> None:
    """A code, two yeses, limits that are proposed and agreed to, minutes, a look, and the end."""
    ana, cleo = stage["ana"], stage["cleo"]
    code = (await cleo.ask("POST /api/me/family/codes", json={})).json()["code"]
    # Nine characters are too few to be found again by anything but chance.
    entered = (await ana.ask("POST /api/me/family/claims", json={"code": code})).json()
    place, pairing_id = "/api/me/family/pairings/{pairing_id}", entered["id"]
    for one in (ana, cleo):
        await one.ask(f"POST {place}/confirm", pairing_id=pairing_id, json={})
    limits = {"daily_min": 60, "sleep_from": "22:00", "sleep_to": "07:00"}
    await ana.ask(f"PUT {place}/limits", pairing_id=pairing_id, json=limits)
    await cleo.ask(f"PUT {place}/answer", pairing_id=pairing_id, json={"accept": True})
    today = datetime.now(UTC).date().isoformat()
    report = {"days": [{"day": today, "minutes": 12}], "offset_minutes": 0}
    await cleo.ask("PUT /api/me/family/time", json=report)
    seen = (await ana.ask(f"GET {place}/seen", pairing_id=pairing_id)).json()
    if [one["minutes"] for one in seen["days"]] != [12]:
        raise Stale("a guardian does not see the minutes that were reported")
    for one in (ana, cleo):
        await one.ask("GET /api/me/family")
    await cleo.ask(f"DELETE {place}", pairing_id=pairing_id)
