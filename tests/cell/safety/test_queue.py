"""Who may look at what: passkeys, one case in hand, conflicts of interest, limits, duplicates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cell.house import PASSWORD, Browser, House, refused
from tests.cell.messages.conftest import anas, bens  # noqa: F401 - fixtures
from tests.cell.messages.phone import M, Phone
from tests.cell.safety.bench import (
    ANSWER,
    REVIEW,
    at_work,
    begin,
    decide,
    moderator,
    report,
    settings_of,
    take,
)

from luciole import staffing
from luciole.cell.safety import model


async def test_only_a_moderator_with_a_passkey_sees_the_queue(
    house: House, ana: Browser, owner_url: str
) -> None:
    for path in ("shifts", "next"):
        refused(await house.visitor().post(f"{REVIEW}/{path}"), 401, "not-signed-in")
        refused(await ana.post(f"{REVIEW}/{path}"), 403, "not-moderator")
    refused(await ana.get(f"{REVIEW}/queue"), 403, "not-moderator")
    max_, his = await moderator(house, owner_url, "max")
    refused(await max_.post(f"{REVIEW}/next"), 403, "shift-needed")
    # Another's passkey begins nobody's shift but theirs.
    eve, hers = await moderator(house, owner_url, "eve")
    asked = (await max_.post(f"{REVIEW}/shifts")).json()
    place = f"{REVIEW}/shifts/{asked['id']}/signature"
    signed = {"credential": hers.get({"rpId": "localhost", "challenge": asked["challenge"]})}
    refused(await max_.post(place, json=signed), 403, "not-moderator")
    refused(await eve.post(place, json=signed), 403, "shift-needed")
    assert (await begin(max_, his))["waiting"] == {}
    house.clock.advance(timedelta(hours=model.SHIFT_HOURS, seconds=1))
    refused(await max_.get(f"{REVIEW}/queue"), 403, "shift-needed")
    house.clock.advance(timedelta(minutes=model.BREAK_MINUTES))
    await begin(max_, his)
    await staffing.change(settings_of(owner_url), "remove", "max", house.clock)
    refused(await max_.get(f"{REVIEW}/queue"), 403, "not-moderator")


async def test_after_a_shift_comes_a_break(house: House, owner_url: str) -> None:
    max_, his = await moderator(house, owner_url, "max")
    begun = house.clock.now()
    ends_at = (await begin(max_, his))["ends_at"]
    # Another device joins the shift, and makes it no longer.
    house.clock.advance(timedelta(minutes=90))
    other = house.visitor()
    entered = {"handle": "max", "password": PASSWORD}
    assert (await other.post("/api/sessions", json=entered)).is_success
    assert (await begin(other, his))["ends_at"] == ends_at
    assert (await begin(max_, his))["ends_at"] == ends_at
    # What was asked for in the shift begins none after it.
    house.clock.advance(begun + timedelta(hours=model.SHIFT_HOURS, minutes=-1) - house.clock.now())
    asked = (await max_.post(f"{REVIEW}/shifts")).json()
    house.clock.advance(timedelta(minutes=2))
    signed = {"credential": his.get({"rpId": "localhost", "challenge": asked["challenge"]})}
    for browser in (max_, other):
        refused(await browser.get(f"{REVIEW}/queue"), 403, "shift-needed")
        refused(await browser.post(f"{REVIEW}/shifts"), 429, "break-needed")
    answer = await other.post(f"{REVIEW}/shifts")
    refused(
        await max_.post(f"{REVIEW}/shifts/{asked['id']}/signature", json=signed),
        429,
        "break-needed",
    )
    # It says when: the browser in its own words, by `x-pace`, others by `retry-after`.
    rested_at = begun + timedelta(hours=model.SHIFT_HOURS, minutes=model.BREAK_MINUTES)
    assert f"{rested_at:%H:%M:%S} UTC" in answer.json()["next_step"]
    assert f"until={rested_at:%Y-%m-%dT%H:%M:%SZ}" in answer.headers["x-pace"]
    wait_s = int(answer.headers["retry-after"])
    house.clock.advance(timedelta(seconds=wait_s))
    assert (await begin(max_, his))["ends_at"] > ends_at
    # Nobody else has to wait.
    await at_work(house, owner_url, "eve")


async def test_operator_is_no_moderator(house: House, owner_url: str) -> None:
    max_, _ = await moderator(house, owner_url, "max")
    settings = settings_of(owner_url)
    await staffing.change(settings, "remove", "max", house.clock)
    await staffing.change(settings, "add", "max", house.clock)
    refused(await max_.post(f"{REVIEW}/shifts"), 403, "not-moderator")
    (line,) = await staffing.change(settings, "list", "", house.clock)
    assert line.endswith("max  operator")


async def test_the_gravest_comes_first_and_each_has_one_in_hand(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(3)]
    for clip, category in zip(
        clips, ("consumer-information", "protection-of-minors", "violence"), strict=True
    ):
        await report(ben, "clip", clip["id"], category=category)
        house.clock.advance(timedelta(minutes=1))
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    first, again, second = await take(max_), await take(max_), await take(eve)
    assert first
    assert again
    assert second
    assert first["id"] == again["id"] != second["id"]
    assert (first["category"], second["category"]) == ("protection-of-minors", "violence")
    # The one whom it was not given to does nothing to it, and sees no film.
    place = f"{REVIEW}/cases/{first['id']}"
    refused(await eve.post(f"{place}/dismissal", json={"answer": ANSWER}), 409, "review-decided")
    film = f"{place}/clips/{first['subjects'][0]['clip_id']}/film"
    refused(await eve.get(film), 409, "review-decided")
    assert (await max_.get(film)).status_code == 200
    refused(await max_.get(film.replace("film", "source")), 404, "no-such-review")


async def test_second_opinion_goes_to_another_with_the_notes(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    case = await take(max_)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}"
    noted = (await max_.post(f"{place}/notes", json={"words": "Is this satire?"})).json()
    assert [one["words"] for one in noted["notes"]] == ["Is this satire?"]
    assert (await max_.post(f"{place}/second-opinion")).status_code == 204
    assert await take(max_) is None
    other = await take(eve)
    assert other is not None
    assert [one["words"] for one in other["notes"]] == ["Is this satire?"]


async def test_nobody_judges_in_their_own_cause(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str
) -> None:
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    clip = await max_.clip(house, tiny_film)
    await report(eve, "clip", clip["id"])
    assert await take(max_) is None
    assert await take(eve) is None
    assert await take(await at_work(house, owner_url, "zoe")) is not None


async def test_day_of_a_moderator_has_an_end(
    house: House, ana: Browser, ben: Browser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "CASES_A_DAY", 1)
    max_ = await at_work(house, owner_url, "max")
    await report(ben, "person", "ana")
    await report(ana, "person", "ben")
    await decide(max_, act="limit", acts=["message"], days=1)
    refused(await max_.post(f"{REVIEW}/next"), 429, "enough-for-today")


async def test_one_decision_for_the_same_film_and_for_all_reports_of_it(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    carl = await house.person("carl")
    first = await ana.clip(house, tiny_film, caption="First")
    second = await carl.clip(house, tiny_film, caption="Second")
    await report(ben, "clip", first["id"])
    await report(carl, "clip", first["id"], explanation="I think so, too.")
    await house.work()
    await report(ben, "clip", second["id"], category="self-harm")
    await house.work()
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case is not None
    assert {one["clip_id"] for one in case["subjects"]} == {first["id"], second["id"]}
    assert (len(case["reports"]), case["category"]) == (3, "self-harm")
    await decide(max_)
    for author, clip in ((ana, first), (carl, second)):
        refused(await ben.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
        (mine,) = (await author.get("/api/statements")).json()["items"]
        assert mine["subject"] == f"clip/{clip['id']}"
    assert await take(max_) is None


async def test_message_that_a_device_disclosed_becomes_a_case(
    house: House,
    anas: Phone,  # noqa: F811
    bens: Phone,  # noqa: F811
    owner_url: str,
) -> None:
    pair = await anas.talk("pair", bens)
    item = bens.signed(pair, b"I know where you live")
    body = {"conversation_id": pair, "reason": "threat", "items": [item]}
    await anas.browser.post(f"{M}/reports", json=body)
    await house.parts.queue.run_periodic("safety.settle")
    await house.parts.queue.run_periodic("safety.settle")
    (mine,) = (await anas.browser.get("/api/reports")).json()["items"]
    assert (mine["what"], mine["outcome"]) == ("message", "waiting")
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case is not None
    assert (case["subjects"][0]["person"], case["acts"]) == ("ben", ["limit", "suspend"])
    await decide(max_, act="limit", acts=["message"], days=7)
    refused(await bens.send(pair, b"More"), 403, "account-limited")


async def test_what_is_gone_is_closed(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    await report(ben, "clip", clip["id"])
    assert (await ana.delete(f"/api/clips/{clip['id']}")).status_code == 204
    await house.parts.queue.run_periodic("safety.settle")
    (mine,) = (await ben.get("/api/reports")).json()["items"]
    assert mine["outcome"] == "gone"
    assert await take(await at_work(house, owner_url, "max")) is None
