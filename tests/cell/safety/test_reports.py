"""What may be reported, by whom, how often; the form without an account; all in numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import decisions, order, settle
from tests.cell.safety.bench import ANSWER, REVIEW, Pools, at_work, decide, report, take

from luciole.cell.safety import model
from luciole.cell.safety.active import FEW
from luciole.kit.blobs import Blobs
from luciole.ledger.note import Checkpoint, KeyKind, Signer
from luciole.ledger.tiles import Edge

FORM = "/api/report-form"
NOTICE: dict[str, Any] = {
    "category": "illegal-or-harmful-speech",
    "explanation": "The second sentence is a call to violence, which article 1 forbids.",
    "is_in_good_faith": True,
}


async def test_what_one_may_not_see_one_does_not_report(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    secret = await ana.clip(house, tiny_film, audience="only-me")
    body = {"what": "clip", "name": secret["id"], "category": "violence"}
    refused(await ben.post("/api/reports", json=body), 404, "nothing-to-report")
    refused(await ana.post("/api/reports", json=body), 400, "own-thing")
    for name in ("nobody", "", "@"):
        person = {"what": "person", "name": name, "category": "violence"}
        refused(await ben.post("/api/reports", json=person), 404, "nothing-to-report")
    body = {"what": "person", "name": "ana", "category": "violence", "is_illegal": True}
    refused(await ben.post("/api/reports", json=body), 400, "bad-safety-report")
    refused(await house.visitor().post("/api/reports", json=body), 401, "not-signed-in")


async def test_notice_without_an_account_has_a_receipt_and_an_outcome(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    visitor = house.visitor()
    body = {**NOTICE, "address": f"http://localhost:8080/c/{clip['id']}", "name": "Zoé Martin"}
    with_email = {**body, "email": "zoe@example.org"}
    assert (await visitor.get(FORM)).json() == {"takes_email": False}
    refused(await visitor.post(FORM, json=with_email), 400, "no-mail-here")
    refused(
        await visitor.post(FORM, json={**body, "is_in_good_faith": False}),
        400,
        "good-faith-missing",
    )
    refused(await visitor.post(FORM, json={**body, "explanation": " "}), 400, "bad-safety-report")
    refused(await visitor.post(FORM, json={**body, "address": "/"}), 404, "nothing-to-report")
    answer = await visitor.post(FORM, json=body)
    assert answer.status_code == 201, answer.text
    code = answer.json()["code"]
    assert (await visitor.get(f"{FORM}/{code}")).json()["outcome"] == "waiting"
    refused(await visitor.get(f"{FORM}/{code}x"), 404, "no-such-report")
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert "Zoé" not in msgspec.json.encode(case).decode()
    await decide(max_, is_illegal=True)
    seen = (await house.visitor().get(f"{FORM}/{code}")).json()
    assert (seen["outcome"], seen["answer"]) == ("acted", ANSWER)
    (mine,) = (await ana.get("/api/statements")).json()["items"]
    assert (mine["is_notice"], mine["is_illegal"]) == (True, True)
    # Who it was is forgotten, when nobody can appeal any more.
    assert len(await house.rows("SELECT FROM safety.notifier")) == 1
    house.clock.advance(timedelta(days=model.NOTIFIER_KEPT_DAYS + 1))
    await house.parts.queue.run_periodic("safety.settle")
    assert await house.rows("SELECT FROM safety.notifier") == []


async def test_who_sent_a_notice_appeals_by_its_code(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str, pools: Pools
) -> None:
    clip = await ana.clip(house, tiny_film)
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    visitor = house.visitor()
    answer = await visitor.post(FORM, json={**NOTICE, "address": f"/c/{clip['id']}"})
    code = answer.json()["code"]
    assert answer.json()["report"]["may_appeal"] is False
    place, words = f"{FORM}/{code}/appeal", {"explanation": "Listen to the second sentence again."}
    refused(await visitor.post(place, json=words), 409, "no-appeal")  # nothing is decided yet
    case = await take(max_)
    assert case is not None
    await max_.post(f"{REVIEW}/cases/{case['id']}/dismissal", json={"answer": ANSWER})
    seen = (await visitor.get(f"{FORM}/{code}")).json()
    assert (seen["outcome"], seen["may_appeal"]) == ("no-violation", True)
    days = datetime.fromisoformat(seen["appeal_until"]) - house.clock.now()
    assert days == timedelta(days=model.APPEAL_DAYS)

    # Only by the code, with words, and once.
    refused(await visitor.post(f"{FORM}/{code}x/appeal", json=words), 404, "no-such-report")
    refused(await visitor.post(place, json={"explanation": " "}), 400, "bad-appeal")
    answer = await visitor.post(place, json=words)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["outcome"], answer.json()["explanation"]) == (
        "waiting",
        words["explanation"],
    )
    refused(await visitor.post(place, json=words), 409, "no-appeal")

    # Who decided before does not get it; another does, reads why, and acts.
    assert await take(max_) is None
    said = await decide(eve, is_illegal=True)
    assert said["is_notice"] is True
    refused(await visitor.get(f"/api/clips/{clip['id']}"), 410, "removed-by-decision")
    seen = (await house.visitor().get(f"{FORM}/{code}")).json()
    assert (seen["outcome"], seen["may_appeal"]) == ("acted", False)
    assert (seen["appeal"]["outcome"], seen["appeal"]["answer"]) == ("reversed", ANSWER)
    kinds = [one["kind"] for one in await decisions(pools) if one["kind"].startswith("appeal")]
    assert kinds == ["appeal", "appeal-decided"]


async def test_notice_is_appealed_within_its_time(
    house: House, ana: Browser, owner_url: str
) -> None:
    max_ = await at_work(house, owner_url, "max")
    visitor = house.visitor()
    code = (await visitor.post(FORM, json={**NOTICE, "address": "/@ana"})).json()["code"]
    case = await take(max_)
    assert case is not None
    await max_.post(f"{REVIEW}/cases/{case['id']}/dismissal", json={"answer": ANSWER})
    house.clock.advance(timedelta(days=model.APPEAL_DAYS, seconds=1))
    assert (await visitor.get(f"{FORM}/{code}")).json()["may_appeal"] is False
    late = await visitor.post(f"{FORM}/{code}/appeal", json={"explanation": "Too late."})
    refused(late, 409, "no-appeal")


async def test_form_is_limited_by_place(house: House, ana: Browser) -> None:
    visitor = house.visitor()
    body = {**NOTICE, "address": "/@ana"}
    for _ in range(model.FORMS_AN_HOUR):
        assert (await visitor.post(FORM, json=body)).status_code == 201
    refused(await visitor.post(FORM, json=body), 429, "notices-often")


async def published(pools: Pools, blobs: Blobs) -> None:
    """The log of decisions, as the log's own process would publish it."""
    entries = await raw(pools)
    edge, files = Edge().append(entries)
    for path, content in files.items():
        await blobs.put(f"ledger/decisions/{path}", content)
    signer = Signer("luciole/test/decisions", KeyKind.ED25519, bytes(32))
    head = Checkpoint(signer.verifier.name, edge.size, edge.root())
    await blobs.put("ledger/decisions/checkpoint", signer.sign(str(head)).encode())


async def raw(pools: Pools) -> list[bytes]:
    async with pools[0].read() as tx:
        rows = await tx.fetch("SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id")
    return [row["entry"] for row in rows]


async def next_month(house: House) -> None:
    """The first of the next month, some minutes in; the month before is counted."""
    now = house.clock.now()
    first = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=7, second=0)
    house.clock.advance(first - now)
    await house.parts.queue.run_periodic("safety.active")


async def test_transparency_report_is_what_the_log_says(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str, pools: Pools
) -> None:
    max_, eve = [await at_work(house, owner_url, name) for name in ("max", "eve")]
    clips = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(2)]
    await report(ben, "clip", clips[0]["id"], is_illegal=True)
    house.clock.advance(timedelta(hours=1))
    said = await decide(max_, is_illegal=True)
    await report(ben, "person", "ana", category="scams-and-fraud")
    case = await take(max_)
    assert case is not None
    await max_.post(f"{REVIEW}/cases/{case['id']}/dismissal", json={"answer": ANSWER})
    await ana.post(f"/api/statements/{said['id']}/appeal", json={"explanation": "A play."})
    case = await take(eve)
    assert case is not None
    place = f"{REVIEW}/cases/{case['id']}/appeal/reversed"
    assert (await eve.post(place, json={"answer": ANSWER})).status_code == 204
    await report(ben, "clip", clips[1]["id"])
    await settle(house, await order(house), "refused")
    await next_month(house)
    await published(pools, house.parts.blobs)

    found = (await house.visitor().get("/api/transparency")).json()
    # Counted again from the entries, by other means than the report's own.
    entries = await decisions(pools)
    kinds = Counter(one["kind"] for one in entries)
    assert found["entries"] == len(entries)
    assert found["notices"]["total"] == kinds["report"] == 3
    assert found["notices"]["illegal"] == sum(one.get("illegal", False) for one in entries) == 1
    categories = Counter(one["category"] for one in entries if one["kind"] == "report")
    assert found["notices_by_category"] == categories
    assert found["notices_by_outcome"] == {"acted": 1, "no-violation": 1, "waiting": 1}
    assert found["decisions"]["total"] == kinds["decision"] == 1
    assert found["decisions"]["reversed"] == kinds["decision-ended"] == 1
    assert found["automated"] == {"decision": 0, "detection": 0}
    assert found["appeals"]["total"] == kinds["appeal"] == 1
    assert found["appeals"]["reversed"] == 1
    assert found["government_requests"] == {
        "total": 1, "from-FR": 1, "for-data": 1, "persons": 2, "refused": 1,
    }  # fmt: skip
    (active,) = [one for one in entries if one["kind"] == "active"]
    assert found["active_at_least"] == {active["month"]: active["at_least"]}
    assert found["active_at_most"] == {active["month"]: active["at_most"]}
    assert found["active_average"] == {
        "at-least": active["at_least"], "at-most": active["at_most"], "months": 1,
    }  # fmt: skip
    assert active["at_most"] == FEW  # ana, ben, max, eve
    assert (found["hours_to_decide"], found["hours_to_answer_appeals"]) == (0.5, 0.0)
    year = int(active["month"][:4])
    assert (await house.visitor().get(f"/api/transparency?year={year}")).json()["notices"] == found[
        "notices"
    ]
    assert (await house.visitor().get("/api/transparency?year=2021")).json()["notices"] == {}
    lines = (await house.visitor().get("/api/transparency.csv")).text
    read = csv.DictReader(io.StringIO(lines))
    rows = {(one["section"], one["what"]): one["number"] for one in read}
    for section, value in found.items():
        if isinstance(value, dict):
            assert {what: rows[section, what] for what in value} == {
                what: str(number) for what, number in value.items()
            }
