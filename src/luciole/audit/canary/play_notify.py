"""What the canary persons want to be told, and a device that they want woken."""

from __future__ import annotations

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import Stage

# Nobody listens there: what the gateway would send stays on this machine.
PUSH_SERVICE = "http://127.0.0.1:1"
WISHES = "/api/notifications/settings"


async def run(stage: Stage) -> None:
    """ana has a device woken, dan takes that back and wants a digest, eve no likes."""
    ana, dan, eve = (stage[person] for person in ("ana", "dan", "eve"))
    address = stage.book.plant("ana", "push.endpoint", f"{PUSH_SERVICE}/{{}}")
    await ana.ask("PUT /api/me/push", json={"endpoint": address, "offset_minutes": 0})
    now = (await ana.ask("GET /api/me/push")).json()
    if not (now["is_offered"] and now["is_on"]):
        raise Stale("a device that was to be woken is not")
    await dan.ask(f"PATCH {WISHES}", json={"digest_at": 7, "offset_minutes": 0})
    await dan.ask("PUT /api/me/push", json={"endpoint": f"{PUSH_SERVICE}/dan", "offset_minutes": 0})
    await dan.ask("DELETE /api/me/push")
    await eve.ask("PUT /api/notifications/kinds/{kind}", kind="like", json={"is_on": False})
    for one in (ana, dan, eve):
        await one.ask(f"GET {WISHES}")
