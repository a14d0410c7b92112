"""What the canary persons do to keep others away, and for whom their clips are."""

from __future__ import annotations

from luciole.audit.canary import things
from luciole.audit.canary.stage import PERSONS, VISITOR, Stage

ANY_STATUS = (200, 404)
DISTANCES = ("block", "mute", "restriction")


async def run(stage: Stage) -> None:
    """flo keeps eve away in every way, ana shares with a list, ben shows little of the past."""
    flo, eve, handle = stage["flo"], stage["eve"], stage.handle("eve")
    for distance in DISTANCES:
        keep = "PUT /api/people/{handle}/away/{distance}"
        await flo.ask(keep, handle=handle, distance=distance)
        await flo.ask("GET /api/me/away/{distance}", distance=distance)
    look = "GET /api/people/{handle}"
    await flo.ask(look, handle=handle)
    await eve.ask(look, handle=stage.handle("flo"), expect=(404,))
    end = "DELETE /api/people/{handle}/away/{distance}"
    await flo.ask(end, handle=handle, distance="block")
    await stage["ana"].ask("GET /api/me/friends")
    await _circles(stage)
    await _lists(stage)
    ben = stage["ben"]
    await ben.ask("PUT /api/me/past-clips", json={"days": 30})
    await ben.ask("GET /api/me/past-clips")


async def _circles(stage: Stage) -> None:
    """One is kept, so that its name is there when the cell is looked through."""
    ana, circles = stage["ana"], []
    name = stage.book.plant("ana", "circle.name", "Circle {}")
    for handles in ([stage.handle("cleo")], []):
        body = {"name": name, "handles": handles}
        circles.append((await ana.ask("POST /api/me/circles", json=body)).json()["id"])
    path = "/api/me/circles/{circle_id}"
    body = {"name": name, "handles": [stage.handle("cleo"), stage.handle("dan")]}
    await ana.ask(f"PUT {path}", circle_id=circles[0], json=body)
    await ana.ask(f"DELETE {path}", circle_id=circles[1])
    await ana.ask("GET /api/me/circles")


async def _lists(stage: Stage) -> None:
    """A clip for cleo alone among ana's friends, for which everybody looks."""
    film = things.film(stage.folder / "film.mp4", stage.book, "ana")
    caption = stage.book.plant("ana", "clip.caption for a list")
    shared = {"kind": "share-with", "handles": [stage.handle("cleo")]}
    listed = await stage.clip(
        "ana", film, caption=caption, audience="friends", audience_list=shared
    )
    await stage["ana"].ask("GET /api/clips/{clip_id}/audience", clip_id=listed)
    for person in (*PERSONS, VISITOR):
        one = stage[person]
        await one.ask("GET /api/clips/{clip_id}", clip_id=listed, expect=ANY_STATUS)
        grid = "GET /api/people/{handle}/clips"
        await one.ask(grid, handle=stage.handle("ana"), expect=ANY_STATUS)
