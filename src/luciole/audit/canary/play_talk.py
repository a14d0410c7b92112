"""What the canary persons say to each other under clips: every operation of conversation."""

from __future__ import annotations

from luciole.audit.canary.browser import Stale
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage

COMMENTS = "/api/clips/{clip_id}/comments"
ONE = "/api/comments/{comment_id}"
ANY = (200, 401, 403, 404)
# An ordinary word, so that a comment that waits holds nobody's mark but its writer's.
FILTERED = "nasty"


async def run(stage: Stage) -> None:
    """dan comments for everybody and once with a word of ana's filter, cleo among friends."""
    ana, dan, cleo = (stage[person] for person in ("ana", "dan", "cleo"))
    ids, plant = stage.ids, stage.book.plant
    words = [FILTERED, plant("ana", "conversation.filter word")]
    await ana.ask("PATCH /api/me/conversation", json={"filter_words": words})
    await ana.ask("GET /api/me/conversation")
    open_to_all = plant("dan", "comment.for everybody", f"@{stage.handle('ana')} look {{}}")
    said = await dan.ask(f"POST {COMMENTS}", clip_id=ids["open"], json={"text": open_to_all})
    ids["said"] = said.json()["id"]
    among = plant("cleo", "comment.among friends")
    made = await cleo.ask(f"POST {COMMENTS}", clip_id=ids["friends"], json={"text": among})
    ids["among"] = made.json()["id"]
    await ana.ask(
        f"POST {COMMENTS}", clip_id=ids["open"], json={"text": "Yes", "reply_to": ids["said"]}
    )
    approved = await dan.ask(
        f"POST {COMMENTS}", clip_id=ids["open"], json={"text": f"One more {FILTERED} word"}
    )
    waiting = plant("dan", "comment.waiting", f"{FILTERED} {{}}")
    held = await dan.ask(f"POST {COMMENTS}", clip_id=ids["open"], json={"text": waiting})
    if [one["held_for"] for one in (said.json(), held.json())] != [None, "words"]:
        raise Stale("the filter holds what it should not, or does not hold what it should")
    await ana.ask(f"PUT {ONE}/approval", comment_id=approved.json()["id"])
    await ana.ask("GET /api/me/comments/held")
    await dan.ask("GET /api/me/comments")
    await dan.ask("GET /api/me/mentionable", query={"begins": stage.handle("ana")[:6]})
    await ana.ask(f"PUT {ONE}/pin", comment_id=ids["said"])
    await ana.ask(f"PUT {ONE}/like", comment_id=ids["said"])
    await _read(stage, held.json()["id"])
    await ana.ask(f"DELETE {ONE}/pin", comment_id=ids["said"])
    await ana.ask(f"DELETE {ONE}/like", comment_id=ids["said"])
    await dan.ask(f"DELETE {ONE}", comment_id=approved.json()["id"])


async def _read(stage: Stage, held_id: str) -> None:
    """Everybody reads everything, also what is not for them."""
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        for clip in ("open", "friends", "hidden"):
            for order in ("best", "new"):
                await one.ask(
                    f"GET {COMMENTS}",
                    clip_id=stage.ids[clip],
                    query={"order": order},
                    expect=ANY,
                )
            await one.ask(
                f"GET {COMMENTS}/since/{{comment_id}}",
                clip_id=stage.ids[clip],
                comment_id=stage.ids["said"],
                expect=ANY,
            )
        for comment_id in (stage.ids["said"], stage.ids["among"], held_id):
            for part in ("", "/replies"):
                await one.ask(f"GET {ONE}{part}", comment_id=comment_id, expect=ANY)
