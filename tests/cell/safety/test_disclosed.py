"""A moderator reads what was disclosed in their case, once two operators have signed; no more."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.cell.console import bench as console
from tests.cell.house import Browser, House, refused
from tests.cell.messages.conftest import anas, bens  # noqa: F401 - fixtures
from tests.cell.messages.phone import M, Phone
from tests.cell.people.authenticator import Authenticator
from tests.cell.safety import bench
from tests.cell.safety.bench import ANSWER, REVIEW, take, told

from luciole.cell.messages import payload
from luciole.cell.messages.model import Said
from luciole.cell.safety import model

WORDS = "I know where you live"
WHY = "Without its words nobody can say whether it is a threat."
READS = "/api/staff/reads"


def message(text: str, **more: Any) -> bytes:
    """A message as a phone writes it."""
    said = {"v": 1, "id": str(uuid.uuid4()), "at": 1, "kind": "text", "text": text, **more}
    return json.dumps(said).encode()


async def at_the_desk(house: House, owner_url: str, handle: str) -> tuple[Browser, Authenticator]:
    """A moderator who is nothing else, at work."""
    browser, key = await console.staff(house, owner_url, handle, "moderator")
    await bench.begin(browser, key)
    return browser, key


@dataclass
class World:
    """ana has reported ben's message; mia has the case; oscar and otto are operators at work."""

    house: House
    ana: Phone
    ben: Phone
    pair: str
    mia: Browser
    operators: list[tuple[Browser, Authenticator]]
    case: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{REVIEW}/cases/{self.case['id']}"

    @property
    def report_id(self) -> str:
        return str(self.case["subjects"][0]["message_report_id"])

    async def report(self, *contents: bytes, reason: str = "threat") -> None:
        items = [self.ben.signed(self.pair, content) for content in contents]
        body = {"conversation_id": self.pair, "reason": reason, "items": items}
        answer = await self.ana.browser.post(f"{M}/reports", json=body)
        assert answer.status_code == 201, answer.text
        await self.house.parts.queue.run_periodic("safety.settle")

    async def ask(self, browser: Browser | None = None, **other: Any) -> dict[str, Any]:
        body = {"message_report_id": self.report_id, "minutes": 30, "reason": WHY, **other}
        answer = await (browser or self.mia).post(f"{self.place}/disclosures", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def sign(self, read_id: str, count: int = 2) -> None:
        for browser, key in self.operators[:count]:
            (asked,) = [
                one for one in (await browser.get(READS)).json()["items"] if one["id"] == read_id
            ]
            place = f"{READS}/{read_id}/approvals"
            answer = await browser.post(place, json=console.signed(asked, key))
            assert answer.status_code == 201, answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def world(
    house: House,
    anas: Phone,  # noqa: F811
    bens: Phone,  # noqa: F811
    owner_url: str,
) -> World:
    operators = []
    for handle in ("oscar", "otto"):
        operators.append(await console.staff(house, owner_url, handle, "operator"))
        await console.begin(*operators[-1], "operator")
    mia, _ = await at_the_desk(house, owner_url, "mia")
    pair = await anas.talk("pair", bens)
    made = World(house, anas, bens, pair, mia, operators, {})
    await made.report(message(WORDS))
    case = await take(mia)
    assert case is not None
    made.case = case
    return made


async def test_moderator_reads_what_was_disclosed_once_two_operators_have_signed(
    world: World,
) -> None:
    # Another report by the same person, which this case does not need.
    await world.report(message("Something else"), reason="spam")
    asked = await world.ask()
    assert (asked["signatures"], asked["is_granted"]) == (0, False)
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    refused(await world.mia.post(read), 403, "read-not-approved")
    await world.sign(asked["id"], 1)
    (seen,) = (await world.mia.get(f"{world.place}/disclosures")).json()["items"]
    assert (seen["id"], seen["signatures"]) == (asked["id"], 1)
    refused(await world.mia.post(read), 403, "read-not-approved")
    await world.sign(asked["id"])
    answer = await world.mia.post(read)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["reason"] == "threat"
    said = {"kind": "text", "text": WORDS, "clip_id": None}
    assert answer.json()["messages"] == [said]
    # Not by whom, in the answer or before.
    shown = f"{world.case}{asked}{answer.text}"
    for secret in (world.ana.person_id, world.ana.id, world.ben.id, "'ana'", '"ana"'):
        assert secret not in shown
    # Who signs does not read.
    for browser, _ in world.operators:
        place = f"{READS}/{asked['id']}/message-reports"
        refused(await browser.post(place), 403, "read-not-approved")
        refused(await browser.post(read), 403, "not-moderator")


async def test_who_reported_is_told_and_finds_who_signed_why_and_each_look(world: World) -> None:
    asked = await world.ask()
    await world.sign(asked["id"])
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    for _ in range(2):
        assert (await world.mia.post(read)).status_code == 201
    await world.house.parts.queue._periodic["notify.tell-reads"][0]()
    ana = world.ana.browser
    assert "data-read" in await told(ana)
    said = (await ana.get("/api/me/journal")).json()["items"][:3]
    assert [one["kind"] for one in said] == ["read", "read", "grant"]
    for one in said:
        assert (one["purpose"], one["columns"]) == ("message-report", ["messages.report"])
        assert one["note"] == f"Report {world.report_id}: {WHY}"
    # Who is reported is not told that somebody did.
    assert "data-read" not in await told(world.ben.browser)


async def test_moderator_asks_for_nothing_but_the_report_of_their_case(
    world: World, house: House, owner_url: str
) -> None:
    await world.report(message("Something else"), reason="spam")
    zoe, _ = await at_the_desk(house, owner_url, "zoe")
    other = await take(zoe)
    assert other is not None
    body = {
        "message_report_id": other["subjects"][0]["message_report_id"],
        "minutes": 30,
        "reason": WHY,
    }
    refused(await world.mia.post(f"{world.place}/disclosures", json=body), 404, "no-such-review")
    # Nor in the other's case, nor does the other come to what was signed for this one.
    theirs = f"{REVIEW}/cases/{other['id']}"
    for answer in (
        await world.mia.post(f"{theirs}/disclosures", json=body),
        await world.mia.get(f"{theirs}/disclosures"),
        await world.mia.post(f"{theirs}/pause"),
    ):
        refused(answer, 409, "review-decided")
    asked = await world.ask()
    await world.sign(asked["id"])
    mine = f"{world.place}/disclosures/{asked['id']}/messages"
    refused(await zoe.post(mine), 409, "review-decided")
    refused(await zoe.post(f"{theirs}/disclosures/{asked['id']}/messages"), 404, "no-such-read")
    assert (await world.mia.post(mine)).status_code == 201


async def test_who_gets_the_case_next_asks_anew(world: World, house: House, owner_url: str) -> None:
    asked = await world.ask()
    await world.sign(asked["id"])
    zoe, _ = await at_the_desk(house, owner_url, "zoe")
    assert (await world.mia.post(f"{world.place}/second-opinion")).status_code == 204
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    refused(await world.mia.post(read), 404, "no-such-review")
    # Kept for who asked as long as it is open, who has given it away.
    assert await take(zoe) is None
    house.clock.advance(timedelta(minutes=31))
    case = await take(zoe)
    assert case is not None
    assert case["id"] == world.case["id"]
    refused(await zoe.post(read), 404, "no-such-read")
    assert (await zoe.get(f"{world.place}/disclosures")).json() == {"items": []}
    assert (await world.ask(zoe))["id"] != asked["id"]


async def test_minutes_end_and_so_does_what_nobody_signs(world: World) -> None:
    asked = await world.ask(minutes=5)
    # Asked twice is asked once.
    assert await world.ask(reason="The same, in other words.") == asked
    await world.sign(asked["id"])
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    assert (await world.mia.post(read)).status_code == 201
    world.house.clock.advance(timedelta(minutes=5, seconds=1))
    refused(await world.mia.post(read), 404, "no-such-read")
    again = await world.ask()
    assert again["id"] != asked["id"]
    rows = "SELECT count(*) AS n FROM safety.disclosure"
    assert (await world.house.rows(rows))[0]["n"] == 2
    world.house.clock.advance(timedelta(days=model.DISCLOSURE_KEPT_DAYS, seconds=1))
    await world.house.parts.queue.run_periodic("safety.settle")
    assert (await world.house.rows(rows))[0]["n"] == 0


async def test_decided_case_opens_nothing(world: World) -> None:
    asked = await world.ask()
    await world.sign(asked["id"])
    answer = await world.mia.post(f"{world.place}/dismissal", json={"answer": ANSWER})
    assert answer.status_code == 204
    for path in ("disclosures", f"disclosures/{asked['id']}/messages", "pause"):
        body = {"message_report_id": world.report_id, "minutes": 30, "reason": WHY}
        answer = await world.mia.post(f"{world.place}/{path}", json=body)
        refused(answer, 409, "review-decided")


async def test_case_is_put_back_while_signatures_are_waited_for(
    world: World, house: House, owner_url: str
) -> None:
    refused(await world.mia.post(f"{world.place}/pause"), 404, "no-such-read")
    asked = await world.ask()
    assert (await world.mia.post(f"{world.place}/pause")).status_code == 204
    zoe, _ = await at_the_desk(house, owner_url, "zoe")
    # Nobody gets it meanwhile; who asked goes on with others.
    assert await take(zoe) is None
    assert await take(world.mia) is None
    refused(await world.mia.get(f"{world.place}/disclosures"), 404, "no-such-review")
    await bench.report(world.ana.browser, "person", "otto", category="self-harm")
    await world.sign(asked["id"])
    assert (await take(zoe) or {})["category"] == "self-harm"
    await bench.report(world.ana.browser, "person", "oscar", category="self-harm")
    back = await take(world.mia)
    assert back is not None
    assert back["id"] == world.case["id"]
    refused(await world.mia.post(f"{world.place}/pause"), 404, "no-such-read")
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    assert (await world.mia.post(read)).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"reason": "Too short"}, "read-refused"),
        ({"reason": "x" * 401}, "invalid"),
        ({"minutes": 61}, "invalid"),
        ({"minutes": 0}, "invalid"),
    ],
)
async def test_bad_request_is_refused_by_name(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    body = {"message_report_id": world.report_id, "minutes": 30, "reason": WHY, **wrong}
    refused(await world.mia.post(f"{world.place}/disclosures", json=body), 400, code)


async def test_report_that_is_not_kept_any_more(world: World) -> None:
    asked = await world.ask()
    await world.sign(asked["id"])
    world.house.clock.advance(timedelta(minutes=1))
    async with world.house.parts.db.tx() as tx:
        await tx.execute("DELETE FROM messages.report")
    read = f"{world.place}/disclosures/{asked['id']}/messages"
    refused(await world.mia.post(read), 404, "nothing-disclosed")
    body = {"message_report_id": world.report_id, "minutes": 30, "reason": WHY}
    answer = await world.mia.post(f"{world.place}/disclosures", json=body)
    refused(answer, 404, "nothing-disclosed")


def test_payload_gives_words_and_no_keys() -> None:
    clip = "0190b6a5-1111-7000-8000-000000000001"
    file = {"id": clip, "key": "k" * 44, "type": "image/png", "size": 9}
    for content, expected in (
        (message(WORDS), Said("text", WORDS)),
        (message("Look", kind="clip", clip_id=clip), Said("clip", "Look", uuid.UUID(clip))),
        (message("Look", kind="clip", clip_id="no"), Said("clip", "Look")),
        (message("Me", kind="photo", file=file), Said("photo", "Me")),
        (b'{"v":1,"kind":"voice","file":{"key":"secret"}}', Said("voice", "")),
        (b'{"kind":"name","name":"Us"}', Said("name", "Us")),
        (b'{"kind":"later","text":"New"}', Said("unknown", "New")),
        (b'{"kind":["text"],"text":7}', Said("unknown", "")),
        (b"no JSON \xff\x00\n", Said("unknown", "no JSON \ufffd\n")),
        (b"[1]", Said("unknown", "[1]")),
        (b"x" * 5000, Said("unknown", "x" * 4000)),
    ):
        assert payload.said(content) == expected
