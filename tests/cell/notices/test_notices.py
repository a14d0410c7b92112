"""Each 451 has its notice, each notice its entry; people are told, and keep what is theirs."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.notices.court import COURT, FR, SETTLE, Pools, decisions, lift, report, withhold
from tests.cell.notices.test_everywhere import elsewhere
from tests.cell.people.test_staff import signed, staffed
from tests.cell.rights.conftest import log  # noqa: F401 - a fixture
from tests.cell.rights.log import Log
from tests.cell.rights.taken import take
from tests.cell.safety import bench

from luciole import withholding
from luciole.cell.notices import model
from luciole.cell.notices.model import (
    AlreadyEnded,
    BadCountry,
    BadNotice,
    BadOrder,
    NoSuchOrder,
    NoSuchSubject,
)
from luciole.config import DatabaseSettings, Settings

BLOCKED_BY = '<http://localhost:8080>; rel="blocked-by", '
NOTICE = re.compile(r'<http://localhost:8080(/notices/[0-9a-f-]{36})>; rel="describedby"')
STATEMENT = re.compile(r'<http://localhost:8080(/statements/[0-9a-f-]{36})>; rel="describedby"')


async def test_each_451_has_a_notice_and_each_notice_an_entry(
    house: House, ana: Browser, tiny_film: bytes, pools: Pools
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=f"Film {n}") for n in range(3)]
    made = [
        await withhold(house, "clip", clips[0]["id"]),
        await withhold(house, "clip", clips[1]["id"], countries=("FR", "BE"), is_named=False),
        await withhold(house, "cell", "sg", ground="authority"),
    ]
    await lift(house, made[2])
    visitor = house.visitor(**FR)
    # From what is refused to the notice, and on to the log.
    entries = await decisions(pools)
    begun = {one["notice"]: one for one in entries if one["kind"] == "withheld"}
    ended = {one["notice"]: one for one in entries if one["kind"] == "withheld-ended"}
    reached = set()
    for clip in clips:
        for path in (f"/api/clips/{clip['id']}", clip["poster_url"], f"/c/{clip['id']}"):
            answer = await visitor.get(path)
            if answer.status_code != 451:
                continue
            found = NOTICE.search(answer.headers["link"])
            assert found, path
            assert answer.headers["link"].startswith(BLOCKED_BY), path
            body = (await visitor.get(f"/api{found[1]}")).json()
            entry = begun[body["notice"]]
            shared = set(entry) & set(body) - {"at"}
            assert shared == {
                "notice", "what", "countries", "ground", "by", "law", "until", "order", "commit",
                "staff",
            }  # fmt: skip
            assert all(entry[name] == body[name] for name in shared)
            assert body["state"] == "in-force"
            assert "FR" in body["countries"]
            reached.add(body["notice"])
    assert reached == {str(made[0].id), str(made[1].id)}
    # From the log to the notices, all of them, and no other.
    listed = (await visitor.get("/api/notices")).json()["items"]
    told = {one["notice"]: one for one in listed}
    assert set(told) == set(begun) == {str(one.id) for one in made}
    assert {name for name, one in told.items() if one["state"] == "ended"} == set(ended)
    # A commitment opens where the notice names whom it is about, and says nothing where not.
    first, second = told[str(made[0].id)], told[str(made[1].id)]
    text = {"appeal": first["appeal"], "reason": first["reason"], "subject": first["subject"]}
    opened = b"luciole/notice/v1" + bytes.fromhex(first["nonce"]) + msgspec.json.encode(text)
    assert hashlib.sha256(opened).hexdigest() == first["commit"]
    assert first["subject"] == f"clip/{clips[0]['id']}"
    assert (second["subject"], second["nonce"]) == ("", "")
    assert clips[1]["id"] not in msgspec.json.encode([begun, second]).decode()


async def test_each_451_of_moderators_has_a_statement_and_each_statement_an_entry(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, owner_url: str, pools: Pools
) -> None:
    clips = [await ana.clip(house, tiny_film, caption=f"Film {n}") for n in range(2)]
    await bench.report(ben, "clip", clips[0]["id"])
    said = await bench.decide(
        await bench.at_work(house, owner_url, "max"), countries=["BE", "FR"], days=20
    )
    decided = {one["decision"]: one for one in await decisions(pools) if one["kind"] == "decision"}
    visitor, refusals = house.visitor(**FR), 0
    for clip in clips:
        for path in (f"/api/clips/{clip['id']}", clip["poster_url"], f"/c/{clip['id']}"):
            answer = await visitor.get(path)
            if answer.status_code != 451:
                assert "link" not in answer.headers
                continue
            refusals += 1
            # Who blocks, as for an order (RFC 7725, section 4); and why, which is in the log.
            assert answer.headers["link"].startswith(BLOCKED_BY), path
            found = STATEMENT.search(answer.headers["link"])
            assert found, path
            body = (await visitor.get(f"/api{found[1]}")).json()
            entry = decided[body["id"]]
            assert body["id"] == said["id"]
            assert entry["statement"]["territorial_scope"] == ["BE", "FR"]
            assert entry["until"]
    assert refusals >= 2
    assert set(decided) == {said["id"]}
    # What a decision has removed everywhere, or shows to adults, is blocked for nobody's order.
    await bench.report(ben, "clip", clips[1]["id"])
    await bench.decide(await bench.at_work(house, owner_url, "eve"))
    gone = await visitor.get(f"/api/clips/{clips[1]['id']}")
    assert (gone.status_code, "blocked-by" in gone.headers["link"]) == (410, False)


async def test_notice_in_the_log_names_nobody(house: House, ana: Browser, pools: Pools) -> None:
    await withhold(house, "person", "ana")
    logged = msgspec.json.encode(await decisions(pools)).decode()
    assert "ana" not in re.findall(r"[a-z]+", logged)
    assert COURT.reason not in logged
    assert (await report(house))["notices"][0]["subject"] == "person/ana"


async def test_person_is_told_once_with_the_statement(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    clip = await ana.clip(house, tiny_film)
    notice = await withhold(house, "clip", clip["id"])
    for _ in range(2):
        await house.parts.queue.run_periodic(SETTLE)
    (told,) = (await ana.get("/api/notifications")).json()["items"]
    assert (told["kind"], told["by"], told["clip_id"]) == ("withheld", None, clip["id"])
    assert told["about_id"] == str(notice.id)
    said = (await ana.get(f"/api/notices/{told['about_id']}")).json()
    assert (said["by"], said["law"]) == (COURT.ordered_by, COURT.law)
    assert (said["reason"], said["appeal"]) == (COURT.reason, COURT.appeal)
    await lift(house, notice)
    for _ in range(2):
        await house.parts.queue.run_periodic(SETTLE)
    kinds = [one["kind"] for one in (await ana.get("/api/notifications")).json()["items"]]
    assert kinds == ["withheld-ended", "withheld"]


async def test_notice_ends_by_itself_on_its_day(
    house: House, ana: Browser, tiny_film: bytes, pools: Pools
) -> None:
    clip = await ana.clip(house, tiny_film)
    ends = house.clock.now() + timedelta(days=1)
    notice = await withhold(house, "clip", clip["id"], until=ends)
    visitor, path = house.visitor(**FR), f"/api/clips/{clip['id']}"
    answer = await visitor.get(path)
    assert answer.status_code == 451
    assert f"until {ends:%Y-%m-%d}" in answer.json()["sentence"]
    # The database's own clock: closed until the moment, and open from it on.
    past = datetime.now(UTC) - timedelta(seconds=1)
    await house.rows("UPDATE notices.notice SET until = $2 WHERE id = $1", notice.id, past)
    assert (await visitor.get(path)).status_code == 200
    house.clock.advance(timedelta(days=30))
    await house.parts.queue.run_periodic(SETTLE)
    (last,) = [one for one in await decisions(pools) if one["kind"] == "withheld-ended"]
    assert (last["notice"], last["ended_why"]) == (str(notice.id), "its day has come")
    assert (await visitor.get(f"/api/notices/{notice.id}")).json()["state"] == "ended"


async def test_export_of_whoever_is_withheld_is_whole_and_of_others_without_it(
    house: House,
    log: Log,  # noqa: F811
    ana: Browser,
    ben: Browser,
    tiny_film: bytes,
) -> None:
    clip = await ana.clip(house, tiny_film, caption="A day at the seaside")
    assert (await ben.put(f"/api/clips/{clip['id']}/favourite")).is_success
    notice = await withhold(house, "person", "ana", countries=("FR",))
    await log.take()
    await log.seal(29_700_000)
    taken = await take(house, elsewhere(house, ana, FR))
    taken.check()
    (row,) = taken.json("data/clips/clips.json")
    assert (row["id"], row["caption"]) == (clip["id"], "A day at the seaside")
    assert any(name.endswith(".mp4") for name in taken.files)
    (told,) = taken.json("data/notices/notices.json")
    assert (told["id"], told["appeal"]) == (str(notice.id), COURT.appeal)
    others = await take(house, elsewhere(house, ben, FR))
    assert not any(name.endswith(".mp4") for name in others.files)
    assert b"seaside" not in b"".join(others.files.values())


async def test_erased_person_is_forgotten_and_the_notice_ends(
    house: House, ana: Browser, pools: Pools
) -> None:
    notice = await withhold(house, "person", "ana")
    person_id = await house.person_id("ana")
    async with house.db.tx() as tx:
        from luciole.cell.notices import privacy

        assert (await privacy.erase(tx, person_id)).counts == {"notices": 1}
    await house.parts.queue.run_periodic(SETTLE)
    (told,) = (await report(house))["notices"]
    assert (told["subject"], told["nonce"], told["state"]) == ("", "", "ended")
    assert told["notice"] == str(notice.id)
    assert (await decisions(pools))[-1]["ended_why"] == "whom it was about is no longer here"


# Staff


@pytest.fixture
def settings(empty_url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=empty_url))


async def test_what_nobody_ordered_waits_for_two_of_the_staff(
    house: House, settings: Settings, ana: Browser, tiny_film: bytes, pools: Pools
) -> None:
    clip = await ana.clip(house, tiny_film)
    (eve, eves), (max_, his) = [await staffed(house, settings, name) for name in ("eve", "max")]
    notice = await withhold(house, "clip", clip["id"], ground="rules", ordered_by="This cell")
    visitor, path = house.visitor(**FR), f"/api/clips/{clip['id']}"
    assert (await visitor.get(path)).status_code == 200
    refused(await visitor.get(f"/api/notices/{notice.id}"), 404, "no-such-notice")
    refused(await ana.get("/api/staff/notices"), 403, "not-staff")
    (asked,) = (await eve.get("/api/staff/notices")).json()["items"]
    said = msgspec.json.decode(asked["asked"])
    assert (said["subject"], said["reason"]) == (f"clip/{clip['id']}", COURT.reason)
    place = f"/api/staff/notices/{notice.id}/signatures"
    for _ in range(2):  # one twice is one
        done = await eve.post(place, json=signed(asked, eves))
        assert (done.status_code, done.json()["signatures"]) == (201, 1), done.text
    assert (await visitor.get(path)).status_code == 200
    other = dict(asked, challenge="AAAA")
    refused(await max_.post(place, json=signed(other, his)), 403, "approval-refused")
    assert (await max_.post(place, json=signed(asked, his))).json()["signatures"] == 2
    assert (await visitor.get(path)).status_code == 451
    entry = [one for one in await decisions(pools) if one["kind"] == "withheld"][-1]
    assert (len(set(entry["staff"])), entry["order"], entry["ground"]) == (2, "", "rules")
    refused(await max_.post(place, json=signed(asked, his)), 403, "approval-refused")


# Refusals


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"countries": ("France",)}, BadCountry),
        ({"countries": ("",)}, BadCountry),
        ({"ordered_by": " "}, BadNotice),
        ({"law": ""}, BadNotice),
        ({"reason": "Because."}, BadNotice),
        ({"appeal": ""}, BadNotice),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, BadNotice),
        ({"countries": ("*",)}, BadOrder),  # whose country is it then?
    ],
)
async def test_notice_that_says_too_little_is_refused(
    house: House, ana: Browser, pools: Pools, wish: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        await withhold(house, "person", "ana", **wish)
    assert await decisions(pools) == []
    assert await withhold(house, "person", "ana")


async def test_nothing_is_withheld_that_is_not_there(house: House) -> None:
    for what, name in (("clip", "nonsense"), ("clip", str(model.UUID(int=1))), ("person", "zoe")):
        with pytest.raises(NoSuchSubject):
            await withhold(house, what, name)  # type: ignore[arg-type]


async def test_ended_is_ended(house: House, ana: Browser) -> None:
    notice = await withhold(house, "person", "ana")
    await lift(house, notice)
    with pytest.raises(AlreadyEnded):
        await lift(house, notice)
    with pytest.raises(NoSuchOrder):
        await withhold(house, "person", "ana", request_id=notice.id)


# At the machine


async def test_operator_withholds_and_lifts_at_the_machine(
    house: House, settings: Settings, ana: Browser, tiny_film: bytes
) -> None:
    from luciole import cli

    clip = await ana.clip(house, tiny_film)
    # The house's clock has gone on by a day with each test.
    day = f"{house.clock.now() + timedelta(days=60):%Y-%m-%d}"

    async def run(*words: str) -> list[str]:
        return await withholding.done(settings, cli.parser().parse_args(words), house.clock)

    said = await run(
        "withhold", "add", "--clip", clip["id"], "--in", "fr,be", "--by", COURT.ordered_by,
        "--law", COURT.law, "--why", COURT.reason, "--appeal", COURT.appeal,
        "--until", day,
    )  # fmt: skip
    assert said[0] == f"clip/{clip['id']} is withheld in BE, FR from now on."
    notice_id = said[1].rpartition("/")[2]
    path = f"/api/clips/{clip['id']}"
    assert (await house.visitor(**FR).get(path)).status_code == 451
    (line,) = await run("withhold", "list")
    assert line.startswith(f"{notice_id}  in-force  clip/")
    await run("withhold", "lift", notice_id, "--why", "Overturned on appeal")
    assert (await house.visitor(**FR).get(path)).status_code == 200
    assert await run("withhold", "list") == ["Nothing is withheld."]
    (made,) = await run("orders", "add", "--by", "Police", "--country", "de", "--law", "StPO 100j",
                        "--persons", "3", "--gag-until", day)  # fmt: skip
    assert made.endswith(f"in full on {day}.")
    listed = await run("orders", "list")
    assert f"under a gag until {day}" in listed[0]
    assert "complied" in listed[1]
    order_id = made.split()[1]
    assert (await run("orders", "settle", order_id, "--outcome", "refused"))[0].endswith(
        f"refused; public on {day}."
    )
