"""Report, decision, statement, appeal, reversal: each step as the people in it see it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
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


async def counts(browser: Browser, clip_id: str) -> dict[str, Any]:
    clip = (await browser.get(f"/api/clips/{clip_id}")).json()
    person = (await browser.get("/api/people/ana")).json()
    names = ("likes", "comments", "reposts", "favourites")
    return {**{name: clip[name] for name in names}, "clips": person["clips"]}


async def places(browser: Browser) -> dict[str, list[str]]:
    """Where a clip is found, in order."""
    found = {}
    for name, path in (("latest", "/api/feeds/latest"), ("grid", "/api/people/ana/clips")):
        items = (await browser.get(path)).json()["items"]
        found[name] = [one["id"] for one in items]
    return found


async def test_from_report_to_reversal(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str, pools: Pools
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=f"Clip {n}") for n in range(3)]
    clip = clips[1]
    await ben.put(f"/api/clips/{clip['id']}/like")
    await ben.post(f"/api/clips/{clip['id']}/comments", json={"text": "Well said"})
    before, stood = await counts(ben, clip["id"]), await places(ben)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]

    # 1. Ben reports. It waits, and Ana is told nothing yet.
    made = await report(ben, "clip", clip["id"], is_illegal=True, explanation="He says: I will…")
    assert (made["outcome"], made["may_appeal"]) == ("waiting", False)
    assert "decision" not in await told(ana)

    # 2. A moderator sees what is said, and not by whom.
    case = await take(max_)
    assert case is not None
    assert [one["explanation"] for one in case["reports"]] == ["He says: I will…"]
    assert "ben" not in msgspec.json.encode(case).decode()
    film = await max_.get(f"{REVIEW}/cases/{case['id']}/clips/{clip['id']}/film")
    assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
    said = await decide(max_)

    # 3. It takes effect with its statement: Ana reads why, and others that it was removed.
    refused(await ben.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
    answer = await ben.get(f"/api/clips/{clip['id']}")
    assert f"/statements/{said['id']}" in answer.headers["link"]
    assert (await ben.get(clip["poster_url"])).status_code == 410
    assert clip["id"] not in (await places(ben))["latest"] + (await places(ben))["grid"]
    assert (await ana.get(f"/api/clips/{clip['id']}")).status_code == 200
    assert (await told(ana))[0] == "decision"
    (mine,) = (await ana.get("/api/statements")).json()["items"]
    assert (mine["id"], mine["is_yours"], mine["may_appeal"]) == (said["id"], True, True)
    assert mine["explanation"] == REMOVE["explanation"]
    assert mine["subject"] == f"clip/{clip['id']}"
    other = (await ben.get(f"/api/statements/{said['id']}")).json()
    assert (other["subject"], other["nonce"], other["may_appeal"]) == ("", "", False)
    (reported,) = (await ben.get("/api/reports")).json()["items"]
    assert (reported["outcome"], reported["answer"]) == ("acted", ANSWER)
    assert (await told(ben))[0] == "report-decided"

    # 4. Ana appeals. Who decided does not get it; another does, and has seen the statement.
    answer = await ana.post(
        f"/api/statements/{said['id']}/appeal", json={"explanation": "It is a line of a play."}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["due_at"] > answer.json()["made_at"]
    assert await take(max_) is None
    heard = await take(eve)
    assert heard is not None
    assert (heard["state"], heard["id"]) == ("appealed", case["id"])
    assert [one["id"] for one in heard["statements"]] == [said["id"]]
    film = await eve.get(f"{REVIEW}/cases/{case['id']}/clips/{clip['id']}/film")
    assert film.status_code == 200
    place = f"{REVIEW}/cases/{case['id']}"
    assert (await eve.post(f"{place}/appeal/reversed", json={"answer": ANSWER})).status_code == 204

    # 5. Everything is as it was, and both know.
    assert await counts(ben, clip["id"]) == before
    assert await places(ben) == stood
    assert (await ben.get(clip["poster_url"])).status_code == 200
    assert (await told(ana))[0] == "appeal-decided"
    (mine,) = (await ana.get("/api/statements")).json()["items"]
    assert (mine["is_in_force"], mine["ended_why"]) == (False, "reversed")
    assert (mine["appeal"]["outcome"], mine["appeal"]["answer"]) == ("reversed", ANSWER)

    # 6. The log has it in order, and opens with what Ana has been given.
    entries = [one for one in await decisions(pools) if one["kind"] not in ("staff",)]
    assert [one["kind"] for one in entries] == [
        "report", "decision", "reports-decided", "appeal", "decision-ended", "appeal-decided",
    ]  # fmt: skip
    logged = msgspec.json.encode(entries).decode()
    assert clip["id"] not in logged
    assert REMOVE["facts"] not in logged
    export = (await house.visitor().get("/api/statements/export")).json()["statements"][0]
    text = msgspec.json.encode({**export, "about": mine["subject"]}, order="deterministic")
    opened = b"luciole/statement/v1" + bytes.fromhex(mine["nonce"]) + text
    assert hashlib.sha256(opened).hexdigest() == mine["commit"] == entries[1]["commit"]


async def test_appeal_that_is_upheld_leaves_it_removed(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    await report(ben, "clip", clip["id"])
    said = await decide(max_)
    place = f"/api/statements/{said['id']}/appeal"
    refused(await ben.post(place, json={"explanation": "Not mine"}), 404, "no-such-statement")
    refused(await ana.post(place, json={"explanation": " "}), 400, "bad-appeal")
    assert (await ana.post(place, json={"explanation": "It is a play."})).status_code == 201
    refused(await ana.post(place, json={"explanation": "Once more."}), 409, "no-appeal")
    heard = await take(eve)
    assert heard is not None
    case = f"{REVIEW}/cases/{heard['id']}"
    # What was decided is answered first, before anything else is decided about it.
    refused(await eve.post(f"{case}/dismissal", json={"answer": ANSWER}), 400, "bad-decision")
    assert (await eve.post(f"{case}/appeal/upheld", json={"answer": ANSWER})).status_code == 204
    refused(await ben.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
    (mine,) = (await ana.get("/api/statements")).json()["items"]
    assert (mine["is_in_force"], mine["appeal"]["outcome"]) == (True, "upheld")


async def test_who_reported_may_appeal_where_nothing_was_done(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    made = await report(ben, "clip", clip["id"])
    case = await take(max_)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}"
    assert (await max_.post(f"{place}/dismissal", json={"answer": ANSWER})).status_code == 204
    assert (await ben.get(f"/api/clips/{clip['id']}")).status_code == 200
    (mine,) = (await ben.get("/api/reports")).json()["items"]
    assert (mine["outcome"], mine["may_appeal"]) == ("no-violation", True)
    appeal = f"/api/reports/{made['id']}/appeal"
    assert (await ben.post(appeal, json={"explanation": "Listen again."})).status_code == 201
    assert await take(max_) is None
    await decide(eve)
    refused(await ben.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
    (mine,) = (await ben.get("/api/reports")).json()["items"]
    assert mine["appeal"]["outcome"] == "reversed"
