"""What happens in between: what goes while it is looked at; reports and appeals that cross."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import decisions
from tests.cell.safety.bench import (
    ANSWER,
    REMOVE,
    REVIEW,
    Pools,
    at_work,
    decide,
    report,
    take,
    told,
)
from tests.cell.safety.test_reports import FORM, NOTICE

from luciole.cell.people import restrictions
from luciole.cell.people.restrictions import Suspended
from luciole.cell.safety import store as reports
from luciole.cell.safety.store import decisions as decided

WHY = {"explanation": "That was a play, and all of us agreed to it."}


async def dismiss(browser: Browser) -> None:
    case = await take(browser)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/dismissal"
    answer = await browser.post(place, json={"answer": ANSWER})
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize("what", ["clip", "person"])
async def test_name_with_a_zero_byte_is_nothing_to_report(
    house: House, ana: Browser, ben: Browser, what: str
) -> None:
    body = {"what": what, "name": "ana\0", "category": "violence"}
    refused(await ben.post("/api/reports", json=body), 404, "nothing-to-report")


async def test_notice_keeps_no_zero_bytes(house: House, ana: Browser) -> None:
    visitor = house.visitor()
    address = {**NOTICE, "address": "/@ana\0"}
    refused(await visitor.post(FORM, json=address), 404, "nothing-to-report")
    body = {**NOTICE, "address": "/@ana", "name": "Zo\0e"}
    answer = await visitor.post(FORM, json=body)
    assert answer.status_code == 201, answer.text


async def test_report_that_is_sent_twice_is_one(
    house: House, ana: Browser, ben: Browser, owner_url: str, pools: Pools
) -> None:
    carl = await house.person("carl")
    first = await report(ben, "person", "ana")
    assert (await report(ben, "person", "ana"))["id"] == first["id"]
    await report(carl, "person", "ana")
    await report(ben, "person", "ana", explanation="And once more.")
    case = await take(max_ := await at_work(house, owner_url, "max"))
    assert case is not None
    assert len(case["reports"]) == 3
    assert sum(one["kind"] == "report" for one in await decisions(pools)) == 3
    await decide(max_, act="limit", acts=["comment"], days=1)
    # After the answer it is a new one.
    assert (await report(ben, "person", "ana"))["id"] != first["id"]


@pytest.mark.parametrize("act", ["remove", "adults"])
async def test_clip_that_goes_in_the_hands_of_a_moderator_is_not_decided_about(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str, act: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    case = await take(max_ := await at_work(house, owner_url, "max"))
    assert case is not None
    assert (await ana.delete(f"/api/clips/{clip['id']}")).status_code == 204
    place = f"{REVIEW}/cases/{case['id']}"
    assert (await max_.get(f"{place}/clips/{clip['id']}/film")).status_code == 404
    answer = await max_.post(f"{place}/decision", json={**REMOVE, "act": act})
    refused(answer, 409, "review-decided")
    assert (await ana.get("/api/statements")).json()["items"] == []
    await house.work()
    await house.parts.queue.run_periodic("safety.settle")
    (mine,) = (await ben.get("/api/reports")).json()["items"]
    assert mine["outcome"] == "gone"


async def test_person_whose_clip_is_gone_may_be_limited(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    case = await take(max_ := await at_work(house, owner_url, "max"))
    assert case is not None
    await ana.delete(f"/api/clips/{clip['id']}")
    await decide(max_, act="limit", acts=["publish"], days=1)
    assert (await told(ana))[0] == "decision"


async def test_case_in_hand_grows_by_nothing_that_its_moderator_has_not_seen(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    first = await ana.clip(house, tiny_film, caption="First")
    second = await carl.clip(house, tiny_film, caption="Second")
    await report(ben, "clip", first["id"])
    await house.work()
    case = await take(max_ := await at_work(house, owner_url, "max"))
    assert case is not None
    await report(ben, "clip", second["id"])
    await house.work()
    await decide(max_, act="suspend", days=1)
    assert (await ben.get("/api/people/ana")).status_code == 410
    assert (await ben.get("/api/people/carl")).status_code == 200
    other = await take(max_)
    assert other is not None
    assert [one["person"] for one in other["subjects"]] == ["carl"]


async def test_decision_is_appealed_once(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    said = await decide(await at_work(house, owner_url, "max"))
    place = f"/api/statements/{said['id']}/appeal"
    refused(await ben.post(place, json=WHY), 404, "no-such-statement")
    refused(await ana.post(place, json={"explanation": "\0 "}), 400, "bad-appeal")
    assert (await ana.post(place, json=WHY)).status_code == 201
    refused(await ana.post(place, json=WHY), 409, "no-appeal")
    case = await take(eve := await at_work(house, owner_url, "eve"))
    assert case is not None
    heard = f"{REVIEW}/cases/{case['id']}/appeal/upheld"
    assert (await eve.post(heard, json={"answer": ANSWER})).status_code == 204
    refused(await eve.post(heard, json={"answer": ANSWER}), 409, "review-decided")
    refused(await ana.post(place, json=WHY), 409, "no-appeal")
    assert (await ana.get("/api/statements")).json()["items"][0]["may_appeal"] is False


async def test_report_is_appealed_once_and_only_where_nothing_was_done(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    carl = await house.person("carl")
    mine, his = [await report(one, "person", "ana") for one in (ben, carl)]
    appeals = [f"/api/reports/{one['id']}/appeal" for one in (mine, his)]
    refused(await ben.post(appeals[0], json=WHY), 409, "no-appeal")
    await dismiss(await at_work(house, owner_url, "max"))
    refused(await carl.post(appeals[0], json=WHY), 404, "no-such-report")
    assert (await ben.post(appeals[0], json=WHY)).status_code == 201
    refused(await ben.post(appeals[0], json=WHY), 409, "no-appeal")
    await decide(await at_work(house, owner_url, "eve"), act="limit", acts=["comment"], days=1)
    # Something is done now, which all who reported it hear, each once.
    refused(await carl.post(appeals[1], json=WHY), 409, "no-appeal")
    for one in (ben, carl):
        (seen,) = (await one.get("/api/reports")).json()["items"]
        assert (seen["outcome"], seen["answer"]) == ("acted", ANSWER)
        assert seen["may_appeal"] is False
    assert await told(ben) == ["appeal-decided", "report-decided"]
    assert await told(carl) == ["report-decided", "report-decided"]


async def test_appeal_after_the_end_of_a_decision_can_still_reverse_it(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    await report(ben, "person", "ana")
    said = await decide(await at_work(house, owner_url, "max"), act="suspend", days=1)
    house.clock.advance(timedelta(days=2))
    await house.parts.queue.run_periodic("safety.settle")
    assert (await ana.get("/api/statements")).json()["items"][0]["ended_why"] == "over"
    assert (await ana.post(f"/api/statements/{said['id']}/appeal", json=WHY)).status_code == 201
    eve = await at_work(house, owner_url, "eve")
    case = await take(eve)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/appeal/reversed"
    assert (await eve.post(place, json={"answer": ANSWER})).status_code == 204
    assert (await ana.get("/api/statements")).json()["items"][0]["ended_why"] == "reversed"


async def test_appeal_of_who_has_left_leaves_the_queue(
    house: House, ana: Browser, ben: Browser, owner_url: str
) -> None:
    await report(ben, "person", "ana")
    said = await decide(await at_work(house, owner_url, "max"), act="suspend", days=1)
    assert (await ana.post(f"/api/statements/{said['id']}/appeal", json=WHY)).status_code == 201
    left = await house.person_id("ana")
    async with house.db.tx() as tx:
        await decided.erase(tx, left)
        await reports.erase(tx, left)
    await house.parts.queue.run_periodic("safety.settle")
    assert await take(await at_work(house, owner_url, "eve")) is None


@pytest.mark.parametrize("place", ["/api/clips", "/api/clips/", "/api//clips", "/api/%63lips"])
async def test_who_is_limited_is_limited_however_the_address_is_written(
    house: House, ana: Browser, ben: Browser, owner_url: str, place: str
) -> None:
    await report(ben, "person", "ana")
    await decide(await at_work(house, owner_url, "max"), act="limit", acts=["publish"], days=7)
    body = {"upload_id": "0190b5f0-0000-7000-8000-000000000000", "audience": "everyone"}
    answer = await ana.post(place, json=body)
    assert answer.json()["code"] in ("account-limited", "not-found"), answer.text
    # Without the limit it is the upload that is missing.
    assert (await ben.post("/api/clips", json=body)).json()["code"] == "no-such-upload"


@pytest.mark.parametrize("path", ["reports", "devices/0/acks", "conversations/0/leave"])
def test_who_is_suspended_takes_back_and_reports_among_messages(path: str) -> None:
    restrictions.check({"everything"}, "POST", f"/api/messages/{path}")
    for other in ("conversations", "conversations/0/messages", "devices", "key-packages/claim"):
        with pytest.raises(Suspended):
            restrictions.check({"everything"}, "POST", f"/api/messages/{other}")
