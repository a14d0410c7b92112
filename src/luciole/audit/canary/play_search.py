"""What the canary persons look for: every operation of search. What they type may be nowhere."""

from __future__ import annotations

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage

WITHIN_S = 60.0


async def run(stage: Stage) -> None:
    """Everybody looks for what only they know, for what everybody may see, and for what they may
    not."""
    ana, plant = stage["ana"], stage.book.plant
    tag = plant("ana", "clip.hashtag for everybody")
    await _wait_for(stage, tag)
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        secret = plant(person, "search.query")
        mine = plant("ana", "clip.caption for oneself", "Only I {}")
        for q in (secret, f"look {secret}", mine, stage.handle("ana"), f"#{tag}"):
            text = q[:100]
            await one.ask("POST /api/search", json={"q": text})
            await one.ask("POST /api/search/people", json={"q": text})
            for order in ("best", "new", "liked"):
                await one.ask("POST /api/search/clips", json={"q": text, "order": order})
        for order in ("new", "liked"):
            page = "GET /api/hashtags/{tag}/clips"
            await one.ask(page, tag=tag, query={"order": order})
        await one.ask("GET /api/hashtags/{tag}", tag=tag)
        await one.ask("GET /api/trends")
    found = await ana.ask("POST /api/search/clips", json={"q": tag})
    if [clip["id"] for clip in found.json()["items"]] != [stage.ids["open"]]:
        raise Stale("the clip that everybody may see is not found by its hashtag")


async def _wait_for(stage: Stage, tag: str) -> None:
    """Until the worker has read what was published."""

    async def is_there() -> bool:
        found = await stage["ana"].ask("POST /api/search/clips", json={"q": tag})
        return bool(found.json()["items"])

    await stage.until("a clip that everybody may see is found", is_there, WITHIN_S)
