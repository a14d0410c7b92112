"""What the canary persons do in For You: every operation of it, without a profile and with one."""

from __future__ import annotations

from typing import Any

from luciole.audit.canary.browser import Browser, Stale
from luciole.audit.canary.stage import VISITOR, Stage

FOR_YOU = "/api/feeds/for-you"


async def run(stage: Stage) -> None:
    """dan has no profile, eve lets the cell learn, a visitor looks on."""
    for operation in ("weights", "how"):
        await stage[VISITOR].ask(f"GET {FOR_YOU}/{operation}")
    eve = stage["eve"]
    await eve.ask(f"PUT {FOR_YOU}/mode", json={"mode": "learning"})
    for person in ("dan", "eve", VISITOR):
        await _watch(stage[person], stage.ids["open"])
    await eve.ask(f"GET {FOR_YOU}/settings")
    for kind in ("hashtag", "clips"):
        await eve.ask(f"DELETE {FOR_YOU}/hidden", query={"kind": kind})
    await eve.ask(f"POST {FOR_YOU}/reset")
    # And once more, so that something is kept when the cell is looked through.
    await _watch(eve, stage.ids["open"])


async def _watch(one: Browser, clip_id: str) -> None:
    """Looks at a page, reports what a viewer may do with a clip, and asks why it is there."""
    page = (await one.ask(f"GET {FOR_YOU}", query={"limit": "30"})).json()
    found = [at for at, item in enumerate(page["items"]) if item["id"] == clip_id]
    if not found:
        raise Stale("For You does not have the clip that everybody may see")
    (at,) = found
    slot, hashtags = page["slots"][at], page["items"][at]["hashtags"]

    def signal(kind: str, **more: Any) -> dict[str, Any]:
        return {"page": page["page"], "slot": slot, "kind": kind, **more}

    told = [signal("shown"), signal("watched", ms=300), signal("liked"), signal("not-interested")]
    told += [signal("hid-hashtag", hashtag=hashtag) for hashtag in hashtags]
    answer = await one.ask(f"POST {FOR_YOU}/signals", json={"signals": told})
    if answer.json()["refused"]:
        raise Stale("a signal about a clip that was shown is refused")
    why = f"GET {FOR_YOU}/pages/{{page_id}}/{{slot}}/why"
    await one.ask(why, page_id=page["page"], slot=str(slot))
