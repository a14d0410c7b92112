"""Bringing everything along to another account."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from tests.cell.house import PASSWORD, PIECE, TUS, Browser, House, refused
from tests.cell.rights.bad_zips import packed
from tests.cell.rights.bring import bring, send
from tests.cell.rights.equal import assert_same
from tests.cell.rights.log import Log
from tests.cell.rights.support import Killed, forget
from tests.cell.rights.taken import take
from tests.conftest import later

from luciole.cell.rights import api_imports, importing
from luciole.cell.rights.imports import going

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


def picture() -> bytes:
    """A photo as a phone gives it, more or less."""
    made = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(made, "JPEG")
    return made.getvalue()


async def lived_in(house: House, person: Browser, friend: Browser, film: bytes) -> None:
    """An account with something of everything that comes along."""
    answer = await person.put("/api/me/avatar", content=picture())
    assert answer.status_code == 200, answer.text
    await person.patch("/api/me", json={"bio": "Makes films.\nNot only by day.", "locale": "fr"})
    await person.put("/api/me/contacts/email", json={"value": "ana@example.org"})
    await person.put("/api/me/contacts/phone", json={"value": "+33612345678"})
    mine = await person.clip(
        house, film, caption="First #dawn", captions_vtt=VTT, captions_language="en"
    )
    await person.clip(house, film, caption="For two", audience="friends", made_with_ai=True)
    await person.clip(house, film, caption="Alone", audience="only-me")
    theirs = await friend.clip(house, film, caption="Of a friend")
    for clip in (mine, theirs):
        assert (await person.put(f"/api/clips/{clip['id']}/like")).status_code == 200
    await person.follow(friend)
    await friend.follow(person)
    answer = await person.put(
        "/api/me/imported/suggestions", json={"handles": ["somebody.elsewhere"]}
    )
    assert answer.status_code == 204


async def test_export_erase_import_export_differs_in_identifiers_only(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await lived_in(house, ana, ben, tiny_film)
    # Signed anew, a film names all its pictures, as one that was brought does.
    async with house.db.tx() as tx:
        for row in await tx.fetch("SELECT id FROM media.asset"):
            await house.parts.queue.put(tx, "media.seal", {"asset_id": str(row["id"])})
    await house.work()
    before = await take(house, ana)
    assert (await forget(house, ana))["state"] == "erased"
    cleo = await house.person("cleo")
    done = await bring(house, cleo, before.raw)
    assert done["state"] == "done", done
    assert done["report"]["signed"] == "here"
    assert done["report"]["counts"] == {
        "account": {"taken": 1},
        "avatar": {"taken": 1},
        "clip": {"taken": 3},
        "contact": {"taken": 2},
        "follow": {"taken": 1},
        "like": {"taken": 2},
    }
    # What came is signed by the next sweep, as what was made here is.
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    after = await take(house, cleo)
    after.check()
    assert_same(before, after)


def elsewhere(files: dict[str, bytes], **more: Any) -> bytes:
    """The same export as another cell would have made it; nobody has signed it."""
    cell = {**json.loads(files["manifest.json"])["cell"], "origin": "https://far.example"}
    return packed(files, cell_id=str(uuid4()), cell=cell, **more)


async def test_export_of_another_cell(
    house: House, log: Log, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    """A handle of there says nothing about who is who here, and a clip of there is not here."""
    await lived_in(house, ana, ben, tiny_film)
    taken = await take(house, ana)
    cleo = await house.person("cleo")
    done = await bring(house, cleo, elsewhere(taken.files))
    assert done["state"] == "done", done
    assert done["report"]["signed"] == "missing"
    assert done["report"]["cell_origin"] == "https://far.example"
    counts = done["report"]["counts"]
    assert counts["clip"] == {"taken": 3}
    assert counts["follow"] == {"carried": 1}
    assert counts["like"] == {"taken": 1, "carried": 1}
    assert "graph/followers" in done["report"]["stays"]
    carried = (await cleo.get("/api/me/imported/carried")).json()
    assert [each["what"] for each in carried["follows"]] == ["ben@far.example"]
    assert carried["likes"][0]["what"].startswith("https://far.example/c/")
    assert (await cleo.get("/api/people/cleo/following")).json()["items"] == []
    # What is not in force here goes along again.
    again = await take(house, cleo)
    dora = await house.person("dora")
    assert (await bring(house, dora, elsewhere(again.files)))["state"] == "done"
    kept = (await dora.get("/api/me/imported/carried")).json()
    assert kept["follows"] == carried["follows"]
    assert carried["likes"][0] in kept["likes"]


async def test_wrong_signature_is_told(house: House, log: Log, ana: Browser, ben: Browser) -> None:
    taken = await take(house, ana)
    other = await take(house, ben)
    files = {**taken.files, "manifest.sig": other.files["manifest.sig"]}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    done = await bring(house, await house.person("cleo"), made.getvalue())
    assert done["report"]["signed"] == "wrong"


async def test_films_that_are_not_ours_are_encoded_anew(
    house: House, log: Log, ana: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, tiny_film, caption="As sent")
    taken = await take(house, ana)
    files = dict(taken.files)
    (path,) = (name for name in files if name.endswith("540.mp4"))
    files[path] = tiny_film
    cleo = await house.person("cleo")
    house.clock.advance(timedelta(minutes=5))
    done = await bring(house, cleo, packed(files))
    assert done["report"]["counts"]["clip"] == {"encoding": 1}
    (mine,) = (await cleo.get("/api/people/cleo/clips")).json()["items"]
    assert mine["state"] == "published"
    assert mine["published_at"] == clip["published_at"]
    (asset,) = await house.rows(
        "SELECT f.object_key FROM media.asset a JOIN media.file f ON f.asset_id = a.id "
        "WHERE a.owner_id = $1 AND f.kind = 'rendition'",
        await house.person_id("cleo"),
    )
    assert await house.parts.blobs.get(asset["object_key"]) != tiny_film
    # It is no news: nobody's open page hears of a new clip.
    events = await house.rows("SELECT kind FROM notify.event WHERE kind = 'new-clip'")
    assert len(events) == 1


async def test_picture_that_is_not_ours_is_made_anew(house: House, log: Log, ana: Browser) -> None:
    await ana.put("/api/me/avatar", content=picture())
    taken = await take(house, ana)
    cleo = await house.person("cleo")
    done = await bring(house, cleo, packed({**taken.files, "media/avatar.webp": picture()}))
    assert done["report"]["counts"]["avatar"] == {"taken": 1}
    made = (await cleo.get((await cleo.get("/api/me")).json()["avatar_url"])).content
    assert made[8:12] == b"WEBP"
    dora = await house.person("dora")
    spoiled = packed({**taken.files, "media/avatar.webp": b"no picture"})
    assert (await bring(house, dora, spoiled))["report"]["counts"]["avatar"] == {"left": 1}


async def test_rules_of_the_account_hold_for_what_comes_along(
    house: House, log: Log, ana: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film, caption="One", captions_vtt=VTT)
    await ana.clip(house, tiny_film, caption="Two")
    taken = await take(house, ana)
    one, two = taken.json("data/clips/clips.json")
    account = taken.json("data/people/account.json")[0]
    files = {
        **taken.files,
        one["captions"]: b"no captions",
        "data/clips/clips.json": rows(
            {**one, "published_at": "2200-01-01T00:00:00Z"}, {**two, "caption": "x" * 3_000}
        ),
        "data/people/account.json": rows({**account, "bio": "x" * 1_000}),
        "data/people/contacts.json": rows({"kind": "email", "address": "no address"}),
    }
    cleo = await house.person("cleo", age_band="16-17")
    done = await bring(house, cleo, packed(files))
    counts = done["report"]["counts"]
    assert counts["account"] == counts["contact"] == {"left": 1}
    assert counts["clip"] == {"taken": 1, "left": 1}
    (clip,) = (await cleo.get("/api/people/cleo/clips")).json()["items"]
    assert clip["captions"] is None
    assert clip["published_at"] == house.clock.now().isoformat().replace("+00:00", "Z")
    # A file does not open the account of somebody who is young, nor show their clip to everybody.
    assert (await cleo.get("/api/me")).json()["is_private"]
    refused(await house.visitor().get(f"/api/clips/{clip['id']}"), 404, "no-such-clip")
    assert clip["renditions"][0]["url"].startswith("/media/r/")


def rows(*found: Any) -> bytes:
    return b"[\n" + b",\n".join(json.dumps(row).encode() for row in found) + b"\n]\n"


async def test_upload_goes_on_after_a_broken_connection(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (api_imports, importing):
        monkeypatch.setattr(module, "PIECE_BYTES", 1_000)
    answer = await ana.post("/api/me/imports", headers={**TUS, "upload-length": "2500"})
    place = answer.headers["location"]
    raw = bytes(range(250)) * 10
    # Of a piece that is not whole nothing stays.
    answer = await ana.patch(place, content=raw[:1_700], headers={**PIECE, "upload-offset": "0"})
    assert answer.headers["upload-offset"] == "1000"
    answer = await ana.head(place, headers=TUS)
    assert (answer.headers["upload-offset"], answer.headers["upload-length"]) == ("1000", "2500")
    wrong = {**PIECE, "upload-offset": "1700"}
    refused(await ana.patch(place, content=raw[1_700:], headers=wrong), 409, "wrong-offset")
    more = {**PIECE, "upload-offset": "1000"}
    refused(await ana.patch(place, content=raw, headers=more), 413, "more-than-announced")
    answer = await ana.patch(place, content=raw[1_000:], headers=more)
    assert answer.headers["upload-offset"] == "2500"
    body = (await ana.get(place.removesuffix("/file"))).json()
    assert body["state"] == "queued"
    keys = [key async for key in house.parts.blobs.keys("imports/")]
    assert len(keys) == 3
    for key in keys:
        assert raw[:100] not in await house.parts.blobs.get(key)
    late = {**PIECE, "upload-offset": "2500"}
    refused(await ana.patch(place, content=b"x", headers=late), 409, "wrong-offset")


async def test_import_is_for_a_new_account_and_one_at_a_time(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    def length(size: int) -> dict[str, str]:
        return {**TUS, "upload-length": str(size)}

    answer = await ana.post("/api/me/imports", headers=length(1_000))
    place = answer.headers["location"]
    refused(await ana.post("/api/me/imports", headers=length(5)), 409, "import-under-way")
    refused(await ben.get(place.removesuffix("/file")), 404, "no-such-import")
    assert (await ana.delete(place.removesuffix("/file"))).status_code == 204
    assert (await ana.head(place, headers=TUS)).status_code == 404
    refused(await ana.post("/api/me/imports", headers=length(0)), 400, "bad-header")
    listed = (await ana.get("/api/me/imports")).json()
    assert listed["items"] == []
    refused(
        await ana.post("/api/me/imports", headers=length(listed["max_bytes"] + 1)),
        413,
        "import-too-large",
    )
    await ben.clip(house, tiny_film)
    refused(await ben.post("/api/me/imports", headers=length(5)), 409, "not-fresh")


async def test_upload_that_nobody_goes_on_with_is_forgotten(house: House, ana: Browser) -> None:
    answer = await ana.post(
        "/api/me/imports",
        content=b"x" * 5,
        headers={**PIECE, "upload-length": "5"},
    )
    assert answer.headers["upload-offset"] == "5"
    await house.work()
    place = answer.headers["location"].removesuffix("/file")
    assert (await ana.get(place)).json()["state"] == "refused"
    house.clock.advance(timedelta(days=7))
    ana = await signed_in(house, "ana")
    await house.parts.queue.run_periodic("rights.tidy")
    refused(await ana.get(place), 404, "no-such-import")
    assert await house.rows("SELECT id FROM rights.import") == []


async def signed_in(house: House, handle: str) -> Browser:
    again = house.visitor()
    answer = await again.post("/api/sessions", json={"handle": handle, "password": PASSWORD})
    assert answer.status_code == 201
    return again


async def test_long_import_gives_others_their_turn(
    house: House,
    log: Log,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await lived_in(house, ana, ben, tiny_film)
    taken = await take(house, ana)
    monkeypatch.setattr(going, "TURN_S", 0.0)
    cleo = await house.person("cleo")
    place = await send(cleo, taken.raw)
    import_id = place.rsplit("/", 1)[1]
    for clips in (1, 2, 3, 3):
        await house.parts.queue.run_once("rights.archive", {"import_id": import_id})
        mine = (await cleo.get("/api/people/cleo/clips")).json()["items"]
        assert len(mine) == clips
    assert (await cleo.get(place)).json()["state"] == "done"


@pytest.mark.parametrize("at", [1, later(2), later(3), 4, later(6), later(8), later(10)])
async def test_killed_worker_is_followed_by_another(
    house: House,
    log: Log,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    at: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed right after a thing was written, once before and once after its commit."""
    await lived_in(house, ana, ben, tiny_film)
    taken = await take(house, ana)
    cleo = await house.person("cleo")
    place = await send(cleo, taken.raw)
    import_id = place.rsplit("/", 1)[1]
    original, left = going.Taking.add, at

    async def add(self: Any, *args: Any) -> bool:
        nonlocal left
        added = await original(self, *args)
        left -= 1
        if left == 0:
            raise Killed
        return added

    monkeypatch.setattr(going.Taking, "add", add)
    with pytest.raises(Killed):
        await house.parts.queue.run_once("rights.archive", {"import_id": import_id})
    await house.parts.queue.run_once("rights.archive", {"import_id": import_id})
    await house.parts.queue.run_once("rights.archive", {"import_id": import_id})
    await house.work()
    done = (await cleo.get(place)).json()
    assert done["state"] == "done", done
    assert done["report"]["counts"]["clip"] == {"taken": 3}
    me = await house.person_id("cleo")
    for query, count in {
        "SELECT id FROM clips.clip WHERE author_id = $1": 3,
        "SELECT clip_id FROM clips.liked WHERE person_id = $1": 2,
        "SELECT followee_id FROM graph.follow WHERE follower_id = $1": 1,
        "SELECT n FROM custody.entry WHERE person_id = $1 AND get_byte(leaf, 1) = 5": 1,
    }.items():
        assert len(await house.rows(query, me)) == count, query
    assert [key async for key in house.parts.blobs.keys("imports/")] == []
