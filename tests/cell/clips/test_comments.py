"""Comments through the API: threads, likes, pins, order, deleting."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from tests.cell.clips.talk import count, heard, say, thread, told
from tests.cell.house import Browser, House, refused

from luciole.cell.clips.comments.service import COMMENTING


async def test_comment_is_read_by_all_and_counted(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    made = await say(ben, clip, "  What a\r\n\n\nsea\u202e! ")
    assert made["text"] == "What a\nsea!"
    assert made["by"]["handle"] == "ben"
    assert made["viewer"] == {"liked": False, "is_writer": True, "is_author": False}
    assert await heard(house.visitor(), clip) == ["What a\nsea!"]
    page = (await ana.get(f"/api/clips/{clip['id']}/comments")).json()
    assert (page["comments"], page["comments_by"], page["may_comment"]) == (1, "everyone", True)
    seen = (await house.visitor().get(f"/api/comments/{made['id']}")).json()
    assert (seen["clip_id"], seen["viewer"]) == (clip["id"], None)
    assert (await house.visitor().get(f"/api/clips/{clip['id']}/comments")).json()[
        "may_comment"
    ] is False


async def test_replies_stand_flat_under_the_head(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    head = await say(ben, clip, "first")
    first = await say(ana, clip, "reply", head)
    second = await say(ben, clip, "reply to the reply", first)
    assert first["parent_id"] == second["parent_id"] == head["id"]
    assert first["is_by_author"] is True
    assert await thread(ana, head) == ["reply", "reply to the reply"]
    assert await heard(ana, clip) == ["first"]
    assert (await ana.get(f"/api/comments/{head['id']}")).json()["replies"] == 2
    assert await count(ben, clip) == 3


@pytest.mark.parametrize("text", ["", "   \n ", "\u202e", "a\0", "x" * 501])
async def test_comment_without_words_or_with_too_many_is_refused(
    ben: Browser, clip: dict[str, Any], text: str
) -> None:
    answer = await ben.post(f"/api/clips/{clip['id']}/comments", json={"text": text})
    refused(answer, 400, "bad-comment")
    assert (await say(ben, clip, "x" * 500))["text"] == "x" * 500


async def test_visitor_may_read_only(house: House, clip: dict[str, Any], ben: Browser) -> None:
    made = await say(ben, clip, "hello")
    visitor = house.visitor()
    place = f"/api/comments/{made['id']}"
    answer = await visitor.post(f"/api/clips/{clip['id']}/comments", json={"text": "no"})
    refused(answer, 401, "not-signed-in")
    for method, path in (("PUT", f"{place}/like"), ("DELETE", place), ("PUT", f"{place}/pin")):
        refused(await visitor.request(method, path), 401, "not-signed-in")


async def test_like_counts_once_and_can_be_taken_back(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    made = await say(ben, clip, "hello")
    place = f"/api/comments/{made['id']}/like"
    for _ in range(2):
        assert (await ana.put(place)).json() == {"liked": True, "likes": 1}
    seen = (await ben.get(f"/api/comments/{made['id']}")).json()
    assert (seen["likes"], seen["liked_by_author"], seen["viewer"]["liked"]) == (1, True, False)
    assert ("comment-like", "ana") in await told(ben)
    assert (await ana.delete(place)).json() == {"liked": False, "likes": 0}
    assert ("comment-like", "ana") not in await told(ben)


async def test_best_liked_come_first_and_newest_by_choice(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    liked = await say(ben, clip, "liked")
    for text in ("second", "third"):
        await say(ben, clip, text)
    for handle in ("cleo", "dan"):
        fan = await house.person(handle)
        await fan.put(f"/api/comments/{liked['id']}/like")
    assert await heard(ana, clip) == ["liked", "third", "second"]
    assert await heard(ana, clip, order="new") == ["third", "second", "liked"]
    refused(
        await ana.get(f"/api/clips/{clip['id']}/comments", params={"order": "old"}),
        400,
        "invalid",
    )


@pytest.mark.parametrize("likes", [0, 1, 10, 1000])
async def test_score_is_what_the_likes_surely_show_and_the_time(house: House, likes: int) -> None:
    [row] = await house.rows(
        "SELECT clips.comment_score($1, '1970-01-08T00:00:00Z'::timestamptz) AS score", likes
    )
    surely = likes + 1.96**2 / 2 - 1.96 * math.sqrt(likes + 1.96**2 / 4)
    assert row["score"] == pytest.approx(math.log(1 + surely) + 1)


async def test_likes_and_replies_at_once_count_each(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    head = await say(ben, clip, "head")
    fans = [await house.person(f"fan{number}") for number in range(4)]
    await asyncio.gather(
        *(fan.put(f"/api/comments/{head['id']}/like") for fan in fans),
        *(say(fan, clip, "yes", head) for fan in fans),
        ana.put(f"/api/comments/{head['id']}/pin"),
    )
    seen = (await ben.get(f"/api/comments/{head['id']}")).json()
    assert (seen["likes"], seen["replies"], seen["is_pinned"]) == (4, 4, True)
    assert await count(ben, clip) == 5
    reply = {"text": "no", "reply_to": head["id"]}
    gone = await asyncio.gather(
        ana.delete(f"/api/comments/{head['id']}"),
        *(fan.delete(f"/api/comments/{head['id']}/like") for fan in fans),
        *(fan.post(f"/api/clips/{clip['id']}/comments", json=reply) for fan in fans),
    )
    assert gone[0].status_code == 204
    assert {answer.status_code for answer in gone[1:]} <= {200, 201, 404}
    assert await count(ben, clip) == 0


@pytest.mark.parametrize("order", ["best", "new"])
async def test_pages_go_on_where_they_ended(
    ana: Browser, ben: Browser, clip: dict[str, Any], order: str
) -> None:
    for number in range(5):
        await say(ben, clip, str(number))
    pinned = await say(ben, clip, "pinned")
    await ana.put(f"/api/comments/{pinned['id']}/pin")
    found, cursor, place = [], "", f"/api/clips/{clip['id']}/comments"
    for _ in range(4):
        query = {"order": order, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await ben.get(place, params=query)).json()
        found += [item["text"] for item in page["items"]]
        if not page["next"]:
            break
        cursor = page["next"]
    assert found == ["pinned", "4", "3", "2", "1", "0"]
    other = {"order": "best" if order == "new" else "new", "cursor": cursor}
    refused(await ben.get(place, params=other), 400, "bad-cursor")


async def test_replies_page_in_the_order_of_saying(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    head = await say(ben, clip, "head")
    for number in range(3):
        await say(ana, clip, str(number), head)
    place = f"/api/comments/{head['id']}/replies"
    page = (await ben.get(place, params={"limit": "2"})).json()
    rest = (await ben.get(place, params={"limit": "2", "cursor": page["next"]})).json()
    assert [item["text"] for item in page["items"] + rest["items"]] == ["0", "1", "2"]
    assert rest["next"] is None


async def test_open_page_asks_for_what_came_since(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    first = await say(ben, clip, "first")
    await say(ana, clip, "reply", first)
    await say(ana, clip, "second")
    place = f"/api/clips/{clip['id']}/comments/since/{first['id']}"
    items = (await house.visitor().get(place)).json()["items"]
    assert [item["text"] for item in items] == ["reply", "second"]


async def test_author_pins_three_at_most(ana: Browser, ben: Browser, clip: dict[str, Any]) -> None:
    made = [await say(ben, clip, str(number)) for number in range(4)]
    reply = await say(ben, clip, "reply", made[0])
    refused(await ben.put(f"/api/comments/{made[0]['id']}/pin"), 404, "no-such-comment")
    refused(await ana.put(f"/api/comments/{reply['id']}/pin"), 400, "not-pinnable")
    for one in made[:3]:
        answer = await ana.put(f"/api/comments/{one['id']}/pin")
        assert answer.json()["is_pinned"] is True
    refused(await ana.put(f"/api/comments/{made[3]['id']}/pin"), 409, "too-many-pinned")
    assert (await ana.put(f"/api/comments/{made[0]['id']}/pin")).status_code == 200
    assert (await ana.delete(f"/api/comments/{made[0]['id']}/pin")).json()["is_pinned"] is False
    assert (await ana.put(f"/api/comments/{made[3]['id']}/pin")).status_code == 200
    assert set((await heard(ben, clip))[:3]) == {"1", "2", "3"}


async def test_writer_and_author_delete_and_nobody_else(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    cleo = await house.person("cleo")
    by_writer, by_author = await say(ben, clip, "one"), await say(ben, clip, "two")
    await say(cleo, clip, "under two", by_author)
    assert await count(ana, clip) == 3
    refused(await cleo.delete(f"/api/comments/{by_writer['id']}"), 404, "no-such-comment")
    assert (await ben.delete(f"/api/comments/{by_writer['id']}")).status_code == 204
    assert ("comment", "ben") in await told(ana)
    # With the thread that it heads.
    assert (await ana.delete(f"/api/comments/{by_author['id']}")).status_code == 204
    assert await count(ana, clip) == 0
    assert await heard(ana, clip) == []
    assert ("comment", "ben") not in await told(ana)
    refused(await ana.delete(f"/api/comments/{by_author['id']}"), 404, "no-such-comment")


async def test_deleted_clip_takes_its_comments_along(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    made = await say(ben, clip, "one")
    await ana.put(f"/api/comments/{made['id']}/like")
    assert (await ana.delete(f"/api/clips/{clip['id']}")).status_code == 204
    refused(await ben.get(f"/api/comments/{made['id']}"), 404, "no-such-comment")
    assert await house.rows("SELECT id FROM clips.comment") == []


async def test_people_are_told_once_by_what_concerns_them_most(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    cleo = await house.person("cleo")
    head = await say(ben, clip, "hello @ana")
    assert await told(ana) == [("mention", "ben")]
    await say(cleo, clip, "and @ben", head)
    assert await told(ben) == [("comment-reply", "cleo")]
    assert await told(ana) == [("comment", "cleo"), ("mention", "ben")]
    await say(ben, clip, "to myself", head)
    assert ("comment-reply", "ben") not in await told(ben)


async def test_open_page_hears_of_a_comment(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    made = await say(ben, clip, "hello")
    rows = await house.rows("SELECT person_id, body FROM notify.event WHERE kind = 'comment'")
    assert [row["person_id"] for row in rows] == [await house.person_id("ana")]
    assert made["id"] in rows[0]["body"]
    assert "hello" not in rows[0]["body"]


async def test_too_many_comments_in_a_minute_wait(ben: Browser, clip: dict[str, Any]) -> None:
    for number in range(COMMENTING.count):
        await say(ben, clip, str(number))
    answer = await ben.post(f"/api/clips/{clip['id']}/comments", json={"text": "more"})
    refused(answer, 429, "too-many")
    assert int(answer.headers["retry-after"]) >= 1


async def test_clip_on_its_way_takes_no_comments(
    ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = (await ana.post("/api/clips", json=await ana.draft(tiny_film))).json()
    place = f"/api/clips/{made['id']}/comments"
    refused(await ana.post(place, json={"text": "soon"}), 409, "not-published-yet")
    refused(await ben.post(place, json={"text": "soon"}), 404, "no-such-clip")


async def test_own_comments_are_listed_for_their_writer(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await say(ben, clip, "one")
    await say(ana, clip, "not mine")
    await say(ben, clip, "two")
    items = (await ben.get("/api/me/comments")).json()["items"]
    assert [item["text"] for item in items] == ["two", "one"]
