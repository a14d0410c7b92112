"""Sounds and their reuse through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.unit.media import films


@pytest.fixture(scope="session")
def silent_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """As the tiny film, without a sound."""
    folder = tmp_path_factory.mktemp("silent")
    film = films.make(folder / "silent.mp4", size="90x160", seconds=0.8, rate=10, sound=False)
    return film.read_bytes()


async def uses(viewer: Browser, sound_id: str, **query: Any) -> list[str]:
    answer = await viewer.get(f"/api/sounds/{sound_id}/clips", params=query)
    assert answer.status_code == 200, answer.text
    return [item["caption"] for item in answer.json()["items"]]


async def streams(viewer: Browser, clip: dict[str, Any], folder: Path) -> str:
    """What FFmpeg says about a clip's film."""
    film = await viewer.get(clip["renditions"][0]["url"])
    assert film.status_code == 200, film.text
    path = folder / "film.mp4"
    path.write_bytes(film.content)
    return films.described(path)


async def test_every_clip_with_sound_has_one_of_its_own(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, silent_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="loud")
    quiet = await ana.clip(house, silent_film)
    assert (quiet["sound"], quiet["sound_id"], quiet["has_audio"]) == (None, None, False)
    seen = (await house.visitor().get(f"/api/clips/{made['id']}")).json()["sound"]
    assert (seen["name"], seen["by"]["handle"], seen["clip_id"]) == ("", "ana", made["id"])
    page = (await ben.get(f"/api/sounds/{seen['id']}")).json()
    assert (page["uses"], page["is_reusable"], page["may_use"], page["is_mine"]) == (
        1, True, True, False,
    )  # fmt: skip
    assert (await ben.get(page["audio_url"])).status_code == 200
    assert await uses(ben, seen["id"]) == ["loud"]


async def test_sound_of_another_clip_takes_the_place_of_ones_own(
    house: House,
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
    silent_film: bytes,
    tmp_path: Path,
) -> None:
    sound = (await ana.clip(house, tiny_film, caption="first"))["sound"]
    made = await ben.clip(house, silent_film, caption="with it", sound_id=sound["id"])
    assert made["state"] == "published"
    assert made["has_audio"] is True
    assert made["sound"] == sound
    assert "Audio: aac" in await streams(ben, made, tmp_path)
    mixed = await ben.clip(
        house, tiny_film, caption="mixed", sound_id=sound["id"], sound_mode="mix"
    )
    assert mixed["sound"] == sound
    assert await uses(ana, sound["id"]) == ["mixed", "with it", "first"]
    page = (await ana.get(f"/api/sounds/{sound['id']}?limit=1")).json()
    assert page["uses"] == 3
    first = (await ana.get(f"/api/sounds/{sound['id']}/clips?limit=2")).json()
    assert await uses(ana, sound["id"], cursor=first["next"]) == ["first"]
    # A clip that was made with a sound is no new sound.
    assert len(await house.rows("SELECT id FROM clips.sound")) == 1
    await ben.patch(f"/api/clips/{mixed['id']}", json={"audience": "only-me"})
    await ben.delete(f"/api/clips/{made['id']}")
    assert (await ana.get(f"/api/sounds/{sound['id']}")).json()["uses"] == 1


async def test_owner_names_a_sound_and_decides_who_uses_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    sound = (await ana.clip(house, tiny_film))["sound"]
    place = f"/api/sounds/{sound['id']}"
    changed = await ana.patch(place, json={"name": " Rain \n on tin "})
    assert changed.json()["name"] == "Rain on tin"
    changed = await ana.patch(place, json={"is_reusable": False})
    assert (changed.json()["name"], changed.json()["is_reusable"]) == ("Rain on tin", False)
    assert (await ben.get(place)).json()["may_use"] is False
    draft = await ben.draft(tiny_film, sound_id=sound["id"])
    refused(await ben.post("/api/clips", json=draft), 403, "sound-not-reusable")
    # The owner may; and what is refused can still be published otherwise.
    assert (await ana.clip(house, tiny_film, sound_id=sound["id"]))["sound"]["id"] == sound["id"]
    del draft["sound_id"]
    assert (await ben.post("/api/clips", json=draft)).status_code == 201
    refused(await ben.patch(place, json={"name": "mine"}), 404, "no-such-sound")
    refused(await ana.patch(place, json={"name": "x" * 81}), 400, "bad-sound-name")
    refused(await house.visitor().patch(place, json={}), 401, "not-signed-in")


async def test_sounds_of_minors_are_closed_until_they_open_them(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    cleo = await house.person("cleo", age_band="16-17")
    closed = (await cleo.clip(house, tiny_film))["sound"]
    opened = (await cleo.clip(house, tiny_film, lets_reuse=True))["sound"]
    for sound, may in ((closed, False), (opened, True)):
        found = await house.rows("SELECT is_reusable FROM clips.sound WHERE id = $1", sound["id"])
        assert [row["is_reusable"] for row in found] == [may]


@pytest.mark.parametrize("audience", ["friends", "only-me"])
async def test_sound_of_a_clip_for_some_is_for_nobody_else(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, audience: str
) -> None:
    await ana.follow(ben)
    await ben.follow(ana)
    made = await ana.clip(house, tiny_film, audience=audience)
    place = f"/api/sounds/{made['sound']['id']}"
    refused(await ben.get(place), 404, "no-such-sound")
    refused(await ben.get(f"{place}/clips"), 404, "no-such-sound")
    assert (await ana.get(place)).json()["may_use"] is False
    draft = await ben.draft(tiny_film, sound_id=made["sound"]["id"])
    refused(await ben.post("/api/clips", json=draft), 404, "no-such-sound")
    if audience == "friends":
        seen = (await ben.get(f"/api/clips/{made['id']}")).json()
        assert (seen["sound"], seen["sound_id"]) == (None, None)


async def test_narrowed_and_blocked_sounds_are_not_shown(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    sound = made["sound"]["id"]
    other = await ben.clip(house, tiny_film, sound_id=sound)
    await ana.patch(f"/api/clips/{made['id']}", json={"audience": "friends"})
    assert (await ben.get(f"/api/clips/{other['id']}")).json()["sound"] is None
    await ana.patch(f"/api/clips/{made['id']}", json={"audience": "everyone"})
    assert (await ben.get(f"/api/clips/{other['id']}")).json()["sound"]["id"] == sound
    async with house.db.tx() as tx:
        ids = [await house.person_id(name) for name in ("ana", "ben")]
        await house.parts.graph.block(tx, *ids)
    assert (await ben.get(f"/api/clips/{other['id']}")).json()["sound"] is None
    refused(await ben.get(f"/api/sounds/{sound}"), 404, "no-such-sound")
    draft = await ben.draft(tiny_film, sound_id=sound)
    refused(await ben.post("/api/clips", json=draft), 404, "no-such-sound")


async def test_deleted_sound_falls_silent_in_the_clips_made_with_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, tmp_path: Path
) -> None:
    first = await ana.clip(house, tiny_film)
    made = await ben.clip(house, tiny_film, caption="with it", sound_id=first["sound"]["id"])
    assert "Audio: aac" in await streams(ben, made, tmp_path)
    await ana.delete(f"/api/clips/{first['id']}")
    assert (await ben.get(f"/api/clips/{made['id']}")).json()["sound"] is None
    await house.parts.queue.run_periodic("media.sweep")
    await house.work()
    now = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert (now["state"], now["has_audio"], now["sound"]) == ("published", False, None)
    said = await streams(ben, now, tmp_path)
    assert "Video: h264" in said
    assert "Audio" not in said
    assert now["renditions"][0]["size_bytes"] < made["renditions"][0]["size_bytes"]
    refused(await ben.get(made["renditions"][0]["url"]), 404, "no-such-file")
    await house.parts.queue.run_periodic("media.sweep")
    assert await house.work() == 0


async def test_sound_taken_back_before_the_clip_is_made_refuses_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    first = await ana.clip(house, tiny_film)
    draft = await ben.draft(tiny_film, sound_id=first["sound"]["id"])
    answer = await ben.post("/api/clips", json=draft)
    await ana.delete(f"/api/clips/{first['id']}")
    await house.work()
    made = (await ben.get(f"/api/clips/{answer.json()['id']}")).json()
    assert (made["state"], made["refusal"]["code"]) == ("refused", "sound-gone")
