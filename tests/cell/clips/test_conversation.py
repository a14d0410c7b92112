"""Who may comment, what waits for the author, who sees what was said, whom words reach."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cell.clips.talk import befriend, count, heard, say, thread, told
from tests.cell.house import Browser, House, refused

KEPT = {
    "block": "INSERT INTO graph.block (blocker_id, blocked_id) VALUES ($1, $2)",
    "restrict": "INSERT INTO graph.restriction (restricter_id, restricted_id) VALUES ($1, $2) "
    "ON CONFLICT DO NOTHING",
}


async def apart(house: House, one: Browser, other: Browser, act: str = "block") -> None:
    """One keeps the other away, or restricts them; without what else that brings."""
    await house.rows(KEPT[act], *[await house.person_id(each.handle) for each in (one, other)])


# Who may comment


@pytest.mark.parametrize(
    ("who", "by_friend", "by_follower", "by_stranger"),
    [
        ("everyone", 201, 201, 201),
        ("followers", 201, 201, 403),
        ("friends", 201, 403, 403),
        ("nobody", 403, 403, 403),
    ],
)
@pytest.mark.parametrize("is_for_clip", [True, False], ids=["for the clip", "for the person"])
async def test_author_says_who_may_comment(
    house: House,
    ana: Browser,
    ben: Browser,
    clip: dict[str, Any],
    who: str,
    by_friend: int,
    by_follower: int,
    by_stranger: int,
    is_for_clip: bool,
) -> None:
    finn, sam = await house.person("finn"), await house.person("sam")
    await befriend(ana, ben)
    await finn.follow(ana)
    place = f"/api/clips/{clip['id']}"
    change = f"{place}" if is_for_clip else "/api/me/conversation"
    assert (await ana.patch(change, json={"comments_by": who})).status_code == 200
    for person, status in ((ben, by_friend), (finn, by_follower), (sam, by_stranger), (ana, 201)):
        page = (await person.get(f"{place}/comments")).json()
        assert (page["comments_by"], page["may_comment"]) == (who, status == 201)
        answer = await person.post(f"{place}/comments", json={"text": "hello"})
        assert answer.status_code == status, answer.text
        if status == 403:
            refused(answer, 403, "may-not-comment")


async def test_clip_goes_before_the_person_until_it_does_not(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    place = f"/api/clips/{clip['id']}"
    await ana.patch(place, json={"comments_by": "nobody"})
    refused(await ben.post(f"{place}/comments", json={"text": "no"}), 403, "may-not-comment")
    changed = await ana.patch(place, json={"comments_by": "preferred"})
    assert changed.json()["comments_by"] is None
    await say(ben, clip, "yes")


async def test_choices_of_a_minor_are_narrow_until_chosen(house: House, ana: Browser) -> None:
    young = await house.person("young", age_band="13-15")
    assert (await young.get("/api/me/conversation")).json() == {
        "comments_by": "friends",
        "mentions_by": "friends",
        "filter_words": [],
    }
    # Something else of the same row changes neither.
    await young.patch("/api/me/conversation", json={"filter_words": ["Ugly"]})
    kept = (await young.get("/api/me/conversation")).json()
    assert kept == {"comments_by": "friends", "mentions_by": "friends", "filter_words": ["ugly"]}
    assert (await ana.get("/api/me/conversation")).json()["mentions_by"] == "everyone"


@pytest.mark.parametrize("words", [["x" * 51], ["a\0"], [str(number) for number in range(201)]])
async def test_filter_that_is_too_long_is_refused(ana: Browser, words: list[str]) -> None:
    answer = await ana.patch("/api/me/conversation", json={"filter_words": words})
    refused(answer, 400, "bad-filter-words")


# What waits


async def test_filtered_comment_waits_for_the_author(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await ana.patch("/api/me/conversation", json={"filter_words": ["Ugly ", "très laid", "ugly"]})
    made = await say(ben, clip, "How UGLY! @ana")
    assert made["held_for"] == "words"
    assert await heard(ben, clip) == await heard(ana, clip) == ["How UGLY! @ana"]
    assert await heard(house.visitor(), clip) == []
    assert await count(ana, clip) == 0
    assert await told(ana) == [("comment-held", "ben")]
    assert await told(ben) == []
    held = (await ana.get("/api/me/comments/held")).json()["items"]
    assert [(item["text"], item["held_for"]) for item in held] == [("How UGLY! @ana", "words")]
    refused(await ana.put(f"/api/comments/{made['id']}/pin"), 400, "not-pinnable")
    refused(await ben.put(f"/api/comments/{made['id']}/approval"), 404, "no-such-comment")
    for _ in range(2):
        answer = await ana.put(f"/api/comments/{made['id']}/approval")
        assert answer.json()["held_for"] is None
    assert await heard(house.visitor(), clip) == ["How UGLY! @ana"]
    assert await count(ana, clip) == 1
    assert (await ana.get("/api/me/comments/held")).json()["items"] == []
    # It waits no more, so nothing says that it does.
    assert await told(ana) == [("mention", "ben")]


async def test_author_may_turn_that_off_and_hears_nothing_of_what_is_gone(
    ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await ana.patch("/api/me/conversation", json={"filter_words": ["ugly"]})
    made = await say(ben, clip, "ugly")
    assert await told(ana) == [("comment-held", "ben")]
    assert (await ben.delete(f"/api/comments/{made['id']}")).status_code == 204
    assert await told(ana) == []


async def test_author_does_not_wait_for_themselves(ana: Browser, clip: dict[str, Any]) -> None:
    await ana.patch("/api/me/conversation", json={"filter_words": ["sea"]})
    assert (await say(ana, clip, "my sea"))["held_for"] is None


async def test_restricted_person_is_not_told_that_the_comment_waits(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await apart(house, ana, ben, "restrict")
    made = await say(ben, clip, "hello")
    assert made["held_for"] is None
    assert await heard(ben, clip) == ["hello"]
    assert await heard(house.visitor(), clip) == []
    assert await told(ana) == []
    held = (await ana.get("/api/me/comments/held")).json()["items"]
    assert [item["held_for"] for item in held] == ["restricted"]
    written = (await ben.get("/api/me/comments")).json()["items"]
    assert [item["held_for"] for item in written] == [None]


async def test_reply_waits_with_its_thread_and_an_answer_of_the_author_approves(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await apart(house, ana, ben, "restrict")
    head = await say(ben, clip, "hello")
    await say(ben, clip, "anybody?", head)
    assert await count(ana, clip) == 0
    await say(ana, clip, "Hello ben", head)
    visitor = house.visitor()
    assert await heard(visitor, clip) == ["hello"]
    assert await thread(visitor, head) == ["Hello ben"]
    assert await thread(ana, head) == ["anybody?", "Hello ben"]
    assert await count(ana, clip) == 2
    assert (await visitor.get(f"/api/comments/{head['id']}")).json()["replies"] == 1


async def test_approving_a_reply_shows_what_it_stands_under(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    await apart(house, ana, ben, "restrict")
    head = await say(ben, clip, "hello")
    reply = await say(ben, clip, "anybody?", head)
    assert (await ana.put(f"/api/comments/{reply['id']}/approval")).status_code == 200
    assert await heard(house.visitor(), clip) == ["hello"]
    assert await count(ana, clip) == 2
    # What waits adds to no number when it goes.
    await apart(house, ana, ben, "restrict")
    held = await say(ben, clip, "more", head)
    await ben.delete(f"/api/comments/{held['id']}")
    assert await count(ana, clip) == 2


# Who sees


async def test_under_a_clip_for_friends_only_friends_of_both_see(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    cleo, dan = await house.person("cleo"), await house.person("dan")
    for friend in (ben, cleo, dan):
        await befriend(ana, friend)
    await befriend(ben, cleo)
    clip = await ana.clip(house, tiny_film, audience="friends")
    made = await say(ben, clip, "by ben")
    await say(ana, clip, "by ana")
    reply = await say(cleo, clip, "by cleo", made)
    assert await heard(cleo, clip, order="new") == ["by ana", "by ben"]
    assert await heard(dan, clip) == ["by ana"]
    assert await heard(ana, clip, order="new") == ["by ana", "by ben"]
    for comment in (made, reply):
        refused(await dan.get(f"/api/comments/{comment['id']}"), 404, "no-such-comment")
    refused(await dan.put(f"/api/comments/{made['id']}/like"), 404, "no-such-comment")
    refused(await house.visitor().get(f"/api/comments/{made['id']}"), 404, "no-such-comment")


async def test_comment_goes_with_the_clip(ana: Browser, ben: Browser, clip: dict[str, Any]) -> None:
    made = await say(ben, clip, "hello")
    await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "only-me"})
    refused(await ben.get(f"/api/clips/{clip['id']}/comments"), 404, "no-such-clip")
    place = f"/api/comments/{made['id']}"
    for method, part in (("GET", ""), ("GET", "/replies"), ("PUT", "/like"), ("DELETE", "")):
        refused(await ben.request(method, place + part), 404, "no-such-comment")


async def test_who_is_kept_apart_sees_nothing_of_each_other(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    cleo = await house.person("cleo")
    by_ben = await say(ben, clip, "by ben")
    by_cleo = await say(cleo, clip, "by cleo")
    await apart(house, ben, cleo)
    assert await heard(ben, clip) == ["by ben"]
    assert await heard(cleo, clip) == ["by cleo"]
    assert len(await heard(house.visitor(), clip)) == 2
    for one, comment in ((ben, by_cleo), (cleo, by_ben)):
        refused(await one.put(f"/api/comments/{comment['id']}/like"), 404, "no-such-comment")
        body = {"text": "hey", "reply_to": comment["id"]}
        refused(
            await one.post(f"/api/clips/{clip['id']}/comments", json=body), 404, "no-such-comment"
        )
    # Whom the author keeps away, nobody hears under the author's clips.
    await apart(house, ana, cleo)
    assert await heard(house.visitor(), clip) == ["by ben"]


# Mentions


async def test_mention_is_a_link_for_who_allows_it(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    cleo, dan = await house.person("cleo"), await house.person("dan")
    await dan.patch("/api/me/conversation", json={"mentions_by": "nobody"})
    await cleo.patch("/api/me/conversation", json={"mentions_by": "followers"})
    words = "@ANA, @cleo @dan @nobody.here mail@ana.example @ben."
    assert (await say(ben, clip, words))["mentions"] == ["ana"]
    await ben.follow(cleo)
    assert (await say(ben, clip, "@cleo!"))["mentions"] == ["cleo"]
    assert await told(cleo) == [("mention", "ben"), ("follow", "ben")]
    assert await told(dan) == []
    await apart(house, cleo, ben)
    assert (await say(ben, clip, "@cleo?"))["mentions"] == []


async def test_more_than_twenty_mentions_are_refused(ben: Browser, clip: dict[str, Any]) -> None:
    body = {"text": " ".join(f"@person{number}" for number in range(21))}
    answer = await ben.post(f"/api/clips/{clip['id']}/comments", json=body)
    refused(answer, 400, "too-many-mentions")


async def test_caption_tells_whom_it_mentions_once_they_can_see_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    cleo = await house.person("cleo")
    answer = await ana.post("/api/clips", json=await ana.draft(tiny_film, caption="with @ben"))
    assert await told(ben) == []
    await house.work()
    assert await told(ben) == [("mention", "ana")]
    place = f"/api/clips/{answer.json()['id']}"
    await ana.patch(place, json={"caption": "with @ben and @cleo"})
    assert await told(cleo) == [("mention", "ana")]
    await ana.clip(house, tiny_film, caption="not for @cleo", audience="only-me")
    assert len(await told(cleo)) == 1
    body = await ana.draft(tiny_film, caption=" ".join(f"@person{n}" for n in range(21)))
    refused(await ana.post("/api/clips", json=body), 400, "too-many-mentions")


async def test_suggestions_are_people_one_follows_and_who_has_spoken(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    cleo = await house.person("bea", display_name="Cleo Bee")
    await house.person("bert")
    await ben.follow(cleo)
    dan = await house.person("bernd")
    await say(dan, clip, "hello")

    async def suggested(**query: str) -> list[str]:
        answer = await ben.get("/api/me/mentionable", params=query)
        return [item["handle"] for item in answer.json()["items"]]

    assert await suggested(begins="@B") == ["bea"]
    assert await suggested(begins="cleo") == ["bea"]
    assert await suggested(begins="b", clip_id=clip["id"]) == ["bea", "bernd"]
    assert await suggested(begins="%") == []
    assert await suggested(begins="\0") == await suggested()


# Reply by clip


async def test_clip_answers_a_comment_and_both_sides_show_it(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any], tiny_film: bytes
) -> None:
    made = await say(ben, clip, "How deep is it?")
    answer = await ana.clip(house, tiny_film, answers=made["id"], caption="This deep")
    assert answer["answers_id"] == made["id"]
    assert ("clip-reply", "ana") in await told(ben)
    seen = (await house.visitor().get(f"/api/comments/{made['id']}")).json()
    assert seen["answers"] == [{"clip_id": answer["id"], "handle": "ana"}]
    await ana.patch(f"/api/clips/{answer['id']}", json={"audience": "only-me"})
    assert (await ben.get(f"/api/comments/{made['id']}")).json()["answers"] == []
    assert len((await ana.get(f"/api/comments/{made['id']}")).json()["answers"]) == 1


async def test_clip_answers_only_what_its_author_may_reply_to(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any], tiny_film: bytes
) -> None:
    made = await say(ben, clip, "How deep is it?")
    await ana.patch(f"/api/clips/{clip['id']}", json={"comments_by": "nobody"})
    body = await ben.draft(tiny_film, answers=made["id"])
    refused(await ben.post("/api/clips", json=body), 403, "may-not-comment")
    await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "only-me"})
    refused(await ben.post("/api/clips", json=body), 404, "no-such-comment")


async def test_answer_outlives_its_comment(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any], tiny_film: bytes
) -> None:
    made = await say(ben, clip, "How deep is it?")
    answer = await ana.clip(house, tiny_film, answers=made["id"])
    await ben.delete(f"/api/comments/{made['id']}")
    assert (await ben.get(f"/api/clips/{answer['id']}")).status_code == 200
    refused(await ben.get(f"/api/comments/{made['id']}"), 404, "no-such-comment")


# Erasure


async def test_erasure_takes_comments_and_likes_with_their_numbers(
    house: House, ana: Browser, ben: Browser, clip: dict[str, Any]
) -> None:
    from luciole.cell.clips.comments import privacy

    kept = await say(ana, clip, "by ana")
    await ben.put(f"/api/comments/{kept['id']}/like")
    head = await say(ben, clip, "by ben")
    await say(ana, clip, "under ben's", head)
    await say(ben, clip, "under ana's", kept)
    assert await count(ana, clip) == 4
    ben_id = await house.person_id("ben")
    is_more = True
    while is_more:
        async with house.db.tx() as tx:
            is_more = (await privacy.erase(tx, ben_id)).is_more
    assert await heard(ana, clip) == ["by ana"]
    seen = (await ana.get(f"/api/comments/{kept['id']}")).json()
    assert (seen["likes"], seen["replies"]) == (0, 0)
    assert await count(ana, clip) == 1
