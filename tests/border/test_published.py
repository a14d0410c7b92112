"""Two real cells with their workers: published in `us`, seen, followed, liked and commented in
`sg`, and called back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.border.cell import WORKS
from tests.border.conftest import Cell, cell_in, peered, running, until
from tests.unit.media import films

pytestmark = [pytest.mark.xdist_group("cells"), pytest.mark.long]

PASSWORD = "seven turquoise herons"
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "content-type": "application/offset+octet-stream"}
# Films are encoded meanwhile, on a machine that others use too.
WITHIN_S = 120.0


@dataclass
class Working(Cell):
    """A cell whose worker runs."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), WORKS: "1"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cell, Cell]]:
    folder = tmp_path_factory.mktemp("working")
    us, sg = (Working(name, cell_in(folder, name).settings) for name in ("us", "sg"))
    with running(us, sg):
        asyncio.run(peered(us, sg))
        yield us, sg


async def person(cell: Cell, handle: str) -> httpx.AsyncClient:
    """A new person's browser."""
    made = httpx.AsyncClient(
        base_url=cell.settings.origin, headers={"sec-fetch-site": "same-origin"}, timeout=30
    )
    body = {
        "handle": handle, "display_name": handle.title(), "age_band": "18+", "locale": "en",
        "password": PASSWORD,
    }  # fmt: skip
    answer = await made.post("/api/sign-up", json=body)
    assert answer.status_code == 201, answer.text
    return made


async def published(who: httpx.AsyncClient, film: bytes, **fields: Any) -> dict[str, Any]:
    answer = await who.post("/api/uploads", headers={**TUS, "upload-length": str(len(film))})
    place = answer.headers["location"]
    await who.patch(place, content=film, headers={**PIECE, "upload-offset": "0"})
    body = {"upload_id": place.rsplit("/", 1)[1], "audience": "everyone", **fields}
    answer = await who.post("/api/clips", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def agree(who: httpx.AsyncClient, act: str) -> None:
    sheet = (await who.get(f"/api/me/abroad/sheets/{act}")).json()
    body = {"sha256": sheet["sha256"], "locale": "en"}
    answer = await who.put(f"/api/me/abroad/consents/{act}", json=body)
    assert answer.status_code == 200, answer.text


def listed(who: httpx.AsyncClient, path: str) -> Callable[[], Awaitable[Any]]:
    async def ask() -> Any:
        answer = await who.get(path)
        return answer.json().get("items") if answer.is_success else None

    return ask


@pytest.mark.timeout(600)
async def test_visitor_of_who_moved_lands_at_the_new_address(
    two: tuple[Cell, Cell], tmp_path: Path
) -> None:
    us, sg = two
    eve = await person(us, "eve")
    film = films.make(tmp_path / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()
    await agree(eve, "clip")
    clip = await published(eve, film, caption="Going")
    assert (await eve.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})).is_success
    new = await person(sg, "eve.sg")
    await until(listed(new, "/api/people/eve@us/clips"), WITHIN_S)
    # Here a cell's door for others is at this host, and so is its page.
    web = sg.settings.origin.replace("localhost", "127.0.0.1")
    page, link = f"{web}/@eve.sg", f"{us.settings.origin}/@eve"
    async with httpx.AsyncClient(timeout=30) as visitor:
        # What she says alone sends nobody anywhere.
        known = (await eve.get("/api/me/moved")).json()
        assert (await eve.put("/api/me/moved", json={"address": page})).is_success
        assert (await visitor.get(link)).status_code != 308

        # By the words of both cells, it does.
        former = {"known_as": known["known_as"], "known_in": known["known_in"]}
        came = (await new.put("/api/me/came-from", json=former)).json()
        said = {"address": page, "known_as": came["known_as"]}
        assert (await eve.put("/api/me/moved", json=said)).is_success

        async def sent_on() -> httpx.Response | None:
            answer = await visitor.get(link)
            return answer if answer.status_code == 308 else None

        answer = await until(sent_on, WITHIN_S)
        assert (answer.headers["location"], answer.headers["cache-control"]) == (page, "no-store")
        assert (await visitor.head(f"{link}/reposts")).headers["location"] == page
        # Who is there under the new address is she, and nobody is sent on from there.
        assert (await visitor.get(page)).status_code != 308
        shown = (await visitor.get(f"{sg.settings.origin}/api/people/eve.sg")).json()
        assert shown["display_name"] == "Eve.Sg"
        # Who has an account in the old cell sees the page, with the address on it, and so does she.
        assert (await eve.get("/@eve")).status_code != 308
        assert (await eve.get("/api/people/eve")).json()["moved_to"] == page
        # She may take it back.
        assert (await eve.delete("/api/me/moved")).is_success
        assert (await visitor.get(link)).status_code != 308
    for who in (eve, new):
        await who.aclose()


async def test_clip_is_seen_followed_liked_commented_and_called_back(
    two: tuple[Cell, Cell], tmp_path: Path
) -> None:
    us, sg = two
    ana, wei = await person(us, "ana"), await person(sg, "wei")
    film = films.make(tmp_path / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()
    await agree(ana, "clip")
    clip = await published(ana, film, caption="Low tide #herons")
    assert (await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})).is_success

    # Seen: the film there is, byte for byte, what is here.
    (seen,) = await until(listed(wei, "/api/people/ana@us/clips"), WITHIN_S)
    assert (seen["caption"], seen["author"]["handle"]) == ("Low tide #herons", "ana@us")
    (shown,) = (await ana.get("/api/people/ana/clips")).json()["items"]
    there = (await wei.get(seen["renditions"][0]["url"])).content
    assert there == (await ana.get(shown["renditions"][0]["url"])).content

    # Followed and liked: both stay there, but that somebody of sg reads her.
    assert (await wei.put("/api/people/ana@us/follow")).json() == {"follows": "yes"}
    assert (await wei.put(f"/api/clips/{seen['id']}/like")).json()["likes"] == 1

    async def read() -> Any:
        return await us.rows("SELECT peer FROM abroad.reader")

    assert await until(read, WITHIN_S) == [("sg",)]
    assert (await ana.get(f"/api/clips/{clip['id']}")).json()["likes"] == 0

    # Commented: with a yes it is here, with who said it.
    path = f"/api/clips/{seen['id']}/comments"
    made = (await wei.post(path, json={"text": "Seen from far away"})).json()
    await agree(wei, "comment")
    crossing = await wei.put(f"/api/comments/{made['id']}/reach", json={"crosses": True})
    assert crossing.status_code == 204, crossing.text
    comments = listed(ana, f"/api/clips/{clip['id']}/comments")
    (comment,) = await until(comments, WITHIN_S)
    assert (comment["text"], comment["by"]["handle"]) == ("Seen from far away", "wei@sg")

    # Called back: gone there, with a receipt that sg signed, and a trace in both logs.
    assert (await ana.delete(f"/api/clips/{clip['id']}")).is_success

    async def gone() -> bool:
        return (await wei.get(f"/api/clips/{seen['id']}")).status_code == 404

    await until(gone, WITHIN_S)

    async def settled() -> Any:
        found = (await ana.get("/api/me/crossings")).json()["items"]
        return found if all(one["state"] != "offered" for one in found) else None

    mine = await until(settled, WITHIN_S)
    assert [(one["kind"], one["state"]) for one in mine] == [
        ("gone", "crossed"),
        ("clip", "crossed"),
        ("person", "crossed"),
    ]
    for one in mine:
        receipt = (await ana.get(f"/api/me/crossings/{one['id']}/receipt")).text
        assert json.loads(receipt.split("\n")[0])["verdict"] == "accepted"

    async def logged() -> bool:
        out = {one["id"] for one in await us.entries() if one["kind"] == "out"}
        into = {one["id"] for one in await sg.entries() if one["kind"] == "in"}
        return {one["id"] for one in mine} <= out & into

    await until(logged, WITHIN_S)
    journal = (await ana.get("/api/me/journal")).json()["items"]
    assert len([one for one in journal if one["kind"] == "crossing"]) == len(mine)
    for who in (ana, wei):
        await who.aclose()
