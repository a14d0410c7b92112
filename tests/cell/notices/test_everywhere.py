"""What an order withholds in a country is closed there by every way, and open everywhere else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.media import test_avatar
from tests.cell.notices.court import DE, FR, Pools, lift, withhold
from tests.cell.test_apart_everywhere import Scene, scene  # noqa: F401 - a fixture

from luciole.cell.notices.model import Notice
from luciole.kit.ids import new_id


def blocked(answer: httpx.Response, notice: Notice) -> None:
    """Asserts a 451 that leads to its notice (RFC 7725)."""
    assert answer.status_code == 451, (answer.status_code, answer.text[:200])
    link = answer.headers["link"]
    assert '<http://localhost:8080>; rel="blocked-by"' in link
    assert f'<http://localhost:8080/notices/{notice.id}>; rel="describedby"' in link
    assert answer.headers["cache-control"] in ("no-store", "private, no-store")


async def met(viewer: Browser, made: Scene) -> set[str]:
    """Every place where a viewer meets Ana's clip."""
    clip_id, sound = made.clip["id"], made.clip["sound_id"]
    asked: dict[str, tuple[str, str, dict[str, Any] | None]] = {
        "grid": ("GET", "/api/people/ana/clips", None),
        "favourites": ("GET", "/api/me/favourites", None),
        "liked by ben": ("GET", "/api/people/ben/likes", None),
        "reposts of carl": ("GET", "/api/people/carl/reposts", None),
        "following": ("GET", "/api/feeds/following", None),
        "friends": ("GET", "/api/feeds/friends", None),
        "latest": ("GET", "/api/feeds/latest", None),
        "for you": ("GET", "/api/feeds/for-you", None),
        "search": ("POST", "/api/search", {"q": "seaside"}),
        "search clips": ("POST", "/api/search/clips", {"q": "seaside"}),
        "hashtag": ("GET", "/api/hashtags/seaside/clips", None),
        "sound": ("GET", f"/api/sounds/{sound}", None),
        "clips of the sound": ("GET", f"/api/sounds/{sound}/clips", None),
    }
    found = set()
    for place, (method, path, body) in asked.items():
        answer = await viewer.request(method, path, json=body)
        assert answer.status_code in (200, 201, 404, 451), (place, answer.text)
        if answer.is_success and clip_id in answer.text:
            found.add(place)
    return found


def elsewhere(house: House, browser: Browser, place: dict[str, str]) -> Browser:
    """The same person's browser, in a country."""
    return house.visitor(authorization=f"Bearer {browser.token}", **place)


@pytest_asyncio.fixture(loop_scope="session")
async def kept(scene: Scene) -> Scene:  # noqa: F811
    """Ben keeps, collects and shows what he likes; he is a friend of Ana's."""
    ben, clip_id = scene.ben, scene.clip["id"]
    made = (await ben.post("/api/me/collections", json={"name": "Sea", "is_public": True})).json()
    assert (await ben.put(f"/api/collections/{made['id']}/clips/{clip_id}")).is_success
    assert (await ben.put("/api/me/shown-likes", json={"shows_likes": True})).is_success
    return scene


async def test_clip_is_closed_there_by_every_way_and_open_elsewhere(kept: Scene) -> None:
    house, clip = kept.house, kept.clip
    there, else_ = elsewhere(house, kept.ben, FR), elsewhere(house, kept.ben, DE)
    before = await met(there, kept)
    assert len(before) >= 12, before
    notice = await withhold(house, "clip", clip["id"])
    assert await met(there, kept) == set()
    assert await met(else_, kept) == before
    path = f"/api/clips/{clip['id']}"
    urls = [each["url"] for each in clip["renditions"]] + [clip["poster_url"]]
    for visitor in (there, house.visitor(**FR)):
        for place in (path, f"{path}/captions.vtt", f"{path}/comments", *urls):
            blocked(await visitor.get(place), notice)
        for url in urls:
            blocked(await visitor.head(url), notice)
            blocked(await visitor.get(url, headers={"range": "bytes=0-9"}), notice)
            etag = (await else_.get(url)).headers["etag"]
            blocked(await visitor.get(url, headers={"if-none-match": etag}), notice)
    for act in ("like", "favourite", "repost"):
        blocked(await there.put(f"{path}/{act}"), notice)
    blocked(await there.post(f"{path}/comments", json={"text": "Hello"}), notice)
    assert (await else_.get(urls[0], headers={"range": "bytes=0-9"})).status_code == 206
    # What others said there is not read by its own address either.
    said = (await else_.get(f"{path}/comments")).json()["items"][0]["id"]
    blocked(await there.get(f"/api/comments/{said}/replies"), notice)
    assert clip["id"] not in (await there.get("/api/people/ben/collections")).text
    await lift(house, notice)
    assert await met(there, kept) == before


async def test_person_is_closed_there_by_every_way(kept: Scene) -> None:
    house = kept.house
    there, else_ = elsewhere(house, kept.ben, FR), elsewhere(house, kept.ben, DE)
    # Notifications stay: they tell what was done to Ben, by a name, and show nothing published.
    before = await kept.found(there)
    notice = await withhold(house, "person", "@Ana")
    found = await kept.found(there, may_be=(451,))
    assert found <= {"followed by carl", "notifications"}, found
    assert await met(there, kept) == set()
    assert await kept.found(else_) == before
    for path in (
        "/api/people/ana",
        "/api/people/ana/clips",
        "/api/people/ana/reposts",
        "/api/people/ana/collections",
        "/api/people/ana/likes",
        "/api/people/ana/followers",
        "/api/people/ana/following",
        f"/api/clips/{kept.clip['id']}",
        kept.clip["renditions"][0]["url"],
    ):
        blocked(await there.get(path), notice)


async def test_avatar_of_who_is_withheld_is_closed(house: House, ana: Browser) -> None:
    png = {"content-type": "image/png"}
    answer = await ana.put("/api/me/avatar", content=test_avatar.png(), headers=png)
    assert answer.is_success, answer.text
    url = (await ana.get("/api/people/ana")).json()["avatar_url"]
    notice = await withhold(house, "person", "ana")
    blocked(await house.visitor(**FR).get(url), notice)
    assert (await house.visitor(**DE).get(url)).status_code == 200
    mine = elsewhere(house, ana, FR)
    assert (await mine.get(url)).headers["cache-control"] == "private, no-store"


async def test_whoever_is_withheld_sees_and_keeps_what_is_theirs(kept: Scene) -> None:
    house, clip = kept.house, kept.clip
    await withhold(house, "person", "ana")
    mine = elsewhere(house, kept.ana, FR)
    assert (await mine.get(f"/api/clips/{clip['id']}")).status_code == 200
    assert clip["id"] in (await mine.get("/api/people/ana/clips")).text
    film = await mine.get(clip["renditions"][0]["url"])
    assert (film.status_code, film.headers["cache-control"]) == (200, "private, no-store")
    assert (await mine.patch(f"/api/clips/{clip['id']}", json={"caption": "Mine"})).is_success
    assert (await mine.delete(f"/api/clips/{clip['id']}")).is_success


@pytest.mark.parametrize(
    ("header", "is_blocked"),
    [({}, True), ({"x-country": "XX"}, True), ({"x-country": "nonsense"}, True), (DE, False)],
)
async def test_without_a_known_country_the_jurisdiction_counts(
    house: House, ana: Browser, tiny_film: bytes, header: dict[str, str], is_blocked: bool
) -> None:
    clip = await ana.clip(house, tiny_film)
    await withhold(house, "clip", clip["id"], countries=("ZZ",))
    answer = await house.visitor(**header).get(f"/api/clips/{clip['id']}")
    assert answer.status_code == (451 if is_blocked else 200)


async def test_everywhere_is_every_country(house: House, ana: Browser, tiny_film: bytes) -> None:
    clip = await ana.clip(house, tiny_film)
    notice = await withhold(
        house, "clip", clip["id"], countries=("everywhere",), authority_country="FR"
    )
    for header in ({}, FR, DE):
        blocked(await house.visitor(**header).get(f"/api/clips/{clip['id']}"), notice)


async def test_who_may_not_see_it_anyway_learns_nothing(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, tiny_film, audience="only-me")
    await withhold(house, "clip", clip["id"])
    there = elsewhere(house, ben, FR)
    answer = await there.get(f"/api/clips/{clip['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-clip")


async def test_cell_is_closed_with_all_its_people(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, tiny_film)
    await ben.follow(ana)
    # As people of other cells are called here.
    await house.rows(
        "UPDATE people.person SET handle = 'ana@sg', home = 'sg', locale = NULL, age_band = NULL "
        "WHERE handle = 'ana'"
    )
    notice = await withhold(house, "cell", "sg")
    there, else_ = elsewhere(house, ben, FR), elsewhere(house, ben, DE)
    blocked(await there.get(f"/api/clips/{clip['id']}"), notice)
    blocked(await there.get("/api/people/ana@sg"), notice)
    blocked(await there.get(clip["renditions"][0]["url"]), notice)
    for path in ("/api/feeds/latest", "/api/feeds/following", "/api/feeds/for-you"):
        assert clip["id"] in (await else_.get(path)).text, path
        assert clip["id"] not in (await there.get(path)).text, path


async def test_fediverse_asks_from_the_jurisdiction(
    house: House, ana: Browser, tiny_film: bytes, pools: Pools
) -> None:
    clip = await ana.clip(house, tiny_film)
    person_id = await house.person_id("ana")
    async with pools[0].tx() as tx:
        await tx.execute(
            "INSERT INTO abroad.persona (person_id, id, made_at) VALUES ($1, $2, now())",
            person_id,
            new_id(),
        )
        await tx.execute(
            "INSERT INTO abroad.consent (id, person_id, act, text_version, text_sha256, locale, "
            "operator, jurisdiction, peers, given_at) VALUES "
            "($2, $1, 'fediverse', 1, $3, 'en', 'o', 'ZZ', '[]', now())",
            person_id,
            new_id(),
            bytes(32),
        )
        await tx.execute(
            "INSERT INTO abroad.reach (clip_id, person_id, reach, chosen_at) "
            "VALUES ($1, $2, 'fediverse', now())",
            UUID(clip["id"]),
            person_id,
        )
        await tx.execute("DELETE FROM border.fedi_stale")

    async def shown(country: str) -> tuple[int, int]:
        async with pools[0].tx() as tx:
            await tx.execute(f"SET LOCAL luciole.country = '{country}'")
            authors = await tx.fetch("SELECT id FROM border.public_author")
            return len(authors), len(await tx.fetch("SELECT id FROM border.public_clip"))

    assert await shown("ZZ") == (1, 1)
    of_clip = await withhold(house, "clip", clip["id"], countries=("ZZ",))
    assert await shown("ZZ") == (1, 0)
    assert await shown("FR") == (1, 1)
    await withhold(house, "person", "ana", countries=("ZZ",))
    assert await shown("ZZ") == (0, 0)
    await lift(house, of_clip)
    # The gateway looks at both again: to take them back there, and to show one again.
    async with pools[0].read() as tx:
        noted = await tx.fetch("SELECT kind FROM border.fedi_stale ORDER BY n")
    assert [row["kind"] for row in noted] == ["clip", "person", "clip"]
