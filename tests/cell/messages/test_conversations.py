"""Requests, groups, commits: who is in a conversation, and what may be said in it."""

from __future__ import annotations

import asyncio
import os

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House, refused
from tests.cell.messages.phone import M, Phone, b64, befriend, folder, group_info, keep_away

from luciole.cell.messages import model


@pytest_asyncio.fixture(loop_scope="session")
async def eves(house: House, ana: Browser) -> Phone:
    """A stranger's."""
    return await Phone.of(house, await house.person("eve"))


@pytest_asyncio.fixture(loop_scope="session")
async def cleos(house: House, ana: Browser) -> Phone:
    """A friend's of ana."""
    cleo = await house.person("cleo")
    await befriend(cleo, ana)
    return await Phone.of(house, cleo)


# Requests


async def test_strangers_conversation_waits_among_requests(anas: Phone, eves: Phone) -> None:
    pair = await eves.talk("pair", anas)
    assert await folder(anas.browser, "inbox") == []
    assert [each["id"] for each in await folder(anas.browser, "requests")] == [pair]
    assert [each["id"] for each in await folder(eves.browser, "inbox")] == [pair]
    (line,) = (await anas.browser.get("/api/notifications")).json()["items"]
    assert (line["kind"], line["by"]["handle"]) == ("message-request", "eve")


async def test_whom_one_follows_arrives_in_the_inbox(anas: Phone, eves: Phone) -> None:
    await anas.browser.follow(eves.browser)
    await eves.talk("pair", anas)
    assert len(await folder(anas.browser, "inbox")) == 1
    kinds = [
        each["kind"] for each in (await anas.browser.get("/api/notifications")).json()["items"]
    ]
    assert "message-request" not in kinds


async def test_request_takes_three_short_messages_and_no_files(anas: Phone, eves: Phone) -> None:
    pair = await eves.talk("pair", anas)
    long = os.urandom(model.MAX_REQUEST_BYTES + 1)
    refused(await eves.send(pair, long), 403, "wait-for-answer")
    for number in range(3):
        assert (await eves.send(pair, b"hello %d" % number)).status_code == 201
    refused(await eves.send(pair), 403, "wait-for-answer")
    answer = await eves.browser.post(f"{M}/conversations/{pair}/attachments", content=b"photo")
    refused(answer, 403, "wait-for-answer")
    await anas.fetch()
    refused(await anas.send(pair), 403, "accept-first")
    assert (await anas.browser.post(f"{M}/conversations/{pair}/accept")).status_code == 204
    assert [each["id"] for each in await folder(anas.browser, "inbox")] == [pair]
    assert (await eves.send(pair, long)).status_code == 201
    assert (await anas.send(pair)).status_code == 201
    assert (await anas.browser.get("/api/notifications")).json()["items"] == []


async def test_declined_request_looks_to_its_maker_as_before(
    house: House, anas: Phone, eves: Phone
) -> None:
    pair = await eves.talk("pair", anas)
    await eves.send(pair)
    before = await folder(eves.browser, "inbox")
    assert (await anas.browser.post(f"{M}/conversations/{pair}/leave")).status_code == 204
    assert await folder(anas.browser, "requests") == []
    assert await anas.waiting() == []
    assert await folder(eves.browser, "inbox") == before
    assert (await eves.send(pair)).status_code == 201
    assert await anas.waiting() == []
    refused(await eves.begin("pair", anas), 409, "pair-exists")
    refused(
        await anas.browser.get(f"{M}/conversations/{pair}/group-info"), 404, "no-such-conversation"
    )
    # Whoever declined may still begin to write.
    again = await anas.talk("pair", eves)
    assert again != pair
    refused(await eves.send(pair), 409, "conversation-over")


async def test_restricted_friends_conversation_goes_to_requests(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await bens.talk("pair", anas)
    await keep_away(anas.browser, "ben", "restriction")
    assert [each["id"] for each in await folder(anas.browser, "requests")] == [pair]
    # The restricted one notices nothing.
    assert [each["folder"] for each in await folder(bens.browser, "inbox")] == ["inbox"]
    query = "SELECT id FROM notify.event WHERE person_id = $1"
    events = await house.rows(query, anas.person_id)
    assert (await bens.send(pair)).status_code == 201
    assert await house.rows(query, anas.person_id) == events


async def test_leaving_a_pair_ends_it_for_the_other(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair, b"last word")
    assert (await anas.browser.post(f"{M}/conversations/{pair}/leave")).status_code == 204
    assert await folder(anas.browser, "inbox") == []
    (left,) = await folder(bens.browser, "inbox")
    assert left["is_over"] is True
    assert [body for kind, body in await bens.fetch() if kind == "message"] == [b"last word"]
    refused(await bens.send(pair), 409, "conversation-over")
    refused(await bens.commit(pair), 409, "conversation-over")
    # A new one may be begun; and when the other leaves too, nothing is left.
    await bens.talk("pair", anas)
    await bens.browser.post(f"{M}/conversations/{pair}/leave")
    kept = await house.rows("SELECT id FROM messages.conversation")
    assert pair not in {str(row["id"]) for row in kept}


# Groups


async def test_only_friends_are_added_to_a_group(anas: Phone, bens: Phone, eves: Phone) -> None:
    refused(await anas.begin("group", bens, eves), 403, "not-a-friend")
    group = await anas.talk("group", bens)
    refused(await anas.commit(group, eves, adds=["eve"]), 403, "not-a-friend")
    (found,) = await folder(bens.browser, "inbox")
    assert (found["id"], found["kind"]) == (group, "group")


async def test_members_are_added_and_hear_what_follows(
    anas: Phone, bens: Phone, cleos: Phone
) -> None:
    group = await anas.talk("group", bens)
    answer = await anas.commit(group, cleos, adds=["cleo"])
    assert answer.json()["epoch"] == 2
    assert [each[0] for each in await bens.fetch()] == ["welcome", "commit"]
    bens.groups[group] = anas.groups[group]
    assert [each[0] for each in await cleos.fetch()] == ["welcome"]
    assert (await cleos.send(group, b"hi all")).status_code == 201
    assert ("message", b"hi all") in await bens.fetch()
    (listed,) = await folder(cleos.browser, "inbox")
    assert {each["handle"] for each in listed["members"]} == {"ana", "ben", "cleo"}


async def test_longest_member_removes_others_who_hear_no_more(
    anas: Phone, bens: Phone, cleos: Phone
) -> None:
    await befriend(bens.browser, cleos.browser)
    group = await anas.talk("group", bens, cleos)
    refused(await bens.commit(group, removes=["cleo"]), 403, "not-yours-to-remove")
    assert (await anas.commit(group, removes=["cleo"])).status_code == 200
    assert [each[0] for each in await cleos.fetch()] == ["welcome", "commit"]
    await anas.send(group)
    assert await cleos.fetch() == []
    assert await folder(cleos.browser, "inbox") == []
    cleos.groups[group] = anas.groups[group]
    refused(await cleos.send(group), 404, "no-such-conversation")
    # Ana leaves; ben is the one who has been there longest. His commit takes her devices out.
    assert (await anas.browser.post(f"{M}/conversations/{group}/leave")).status_code == 204
    bens.groups[group] = anas.groups[group]
    assert (await bens.commit(group, removes=["ana"])).status_code == 200
    assert (await bens.browser.post(f"{M}/conversations/{group}/leave")).status_code == 204


async def test_group_has_at_most_32_people(
    anas: Phone, bens: Phone, cleos: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "MAX_PEOPLE", 2)
    refused(await anas.begin("group", bens, cleos), 409, "group-full")
    group = await anas.talk("group", bens)
    refused(await anas.commit(group, cleos, adds=["cleo"]), 409, "group-full")


@pytest.mark.parametrize("members", [["ana"], ["ben", "ben"], ["ben", "cleo"]])
async def test_pair_is_of_two(anas: Phone, bens: Phone, cleos: Phone, members: list[str]) -> None:
    refused(await anas.begin("pair", bens, members=members), 400, "bad-members")


async def test_everybody_is_welcomed_with_devices_of_their_own(
    house: House, anas: Phone, bens: Phone, cleos: Phone
) -> None:
    welcome = {"device_ids": [cleos.id], "body": b64(b"w")}
    both = {"device_ids": [bens.id, cleos.id], "body": b64(b"w")}
    twice = {"device_ids": [bens.id, bens.id], "body": b64(b"w")}
    for welcomes in ([], [welcome], [both], [twice]):
        answer = await anas.begin("pair", bens, welcomes=welcomes)
        refused(answer, 400, "device-left-out")
    # One's own other device comes along.
    second = await Phone.of(house, anas.browser)
    await anas.talk("pair", bens, second)
    assert [each[0] for each in await second.fetch()] == ["welcome"]


# Commits


async def test_one_of_two_commits_at_once_is_taken(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    answers = await asyncio.gather(anas.commit(pair, epoch=1), bens.commit(pair, epoch=1))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    late = next(answer for answer in answers if answer.is_error)
    refused(late, 409, "epoch-passed")
    assert [each["kind"] for each in await anas.waiting()] == ["commit"]


async def test_message_of_a_former_epoch_is_made_again(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await bens.commit(pair)
    refused(await anas.send(pair, epoch=1), 409, "epoch-passed")
    assert (await anas.send(pair, epoch=2)).status_code == 201
    refused(await anas.send(pair, epoch=3), 409, "epoch-passed")


async def test_group_info_is_of_the_group_and_of_the_epoch_that_begins(
    anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    group_id, _ = anas.groups[pair]
    for wrong in (
        group_info(group_id, 1),
        group_info(group_id, 3),
        group_info(b"another group", 2),
        group_info(group_id, 2)[:-1],
        b"\0",
    ):
        refused(await anas.commit(pair, group_info=b64(wrong)), 400, "bad-group-info")
    answer = await anas.begin("group", bens, group_info=b64(b"nothing"))
    refused(answer, 400, "bad-group-info")
    same = await anas.begin("group", bens, group_info=b64(group_info(group_id, 1)))
    refused(same, 409, "pair-exists")


async def test_new_device_joins_by_an_external_commit(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    await anas.send(pair, b"before")
    tablet = await Phone.of(house, bens.browser)
    tablet.groups[pair] = anas.groups[pair]
    refused(await tablet.send(pair), 409, "not-seated")
    found = (await bens.browser.get(f"{M}/conversations/{pair}/group-info")).json()
    assert found["epoch"] == 1
    answer = await tablet.commit(pair)
    assert answer.json()["epoch"] == 2
    assert await tablet.fetch() == [], "it has its own commit, and nothing from before"
    assert [each[0] for each in await bens.fetch()] == ["welcome", "message", "commit"]
    assert (await tablet.send(pair, b"from both")).status_code == 201
    assert ("message", b"from both") in await bens.fetch()


async def test_inbox_is_read_in_parts_and_kept_until_acknowledged(
    anas: Phone, bens: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await anas.talk("pair", bens)
    for number in range(4):
        await anas.send(pair, b"%d" % number)
    assert [each["n"] for each in await bens.waiting(limit=3)] == [1, 2, 3]
    assert [each["n"] for each in await bens.waiting(limit=3)] == [1, 2, 3]
    await bens.ack(2)
    assert [each["n"] for each in await bens.waiting()] == [3, 4, 5]
    monkeypatch.setattr(model, "MAX_INBOX_BYTES", 1)
    assert [each["n"] for each in await bens.waiting()] == [3]


async def test_numbers_of_an_inbox_have_no_holes_when_many_send_at_once(
    house: House, anas: Phone, bens: Phone, cleos: Phone
) -> None:
    await befriend(bens.browser, cleos.browser)
    talks = [await anas.talk("group", bens, cleos) for _ in range(2)]
    talks.append(await anas.talk("pair", bens))
    sent = []
    for talk in talks:
        for phone in (anas, bens, cleos)[: 2 if talk == talks[-1] else 3]:
            sent += [phone.send(talk, os.urandom(20)) for _ in range(3)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {201}
    waiting = await bens.waiting(limit=100)
    assert [each["n"] for each in waiting] == list(range(1, 3 + len(sent) + 1))


async def test_message_is_taken_back_where_it_waits(house: House, anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    await bens.fetch()
    made = (await anas.send(pair, b"oh no")).json()["id"]
    kept = (await anas.send(pair, b"fine")).json()["id"]
    answer = await bens.take_back(pair, made, b"guessed")
    assert answer.status_code == 204, "whether it was the right token is not said"
    assert len(await bens.waiting()) == 2
    assert (await anas.take_back(pair, made, b"oh no")).status_code == 204
    assert [body for _, body in await bens.fetch()] == [b"fine"]
    assert (await anas.take_back(pair, kept, b"fine")).status_code == 204


async def test_conversation_is_muted_for_oneself(anas: Phone, bens: Phone) -> None:
    pair = await anas.talk("pair", bens)
    place = f"{M}/conversations/{pair}/mute"
    assert (await anas.browser.put(place)).status_code == 204
    assert (await folder(anas.browser, "inbox"))[0]["is_muted"] is True
    assert (await folder(bens.browser, "inbox"))[0]["is_muted"] is False
    assert (await anas.browser.delete(place)).status_code == 204
    assert (await folder(anas.browser, "inbox"))[0]["is_muted"] is False


# Blocks


async def test_block_closes_a_pair_for_both_from_the_next_request_on(
    house: House, anas: Phone, bens: Phone
) -> None:
    pair = await anas.talk("pair", bens)
    await bens.fetch()
    await bens.send(pair, b"unread")
    await keep_away(anas.browser, "ben", "block")
    for phone in (anas, bens):
        refused(await phone.send(pair), 404, "no-such-conversation")
        refused(await phone.commit(pair), 404, "no-such-conversation")
        assert await folder(phone.browser, "inbox") == []
        assert await phone.waiting() == []
        answer = await phone.browser.post(f"{M}/conversations/{pair}/attachments", content=b"x")
        refused(answer, 404, "no-such-conversation")
    await anas.browser.delete("/api/people/ben/away/block")
    assert len(await folder(anas.browser, "inbox")) == 1
    assert [body for _, body in await anas.fetch()] == [b"unread"]


async def test_blocked_people_in_a_group_do_not_hear_each_other(
    house: House, anas: Phone, bens: Phone, cleos: Phone
) -> None:
    await befriend(bens.browser, cleos.browser)
    group = await anas.talk("group", bens, cleos)
    for phone in (bens, cleos):
        await phone.fetch()
    await keep_away(bens.browser, "cleo", "block")
    await bens.send(group, b"of ben")
    await cleos.send(group, b"of cleo")
    assert [body for _, body in await anas.fetch()] == [b"of ben", b"of cleo"]
    assert [body for _, body in await bens.fetch()] == [b"of ben"]
    assert [body for _, body in await cleos.fetch()] == [b"of cleo"]
    # Commits reach everybody, else the group would fall apart.
    await anas.commit(group)
    assert [kind for kind, _ in await bens.fetch()] == ["commit"]
    assert [kind for kind, _ in await cleos.fetch()] == ["commit"]
