"""People, clips and comments of other cells work here as ours do, and no further."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.cell.abroad.conftest import Filmed, agree
from tests.cell.abroad.peer import Peer
from tests.cell.house import Browser, House, refused

from luciole.border import wire


async def bring(sg: Peer, filmed: Filmed, key: str = "quay", **fields: Any) -> wire.Clip:
    """Wei of sg publishes a clip."""
    clip = sg.clip(key, filmed.film, filmed.still, filmed.size, **fields)
    await sg.says(sg.person(), clip)
    return clip


async def seen(viewer: Browser) -> list[dict[str, Any]]:
    answer = await viewer.get("/api/people/wei@sg/clips")
    return list(answer.json()["items"]) if answer.is_success else []


async def test_clip_of_another_cell_is_seen_found_liked_followed(
    house: House, ana: Browser, ben: Browser, sg: Peer, filmed: Filmed
) -> None:
    await bring(sg, filmed, caption="The quay at dawn #harbour")
    await house.beside.indexing.catch_up()
    (clip,) = await seen(ana)
    assert clip["author"]["handle"] == "wei@sg"
    assert clip["published_at"] == "2026-11-20T08:00:00Z"
    film = await ana.get(clip["renditions"][0]["url"])
    assert film.content == filmed.film
    assert (await ana.get(clip["poster_url"])).content == filmed.still
    profile = (await ana.get("/api/people/wei@sg")).json()
    assert (profile["display_name"], profile["clips"]) == ("Wei", 1)
    found = (await ana.post("/api/search/clips", json={"q": "dawn"})).json()["items"]
    assert [one["id"] for one in found] == [clip["id"]]
    people = (await ana.post("/api/search/people", json={"q": "wei"})).json()["items"]
    assert [one["handle"] for one in people] == ["wei@sg"]
    latest = (await ana.get("/api/feeds/latest")).json()["items"]
    assert [one["id"] for one in latest] == [clip["id"]]
    assert (await ana.put(f"/api/clips/{clip['id']}/like")).json() == {"liked": True, "likes": 1}
    assert (await ana.put("/api/people/wei@sg/follow")).json() == {"follows": "yes"}
    following = (await ana.get("/api/feeds/following")).json()["items"]
    assert [one["id"] for one in following] == [clip["id"]]
    assert (await ben.get("/api/feeds/following")).json()["items"] == []


async def test_clip_without_its_film_is_seen_by_nobody(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    kept = dict(house.elsewhere.files)
    clip = sg.clip("quay", filmed.film, filmed.still, filmed.size)
    files, house.elsewhere.files = house.elsewhere.files, kept
    await sg.says(sg.person(), clip)
    assert await seen(ana) == []
    assert (await ana.get("/api/feeds/latest")).json()["items"] == []
    house.elsewhere.files = files
    house.clock.advance(timedelta(minutes=1))
    await house.beside.traffic.catch_up()
    assert [one["author"]["handle"] for one in await seen(ana)] == ["wei@sg"]
    assert list(house.settings.incoming_dir.iterdir()) == []


@pytest.mark.parametrize("content", [b"no film at all", b""])
async def test_what_is_no_film_is_never_shown(
    house: House, ana: Browser, sg: Peer, filmed: Filmed, content: bytes
) -> None:
    await sg.says(sg.person(), sg.clip("bad", content or b"x", filmed.still, filmed.size))
    await house.work()
    assert await seen(ana) == []


async def test_film_of_another_encoder_is_encoded_anew(
    house: House, ana: Browser, sg: Peer, filmed: Filmed, tiny_film: bytes
) -> None:
    await sg.says(sg.person(), sg.clip("raw", tiny_film, filmed.still, filmed.size))
    assert await seen(ana) == []
    await house.work()
    (clip,) = await seen(ana)
    assert clip["published_at"] == "2026-11-20T08:00:00Z"
    assert (await ana.get(clip["renditions"][0]["url"])).content != tiny_film


async def test_files_are_asked_for_once(
    house: House, ana: Browser, ben: Browser, sg: Peer, filmed: Filmed
) -> None:
    await bring(sg, filmed)
    for viewer in (ana, ben, house.visitor()):
        for clip in await seen(viewer):
            await viewer.get(clip["renditions"][0]["url"])
    assert len(house.elsewhere.asked) == len(set(house.elsewhere.asked)) == 2


async def test_clip_waits_for_its_author(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    await sg.says(sg.clip("quay", filmed.film, filmed.still, filmed.size))
    assert await seen(ana) == []
    await sg.says(sg.person())
    assert len(await seen(ana)) == 1


async def test_change_and_end_of_a_clip_hold_here(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    clip = await bring(sg, filmed)
    await bring(sg, filmed, caption="another word", comments=False, made_with_ai=True)
    (shown,) = await seen(ana)
    assert (shown["caption"], shown["made_with_ai"]) == ("another word", True)
    path = f"/api/clips/{shown['id']}/comments"
    refused(await ana.post(path, json={"text": "hello"}), 403, "may-not-comment")
    await sg.says(wire.Gone(clip.uri))
    assert await seen(ana) == []
    refused(await ana.get(f"/api/clips/{shown['id']}"), 404, "no-such-clip")
    assert len(house.elsewhere.asked) == 2


async def test_what_was_taken_back_does_not_come_afterwards(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    clip = sg.clip("quay", filmed.film, filmed.still, filmed.size)
    await sg.says(clip)
    await sg.says(wire.Gone(clip.uri))
    await sg.says(sg.person())
    house.clock.advance(timedelta(hours=2))
    await house.beside.traffic.catch_up()
    assert await seen(ana) == []


async def test_person_who_goes_goes_with_all_that_is_theirs(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    await bring(sg, filmed)
    (clip,) = await seen(ana)
    await ana.put("/api/people/wei@sg/follow")
    await ana.put(f"/api/clips/{clip['id']}/like")
    await ana.post(f"/api/clips/{clip['id']}/comments", json={"text": "hello"})
    await sg.says(wire.Gone(sg.person().uri))
    refused(await ana.get("/api/people/wei@sg"), 404, "no-such-person")
    refused(await ana.get(f"/api/clips/{clip['id']}"), 404, "no-such-clip")
    assert (await ana.get("/api/people/ana")).json()["following"] == 0
    for table in ("person", "clip", "comment", "reading"):
        assert await house.rows(f"SELECT 1 FROM abroad.{table}") == []
    # Whoever comes after them under the same handle is another person.
    await sg.says(sg.person())
    assert (await ana.get("/api/people/wei@sg")).json()["followers"] == 0


async def test_handle_of_elsewhere_is_none_of_here(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    await bring(sg, filmed, caption="for @ana")
    await bring(sg, filmed, caption="again for @ana")
    await sg.says(sg.person("ana"))
    assert (await ana.get("/api/notifications")).json()["items"] == []
    assert (await ana.get("/api/people/ana")).json()["display_name"] == "Ana"
    assert (await ana.get("/api/people/ana@sg")).status_code == 200
    wei = await house.person("wei")
    assert (await wei.get("/api/people/wei")).json()["clips"] == 0
    sign_up = {
        "handle": "wei@sg", "display_name": "Wei", "age_band": "18+", "locale": "en",
        "password": "seven turquoise herons",
    }  # fmt: skip
    assert (await house.visitor().post("/api/sign-up", json=sign_up)).status_code == 400
    sign_in = {"handle": "wei@sg", "password": "seven turquoise herons"}
    assert (await house.visitor().post("/api/sessions", json=sign_in)).status_code == 401


async def test_nobody_is_told_who_lives_elsewhere(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    await bring(sg, filmed)
    (clip,) = await seen(ana)
    await ana.put("/api/people/wei@sg/follow")
    await ana.put(f"/api/clips/{clip['id']}/like")
    await ana.put(f"/api/clips/{clip['id']}/repost")
    await ana.post(f"/api/clips/{clip['id']}/comments", json={"text": "hello"})
    wei = await house.person_id("wei@sg")
    for table in ("line", "notification", "event"):
        rows = await house.rows(f"SELECT 1 FROM notify.{table} WHERE person_id = $1", wei)
        assert rows == [], table
    for table in ("people.session", "people.contact", "people.handle_taken"):
        rows = await house.rows(f"SELECT 1 FROM {table} WHERE person_id = $1", wei)
        assert rows == [], table


async def test_people_of_elsewhere_are_not_written_to_and_are_on_no_list(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await sg.says(sg.person())
    await ana.put("/api/people/wei@sg/follow")
    answer = await ana.get("/api/messages/people/wei@sg/devices")
    assert answer.status_code in (403, 404), answer.text
    made = await ana.post("/api/me/circles", json={"name": "All", "handles": ["wei@sg"]})
    assert made.is_success, made.text
    assert (await ana.get("/api/me/circles")).json()["items"][0]["people"] == []


@pytest.mark.parametrize("thing", ["person", "clip", "comment", "gone"])
async def test_cell_speaks_for_its_own_only(
    house: House, ana: Browser, sg: Peer, filmed: Filmed, tiny_film: bytes, thing: str
) -> None:
    await agree(ana)
    mine = await ana.clip(house, tiny_film)
    await ana.put(f"/api/clips/{mine['id']}/reach", json={"reach": "cells"})
    taken = await sg.takes()
    uri = taken[1].uri  # type: ignore[union-attr]
    eu = "https://eu.example/ap/people/01a21a63-cfc2-7b1a-87df-1c53745f5636"
    await sg.says(sg.person())
    said: dict[str, wire.Crossing] = {
        "person": sg.person("eva", uri=eu),
        "clip": sg.clip("theirs", filmed.film, filmed.still, filmed.size, by=eu),
        "comment": sg.comment("theirs", uri, "hello", by=eu),
        "gone": wire.Gone(uri),
    }
    await sg.says(said[thing])
    house.clock.advance(timedelta(hours=2))
    await house.beside.traffic.catch_up()
    assert (await ana.get("/api/people/eva@sg")).status_code == 404
    assert await seen(ana) == []
    assert (await ana.get(f"/api/clips/{mine['id']}")).json()["comments"] == 0


# --- comments ------------------------------------------------------------------------------------


async def test_comment_from_elsewhere_is_seen_and_recalled(
    house: House, ana: Browser, ben: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await ana.clip(house, tiny_film)
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})
    _, made = await sg.takes()
    assert isinstance(made, wire.Clip)
    comment = sg.comment("one", made.uri, "From far away")
    await sg.says(sg.person(), comment, comment)
    path = f"/api/clips/{clip['id']}/comments"
    (shown,) = (await ben.get(path)).json()["items"]
    assert (shown["text"], shown["by"]["handle"]) == ("From far away", "wei@sg")
    (told,) = (await ana.get("/api/notifications")).json()["items"]
    assert told["kind"] == "comment"
    await sg.says(wire.Gone(comment.uri))
    assert (await ben.get(path)).json()["items"] == []
    assert (await ana.get("/api/notifications")).json()["items"] == []


async def test_comment_comes_only_where_the_author_lets_it(
    house: House, ana: Browser, ben: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    here = await ana.clip(house, tiny_film, caption="stays")
    away = await ana.clip(house, tiny_film, caption="goes")
    await ana.put(f"/api/clips/{away['id']}/reach", json={"reach": "cells"})
    _, made = await sg.takes()
    assert isinstance(made, wire.Clip)
    stays = made.uri.replace(away["id"], here["id"])
    await sg.says(sg.person(), sg.comment("a", stays, "to what stays"))
    await ana.put("/api/people/wei@sg/away/block")
    await sg.says(sg.comment("b", made.uri, "blocked"))
    await ana.delete("/api/people/wei@sg/away/block")
    await ana.patch("/api/me/conversation", json={"filter_words": ["rude"]})
    await sg.says(sg.comment("c", made.uri, "rude words"))
    for clip in (here, away):
        assert (await ben.get(f"/api/clips/{clip['id']}/comments")).json()["items"] == []


async def test_own_comment_crosses_with_a_yes_and_is_called_back(
    house: House, ana: Browser, ben: Browser, sg: Peer, filmed: Filmed, tiny_film: bytes
) -> None:
    clip = await bring(sg, filmed)
    (shown,) = await seen(ana)
    path = f"/api/clips/{shown['id']}/comments"
    made = (await ana.post(path, json={"text": "From here"})).json()
    reach = f"/api/comments/{made['id']}/reach"
    assert await sg.takes() == []
    refused(await ana.put(reach, json={"crosses": True}), 403, "consent-needed")
    await agree(ana, "comment")
    refused(await ben.put(reach, json={"crosses": True}), 404, "no-such-comment")
    assert (await ana.put(reach, json={"crosses": True})).status_code == 204
    person, comment = await sg.takes()
    assert isinstance(comment, wire.Comment)
    assert isinstance(person, wire.Person)
    assert (comment.on, comment.by, comment.text) == (clip.uri, person.uri, "From here")
    (mine, _) = (await ana.get("/api/me/crossings")).json()["items"]
    assert (mine["reason"], mine["state"]) == ("addressed", "crossed")
    answer = await ana.delete(f"/api/comments/{made['id']}")
    assert answer.is_success, answer.text
    (gone,) = await sg.takes()
    assert gone == wire.Gone(comment.uri, [mine["id"]])
    # On a clip of here there is nowhere to go.
    own = await ben.clip(house, tiny_film)
    made = (await ana.post(f"/api/clips/{own['id']}/comments", json={"text": "near"})).json()
    reach = f"/api/comments/{made['id']}/reach"
    refused(await ana.put(reach, json={"crosses": True}), 409, "not-from-elsewhere")
