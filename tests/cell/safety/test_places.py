"""A reversal gives back every place in which a clip was found, in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.cell.clips.test_quotes import lapse, red, wish  # noqa: F401 - a fixture
from tests.cell.feed.walks import digest, live_digest, walk
from tests.cell.house import Browser, House
from tests.cell.safety.bench import ANSWER, REVIEW, at_work, decide, report, take

from luciole.cell.media import fence

Asked = tuple[str, str, dict[str, Any] | None]


@dataclass
class Shelves:
    """Three clips of Ana's, of which the one in the middle is meant, in all places that there are:
    Ben keeps, collects, likes and reposts them, and the last two are made with the meant one's
    sound."""

    house: House
    clips: list[dict[str, Any]]
    collection: str

    @property
    def meant(self) -> str:
        return str(self.clips[1]["id"])

    async def places(self, viewer: Browser) -> dict[str, list[str]]:
        """Where `viewer` finds clips of Ana's, and which, in order."""
        sound = self.clips[1]["sound"]["id"]
        asked: dict[str, Asked] = {
            "grid": ("GET", "/api/people/ana/clips", None),
            "latest": ("GET", "/api/feeds/latest", None),
            "following": ("GET", "/api/feeds/following", None),
            "friends": ("GET", "/api/feeds/friends", None),
            "hashtag": ("GET", "/api/hashtags/seaside/clips", None),
            "sound": ("GET", f"/api/sounds/{sound}/clips", None),
            "collection": ("GET", f"/api/collections/{self.collection}/clips", None),
            "favourites": ("GET", "/api/me/favourites", None),
            "likes": ("GET", "/api/people/ben/likes", None),
            "reposts": ("GET", "/api/people/ben/reposts", None),
            "search": ("POST", "/api/search/clips", {"q": "seaside"}),
        }
        found = {"for you": sorted(await walk(viewer))}
        for place, (method, path, body) in asked.items():
            answer = await viewer.request(method, path, json=body)
            if place == "sound" and answer.status_code == 404:
                found[place] = []
                continue
            assert answer.status_code == 200, (place, answer.text)
            items = [one.get("clip", one) for one in answer.json()["items"]]
            found[place] = [one["id"] for one in items]
        return found

    async def counted(self, viewer: Browser) -> dict[str, Any]:
        """What is counted of these places."""
        sound = (await viewer.get(f"/api/sounds/{self.clips[1]['sound']['id']}")).json()
        tag = (await viewer.get("/api/hashtags/seaside")).json()
        return {"sound": sound["uses"], "hashtag": tag["clips"]}


async def shelves(house: House, ana: Browser, ben: Browser, film: bytes) -> Shelves:
    await ana.follow(ben)
    await ben.follow(ana)
    clips = [await ana.clip(house, film, caption="One at the #seaside")]
    clips.append(await ana.clip(house, film, caption="Two at the #seaside"))
    sound = clips[1]["sound"]["id"]
    clips.append(await ana.clip(house, film, caption="Three at the #seaside", sound_id=sound))
    made = await ben.post("/api/me/collections", json={"name": "Sea", "is_public": True})
    kept = made.json()["id"]
    for clip in clips:
        for act in ("like", "favourite", "repost"):
            assert (await ben.put(f"/api/clips/{clip['id']}/{act}")).is_success
        assert (await ben.put(f"/api/collections/{kept}/clips/{clip['id']}")).is_success
    await house.parts.queue.run_periodic("search.index")
    return Shelves(house, clips, kept)


async def reversal(appellant: Browser, statement_id: str, other: Browser) -> None:
    """The person appeals, and another moderator reverses it."""
    place = f"/api/statements/{statement_id}/appeal"
    assert (await appellant.post(place, json={"explanation": "It is a play."})).status_code == 201
    heard = await take(other)
    assert heard is not None
    answer = await other.post(
        f"{REVIEW}/cases/{heard['id']}/appeal/reversed", json={"answer": ANSWER}
    )
    assert answer.status_code == 204, answer.text


async def test_a_reversal_gives_every_place_back(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    made = await shelves(house, ana, ben, tiny_film)
    before, counted = await made.places(ben), await made.counted(ben)
    # It is in each of them, so that each has something to give back.
    assert {place for place, ids in before.items() if made.meant not in ids} == set()
    assert len(before) == 12
    score = await digest(house)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    await report(ben, "clip", made.meant)
    said = await decide(max_)
    taken = await made.places(ben)
    assert {place for place, ids in taken.items() if made.meant in ids} == set()
    # Nothing else has gone or moved; but the clip's own sound goes with it, and so does the list of
    # what others made with that.
    assert taken.pop("sound") == []
    for place, ids in taken.items():
        assert ids == [one for one in before[place] if one != made.meant], place
    # What runs from time to time ran meanwhile.
    await lapse(house)
    await house.parts.queue.run_periodic("search.index")
    await reversal(ana, said["id"], eve)
    await house.parts.queue.run_periodic("search.index")
    assert await made.places(ben) == before
    assert await made.counted(ben) == counted
    # For You has it as a candidate with the score that it had.
    assert made.meant in await walk(house.visitor())
    assert await digest(house) == score == await live_digest(house)


@pytest.mark.skipif(not fence.available().is_enough, reason="nothing is decoded without a fence")
async def test_a_reversal_gives_the_links_of_a_duet_back(
    house: House,
    ana: Browser,
    ben: Browser,
    red: bytes,  # noqa: F811
    owner_url: str,
) -> None:
    first = await ana.clip(house, red)
    duet = await ben.clip(house, red, made_from=wish(first, "duet"))
    viewer = await house.person("vera")
    place = f"/api/clips/{duet['id']}"
    before = (await viewer.get(place)).json()
    assert before["made_from"]["clip_id"] == first["id"]
    film = before["renditions"][0]["url"]
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    await report(viewer, "clip", first["id"])
    said = await decide(max_)
    # Half of the duet is what was removed: nobody but its author sees it.
    assert (await viewer.get(place)).status_code == 410
    assert (await viewer.get(film)).status_code == 410
    await lapse(house)
    await reversal(ana, said["id"], eve)
    after = (await viewer.get(place)).json()
    assert after["made_from"] == before["made_from"]
    assert after["renditions"] == before["renditions"]
    assert (await viewer.get(film)).status_code == 200
    assert (await viewer.get(f"/api/clips/{after['made_from']['clip_id']}")).status_code == 200
