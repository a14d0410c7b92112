"""What the canary persons keep and pass on, and their sounds: every operation of both."""

from __future__ import annotations

from luciole.audit.canary import things
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage

# The sweep that finds such films comes once a minute.
SILENT_S = 200
# A second of one's own, half of one of another person's.
ALONE_MS = 1200
ANY = (200, 401, 403, 404)
ONE = "/api/collections/{collection_id}"
SOUND = "/api/sounds/{sound_id}"


async def run(stage: Stage) -> None:
    """dan keeps ana's open clip in two collections, passes it on, and likes for all to see."""
    ana, dan = stage["ana"], stage["dan"]
    ids, plant = stage.ids, stage.book.plant
    favourite = "PUT /api/clips/{clip_id}/favourite"
    await dan.ask(favourite, clip_id=ids["open"])
    await dan.ask("PUT /api/clips/{clip_id}/repost", clip_id=ids["open"])
    for name, is_public in (("oneself", False), ("everybody", True)):
        called = plant("dan", f"collection.name for {name}", "My {}")
        made = await dan.ask(
            "POST /api/me/collections", json={"name": called, "is_public": is_public}
        )
        ids[f"collection for {name}"] = made.json()["id"]
        place = {"collection_id": made.json()["id"], "clip_id": ids["open"]}
        await dan.ask(f"PUT {ONE}/clips/{{clip_id}}", **place)
    await dan.ask(f"PATCH {ONE}", collection_id=ids["collection for oneself"], json={})
    await dan.ask("PUT /api/me/shown-likes", json={"shows_likes": True})
    await dan.ask("GET /api/me/shown-likes")
    await dan.ask("GET /api/me/favourites")
    await dan.ask("GET /api/me/collections", query={"clip": ids["open"]})
    seen = await ana.ask("GET /api/clips/{clip_id}", clip_id=ids["open"])
    ids["sound"] = seen.json()["sound"]["id"]
    named = {"name": plant("ana", "sound.name", "Rain {}")}
    await ana.ask(f"PATCH {SOUND}", sound_id=ids["sound"], json=named)
    await _look(stage)
    await _borrow(stage)
    await _quote(stage)
    place = {"collection_id": ids["collection for oneself"], "clip_id": ids["open"]}
    await dan.ask(f"DELETE {ONE}/clips/{{clip_id}}", **place)
    given_up = await dan.ask("POST /api/me/collections", json={"name": "Given up"})
    await dan.ask(f"DELETE {ONE}", collection_id=given_up.json()["id"])
    cleo = stage["cleo"]
    for part in ("favourite", "repost"):
        await cleo.ask(f"PUT /api/clips/{{clip_id}}/{part}", clip_id=ids["open"])
        await cleo.ask(f"DELETE /api/clips/{{clip_id}}/{part}", clip_id=ids["open"])


async def _borrow(stage: Stage) -> None:
    """dan makes a clip with a sound of eve, who deletes hers: his falls silent."""
    dan, eve = stage["dan"], stage["eve"]
    loud = things.film(stage.folder / "film.mp4", stage.book, "eve")
    first = await stage.clip("eve", loud, audience="everyone", lets_reuse=True)
    seen = await eve.ask("GET /api/clips/{clip_id}", clip_id=first)
    sound_id = seen.json()["sound"]["id"]
    film = things.film(stage.folder / "film.mp4", stage.book, "dan")
    made = await stage.clip("dan", film, audience="everyone", sound_id=sound_id, sound_mode="mix")
    await eve.ask("DELETE /api/clips/{clip_id}", clip_id=first)

    async def is_silent() -> bool:
        answer = await dan.ask("GET /api/clips/{clip_id}", clip_id=made)
        return not answer.json()["has_audio"]

    await stage.until("a clip with a deleted sound is silent", is_silent, SILENT_S)
    await dan.ask("DELETE /api/clips/{clip_id}", clip_id=made)


async def _quote(stage: Stage) -> None:
    """dan makes a clip from one of eve's; she takes that back, and hers is cut out of his."""
    dan, eve = stage["dan"], stage["eve"]
    film = things.film(stage.folder / "film.mp4", stage.book, "eve")
    first = await stage.clip("eve", film, audience="everyone", lets_quote=True)
    await eve.ask("PUT /api/me/quotes", json={"lets_quote": True})
    await eve.ask("GET /api/me/quotes")
    place = "/api/clips/{clip_id}/quotes"
    film = things.film(stage.folder / "film.mp4", stage.book, "dan")
    made = await stage.clip(
        "dan",
        film,
        audience="everyone",
        made_from={"clip_id": first, "how": "stitch", "end_ms": 500},
    )
    await eve.ask(f"PUT {place}", clip_id=first, json={"lets_quote": False})
    await eve.ask(f"GET {place}", clip_id=first)

    async def is_alone() -> bool:
        answer = await dan.ask("GET /api/clips/{clip_id}", clip_id=made)
        return (answer.json()["duration_ms"] or 0) < ALONE_MS

    await stage.until("a clip has nothing of another any more", is_alone, SILENT_S)
    for person, clip in (("dan", made), ("eve", first)):
        await stage[person].ask("DELETE /api/clips/{clip_id}", clip_id=clip)


async def _look(stage: Stage) -> None:
    """Everybody looks at everything, also at what is not for them."""
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        for other in ("ana", "ben", "dan"):
            for part in ("reposts", "likes", "collections"):
                operation = f"GET /api/people/{{handle}}/{part}"
                await one.ask(operation, handle=stage.handle(other), expect=ANY)
        for name in ("oneself", "everybody"):
            for part in ("", "/clips"):
                place = stage.ids[f"collection for {name}"]
                await one.ask(f"GET {ONE}{part}", collection_id=place, expect=ANY)
        for part in ("", "/clips"):
            await one.ask(f"GET {SOUND}{part}", sound_id=stage.ids["sound"], expect=ANY)
