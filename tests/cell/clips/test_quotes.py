"""Duets and stitches: who may make them, what they show, what is left when the first clip goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cell.clips.test_edits import fetched
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import DE, FR, withhold
from tests.cell.notices.test_everywhere import blocked, elsewhere
from tests.unit.media import films
from tests.unit.media.test_editing import frames

from luciole.cell.media import fence
from luciole.cell.notices.model import What

pytestmark = pytest.mark.skipif(
    not fence.available().is_enough, reason="nothing is decoded without a fence"
)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(path: Path, colour: str, tone: int, seconds: float) -> bytes:
    films.run(
        "-f", "lavfi", "-i", f"color={colour}:s=180x320:r=25:d={seconds}",
        "-f", "lavfi", "-i", f"sine={tone}:d={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    return path.read_bytes()


@pytest.fixture(scope="session")
def red(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return plain(tmp_path_factory.mktemp("red") / "film.mp4", "red", 440, 2.0)


@pytest.fixture(scope="session")
def blue(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return plain(tmp_path_factory.mktemp("blue") / "film.mp4", "blue", 880, 1.6)


def is_like(found: list[int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(found, wanted, strict=True))


async def rendition(viewer: Browser, clip: dict[str, Any], folder: Path) -> Path:
    return await fetched(viewer, clip["renditions"][0]["url"], folder / "film.mp4")


async def lapse(house: House) -> None:
    for _ in range(2):
        await house.parts.queue.run_periodic("clips.lapse")
        await house.parts.queue.run_periodic("media.sweep")
        await house.work()


def wish(first: dict[str, Any], how: str, **fields: Any) -> dict[str, Any]:
    return {"clip_id": first["id"], "how": how, **fields}


async def test_duet_shows_both_and_says_whose_the_other_one_is(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes, tmp_path: Path
) -> None:
    first = await ana.clip(house, red)
    assert (await ben.get(f"/api/clips/{first['id']}")).json()["viewer"]["may_quote"] is True
    made = await ben.clip(house, blue, made_from=wish(first, "duet"))
    assert made["state"] == "published"
    assert (made["made_from"]["how"], made["made_from"]["by"]["handle"]) == ("duet", "ana")
    assert made["made_from"]["clip_id"] == first["id"]
    # As long as the shorter one, twice as wide, and no sound that others could take.
    assert abs(made["duration_ms"] - 1600) <= 60
    assert made["width"] > made["height"]
    assert (made["has_audio"], made["sound"]) == (True, None)
    film = await rendition(ben, made, tmp_path)
    for at_s in (0.1, 1.4):
        pixels = films.frame(film, at_s, size="16:1")
        assert is_like(pixels[3:6], BLUE)
        assert is_like(pixels[-6:-3], RED)
    # It cannot be quoted again: what is gone would live on in the third.
    assert made["viewer"]["may_quote"] is False
    draft = await ana.draft(blue, made_from=wish(made, "duet"))
    refused(await ana.post("/api/clips", json=draft), 403, "not-quotable")
    # And it stays in its region.
    answer = await ben.put(f"/api/clips/{made['id']}/reach", json={"reach": "cells"})
    refused(answer, 409, "quote-stays")


async def test_stitch_begins_with_the_part_that_was_chosen(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes, tmp_path: Path
) -> None:
    first = await ana.clip(house, red)
    made = await ben.clip(
        house, blue, made_from=wish(first, "stitch", start_ms=200, end_ms=1200), cover_ms=1500
    )
    assert made["state"] == "published"
    assert abs(made["duration_ms"] - 2600) <= 60
    film = await rendition(ben, made, tmp_path)
    moments = (0, 12, 22, 24, 25, 26, 40, 60)
    times = [max(0, at - 0.3) / 25 for at in moments]
    seen = [is_like(films.frame(film, at_s, size="1:1"), RED) for at_s in times]
    assert seen == [at < 25 for at in moments]
    # The cover is a moment of one's own.
    poster = await fetched(ben, made["poster_url"], tmp_path / "poster.webp")
    assert is_like(films.frame(poster, size="1:1"), BLUE)


async def test_stitch_takes_at_most_five_seconds_of_what_is_there(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes
) -> None:
    first = await ana.clip(house, red)
    draft = await ben.draft(blue)
    for fields in ({"end_ms": 60_000}, {"end_ms": 100}, {"start_ms": 1900}, {"start_ms": 5000}):
        body = {**draft, "made_from": wish(first, "stitch", **fields)}
        refused(await ben.post("/api/clips", json=body), 400, "bad-quote")
    sound = first["sound"]["id"]
    body = {**draft, "made_from": wish(first, "duet"), "sound_id": sound}
    refused(await ben.post("/api/clips", json=body), 400, "bad-quote")
    assert (await ben.post("/api/clips", json=draft)).status_code == 201


async def test_permission_is_asked_of_clip_and_account(
    house: House, ana: Browser, ben: Browser, red: bytes
) -> None:
    first = await ana.clip(house, red)
    draft = {**await ben.draft(red), "made_from": wish(first, "duet")}
    place = f"/api/clips/{first['id']}/quotes"

    async def refused_to_ben() -> None:
        seen = (await ben.get(f"/api/clips/{first['id']}")).json()
        assert seen["viewer"]["may_quote"] is False
        refused(await ben.post("/api/clips", json=draft), 403, "not-quotable")

    assert (await ana.get("/api/me/quotes")).json() == {"lets_quote": True}
    await ana.put("/api/me/quotes", json={"lets_quote": False})
    await refused_to_ben()
    # What is said of one clip goes before what is said of all.
    assert (await ana.put(place, json={"lets_quote": True})).json() == {"lets_quote": True}
    assert (await ben.get(f"/api/clips/{first['id']}")).json()["viewer"]["may_quote"] is True
    await ana.put(place, json={"lets_quote": False})
    await ana.put("/api/me/quotes", json={"lets_quote": True})
    await refused_to_ben()
    await ana.put(place, json={"lets_quote": None})
    assert (await ana.get(place)).json() == {"lets_quote": None}
    assert (await ben.post("/api/clips", json=draft)).status_code == 201
    refused(await ben.put(place, json={"lets_quote": True}), 404, "no-such-clip")
    refused(await house.visitor().put(place, json={"lets_quote": True}), 401, "not-signed-in")


async def test_clips_for_some_and_of_those_kept_apart_are_not_quoted(
    house: House, ana: Browser, ben: Browser, red: bytes
) -> None:
    await ana.follow(ben)
    await ben.follow(ana)
    friends = await ana.clip(house, red, audience="friends")
    draft = await ben.draft(red)
    refused(
        await ben.post("/api/clips", json={**draft, "made_from": wish(friends, "duet")}),
        403,
        "not-quotable",
    )
    first = await ana.clip(house, red)
    async with house.db.tx() as tx:
        ids = [await house.person_id(name) for name in ("ana", "ben")]
        await house.parts.graph.block(tx, *ids)
    refused(
        await ben.post("/api/clips", json={**draft, "made_from": wish(first, "duet")}),
        404,
        "no-such-clip",
    )


async def test_nobody_quotes_minors(house: House, ana: Browser, red: bytes) -> None:
    cleo = await house.person("cleo", age_band="16-17")
    # Open to everybody, which theirs are not unless they say so.
    await house.rows(
        "UPDATE people.person SET is_private = false WHERE handle = 'cleo' RETURNING 1"
    )
    first = await cleo.clip(house, red, lets_quote=True)
    draft = await ana.draft(red, made_from=wish(first, "stitch"))
    refused(await ana.post("/api/clips", json=draft), 403, "not-quotable")
    place = f"/api/clips/{first['id']}/quotes"
    for wanted in (True, None):
        refused(await cleo.put(place, json={"lets_quote": wanted}), 403, "quotes-closed")
    refused(await cleo.put("/api/me/quotes", json={"lets_quote": True}), 403, "quotes-closed")
    assert (await cleo.get("/api/me/quotes")).json() == {"lets_quote": False}
    refused(await ana.post("/api/clips", json=draft), 403, "not-quotable")


@pytest.mark.parametrize("goes", ["deleted", "taken back", "narrowed", "blocked", "erased"])
async def test_duet_keeps_ones_own_half_when_the_first_clip_goes(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes, tmp_path: Path, goes: str
) -> None:
    first = await ana.clip(house, red)
    made = await ben.clip(house, blue, made_from=wish(first, "duet"))
    ids = [await house.person_id(name) for name in ("ana", "ben")]
    if goes == "deleted":
        await ana.delete(f"/api/clips/{first['id']}")
    elif goes == "taken back":
        await ana.put(f"/api/clips/{first['id']}/quotes", json={"lets_quote": False})
    elif goes == "narrowed":
        await ana.patch(f"/api/clips/{first['id']}", json={"audience": "friends"})
    elif goes == "blocked":
        async with house.db.tx() as tx:
            await house.parts.graph.block(tx, *ids)
    else:
        await house.rows("DELETE FROM clips.clip WHERE author_id = $1 RETURNING id", ids[0])
        await house.rows("DELETE FROM media.asset WHERE owner_id = $1 RETURNING id", ids[0])
    await lapse(house)
    now = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert (now["state"], now["has_audio"], now["made_from"]) == ("published", False, None)
    assert now["width"] < now["height"]
    film = await rendition(ben, now, tmp_path)
    assert is_like(films.frame(film, 0.5, size="1:1"), BLUE)
    assert "Audio" not in films.described(film)
    poster = await fetched(ben, now["poster_url"], tmp_path / "poster.webp")
    assert is_like(films.frame(poster, size="1:1"), BLUE)
    for old in (made["renditions"][0]["url"], made["poster_url"]):
        refused(await ben.get(old), 404, "no-such-file")
    rows = await house.rows("SELECT quoted_asset_id, quote_how FROM media.asset")
    assert {tuple(row) for row in rows} == {(None, None)}
    assert now["viewer"]["may_quote"] is False


async def test_stitch_keeps_ones_own_part_with_its_sound(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes, tmp_path: Path
) -> None:
    first = await ana.clip(house, red)
    made = await ben.clip(house, blue, made_from=wish(first, "stitch", end_ms=1000))
    await ana.delete(f"/api/clips/{first['id']}")
    await lapse(house)
    now = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert (now["state"], now["has_audio"], now["made_from"]) == ("published", True, None)
    assert 1450 <= now["duration_ms"] <= 1650
    film = await rendition(ben, now, tmp_path)
    assert len(frames(film)) <= 40
    assert all(is_like(films.frame(film, at, size="1:1"), BLUE) for at in (0.0, 0.2, 1.3))
    stills = await house.rows("SELECT at_ms FROM media.still")
    assert len(stills) == 2


async def test_first_clip_that_goes_before_the_other_is_made_refuses_it(
    house: House, ana: Browser, ben: Browser, red: bytes
) -> None:
    first = await ana.clip(house, red)
    answer = await ben.post(
        "/api/clips", json=await ben.draft(red, made_from=wish(first, "stitch"))
    )
    await ana.delete(f"/api/clips/{first['id']}")
    await house.work()
    made = (await ben.get(f"/api/clips/{answer.json()['id']}")).json()
    assert (made["state"], made["refusal"]["code"]) == ("refused", "first-gone")


async def test_borrowed_sound_of_the_first_clip_is_not_passed_on(
    house: House, ana: Browser, ben: Browser, red: bytes, blue: bytes, tmp_path: Path
) -> None:
    dan = await house.person("dan")
    sound = (await dan.clip(house, red))["sound"]["id"]
    first = await ana.clip(house, red, sound_id=sound)
    made = await ben.clip(house, blue, made_from=wish(first, "duet"), edit={"is_muted": True})
    assert (made["state"], made["has_audio"]) == ("published", False)


async def test_credit_is_hidden_from_who_may_not_see_the_first_clip(
    house: House, ana: Browser, ben: Browser, red: bytes
) -> None:
    first = await ana.clip(house, red)
    made = await ben.clip(house, red, made_from=wish(first, "stitch"))
    dan = await house.person("dan")
    assert (await dan.get(f"/api/clips/{made['id']}")).json()["made_from"] is not None
    async with house.db.tx() as tx:
        await house.parts.graph.block(
            tx, await house.person_id("ana"), await house.person_id("dan")
        )
    assert (await dan.get(f"/api/clips/{made['id']}")).json()["made_from"] is None


@pytest.mark.parametrize("what", ["clip", "person"])
async def test_what_is_made_from_a_withheld_clip_is_withheld_there_too(
    house: House, ana: Browser, ben: Browser, red: bytes, what: What
) -> None:
    first = await ana.clip(house, red)
    made = await ben.clip(house, red, made_from=wish(first, "stitch"))
    notice = await withhold(house, what, first["id"] if what == "clip" else "ana")
    film = made["renditions"][0]["url"]
    for place in (f"/api/clips/{made['id']}", film):
        blocked(await house.visitor(**FR).get(place), notice)
        assert (await house.visitor(**DE).get(place)).status_code == 200
    # Its own author keeps it, and nothing is cut out: the order may end.
    assert (await elsewhere(house, ben, FR).get(f"/api/clips/{made['id']}")).status_code == 200
    await house.parts.queue.run_periodic("clips.lapse")
    rows = await house.rows("SELECT 1 FROM media.asset WHERE quoted_asset_id IS NOT NULL")
    assert len(rows) == 1
