"""Clips through the API: publishing, seeing, editing, liking, deleting."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cell.house import Browser, House, refused

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


async def grid(viewer: Browser, handle: str) -> list[str]:
    answer = await viewer.get(f"/api/people/{handle}/clips")
    assert answer.status_code == 200, answer.text
    return [item["caption"] for item in answer.json()["items"]]


async def test_upload_becomes_a_clip_that_others_play(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="Good morning #Sea #sea", made_with_ai=True)
    assert made["state"] == "published"
    seen = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert seen["hashtags"] == ["sea"]
    assert seen["made_with_ai"] is True
    assert seen["author"]["handle"] == "ana"
    assert seen["viewer"] == {
        "liked": False,
        "favourited": False,
        "reposted": False,
        "follows": "no",
        "is_author": False,
        "may_quote": True,
    }
    assert seen["progress"] is None
    (rendition,) = seen["renditions"]
    film = await ben.get(rendition["url"])
    assert film.status_code == 200
    assert film.content[4:8] == b"ftyp"
    assert len(film.content) == rendition["size_bytes"]
    assert (await ben.get(seen["poster_url"])).headers["content-type"] == "image/webp"


async def test_what_takes_no_time_does_not_wait_behind_films(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await ana.post("/api/clips", json=await ana.draft(tiny_film))
    await ben.patch("/api/me", json={"is_private": True})

    async def waiting() -> list[str]:
        rows = await house.rows("SELECT entrypoint FROM queue.pgqueuer ORDER BY priority DESC, id")
        return [row["entrypoint"] for row in rows]

    assert await waiting() == ["people.privacy-changed", "media.prepare"]
    [asset] = await house.rows("SELECT id FROM media.asset")
    await house.parts.queue.run_once("media.prepare", {"asset_id": str(asset["id"])})
    assert [name for name in await waiting() if name.startswith("media.")] == [
        "media.playable",
        "media.looked",
        "media.prepare",
        "media.ladder",
    ]


async def test_visitor_sees_a_public_clip_without_marks(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    seen = (await house.visitor().get(f"/api/clips/{made['id']}")).json()
    assert seen["viewer"] is None


async def test_author_alone_sees_a_clip_that_is_not_ready(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(tiny_film))
    clip_id = answer.json()["id"]
    assert answer.json()["state"] == "processing"
    assert answer.json()["progress"] == 0
    assert await grid(ana, "ana") == [""]
    assert await grid(ben, "ana") == []
    refused(await ben.get(f"/api/clips/{clip_id}"), 404, "no-such-clip")
    refused(await ana.put(f"/api/clips/{clip_id}/like"), 409, "not-published-yet")


async def test_unreadable_file_is_refused_with_a_sentence(house: House, ana: Browser) -> None:
    made = await ana.clip(house, b"not a film" * 100)
    assert made["state"] == "refused"
    assert made["refusal"]["sentence"].endswith(".")
    assert made["refusal"]["next_step"].endswith(".")
    assert made["renditions"] == []


@pytest.mark.parametrize(
    ("audience", "by_friend", "by_follower", "by_stranger"),
    [("everyone", 200, 200, 200), ("friends", 200, 404, 404), ("only-me", 404, 404, 404)],
)
async def test_audience_decides_who_sees(
    house: House,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    audience: str,
    by_friend: int,
    by_follower: int,
    by_stranger: int,
) -> None:
    follower = await house.person("finn")
    await follower.follow(ana)
    await ben.follow(ana)
    await ana.follow(ben)
    made = await ana.clip(house, tiny_film, audience=audience, caption="here")
    for viewer, status in (
        (ben, by_friend),
        (follower, by_follower),
        (house.visitor(), by_stranger),
    ):
        answer = await viewer.get(f"/api/clips/{made['id']}")
        assert answer.status_code == status
        # The grid says the same as the clip's own address.
        assert await grid(viewer, "ana") == (["here"] if status == 200 else [])
    for rendition in made["renditions"]:
        assert (await ana.get(rendition["url"])).status_code == 200
        stolen = await house.visitor().get(rendition["url"])
        assert stolen.status_code == (200 if audience == "everyone" else 404)


async def test_private_account_shows_clips_to_followers_only(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    old_url = made["renditions"][0]["url"]
    assert (await ana.patch("/api/me", json={"is_private": True})).status_code == 200
    await house.work()
    refused(await ben.get(f"/api/clips/{made['id']}"), 404, "no-such-clip")
    refused(await ben.get(old_url), 404, "no-such-file")
    assert await ben.follow(ana) == "pending"
    refused(await ben.get(f"/api/clips/{made['id']}"), 404, "no-such-clip")
    assert await grid(ben, "ana") == []
    assert (await ben.get("/api/people/ana")).json()["can_see_clips"] is False
    assert (await ana.put("/api/me/follow-requests/ben")).status_code == 204
    assert len(await grid(ben, "ana")) == 1
    assert (await ben.get("/api/people/ana")).json()["can_see_clips"] is True
    seen = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert (await ben.get(seen["renditions"][0]["url"])).status_code == 200
    await ana.patch("/api/me", json={"is_private": False})
    await house.work()
    seen = (await house.visitor().get(f"/api/clips/{made['id']}")).json()
    assert "sig=" not in seen["renditions"][0]["url"]
    assert (await house.visitor().get(seen["renditions"][0]["url"])).status_code == 200


async def test_narrowing_a_clip_kills_its_old_addresses(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    old_url = made["renditions"][0]["url"]
    assert (await ben.get(old_url)).status_code == 200
    changed = await ana.patch(f"/api/clips/{made['id']}", json={"audience": "only-me"})
    assert changed.json()["audience"] == "only-me"
    refused(await ben.get(old_url), 404, "no-such-file")
    refused(await ben.get(f"/api/clips/{made['id']}"), 404, "no-such-clip")


async def test_edit_changes_what_is_given(house: House, ana: Browser, tiny_film: bytes) -> None:
    made = await ana.clip(house, tiny_film, caption="one #a")
    changed = (await ana.patch(f"/api/clips/{made['id']}", json={"caption": "two #b"})).json()
    assert (changed["caption"], changed["hashtags"]) == ("two #b", ["b"])
    assert changed["audience"] == "everyone"
    changed = (await ana.patch(f"/api/clips/{made['id']}", json={"made_with_ai": True})).json()
    assert (changed["caption"], changed["made_with_ai"]) == ("two #b", True)


async def test_others_can_change_nothing(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    place = f"/api/clips/{made['id']}"
    refused(await ben.patch(place, json={"caption": "mine"}), 404, "no-such-clip")
    refused(await ben.delete(place), 404, "no-such-clip")
    refused(await ben.delete(f"{place}/captions"), 404, "no-such-clip")
    refused(await house.visitor().delete(place), 401, "not-signed-in")
    upload = (await ana.draft(tiny_film))["upload_id"]
    body = {"upload_id": upload, "audience": "everyone"}
    refused(await ben.post("/api/clips", json=body), 404, "no-such-upload")


async def test_who_may_not_see_a_clip_gets_nothing_of_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, captions_vtt=VTT)
    place = f"/api/clips/{made['id']}"
    assert (await ben.get(f"{place}/captions.vtt")).status_code == 200
    assert (await ben.put(f"{place}/like")).status_code == 200
    await ana.patch(place, json={"audience": "only-me"})
    for method, part in (("GET", "/captions.vtt"), ("PUT", "/like"), ("DELETE", "/like")):
        refused(await ben.request(method, place + part), 404, "no-such-clip")
    refused(await house.visitor().get(f"{place}/captions.vtt"), 404, "no-such-clip")
    assert (await ana.get(f"{place}/captions.vtt")).status_code == 200


async def test_deleted_clip_is_gone_with_its_files(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await ben.put(f"/api/clips/{made['id']}/like")
    assert (await ana.delete(f"/api/clips/{made['id']}")).status_code == 204
    refused(await ana.get(f"/api/clips/{made['id']}"), 404, "no-such-clip")
    refused(await ana.get(made["renditions"][0]["url"]), 404, "no-such-file")
    assert (await ana.get("/api/people/ana")).json()["clips"] == 0
    assert (await ana.get("/api/notifications")).json()["items"] == []
    assert await house.rows("SELECT clip_id FROM clips.liked") == []
    assert await house.rows("SELECT asset_id FROM media.file") == []


async def test_like_counts_once_and_can_be_taken_back(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    place = f"/api/clips/{made['id']}/like"
    for _ in range(2):
        assert (await ben.put(place)).json() == {"liked": True, "likes": 1}
    assert (await ana.put(place)).json() == {"liked": True, "likes": 2}
    for _ in range(2):
        assert (await ben.delete(place)).json() == {"liked": False, "likes": 1}
    refused(await house.visitor().put(place), 401, "not-signed-in")


async def test_captions_are_served_as_webvtt(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, captions_vtt=VTT, captions_language="pt-BR")
    assert made["captions"]["language"] == "pt-BR"
    answer = await ben.get(made["captions"]["url"])
    assert answer.headers["content-type"].startswith("text/vtt")
    assert answer.text == VTT
    changed = await ana.delete(f"/api/clips/{made['id']}/captions")
    assert changed.json()["captions"] is None
    refused(await ben.get(made["captions"]["url"]), 404, "no-captions")
    body = {"captions_vtt": VTT, "language": "fr"}
    changed = await ana.put(f"/api/clips/{made['id']}/captions", json=body)
    assert changed.json()["captions"]["language"] == "fr"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"caption": "x" * 2201}, "bad-caption"),
        ({"caption": " ".join(f"#t{n}" for n in range(31))}, "too-many-hashtags"),
        ({"captions_vtt": "not captions"}, "bad-captions"),
        ({"captions_vtt": VTT, "captions_language": "??"}, "bad-captions"),
        ({"trim_start_ms": 300, "trim_end_ms": 200}, "bad-trim"),
        ({"audience": "nobody"}, "invalid"),
        ({"trim_start_ms": -1}, "invalid"),
        ({"upload_id": "x"}, "invalid"),
        ({"shoe_size": 46}, "invalid"),
    ],
)
async def test_bad_fields_are_refused_and_the_upload_is_kept(
    ana: Browser, tiny_film: bytes, fields: dict[str, Any], code: str
) -> None:
    draft = await ana.draft(tiny_film)
    refused(await ana.post("/api/clips", json=draft | fields), 400, code)
    assert (await ana.post("/api/clips", json=draft)).status_code == 201


async def test_upload_makes_one_clip_only(ana: Browser, tiny_film: bytes) -> None:
    draft = await ana.draft(tiny_film)
    assert (await ana.post("/api/clips", json=draft)).status_code == 201
    refused(await ana.post("/api/clips", json=draft), 409, "upload-used")


async def test_caption_loses_what_cannot_be_seen(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(
        house, tiny_film, caption="  a\u202eb\u0000c\n\n\n\nd 👨\u200d👩\u200d👧  "
    )
    assert made["caption"] == "abc\n\nd 👨\u200d👩\u200d👧"


async def test_grid_pages_carry_on_without_repeats(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    for number in range(5):
        await ana.clip(house, tiny_film, caption=str(number))
    seen, cursor = [], ""
    while cursor is not None:
        page = (await ben.get(f"/api/people/ana/clips?limit=2&cursor={cursor}")).json()
        seen += [item["caption"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["4", "3", "2", "1", "0"]


async def test_profile_counts(house: House, ana: Browser, ben: Browser, tiny_film: bytes) -> None:
    await ana.clip(house, tiny_film)
    await ana.clip(house, tiny_film, audience="only-me")
    await ben.follow(ana)
    profile = (await ben.get("/api/people/ana")).json()
    assert (profile["clips"], profile["followers"], profile["following"]) == (1, 1, 0)
    assert profile["viewer"]["follows"] == "yes"
    assert profile["can_see_clips"] is True
    profile = (await ana.get("/api/people/ana")).json()
    assert profile["viewer"]["is_me"] is True
    refused(await ben.get("/api/people/nobody-here"), 404, "no-such-person")


async def test_lost_news_is_heard_later(house: House, ana: Browser, tiny_film: bytes) -> None:
    answer = await ana.post("/api/clips", json=await ana.draft(tiny_film))
    asset = (await house.rows("SELECT asset_id FROM clips.clip"))[0]["asset_id"]
    await house.parts.queue.run_once("media.prepare", {"asset_id": str(asset)})
    await house.rows("DELETE FROM queue.pgqueuer RETURNING id")
    assert (await ana.get(f"/api/clips/{answer.json()['id']}")).json()["state"] == "processing"
    async with house.db.tx() as tx:
        assert await house.parts.clips.outcomes.settle_lost(tx) == 1
    assert (await ana.get(f"/api/clips/{answer.json()['id']}")).json()["state"] == "published"
