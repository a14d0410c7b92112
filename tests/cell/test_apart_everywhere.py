"""A block, a mute and a list hold in the very next answer of every slice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from tests.cell.graph.test_apart import away, near
from tests.cell.house import Browser, House

SAID = "Nice waves"


@dataclass
class Scene:
    """Ana and Ben are friends, Carl follows Ana; each does something with Ana's `clip`, and Ana
    with one of Carl's."""

    house: House
    ana: Browser
    ben: Browser
    carl: Browser
    clip: dict[str, Any]
    others: dict[str, Any]

    async def found(self, viewer: Browser, *, may_be: tuple[int, ...] = ()) -> set[str]:
        """Where a viewer meets Ana or her clip."""
        clip_id = self.clip["id"]
        sound = self.clip["sound_id"]
        searched = {"q": "seaside"}
        asked: dict[str, tuple[str, str, dict[str, Any] | None]] = {
            "profile": ("GET", "/api/people/ana", None),
            "clip": ("GET", f"/api/clips/{clip_id}", None),
            "comments": ("GET", f"/api/clips/{clip_id}/comments", None),
            "grid": ("GET", "/api/people/ana/clips", None),
            "reposts of hers": ("GET", "/api/people/ana/reposts", None),
            "collections of hers": ("GET", "/api/people/ana/collections", None),
            "favourites": ("GET", "/api/me/favourites", None),
            "reposts of carl": ("GET", "/api/people/carl/reposts", None),
            "following": ("GET", "/api/feeds/following", None),
            "friends": ("GET", "/api/feeds/friends", None),
            "latest": ("GET", "/api/feeds/latest", None),
            "for you": ("GET", "/api/feeds/for-you", None),
            "followed by carl": ("GET", "/api/people/carl/following", None),
            "mentionable": ("GET", "/api/me/mentionable?begins=ana", None),
            "search": ("POST", "/api/search", searched),
            "search clips": ("POST", "/api/search/clips", searched),
            "search people": ("POST", "/api/search/people", {"q": "ana"}),
            "hashtag": ("GET", "/api/hashtags/seaside/clips", None),
            "sound": ("GET", f"/api/sounds/{sound}/clips", None),
            "under another clip": ("GET", f"/api/clips/{self.others['id']}/comments", None),
            "notifications": ("GET", "/api/notifications", None),
        }
        found = set()
        for place, (method, path, body) in asked.items():
            answer = await viewer.request(method, path, json=body)
            assert answer.status_code in (200, 201, 404, *may_be), (place, answer.text)
            if answer.is_success and ('"handle":"ana"' in answer.text or clip_id in answer.text):
                found.add(place)
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def scene(house: House, ana: Browser, ben: Browser, tiny_film: bytes) -> AsyncIterator[Scene]:
    carl = await house.person("carl")
    for one, other in ((ana, ben), (ben, ana), (carl, ana), (ben, carl)):
        await one.follow(other)
    clip = await ana.clip(house, tiny_film, caption="A day at the #seaside")
    others = await carl.clip(house, tiny_film, caption="Carl's own")
    made = Scene(house, ana, ben, carl, clip, others)
    path = f"/api/clips/{clip['id']}"
    for act in ("like", "favourite"):
        assert (await ben.put(f"{path}/{act}")).is_success
    for who, where in ((ana, made.others["id"]), (carl, clip["id"]), (ben, clip["id"])):
        answer = await who.post(f"/api/clips/{where}/comments", json={"text": SAID})
        assert answer.is_success, answer.text
    assert (await carl.put(f"{path}/repost")).is_success
    assert (await ana.put(f"/api/clips/{made.others['id']}/repost")).is_success
    await house.work()
    await house.parts.queue.run_periodic("search.index")
    yield made


async def test_block_holds_in_the_next_answer_of_every_slice(scene: Scene) -> None:
    before = await scene.found(scene.ben)
    assert {"profile", "clip", "comments", "grid", "favourites", "latest", "search clips"} <= before
    assert {"search people", "hashtag", "under another clip", "notifications"} <= before
    await away(scene.ana, scene.ben)
    assert await scene.found(scene.ben) == set()
    # Others meet her as before, and what Ben did under her clip is gone for her.
    said = (await scene.ana.get(f"/api/clips/{scene.clip['id']}/comments")).text
    assert '"handle":"ben"' not in said
    assert '"handle":"carl"' in said
    assert "profile" in await scene.found(scene.carl)
    await near(scene.ana, scene.ben)
    after = await scene.found(scene.ben)
    assert {"profile", "clip", "favourites", "latest", "search clips", "hashtag"} <= after


async def test_who_blocks_meets_nothing_of_the_other_either(scene: Scene) -> None:
    await away(scene.ben, scene.ana)
    # Their profile says whom Ben has blocked, and nothing else does.
    assert await scene.found(scene.ben) == {"profile"}


async def test_muted_person_is_in_no_list_that_comes_by_itself(scene: Scene) -> None:
    await away(scene.ben, scene.ana, "mute")
    found = await scene.found(scene.ben)
    pushed = {"following", "friends", "latest", "for you", "notifications"}
    assert found & pushed == set()
    assert {"profile", "clip", "grid", "search people"} <= found


@pytest.mark.parametrize("how", ["hidden", "past"])
async def test_clip_that_is_not_for_one_is_in_none_of_their_lists(scene: Scene, how: str) -> None:
    path = f"/api/clips/{scene.clip['id']}"
    if how == "hidden":
        wish = {"audience_list": {"kind": "hide-from", "handles": ["ben"]}}
        assert (await scene.ana.patch(path, json=wish)).is_success
    else:
        await scene.house.rows(
            "UPDATE clips.clip SET published_at = now() - interval '4 days' WHERE id = $1",
            scene.clip["id"],
        )
        assert (await scene.ana.put("/api/me/past-clips", json={"days": 3})).is_success
    places = [
        path,
        "/api/people/ana/clips",
        "/api/me/favourites",
        "/api/people/carl/reposts",
        "/api/feeds/following",
        "/api/feeds/friends",
        "/api/feeds/latest",
        "/api/feeds/for-you",
        "/api/hashtags/seaside/clips",
        f"/api/sounds/{scene.clip['sound_id']}/clips",
    ]
    for place in places:
        assert f'"id":"{scene.clip["id"]}"' not in (await scene.ben.get(place)).text, place
    searched = await scene.ben.post("/api/search/clips", json={"q": "seaside"})
    assert scene.clip["id"] not in searched.text
    assert (await scene.ben.get(f"{path}/comments")).status_code == 404
    assert (await scene.ana.get(path)).status_code == 200
